#include "core/rollout/scheduler.h"

#include "core/util/error.h"

#include <algorithm>

namespace qed {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

bool is_shared(const SampleGroup& g, const ScheduleOptions& o) {
  return o.share_prefix && g.num_samples > 1;
}

}  // namespace

std::int64_t min_blocks(std::span<const SampleGroup> groups, const ScheduleOptions& options) {
  std::int64_t most = 0;
  for (const SampleGroup& g : groups) {
    const std::int64_t one = blocks_for(g.prompt_length + g.max_new_tokens, options.block_size);
    most = std::max(most, one + (is_shared(g, options) ? 1 : 0));
  }
  return most;
}

std::int64_t max_blocks(std::span<const SampleGroup> groups, const ScheduleOptions& options) {
  std::vector<SampleGroup> order(groups.begin(), groups.end());
  const auto positions = [](const SampleGroup& g) { return g.prompt_length + g.max_new_tokens; };
  std::ranges::stable_sort(order, std::ranges::greater(), positions);
  std::int64_t slots = options.max_batch, blocks = 0;
  for (const SampleGroup& g : order) {
    const std::int64_t samples = std::min(slots, g.num_samples);
    if (samples == 0) continue;
    const std::int64_t full = is_shared(g, options) ? g.prompt_length / options.block_size : 0;
    const std::int64_t one = blocks_for(positions(g), options.block_size);
    blocks += samples * (one - full) + (is_shared(g, options) ? full + 1 : 0);
    slots -= samples;
  }
  return std::max(blocks, min_blocks(groups, options));
}

Scheduler::Scheduler(std::vector<SampleGroup> groups, const ScheduleOptions& options)
    : options_(options), pool_(options.num_blocks) {
  QED_CHECK(options.num_blocks >= min_blocks(groups, options) && options.max_batch > 0 &&
                options.prefill_chunk > 0,
            options.num_blocks, " blocks");
  for (const SampleGroup& spec : groups) {
    groups_.push_back({spec, samples_.size(), {}});
    for (std::int64_t i = 0; i < spec.num_samples; ++i) {
      waiting_.insert(waiting_.end(), samples_.size());
      samples_.push_back({groups_.size() - 1, 0, {}});
    }
  }
}

const Step& Scheduler::plan() {
  step_.copies.clear();
  step_.rows.clear();
  step_.draws.clear();
  grow_running();
  admit();
  list_rows();
  QED_CHECK(!step_.rows.empty() || !step_.draws.empty() || is_done(), "nothing can go on");
  return step_;
}

void Scheduler::computed() {
  for (const Step::Rows& r : step_.rows) {
    Chain& chain =
        r.sample < 0 ? groups_[r.group].prefix : samples_[static_cast<std::size_t>(r.sample)].chain;
    chain.num_computed += r.count;
  }
}

void Scheduler::drew(std::size_t sample, bool has_finished) {
  Sample& s = samples_[sample];
  ++s.num_tokens;
  if (!has_finished) return;
  release(s.chain);
  running_.erase(sample);
}

void Scheduler::extend(Chain& chain, std::int64_t positions) {
  while (static_cast<std::int64_t>(chain.blocks.size()) < blocks_of(positions)) {
    chain.blocks.push_back(pool_.take());
  }
}

void Scheduler::release(Chain& chain) {
  for (const std::int32_t block : chain.blocks) pool_.release(block);
  chain = {};
}

void Scheduler::drop_prefix(std::size_t group) {
  release(groups_[group].prefix);
  prefixes_.erase(group);
}

// Drops the youngest prefix that holds a block alone. Returns false when there is none.
bool Scheduler::drop_a_prefix(std::size_t except) {
  const auto frees = [&](std::size_t group) {
    return group != except && std::ranges::any_of(groups_[group].prefix.blocks, [&](auto block) {
             return pool_.holders(block) == 1;
           });
  };
  const auto found = std::find_if(prefixes_.rbegin(), prefixes_.rend(), frees);
  if (found == prefixes_.rend()) return false;
  drop_prefix(*found);
  return true;
}

void Scheduler::put_aside(std::size_t sample) {
  release(samples_[sample].chain);
  running_.erase(sample);
  waiting_.insert(sample);
  ++num_preemptions_;
}

// Every running sample gets blocks for all its tokens, or is put aside; the oldest ones first.
void Scheduler::grow_running() {
  for (auto it = running_.begin(); it != running_.end();) {
    const std::size_t sample = *it;
    Sample& s = samples_[sample];
    const auto lacks_block = [&] {
      return running_.contains(sample) &&
             static_cast<std::int64_t>(s.chain.blocks.size()) < blocks_of(length(s));
    };
    while (lacks_block()) {
      if (pool_.num_free() > 0) {
        s.chain.blocks.push_back(pool_.take());
      } else if (!drop_a_prefix(kNone)) {
        put_aside(*running_.rbegin());
      }
    }
    it = running_.upper_bound(sample);
  }
}

