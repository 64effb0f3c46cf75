#ifndef QED_ABI_H_
#define QED_ABI_H_

/* The C ABI between qed and its plugins.

   Rules. Every input is a span of host memory, borrowed until the call returns. Every output goes
   into memory that the host sized, or through a host callback that copies. Nothing is freed by the
   other side and no exception crosses. So one .so can run in the engine or in a worker process.

   FROZEN types are embedded, passed by value and put in arrays; they never change.
   GROWABLE types begin with `size` (bytes that the writer knew), travel by pointer, and grow only
   at their end; a member that lies outside `size`, or is 0, means "absent: behave as before".

   Every function pointer carries one thread tag:
     [main]    one engine thread; never overlaps another [main] call of the plugin
     [any]     any host thread; overlaps on one object only if the component sets QED_CONCURRENT
     [handle]  any host thread; at most one call per episode at a time
     [caller]  a host callback: only inside the plugin call that received it, on its thread
   Entropy comes from qed_call.seed, never from clocks or devices. A plugin starts no threads that
   outlive destroy, installs no signal handlers, never forks, exits or writes to stdout, and leaves
   locale, working directory, environment and floating-point mode as they are.

   Growing. What is released never changes: no name, type, order, constant, owner, thread tag or
   meaning. A struct or vtable grows at its end, inside #if QED_TARGET_LEVEL >= N; a new mandatory
   function or a changed signature is a new id ("qed.task/2"), and the host serves both. Codes from
   plugin to host may be appended; a plugin meets unknown codes from the host with a default branch.
   `built_level` is diagnostic; `need_level` is the gate.

   Valid in C99 and later and in C++11 and later; 64-bit little-endian only. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QED_EPOCH 1u /* incompatible generation; also in the name of qed_entry_1 */
#define QED_LEVEL 1u /* +1 for each release that appends a member or an id */

/* The level that a plugin is written for; declarations of later levels are hidden from it. */
#ifndef QED_TARGET_LEVEL
#define QED_TARGET_LEVEL QED_LEVEL
#endif

#define QED_EXPORT __attribute__((visibility("default")))

/* True when the optional member of a growable struct or vtable, which begins with its size, is
   there and not null. */
#define QED_HAS(T, p, member)                                                          \
  (offsetof(T, member) + sizeof((p)->member) <= *(const uint32_t*)(const void*)(p) && \
   (p)->member != 0)

/* ---- FROZEN: spans. p == 0 means absent (not: filled with zeros). */

typedef struct qed_str { const char* p; uint64_t n; } qed_str;          /* UTF-8, no final NUL */
typedef struct qed_strs { const qed_str* p; uint64_t n; } qed_strs;
typedef struct qed_bytes { const uint8_t* p; uint64_t n; } qed_bytes;
typedef struct qed_i32s { const int32_t* p; uint64_t n; } qed_i32s;
typedef struct qed_u64s { const uint64_t* p; uint64_t n; } qed_u64s;
typedef struct qed_f32s { const float* p; uint64_t n; } qed_f32s;
typedef struct qed_bytes_out { uint8_t* p; uint64_t n; } qed_bytes_out; /* written by the plugin */
typedef struct qed_f32s_out { float* p; uint64_t n; } qed_f32s_out;     /* written by the plugin */

/* ---- Status codes: plugin to host, may be appended. */

#define QED_OK 0
#define QED_PENDING 1     /* not scored yet: the host asks again */
#define QED_INVALID 2     /* an argument or an option is wrong */
#define QED_UNSUPPORTED 3 /* the plugin does not offer this */
#define QED_DEADLINE 4    /* qed_call.deadline_ns has passed */
#define QED_CANCELLED 5   /* *qed_call.cancel was not 0 */
#define QED_RESOURCE 6    /* a retry may help */
#define QED_DATA 7        /* this item is bad */
#define QED_INTERNAL 8    /* anything else */
#define QED_DEAD 9        /* the host's own: the worker process ended during the call */

/* ---- GROWABLE: what every call carries. */

/* Where a failing call puts its reason. `msg` is host memory of msg_cap bytes; the plugin writes at
   most msg_cap bytes of UTF-8 and sets msg_len. */
