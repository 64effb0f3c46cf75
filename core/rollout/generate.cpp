#include "core/rollout/generate.h"

#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>

#include <algorithm>
#include <numeric>

namespace qed {

namespace {

// One sequence in flight.
struct Row {
  const GenerateRequest* request;
  std::size_t sample;
  Completion* out;
  std::int64_t slot;
};

// The samples of one request that start together, sharing one prefill.
struct Unit {
  std::size_t request;
  std::size_t first, count;
};

class Batch {
 public:
  Batch(Transformer& model, std::span<const GenerateRequest> requests,
        std::span<const std::int32_t> stop_ids, std::int64_t max_batch)
      : model_(model), requests_(requests), stop_ids_(stop_ids), cache_(model.config(), 0) {
    std::int64_t total = 0, capacity = 0;
    for (std::size_t r = 0; r < requests.size(); ++r) {
      const GenerateRequest& request = requests[r];
      const auto length = static_cast<std::int64_t>(request.prompt.size()) + request.max_new_tokens;
      check_length(request, length);
      results_.emplace_back(request.samples.size());
      total += static_cast<std::int64_t>(request.samples.size());
      capacity = std::max(capacity, length);
      for (std::size_t s = 0; s < request.samples.size(); s += max_batch) {
        units_.push_back({r, s, std::min<std::size_t>(max_batch, request.samples.size() - s)});
      }
    }
    const std::int64_t slots = std::min(total, max_batch);
    slot_pages_ = (capacity + ops::kPagePositions - 1) / ops::kPagePositions;
    cache_ = KvCache(model.config(), slots * slot_pages_);
    pages_.resize(slots * slot_pages_);
    std::iota(pages_.begin(), pages_.end(), 0);
    free_.resize(slots);
    std::iota(free_.rbegin(), free_.rend(), 0);
  }

  std::vector<std::vector<Completion>> run() {
    const at::NoGradGuard no_grad;
    while (next_ < units_.size() || !rows_.empty()) {
      prefill();
      while (!rows_.empty() && !can_admit()) decode();
    }
    return std::move(results_);
  }

 private:
  void check_length(const GenerateRequest& request, std::int64_t length) const {
    QED_CHECK(!request.prompt.empty() && request.max_new_tokens > 0);
    if (length > model_.config().max_position_embeddings) {
      throw Error(
          cat("a prompt of ", request.prompt.size(), " tokens and ", request.max_new_tokens,
              " new ones exceed the model's window of ", model_.config().max_position_embeddings),
          "lower rollout.max_new_tokens");
    }
  }

  bool can_admit() const { return next_ < units_.size() && units_[next_].count <= free_.size(); }

  // Admits as many units as fit: one forward over their prompts, and the first token of each
  // sample.
  void prefill() {
    std::vector<Unit> admitted;
    std::vector<std::int32_t> ids;
    std::vector<ops::CacheRun> runs;
    std::vector<std::int64_t> last;  // row of each prompt's last token
    const std::size_t first_new = rows_.size();
    while (can_admit()) {
      const Unit& unit = admitted.emplace_back(units_[next_++]);
      const GenerateRequest& request = requests_[unit.request];
      for (std::size_t i = 0; i < unit.count; ++i) {
        const std::size_t s = unit.first + i;
        Completion& out = results_[unit.request][s];
        out.inv_temperature = request.samples[s].plan->inv_temperature();
        rows_.push_back({&request, s, &out, free_.back()});
        free_.pop_back();
      }
      runs.push_back({static_cast<std::int64_t>(ids.size()),
                      static_cast<std::int64_t>(request.prompt.size()), 0,
                      pages(rows_[rows_.size() - unit.count].slot)});
      ids.insert(ids.end(), request.prompt.begin(), request.prompt.end());
      last.push_back(static_cast<std::int64_t>(ids.size()) - 1);
    }
    if (admitted.empty()) return;
    const at::Tensor h = at::index_select(forward(ids, runs), 0, tensor(last));
    std::vector<std::size_t> logits_row(rows_.size() - first_new);
    std::size_t row = first_new;
    for (std::size_t u = 0; u < admitted.size(); ++u) {
      const std::size_t first = row;
      for (std::size_t i = 0; i < admitted[u].count; ++i, ++row) {
        logits_row[row - first_new] = u;
        const auto length = static_cast<std::int64_t>(rows_[row].request->prompt.size());
        if (row != first) copy_prompt(rows_[first].slot, rows_[row].slot, length);
      }
    }
    draw(model_.logits(h), first_new, logits_row);
  }

