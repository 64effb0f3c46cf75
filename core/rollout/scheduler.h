#pragma once

// Continuous batching, as bookkeeping: which positions of which sequences the next forward
// computes, and in which blocks of the KV pool they lie. Knows no token and no tensor.
//
// Samples of one prompt are a group. Its prompt is computed once, as the group's prefix; samples
// share its full blocks and copy the last, partial one. Samples start in order, as slots and blocks
// allow. Where blocks run out, prefixes that only wait are dropped, then the youngest running
// sample is put aside; it is computed again, with the tokens that it has, when there is room. None
// of this changes a result: a row of the model depends on its own sequence alone.

#include "core/rollout/blocks.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace qed {

struct ScheduleOptions {
  std::int64_t max_batch = 512;      // samples in flight
  std::int64_t block_size = 16;      // positions of a block
  std::int64_t num_blocks = 0;       // of the pool; at least min_blocks
  std::int64_t prefill_chunk = 512;  // prompt positions per step, over all sequences
  bool share_prefix = true;
};

// A prompt and its samples; those of all groups are numbered through.
struct SampleGroup {
  std::int64_t prompt_length;  // >= 1
  std::int64_t num_samples;
  std::int64_t max_new_tokens;  // >= 1
};

// Blocks without which not even one sample at a time could end; and the most that can be in use.
std::int64_t min_blocks(std::span<const SampleGroup> groups, const ScheduleOptions& options);
std::int64_t max_blocks(std::span<const SampleGroup> groups, const ScheduleOptions& options);

struct Step {
  // Block contents to be copied, before the forward.
  struct Copy {
    std::int32_t from, to;
  };
  // Positions first .. first + count - 1 of a sequence, for the forward.
  struct Rows {
    std::size_t group;
    std::int64_t sample;  // -1: the prompt, for all samples of the group
    std::int64_t first, count;
    std::span<const std::int32_t> blocks;  // of the sequence, from position 0; until the next plan
    bool is_end;  // the last of them is the last token there is: what follows can be drawn
  };
  // A sample whose next token can be drawn after the forward.
  struct Draw {
    std::size_t sample;
    std::int64_t rows;  // index of the Rows whose last row it follows; -1: the group's prompt,
  };                    // whose end was computed in an earlier step
  std::vector<Copy> copies;
  std::vector<Rows> rows;
  std::vector<Draw> draws;
};

// Not thread-safe.
class Scheduler {
 public:
  Scheduler(std::vector<SampleGroup> groups, const ScheduleOptions& options);

  bool is_done() const { return waiting_.empty() && running_.empty(); }
  std::size_t num_samples() const { return samples_.size(); }
  std::size_t group_of(std::size_t sample) const { return samples_[sample].group; }

  // The next step; the caller runs it, then calls `computed`, and `drew` for each of its draws.
  const Step& plan();
  void computed();
  // A token was drawn for a sample; it goes on unless it has finished.
  void drew(std::size_t sample, bool has_finished);

  std::int64_t num_preemptions() const { return num_preemptions_; }
  std::int64_t num_running() const { return static_cast<std::int64_t>(running_.size()); }
  const BlockPool& pool() const { return pool_; }

 private:
  // Positions in the cache.
  struct Chain {
    std::vector<std::int32_t> blocks;
    std::int64_t num_computed = 0;
  };
  struct Group {
    SampleGroup spec;
    std::size_t first_sample;
    Chain prefix;  // of the prompt; no blocks: there is none
  };
  struct Sample {
    std::size_t group;
    std::int64_t num_tokens = 0;  // drawn
    Chain chain;
  };

  std::int64_t length(const Sample& s) const {
    return groups_[s.group].spec.prompt_length + s.num_tokens;
  }
  std::int64_t blocks_of(std::int64_t positions) const {
    return blocks_for(positions, options_.block_size);
  }
  std::int64_t most_blocks(const Sample& s) const {
    const SampleGroup& spec = groups_[s.group].spec;
    return blocks_of(spec.prompt_length + spec.max_new_tokens);
  }
  bool is_head(std::size_t group) const { return samples_[*waiting_.begin()].group == group; }
  bool is_ready(const Group& g) const {
    return !g.prefix.blocks.empty() && g.prefix.num_computed == g.spec.prompt_length;
  }

  void extend(Chain& chain, std::int64_t positions);
  void release(Chain& chain);
  void drop_prefix(std::size_t group);
  bool drop_a_prefix(std::size_t except);
  void put_aside(std::size_t sample);
  void grow_running();
  void admit();
  bool has_room(std::int64_t blocks, std::size_t group);
  bool start_prefix(std::size_t group);
  bool start_sample(std::size_t sample);
  void share_prefix(std::size_t sample, bool is_last);
  void list_rows();
  bool add_rows(std::size_t group, std::int64_t sample, const Chain& chain, std::int64_t end,
                std::int64_t& budget);

  ScheduleOptions options_;
  BlockPool pool_;
  std::vector<Group> groups_;
  std::vector<Sample> samples_;
  std::set<std::size_t> waiting_, running_;  // samples; the lowest is the oldest
  std::set<std::size_t> prefixes_;           // groups that have one
  Step step_;
  std::int64_t growth_ = 0;  // blocks that running samples may still ask for
  std::int64_t num_preemptions_ = 0;
};

}  // namespace qed
