#include "core/host/vtable_check.h"

#include "qed/abi.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace qed {
namespace {

enum class Use { kMandatory, kOptional, kEpisode };

struct Function {
  const char* name;
  const void* address;  // null: not there
  Use use;
};

// The functions of one table, of which only those inside its size are read.
class Table {
 public:
  explicit Table(const void* vtable) : vtable_(vtable) {}

  template <class T, class F>
  void add(const char* name, F T::*member, Use use = Use::kMandatory) {
    const auto& slot = static_cast<const T*>(vtable_)->*member;
    const auto* begin = static_cast<const char*>(vtable_);
    const auto end = static_cast<std::uint64_t>(reinterpret_cast<const char*>(&slot + 1) - begin);
    const bool is_there = end <= static_cast<const qed_object*>(vtable_)->size;
    functions_.push_back({name, is_there ? reinterpret_cast<const void*>(slot) : nullptr, use});
  }

  const std::vector<Function>& functions() const { return functions_; }

 private:
  const void* vtable_;
  std::vector<Function> functions_;
};

void add_task(Table& table) {
  table.add("count", &qed_task::count);
  table.add("load", &qed_task::load);
  table.add("render", &qed_task::render);
  table.add("verify", &qed_task::verify);
  table.add("demonstrate", &qed_task::demonstrate, Use::kOptional);
  table.add("episode_open", &qed_task::episode_open, Use::kEpisode);
  table.add("episode_step", &qed_task::episode_step, Use::kEpisode);
  table.add("episode_poll", &qed_task::episode_poll, Use::kEpisode);
  table.add("episode_save", &qed_task::episode_save, Use::kEpisode);
  table.add("episode_restore", &qed_task::episode_restore, Use::kEpisode);
  table.add("episode_close", &qed_task::episode_close, Use::kEpisode);
}

void add_algorithm(Table& table) {
  table.add("needs", &qed_algorithm::needs);
  table.add("advantage", &qed_algorithm::advantage);
  table.add("loss", &qed_algorithm::loss);
  table.add("prepare", &qed_algorithm::prepare, Use::kOptional);
}

Table read_table(std::string_view kind, const void* vtable) {
  Table table(vtable);
  if (kind == "task") add_task(table);
  if (kind == "reward") table.add("score", &qed_reward::score);
  if (kind == "algorithm") add_algorithm(table);
  if (kind == "sampler") {
    table.add("plan", &qed_sampler::plan);
    table.add("mask", &qed_sampler::mask, Use::kOptional);
  }
  return table;
}

// Bytes of the first release; members after them are optional for ever.
std::size_t mandatory_bytes(std::string_view kind) {
  if (kind == "task") return offsetof(qed_task, demonstrate);
  if (kind == "reward") return offsetof(qed_reward, score) + sizeof(void*);
  return kind == "algorithm" ? offsetof(qed_algorithm, prepare) : offsetof(qed_sampler, mask);
}

// The base of the shared library that holds an address; null for none.
const void* library_of(const void* address) {
  Dl_info info{};
  return ::dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

LoadProblem problem(const char* code, const std::string& why) { return {code, why, kAuthorHint}; }

LoadProblem check_functions(const std::vector<Function>& functions, const void* entry) {
  const char *first_there = nullptr, *first_absent = nullptr;  // of a multi-turn task
  for (const auto& [name, address, use] : functions) {
    if (use == Use::kMandatory && address == nullptr) {
      return problem("P044", cat("its vtable lacks the mandatory function `", name, "`"));
    }
    const char*& first = address == nullptr ? first_absent : first_there;
    if (use == Use::kEpisode && first == nullptr) first = name;
  }
  if (first_there != nullptr && first_absent != nullptr) {
    return problem("P044", cat("its vtable has `", first_there, "` and lacks `", first_absent,
                               "`; a multi-turn task has all six"));
  }
  const void* library = library_of(entry);
  for (const auto& [name, address, use] : functions) {
    if (address == nullptr || library_of(address) == library) continue;
    return problem("P045", cat("its function `", name, "` lies outside of the plugin"));
  }
  return {};
}

}  // namespace

LoadProblem check_vtable(std::string_view kind, const void* vtable, const void* entry) {
  if (vtable == nullptr) return problem("P044", "its vtable is null");
  const auto& object = *static_cast<const qed_object*>(vtable);
  if (object.size < mandatory_bytes(kind)) {
    return problem("P044", cat("its vtable has ", object.size, " bytes, at least ",
                               mandatory_bytes(kind), " are needed"));
  }
  std::vector<Function> functions = {
      {"create", reinterpret_cast<const void*>(object.create), Use::kMandatory},
      {"destroy", reinterpret_cast<const void*>(object.destroy), Use::kMandatory},
      {"get_extension", reinterpret_cast<const void*>(object.get_extension), Use::kOptional}};
  const Table table = read_table(kind, vtable);
  std::ranges::copy(table.functions(), std::back_inserter(functions));
  return check_functions(functions, entry);
}

}  // namespace qed