typedef struct qed_err {
  uint32_t size;
  int32_t code;
  char* msg;
  uint64_t msg_cap;
  uint64_t msg_len;
} qed_err;

/* One call. Owned by the host, valid until the call returns. */
typedef struct qed_call {
  uint32_t size;
  uint32_t flags;                  /* 0 */
  uint64_t seed;                   /* the only source of entropy of the call */
  uint64_t deadline_ns;            /* CLOCK_MONOTONIC; 0: none */
  const volatile uint32_t* cancel; /* poll every 10 ms in long calls; null: never cancelled */
  qed_err* err;                    /* never null */
} qed_call;

/* A sink for bytes. `append` copies before it returns; not 0: the host refuses more, stop. */
typedef struct qed_writer {
  uint32_t size;
  uint32_t flags; /* 0 */
  void* host;     /* the host's; leave alone */
  int32_t (*append)(struct qed_writer* self, const uint8_t* data, uint64_t n); /* [caller] */
} qed_writer;

/* A sink for named numbers; the host reports sum over all calls / count over all calls. */
typedef struct qed_metrics {
  uint32_t size;
  uint32_t flags; /* 0 */
  void* host;     /* the host's; leave alone */
  void (*add)(struct qed_metrics* self, qed_str name, double sum, double count); /* [caller] */
} qed_metrics;

/* The host, as a plugin sees it. Outlives every plugin. */
typedef struct qed_host {
  uint32_t size;
  uint32_t epoch;
  uint32_t level;     /* what this host provides */
  uint32_t min_level; /* the oldest built level that it still loads */
  qed_str name;
  qed_str version;
  void* host; /* the host's; leave alone */
  /* Writes a line to the run's log. severity: 0 debug, 1 info, 2 warning, 3 error. */
  void (*log)(const struct qed_host* self, int32_t severity, qed_str message); /* [any] */
  /* A service by id, for example "qed.host.dataset/1"; null when this host has none. */
  const void* (*get_extension)(const struct qed_host* self, qed_str id); /* [any] */
} qed_host;

/* ---- GROWABLE: what a plugin declares. Static data, valid until the process ends. */

#define QED_OPTION_BOOL 1u
#define QED_OPTION_INT 2u    /* int64 */
#define QED_OPTION_FLOAT 3u  /* double */
#define QED_OPTION_STRING 4u /* UTF-8; one of `choices` where there are any */

#define QED_OPTION_HAS_MIN 1u
#define QED_OPTION_HAS_MAX 2u
#define QED_OPTION_REQUIRED 4u /* no default: the run file must give it */

typedef struct qed_option {
  uint32_t size;
  uint32_t type;  /* QED_OPTION_<type> */
  uint32_t flags; /* QED_OPTION_HAS_MIN ... */
  uint32_t reserved;
  qed_str name;
  qed_str default_json; /* a JSON scalar; absent for a required option */
  double min;           /* inclusive; numbers only */
  double max;           /* inclusive; numbers only */
  qed_strs choices;     /* strings only; absent: any string */
  qed_str unit;         /* absent: none */
  qed_str help;         /* one line */
} qed_option;

#define QED_CONCURRENT 1u      /* [any] calls may overlap on one object */
#define QED_DETERMINISTIC 2u   /* same arguments and seed, same bytes */
#define QED_BATCH_INVARIANT 4u /* a sample's result does not depend on its neighbours */
#define QED_WHOLE_GROUPS 8u    /* task, reward: batches hold whole groups, adjacent, in order */
#define QED_IDEMPOTENT 16u     /* the host may repeat a call whose worker process died */
#define QED_TOKEN_REWARDS 32u  /* reward: writes qed_term.tokens */

/* One component. `kind` is "qed.task/1", "qed.reward/1", "qed.algorithm/1" or "qed.sampler/1" and
   says what `vtable` points to. `id` is reverse DNS and kept for ever; `name` is the word used in a
   run file. */
typedef struct qed_component {
  uint32_t size;
  uint32_t flags; /* QED_CONCURRENT ... */
  qed_str kind;
  qed_str id;
  qed_str name;
  qed_str version;
  qed_str summary; /* one line */
  const qed_option* const* options;
  uint64_t num_options;
  const void* vtable;
} qed_component;

