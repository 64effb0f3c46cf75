/* Layout of ABI level 1 on 64-bit little-endian machines: sizes, places and types. Written
   from DWARF by sdk/abi/freeze; not to be edited. */

#include "qed/abi.h"

#ifdef __cplusplus
#include <type_traits>
#define QED_ASSERT static_assert
#define QED_IS(S, member, ...) std::is_same<decltype(S::member), __VA_ARGS__>::value
#else
#define QED_ASSERT _Static_assert
#define QED_IS(S, member, ...) \
  _Generic(&((S*)0)->member, __typeof__(__VA_ARGS__)*: 1, default: 0)
#endif
#define QED_AT(S, member, place, ...)                                        \
  QED_ASSERT(offsetof(S, member) == (place) && QED_IS(S, member, __VA_ARGS__), \
             #S "." #member " has moved, or its type has changed")

QED_ASSERT(sizeof(qed_str) == 16, "qed_str has another size");
QED_AT(qed_str, p, 0, const char *);
QED_AT(qed_str, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_strs) == 16, "qed_strs has another size");
QED_AT(qed_strs, p, 0, const qed_str *);
QED_AT(qed_strs, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_bytes) == 16, "qed_bytes has another size");
QED_AT(qed_bytes, p, 0, const uint8_t *);
QED_AT(qed_bytes, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_i32s) == 16, "qed_i32s has another size");
QED_AT(qed_i32s, p, 0, const int32_t *);
QED_AT(qed_i32s, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_u64s) == 16, "qed_u64s has another size");
QED_AT(qed_u64s, p, 0, const uint64_t *);
QED_AT(qed_u64s, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_f32s) == 16, "qed_f32s has another size");
QED_AT(qed_f32s, p, 0, const float *);
QED_AT(qed_f32s, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_bytes_out) == 16, "qed_bytes_out has another size");
QED_AT(qed_bytes_out, p, 0, uint8_t *);
QED_AT(qed_bytes_out, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_f32s_out) == 16, "qed_f32s_out has another size");
QED_AT(qed_f32s_out, p, 0, float *);
QED_AT(qed_f32s_out, n, 8, uint64_t);

QED_ASSERT(sizeof(qed_err) == 32, "qed_err has another size");
QED_AT(qed_err, size, 0, uint32_t);
QED_AT(qed_err, code, 4, int32_t);
QED_AT(qed_err, msg, 8, char *);
QED_AT(qed_err, msg_cap, 16, uint64_t);
QED_AT(qed_err, msg_len, 24, uint64_t);

QED_ASSERT(sizeof(qed_call) == 40, "qed_call has another size");
QED_AT(qed_call, size, 0, uint32_t);
QED_AT(qed_call, flags, 4, uint32_t);
QED_AT(qed_call, seed, 8, uint64_t);
QED_AT(qed_call, deadline_ns, 16, uint64_t);
QED_AT(qed_call, cancel, 24, volatile const uint32_t *);
QED_AT(qed_call, err, 32, qed_err *);

QED_ASSERT(sizeof(qed_writer) == 24, "qed_writer has another size");
QED_AT(qed_writer, size, 0, uint32_t);
QED_AT(qed_writer, flags, 4, uint32_t);
QED_AT(qed_writer, host, 8, void *);
QED_AT(qed_writer, append, 16, int32_t (*)(struct qed_writer *, const uint8_t *, uint64_t));

QED_ASSERT(sizeof(qed_metrics) == 24, "qed_metrics has another size");
QED_AT(qed_metrics, size, 0, uint32_t);
QED_AT(qed_metrics, flags, 4, uint32_t);
QED_AT(qed_metrics, host, 8, void *);
QED_AT(qed_metrics, add, 16, void (*)(struct qed_metrics *, qed_str, double, double));

QED_ASSERT(sizeof(qed_host) == 72, "qed_host has another size");
QED_AT(qed_host, size, 0, uint32_t);
QED_AT(qed_host, epoch, 4, uint32_t);
QED_AT(qed_host, level, 8, uint32_t);
QED_AT(qed_host, min_level, 12, uint32_t);
QED_AT(qed_host, name, 16, qed_str);
QED_AT(qed_host, version, 32, qed_str);
QED_AT(qed_host, host, 48, void *);
QED_AT(qed_host, log, 56, void (*)(const struct qed_host *, int32_t, qed_str));
QED_AT(qed_host, get_extension, 64, const void *(*)(const struct qed_host *, qed_str));

