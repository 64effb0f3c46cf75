#include "tests/fuzz/batch.h"

#include "qed/philox.h"

#include <algorithm>
#include <array>
#include <utility>

namespace qed::fuzz {
namespace {

constexpr std::uint64_t kBadItems = 32;  // one batch in so many has damaged items
constexpr std::uint64_t kAnyBytes = 32;  // one completion in so many need not be UTF-8
constexpr std::size_t kGroup = 8;

std::vector<std::int32_t> some_tokens(Mutator& mutator) {
  const std::uint64_t kinds = mutator.one_in(2) ? 3 : 1000;
  std::vector<std::int32_t> out(mutator.below(mutator.one_in(8) ? 1024 : 64));
  for (std::int32_t& id : out) id = static_cast<std::int32_t>(mutator.below(kinds));
  return out;
}

void add(Batch& batch, const Family& family, Mutator& mutator, bool has_bad_items) {
  const FuzzItem& item = family.items[mutator.below(family.items.size())];
  batch.items.push_back({"item", item.blob});
  if (has_bad_items) batch.items.back().blob = mutator.damaged(item.blob);
  batch.may_be_bad.push_back(has_bad_items || item.is_odd);
  std::string text = mutator.completion(item.right, item.wrong, item.words);
  if (!family.takes_any_bytes || !mutator.one_in(kAnyBytes)) text = to_utf8(text);
  batch.texts.push_back(std::move(text));
  batch.tokens.push_back(some_tokens(mutator));
}

void view(Batch& batch, const Family& family, Mutator& mutator) {
  static constexpr std::array<std::uint32_t, 6> kFinish = {QED_FINISH_STOP,   QED_FINISH_STOP,
                                                           QED_FINISH_STOP,   QED_FINISH_STOP,
                                                           QED_FINISH_LENGTH, QED_FINISH_ABORT};
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    batch.samples.push_back({.item = &batch.items[i],
                             .prompt = mutator.pick(family.prompts),
                             .prefill = mutator.pick(family.prefills),
                             .text = batch.texts[i],
                             .tokens = batch.tokens[i],
                             .finish = mutator.pick(kFinish),
                             .group = i / kGroup,
                             .index = i % kGroup,
                             .max_new_tokens = 1 + mutator.below(2048)});
  }
  for (const SampleView& sample : batch.samples) {
    batch.scored.push_back({.sample = &sample,
                            .reward = static_cast<double>(mutator.below(3)) / 2,
                            .verdict = static_cast<std::uint32_t>(mutator.below(3)),
                            .term_names = {},
                            .terms = {}});
  }
}

}  // namespace

void fill(Batch& batch, const Family& family, Mutator& mutator, std::uint64_t seed,
          std::uint64_t number, std::size_t size) {
  mutator.seed(KeyHash().add(family.name).add(seed).add(number).value());
  batch = {};
  batch.items.reserve(size);
  batch.samples.reserve(size);
  const bool has_bad_items = mutator.one_in(kBadItems);
  for (std::size_t i = 0; i < size; ++i) add(batch, family, mutator, has_bad_items);
  view(batch, family, mutator);
}

std::string escaped(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte >= 0x20 && byte < 0x7F && c != '\\') {
      out += c;
    } else {
      ((out += "\\x") += kHex[byte >> 4]) += kHex[byte & 15];
    }
  }
  return out;
}

std::string describe(const Batch& batch, std::size_t i) {
  const SampleView& s = batch.samples[i];
  return cat("  item     ", escaped(s.item->blob), "\n  prompt   ", escaped(s.prompt),
             "\n  prefill  ", escaped(s.prefill), "\n  text     ", escaped(s.text), "\n  finish   ",
             s.finish, "; ", s.text.size(), " bytes, ", s.tokens.size(), " tokens of ",
             s.max_new_tokens, "\n");
}

}  // namespace qed::fuzz
