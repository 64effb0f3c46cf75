/* A sampler in C, without the SDK's C++: temperature 0.5, for every request. With STATE it says
   that it keeps a state. */

#include "qed/abi.h"

#include <string.h>

#define STR(literal) \
  { literal, sizeof(literal) - 1 }

static int32_t create(const qed_host* host, qed_call* call, qed_str options, void** self) {
  static const char refusal[] = "options must be {}";
  (void)host;
  *self = NULL; /* nothing to keep */
  if (options.n == 2) return QED_OK;
  memcpy(call->err->msg, refusal, sizeof refusal - 1);
  call->err->msg_len = sizeof refusal - 1;
  return QED_INVALID;
}

static void destroy(void* self) { (void)self; }

static int32_t plan(const void* self, qed_call* call, const qed_request* request, qed_plan* out) {
  const qed_op op = {QED_OP_TEMPERATURE, 0, {0.5f, 0, 0, 0}, {NULL, 0}, {NULL, 0}};
  (void)self, (void)call, (void)request;
  return out->add(out, &op) == 0 ? QED_OK : QED_UNSUPPORTED;
}

#ifdef STATE
#define NAME "plain_state"
static const void* get_extension(const void* self, qed_str id) {
  static const qed_state state = {sizeof(qed_state), 0, NULL, NULL};
  (void)self;
  return id.n == 11 && memcmp(id.p, "qed.state/1", 11) == 0 ? &state : NULL;
}
#else
#define NAME "plain_c"
#define get_extension NULL
#endif

static const qed_sampler table = {
    {sizeof(qed_sampler), 0, create, destroy, get_extension}, plan, NULL};
static const qed_component component = {sizeof(qed_component),
                                        QED_CONCURRENT,
                                        STR("qed.sampler/1"),
                                        STR("dev.qed.test." NAME),
                                        STR(NAME),
                                        STR("1.0.0"),
                                        STR("a sampler in C"),
                                        NULL,
                                        0,
                                        &table};
static const qed_component* const components[] = {&component};
static const qed_plugin plugin = {sizeof(qed_plugin), QED_EPOCH,           QED_LEVEL,
                                  QED_LEVEL,          STR("dev.qed.test"), STR("1.0.0"),
                                  STR("Apache-2.0"),  components,          1};

__attribute__((section(".note.qed"), used, aligned(4))) static const qed_note note = {
    4, 12, 1, "qed", QED_EPOCH, QED_LEVEL, QED_LEVEL};

const qed_plugin* qed_entry_1(const qed_host* host, qed_err* err) {
  (void)host, (void)err;
  return &plugin;
}