QED_ASSERT(sizeof(qed_option) == 112, "qed_option has another size");
QED_AT(qed_option, size, 0, uint32_t);
QED_AT(qed_option, type, 4, uint32_t);
QED_AT(qed_option, flags, 8, uint32_t);
QED_AT(qed_option, reserved, 12, uint32_t);
QED_AT(qed_option, name, 16, qed_str);
QED_AT(qed_option, default_json, 32, qed_str);
QED_AT(qed_option, min, 48, double);
QED_AT(qed_option, max, 56, double);
QED_AT(qed_option, choices, 64, qed_strs);
QED_AT(qed_option, unit, 80, qed_str);
QED_AT(qed_option, help, 96, qed_str);

QED_ASSERT(sizeof(qed_component) == 112, "qed_component has another size");
QED_AT(qed_component, size, 0, uint32_t);
QED_AT(qed_component, flags, 4, uint32_t);
QED_AT(qed_component, kind, 8, qed_str);
QED_AT(qed_component, id, 24, qed_str);
QED_AT(qed_component, name, 40, qed_str);
QED_AT(qed_component, version, 56, qed_str);
QED_AT(qed_component, summary, 72, qed_str);
QED_AT(qed_component, options, 88, const qed_option *const *);
QED_AT(qed_component, num_options, 96, uint64_t);
QED_AT(qed_component, vtable, 104, const void *);

QED_ASSERT(sizeof(qed_plugin) == 80, "qed_plugin has another size");
QED_AT(qed_plugin, size, 0, uint32_t);
QED_AT(qed_plugin, epoch, 4, uint32_t);
QED_AT(qed_plugin, built_level, 8, uint32_t);
QED_AT(qed_plugin, need_level, 12, uint32_t);
QED_AT(qed_plugin, id, 16, qed_str);
QED_AT(qed_plugin, version, 32, qed_str);
QED_AT(qed_plugin, licence, 48, qed_str);
QED_AT(qed_plugin, components, 64, const qed_component *const *);
QED_AT(qed_plugin, num_components, 72, uint64_t);

QED_ASSERT(sizeof(qed_object) == 32, "qed_object has another size");
QED_AT(qed_object, size, 0, uint32_t);
QED_AT(qed_object, reserved, 4, uint32_t);
QED_AT(qed_object, create, 8, int32_t (*)(const qed_host *, qed_call *, qed_str, void **));
QED_AT(qed_object, destroy, 16, void (*)(void *));
QED_AT(qed_object, get_extension, 24, const void *(*)(const void *, qed_str));

QED_ASSERT(sizeof(qed_state) == 24, "qed_state has another size");
QED_AT(qed_state, size, 0, uint32_t);
QED_AT(qed_state, reserved, 4, uint32_t);
QED_AT(qed_state, save, 8, int32_t (*)(const void *, qed_call *, qed_writer *));
QED_AT(qed_state, restore, 16, int32_t (*)(void *, qed_call *, qed_bytes));

QED_ASSERT(sizeof(qed_host_dataset) == 48, "qed_host_dataset has another size");
QED_AT(qed_host_dataset, size, 0, uint32_t);
QED_AT(qed_host_dataset, reserved, 4, uint32_t);
QED_AT(qed_host_dataset, open, 8, int32_t (*)(const struct qed_host_dataset *, qed_call *, qed_str, qed_strs, void **));
QED_AT(qed_host_dataset, count, 16, int32_t (*)(const struct qed_host_dataset *, qed_call *, const void *, uint64_t *));
QED_AT(qed_host_dataset, row, 24, int32_t (*)(const struct qed_host_dataset *, qed_call *, const void *, uint64_t, qed_writer *));
QED_AT(qed_host_dataset, place, 32, int32_t (*)(const struct qed_host_dataset *, qed_call *, const void *, uint64_t, qed_writer *));
QED_AT(qed_host_dataset, close, 40, void (*)(const struct qed_host_dataset *, void *));

QED_ASSERT(sizeof(qed_host_threads) == 24, "qed_host_threads has another size");
QED_AT(qed_host_threads, size, 0, uint32_t);
QED_AT(qed_host_threads, reserved, 4, uint32_t);
QED_AT(qed_host_threads, count, 8, uint64_t (*)(const struct qed_host_threads *));
QED_AT(qed_host_threads, parallel_for, 16, void (*)(const struct qed_host_threads *, uint64_t, void (*)(void *, uint64_t), void *));