typedef struct qed_plugin {
  uint32_t size;
  uint32_t epoch;       /* QED_EPOCH of its header */
  uint32_t built_level; /* QED_LEVEL of its header; diagnostic */
  uint32_t need_level;  /* the lowest host level that it can work with; the gate */
  qed_str id;
  qed_str version;
  qed_str licence; /* SPDX */
  const qed_component* const* components;
  uint64_t num_components;
} qed_plugin;

/* FROZEN. Begins every vtable. `options` is a JSON object with every declared option, checked and
   with defaults filled in by the host. */
typedef struct qed_object {
  uint32_t size; /* of the whole vtable */
  uint32_t reserved;
  int32_t (*create)(const qed_host* host, qed_call* call, qed_str options,
                    void** self); /* [main] */
  void (*destroy)(void* self);    /* [main] */
  const void* (*get_extension)(const void* self, qed_str id);                            /* [any] */
} qed_object;

/* Extension "qed.state/1" of an object that must remember something between calls (a running
   baseline, a curriculum): its state is in every checkpoint. All other objects are pure functions
   of their options and arguments. */
typedef struct qed_state {
  uint32_t size;
  uint32_t reserved;
  int32_t (*save)(const void* self, qed_call* call, qed_writer* out);  /* [main] */
  int32_t (*restore)(void* self, qed_call* call, qed_bytes state);     /* [main] */
} qed_state;

/* ---- Services of the host, by id. Each may be absent. */

/* "qed.host.dataset/1": rows of a data file (jsonl, json array, csv, parquet). */
typedef struct qed_host_dataset {
  uint32_t size;
  uint32_t reserved;
  /* `path` is a file, or a key: the name without extension of a file below QED_DATA_PATH. `columns`
     absent: all. *data is the host's until close. */
  int32_t (*open)(const struct qed_host_dataset* self, qed_call* call, qed_str path,
                  qed_strs columns, void** data); /* [any] */
  int32_t (*count)(const struct qed_host_dataset* self, qed_call* call, const void* data,
                   uint64_t* n); /* [any] */
  /* Row `index` as one JSON object. */
  int32_t (*row)(const struct qed_host_dataset* self, qed_call* call, const void* data,
                 uint64_t index, qed_writer* json); /* [any] */
  /* Where a row stands, for messages: "rows.jsonl:17". */
  int32_t (*place)(const struct qed_host_dataset* self, qed_call* call, const void* data,
                   uint64_t index, qed_writer* out);                       /* [any] */
  void (*close)(const struct qed_host_dataset* self, void* data); /* [any] */
} qed_host_dataset;

/* "qed.host.threads/1": the host's thread pool. */
typedef struct qed_host_threads {
  uint32_t size;
  uint32_t reserved;
  /* Number of threads that parallel_for uses. */
  uint64_t (*count)(const struct qed_host_threads* self); /* [any] */
  /* Calls body(context, i) for every i < n, on any host thread, in any order; returns when all have
     returned. `body` must not throw. */
  void (*parallel_for)(const struct qed_host_threads* self, uint64_t n,
                       void (*body)(void* context, uint64_t i) /* [any] */,
                       void* context); /* [any] */
} qed_host_threads;

/* "qed.host.sandbox/1": runs programs that nobody trusts. Each run is a process of its own without
   network, that sees a read-only system and may write to its working folder and to /tmp alone; both
   are gone afterwards, with all that it started. */

/* A file of the working folder. */
typedef struct qed_sandbox_file {
  uint32_t size;
  uint32_t is_executable;
  qed_str name; /* letters, digits, '.', '_' and '-'; not "." or ".." */
  qed_bytes data;
} qed_sandbox_file;

/* What one run may use. 0: the host's default. */
typedef struct qed_sandbox_limits {
  uint32_t size;
  uint32_t processes;    /* at once, threads too */
  uint64_t cpu_ms;       /* of all its processes */
  uint64_t wall_ms;
  uint64_t memory_bytes; /* of all its processes */
  uint64_t disk_bytes;   /* of what it writes to files */
  uint64_t files;        /* that it makes */
  uint64_t output_bytes; /* of stdout, and of stderr */
} qed_sandbox_limits;

