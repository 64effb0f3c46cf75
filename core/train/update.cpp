#include "core/train/update.h"

#include "core/util/error.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <map>
#include <string>

namespace qed {

namespace {

ops::TokenLogp token_logp(Transformer& model, const Packed& batch) {
  const at::Tensor h = model.forward(batch.id, batch.position, {.offset = batch.offset});
  return model.token_logp(at::index_select(h, 0, batch.row), batch.target, batch.inv_temperature,
                          batch.support);
}

std::span<const float> values(const at::Tensor& t) {
  return {t.const_data_ptr<float>(), static_cast<std::size_t>(t.numel())};
}

double sum(std::span<const float> x) {
  double total = 0;
  for (const float v : x) total += v;
  return total;
}

// What an algorithm computed from a whole update, and where its sequences stand in it.
struct Prepared {
  std::string blob;
  std::map<std::size_t, std::uint64_t> first_token;  // of each sequence of the update

  std::vector<std::uint64_t> first_tokens(std::span<const std::size_t> rows) const {
    std::vector<std::uint64_t> out;
    for (const std::size_t b : rows) out.push_back(blob.empty() ? 0 : first_token.at(b));
    return out;
  }
};

Prepared prepare(const Algorithm& algorithm, const Experience& e, std::span<const std::size_t> rows,
                 std::uint64_t step, double num_tokens, std::uint64_t seed, MetricSums& metrics) {
  Prepared out;
  if (!algorithm.has_prepare()) return out;
  const BatchView batch(e, rows, step);
  const std::vector<float> weight = batch.token_mean(num_tokens);
  qed_update update{};
  update.size = sizeof(qed_update);
  update.batch = &batch.abi();
  update.adv = {batch.adv().data(), batch.adv().size()};
  update.weight = {weight.data(), weight.size()};
  out.blob = algorithm.prepare(update, metrics, seed);
  for (std::size_t i = 0; i < rows.size(); ++i) out.first_token[rows[i]] = batch.abi().offset.p[i];
  return out;
}

// Calls f(begin, end) for each micro-batch of the sequences.
template <class F>
void for_each_micro_batch(std::span<const Sequence> sequences, std::int64_t micro_tokens, F&& f) {
  if (sequences.empty()) return;
  const auto cut = micro_batches(sequences, micro_tokens);
  for (std::size_t i = 0; i + 1 < cut.size(); ++i) f(cut[i], cut[i + 1]);
}

}  // namespace

void score(Transformer& model, Experience& e, std::int64_t micro_tokens) {
  const at::NoGradGuard no_grad;
  e.old_logp.clear();
  e.entropy.clear();
  for_each_micro_batch(e.sequences, micro_tokens, [&](std::size_t begin, std::size_t end) {
    const auto out = token_logp(model, pack(std::span(e.sequences).subspan(begin, end - begin)));
    const auto logp = values(out.logp), entropy = values(out.entropy);
    e.old_logp.insert(e.old_logp.end(), logp.begin(), logp.end());
    e.entropy.insert(e.entropy.end(), entropy.begin(), entropy.end());
  });
}

double demonstration_gradient(Transformer& model, std::span<const Sequence> sequences,
                              std::int64_t micro_tokens) {
  std::size_t num_tokens = 0;
  for (const Sequence& s : sequences) num_tokens += s.completion.size();
  double total = 0;
  for_each_micro_batch(sequences, micro_tokens, [&](std::size_t begin, std::size_t end) {
    const at::Tensor logp = token_logp(model, pack(sequences.subspan(begin, end - begin))).logp;
    total -= sum(values(logp));
    logp.backward(at::full(logp.sizes(), -1.0 / static_cast<double>(num_tokens), logp.options()));
  });
  return total / static_cast<double>(num_tokens);
}

PolicyGradient policy_gradient(Transformer& model, const Algorithm& algorithm, const Experience& e,
                               std::span<const std::size_t> rows, std::uint64_t step,
                               std::int64_t micro_tokens, std::uint64_t seed, MetricSums& metrics) {
  double num_tokens = 0;
  std::vector<std::size_t> kept, active;
  std::vector<Sequence> sequences;
  for (const std::size_t b : rows) {
    if (e.valid[b] == 0 || e.keep[b] == 0) continue;
    for (auto t = e.offset[b]; t < e.offset[b + 1]; ++t) num_tokens += e.mask[t];
    kept.push_back(b);
    if (!e.is_active(b)) continue;
    active.push_back(b);
    sequences.push_back(e.sequences[b]);
  }

  PolicyGradient result;
  if (active.empty()) return result;
  const Prepared prepared = prepare(algorithm, e, kept, step, num_tokens, seed, metrics);
  for_each_micro_batch(sequences, micro_tokens, [&](std::size_t begin, std::size_t end) {
    const auto micro = std::span(active).subspan(begin, end - begin);
    const BatchView batch(e, micro, step);
    const at::Tensor logp =
        token_logp(model, pack(std::span(sequences).subspan(begin, end - begin))).logp;
    at::Tensor grad = at::full(logp.sizes(), 0.0, logp.options());
    const std::vector<float> weight = batch.token_mean(num_tokens);
    const std::vector<std::uint64_t> token = prepared.first_tokens(micro);
    qed_loss args{};
    args.size = sizeof(qed_loss);
    args.batch = &batch.abi();
    args.adv = {batch.adv().data(), batch.adv().size()};
    args.logp = {logp.const_data_ptr<float>(), weight.size()};
    args.weight = {weight.data(), weight.size()};
    args.grad_logp = {grad.data_ptr<float>(), weight.size()};
    args.prepared = {reinterpret_cast<const std::uint8_t*>(prepared.blob.data()),
                     prepared.blob.size()};
    args.token = {token.data(), token.size()};
    algorithm.loss(args, metrics, seed);
    result.loss += args.loss;
    result.has_signal = true;
    logp.backward(grad);
  });
  return result;
}

}  // namespace qed