QED_ASSERT(sizeof(qed_sandbox_file) == 40, "qed_sandbox_file has another size");
QED_AT(qed_sandbox_file, size, 0, uint32_t);
QED_AT(qed_sandbox_file, is_executable, 4, uint32_t);
QED_AT(qed_sandbox_file, name, 8, qed_str);
QED_AT(qed_sandbox_file, data, 24, qed_bytes);

QED_ASSERT(sizeof(qed_sandbox_limits) == 56, "qed_sandbox_limits has another size");
QED_AT(qed_sandbox_limits, size, 0, uint32_t);
QED_AT(qed_sandbox_limits, processes, 4, uint32_t);
QED_AT(qed_sandbox_limits, cpu_ms, 8, uint64_t);
QED_AT(qed_sandbox_limits, wall_ms, 16, uint64_t);
QED_AT(qed_sandbox_limits, memory_bytes, 24, uint64_t);
QED_AT(qed_sandbox_limits, disk_bytes, 32, uint64_t);
QED_AT(qed_sandbox_limits, files, 40, uint64_t);
QED_AT(qed_sandbox_limits, output_bytes, 48, uint64_t);

QED_ASSERT(sizeof(qed_sandbox_job) == 104, "qed_sandbox_job has another size");
QED_AT(qed_sandbox_job, size, 0, uint32_t);
QED_AT(qed_sandbox_job, flags, 4, uint32_t);
QED_AT(qed_sandbox_job, files, 8, const qed_sandbox_file *const *);
QED_AT(qed_sandbox_job, num_files, 16, uint64_t);
QED_AT(qed_sandbox_job, build, 24, qed_strs);
QED_AT(qed_sandbox_job, products, 40, qed_strs);
QED_AT(qed_sandbox_job, command, 56, qed_strs);
QED_AT(qed_sandbox_job, inputs, 72, const qed_bytes *);
QED_AT(qed_sandbox_job, num_runs, 80, uint64_t);
QED_AT(qed_sandbox_job, build_limits, 88, const qed_sandbox_limits *);
QED_AT(qed_sandbox_job, run_limits, 96, const qed_sandbox_limits *);

QED_ASSERT(sizeof(qed_sandbox_run) == 56, "qed_sandbox_run has another size");
QED_AT(qed_sandbox_run, size, 0, uint32_t);
QED_AT(qed_sandbox_run, outcome, 4, uint32_t);
QED_AT(qed_sandbox_run, exit_code, 8, int32_t);
QED_AT(qed_sandbox_run, signal, 12, int32_t);
QED_AT(qed_sandbox_run, cpu_us, 16, uint64_t);
QED_AT(qed_sandbox_run, wall_us, 24, uint64_t);
QED_AT(qed_sandbox_run, memory_bytes, 32, uint64_t);
QED_AT(qed_sandbox_run, output, 40, qed_writer *);
QED_AT(qed_sandbox_run, errors, 48, qed_writer *);

QED_ASSERT(sizeof(qed_host_sandbox) == 40, "qed_host_sandbox has another size");
QED_AT(qed_host_sandbox, size, 0, uint32_t);
QED_AT(qed_host_sandbox, reserved, 4, uint32_t);
QED_AT(qed_host_sandbox, check, 8, int32_t (*)(const struct qed_host_sandbox *, qed_call *));
QED_AT(qed_host_sandbox, submit, 16, int32_t (*)(const struct qed_host_sandbox *, qed_call *, const qed_sandbox_job *, uint64_t *));
QED_AT(qed_host_sandbox, poll, 24, int32_t (*)(const struct qed_host_sandbox *, qed_call *, uint64_t, uint64_t, qed_sandbox_run *, qed_sandbox_run *const *, uint64_t));
QED_AT(qed_host_sandbox, drop, 32, void (*)(const struct qed_host_sandbox *, uint64_t));

QED_ASSERT(sizeof(qed_item) == 40, "qed_item has another size");
QED_AT(qed_item, size, 0, uint32_t);
QED_AT(qed_item, reserved, 4, uint32_t);
QED_AT(qed_item, key, 8, qed_str);
QED_AT(qed_item, blob, 24, qed_bytes);

QED_ASSERT(sizeof(qed_item_out) == 24, "qed_item_out has another size");
QED_AT(qed_item_out, size, 0, uint32_t);
QED_AT(qed_item_out, reserved, 4, uint32_t);
QED_AT(qed_item_out, key, 8, qed_writer *);
QED_AT(qed_item_out, blob, 16, qed_writer *);