#define QED_JOB_STOP 1u /* after the first run that is not QED_RUN_OK the others are skipped */

/* A program and the runs of it. */
typedef struct qed_sandbox_job {
  uint32_t size;
  uint32_t flags; /* QED_JOB_STOP */
  const qed_sandbox_file* const* files;
  uint64_t num_files;
  qed_strs build;          /* words of the command that makes the program; absent: none */
  qed_strs products;       /* names of the files that `build` leaves for the runs */
  qed_strs command;        /* words of the command of each run */
  const qed_bytes* inputs; /* [num_runs] stdin of each */
  uint64_t num_runs;
  const qed_sandbox_limits* build_limits; /* null: defaults */
  const qed_sandbox_limits* run_limits;   /* null: defaults */
} qed_sandbox_job;

#define QED_RUN_OK 1u      /* it ended with exit code 0 */
#define QED_RUN_ERROR 2u   /* with another one, or by a signal */
#define QED_RUN_TIME 3u    /* more than cpu_ms or wall_ms */
#define QED_RUN_MEMORY 4u  /* more than memory_bytes */
#define QED_RUN_OUTPUT 5u  /* more than output_bytes, or a file of more than disk_bytes */
#define QED_RUN_SKIPPED 6u /* there is no build, or it failed, or the job has stopped */

/* How a run ended. */
typedef struct qed_sandbox_run {
  uint32_t size;
  uint32_t outcome;  /* QED_RUN_<outcome> */
  int32_t exit_code; /* -1: it ended by a signal, or was killed */
  int32_t signal;    /* 0: none */
  uint64_t cpu_us;
  uint64_t wall_us;
  uint64_t memory_bytes; /* most of one process */
  qed_writer* output;    /* stdout */
  qed_writer* errors;    /* stderr */
} qed_sandbox_run;

typedef struct qed_host_sandbox {
  uint32_t size;
  uint32_t reserved;
  /* QED_OK, or QED_UNSUPPORTED and why this machine cannot isolate a program. Without isolation
     nothing is run. */
  int32_t (*check)(const struct qed_host_sandbox* self, qed_call* call); /* [any] */
  /* Copies the job and returns before it has run. */
  int32_t (*submit)(const struct qed_host_sandbox* self, qed_call* call,
                    const qed_sandbox_job* job, uint64_t* ticket); /* [any] */
  /* QED_PENDING when the job has not ended after wait_ms, 0 for no wait. QED_OK: fills `build` and
     the first n of the runs, and forgets the ticket. Anything else is no result of the program and
     says nothing about it; it forgets the ticket too. */
  int32_t (*poll)(const struct qed_host_sandbox* self, qed_call* call, uint64_t ticket,
                  uint64_t wait_ms, qed_sandbox_run* build, qed_sandbox_run* const* runs,
                  uint64_t n); /* [any] */
  /* Ends the job and forgets the ticket. */
  void (*drop)(const struct qed_host_sandbox* self, uint64_t ticket); /* [any] */
} qed_host_sandbox;

/* ---- "qed.task/1": data, prompts, verifier, environments. */

/* One row of a task's data. `key` is a stable public id (equal questions share it); `blob` is the
   task's own bytes, handed back to render and verify: by custom one JSON object. */
typedef struct qed_item {
  uint32_t size;
  uint32_t reserved;
  qed_str key;
  qed_bytes blob;
} qed_item;

typedef struct qed_item_out {
  uint32_t size;
  uint32_t reserved;
  qed_writer* key;
  qed_writer* blob;
} qed_item_out;

/* A rendered prompt. The task writes `messages` (JSON array of {role, content}) or `text` (raw, for
   base models), not both; never token ids: the engine applies the model's own template. */
