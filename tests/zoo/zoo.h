/* What the plugins of the zoo share. Each is a correct plugin in C with one fault, which the build
   chooses: FAULT is a word of zoo.txt. */

#ifndef QED_TESTS_ZOO_ZOO_H_
#define QED_TESTS_ZOO_ZOO_H_

#define _GNU_SOURCE

#include "qed/abi.h"

#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HAS(fault) (__builtin_strcmp(FAULT, fault) == 0)
#define STR(literal) \
  { literal, sizeof(literal) - 1 }

#define ALL_FLAGS (QED_CONCURRENT | QED_DETERMINISTIC | QED_BATCH_INVARIANT)

/* An object. The faults have members of their own. */
typedef struct Object {
  double scale;
  uint64_t calls;
  uint64_t last; /* hash of the last call's inputs */
  const char* kept;
} Object;

static int32_t refuse(qed_call* call, int32_t status, const char* why) {
  uint64_t n = strlen(why);
  if (!HAS("ignores_msg_cap") && n > call->err->msg_cap) n = call->err->msg_cap;
  memcpy(call->err->msg, why, n);
  call->err->msg_len = n;
  return status;
}

/* Writes n bytes; 0: done. */
static inline int32_t put(qed_writer* out, const char* text, uint64_t n) {
  const int32_t refused = n == 0 ? 0 : out->append(out, (const uint8_t*)text, n);
  return HAS("ignores_refusal") ? 0 : refused;
}

static inline int is_text(qed_str s, const char* text) {
  return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static inline uint64_t mix(uint64_t hash, const void* data, uint64_t n) {
  const unsigned char* p = (const unsigned char*)data;
  for (uint64_t i = 0; i < n; ++i) hash = (hash ^ p[i]) * 0x100000001b3u;
  return hash;
}

static inline void* sleep_for_ever(void* unused) {
  for (;;) sleep(1000);
  return unused;
}

static inline void ignore_signal(int number) { (void)number; }

/* The value of `"scale":` in an options text of the host; -1: there is none. */
static double read_scale(qed_str options) {
  static const char kName[] = "\"scale\":";
  const char* at = (const char*)memmem(options.p, options.n, kName, sizeof kName - 1);
  char digits[32] = {0};
  if (at == NULL) return -1;
  at += sizeof kName - 1;
  for (size_t i = 0; i + 1 < sizeof digits && at + i < options.p + options.n; ++i) {
    digits[i] = at[i];
  }
  return strtod(digits, NULL);
}

static void* volatile leaked; /* the last of many */
static int num_objects;       /* that live */

static int is_object(qed_str text) {
  return text.n >= 2 && text.p[0] == '{' && text.p[text.n - 1] == '}';
}

static void start_thread(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 16);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_create(&thread, &attributes, &sleep_for_ever, NULL);
}

static int32_t create(const qed_host* host, qed_call* call, qed_str options, void** self) {
  Object* object;
  const double scale = read_scale(options);
  (void)host;
  if (!HAS("takes_anything")) {
    if (!is_object(options)) return refuse(call, QED_INVALID, "the options are no JSON object");
    if (scale < 0) return refuse(call, QED_INVALID, "option `scale` is missing");
  }
  if (HAS("refuses_maximum") && scale > 1) return QED_INTERNAL;
  if (HAS("few_objects") && num_objects == 16) return refuse(call, QED_RESOURCE, "too many");
  if (HAS("leaks_threads")) start_thread();
  if (HAS("leaves_files") && open("/dev/null", O_RDONLY) < 0) return QED_RESOURCE;
  if (HAS("leaks_memory")) leaked = memset(malloc(1 << 14), 1, 1 << 14);
  if (HAS("changes_folder") && chdir("/") != 0) return QED_INTERNAL;
  if (HAS("changes_locale")) setlocale(LC_ALL, "C.UTF-8");
  if (HAS("changes_variable")) setenv("QED_ZOO", "1", 1);
  object = (Object*)calloc(1, sizeof *object);
  object->scale = scale;
  *self = object;
  ++num_objects;
  return QED_OK;
}

static void destroy(void* self) {
  --num_objects;
  free(self);
}

static const qed_option kScale = {sizeof(qed_option),
                                  QED_OPTION_FLOAT,
                                  QED_OPTION_HAS_MIN | QED_OPTION_HAS_MAX,
                                  0,
                                  STR("scale"),
                                  {HAS("default_outside") ? "3.0" : "1.0", 3},
                                  0,
                                  2,
                                  {0},
                                  {0},
                                  {"of the result", HAS("no_help") ? 0 : 13}};
static const qed_option* const kOptions[] = {&kScale, &kScale};

#define OBJECT(table)                                                                             \
  {                                                                                               \
    HAS("short_vtable") ? 48 : sizeof(table), 0, &create, HAS("null_function") ? NULL : &destroy, \
        NULL                                                                                      \
  }

#define LEVEL_OF_NOTE QED_LEVEL
#define LEVEL_OF_PLUGIN (HAS("level_lies") ? 7 : QED_LEVEL)

/* The descriptor, the note and the entry of a plugin with one component. */
#define PLUGIN(kind, flags, table)                                                       \
  static const qed_component component = {sizeof(qed_component),                         \
                                          flags,                                         \
                                          STR(kind),                                     \
                                          STR("dev.qed.zoo." NAME),                      \
                                          STR(NAME),                                     \
                                          STR("1.0.0"),                                  \
                                          STR("has one fault: " FAULT),                  \
                                          kOptions,                                      \
                                          HAS("option_twice") ? 2 : 1,                   \
                                          &table};                                       \
  static const qed_component* const components[] = {&component};                         \
  static const qed_plugin plugin = {sizeof(qed_plugin),                                  \
                                    QED_EPOCH,                                           \
                                    LEVEL_OF_PLUGIN,                                     \
                                    QED_LEVEL,                                           \
                                    STR("dev.qed.zoo"),                                  \
                                    STR("1.0.0"),                                        \
                                    {"Apache-2.0", HAS("no_licence") ? 0 : 10},          \
                                    components,                                          \
                                    1};                                                  \
  static qed_plugin copy; /* of which the entry speaks when it is called again */        \
  __attribute__((section(".note.qed"), used, aligned(4))) static const qed_note note = { \
      4, 12, 1, "qed", QED_EPOCH, LEVEL_OF_NOTE, QED_LEVEL};                             \
  const qed_plugin* qed_entry_1(const qed_host* host, qed_err* err) {                    \
    (void)host, (void)err;                                                               \
    if (HAS("signal_at_load")) signal(SIGALRM, &ignore_signal);                          \
    if (HAS("prints_at_load")) puts("loaded");                                           \
    if (HAS("other_descriptor") && copy.size != 0) return &copy;                         \
    copy = plugin;                                                                       \
    return &plugin;                                                                      \
  }

#endif /* QED_TESTS_ZOO_ZOO_H_ */
