// A plugin with exactly one fault, which the build chooses: numbers of the note (NOTE_*), or a word
// (FAULT) for what is wrong with the descriptor or the entry.

#include "qed/algorithm.h"

#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <thread>

#ifndef NOTE_EPOCH
#define NOTE_EPOCH QED_EPOCH
#endif
#ifndef NOTE_LEVEL
#define NOTE_LEVEL QED_LEVEL
#endif
#ifndef NOTE_NEED
#define NOTE_NEED NOTE_LEVEL
#endif
#ifndef NOTE_OWNER
#define NOTE_OWNER 'q'
#endif
#ifndef FAULT
#define FAULT ""
#endif
#ifndef NAME
#define NAME "broken"
#endif

namespace {

constexpr std::string_view kFault = FAULT;

class Broken {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.broken",
      .name = NAME,
      .version = "1.0.0",
      .summary = "has one fault",
  };

  void options(qed::Options& o) {
    if (kFault == "bad_option") o("eps", eps_, {.min = 0, .max = 1, .help = "too large"});
    if (kFault == "option_twice") o("eps", eps_, {}), o("eps", eps_, {});
    if (kFault == "option_name") o("Eps-1", eps_, {});
    if (kFault == "option_word") o("name", eps_, {});
  }

  void advantage(const qed::Batch&, qed::Advantage&) const {}
  double loss(const qed::Batch&, qed::LossArgs&) const { return 0; }

 private:
  double eps_ = 3;
};

// A copy of the good descriptor with the fault put in.
[[maybe_unused]] const qed_plugin* broken_plugin() {
  static qed_plugin plugin =
      *qed::plugin<qed::Algorithm<Broken>>("dev.qed.test.broken", "Apache-2.0");
  static qed_component component = *plugin.components[0];
  static qed_algorithm table = *static_cast<const qed_algorithm*>(component.vtable);
  static const qed_component* const components[] = {&component, &component};
  component.vtable = &table;
  plugin.components = components;
  if (kFault == "null_vtable") component.vtable = nullptr;
  if (kFault == "null_function") table.loss = nullptr;
  if (kFault == "short_vtable") table.object.size = 48;
  if (kFault == "descriptor") plugin.built_level = 7;
  if (kFault == "short_descriptor") plugin.size = 8;
  if (kFault == "no_component") plugin.num_components = 0;
  if (kFault == "component_twice") plugin.num_components = 2;
  if (kFault == "no_id") component.id = {};
  if (kFault == "bad_name") component.name = qed::str("bad name");
  if (kFault == "unknown_flag") component.flags |= 1u << 30;
  if (kFault == "foreign_callback") table.object.destroy = &std::free;
  if (kFault == "id_twice") {
    static qed_component other = component;
    static const qed_component* const pair[] = {&component, &other};
    other.name = qed::str("other");
    plugin.components = pair;
    plugin.num_components = 2;
  }
  if (kFault == "unknown_kind") component.kind = qed::str("qed.dream/1");
  if (kFault == "old_vtable") {  // no fault: of a time before `prepare`
    table.object.size = offsetof(qed_algorithm, prepare);
    table.prepare = reinterpret_cast<decltype(table.prepare)>(1);
  }
  return &plugin;
}

// What no library may do while it is loaded, or in its entry.
[[maybe_unused]] void misbehave(std::string_view what) {
  if (what == "signal") std::signal(SIGALRM, [](int) {});
  if (what == "locale") std::setlocale(LC_ALL, "C.UTF-8");
  if (what == "thread") std::thread([] { ::pause(); }).detach();
  if (what == "folder" && ::chdir("/") != 0) std::abort();
  if (what == "crash") std::abort();
  if (what == "exit") std::_Exit(7);
  if (what == "hang") ::pause();
}

[[maybe_unused]] const int kLoaded = (misbehave(kFault), 0);

}  // namespace

extern "C" {
__attribute__((section(".note.qed"), used, aligned(4))) static const qed_note qed_plugin_note = {
    4, 12, 1, {NOTE_OWNER, 'e', 'd', 0}, NOTE_EPOCH, NOTE_LEVEL, NOTE_NEED};

#ifdef UNRESOLVED
void qed_no_such_function();
#endif

#ifdef TEXT_RELOCATION
__asm__(
    ".pushsection .text\n.quad qed_entry_1_here\n.popsection\n"
    ".pushsection .data\nqed_entry_1_here: .quad 0\n.popsection\n");
#endif

#ifdef STATIC_TLS
__attribute__((tls_model("initial-exec"), used)) thread_local int qed_thread_local = 0;
__attribute__((used)) static int* qed_address() { return &qed_thread_local; }
#endif

#ifdef EXTRA_EXPORT
QED_EXPORT void qed_extra() {}
#endif

#ifndef NO_ENTRY
QED_EXPORT const qed_plugin* qed_entry_1(const qed_host*, qed_err* err) {
#ifdef UNRESOLVED
  qed_no_such_function();
#endif
  if (kFault.starts_with("entry_")) misbehave(kFault.substr(6));
  if (kFault == "refuses") return qed::fail(err, QED_UNSUPPORTED, "no licence found"), nullptr;
  return broken_plugin();
}
#endif
}
