#include "core/train/reference.h"

#include "core/train/forward.h"

namespace qed {

Reference::Reference(Transformer& policy)
    : model_(policy.config(), {.dtype = policy.weights().options().dtype, .is_trainable = false}) {
  sync(policy);
}

void Reference::sync(Transformer& policy) { model_.weights().assign(policy.weights()); }

std::vector<float> Reference::logp(const Experience& e, std::int64_t micro_tokens) {
  std::vector<Sequence> sequences;
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    if (e.valid[b] == 0) continue;
    Sequence& s = sequences.emplace_back(e.sequences[b]);
    s.support_size = {};
    s.support = {};
    s.plan = nullptr;
  }
  std::vector<float> found;
  append_scores(model_, sequences, micro_tokens, found, nullptr);
  std::vector<float> out;
  auto next = found.begin();
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    const auto n = static_cast<std::ptrdiff_t>(e.sequences[b].completion.size());
    if (e.valid[b] == 0) {
      out.resize(out.size() + static_cast<std::size_t>(n));
    } else {
      out.insert(out.end(), next, next + n);
      next += n;
    }
  }
  return out;
}

}  // namespace qed
