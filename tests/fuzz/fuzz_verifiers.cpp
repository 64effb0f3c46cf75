// fuzz_verifiers [--inputs N] [--seed S] [--only FAMILY[/LABEL]] [--first-batch B] [--show]: feeds
// N random completions to every verifier and reward rule of the first-party plugins. Each must get
// a score: a finite reward out of the values that its rule knows, a known verdict, the same bytes
// when asked again, in bounded time and memory; a damaged item may instead be called bad data. Exit
// code 1 when one does not hold; the input is printed with the command that repeats it.

#include "core/data/dataset_service.h"
#include "core/host/plugin_host.h"
#include "tests/fuzz/batch.h"
#include "tests/fuzz/guard.h"
#include "tests/host/options.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

namespace qed::fuzz {
namespace {

constexpr std::uint64_t kTwice = 16;      // one batch in so many is scored again
constexpr std::uint64_t kMany = 100'000;  // inputs that must lead to every value of a rule
constexpr std::size_t kMaxShown = 3;      // failures of one rule
constexpr std::size_t kMaxUsed = 4096;    // bytes of an item that is also rendered
constexpr std::size_t kMaxValues = 1000;  // different ones of one rule that are counted

struct Arguments {
  std::uint64_t inputs = 2000, seed = 1, first_batch = 0;
  std::string family, label;  // empty: all
  bool shows = false;
};

// What task and reward faces have in common.
struct Outcome {
  std::int32_t status = QED_INTERNAL;
  double value = 0;
  std::uint32_t verdict = QED_VERDICT_NONE;
  std::vector<float> parts;  // terms, or rewards of tokens
  std::string note;

  static std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }
  bool operator==(const Outcome& other) const {
    return status == other.status && verdict == other.verdict && note == other.note &&
           std::ranges::equal(parts, other.parts, {}, bits, bits) &&
           std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(other.value);
  }
};

// A rule that is being fuzzed, and what was seen of it.
class Subject {
 public:
  Subject(PluginHost& host, const std::string& kind, const Rule& rule) : rule_(rule) {
    const Component& component = host.load(kind, rule.component);
    const std::string options = options_with(component.spec, rule.options);
    if (kind == "task") {
      task_.emplace(component, options, host.abi());
    } else {
      reward_.emplace(component, options, host.abi());
    }
  }

  std::string name() const {
    return rule_.component + (rule_.label.empty() ? "" : " ") + rule_.label;
  }
  std::size_t num_failures() const { return num_failures_; }

  // Scores a batch; prints what does not hold.
  void run(const Batch& batch, std::uint64_t number, const std::string& repeat) {
    const double begin = cpu_seconds();
    const std::vector<Outcome> out = score(batch);
    const double seconds = cpu_seconds() - begin;
    slowest_ = std::max(slowest_, seconds);
    seconds_ += seconds;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (const std::string why = problem(out[i], batch.may_be_bad[i]); !why.empty()) {
        fail(batch, i, why, repeat);
      }
      ++num_inputs_;
      if (out[i].status != QED_OK) ++num_bad_items_;
      if (out[i].verdict == QED_VERDICT_RIGHT) ++num_right_;
      if (out[i].status == QED_OK && seen_.size() < kMaxValues) seen_.insert(out[i].value);
    }
    if (seconds > max_seconds()) {
      fail(batch, 0, cat("this batch took ", seconds, " s of processor time"), repeat);
    }
    if (number % kTwice != 0) return;
    const std::vector<Outcome> again = score(batch);
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!(again[i] == out[i])) fail(batch, i, "scored again it has another score", repeat);
    }
  }

  // What else a task does with an item: only a refusal is allowed, nothing worse.
  void use_items(const Batch& batch, bool demonstrates) const {
    for (std::size_t i = 0; task_ && i < batch.items.size(); ++i) {
      if (batch.items[i].blob.size() > kMaxUsed) continue;
      try {
        task_->render(batch.items[i]);
      } catch (const Error&) {  // bad data
      }
      try {
        if (demonstrates) task_->demonstrate(batch.items[i], "", i);
      } catch (const Error&) {
      }
    }
  }

  // After the last batch.
  void report() {
    for (const double value : rule_.values.some) {
      const auto is_it = [value](double v) { return std::abs(v - value) < 1e-9; };
      if (num_inputs_ < kMany || std::ranges::any_of(seen_, is_it)) continue;
      std::cout << "FAILED " << name() << ": no input led to its value " << value << "\n";
      ++num_failures_;
    }
    const auto each = 1e6 * seconds_ / static_cast<double>(std::max<std::uint64_t>(num_inputs_, 1));
    std::cout << std::left << std::setw(33) << name() << num_inputs_ << " inputs, " << num_failures_
              << " failures; " << seen_.size() << " values, " << num_right_ << " right, "
              << num_bad_items_ << " bad items; " << std::fixed << std::setprecision(1) << each
              << " us each, slowest batch " << 1e3 * slowest_ << " ms" << std::endl;
  }

 private:
  std::vector<Outcome> score(const Batch& batch) const {
    std::vector<Outcome> out;
    out.reserve(batch.samples.size());
    if (task_) {
      for (Score& s : task_->verify(batch.samples, 0)) {
        out.push_back({s.status, s.reward, s.verdict, std::move(s.terms), std::move(s.note)});
      }
    } else {
      for (RewardScore& s : reward_->score(batch.scored, 0)) {
        out.push_back(
            {s.status, s.value, QED_VERDICT_NONE, std::move(s.tokens), std::move(s.note)});
      }
    }
    return out;
  }

  std::string problem(const Outcome& out, bool may_be_bad) const {
    if (out.status != QED_OK) {
      if (may_be_bad && out.status == QED_DATA && !out.note.empty()) return "";
      return cat("status ", out.status, ": ", out.note);
    }
    if (!may_be_bad && !rule_.values.has(out.value)) {
      return cat("the rule has no value ", out.value, " (", out.note, ")");
    }
    return out.verdict > QED_VERDICT_WRONG ? cat("unknown verdict ", out.verdict) : "";
  }

  void fail(const Batch& batch, std::size_t i, const std::string& why, const std::string& repeat) {
    if (++num_failures_ > kMaxShown) return;
    std::cout << "FAILED " << name() << ": " << why << "\n  sample   " << i << " of: " << repeat
              << "\n"
              << describe(batch, i) << std::flush;
  }

  const Rule& rule_;
  std::optional<Task> task_;
  std::optional<Reward> reward_;
  std::set<double> seen_;
  std::uint64_t num_inputs_ = 0, num_right_ = 0, num_bad_items_ = 0;
  std::size_t num_failures_ = 0;
  double seconds_ = 0, slowest_ = 0;
};