  // One more token for every sequence in flight.
  void decode() {
    std::vector<std::int32_t> ids;
    std::vector<ops::CacheRun> runs;
    for (const Row& row : rows_) {
      const std::size_t length = row.request->prompt.size() + row.out->tokens.size();
      runs.push_back({static_cast<std::int64_t>(ids.size()), 1,
                      static_cast<std::int64_t>(length) - 1, pages(row.slot)});
      ids.push_back(row.out->tokens.back());
    }
    std::vector<std::size_t> logits_row(rows_.size());
    std::iota(logits_row.begin(), logits_row.end(), 0);
    draw(model_.logits(forward(ids, runs)), 0, logits_row);
  }

  // Draws for rows first, first + 1, ... from the given rows of logits; retires those that end.
  void draw(const at::Tensor& logits, std::size_t first, std::span<const std::size_t> logits_row) {
    const float* data = logits.const_data_ptr<float>();
    const std::int64_t vocab = logits.size(1);
    parallel_for(
        static_cast<std::int64_t>(logits_row.size()), 8, [&](std::int64_t begin, std::int64_t end) {
          DrawScratch scratch;
          for (std::int64_t i = begin; i < end; ++i) {
            const Row& row = rows_[first + i];
            const auto& sample = row.request->samples[row.sample];
            Completion& out = *row.out;
            const DrawInput in{
                .logits = {data + logits_row[i] * vocab, static_cast<std::size_t>(vocab)},
                .prompt = row.request->prompt,
                .completion = out.tokens};
            auto drawn = sample.plan->draw(in, sample.key, out.tokens.size(), scratch);
            out.tokens.push_back(drawn.token);
            out.behavior_logp.push_back(drawn.behavior_logp);
            out.logp.push_back(drawn.logp);
            out.support_size.push_back(static_cast<std::int64_t>(drawn.support.size()));
            out.support.insert(out.support.end(), drawn.support.begin(), drawn.support.end());
          }
        });
    std::erase_if(rows_, [&](const Row& row) { return finish(row); });
  }

  bool finish(const Row& row) {
    Completion& out = *row.out;
    if (std::find(stop_ids_.begin(), stop_ids_.end(), out.tokens.back()) != stop_ids_.end()) {
      out.finish = QED_FINISH_STOP;
    } else if (static_cast<std::int64_t>(out.tokens.size()) == row.request->max_new_tokens) {
      out.finish = QED_FINISH_LENGTH;
    } else {
      return false;
    }
    free_.push_back(row.slot);
    return true;
  }

  at::Tensor forward(std::span<const std::int32_t> ids, std::span<const ops::CacheRun> runs) {
    std::vector<std::int64_t> id(ids.begin(), ids.end()), position;
    for (const auto& run : runs) {
      for (std::int64_t i = 0; i < run.num_rows; ++i) position.push_back(run.position + i);
    }
    return model_.forward(tensor(id), tensor(position),
                          {.offset = {}, .cache = &cache_, .runs = runs});
  }

  const std::int32_t* pages(std::int64_t slot) const { return &pages_[slot * slot_pages_]; }

  void copy_prompt(std::int64_t from, std::int64_t to, std::int64_t length) {
    for (std::int64_t p = 0; p * ops::kPagePositions < length; ++p) {
      cache_.copy(pages(from)[p], pages(to)[p]);
    }
  }

  static at::Tensor tensor(std::span<const std::int64_t> values) {
    at::Tensor t = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
    std::copy(values.begin(), values.end(), t.data_ptr<std::int64_t>());
    return t;
  }

  Transformer& model_;
  std::span<const GenerateRequest> requests_;
  std::span<const std::int32_t> stop_ids_;
  KvCache cache_;
  std::int64_t slot_pages_ = 0;
  std::vector<std::int32_t> pages_;  // of slot s: from s * slot_pages_ on
  std::vector<std::vector<Completion>> results_;
  std::vector<Unit> units_;
  std::size_t next_ = 0;            // the next unit to admit
  std::vector<Row> rows_;           // in flight
  std::vector<std::int64_t> free_;  // slots
};

}  // namespace

std::vector<std::vector<Completion>> generate(Transformer& model,
                                              std::span<const GenerateRequest> requests,
                                              std::span<const std::int32_t> stop_ids,
                                              std::int64_t max_batch) {
  QED_CHECK(max_batch > 0);
  return Batch(model, requests, stop_ids, max_batch).run();
}

}  // namespace qed
