#include "core/train/update.h"

#include "core/train/forward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>

namespace qed {

namespace {

double sum(std::span<const float> x) {
  double total = 0;
  for (const float v : x) total += v;
  return total;
}

}  // namespace

void append_scores(Transformer& model, std::span<const Sequence> sequences,
                   std::int64_t micro_tokens, std::vector<float>& logp,
                   std::vector<float>* entropy) {
  const at::NoGradGuard no_grad;
  for_each_micro_batch(sequences, micro_tokens, [&](std::size_t begin, std::size_t end) {
    const auto out =
        token_logp(model, pack(sequences.subspan(begin, end - begin), Prompts::kShared));
    const auto l = values(out.logp), h = values(out.entropy);
    logp.insert(logp.end(), l.begin(), l.end());
    if (entropy != nullptr) entropy->insert(entropy->end(), h.begin(), h.end());
  });
}

void score(Transformer& model, Experience& e, std::int64_t micro_tokens) {
  e.old_logp.clear();
  e.entropy.clear();
  append_scores(model, e.sequences, micro_tokens, e.old_logp, &e.entropy);
}

double demonstration_gradient(Transformer& model, std::span<const Sequence> sequences,
                              std::int64_t micro_tokens, bool recompute) {
  std::size_t num_tokens = 0;
  for (const Sequence& s : sequences) num_tokens += s.completion.size();
  double total = 0;
  for_each_micro_batch(sequences, micro_tokens, [&](std::size_t begin, std::size_t end) {
    const at::Tensor logp =
        token_logp(model, pack(sequences.subspan(begin, end - begin), Prompts::kShared), recompute)
            .logp;
    total -= sum(values(logp));
    logp.backward(at::full(logp.sizes(), -1.0 / static_cast<double>(num_tokens), logp.options()));
  });
  return total / static_cast<double>(num_tokens);
}

}  // namespace qed
