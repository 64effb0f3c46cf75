#include "core/rollout/mask.h"

namespace qed {

std::vector<std::uint8_t> ask_mask(const Sampler& sampler, std::uint64_t seed,
                                   std::span<const MaskedRow> rows, std::int64_t vocab_size) {
  const auto bytes = static_cast<std::size_t>((vocab_size + 7) / 8);
  std::vector<std::uint8_t> allowed(rows.size() * bytes, 0xff);
  std::vector<qed_mask_row> records;
  records.reserve(rows.size());
  std::vector<qed_mask_row*> pointers;
  for (const MaskedRow& row : rows) {
    std::uint8_t* first = allowed.data() + records.size() * bytes;
    records.push_back({.size = sizeof(qed_mask_row),
                       .reserved = 0,
                       .request = row.number,
                       .prompt = to_abi(row.prompt),
                       .tokens = {row.tokens.data(), row.tokens.size()},
                       .allowed = {first, bytes}});
    pointers.push_back(&records.back());
  }
  sampler.mask(pointers, seed);
  return allowed;
}

}  // namespace qed
