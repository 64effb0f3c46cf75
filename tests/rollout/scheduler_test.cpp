// The schedule against a model that checks what it reads: every position of a sequence must lie,
// with the right content, where the schedule says, whenever something is drawn after it.

#include "core/rollout/scheduler.h"

#include <gtest/gtest.h>

#include <map>

#include "qed/philox.h"

namespace qed {
namespace {

constexpr std::uint64_t kNothing = 0;

// Runs a schedule to its end. A position's content stands for its token: of the prompt by group, of
// a completion by sample.
class World {
 public:
  World(std::vector<SampleGroup> groups, ScheduleOptions options, std::uint64_t seed)
      : groups_(groups),
        options_(options),
        rng_(seed),
        schedule_(groups, options),
        memory_(options.num_blocks * options.block_size, kNothing),
        num_tokens_(schedule_.num_samples()) {}

  // Tokens of each sample at its end.
  std::vector<std::int64_t> run() {
    for (std::int64_t i = 0; !schedule_.is_done(); ++i) {
      if (i == 100'000) ADD_FAILURE() << "it does not end";
      if (i == 100'000 || testing::Test::HasFailure()) break;
      step();
    }
    EXPECT_EQ(schedule_.pool().num_free(), options_.num_blocks) << "every block came back";
    return num_tokens_;
  }

  std::int64_t num_preemptions() const { return schedule_.num_preemptions(); }
  std::int64_t num_rows = 0, num_steps = 0, most_running = 0;

 private:
  std::uint64_t content(std::size_t group, std::int64_t sample, std::int64_t position) const {
    const bool is_prompt = position < groups_[group].prompt_length;
    return KeyHash().add(group).add(is_prompt ? 0 : sample + 1).add(position + 1).value();
  }
  std::uint64_t& at(std::span<const std::int32_t> blocks, std::int64_t position) {
    const std::int64_t size = options_.block_size;
    return memory_.at(blocks[position / size] * size + position % size);
  }

  void step() {
    const Step& step = schedule_.plan();
    ++num_steps;
    most_running = std::max(most_running, schedule_.num_running());
    ASSERT_LE(schedule_.num_running(), options_.max_batch);
    for (const auto& [from, to] : step.copies) {
      for (std::int64_t i = 0; i < options_.block_size; ++i) {
        memory_[to * options_.block_size + i] = memory_[from * options_.block_size + i];
      }
    }
    write(step);
    schedule_.computed();
    draw(step.draws);
  }

  void write(const Step& step) {
    std::int64_t prefill = 0;
    for (const Step::Rows& r : step.rows) {
      if (r.count > 1) prefill += r.count;
      num_rows += r.count;
      for (std::int64_t p = r.first; p < r.first + r.count; ++p) {
        ASSERT_EQ(schedule_.pool().holders(r.blocks[p / options_.block_size]), 1)
            << "nobody else may see a block that is written";
        at(r.blocks, p) = content(r.group, r.sample, p);
      }
    }
    for (const Step::Rows& r : step.rows) {
      for (std::int64_t p = 0; p < r.first + r.count; ++p) {
        ASSERT_EQ(at(r.blocks, p), content(r.group, r.sample, p))
            << "group " << r.group << ", sample " << r.sample << ", position " << p;
      }
      if (r.is_end && r.sample < 0) has_prompt_end_[r.group] = true;
    }
    ASSERT_LE(prefill, options_.prefill_chunk);
  }

  void draw(const std::vector<Step::Draw>& draws) {
    for (const auto& [sample, rows] : draws) {
      const std::size_t group = schedule_.group_of(sample);
      if (rows < 0) {
        ASSERT_EQ(num_tokens_[sample], 0);
        ASSERT_TRUE(has_prompt_end_[group]);
      }
      const bool is_full = ++num_tokens_[sample] == groups_[group].max_new_tokens;
      schedule_.drew(sample, is_full || rng_.integer(0, 30) == 0);
    }
  }

  std::vector<SampleGroup> groups_;
  ScheduleOptions options_;
  Rng rng_;
  Scheduler schedule_;
  std::vector<std::uint64_t> memory_;
  std::vector<std::int64_t> num_tokens_;
  std::map<std::size_t, bool> has_prompt_end_;
};

TEST(Scheduler, KeepsEverySequenceWholeWhateverTheRoom) {
  std::int64_t num_preemptions = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed);
    std::vector<SampleGroup> groups(static_cast<std::size_t>(rng.integer(1, 12)));
    for (SampleGroup& g : groups) g = {rng.integer(1, 40), rng.integer(0, 6), rng.integer(1, 50)};
    ScheduleOptions options{.max_batch = rng.integer(1, 20),
                            .block_size = rng.integer(1, 17),
                            .prefill_chunk = rng.integer(1, 60),
                            .share_prefix = rng.integer(0, 3) > 0};
    const std::int64_t least = min_blocks(groups, options), most = max_blocks(groups, options);
    ASSERT_GE(most, least);
    options.num_blocks = std::max(least, least + (most - least) * rng.integer(0, 4) / 4);
    World world(groups, options, seed);
    for (const std::int64_t n : world.run()) ASSERT_GT(n, 0);
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
    num_preemptions += world.num_preemptions();
  }
  EXPECT_GT(num_preemptions, 100) << "small pools must have been among them";
}

TEST(Scheduler, ComputesThePromptOfAGroupOnce) {
  ScheduleOptions options{.max_batch = 64};
  const std::vector<SampleGroup> groups = {{100, 16, 1}, {37, 16, 1}, {64, 16, 1}};
  options.num_blocks = max_blocks(groups, options);
  World shared(groups, options, 1);
  shared.run();
  EXPECT_EQ(shared.num_rows, 100 + 37 + 64);
  EXPECT_EQ(shared.most_running, 48);

  options.share_prefix = false;
  options.num_blocks = max_blocks(groups, options);
  World alone(groups, options, 1);
  alone.run();
  EXPECT_EQ(alone.num_rows, 16 * (100 + 37 + 64));
}

TEST(Scheduler, NeedsNoMoreThanThePoolThatWasPlannedForAll) {
  ScheduleOptions options{.max_batch = 40, .block_size = 8};
  std::vector<SampleGroup> groups;
  for (std::int64_t g = 0; g < 30; ++g) groups.push_back({5 + 3 * g, 1 + g % 7, 20 + g});
  options.num_blocks = max_blocks(groups, options);
  World world(groups, options, 2);
  world.run();
  EXPECT_EQ(world.num_preemptions(), 0);
  EXPECT_EQ(world.most_running, 40);
}

TEST(Scheduler, GoesOnDecodingWhileALongPromptIsComputed) {
  ScheduleOptions options{.max_batch = 2, .num_blocks = 100, .prefill_chunk = 16};
  Scheduler schedule({{1, 1, 50}, {160, 1, 1}}, options);
  for (int i = 0; i < 10; ++i) {
    const Step& step = schedule.plan();
    ASSERT_EQ(step.rows.size(), 2u);
    EXPECT_EQ(step.rows[0].count, 1);
    EXPECT_EQ(step.rows[1].count, 16);
    EXPECT_EQ(step.draws.size(), i == 9 ? 2u : 1u);
    schedule.computed();
    schedule.drew(0, false);
  }
}

TEST(Scheduler, PutsTheYoungestAside) {
  ScheduleOptions options{.max_batch = 3, .block_size = 1, .num_blocks = 10, .share_prefix = false};
  Scheduler schedule({{1, 1, 9}, {1, 1, 9}, {1, 1, 9}}, options);
  std::vector<std::size_t> drawn;
  for (int i = 0; i < 4; ++i) {
    drawn.clear();
    const Step step = schedule.plan();
    schedule.computed();
    for (const auto& d : step.draws) drawn.push_back(d.sample);
    for (const auto& d : step.draws) schedule.drew(d.sample, false);
  }
  EXPECT_EQ(drawn, (std::vector<std::size_t>{0, 1})) << "three of length 4 do not fit in 10";
  EXPECT_EQ(schedule.num_preemptions(), 1);
}

TEST(BlockPool, CountsHoldersAndGivesTheLowestFreeBlock) {
  BlockPool pool(4);
  EXPECT_EQ(pool.take(), 0);
  EXPECT_EQ(pool.take(), 1);
  EXPECT_EQ(pool.take(), 2);
  pool.share(0);
  pool.release(0);
  EXPECT_EQ(pool.num_free(), 1) << "still held once";
  pool.release(1);
  pool.release(0);
  EXPECT_EQ(pool.num_free(), 3);
  EXPECT_EQ(pool.take(), 0);
  EXPECT_EQ(pool.take(), 1);
  EXPECT_EQ(pool.take(), 3);
  EXPECT_THROW(pool.take(), std::logic_error);
  EXPECT_THROW(BlockPool(2).release(0), std::logic_error);
}

}  // namespace
}  // namespace qed
