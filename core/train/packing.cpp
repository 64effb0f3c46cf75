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

// Builds a batch from top to bottom.
class Packer {
 public:
  explicit Packer(bool has_support) {
    out_.support = std::make_shared<ops::Support>();
    if (has_support) out_.support->offset.push_back(0);
    out_.offset.push_back(0);
  }

  // A prompt whose completions follow by add_completion.
  void open_prompt(const Sequence& s) {
    add_rows(s.prompt, 0, -1);
    prompt_ = static_cast<std::int64_t>(out_.offset.size()) - 2;
  }

  void add_completion(const Sequence& s) {
    const auto prompt_rows = static_cast<std::int64_t>(s.prompt.size());
    const std::int64_t last = out_.offset[static_cast<std::size_t>(prompt_) + 1] - 1;
    const std::int64_t first = out_.offset.back();
    predict(s, 0, last);
    if (s.completion.size() > 1) {
      add_rows(s.completion.first(s.completion.size() - 1), prompt_rows, prompt_);
    }
    for (std::size_t t = 1; t < s.completion.size(); ++t) {
      predict(s, t, first + static_cast<std::int64_t>(t) - 1);
    }
    out_.support->ids.insert(out_.support->ids.end(), s.support.begin(), s.support.end());
  }

  void add_alone(const Sequence& s) {
    const std::int64_t first = out_.offset.back();
    std::vector<std::int32_t> ids(s.prompt.begin(), s.prompt.end());
    ids.insert(ids.end(), s.completion.begin(), s.completion.end() - 1);
    add_rows(ids, 0, -1);
    for (std::size_t t = 0; t < s.completion.size(); ++t) {
      predict(s, t, first + static_cast<std::int64_t>(s.prompt.size() + t) - 1);
    }
    out_.support->ids.insert(out_.support->ids.end(), s.support.begin(), s.support.end());
  }

  Packed finish(ops::LogitChange change) {
    out_.support->change = std::move(change);
    out_.id = to_tensor(id_, at::kLong);
    out_.position = to_tensor(position_, at::kLong);
    out_.row = to_tensor(row_, at::kLong);
    out_.target = to_tensor(target_, at::kLong);
    out_.inv_temperature = to_tensor(inv_temperature_, at::kFloat);
    return std::move(out_);
  }

 private:
  // Rows of a sequence of the batch, at neighbouring positions.
  void add_rows(std::span<const std::int32_t> ids, std::int64_t position, std::int64_t prefix) {
    for (const std::int32_t id : ids) {
      id_.push_back(id);
      position_.push_back(position++);
    }
    out_.offset.push_back(static_cast<std::int64_t>(id_.size()));
    out_.prefix.push_back(prefix);
  }

  // Token t of a completion is predicted by a row.
  void predict(const Sequence& s, std::size_t t, std::int64_t row) {
    row_.push_back(row);
    target_.push_back(s.completion[t]);
    inv_temperature_.push_back(s.inv_temperature);
    auto& offset = out_.support->offset;
    if (offset.empty()) return;
    offset.push_back(offset.back() + (s.support_size.empty() ? 0 : s.support_size[t]));
  }

  Packed out_;
  std::vector<std::int64_t> id_, position_, row_, target_;
  std::vector<float> inv_temperature_;
  std::int64_t prompt_ = 0;  // the sequence of the batch that is the open prompt
};

}  // namespace

Packed pack(std::span<const Sequence> sequences, Prompts prompts) {
  const bool share_prompts = prompts == Prompts::kShared;
  Packer packer(std::any_of(sequences.begin(), sequences.end(),
                            [](const Sequence& s) { return !s.support.empty(); }));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& s = sequences[i];
    QED_CHECK(!s.prompt.empty() && !s.completion.empty());
    const bool goes_on = share_prompts && i > 0 && s.shares_prompt_with(sequences[i - 1]);
    const bool is_shared =
        share_prompts && i + 1 < sequences.size() && s.shares_prompt_with(sequences[i + 1]);
    if (is_shared && !goes_on) packer.open_prompt(s);
    is_shared || goes_on ? packer.add_completion(s) : packer.add_alone(s);
  }
  return packer.finish(logit_change(sequences));
}

std::vector<std::size_t> micro_batches(std::span<const Sequence> sequences, std::int64_t max_rows) {
  std::vector<std::size_t> out = {0};
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& s = sequences[i];
    const bool goes_on = rows > 0 && s.shares_prompt_with(sequences[i - 1]);
    // A shared prompt has all its rows, and each of its completions all but the last.
    const std::int64_t more =
        goes_on ? static_cast<std::int64_t>(s.completion.size()) - 1 : s.num_rows();
    if (rows > 0 && rows + more > max_rows) {
      out.push_back(i);
      rows = 0;
    }
    rows += rows == 0 ? s.num_rows() : more;
  }
  out.push_back(sequences.size());
  return out;
}

}  // namespace qed
