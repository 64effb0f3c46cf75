/* A reward term: the number of bytes of a completion, and one per token that is a letter. */

#include "zoo.h"

static int32_t score_one(Object* self, const qed_scored* in, qed_term* out, uint64_t i) {
  const qed_sample* s = in->sample;
  out->value = (double)s->text.n * self->scale;
  if (HAS("crashes") && s->text.n == 0) raise(SIGSEGV);
  if (HAS("nan_value") && s->index == 1) out->value = NAN;
  if (HAS("order") && i == 0) out->value += 1;
  if (HAS("applies") && s->index == 1) out->applies = 7;
  if (HAS("writes_past_span")) out->tokens.p[out->tokens.n] = 1;
  if (HAS("token_count") && s->tokens.n == 0) return QED_DATA;
  for (uint64_t t = 0; t < out->tokens.n; ++t) {
    out->tokens.p[t] = s->tokens.p[t] >= 'a' && s->tokens.p[t] <= 'z' ? 1 : 0;
  }
  return HAS("no_score") && s->index == 2 ? QED_INTERNAL : QED_OK;
}

static int32_t score(const void* self, qed_call* call, const qed_scored* const* samples,
                     qed_term* const* terms, uint64_t n) {
  Object* object = (Object*)self;
  (void)call;
  for (uint64_t i = 0; i < n; ++i) {
    terms[i]->status = score_one(object, samples[i], terms[i], i);
  }
  if (HAS("state") && n == object->last) terms[0]->value += 1;
  object->last = HAS("state") ? n : 0;
  return QED_OK;
}

static const qed_reward kTable = {OBJECT(qed_reward), &score};

PLUGIN("qed.reward/1",
       (HAS("state") ? ALL_FLAGS & ~QED_CONCURRENT & ~QED_BATCH_INVARIANT : ALL_FLAGS) |
           QED_TOKEN_REWARDS,
       kTable)
