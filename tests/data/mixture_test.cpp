#include "core/data/mixture.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

namespace qed {
namespace {

using ::testing::HasSubstr;

class Mixtures : public testing::Test {
 protected:
  using Key = std::pair<std::size_t, std::string>;
  static std::vector<Key> take(Mixture& mixture, std::size_t n) {
    std::vector<Key> out;
    for (std::size_t i = 0; i < n; ++i) {
      const Mixture::Pick pick = mixture.next();
      out.emplace_back(pick.source, pick.item.key);
    }
    return out;
  }
  std::vector<MixtureSource> two(double a = 1, double b = 1) const {
    return {{&largest_, "largest", a}, {&sums_, "sums", b}};
  }
  MixtureSource narrow() const { return {&largest_, "largest", 1, {0.2, 0.8}}; }

  PluginHost host_{{product_plugins(), test_plugins()}};
  Task largest_{host_.load("task", "largest"), "{}", host_.abi()};  // 1000 items in two splits
  Task sums_{host_.load("task", "arithmetic"),
             options_with(host_.load("task", "arithmetic").spec, {{"digits", 3}}), host_.abi()};
  const KeyHash key_ = KeyHash().add(7);
};

TEST_F(Mixtures, ATaskAloneHasTheOrderOfItsStream) {
  const std::unordered_set<std::string> none;
  ItemStream stream(largest_, "train", key_.value(), none);
  Mixture mixture({{&largest_, "largest"}}, key_);
  for (const auto& [source, key] : take(mixture, 50)) EXPECT_EQ(key, stream.next().key);
}

TEST_F(Mixtures, TasksComeAsOftenAsTheirWeightsSay) {
  Mixture mixture(two(3, 1), key_);
  int first = 0;
  constexpr int kDraws = 4000;
  for (const Key& k : take(mixture, kDraws)) first += k.first == 0 ? 1 : 0;
  EXPECT_NEAR(first, kDraws * 0.75, 5 * std::sqrt(kDraws * 0.75 * 0.25));  // 5 sigma
}

TEST_F(Mixtures, AnotherTaskBesideItLeavesTheOrderOfATaskAsItIs) {
  Mixture few(two(1, 1), key_), many(two(1, 9), key_);
  const auto of_first = [&](Mixture& m) {
    std::vector<std::string> keys;
    while (keys.size() < 20) {
      const Mixture::Pick pick = m.next();
      if (pick.source == 0) keys.push_back(pick.item.key);
    }
    return keys;
  };
  EXPECT_EQ(of_first(few), of_first(many));
}

TEST_F(Mixtures, GoOnFromTheirState) {
  const auto sources = [&] { return std::vector<MixtureSource>{narrow(), {&sums_, "sums"}}; };
  Mixture whole(sources(), key_), first(sources(), key_), second(sources(), key_);
  const auto run = [&](Mixture& mixture, int n) {
    std::vector<Key> out;
    for (int i = 0; i < n; ++i) {
      out.push_back(take(mixture, 1)[0]);
      mixture.report(out.back().first, out.back().second, i % 3, 2);
    }
    return out;
  };
  const std::vector<Key> expected = run(whole, 3000);
  std::vector<Key> found = run(first, 1500);
  second.restore(first.state());
  EXPECT_EQ(second.state(), first.state());
  for (const Key& k : run(second, 1500)) found.push_back(k);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(second.state(), whole.state());
}

TEST_F(Mixtures, AnItemOutsideOfTheWindowIsLeftOutAndAskedAgainLater) {
  Mixture mixture({narrow()}, key_);
  const std::uint64_t n = largest_.count("train");
  const auto epoch = take(mixture, n);
  const std::set<Key> all(epoch.begin(), epoch.end());
  ASSERT_EQ(all.size(), n);
  for (std::size_t i = 0; i < n; ++i) {  // too hard, just right, too easy
    mixture.report(0, epoch[i].second, static_cast<int>(i % 3) * 2, 4);
  }
  std::set<Key> right;
  for (std::size_t i = 1; i < n; i += 3) right.insert(epoch[i]);
  const auto next = take(mixture, right.size());
  EXPECT_EQ(std::set<Key>(next.begin(), next.end()), right);
  EXPECT_GE(mixture.num_skipped(), 1u);
  // Three more epochs of those, then everything once more.
  take(mixture, 3 * right.size());
  const auto last = take(mixture, n);
  EXPECT_EQ(std::set<Key>(last.begin(), last.end()), all);
}

TEST_F(Mixtures, ThePassRateFollowsTheNewestVisits) {
  Mixture mixture({narrow()}, key_);
  const std::string key = mixture.next().item.key;
  for (int i = 0; i < 8; ++i) mixture.report(0, key, 4, 4);
  EXPECT_THAT(mixture.state(), HasSubstr("\"" + key + "\""));
  mixture.report(0, key, 0, 4);  // (almost 4) / (almost 8)
  bool is_back = false;
  for (const Key& k : take(mixture, 2 * largest_.count("train"))) is_back |= k.second == key;
  EXPECT_TRUE(is_back);
}

TEST_F(Mixtures, AWindowNeedsItemsThatComeAgain) {
  const Failure f = failure_of([&] { Mixture({{&sums_, "sums", 1, {0.2, 0.8}}}, key_); });
  EXPECT_EQ(f.message, "`window` of task `sums`: its items are generated, and come once");
  EXPECT_EQ(f.exit_code, kExitUsage);
}

TEST_F(Mixtures, AStateThatIsNoneIsRefused) {
  Mixture mixture(two(), key_);
  for (const char* text : {"{}", "[", R"({"position":1,"tasks":[]})"}) {
    EXPECT_THAT(failure_of([&] { mixture.restore(text); }).message,
                HasSubstr("the state of the data in the checkpoint is damaged"));
  }
}

}  // namespace
}  // namespace qed
