#pragma once

// What all components share, and QED_PLUGIN, which makes a shared library of them.

#include "qed/abi.h"
#include "qed/error.h"
#include "qed/host.h"
#include "qed/options.h"
#include "qed/version.h"

#include <memory>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// `static constexpr qed::Info kInfo{...}` in every component class. All literals.
struct Info {
  std::string_view id;    // reverse DNS, for ever
  std::string_view name;  // the word in a run file
  std::string_view version;
  std::string_view summary;  // one line
  std::uint32_t flags = QED_CONCURRENT | QED_DETERMINISTIC | QED_BATCH_INVARIANT;
};

// create, destroy and get_extension of a class T with a default constructor and, where it has
// options, `void options(qed::Options&)`. Once all are read, `void check() const` may throw, and
// `void open(const qed::Host&)` may use the services of the host.
//
// A class that must remember something between calls has, for "qed.state/1",
//   std::string save() const;              // all that it remembers, in any format
//   void restore(std::string_view state);  // what save returned, in an object with the same options
// Neither runs beside another call. What it remembers is `mutable`, and guarded where calls overlap.
template <class T>
struct Object {
  static void visit(T& object, Options& options) {
    if constexpr (requires { object.options(options); }) object.options(options);
  }

  static std::int32_t create(const qed_host* host, qed_call* call, qed_str text, void** self) {
    return guard(call->err, [&] {
      const json::Object values = json::parse(view(text));
      auto object = std::make_unique<T>();
      Options options(values);
      visit(*object, options);
      if constexpr (requires { object->check(); }) object->check();
      if constexpr (requires { object->open(Host(host, call)); }) object->open(Host(host, call));
      *self = object.release();
    });
  }
  static void destroy(void* self) { delete static_cast<T*>(self); }
  static const void* get_extension(const void*, qed_str id) noexcept {
    if constexpr (has_state()) {
      static const qed_state kState = {sizeof(qed_state), 0, &save, &restore};
      if (view(id) == "qed.state/1") return &kState;
    }
    return nullptr;
  }

  static std::int32_t save(const void* self, qed_call* call, qed_writer* out) {
    return guard(call->err, [&] {
      if constexpr (has_state()) write(out, static_cast<const T*>(self)->save());
    });
  }
  static std::int32_t restore(void* self, qed_call* call, qed_bytes state) {
    return guard(call->err, [&] {
      if constexpr (has_state()) {
        static_cast<T*>(self)->restore({reinterpret_cast<const char*>(state.p), state.n});
      }
    });
  }

  static constexpr bool has_state() {
    constexpr bool saves = requires(const T& t) { std::string(t.save()); };
    constexpr bool restores = requires(T& t, std::string_view s) { t.restore(s); };
    static_assert(saves == restores, "a state needs both save and restore");
    return saves;
  }

  static constexpr qed_object vtable(std::uint32_t size) {
    return {size, 0, &create, &destroy, &get_extension};
  }

  // The component's descriptor, with `flags` beside its own; built at the first call, static after.
  static const qed_component* component(std::string_view kind, const void* vtable,
                                        std::uint32_t flags = 0) {
    static const Options options = [] {
      Options o;
      T object;
      visit(object, o);
      return o;
    }();
    static const std::uint32_t kFlags = flags;
    static const qed_component kComponent = {sizeof(qed_component),
                                             T::kInfo.flags | kFlags,
                                             str(kind),
                                             str(T::kInfo.id),
                                             str(T::kInfo.name),
                                             str(T::kInfo.version),
                                             str(T::kInfo.summary),
                                             options.data(),
                                             options.size(),
                                             vtable};
    return &kComponent;
  }
};

// The plugin's descriptor: Components are qed::Task<T>, qed::Reward<T>, qed::Algorithm<T> and
// qed::Sampler<T>.
template <class... Components>
const qed_plugin* plugin(std::string_view id, std::string_view licence) {
  static const qed_component* const kComponents[] = {Components::component()...};
  static const qed_plugin kPlugin = {sizeof(qed_plugin), QED_EPOCH,   QED_LEVEL,
                                     QED_TARGET_LEVEL,   str(id),     str(QED_VERSION),
                                     str(licence),       kComponents, sizeof...(Components)};
  return &kPlugin;
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop

// Emits the note that the host reads before dlopen, and the entry. Once per shared library:
//   QED_PLUGIN("dev.qed.grpo", "Apache-2.0", qed::Algorithm<Grpo>)
#define QED_PLUGIN(id, licence, ...)                                          \
  extern "C" {                                                                \
  __attribute__((section(".note.qed"), used,                                  \
                 aligned(4))) static const qed_note qed_plugin_note = {       \
      4, 12, 1, {'q', 'e', 'd', 0}, QED_EPOCH, QED_LEVEL, QED_TARGET_LEVEL};  \
  QED_EXPORT const qed_plugin* qed_entry_1(const qed_host*, qed_err* err) {   \
    const qed_plugin* result = nullptr;                                       \
    qed::guard(err, [&] { result = qed::plugin<__VA_ARGS__>(id, licence); }); \
    return result;                                                            \
  }                                                                           \
  }                                                                           \
  static_assert(true, "a semicolon may follow")