typedef struct qed_prompt_out {
  uint32_t size;
  uint32_t keep_special;   /* out: 1 = special tokens stay in the text that verify gets */
  qed_writer* messages;    /* JSON */
  qed_writer* text;        /* raw prompt */
  qed_writer* prefill;     /* start of the answer; nothing written: none */
  qed_writer* stop;        /* JSON array of strings; nothing written: none */
  uint64_t max_new_tokens; /* out: 0 = the run's */
} qed_prompt_out;

#define QED_FINISH_STOP 1u   /* an end token or a stop string */
#define QED_FINISH_LENGTH 2u /* the token budget ran out */
#define QED_FINISH_ABORT 3u  /* the engine gave up */

/* One completion to score. */
typedef struct qed_sample {
  uint32_t size;
  uint32_t finish; /* QED_FINISH_<reason> */
  const qed_item* item;
  qed_str prompt;  /* text that the model saw */
  qed_str prefill; /* absent: none */
  qed_str text;    /* completion, prefill not included; valid UTF-8 */
  qed_i32s tokens; /* completion, end token included */
  uint64_t group;  /* samples of one prompt share it */
  uint64_t index;  /* of the sample in its group */
  uint64_t max_new_tokens; /* the budget that the completion had; 0: not known */
  qed_u64s turns;  /* first token of each turn; absent: single-turn */
} qed_sample;

#define QED_VERDICT_NONE 0u
#define QED_VERDICT_RIGHT 1u
#define QED_VERDICT_WRONG 2u

/* The score of one completion. The host pre-fills status = QED_INTERNAL, reward = NaN and
   terms = NaN: a failure is never reward 0, and OK with NaN is a failure. */
typedef struct qed_score {
  uint32_t size;
  int32_t status;
  double reward;
  uint32_t verdict; /* QED_VERDICT_<v>; evaluation counts RIGHT */
  uint32_t reserved;
  qed_f32s_out terms; /* [num_terms] named parts of the reward, in the order of qed_task.terms */
  qed_writer* note;   /* why, for people; may stay empty */
} qed_score;

#define QED_GENERATIVE UINT64_MAX /* from count: every index is a seed */

/* What the model wrote in one turn of an episode. */
typedef struct qed_action {
  uint32_t size;
  uint32_t finish; /* QED_FINISH_<reason> */
  uint64_t turn;   /* from 0 */
  qed_str prefill; /* absent: none */
  qed_str text;    /* valid UTF-8 */
  qed_i32s tokens;
} qed_action;

/* What the environment answers. The host pre-fills status = QED_INTERNAL, reward = NaN, terms = NaN
   and 0 elsewhere. Text that the environment wrote is never trained on. */
typedef struct qed_observation {
  uint32_t size;
  int32_t status;        /* QED_PENDING: ask episode_poll */
  double reward;         /* of this turn; added to the episode's */
  uint32_t is_done;      /* 1: the episode is over */
  uint32_t is_truncated; /* 1: over because a budget ran out */
  uint32_t verdict;      /* QED_VERDICT_<v>; of the episode, when done */
  uint32_t reserved;
  qed_f32s_out terms;     /* [num_terms] of this turn; added */
  qed_writer* messages;   /* JSON array of {role, content} to append; nothing: none */
  qed_writer* prefill;    /* start of the next turn's text */
  qed_writer* note;       /* why, for people */
} qed_observation;

