#include "core/train/packing.h"

#include "core/util/error.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace qed {

namespace {

template <class T>
at::Tensor to_tensor(const std::vector<T>& values, at::ScalarType type) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(values.size())}, type);
  std::copy(values.begin(), values.end(), t.data_ptr<T>());
  return t;
}

// Makes the changes that the plans made while drawing once more; empty where none made any.
ops::LogitChange logit_change(std::span<const Sequence> sequences) {
  if (std::ranges::all_of(sequences, [](const Sequence& s) { return s.plan == nullptr; }))
    return {};
  struct Row {
    Sequence sequence;
    std::size_t position;  // of the token in the completion
  };
  auto rows = std::make_shared<std::vector<Row>>();
  for (const Sequence& s : sequences) {
    for (std::size_t t = 0; t < s.completion.size(); ++t) rows->push_back({s, t});
  }
  return [rows = std::move(rows)](std::int64_t r, std::span<const float> logits,
                                  float* slope) -> std::span<const float> {
    const auto& [s, position] = (*rows)[static_cast<std::size_t>(r)];
    if (s.plan == nullptr) return logits;
    thread_local DrawScratch scratch;
    return s.plan->changed_logits(
        {.logits = logits, .prompt = s.prompt, .completion = s.completion.first(position)}, scratch,
        slope);
  };
}

}  // namespace

Packed pack(std::span<const Sequence> sequences) {
  std::vector<std::int64_t> id, position, row, target;
  std::vector<float> inv_temperature;
  Packed out;
  out.support = std::make_shared<ops::Support>();
  const bool truncated = std::any_of(sequences.begin(), sequences.end(),
                                     [](const Sequence& s) { return !s.support.empty(); });
  if (truncated) out.support->offset.push_back(0);
  out.offset.push_back(0);
  for (const Sequence& s : sequences) {
    QED_CHECK(!s.prompt.empty() && !s.completion.empty());
    const std::int64_t start = out.offset.back();
    for (std::int64_t t = 0; t < s.num_rows(); ++t) {
      const auto p = static_cast<std::size_t>(t);
      id.push_back(p < s.prompt.size() ? s.prompt[p] : s.completion[p - s.prompt.size()]);
      position.push_back(t);
    }
    for (std::size_t t = 0; t < s.completion.size(); ++t) {
      row.push_back(start + static_cast<std::int64_t>(s.prompt.size() + t) - 1);
      target.push_back(s.completion[t]);
      inv_temperature.push_back(s.inv_temperature);
      if (truncated) {
        out.support->offset.push_back(out.support->offset.back() +
                                      (s.support_size.empty() ? 0 : s.support_size[t]));
      }
    }
    out.support->ids.insert(out.support->ids.end(), s.support.begin(), s.support.end());
    out.offset.push_back(start + s.num_rows());
  }
  out.support->change = logit_change(sequences);
  out.id = to_tensor(id, at::kLong);
  out.position = to_tensor(position, at::kLong);
  out.row = to_tensor(row, at::kLong);
  out.target = to_tensor(target, at::kLong);
  out.inv_temperature = to_tensor(inv_temperature, at::kFloat);
  return out;
}

std::vector<std::size_t> micro_batches(std::span<const Sequence> sequences, std::int64_t max_rows) {
  std::vector<std::size_t> out = {0};
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (rows > 0 && rows + sequences[i].num_rows() > max_rows) {
      out.push_back(i);
      rows = 0;
    }
    rows += sequences[i].num_rows();
  }
  out.push_back(sequences.size());
  return out;
}

}  // namespace qed