void Scheduler::admit() {
  growth_ = 0;
  for (const std::size_t sample : running_) {
    const Sample& s = samples_[sample];
    growth_ += most_blocks(s) - static_cast<std::int64_t>(s.chain.blocks.size());
  }
  std::int64_t promised = 0;  // slots for samples whose prompt is being computed
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (num_running() + promised >= options_.max_batch) return;
    const std::size_t sample = *it, group = samples_[sample].group;
    Group& g = groups_[group];
    if (is_shared(g.spec, options_) && !is_ready(g)) {
      if (g.prefix.blocks.empty() && !start_prefix(group)) return;
      if (is_ready(g)) continue;
      const std::size_t end = g.first_sample + static_cast<std::size_t>(g.spec.num_samples);
      promised += static_cast<std::int64_t>(end - sample);
      it = waiting_.lower_bound(end);
    } else {
      if (!start_sample(sample)) return;
      it = waiting_.upper_bound(sample);
    }
  }
}

// Whether so many blocks can be taken for a group and still leave one for each running sample that
// may ask for one.
bool Scheduler::has_room(std::int64_t blocks, std::size_t group) {
  const std::int64_t margin = std::min(num_running(), growth_);
  if (pool_.num_free() - blocks >= margin) return true;
  if (!running_.empty() || !is_head(group)) return false;
  // Nothing runs, so nothing will be given back: what only waits makes room for the oldest.
  while (pool_.num_free() < blocks && drop_a_prefix(group)) {
  }
  return pool_.num_free() >= blocks;
}

bool Scheduler::start_prefix(std::size_t group) {
  Group& g = groups_[group];
  const std::int64_t full = g.spec.prompt_length / options_.block_size;
  // A sample of the group that runs has the full blocks already.
  const auto end =
      running_.lower_bound(g.first_sample + static_cast<std::size_t>(g.spec.num_samples));
  const auto has_full = [&](std::size_t sample) {
    return samples_[sample].chain.num_computed >= full * options_.block_size;
  };
  const auto sibling = std::find_if(running_.lower_bound(g.first_sample), end, has_full);
  const bool can_share = full > 0 && sibling != end;
  const std::int64_t blocks = blocks_of(g.spec.prompt_length) - (can_share ? full : 0);
  if (!has_room(blocks, group)) return false;
  if (can_share) {
    const auto& from = samples_[*sibling].chain.blocks;
    g.prefix.blocks.assign(from.begin(), from.begin() + full);
    for (const std::int32_t block : g.prefix.blocks) pool_.share(block);
    g.prefix.num_computed = full * options_.block_size;
  }
  extend(g.prefix, g.spec.prompt_length);
  prefixes_.insert(group);
  return true;
}

bool Scheduler::start_sample(std::size_t sample) {
  Sample& s = samples_[sample];
  const Group& g = groups_[s.group];
  std::int64_t blocks = blocks_of(length(s) + 1);
  const bool shares = is_shared(g.spec, options_);
  const auto next = waiting_.upper_bound(sample);
  const bool is_last = next == waiting_.end() || samples_[*next].group != s.group;
  if (shares) {
    const bool takes_tail = is_last && g.spec.prompt_length % options_.block_size != 0;
    blocks -= g.spec.prompt_length / options_.block_size + (takes_tail ? 1 : 0);
  }
  if (!has_room(blocks, s.group)) return false;
  if (shares) share_prefix(sample, is_last);
  extend(s.chain, length(s));
  growth_ += most_blocks(s) - static_cast<std::int64_t>(s.chain.blocks.size());
  waiting_.erase(sample);
  running_.insert(sample);
  return true;
}

// The prompt's full blocks are shared; of the partial one each sample needs its own. The last
// sample takes over the prefix's.
void Scheduler::share_prefix(std::size_t sample, bool is_last) {
  Sample& s = samples_[sample];
  const Group& g = groups_[s.group];
  const auto full = static_cast<std::size_t>(g.spec.prompt_length / options_.block_size);
  for (std::size_t i = 0; i < g.prefix.blocks.size(); ++i) {
    const std::int32_t block = g.prefix.blocks[i];
    if (i < full || is_last) {
      pool_.share(block);
      s.chain.blocks.push_back(block);
    } else {
      s.chain.blocks.push_back(pool_.take());
      step_.copies.push_back({block, s.chain.blocks.back()});
    }
  }
  s.chain.num_computed = g.spec.prompt_length;
  if (is_last) drop_prefix(s.group);
}

void Scheduler::list_rows() {
  std::int64_t budget = options_.prefill_chunk;
  for (const std::size_t sample : running_) {
    const Sample& s = samples_[sample];
    if (s.chain.num_computed == length(s)) {  // it has just started, after its group's prompt
      step_.draws.push_back({sample, -1});
    } else if (add_rows(s.group, static_cast<std::int64_t>(sample), s.chain, length(s), budget)) {
      step_.draws.push_back({sample, static_cast<std::int64_t>(step_.rows.size()) - 1});
    }
  }
  for (const std::size_t group : prefixes_) {
    const Group& g = groups_[group];
    if (!is_ready(g)) add_rows(group, -1, g.prefix, g.spec.prompt_length, budget);
  }
}

// Lists what is left up to `end`, as far as the budget goes; one row alone costs none of it.
// Returns true when the end is reached.
bool Scheduler::add_rows(std::size_t group, std::int64_t sample, const Chain& chain,
                         std::int64_t end, std::int64_t& budget) {
  const std::int64_t left = end - chain.num_computed;
  const std::int64_t count = left == 1 ? 1 : std::min(left, budget);
  if (count == 0) return false;
  if (left > 1) budget -= count;
  step_.rows.push_back({group, sample, chain.num_computed, count, chain.blocks, count == left});
  return count == left;
}

}  // namespace qed
