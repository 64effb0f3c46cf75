#include "core/train/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class T>
std::vector<T> values(const at::Tensor& t) {
  return {t.const_data_ptr<T>(), t.const_data_ptr<T>() + t.numel()};
}

class Packing : public testing::Test {
 protected:
  using Ids = std::vector<std::int32_t>;
  using Sizes = std::vector<std::int64_t>;

  const Ids prompt_a = {10, 11, 12}, completion_a = {13, 14}, prompt_b = {20};
  const Ids completion_b = {21, 22, 23};
};

TEST_F(Packing, LaysSequencesEndToEndWithoutTheirLastTokens) {
  const Sequence sequences[] = {
      {.prompt = prompt_a, .completion = completion_a},
      {.prompt = prompt_b, .completion = completion_b, .inv_temperature = 2}};
  const Packed p = pack(sequences);
  EXPECT_THAT(values<std::int64_t>(p.id), ElementsAre(10, 11, 12, 13, 20, 21, 22));
  EXPECT_THAT(values<std::int64_t>(p.position), ElementsAre(0, 1, 2, 3, 0, 1, 2));
  EXPECT_THAT(p.offset, ElementsAre(0, 4, 7));
  EXPECT_THAT(values<std::int64_t>(p.row), ElementsAre(2, 3, 4, 5, 6));
  EXPECT_THAT(values<std::int64_t>(p.target), ElementsAre(13, 14, 21, 22, 23));
  EXPECT_THAT(values<float>(p.inv_temperature), ElementsAre(1, 1, 2, 2, 2));
  EXPECT_THAT(p.support->offset, IsEmpty());
  EXPECT_THAT(p.support->ids, IsEmpty());
}

TEST_F(Packing, KeepsSupportsBesideTokensThatHaveNone) {
  const Sizes size_a = {2, 0};
  const Ids support_a = {13, 15};
  const Sizes size_b = {1, 0, 3};
  const Ids support_b = {21, 1, 2, 23};
  const Sequence a{
      .prompt = prompt_a, .completion = completion_a, .support_size = size_a, .support = support_a};
  const Sequence b{
      .prompt = prompt_b, .completion = completion_b, .support_size = size_b, .support = support_b};
  const Sequence none{.prompt = prompt_a, .completion = completion_a};
  const Sequence sequences[] = {a, none, b};
  const Packed p = pack(sequences);
  EXPECT_THAT(p.support->offset, ElementsAre(0, 2, 2, 2, 2, 3, 3, 6));
  EXPECT_THAT(p.support->ids, ElementsAre(13, 15, 21, 1, 2, 23));
}

TEST_F(Packing, MicroBatchesHoldAtMostSoManyRowsAndAtLeastOneSequence) {
  const Ids one = {1}, four = {1, 2, 3, 4}, ten(10, 5);
  const std::vector<Ids> prompts(5, one);
  std::vector<Sequence> s;  // rows: 4, 4, 10, 1, 4
  for (const Ids* completion : {&four, &four, &ten, &one, &four}) {
    s.push_back({.prompt = prompts[s.size()], .completion = *completion});
  }
  EXPECT_THAT(micro_batches(s, 8), ElementsAre(0, 2, 3, 5));
  EXPECT_THAT(micro_batches(s, 7), ElementsAre(0, 1, 2, 3, 5));
  EXPECT_THAT(micro_batches(s, 1), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(micro_batches(s, 1000), ElementsAre(0, 5));
}

TEST_F(Packing, NeighboursOfOnePromptShareItsRows) {
  const Ids one = {31}, also_a = prompt_a;
  const Sequence sequences[] = {{.prompt = prompt_a, .completion = completion_a},
                                {.prompt = prompt_a, .completion = one},
                                {.prompt = prompt_a, .completion = completion_b},
                                {.prompt = also_a, .completion = completion_a}};
  const Packed p = pack(sequences, Prompts::kShared);
  EXPECT_THAT(values<std::int64_t>(p.id), ElementsAre(10, 11, 12, 13, 21, 22, 10, 11, 12, 13));
  EXPECT_THAT(values<std::int64_t>(p.position), ElementsAre(0, 1, 2, 3, 3, 4, 0, 1, 2, 3));
  EXPECT_THAT(p.offset, ElementsAre(0, 3, 4, 6, 10));
  EXPECT_THAT(p.prefix, ElementsAre(-1, 0, 0, -1));
  EXPECT_THAT(values<std::int64_t>(p.row), ElementsAre(2, 3, 2, 2, 4, 5, 8, 9));
  EXPECT_THAT(values<std::int64_t>(p.target), ElementsAre(13, 14, 31, 21, 22, 23, 13, 14));
  EXPECT_THAT(micro_batches(sequences, 6), ElementsAre(0, 3, 4));
  EXPECT_THAT(micro_batches(sequences, 5), ElementsAre(0, 2, 3, 4));
}

}  // namespace
}  // namespace qed