typedef struct qed_task {
  qed_object object;
  qed_strs splits; /* "train" first, then evaluation splits; static */
  qed_strs terms;  /* names of the reward's parts; static */
  /* Number of items of a split, or QED_GENERATIVE. */
  int32_t (*count)(const void* self, qed_call* call, qed_str split, uint64_t* n); /* [any] */
  /* Item `index` of a split: a pure function of its arguments and the options. */
  int32_t (*load)(const void* self, qed_call* call, qed_str split, uint64_t index,
                  qed_item_out* out); /* [any] */
  int32_t (*render)(const void* self, qed_call* call, const qed_item* item,
                    qed_prompt_out* out); /* [any] */
  /* Scores n completions. Returns QED_OK and puts outcomes into each status; any other return means
     that no score is valid. */
  int32_t (*verify)(const void* self, qed_call* call, const qed_sample* const* samples,
                    qed_score* const* scores, uint64_t n); /* [any] */
  /* Optional: a correct worked completion. `style` absent: the task's own mix, by call.seed. */
  int32_t (*demonstrate)(const void* self, qed_call* call, const qed_item* item, qed_str style,
                         qed_writer* out); /* [any] */
  /* Optional, all six or none: a multi-turn task. An episode lives from open or restore to close;
     a step after done is QED_INVALID. verify is not called for its samples. */
  int32_t (*episode_open)(const void* self, qed_call* call, const qed_item* item,
                          qed_observation* first, void** episode); /* [any] */
  int32_t (*episode_step)(const void* self, qed_call* call, void* const* episodes,
                          const qed_action* const* actions, qed_observation* const* out,
                          uint64_t n); /* [handle] */
  int32_t (*episode_poll)(const void* self, qed_call* call, void* const* episodes,
                          qed_observation* const* out, uint64_t n); /* [handle] */
  int32_t (*episode_save)(const void* self, qed_call* call, const void* episode,
                          qed_writer* out); /* [handle] */
  int32_t (*episode_restore)(const void* self, qed_call* call, const qed_item* item,
                             qed_bytes state, void** episode);         /* [any] */
  void (*episode_close)(const void* self, void* episode);              /* [handle] */
} qed_task;

/* ---- "qed.reward/1": a term that any task can add to its reward. */

/* One completion with what the task said of it. */
typedef struct qed_scored {
  uint32_t size;
  uint32_t verdict;         /* QED_VERDICT_<v> by the task */
  const qed_sample* sample;
  double reward;            /* by the task */
  qed_strs term_names;      /* the task's terms */
  qed_f32s terms;           /* their values; same length */
} qed_scored;

/* The value of the term for one completion. The host pre-fills status = QED_INTERNAL, value = NaN,
   applies = 1 and tokens = 0. */
typedef struct qed_term {
  uint32_t size;
  int32_t status;
  double value;        /* per sequence; OK with NaN is a failure */
  uint32_t applies;    /* 0: the term has nothing to say here and is left out of the sum */
  uint32_t reserved;
  qed_f32s_out tokens; /* [tokens of the sample] a reward per token; absent without
                          QED_TOKEN_REWARDS */
  qed_writer* note;    /* why, for people; may stay empty */
} qed_term;

typedef struct qed_reward {
  qed_object object;
  /* Scores n completions, all of which the task could score. With QED_WHOLE_GROUPS the batch holds
     whole groups. Returns as qed_task.verify does. */
  int32_t (*score)(const void* self, qed_call* call, const qed_scored* const* samples,
                   qed_term* const* terms, uint64_t n); /* [any] */
} qed_reward;

/* ---- "qed.algorithm/1": one advantage estimator and one policy loss. */

#define QED_STREAM_HAS_GAMMA 1u

/* Rewards per token from one source (a reward term, KL), with a discount of its own. */
typedef struct qed_stream {
  uint32_t size;
  uint32_t flags; /* QED_STREAM_HAS_GAMMA */
  qed_str name;
  double gamma;    /* without the flag: the algorithm's own */
  qed_f32s reward; /* [T] weight already applied; 0 off mask */
} qed_stream;

/* Finished completions on a flat token axis. B sequences, T tokens. Order: (group, sample). Spans
   are float32; compute in double. Absent spans were not asked for in `needs`. */
typedef struct qed_batch {
  uint32_t size;
  uint32_t reserved;
  uint64_t step;           /* of the stage, from 1 */
  qed_u64s offset;         /* [B+1] tokens of sequence b: offset[b] .. offset[b+1] */
  qed_u64s group;          /* [B]   equal ids share a prompt; equal ids are adjacent */
  qed_f32s reward;         /* [B]   0 where valid is 0 */
  qed_bytes valid;         /* [B]   0: scoring failed; leave it out of statistics and loss */
  qed_bytes mask;          /* [T]   1: the model wrote it; 0: the environment did */
  qed_f32s behavior_logp;  /* [T]   of the distribution really sampled from */
  qed_f32s old_logp;       /* [T]   of the policy before the step's first update */
  qed_f32s ref_logp;       /* [T]   needs QED_NEEDS_REF */
  qed_f32s value;          /* [T]   critic before the first update; needs QED_NEEDS_VALUE */
  qed_bytes finish;        /* [B]   QED_FINISH_<reason> */
  qed_i32s turn;           /* [T]   from 0; absent: single-turn */
  qed_u64s staleness;      /* [B]   steps since the weights it was drawn with; absent: 0 */
  qed_f32s baseline;       /* [B]   reward of the group's greedy completion; needs
                                    QED_NEEDS_BASELINE */
  const qed_stream* const* streams; /* rewards per token; not contained in `reward` */
  uint64_t num_streams;
} qed_batch;

