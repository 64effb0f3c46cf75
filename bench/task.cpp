// bench_task PLUGINS TASK OPTIONS: one thread of a task plugin, through qed::Task as the engine has
// it, told by lines on its standard input what to measure; each is answered by one line of JSON.
//
//   make N          makes the first N items: {"item", "prompt", "prefill", "demonstration"} of each
//   completions     is followed by a line {"completion", "finish"} for each of them
//   rewards         a list of their rewards
//   items S         items made per second, in S seconds of CPU time
//   verify S        completions scored per second, in batches of 64, as well
//
// OPTIONS is a JSON object; what it leaves out has its default.

#include "core/host/task.h"
#include "core/data/dataset_service.h"
#include "core/host/plugin_host.h"
#include "core/util/error.h"

#include "bench/timer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

constexpr std::size_t kBatch = 64;

std::string all_options(const qed::Component& component, const json& given) {
  json out = json::object();
  for (const qed::OptionSpec& option : component.spec.options) {
    out[option.name] = given.value(option.name, option.default_value);
  }
  for (const auto& entry : given.items()) {
    if (!out.contains(entry.key())) throw qed::Error("there is no option `" + entry.key() + "`");
  }
  return out.dump();
}

class Bench {
 public:
  explicit Bench(const qed::Task& task) : task_(task) {}

  json make(std::size_t n) {
    json out = json::array();
    for (std::uint64_t i = 0; i < n; ++i) {
      items_.push_back(task_.load("train", i));
      const qed::Prompt prompt = task_.render(items_.back());
      prompts_.push_back(prompt.text + prompt.prefill);
      prefills_.push_back(prompt.prefill);
      out.push_back({{"item", json::parse(items_.back().blob)},
                     {"prompt", prompts_.back()},
                     {"prefill", prompt.prefill},
                     {"demonstration", task_.demonstrate(items_.back(), "direct", i).value()}});
    }
    return out;
  }

  json read_completions(std::istream& in) {
    std::string line;
    for (std::size_t i = 0; i < items_.size() && std::getline(in, line); ++i) {
      const json row = json::parse(line);
      texts_.push_back(row.at("completion"));
      finish_.push_back(row.at("finish") == "stop" ? QED_FINISH_STOP : QED_FINISH_LENGTH);
    }
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      samples_.push_back({.item = &items_[i],
                          .prompt = prompts_[i],
                          .prefill = prefills_[i],
                          .text = texts_[i],
                          .tokens = {},
                          .finish = finish_[i],
                          .group = i,
                          .index = 0});
    }
    return samples_.size();
  }

  json rewards() const {
    json out = json::array();
    for_batches([&](const std::vector<qed::Score>& scores) {
      for (const qed::Score& score : scores) {
        if (score.status != QED_OK) throw qed::Error("no score: " + score.note);
        out.push_back(score.reward);
      }
    });
    return out;
  }

  json items_per_s(double seconds) {
    return bench::rate(seconds, [&] {
      for (std::size_t i = 0; i < kBatch; ++i) {
        num_bytes_ += task_.load("train", next_++).key.size();
      }
      return kBatch;
    });
  }

  json verify_per_s(double seconds) {
    return bench::rate(seconds, [&] {
      for_batches([&](const std::vector<qed::Score>& scores) { num_bytes_ += scores.size(); });
      return samples_.size();
    });
  }

 private:
  template <class F>
  void for_batches(F&& f) const {
    const std::span<const qed::SampleView> all(samples_);
    for (std::size_t i = 0; i < all.size(); i += kBatch) {
      f(task_.verify(all.subspan(i, std::min(kBatch, all.size() - i)), 0));
    }
  }

  const qed::Task& task_;
  std::uint64_t next_ = 1 << 20;  // apart from those made
  std::size_t num_bytes_ = 0;     // keeps the work from being left out
  std::vector<qed::Item> items_;
  std::vector<std::string> prompts_, prefills_, texts_;
  std::vector<std::uint32_t> finish_;
  std::vector<qed::SampleView> samples_;
};

json answer(Bench& bench, const std::string& line) {
  std::istringstream words(line);
  std::string what;
  double number = 0;
  words >> what >> number;
  if (what == "make") return bench.make(static_cast<std::size_t>(number));
  if (what == "completions") return bench.read_completions(std::cin);
  if (what == "rewards") return bench.rewards();
  if (what == "items") return bench.items_per_s(number);
  if (what == "verify") return bench.verify_per_s(number);
  throw qed::Error("no measurement `" + what + "`");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw qed::Error("usage: bench_task PLUGINS TASK OPTIONS");
  qed::PluginHost host({argv[1]});
  host.add_service(qed::kDatasetService, qed::dataset_service());
  const qed::Component& component = host.load("task", argv[2]);
  const qed::Task task(component, all_options(component, json::parse(argv[3])), host.abi());
  Bench bench(task);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(bench, line).dump() << std::endl;
  }
} catch (const std::exception& e) {
  std::cerr << "bench_task: " << e.what() << '\n';
  return 1;
}
