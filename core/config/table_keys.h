#pragma once

// Every key of every table of the engine's own, once: name, member, range, unit, help. A visitor is
// called as v(name, member, OptionSpec) for each. Part of run_config.cpp, and of nothing else.

#include "core/config/option.h"
#include "core/config/run_config.h"

namespace qed {

template <class Visitor>
void visit(Visitor& v, RunTable& t) {
  v("name", t.name, {.help = "names the run folder; by default the run file's name"});
  v("seed", t.seed, {.min = 0, .help = "of every random number of the run"});
  v("device", t.device, {.choices = {"auto", "cpu", "cuda"}, .help = "where tensors live"});
  v("numerics", t.numerics,
    {.choices = {"fast", "exact"},
     .help = "exact: log-probs of rollout and training are equal, as always on the cpu"});
  v("threads", t.threads, {.min = 0, .max = 4096, .help = "0: one per core"});
  v("log_tokens", t.log_tokens, {.help = "rl: token ids and log-probs in samples.jsonl"});
}

template <class Visitor>
void visit(Visitor& v, ModelTable& t) {
  v("path", t.path, {.help = "a Hugging Face folder to start from"});
  v("config", t.config,
    {.help = "config.json of a model made from nothing, its tokenizer beside it"});
  v("chat_template", t.chat_template,
    {.help = "Jinja file that turns messages into text; by default the model folder's"});
  v("dtype", t.dtype,
    {.choices = {"float32", "bfloat16"},
     .help = "of the weights that generate; training keeps float32 too"});
}

template <class Visitor>
void visit(Visitor& v, RolloutTable& t) {
  v("prompts", t.prompts, {.min = 1, .help = "prompts per step"});
  v("group_size", t.group_size, {.min = 1, .help = "completions per prompt"});
  v("max_new_tokens", t.max_new_tokens,
    {.min = 1, .unit = "tokens", .help = "a completion ends here"});
  v("max_batch", t.max_batch,
    {.min = 1, .unit = "sequences", .help = "generated at a time; changes no result"});
  v("max_support", t.max_support,
    {.min = 1, .unit = "ids", .help = "kept per token where the sampler truncates"});
  v("max_failure_frac", t.max_failure_frac,
    {.min = 0, .max = 1, .help = "of a step's completions that may fail to be scored"});
  v("verify_timeout_s", t.verify_timeout_s,
    {.min = 0.001, .unit = "s", .help = "a call that scores completions has so long"});
  v("refill", t.refill,
    {.min = 0, .unit = "rounds", .help = "more prompts for groups of equal rewards; 0: keep them"});
  v("keep_groups", t.keep_groups,
    {.min = 0, .help = "train on those whose rewards vary most; 0: on all"});
  v("truncated", t.truncated,
    {.choices = {"keep", "mask", "zero"},
     .help = "a completion cut at max_new_tokens: as scored, left out, or worth 0"});
}

template <class Visitor>
void visit(Visitor& v, TrainTable& t) {
  v("batch_size", t.batch_size, {.min = 1, .help = "sft: demonstrations per update"});
  v("mini_batches", t.mini_batches, {.min = 1, .help = "rl: updates per epoch"});
  v("epochs", t.epochs, {.min = 1, .help = "rl: passes over a step's completions"});
  v("micro_tokens", t.micro_tokens,
    {.min = 1, .unit = "tokens", .help = "per forward and backward; bounds memory"});
  v("checkpointing", t.checkpointing,
    {.help = "compute layers again in the backward: less memory, a third more arithmetic"});
  v("lr", t.lr, {.min = 0, .help = "learning rate at its highest"});
  v("schedule", t.schedule,
    {.choices = {"constant", "linear", "cosine"}, .help = "of lr after the warm-up"});
  v("min_lr_frac", t.min_lr_frac,
    {.min = 0, .max = 1, .help = "linear, cosine: where it ends, as a part of lr"});
  v("warmup", t.warmup, {.min = 0, .unit = "steps", .help = "lr rises linearly for so long"});
  v("betas", t.betas,
    {.min = 0, .max = 1, .is_max_open = true, .help = "AdamW: decay of the two moments"});
  v("eps", t.eps, {.min = 0, .is_min_open = true, .help = "AdamW: added to the denominator"});
  v("weight_decay", t.weight_decay, {.min = 0, .help = "AdamW: decoupled"});
  v("clip_norm", t.clip_norm, {.min = 0, .help = "largest norm of the gradient; 0: any"});
  v("aggregation", t.aggregation,
    {.choices = {"token-mean", "seq-mean-token-mean", "seq-mean-token-sum", "constant"},
     .help = "rl: how the losses of an update's tokens are averaged"});
  v("aggregation_length", t.aggregation_length,
    {.min = 0,
     .unit = "tokens",
     .help = "constant: what divides a sum; 0: rollout.max_new_tokens"});
  v("entropy_coef", t.entropy_coef, {.min = 0, .help = "rl: of the entropy bonus"});
  v("nll_coef", t.nll_coef,
    {.min = 0, .help = "rl: of the mean -logp of completions with reward > 0"});
}

template <class Visitor>
void visit(Visitor& v, KlTable& t) {
  v("coef", t.coef, {.min = 0, .help = "0: no KL, and no reference in memory"});
  v("estimator", t.estimator,
    {.choices = {"k1", "k2", "k3", "k3+"}, .help = "k3+: the value of k3, the gradient of k2"});
  v("place", t.place, {.choices = {"loss", "reward"}, .help = "where it is added"});
  v("target", t.target,
    {.min = 0, .unit = "nats", .help = "coef adapts to hold the KL here; 0: it is fixed"});
  v("horizon", t.horizon,
    {.min = 0, .is_min_open = true, .unit = "completions", .help = "over which coef adapts"});
  v("sync_every", t.sync_every,
    {.min = 0, .unit = "steps", .help = "then the reference becomes the policy; 0: never"});
}

template <class Visitor>
void visit(Visitor& v, CriticTable& t) {
  v("path", t.path, {.help = "a Hugging Face folder that it begins with; by default the policy"});
  v("lr", t.lr, {.min = 0, .help = "learning rate, on the schedule of [train]"});
  v("warmup", t.warmup,
    {.min = 0, .unit = "steps", .help = "in which the critic alone learns, at the stage's start"});
}

template <class Visitor>
void visit(Visitor& v, MismatchTable& t) {
  v("token_tis", t.token_tis, {.min = 0, .help = "largest importance weight of a token; 0: off"});
  v("sequence_tis", t.sequence_tis,
    {.min = 0, .help = "largest importance weight of a sequence; 0: off"});
  v("icepop", t.icepop,
    {.min = 0, .help = "tokens whose weight is outside are left out; [0, 0]: off"});
  v("sequence_mask", t.sequence_mask,
    {.min = 0, .help = "sequences whose mean weight is outside are left out; [0, 0]: off"});
}

template <class Visitor>
void visit(Visitor& v, EvalTable& t) {
  v("every", t.every, {.min = 0, .unit = "steps", .help = "0: never"});
  v("items", t.items, {.min = 1, .help = "held-out items"});
  v("samples", t.samples, {.min = 1, .help = "completions per item, at temperatures above 0"});
  v("temperatures", t.temperatures, {.min = 0, .help = "the first is the core metric; 0: greedy"});
  v("top_p", t.top_p,
    {.min = 0,
     .max = 1,
     .is_min_open = true,
     .help = "only the likeliest tokens with this mass; 1: all"});
}

template <class Visitor>
void visit(Visitor& v, CheckpointTable& t) {
  v("every", t.every, {.min = 0, .unit = "steps", .help = "0: at the end of each stage only"});
  v("keep", t.keep, {.min = 1, .help = "the newest; older ones are deleted"});
  v("keep_best", t.keep_best, {.min = 0, .help = "the best by evaluation, kept beside the newest"});
}

}  // namespace qed