// Returns the number of failures.
std::size_t run_family(PluginHost& host, const Family& family, const Arguments& args) {
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const Rule& rule : family.rules) {
    if (!args.label.empty() && rule.label != args.label) continue;
    subjects.push_back(std::make_unique<Subject>(host, family.kind, rule));
  }
  Mutator mutator(family.grammar);
  Batch batch;
  const MemoryGuard memory;
  const std::uint64_t inputs = std::min(args.inputs, family.max_inputs);
  std::uint64_t number = args.first_batch;
  for (std::uint64_t done = 0; done < inputs; done += kBatchSize, ++number) {
    const std::string repeat = cat("fuzz_verifiers --only ", family.name, " --seed ", args.seed,
                                   " --first-batch ", number, " --inputs ", kBatchSize);
    const Deadline deadline(repeat);
    fill(batch, family, mutator, args.seed, number,
         std::min<std::size_t>(kBatchSize, inputs - done));
    for (std::size_t i = 0; args.shows && i < batch.samples.size(); ++i) {
      std::cout << "sample " << i << " of batch " << number << "\n" << describe(batch, i);
    }
    for (const auto& subject : subjects) subject->run(batch, number, repeat);
    if (number % kTwice == 0 && !subjects.empty())
      subjects.front()->use_items(batch, family.demonstrates);
  }
  std::size_t num_failures = 0;
  for (const auto& subject : subjects) {
    subject->report();
    num_failures += subject->num_failures();
  }
  if (const std::string why = memory.problem(); !why.empty()) {
    std::cout << "FAILED " << family.name << ": " << why << "\n";
    ++num_failures;
  }
  return num_failures;
}

Arguments parse(const std::vector<std::string>& args) {
  Arguments out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--show") {
      out.shows = true;
      continue;
    }
    if (i + 1 == args.size()) throw Error(cat(args[i], " needs a value"), "", kExitUsage);
    const std::string& key = args[i];
    const std::string& value = args[++i];
    if (key == "--only") {
      const auto slash = value.find('/');
      out.family = value.substr(0, slash);
      if (slash != value.npos) out.label = value.substr(slash + 1);
      continue;
    }
    std::uint64_t* const number = key == "--inputs"        ? &out.inputs
                                  : key == "--seed"        ? &out.seed
                                  : key == "--first-batch" ? &out.first_batch
                                                           : nullptr;
    const char* const end = value.data() + value.size();
    if (number == nullptr || std::from_chars(value.data(), end, *number).ptr != end) {
      throw Error(cat("bad argument `", key, " ", value, "`"), "", kExitUsage);
    }
  }
  return out;
}

int run(const std::vector<std::string>& arguments) {
  const Arguments args = parse(arguments);
  PluginHost host({QED_BINARY_DIR "/lib/qed/plugins"});
  host.add_service(kDatasetService, dataset_service());
  std::size_t num_failures = 0, num_families = 0;
  std::vector<Family> families = task_families();
  std::ranges::move(reward_families(), std::back_inserter(families));
  for (const Family& family : families) {
    if (!args.family.empty() && family.name != args.family) continue;
    ++num_families;
    num_failures += run_family(host, family, args);
  }
  if (num_families == 0) throw Error(cat("there is no family `", args.family, "`"), "", kExitUsage);
  return num_failures == 0 ? kExitOk : kExitRunFailed;
}

}  // namespace
}  // namespace qed::fuzz

int main(int argc, char** argv) {
  try {
    return qed::fuzz::run({argv + 1, argv + argc});
  } catch (const qed::Error& error) {
    std::cerr << "fuzz_verifiers: " << error.what() << "\n";
    return error.exit_code();
  }
}
