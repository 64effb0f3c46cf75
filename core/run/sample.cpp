// `qed sample`: verified completions of a task's items, as rows that supervised training reads.

#include "core/run/engine_call.h"
#include "core/run/evaluate.h"
#include "core/run/result_rows.h"
#include "core/run/task_session.h"
#include "core/util/error.h"
#include "core/util/files.h"
#include "core/util/words.h"

#include "qed/abi.h"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace qed {

namespace {

constexpr std::int64_t kBatchesPerPart = 4;

// What has been written so far.
struct Tally {
  std::size_t num_groups = 0, num_completions = 0, num_right = 0, num_solved = 0, num_written = 0;
};

class Sampling {
 public:
  explicit Sampling(const TaskCommand& command)
      : command_(command), session_(command), scorer_(session_.task()) {
    if (!command.output.empty()) file_ = std::make_unique<AppendFile>(command.output, 0);
  }

  int run() {
    const Task& task = session_.task();
    const std::string split = command_.split.empty() ? task.splits().front() : command_.split;
    const auto all = session_.prompts(items(split));
    Transformer model = session_.load_model(all);
    const GenerateOptions options = session_.generate_options(all.size() * session_.plans().size());
    // In parts, so that what is done is written, and memory bounded.
    const auto part = static_cast<std::size_t>(
        std::max<std::int64_t>(1, kBatchesPerPart * command_.max_batch / command_.num_samples));
    for (std::size_t begin = 0; begin < all.size() && !session_.is_cancelled(); begin += part) {
      const std::size_t size = std::min(part, all.size() - begin);
      ScoredGroups groups = requests(std::span(all).subspan(begin, size));
      complete(model, session_.tokenizer(), std::vector<const Scorer*>(size, &scorer_), options,
               command_.seed, groups);
      check_failures(groups.scored, task.name(), command_.max_failure_frac);
      write(groups);
    }
    session_.clear();
    std::fprintf(stderr, "%s of %s: %zu right, %zu of the items solved; wrote %s\n",
                 counted(tally_.num_completions, "completion").c_str(),
                 counted(tally_.num_groups, "item").c_str(), tally_.num_right, tally_.num_solved,
                 counted(tally_.num_written, "row").c_str());
    return session_.is_cancelled() ? kExitInterrupted : kExitOk;
  }

 private:
  // Training must not see what evaluations ask.
  std::vector<Item> items(const std::string& split) const {
    const Task& task = session_.task();
    const auto held_out = task.splits().size() > 1 && split != task.splits()[1]
                              ? held_out_keys(task, 0)
                              : std::unordered_set<std::string>();
    std::vector<Item> found = evaluation_items(
        task, split, command_.num_items + static_cast<std::int64_t>(held_out.size()));
    std::erase_if(found, [&](const Item& item) { return held_out.contains(item.key); });
    if (found.size() > static_cast<std::size_t>(command_.num_items)) {
      found.resize(static_cast<std::size_t>(command_.num_items));
    }
    return found;
  }

  ScoredGroups requests(std::span<const RenderedPrompt> prompts) const {
    ScoredGroups out;
    out.prompts.assign(prompts.begin(), prompts.end());
    for (const RenderedPrompt& p : out.prompts) {
      GenerateRequest& request = out.requests.emplace_back(request_of(p));
      for (std::size_t s = 0; s < session_.plans().size(); ++s) {
        const std::uint64_t key = KeyHash()
                                      .add(command_.seed)
                                      .add("sample")
                                      .add(session_.task().name())
                                      .add(p.item.key)
                                      .add(s)
                                      .value();
        request.samples.push_back({&session_.plans()[s], key});
      }
    }
    return out;
  }

  void write(const ScoredGroups& groups) {
    std::string lines;
    std::size_t index = 0;
    for (std::size_t g = 0; g < groups.prompts.size(); ++g) {
      bool is_solved = false;
      for (std::size_t s = 0; s < groups.completions[g].size(); ++s, ++index) {
        const Score& score = groups.scored.scores[index];
        const bool is_right = score.status == QED_OK && score.verdict == QED_VERDICT_RIGHT;
        tally_.num_right += is_right ? 1 : 0;
        is_solved |= is_right;
        if (command_.only_right && !is_right) continue;
        lines += sample_line(session_.tokenizer(), scorer_, groups, g, s, index);
        ++tally_.num_written;
      }
      tally_.num_solved += is_solved ? 1 : 0;
      ++tally_.num_groups;
    }
    tally_.num_completions += index;
    if (file_) {
      file_->append(lines);
    } else {
      session_.clear();
      std::fwrite(lines.data(), 1, lines.size(), stdout);
      std::fflush(stdout);
    }
  }

  const TaskCommand& command_;
  TaskSession session_;
  Scorer scorer_;
  std::unique_ptr<AppendFile> file_;
  Tally tally_;
};

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_sample(
    const qed::TaskCommand& command) {
  return qed::engine_call([&] {
    qed::use_threads(command.threads);
    return qed::Sampling(command).run();
  });
}
