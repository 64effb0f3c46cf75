/* A task: double a number. Items are {"n":7}, prompts "double 7", answers "14". */

#include "zoo.h"

static const char kOrdinary[] = "<answer></answer>"; /* among the checker's completions */
static volatile int scratch;
static volatile char sink;
static double strange; /* that changes from process to process */

static uint64_t items_of(qed_str split) {
  return is_text(split, "train") ? 100 : is_text(split, "test") ? 50 : 0;
}

/* The number of an item; -1: this is no item of the task. */
static int number_of(const qed_item* item) {
  char text[32] = {0};
  int n = -1, end = 0;
  if (item->blob.n >= sizeof text) return -1;
  memcpy(text, item->blob.p, item->blob.n);
  return sscanf(text, "{\"n\":%d}%n", &n, &end) == 1 && end == (int)item->blob.n ? n : -1;
}

static int32_t count(const void* self, qed_call* call, qed_str split, uint64_t* n) {
  *n = items_of(split);
  if (*n == 0) return refuse(call, QED_INVALID, "there is no such split");
  if (HAS("count_unstable") && ++((Object*)self)->calls > 4) ++*n;
  return QED_OK;
}

static int32_t load(const void* self, qed_call* call, qed_str split, uint64_t index,
                    qed_item_out* out) {
  char key[64], blob[64];
  const int number = (int)(HAS("key_of_index") ? index % 20 : index);
  int n = number + (is_text(split, "test") ? 1000 : 0);
  const int is_outside = index >= items_of(split);
  if (items_of(split) == 0) return refuse(call, QED_INVALID, "there is no such split");
  if (is_outside && !HAS("loads_anything")) return refuse(call, QED_INVALID, "no such item");
  if (HAS("race")) scratch = n;
  if (HAS("load_impure") && index > 30) n += 2000 * (int)(++((Object*)self)->calls % 7);
  if (HAS("global_rng") && index > 30) n += 2000 * (rand() % 7);
  snprintf(key, sizeof key, "%d", HAS("same_key") ? 0 : n);
  snprintf(blob, sizeof blob, "{\"n\":%d}", n);
  if (HAS("key_of_index")) snprintf(key, sizeof key, "%d", (int)index);
  if (HAS("bad_key")) strcat(key, "\xff");
  if (HAS("key_empty")) key[0] = '\0';
  if (put(out->key, key, strlen(key)) != 0 || put(out->blob, blob, strlen(blob)) != 0) {
    return refuse(call, QED_RESOURCE, "the host takes no more");
  }
  return QED_OK;
}

static int32_t render(const void* self, qed_call* call, const qed_item* item,
                      qed_prompt_out* out) {
  static const char kMessages[] = "[{\"role\":\"robot\",\"content\":\"double it\"}]";
  char text[64];
  const int n = number_of(item);
  (void)self;
  if (n < 0) return refuse(call, QED_DATA, "this is no item of the task");
  snprintf(text, sizeof text, "double %d", n);
  if (HAS("unknown_role")) return put(out->messages, kMessages, sizeof kMessages - 1);
  if (HAS("bad_stop")) put(out->stop, "</answer>", 9);
  if (HAS("two_prompts")) put(out->messages, "[]", 2);
  if (put(out->text, text, strlen(text)) != 0) {
    return refuse(call, QED_RESOURCE, "the host takes no more");
  }
  return QED_OK;
}

/* What faults do with the text of a completion; true: leave the score as it is. */
static int misbehave(Object* self, qed_str text) {
  if (HAS("sleeps") && is_text(text, " ")) sleep_for_ever(NULL);
  if (HAS("crashes") && memchr(text.p, 0, text.n) != NULL) raise(SIGSEGV);
  if (HAS("exits") && memchr(text.p, 0, text.n) != NULL) exit(0);
  for (uint64_t i = 0; HAS("quadratic") && i < text.n; ++i) {
    for (uint64_t j = 0; j < text.n; ++j) sink = text.p[j];
  }
  if (HAS("recurses") && text.n > 50000) return misbehave(self, text) + sink;
  if (HAS("reads_past_span")) sink = text.p[text.n];
  if (HAS("writes_input") && text.n > 0) ((volatile char*)text.p)[0] = text.p[0];
  if (HAS("keeps_pointer") && self->kept != NULL) sink = *(const volatile char*)self->kept;
  if (HAS("keeps_pointer") && text.n > 0 && text.n < 100) self->kept = text.p;
  if (HAS("prints")) puts("verified");
  if (HAS("signal_later")) signal(SIGUSR1, &ignore_signal);
  if (HAS("slow")) usleep(500);
  return HAS("no_score") && is_text(text, kOrdinary);
}

