// Tests of how a plugin treats the memory that it is handed.

#include "core/check/exercise.h"
#include "core/check/registry.h"

namespace qed::check {
namespace {

// A session with an object and calls of the given form gives what an ordinary one gives.
void compare(const Subject& s, const Form& form, std::string_view what) {
  const Corpus corpus = make_corpus(s);
  const Object plain(s), strained(s, form);
  expect_same(exercise(plain, corpus), exercise(strained, corpus, form), what);
}

void check_sizes(const Subject& s) {
  compare(s, {.size = StructSize::kFirst, .is_poisoned = true},
          "with structs of the first released level");
  compare(s, {.size = StructSize::kCurrent, .is_poisoned = true}, "with poison after every struct");
  compare(s, {.size = StructSize::kLonger, .is_poisoned = true}, "with structs of a later level");
}

void check_guards(const Subject& s) {
  compare(s, {.place = Place::kGuarded}, "with spans that end at a guard page");
}

void check_read_only(const Subject& s) {
  compare(s, {.place = Place::kReadOnly}, "with inputs that cannot be written");
}

// Twice, so that a later call finds what an earlier one kept.
void check_lifetime(const Subject& s) {
  const Form form = {.place = Place::kRevoked};
  const Corpus corpus = make_corpus(s);
  const Object plain(s), strained(s, form);
  exercise(plain, corpus);
  exercise(strained, corpus, form);
  expect_same(exercise(plain, corpus), exercise(strained, corpus, form),
              "with memory that vanishes after a call");
}

template <class T>
void expect_refusal(const Answer<T>& answer, std::string_view function) {
  expect(answer.reply.problem.empty(), function, ": ", answer.reply.problem);
  expect(!answer.has_refused || answer.reply.status != QED_OK, function,
         " answers OK although a writer took no more");
}

void refuse_task(const Object& object, const Corpus& corpus, const Form& form) {
  const TaskCaller task(object, form);
  for (std::uint64_t i = 0; i < corpus.items.size(); ++i) {
    expect_refusal(task.load(corpus.split, i), "load");
    expect_refusal(task.render(corpus.items[i]), "render");
    if (task.has_demonstrations()) {
      expect_refusal(task.demonstrate(corpus.items[i], "", 1), "demonstrate");
    }
  }
  if (!task.is_multi_turn()) (void)task.verify(corpus.samples);  // a note may be dropped
}

void refuse_plan(const Object& object, const Corpus& corpus) {
  for (const qed_request& request : corpus.requests) {
    std::vector<OpData> ops;
    bool was_refused = false;
    const Reply reply = SamplerCaller(object).try_plan(request, 0, ops, was_refused);
    expect(!was_refused || reply.status != QED_OK, "plan answers OK although an op was refused");
  }
}

void check_writers(const Subject& s) {
  const Corpus corpus = make_corpus(s);
  const Object object(s);
  for (const std::uint64_t limit : {0, 1, 7}) {
    const Form form = {.writer_limit = limit};
    if (s.kind == "task") refuse_task(object, corpus, form);
    if (s.kind == "reward") (void)RewardCaller(object, form).score(corpus.scored);
  }
  if (s.kind == "sampler") refuse_plan(object, corpus);
  if (s.kind == "algorithm" && !AlgorithmCaller(object).has_prepare()) {
    throw Skipped{"it writes nothing but numbers"};
  }
}

// Calls that fail, each with a message buffer that ends at a guard page.
void check_message(const Subject& s) {
  for (const std::uint64_t cap : {0, 1, 8}) {
    const Form form = {.place = Place::kGuarded, .message_cap = cap};
    void* self = nullptr;
    const Reply made = create(s, "nonsense", &self, form);
    if (made.is_ok()) s.object().destroy(self);
    expect(made.problem.empty(), "create, msg_cap ", cap, ": ", made.problem);
    if (s.kind != "task") continue;
    const Object object(s);
    const TaskCaller task(object, form);
    const ItemData garbage = {"key", "\x01 no item \xff"};
    for (const Reply& reply : {task.count("no such split").reply,
                               task.load("no such split", 0).reply, task.render(garbage).reply}) {
      expect(reply.problem.empty(), "msg_cap ", cap, ": ", reply.problem);
    }
  }
}

constexpr Test kTests[] = {
    {"structs.sizes", Level::kMust, "",
     "structs of the first, this and a later level are read right", &check_sizes},
    {"structs.guards", Level::kMust, "", "nothing past the end of a span is touched",
     &check_guards},
    {"structs.read_only", Level::kMust, "", "inputs are not written", &check_read_only},
    {"structs.lifetime", Level::kMust, "", "no pointer is kept after a call", &check_lifetime},
    {"structs.writers", Level::kMust, "", "a writer that refuses makes the call fail",
     &check_writers},
    {"structs.message", Level::kMust, "", "an error message stays within its buffer",
     &check_message},
};

}  // namespace

std::span<const Test> struct_tests() { return kTests; }

}  // namespace qed::check