/* What `advantage` writes. The host pre-fills adv with 0 and keep with 1. */
typedef struct qed_advantage {
  uint32_t size;
  uint32_t reserved;
  qed_f32s_out adv;   /* [T] 0 off mask */
  qed_f32s_out ret;   /* [T] value targets; absent without QED_NEEDS_VALUE */
  qed_bytes_out keep; /* [B] 0: drop the sequence from the update */
  qed_metrics* metrics; /* never null */
} qed_advantage;

/* What `prepare` sees: the whole of one update. */
typedef struct qed_update {
  uint32_t size;
  uint32_t reserved;
  const qed_batch* batch; /* all sequences of the update, over all ranks */
  qed_f32s adv;           /* [T] */
  qed_f32s ret;           /* [T] absent without values */
  qed_f32s weight;        /* [T] as in qed_loss */
  qed_f32s logp;          /* [T] policy now; needs QED_NEEDS_UPDATE_LOGP, a forward pass more */
  qed_metrics* metrics;   /* never null */
} qed_update;

/* What `loss` sees of the model, and where its gradient goes: L = sum over t of weight[t] f(t). */
typedef struct qed_loss {
  uint32_t size;
  uint32_t reserved;
  const qed_batch* batch; /* the sequences of this micro-batch, never split */
  qed_f32s adv;           /* [T] */
  qed_f32s ret;           /* [T] absent without values */
  qed_f32s logp;          /* [T] policy now */
  qed_f32s weight;        /* [T] aggregation weight over the whole update; 0 off mask */
  qed_f32s_out grad_logp; /* [T] out: dL/dlogp, pre-filled with 0 */
  double loss;            /* out: L of the policy */
  qed_metrics* metrics;   /* never null */
  qed_bytes prepared;     /* what `prepare` wrote for this update; absent without it */
  qed_u64s token;         /* [B] place of each sequence's first token in the update that `prepare`
                                 saw */
  qed_f32s entropy;       /* [T] of the policy now; needs QED_NEEDS_ENTROPY */
  qed_f32s value;         /* [T] critic now; needs QED_NEEDS_VALUE */
  qed_f32s_out grad_entropy; /* [T] out: dL/dentropy, pre-filled with 0; absent as entropy */
  qed_f32s_out grad_value;   /* [T] out: dL_value/dvalue, pre-filled with 0; absent as value */
  double value_loss;         /* out: L of the critic, sum over t of weight[t] g(t) */
} qed_loss;

#define QED_NEEDS_REF 1u          /* ref_logp */
#define QED_NEEDS_VALUE 2u        /* a critic: value, ret, grad_value */
#define QED_NEEDS_ENTROPY 4u      /* entropy, grad_entropy */
#define QED_NEEDS_BASELINE 8u     /* one greedy completion more per group: baseline */
#define QED_NEEDS_UPDATE_LOGP 16u /* qed_update.logp */

typedef struct qed_algorithm {
  qed_object object;
  uint64_t (*needs)(const void* self); /* QED_NEEDS_<what>, or 0 [any] */
  /* Once per step, over the step's whole batch. */
  int32_t (*advantage)(const void* self, qed_call* call, const qed_batch* batch,
                       qed_advantage* out); /* [any] */
  /* Once per micro-batch of each update. Sequences whose advantages are all 0 may be left out: f
     must have gradient 0 where adv is 0. */
  int32_t (*loss)(const void* self, qed_call* call, qed_loss* args); /* [any] */
  /* Optional: once per update, before its first loss. What it writes goes to every loss call. */
  int32_t (*prepare)(const void* self, qed_call* call, const qed_update* update,
                     qed_writer* out); /* [any] */
} qed_algorithm;

