/* A sampler: temperature, and a mask that allows every second token. */

#include "zoo.h"

static int32_t add(qed_plan* out, uint32_t op, float value) {
  const qed_op record = {op, 0, {value, 0, 0, 0}, {NULL, 0}, {NULL, 0}};
  return out->add(out, &record) == 0 || HAS("ignores_refused_op") ? QED_OK : QED_UNSUPPORTED;
}

static int32_t plan(const void* self, qed_call* call, const qed_request* request, qed_plan* out) {
  static const int32_t kIds[] = {299};
  Object* object = (Object*)self;
  float temperature = (float)object->scale;
  const qed_op ban = {QED_OP_BAN, 0, {0, 0, 0, 0}, {kIds, 1}, {NULL, 0}};
  (void)call;
  if (HAS("divides_by_steps")) temperature = (float)request->step / (float)request->num_steps;
  if (HAS("state") && ++object->calls > 150) temperature += 0.25f;
  if (HAS("ban_outside") && out->add(out, &ban) != 0) return QED_UNSUPPORTED;
  if (HAS("top_p")) add(out, QED_OP_TOP_P, 1.5f);
  if (HAS("top_k_zero")) add(out, QED_OP_TOP_K, 0);
  if (HAS("unknown_op")) add(out, 99, 0);
  for (int i = 0; HAS("many_ops") && i < 20; ++i) add(out, QED_OP_TOP_K, 5);
  return add(out, QED_OP_TEMPERATURE, temperature);
}

static int32_t mask(const void* self, qed_call* call, qed_mask_row* const* rows, uint64_t n) {
  (void)self, (void)call;
  for (uint64_t i = 0; i < n; ++i) {
    const int is_first = HAS("mask_neighbours") && i == 0;
    const int byte = HAS("mask_nothing") && rows[i]->tokens.n > 5 ? 0 : is_first ? 0xAA : 0x55;
    memset(rows[i]->allowed.p, byte, rows[i]->allowed.n);
    if (HAS("mask_past_span")) rows[i]->allowed.p[rows[i]->allowed.n] = 0;
  }
  return QED_OK;
}

static const qed_sampler kTable = {OBJECT(qed_sampler), &plan, &mask};

PLUGIN("qed.sampler/1", HAS("state") ? ALL_FLAGS & ~QED_CONCURRENT : ALL_FLAGS, kTable)
