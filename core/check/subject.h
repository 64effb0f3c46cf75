#pragma once

// What is being tested: one component of a loaded plugin, and objects made of it.

#include "core/check/frame.h"
#include "core/config/option.h"
#include "qed/abi.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qed::check {

// Thrown by a test that fails, with one sentence that says what was expected and what was found.
struct Failure {
  std::string message;
};

// Thrown by a test that does not apply, with the reason.
struct Skipped {
  std::string reason;
};

// One component under test. Valid until the process ends.
struct Subject {
  const qed_plugin* plugin = nullptr;
  const qed_component* component = nullptr;
  const qed_host* host = nullptr;  // with the services of qed and a silent log
  std::string file;
  std::string kind;               // "task", "reward", "algorithm" or "sampler"
  std::vector<OptionSpec> specs;  // what it declares
  std::string options;            // canonical JSON: defaults and what the user set
  std::uint64_t seed = 1;
  bool is_thorough = false;

  bool has_flag(std::uint32_t flag) const { return (component->flags & flag) != 0; }
  template <class Table>
  const Table& table() const {
    return *static_cast<const Table*>(component->vtable);
  }
  const qed_object& object() const { return table<qed_object>(); }
};

// Calls create; *self is set when the reply is OK.
Reply create(const Subject& subject, std::string_view options, void** self, const Form& form = {});

// An object with the subject's options. Failure where create refuses them.
class Object {
 public:
  explicit Object(const Subject& subject, const Form& form = {});
  ~Object() { subject_.object().destroy(self_); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const Subject& subject() const { return subject_; }
  void* self() const { return self_; }

  // Of a component that remembers: qed.state/1. Each call begins as in a new object, which rewind
  // sees to, until remember() was called. Failure where saving or restoring fails.
  bool has_state() const { return state_ != nullptr; }
  std::string save() const;
  void restore(std::string_view state) const;
  void remember() { is_rewound_ = false; }
  void rewind() const;

 private:
  const Subject& subject_;
  void* self_ = nullptr;
  const qed_state* state_ = nullptr;
  std::string initial_;
  bool is_rewound_ = true;
};

// Throws Failure with the arguments as text, unless `condition` holds.
template <class... Args>
void expect(bool condition, const Args&... args);

// Throws Failure at the first line in which two transcripts differ: "<what>: line, then line".
void expect_same(std::string_view expected, std::string_view actual, std::string_view what);

// Bytes as they may stand in a message: UTF-8, control characters escaped, at most 60 characters.
std::string shown(std::string_view bytes);

// "status DATA with the message `...`".
std::string shown(const Reply& reply);

}  // namespace qed::check

#include "core/util/error.h"

template <class... Args>
void qed::check::expect(bool condition, const Args&... args) {
  if (!condition) throw Failure{cat(args...)};
}
