/* An algorithm: reward minus the mean of the group, and the plain policy gradient of the ratio. */

#include "zoo.h"

static uint64_t needs(const void* self) { return (void)self, 0; }

/* The mean reward of the group of sequence b. */
static double mean_of(const qed_batch* batch, uint64_t b) {
  double sum = 0, n = 0;
  for (uint64_t i = 0; i < batch->group.n; ++i) {
    if (batch->group.p[i] != batch->group.p[b]) continue;
    if (batch->valid.p[i] == 0 && !HAS("counts_invalid")) continue;
    sum += batch->reward.p[i], ++n;
  }
  return n == 0 ? 0 : sum / n;
}

/* The largest difference of two rewards. */
static double range_of(const qed_batch* batch) {
  double low = INFINITY, high = -INFINITY;
  for (uint64_t b = 0; b < batch->group.n; ++b) {
    if (batch->valid.p[b] == 0) continue;
    low = fmin(low, batch->reward.p[b]);
    high = fmax(high, batch->reward.p[b]);
  }
  return high - low;
}

static double faulty(const qed_batch* batch, uint64_t b, double adv) {
  if (HAS("first_of_group") && (b == 0 || batch->group.p[b - 1] != batch->group.p[b])) adv += 1;
  if (HAS("group_position")) adv += 0.1 * (double)(b < 4);
  if (HAS("length")) adv /= (double)(batch->offset.p[b + 1] - batch->offset.p[b] + 1);
  if (HAS("divides_by_zero")) adv /= range_of(batch);
  return adv;
}

static int32_t advantage(const void* self, qed_call* call, const qed_batch* batch,
                         qed_advantage* out) {
  Object* object = (Object*)self;
  uint64_t hash = mix(14695981039346656037u, batch->reward.p, 4 * batch->reward.n);
  hash = mix(hash, batch->offset.p, 8 * batch->offset.n);
  for (uint64_t b = 0; b < batch->group.n; ++b) {
    double adv = faulty(batch, b, batch->reward.p[b] - mean_of(batch, b)) * object->scale;
    if (batch->valid.p[b] == 0) continue;
    if (!isfinite(adv) && !HAS("divides_by_zero") && !HAS("nan_reward")) {
      return refuse(call, QED_DATA, "a reward is not finite");
    }
    if (HAS("state") && hash == object->last) adv += 1;
    for (uint64_t t = batch->offset.p[b]; t < batch->offset.p[b + 1]; ++t) {
      if (batch->mask.p[t] != 0 || HAS("off_mask")) out->adv.p[t] = (float)adv;
    }
  }
  if (HAS("keep")) out->keep.p[0] = 7;
  if (HAS("state")) object->last = hash;
  return QED_OK;
}

static int32_t loss(const void* self, qed_call* call, qed_loss* args) {
  double total = 0;
  (void)self, (void)call;
  for (uint64_t t = 0; t < args->logp.n; ++t) {
    double r = exp((double)args->logp.p[t] - args->batch->old_logp.p[t]);
    double w = args->weight.p[t], a = args->adv.p[t];
    double extra = HAS("zero_advantage") ? 0.01 * w : 0;
    if (HAS("overflows") && r > 1e10) r = INFINITY;
    if (HAS("weight_squared")) w *= w;
    if (HAS("own_mean")) w /= (double)args->logp.n;
    total += -w * a * (HAS("clipped_gradient") ? fmin(r, 1.2) : r) + extra * args->logp.p[t];
    args->grad_logp.p[t] = (float)(-w * a * r + extra);
    if (HAS("gradient_sign")) args->grad_logp.p[t] *= -1;
    if (HAS("wrong_gradient") && a < 0) args->grad_logp.p[t] *= 2;
    if (HAS("masked_gradient") && w == 0) args->grad_logp.p[t] = 1e-5f;
  }
  if (HAS("writes_past_span")) args->grad_logp.p[args->grad_logp.n] = 0;
  args->loss = total;
  return QED_OK;
}

static const qed_algorithm kTable = {OBJECT(qed_algorithm), &needs, &advantage, &loss, NULL};

PLUGIN("qed.algorithm/1", HAS("state") ? ALL_FLAGS & ~QED_CONCURRENT : ALL_FLAGS, kTable)