static double bonus(const qed_sample* s, uint64_t i, uint64_t n) {
  typedef struct { qed_sample known; uint64_t later; } LongSample;
  if (HAS("order") && i == 0) return 0.25;
  if (HAS("batch_size") && n > 100) return 0.25;
  if (HAS("rewards_silence") && s->text.n == 0) return 1;
  if (HAS("reads_past_struct")) return ((const LongSample*)s)->later == 0 ? 0 : 0.25;
  if (HAS("process") || HAS("address") || HAS("environment")) return strange;
  return 0;
}

static int32_t score(Object* self, qed_call* call, const qed_sample* s, qed_score* out, uint64_t i,
                     uint64_t n) {
  char expected[32];
  const int number = number_of(s->item);
  int is_right;
  (void)call;
  if (number < 0) return QED_DATA;
  if (HAS("pending") && is_text(s->text, " ")) return QED_PENDING;
  if (misbehave(self, s->text)) return QED_INTERNAL;
  snprintf(expected, sizeof expected, "%d", 2 * number);
  is_right = is_text(s->text, expected);
  out->reward = (is_right ? 1 : 0) * self->scale + bonus(s, i, n);
  if (HAS("nan_reward") && is_text(s->text, kOrdinary)) out->reward = NAN;
  if (HAS("nan_term") && is_text(s->text, kOrdinary)) is_right = -1;
  out->terms.p[0] = is_right < 0 ? NAN : (float)is_right;
  out->verdict = is_right > 0 ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG;
  if (HAS("unknown_verdict") && is_text(s->text, kOrdinary)) out->verdict = 9;
  if (HAS("writes_past_struct")) memset(out + 1, 0, 8);
  return QED_OK;
}

static void remember(Object* self, const qed_sample* const* samples, qed_score* const* scores,
                     uint64_t n) {
  uint64_t hash = mix(14695981039346656037u, &n, sizeof n);
  for (uint64_t i = 0; i < n; ++i) {
    hash = mix(hash, samples[i]->text.p, samples[i]->text.n);
    hash = mix(hash, samples[i]->item->blob.p, samples[i]->item->blob.n);
  }
  if (hash == self->last) scores[0]->reward += 0.25;
  self->last = hash;
}

static int32_t verify(const void* self, qed_call* call, const qed_sample* const* samples,
                      qed_score* const* scores, uint64_t n) {
  if (HAS("race")) scratch = -1, usleep(1000);
  for (uint64_t i = 0; i < n; ++i) {
    scores[i]->status = score((Object*)self, call, samples[i], scores[i], i, n);
    if (HAS("poisons") && scores[i]->status == QED_DATA) {
      return refuse(call, QED_DATA, "one item is bad");
    }
  }
  if (HAS("race") && scratch != -1) scores[0]->reward += 0.25;
  if (HAS("state")) remember((Object*)self, samples, scores, n);
  return QED_OK;
}

static int32_t demonstrate(const void* self, qed_call* call, const qed_item* item, qed_str style,
                           qed_writer* out) {
  char text[32];
  const int n = number_of(item);
  (void)self, (void)style;
  if (n < 0) return refuse(call, QED_DATA, "this is no item of the task");
  snprintf(text, sizeof text, "%d", HAS("wrong_demonstration") ? n : 2 * n);
  if (HAS("demonstration_impure") && n > 20) snprintf(text, sizeof text, "%p", (void*)self);
  return put(out, text, strlen(text)) == 0 ? QED_OK : refuse(call, QED_RESOURCE, "no more");
}

static int32_t strange_create(const qed_host* host, qed_call* call, qed_str options, void** self) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (HAS("process") && strange == 0) strange = (double)now.tv_nsec * 1e-12;
  if (HAS("address")) strange = (double)((uintptr_t)&strange >> 12 & 0xFFFF) * 1e-6;
  if (HAS("environment") && getenv("MALLOC_PERTURB_") != NULL) strange = 0.25;
  return create(host, call, options, self);
}

static const qed_str kSplits[] = {STR("train"), STR("test")};
static const qed_str kTerms[] = {STR("correct")};
static const qed_task kTable = {
    {HAS("short_vtable") ? 48 : sizeof(qed_task), 0, &strange_create,
     HAS("null_function") ? NULL : &destroy, NULL},
    {kSplits, 2}, {kTerms, 1}, &count, &load, &render, &verify, &demonstrate,
    NULL, NULL, NULL, NULL, NULL, NULL};

#define IS_SERIAL (HAS("state") || HAS("count_unstable") || HAS("load_impure") || HAS("keeps_pointer"))

PLUGIN("qed.task/1", IS_SERIAL ? ALL_FLAGS & ~QED_CONCURRENT : ALL_FLAGS, kTable)

#ifdef EXTRA_EXPORT
QED_EXPORT void qed_extra(void) {}
#endif