QED_ASSERT(sizeof(qed_prompt_out) == 48, "qed_prompt_out has another size");
QED_AT(qed_prompt_out, size, 0, uint32_t);
QED_AT(qed_prompt_out, keep_special, 4, uint32_t);
QED_AT(qed_prompt_out, messages, 8, qed_writer *);
QED_AT(qed_prompt_out, text, 16, qed_writer *);
QED_AT(qed_prompt_out, prefill, 24, qed_writer *);
QED_AT(qed_prompt_out, stop, 32, qed_writer *);
QED_AT(qed_prompt_out, max_new_tokens, 40, uint64_t);

QED_ASSERT(sizeof(qed_sample) == 120, "qed_sample has another size");
QED_AT(qed_sample, size, 0, uint32_t);
QED_AT(qed_sample, finish, 4, uint32_t);
QED_AT(qed_sample, item, 8, const qed_item *);
QED_AT(qed_sample, prompt, 16, qed_str);
QED_AT(qed_sample, prefill, 32, qed_str);
QED_AT(qed_sample, text, 48, qed_str);
QED_AT(qed_sample, tokens, 64, qed_i32s);
QED_AT(qed_sample, group, 80, uint64_t);
QED_AT(qed_sample, index, 88, uint64_t);
QED_AT(qed_sample, max_new_tokens, 96, uint64_t);
QED_AT(qed_sample, turns, 104, qed_u64s);

QED_ASSERT(sizeof(qed_score) == 48, "qed_score has another size");
QED_AT(qed_score, size, 0, uint32_t);
QED_AT(qed_score, status, 4, int32_t);
QED_AT(qed_score, reward, 8, double);
QED_AT(qed_score, verdict, 16, uint32_t);
QED_AT(qed_score, reserved, 20, uint32_t);
QED_AT(qed_score, terms, 24, qed_f32s_out);
QED_AT(qed_score, note, 40, qed_writer *);

QED_ASSERT(sizeof(qed_action) == 64, "qed_action has another size");
QED_AT(qed_action, size, 0, uint32_t);
QED_AT(qed_action, finish, 4, uint32_t);
QED_AT(qed_action, turn, 8, uint64_t);
QED_AT(qed_action, prefill, 16, qed_str);
QED_AT(qed_action, text, 32, qed_str);
QED_AT(qed_action, tokens, 48, qed_i32s);

QED_ASSERT(sizeof(qed_observation) == 72, "qed_observation has another size");
QED_AT(qed_observation, size, 0, uint32_t);
QED_AT(qed_observation, status, 4, int32_t);
QED_AT(qed_observation, reward, 8, double);
QED_AT(qed_observation, is_done, 16, uint32_t);
QED_AT(qed_observation, is_truncated, 20, uint32_t);
QED_AT(qed_observation, verdict, 24, uint32_t);
QED_AT(qed_observation, reserved, 28, uint32_t);
QED_AT(qed_observation, terms, 32, qed_f32s_out);
QED_AT(qed_observation, messages, 48, qed_writer *);
QED_AT(qed_observation, prefill, 56, qed_writer *);
QED_AT(qed_observation, note, 64, qed_writer *);

QED_ASSERT(sizeof(qed_task) == 152, "qed_task has another size");
QED_AT(qed_task, object, 0, qed_object);
QED_AT(qed_task, splits, 32, qed_strs);
QED_AT(qed_task, terms, 48, qed_strs);
QED_AT(qed_task, count, 64, int32_t (*)(const void *, qed_call *, qed_str, uint64_t *));
QED_AT(qed_task, load, 72, int32_t (*)(const void *, qed_call *, qed_str, uint64_t, qed_item_out *));
QED_AT(qed_task, render, 80, int32_t (*)(const void *, qed_call *, const qed_item *, qed_prompt_out *));
QED_AT(qed_task, verify, 88, int32_t (*)(const void *, qed_call *, const qed_sample *const *, qed_score *const *, uint64_t));
QED_AT(qed_task, demonstrate, 96, int32_t (*)(const void *, qed_call *, const qed_item *, qed_str, qed_writer *));
QED_AT(qed_task, episode_open, 104, int32_t (*)(const void *, qed_call *, const qed_item *, qed_observation *, void **));
QED_AT(qed_task, episode_step, 112, int32_t (*)(const void *, qed_call *, void *const *, const qed_action *const *, qed_observation *const *, uint64_t));
QED_AT(qed_task, episode_poll, 120, int32_t (*)(const void *, qed_call *, void *const *, qed_observation *const *, uint64_t));
QED_AT(qed_task, episode_save, 128, int32_t (*)(const void *, qed_call *, const void *, qed_writer *));
QED_AT(qed_task, episode_restore, 136, int32_t (*)(const void *, qed_call *, const qed_item *, qed_bytes, void **));
QED_AT(qed_task, episode_close, 144, void (*)(const void *, void *));

