#include "core/train/update.h"

#include "core/train/forward.h"
#include "core/train/tracks.h"

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
  const std::vector<std::size_t> cut = track_batches(model, sequences, micro_tokens);
  std::vector<ops::TokenLogp> found(cut.size() - 1);
  const auto forward = [&](std::size_t i) {
    found[i] =
        token_logp(model, pack(sequences.subspan(cut[i], cut[i + 1] - cut[i]), Prompts::kShared));
  };
  const auto append = [&](std::size_t i) {
    const auto l = values(found[i].logp), h = values(found[i].entropy);
    logp.insert(logp.end(), l.begin(), l.end());
    if (entropy != nullptr) entropy->insert(entropy->end(), h.begin(), h.end());
    found[i] = {};
  };
  run_tracks(model, found.size(), {forward, append});
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
  const std::vector<std::size_t> cut = track_batches(model, sequences, micro_tokens);
  std::vector<at::Tensor> logp(cut.size() - 1);
  const std::vector<Transformer*> tracks = open_tracks(model);
  double total = 0;
  run_tracks(
      model, logp.size(),
      {.forward =
           [&](std::size_t i) {
             const auto part = sequences.subspan(cut[i], cut[i + 1] - cut[i]);
             logp[i] =
                 token_logp(*tracks[i % tracks.size()], pack(part, Prompts::kShared), recompute)
                     .logp;
           },
       .between = [&](std::size_t i) { total -= sum(values(logp[i])); },
       .backward =
           [&](std::size_t i) {
             logp[i].backward(at::full(logp[i].sizes(), -1.0 / static_cast<double>(num_tokens),
                                       logp[i].options()));
             logp[i] = at::Tensor();
           }});
  add_up_tracks(model);
  return total / static_cast<double>(num_tokens);
}

}  // namespace qed
