#include "core/data/mixture.h"

#include "core/util/error.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace qed {

namespace {

// An item outside of the window is asked again after so many turns: it may have become easier.
constexpr std::int64_t kMaxSkips = 4;

bool has_window(const MixtureSource& source) {
  return source.window != std::array<double, 2>{0, 1};
}

}  // namespace

Mixture::Mixture(std::vector<MixtureSource> sources, KeyHash key)
    : sources_(std::move(sources)), key_(key), rates_(sources_.size()) {
  QED_CHECK(!sources_.empty());
  for (const MixtureSource& s : sources_) {
    const std::string& split = s.task->splits().front();
    if (has_window(s) && s.task->count(split) == QED_GENERATIVE) {
      throw Error(cat("`window` of task `", s.label, "`: its items are generated, and come once"),
                  "leave `window` out, or choose a task with a fixed set of items", kExitUsage);
    }
    const std::uint64_t own =
        sources_.size() == 1 ? key_.value() : KeyHash(key_).add(s.label).value();
    streams_.push_back(std::make_unique<ItemStream>(*s.task, split, own, s.held_out));
  }
}

std::size_t Mixture::pick_source() {
  const std::uint64_t position = position_++;
  if (sources_.size() == 1) return 0;
  double total = 0;
  for (const MixtureSource& s : sources_) total += s.weight;
  double left = Rng(KeyHash(key_).add("task").add(position).value()).real() * total;
  for (std::size_t i = 0; i + 1 < sources_.size(); ++i) {
    left -= sources_[i].weight;
    if (left < 0) return i;
  }
  return sources_.size() - 1;
}

bool Mixture::is_skipped(std::size_t source, const std::string& key) {
  const auto found = rates_[source].find(key);
  if (found == rates_[source].end()) return false;
  Rate& rate = found->second;
  const double share = rate.right / rate.num;
  const auto& [least, most] = sources_[source].window;
  if (share >= least && share <= most) return false;
  if (++rate.skips <= kMaxSkips) return true;
  rate.skips = 0;
  return false;
}

Mixture::Pick Mixture::next() {
  const std::size_t source = pick_source();
  for (;;) {  // ends: after kMaxSkips rounds over the split an item is not skipped
    Item item = streams_[source]->next();
    if (!is_skipped(source, item.key)) return {source, std::move(item)};
    ++num_skipped_;
  }
}

void Mixture::report(std::size_t source, const std::string& key, std::int64_t num_right,
                     std::int64_t num) {
  if (!has_window(sources_.at(source)) || num == 0) return;
  Rate& rate = rates_[source][key];
  rate.right = rate.right / 2 + static_cast<double>(num_right);
  rate.num = rate.num / 2 + static_cast<double>(num);
}

std::uint64_t Mixture::num_dropped() const {
  std::uint64_t sum = 0;
  for (const auto& stream : streams_) sum += stream->num_dropped();
  return sum;
}

std::string Mixture::state() const {
  nlohmann::ordered_json tasks = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    nlohmann::ordered_json task = {{"task", sources_[i].label}, {"cursor", streams_[i]->cursor()}};
    if (has_window(sources_[i])) {
      nlohmann::json rates = nlohmann::json::object();  // sorted: the same bytes in every run
      for (const auto& [key, r] : rates_[i]) rates[key] = {r.right, r.num, r.skips};
      task["pass_rates"] = std::move(rates);
    }
    tasks.push_back(std::move(task));
  }
  return nlohmann::ordered_json{{"position", position_}, {"tasks", tasks}}.dump();
}

void Mixture::restore(const std::string& state) {
  if (state.empty()) return;
  try {
    const auto from = nlohmann::json::parse(state);
    const auto& tasks = from.at("tasks");
    if (tasks.size() != sources_.size()) throw Error("another number of tasks");
    position_ = from.at("position");
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      streams_[i]->seek(tasks[i].at("cursor"));
      if (!has_window(sources_[i])) continue;
      for (const auto& [key, r] : tasks[i].at("pass_rates").items()) {
        rates_[i][key] = {r.at(0), r.at(1), r.at(2)};
      }
    }
  } catch (const std::exception& e) {
    throw Error(cat("the state of the data in the checkpoint is damaged: ", e.what()),
                "start again with --fresh");
  }
}

}  // namespace qed
