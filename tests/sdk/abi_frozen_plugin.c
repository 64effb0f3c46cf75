/* A plugin in plain C with one component of each kind. tests/sdk/abi_frozen_test.py compiles it
   against the frozen header of every level and has today's qed load it. */

#include "qed/abi.h"

#include <string.h>

#define STR(literal) \
  { literal, sizeof(literal) - 1 }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void put(qed_writer* out, const char* text) {
  out->append(out, (const uint8_t*)text, strlen(text));
}

static int32_t fail(qed_call* call, int32_t code, const char* text) {
  call->err->code = code;
  call->err->msg_len = strlen(text) < call->err->msg_cap ? strlen(text) : call->err->msg_cap;
  memcpy(call->err->msg, text, call->err->msg_len);
  return code;
}

static int32_t create(const qed_host* host, qed_call* call, qed_str options, void** self) {
  static int nothing;
  (void)host, (void)call, (void)options;
  *self = &nothing;
  return QED_OK;
}
static void destroy(void* self) { (void)self; }
static const void* get_extension(const void* self, qed_str id) {
  (void)self, (void)id;
  return NULL;
}
#define OBJECT(T) \
  { sizeof(T), 0, create, destroy, get_extension }

/* A task of one item: say yes. */

static int32_t count(const void* self, qed_call* call, qed_str split, uint64_t* n) {
  (void)self, (void)call, (void)split;
  *n = 1;
  return QED_OK;
}
static int32_t load(const void* self, qed_call* call, qed_str split, uint64_t index,
                    qed_item_out* out) {
  (void)self, (void)split;
  if (index != 0) return fail(call, QED_INVALID, "there is one item only");
  put(out->key, "yes");
  put(out->blob, "{\"word\":\"yes\"}");
  return QED_OK;
}
static int32_t render(const void* self, qed_call* call, const qed_item* item, qed_prompt_out* out) {
  (void)self, (void)call, (void)item;
  put(out->text, "say yes: ");
  return QED_OK;
}
static int32_t verify(const void* self, qed_call* call, const qed_sample* const* samples,
                      qed_score* const* scores, uint64_t n) {
  uint64_t i;
  (void)self, (void)call;
  for (i = 0; i < n; ++i) {
    const qed_str text = samples[i]->text;
    const int is_right = text.n == 3 && memcmp(text.p, "yes", 3) == 0;
    scores[i]->status = QED_OK;
    scores[i]->reward = is_right;
    scores[i]->verdict = is_right ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG;
    if (scores[i]->terms.n > 0) scores[i]->terms.p[0] = (float)is_right;
  }
  return QED_OK;
}
static int32_t demonstrate(const void* self, qed_call* call, const qed_item* item, qed_str style,
                           qed_writer* out) {
  (void)self, (void)call, (void)item, (void)style;
  put(out, "yes");
  return QED_OK;
}

static const qed_str splits[] = {STR("train")};
static const qed_str terms[] = {STR("correct")};
static const qed_task task = {OBJECT(qed_task),
                              {splits, COUNT(splits)},
                              {terms, COUNT(terms)},
                              count,
                              load,
                              render,
                              verify,
                              demonstrate,
                              NULL,
                              NULL,
                              NULL,
                              NULL,
                              NULL,
                              NULL};

/* A reward of 1 for everything. */

static int32_t score(const void* self, qed_call* call, const qed_scored* const* samples,
                     qed_term* const* out, uint64_t n) {
  uint64_t i;
  (void)self, (void)call, (void)samples;
  for (i = 0; i < n; ++i) {
    out[i]->status = QED_OK;
    out[i]->value = 1;
  }
  return QED_OK;
}

static const qed_reward reward = {OBJECT(qed_reward), score};

/* REINFORCE without a baseline. */

static uint64_t needs(const void* self) {
  (void)self;
  return 0;
}
static int32_t advantage(const void* self, qed_call* call, const qed_batch* batch,
                         qed_advantage* out) {
  uint64_t b, t;
  (void)self, (void)call;
  for (b = 0; b < batch->reward.n; ++b) {
    for (t = batch->offset.p[b]; t < batch->offset.p[b + 1]; ++t) {
      out->adv.p[t] = batch->mask.p[t] ? batch->reward.p[b] : 0;
    }
  }
  return QED_OK;
}
static int32_t loss(const void* self, qed_call* call, qed_loss* args) {
  uint64_t t;
  (void)self, (void)call;
  args->loss = 0;
  for (t = 0; t < args->logp.n; ++t) {
    args->grad_logp.p[t] = -args->weight.p[t] * args->adv.p[t];
    args->loss += (double)args->grad_logp.p[t] * args->logp.p[t];
  }
  return QED_OK;
}

static const qed_algorithm algorithm = {OBJECT(qed_algorithm), needs, advantage, loss, NULL};

/* A temperature of 0.5. */

static int32_t plan(const void* self, qed_call* call, const qed_request* request, qed_plan* out) {
  const qed_op op = {QED_OP_TEMPERATURE, 0, {0.5f, 0, 0, 0}, {NULL, 0}, {NULL, 0}};
  (void)self, (void)request;
  return out->add(out, &op) == 0 ? QED_OK : fail(call, QED_UNSUPPORTED, "the op was refused");
}

static const qed_sampler sampler = {OBJECT(qed_sampler), plan, NULL};

#define COMPONENT(KIND)                                                                         \
  {                                                                                             \
    sizeof(qed_component), QED_CONCURRENT | QED_DETERMINISTIC | QED_BATCH_INVARIANT,            \
        STR("qed." #KIND "/1"), STR("dev.qed.test.frozen." #KIND), STR("frozen"), STR("1.0.0"), \
        STR("a " #KIND " in plain C"), NULL, 0, &KIND                                           \
  }

static const qed_component task_component = COMPONENT(task);
static const qed_component reward_component = COMPONENT(reward);
static const qed_component algorithm_component = COMPONENT(algorithm);
static const qed_component sampler_component = COMPONENT(sampler);
static const qed_component* const components[] = {&task_component, &reward_component,
                                                  &algorithm_component, &sampler_component};
static const qed_plugin plugin = {
    sizeof(qed_plugin), QED_EPOCH,         QED_LEVEL,  QED_LEVEL,        STR("dev.qed.test.frozen"),
    STR("1.0.0"),       STR("Apache-2.0"), components, COUNT(components)};

__attribute__((section(".note.qed"), used, aligned(4))) static const qed_note note = {
    4, 12, 1, "qed", QED_EPOCH, QED_LEVEL, QED_LEVEL};

const qed_plugin* qed_entry_1(const qed_host* host, qed_err* err) {
  (void)host, (void)err;
  return &plugin;
}