QED_ASSERT(sizeof(qed_scored) == 56, "qed_scored has another size");
QED_AT(qed_scored, size, 0, uint32_t);
QED_AT(qed_scored, verdict, 4, uint32_t);
QED_AT(qed_scored, sample, 8, const qed_sample *);
QED_AT(qed_scored, reward, 16, double);
QED_AT(qed_scored, term_names, 24, qed_strs);
QED_AT(qed_scored, terms, 40, qed_f32s);

QED_ASSERT(sizeof(qed_term) == 48, "qed_term has another size");
QED_AT(qed_term, size, 0, uint32_t);
QED_AT(qed_term, status, 4, int32_t);
QED_AT(qed_term, value, 8, double);
QED_AT(qed_term, applies, 16, uint32_t);
QED_AT(qed_term, reserved, 20, uint32_t);
QED_AT(qed_term, tokens, 24, qed_f32s_out);
QED_AT(qed_term, note, 40, qed_writer *);

QED_ASSERT(sizeof(qed_reward) == 40, "qed_reward has another size");
QED_AT(qed_reward, object, 0, qed_object);
QED_AT(qed_reward, score, 32, int32_t (*)(const void *, qed_call *, const qed_scored *const *, qed_term *const *, uint64_t));

QED_ASSERT(sizeof(qed_stream) == 48, "qed_stream has another size");
QED_AT(qed_stream, size, 0, uint32_t);
QED_AT(qed_stream, flags, 4, uint32_t);
QED_AT(qed_stream, name, 8, qed_str);
QED_AT(qed_stream, gamma, 24, double);
QED_AT(qed_stream, reward, 32, qed_f32s);

QED_ASSERT(sizeof(qed_batch) == 240, "qed_batch has another size");
QED_AT(qed_batch, size, 0, uint32_t);
QED_AT(qed_batch, reserved, 4, uint32_t);
QED_AT(qed_batch, step, 8, uint64_t);
QED_AT(qed_batch, offset, 16, qed_u64s);
QED_AT(qed_batch, group, 32, qed_u64s);
QED_AT(qed_batch, reward, 48, qed_f32s);
QED_AT(qed_batch, valid, 64, qed_bytes);
QED_AT(qed_batch, mask, 80, qed_bytes);
QED_AT(qed_batch, behavior_logp, 96, qed_f32s);
QED_AT(qed_batch, old_logp, 112, qed_f32s);
QED_AT(qed_batch, ref_logp, 128, qed_f32s);
QED_AT(qed_batch, value, 144, qed_f32s);
QED_AT(qed_batch, finish, 160, qed_bytes);
QED_AT(qed_batch, turn, 176, qed_i32s);
QED_AT(qed_batch, staleness, 192, qed_u64s);
QED_AT(qed_batch, baseline, 208, qed_f32s);
QED_AT(qed_batch, streams, 224, const qed_stream *const *);
QED_AT(qed_batch, num_streams, 232, uint64_t);

QED_ASSERT(sizeof(qed_advantage) == 64, "qed_advantage has another size");
QED_AT(qed_advantage, size, 0, uint32_t);
QED_AT(qed_advantage, reserved, 4, uint32_t);
QED_AT(qed_advantage, adv, 8, qed_f32s_out);
QED_AT(qed_advantage, ret, 24, qed_f32s_out);
QED_AT(qed_advantage, keep, 40, qed_bytes_out);
QED_AT(qed_advantage, metrics, 56, qed_metrics *);

QED_ASSERT(sizeof(qed_update) == 88, "qed_update has another size");
QED_AT(qed_update, size, 0, uint32_t);
QED_AT(qed_update, reserved, 4, uint32_t);
QED_AT(qed_update, batch, 8, const qed_batch *);
QED_AT(qed_update, adv, 16, qed_f32s);
QED_AT(qed_update, ret, 32, qed_f32s);
QED_AT(qed_update, weight, 48, qed_f32s);
QED_AT(qed_update, logp, 64, qed_f32s);
QED_AT(qed_update, metrics, 80, qed_metrics *);