/* ---- "qed.sampler/1": how a completion is drawn. */

#define QED_OP_TEMPERATURE 1u /* f[0] > 0 divides the logits; 0 is greedy */
#define QED_OP_TOP_K 2u       /* f[0] tokens with the largest logits stay; ties: the lower id */
#define QED_OP_TOP_P 3u       /* the fewest most likely tokens whose mass reaches f[0] stay */
#define QED_OP_MIN_P 4u       /* tokens at least f[0] times as likely as the likeliest stay */
#define QED_OP_REPETITION 5u  /* f[0] > 0 divides positive and multiplies negative logits of tokens
                                 in prompt or completion (Keskar et al. 2019) */
#define QED_OP_PRESENCE 6u    /* f[0] is taken from the logits of tokens in the completion */
#define QED_OP_FREQUENCY 7u   /* f[0] times its count is taken from the logit of a token in the
                                 completion */
#define QED_OP_LOGIT_BIAS 8u  /* values[i] is added to the logit of ids[i] */
#define QED_OP_BAN 9u         /* ids are never drawn */

/* FROZEN. One change to the distribution; ops apply in the order given. */
typedef struct qed_op {
  uint32_t op; /* QED_OP_<op> */
  uint32_t reserved;
  float f[4];
  qed_i32s ids;
  qed_f32s values;
} qed_op;

#define QED_STAGE_TRAIN 1u
#define QED_STAGE_EVAL 2u

typedef struct qed_request {
  uint32_t size;
  uint32_t stage;      /* QED_STAGE_<stage> */
  uint64_t step;       /* of the stage, from 1; evaluation: steps done */
  uint64_t num_steps;  /* of the stage */
  uint64_t index;      /* of the sample in its group */
  uint64_t group_size;
  uint64_t vocab_size;
} qed_request;

/* A row of `mask`: the state of one completion, and the tokens that it may go on with. */
typedef struct qed_mask_row {
  uint32_t size;
  uint32_t reserved;
  uint64_t request;      /* number of the completion in this stage and step */
  qed_str prompt;        /* text */
  qed_i32s tokens;       /* of the completion so far */
  qed_bytes_out allowed; /* [ceil(vocab_size / 8)] bit i & 7 of byte i >> 3 is token i; pre-filled
                            with 1; at least one bit stays 1 */
} qed_mask_row;

/* A sink for ops; `add` copies the op and its spans. Not 0: refused, stop. */
typedef struct qed_plan {
  uint32_t size;
  uint32_t reserved;
  void* host; /* the host's; leave alone */
  int32_t (*add)(struct qed_plan* self, const qed_op* op); /* [caller] */
} qed_plan;

typedef struct qed_sampler {
  qed_object object;
  /* Once per request. The draw, the random numbers and the recorded log-prob stay in the engine. */
  int32_t (*plan)(const void* self, qed_call* call, const qed_request* request,
                  qed_plan* out); /* [any] */
  /* Optional: constrains the next token of n completions, while the model computes its logits. */
  int32_t (*mask)(const void* self, qed_call* call, qed_mask_row* const* rows,
                  uint64_t n); /* [any] */
} qed_sampler;

/* ---- Entry. */

/* The one exported symbol. Returns static data, or null with a reason in err. May be called more
   than once. [main] */
typedef const qed_plugin* (*qed_entry_fn)(const qed_host* host, qed_err* err);
QED_EXPORT const qed_plugin* qed_entry_1(const qed_host* host, qed_err* err);

/* FROZEN. The ELF note that the host reads before dlopen: section ".note.qed", owner "qed", type 1,
   and as its description three uint32: epoch, built level, needed level. */
typedef struct qed_note {
  uint32_t namesz; /* 4 */
  uint32_t descsz; /* 12 */
  uint32_t type;   /* 1 */
  char name[4];    /* "qed" */
  uint32_t epoch;
  uint32_t built_level;
  uint32_t need_level;
} qed_note;

#ifdef __cplusplus
}
#endif

#endif /* QED_ABI_H_ */
