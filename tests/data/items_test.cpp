#include "core/data/items.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "qed/hash.h"
#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

namespace qed {
namespace {

const std::unordered_set<std::string> kNone;

class Items : public testing::Test {
 protected:
  static std::vector<std::string> take(ItemStream& stream, std::size_t n) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < n; ++i) keys.push_back(stream.next().key);
    return keys;
  }

  // The options of arithmetic, with operands of so many digits.
  std::string digits(int n) {
    return options_with(host_.load("task", "arithmetic").spec, {{"digits", n}});
  }

  PluginHost host_{{product_plugins(), test_plugins()}};
  Task largest_{host_.load("task", "largest"), "{}", host_.abi()};       // 1000 items in two splits
  Task sums_{host_.load("task", "arithmetic"), digits(3), host_.abi()};  // generative
};

TEST(Shuffled, IsAPermutationFixedByItsKey) {
  for (const std::uint64_t n : {0, 1, 2, 3, 100, 1000}) {
    auto order = shuffled(n, 5);
    EXPECT_EQ(order, shuffled(n, 5));
    std::sort(order.begin(), order.end());
    std::vector<std::uint64_t> all(n);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(order, all) << n;
  }
  EXPECT_NE(shuffled(100, 5), shuffled(100, 6));
}

TEST(Shuffled, PutsEveryNumberAnywhereWithTheSameChance) {
  constexpr int kOrders = 60'000;
  int count[4][4] = {};
  for (std::uint64_t key = 0; key < kOrders; ++key) {
    const auto order = shuffled(4, key);
    for (int i = 0; i < 4; ++i) ++count[i][order[i]];
  }
  for (const auto& row : count) {
    for (const int n : row)
      EXPECT_NEAR(n, kOrders / 4, 5 * std::sqrt(kOrders * 3.0 / 16));  // 5 sigma
  }
}

TEST_F(Items, EachEpochHoldsEveryItemOnceInAnOrderOfItsOwn) {
  const std::uint64_t count = largest_.count("train");
  ItemStream stream(largest_, "train", 7, kNone);
  const auto first = take(stream, count), second = take(stream, count);
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), count);
  EXPECT_EQ(std::set(second.begin(), second.end()), std::set(first.begin(), first.end()));
  EXPECT_NE(second, first);
  EXPECT_EQ(stream.cursor(), 2 * count);
}

TEST_F(Items, SeekingGoesWhereWalkingGoes) {
  for (const Task* task : {&largest_, &sums_}) {
    ItemStream walking(*task, "train", 3, kNone);
    const auto keys = take(walking, 2000);  // more than two epochs of the finite one
    for (const std::uint64_t cursor : {0, 1, 799, 800, 801, 1500}) {
      ItemStream seeking(*task, "train", 3, kNone);
      take(seeking, 5);
      seeking.seek(cursor);
      EXPECT_EQ(take(seeking, 20), std::vector(keys.begin() + cursor, keys.begin() + cursor + 20))
          << cursor;
      EXPECT_EQ(seeking.cursor(), cursor + 20);
    }
  }
}

TEST_F(Items, AnotherKeyIsAnotherOrder) {
  for (const Task* task : {&largest_, &sums_}) {
    ItemStream a(*task, "train", 3, kNone), b(*task, "train", 4, kNone);
    EXPECT_NE(take(a, 10), take(b, 10));
  }
}

TEST_F(Items, HeldOutItemsAreDroppedAndCounted) {
  const std::uint64_t count = largest_.count("train");
  std::unordered_set<std::string> held_out;
  for (std::uint64_t i = 0; i < count; i += 4) held_out.insert(largest_.load("train", i).key);
  ItemStream stream(largest_, "train", 7, held_out);
  const std::size_t left = count - held_out.size();
  for (const std::string& key : take(stream, 2 * left)) EXPECT_FALSE(held_out.contains(key));
  const std::uint64_t walked = stream.cursor();
  EXPECT_EQ(stream.num_dropped(), walked - 2 * left);
  EXPECT_GE(walked, 2 * left + held_out.size());
  EXPECT_LE(walked, 2 * count);
}

TEST_F(Items, ASplitThatIsHeldOutWholeIsAnError) {
  std::unordered_set<std::string> held_out;
  for (std::uint64_t i = 0; i < largest_.count("train"); ++i)
    held_out.insert(largest_.load("train", i).key);
  ItemStream stream(largest_, "train", 7, held_out);
  EXPECT_EQ(failure_of([&] { stream.next(); }).message,
            "every item of split `train` of task `largest` is held out for evaluation");
}

TEST_F(Items, EvaluationItemsAreTheFirstOfTheirSplit) {
  const auto items = evaluation_items(largest_, "test", 50);
  ASSERT_EQ(items.size(), 50u);
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(items[i].key, largest_.load("test", i).key);
  EXPECT_EQ(evaluation_items(largest_, "test", 100'000).size(), largest_.count("test"));
}

TEST_F(Items, EvaluationItemsOfAGenerativeSplitAreDistinctAndAllThereAre) {
  std::set<std::string> keys;
  for (const Item& item : evaluation_items(sums_, sums_.splits()[1], 512)) keys.insert(item.key);
  EXPECT_EQ(keys.size(), 512u);

  std::set<std::string> expected;  // one digit: a key is "min+max", and crc32 holds out a fifth
  for (int a = 1; a <= 9; ++a) {
    for (int b = a; b <= 9; ++b) {
      const std::string key = std::to_string(a) + "+" + std::to_string(b);
      if (crc32(key) % 5 == 0) expected.insert(key);
    }
  }
  const Task one_digit(host_.load("task", "arithmetic"), digits(1), host_.abi());
  std::set<std::string> found;
  for (const Item& item : evaluation_items(one_digit, one_digit.splits()[1], 512))
    found.insert(item.key);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace qed