QED_ASSERT(sizeof(qed_loss) == 216, "qed_loss has another size");
QED_AT(qed_loss, size, 0, uint32_t);
QED_AT(qed_loss, reserved, 4, uint32_t);
QED_AT(qed_loss, batch, 8, const qed_batch *);
QED_AT(qed_loss, adv, 16, qed_f32s);
QED_AT(qed_loss, ret, 32, qed_f32s);
QED_AT(qed_loss, logp, 48, qed_f32s);
QED_AT(qed_loss, weight, 64, qed_f32s);
QED_AT(qed_loss, grad_logp, 80, qed_f32s_out);
QED_AT(qed_loss, loss, 96, double);
QED_AT(qed_loss, metrics, 104, qed_metrics *);
QED_AT(qed_loss, prepared, 112, qed_bytes);
QED_AT(qed_loss, token, 128, qed_u64s);
QED_AT(qed_loss, entropy, 144, qed_f32s);
QED_AT(qed_loss, value, 160, qed_f32s);
QED_AT(qed_loss, grad_entropy, 176, qed_f32s_out);
QED_AT(qed_loss, grad_value, 192, qed_f32s_out);
QED_AT(qed_loss, value_loss, 208, double);

QED_ASSERT(sizeof(qed_algorithm) == 64, "qed_algorithm has another size");
QED_AT(qed_algorithm, object, 0, qed_object);
QED_AT(qed_algorithm, needs, 32, uint64_t (*)(const void *));
QED_AT(qed_algorithm, advantage, 40, int32_t (*)(const void *, qed_call *, const qed_batch *, qed_advantage *));
QED_AT(qed_algorithm, loss, 48, int32_t (*)(const void *, qed_call *, qed_loss *));
QED_AT(qed_algorithm, prepare, 56, int32_t (*)(const void *, qed_call *, const qed_update *, qed_writer *));

QED_ASSERT(sizeof(qed_op) == 56, "qed_op has another size");
QED_AT(qed_op, op, 0, uint32_t);
QED_AT(qed_op, reserved, 4, uint32_t);
QED_AT(qed_op, f, 8, float [4]);
QED_AT(qed_op, ids, 24, qed_i32s);
QED_AT(qed_op, values, 40, qed_f32s);

QED_ASSERT(sizeof(qed_request) == 48, "qed_request has another size");
QED_AT(qed_request, size, 0, uint32_t);
QED_AT(qed_request, stage, 4, uint32_t);
QED_AT(qed_request, step, 8, uint64_t);
QED_AT(qed_request, num_steps, 16, uint64_t);
QED_AT(qed_request, index, 24, uint64_t);
QED_AT(qed_request, group_size, 32, uint64_t);
QED_AT(qed_request, vocab_size, 40, uint64_t);

QED_ASSERT(sizeof(qed_mask_row) == 64, "qed_mask_row has another size");
QED_AT(qed_mask_row, size, 0, uint32_t);
QED_AT(qed_mask_row, reserved, 4, uint32_t);
QED_AT(qed_mask_row, request, 8, uint64_t);
QED_AT(qed_mask_row, prompt, 16, qed_str);
QED_AT(qed_mask_row, tokens, 32, qed_i32s);
QED_AT(qed_mask_row, allowed, 48, qed_bytes_out);

QED_ASSERT(sizeof(qed_plan) == 24, "qed_plan has another size");
QED_AT(qed_plan, size, 0, uint32_t);
QED_AT(qed_plan, reserved, 4, uint32_t);
QED_AT(qed_plan, host, 8, void *);
QED_AT(qed_plan, add, 16, int32_t (*)(struct qed_plan *, const qed_op *));

QED_ASSERT(sizeof(qed_sampler) == 48, "qed_sampler has another size");
QED_AT(qed_sampler, object, 0, qed_object);
QED_AT(qed_sampler, plan, 32, int32_t (*)(const void *, qed_call *, const qed_request *, qed_plan *));
QED_AT(qed_sampler, mask, 40, int32_t (*)(const void *, qed_call *, qed_mask_row *const *, uint64_t));

QED_ASSERT(sizeof(qed_note) == 28, "qed_note has another size");
QED_AT(qed_note, namesz, 0, uint32_t);
QED_AT(qed_note, descsz, 4, uint32_t);
QED_AT(qed_note, type, 8, uint32_t);
QED_AT(qed_note, name, 12, char [4]);
QED_AT(qed_note, epoch, 16, uint32_t);
QED_AT(qed_note, built_level, 20, uint32_t);
QED_AT(qed_note, need_level, 24, uint32_t);

