#include "core/rollout/generate.h"

#include "core/ops/select_rows.h"
#include "core/rollout/draw_rows.h"
#include "core/rollout/mask.h"
#include "core/util/error.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>

namespace qed {

namespace {

at::Tensor tensor(std::span<const std::int64_t> values) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), t.data_ptr<std::int64_t>());
  return t;
}

class Batch {
 public:
  Batch(Transformer& model, std::span<const GenerateRequest> requests,
        const GenerateOptions& options, const std::vector<SampleGroup>& groups,
        const ScheduleOptions& schedule)
      : model_(model),
        requests_(requests),
        options_(options),
        scheduler_(groups, schedule),
        pages_per_block_(schedule.block_size / ops::kPagePositions),
        cache_(model.config(), schedule.num_blocks * pages_per_block_,
               model.weights().options().dtype),
        prompt_end_(requests.size()) {
    for (const GenerateRequest& request : requests) {
      results_.emplace_back(request.samples.size());
      for (std::size_t s = 0; s < request.samples.size(); ++s) {
        Completion& out = results_.back()[s];
        out.inv_temperature = request.samples[s].plan->inv_temperature();
        rows_.push_back({&request, s, &out, StopSearch(request.stop)});
      }
    }
  }

  std::vector<std::vector<Completion>> run() {
    const at::NoGradGuard no_grad;
    while (!scheduler_.is_done() && !is_cancelled()) {
      const Step& step = scheduler_.plan();
      for (const auto& [from, to] : step.copies) copy_block(from, to);
      const at::Tensor ends = forward(step);
      scheduler_.computed();
      draw(step, ends);
    }
    for (Row& row : rows_) {
      if (row.out->finish == 0) row.out->finish = QED_FINISH_ABORT;
    }
    return std::move(results_);
  }

 private:
  // A sample.
  struct Row {
    const GenerateRequest* request;
    std::size_t sample;
    Completion* out;
    StopSearch search;

    std::int32_t token(std::int64_t position) const {
      const auto p = static_cast<std::size_t>(position);
      const std::size_t n = request->prompt.size();
      return p < n ? request->prompt[p] : out->tokens[p - n];
    }
  };

  // Draws of a step that follow one hidden state.
  struct Source {
    HiddenRow hidden;          // of `ends`, or of a prompt's end
    std::size_t first, count;  // on a GPU, one draw
  };

  bool is_cancelled() const { return options_.cancel != nullptr && *options_.cancel; }

  void copy_block(std::int32_t from, std::int32_t to) {
    for (std::int32_t i = 0; i < pages_per_block_; ++i) {
      cache_.copy(from * pages_per_block_ + i, to * pages_per_block_ + i);
    }
  }

  // Pages of blocks, appended to pages_.
  void list_pages(std::span<const std::int32_t> blocks) {
    for (const std::int32_t block : blocks) {
      for (std::int32_t i = 0; i < pages_per_block_; ++i) {
        pages_.push_back(block * pages_per_block_ + i);
      }
    }
  }

  // Runs the rows of a step. Returns the hidden states after those that are an end, in order.
  at::Tensor forward(const Step& step) {
    std::vector<std::int64_t> id, position, ends;
    std::vector<std::size_t> first_page;
    pages_.clear();
    runs_.clear();
    for (const Step::Rows& r : step.rows) {
      const Row* row = r.sample < 0 ? nullptr : &rows_[static_cast<std::size_t>(r.sample)];
      const auto& prompt = requests_[r.group].prompt;
      runs_.push_back({static_cast<std::int64_t>(id.size()), r.count, r.first, nullptr});
      for (std::int64_t p = r.first; p < r.first + r.count; ++p) {
        id.push_back(row == nullptr ? prompt[static_cast<std::size_t>(p)] : row->token(p));
        position.push_back(p);
      }
      if (r.is_end) ends.push_back(static_cast<std::int64_t>(id.size()) - 1);
      first_page.push_back(pages_.size());
      list_pages(r.blocks);
    }
    if (step.rows.empty()) return {};
    for (std::size_t i = 0; i < runs_.size(); ++i) runs_[i].pages = &pages_[first_page[i]];
    const at::Tensor h = model_.forward(tensor(id), tensor(position),
                                        {.offset = {}, .cache = &cache_, .runs = runs_});
    if (ends.size() == id.size()) return h;
    return ops::select_rows(h, tensor(ends));
  }

  // The hidden states that this step's draws follow; keeps those of prompts that samples share.
  std::vector<Source> sources(const Step& step, const at::Tensor& ends) {
    std::vector<std::int64_t> end_of(step.rows.size());  // row of `ends`
    std::int64_t num_ends = 0;
    for (std::size_t i = 0; i < step.rows.size(); ++i) {
      const Step::Rows& r = step.rows[i];
      if (!r.is_end) continue;
      end_of[i] = num_ends++;
      if (r.sample < 0) prompt_end_[r.group] = ops::clone(ends.narrow(0, end_of[i], 1));
    }
    std::vector<Source> out;
    std::size_t last_group = requests_.size();  // of the source before, when it is a prompt
    for (std::size_t d = 0; d < step.draws.size(); ++d) {
      const Step::Draw& draw = step.draws[d];
      const std::size_t group = scheduler_.group_of(draw.sample);
      if (draw.rows >= 0) {
        out.push_back({{&ends, end_of[static_cast<std::size_t>(draw.rows)]}, d, 1});
        last_group = requests_.size();
      } else if (group == last_group && ops::device() == nullptr) {
        ++out.back().count;
      } else {
        out.push_back({{&prompt_end_[group], 0}, d, 1});
        last_group = group;
      }
    }
    return out;
  }

  // Logits, a part of the rows at a time, and a token for each draw.
  void draw(const Step& step, const at::Tensor& ends) {
    const std::vector<Source> all = sources(step, ends);
    const auto chunk = static_cast<std::size_t>(logits_rows(model_.config().vocab_size));
    for (std::size_t begin = 0; begin < all.size(); begin += chunk) {
      const auto part = std::span(all).subspan(begin, std::min(chunk, all.size() - begin));
      std::vector<HiddenRow> hidden;
      std::vector<std::int64_t> logits_row;
      for (std::size_t i = 0; i < part.size(); ++i) {
        hidden.push_back(part[i].hidden);
        logits_row.resize(logits_row.size() + part[i].count, static_cast<std::int64_t>(i));
      }
      const auto draws = std::span(step.draws).subspan(part.front().first, logits_row.size());
      draw_part(draws, logits_row, model_.logits(stack_rows(hidden)));
    }
    for (const Step::Draw& draw : step.draws) {
      const bool has_finished = finish(rows_[draw.sample]);
      report(draw.sample);
      scheduler_.drew(draw.sample, has_finished);
    }
  }

  void draw_part(std::span<const Step::Draw> draws, std::span<const std::int64_t> logits_row,
                 const at::Tensor& logits) {
    const std::vector<std::uint8_t> allowed = masks(draws, logits.size(1));
    const std::size_t mask_bytes = allowed.size() / draws.size();
    std::vector<RowDraw> in;
    for (std::size_t i = 0; i < draws.size(); ++i) {
      const Row& row = rows_[draws[i].sample];
      const GenerateRequest::Sample& sample = row.request->samples[row.sample];
      const std::size_t position = row.out->tokens.size();
      const bool may_stop = static_cast<std::int64_t>(position) >= row.request->min_new_tokens;
      in.push_back({.plan = sample.plan,
                    .in = {.logits = {},
                           .prompt = row.request->prompt,
                           .completion = row.out->tokens,
                           .banned = may_stop ? std::span<const std::int32_t>() : options_.stop_ids,
                           .allowed = std::span(allowed).subspan(i * mask_bytes, mask_bytes)},
                    .key = sample.key,
                    .position = position,
                    .logits_row = logits_row[i]});
    }
    std::vector<float> entropy;
    const auto drawn = draw_rows(logits, in, options_.keep_entropy ? &entropy : nullptr);
    for (std::size_t i = 0; i < draws.size(); ++i) {
      Completion& out = *rows_[draws[i].sample].out;
      take(out, drawn[i]);
      if (options_.keep_entropy) out.entropy.push_back(entropy[i]);
    }
  }

  // What the sampler's mask allows each draw; empty where it has none.
  std::vector<std::uint8_t> masks(std::span<const Step::Draw> draws, std::int64_t vocab) const {
    if (options_.mask == nullptr) return {};
    std::vector<MaskedRow> masked;
    for (const Step::Draw& d : draws) {
      masked.push_back({d.sample, rows_[d.sample].request->text, rows_[d.sample].out->tokens});
    }
    return ask_mask(*options_.mask, options_.mask_seed, masked, vocab);
  }

  // Writes down what was drawn.
  void take(Completion& out, const DrawPlan::Draw& drawn) const {
    out.tokens.push_back(drawn.token);
    out.behavior_logp.push_back(drawn.behavior_logp);
    out.logp.push_back(drawn.logp);
    if (!options_.keep_support) return;
    out.support_size.push_back(static_cast<std::int64_t>(drawn.support.size()));
    out.support.insert(out.support.end(), drawn.support.begin(), drawn.support.end());
  }

  // Sets why a completion ends after its newest token; returns whether it does.
  bool finish(Row& row) const {
    Completion& out = *row.out;
    const auto length = static_cast<std::int64_t>(out.tokens.size());
    std::optional<StopMatch> match;
    if (!row.request->stop.empty())
      match = row.search.feed(options_.token_bytes(out.tokens.back()));
    if (std::ranges::find(options_.stop_ids, out.tokens.back()) != options_.stop_ids.end()) {
      out.finish = QED_FINISH_STOP;
    } else if (match && length >= row.request->min_new_tokens) {
      out.finish = QED_FINISH_STOP;
      out.match = match;
    } else if (length == row.request->max_new_tokens) {
      out.finish = QED_FINISH_LENGTH;
    }
    return out.finish != 0;
  }

  void report(std::size_t sample) const {
    const Row& row = rows_[sample];
    if (options_.on_token) options_.on_token(scheduler_.group_of(sample), row.sample, *row.out);
  }

  Transformer& model_;
  std::span<const GenerateRequest> requests_;
  const GenerateOptions& options_;
  Scheduler scheduler_;
  std::int32_t pages_per_block_;
  KvCache cache_;
  std::vector<at::Tensor> prompt_end_;  // [request] hidden state of a prompt that samples share
  std::vector<std::vector<Completion>> results_;
  std::vector<Row> rows_;  // by sample
  std::vector<std::int32_t> pages_;
  std::vector<ops::CacheRun> runs_;
};

void check(const GenerateRequest& request, const GenerateOptions& options,
           const ModelConfig& config) {
  QED_CHECK(!request.prompt.empty() && request.max_new_tokens > 0);
  QED_CHECK(request.stop.empty() || options.token_bytes);
  const auto length = static_cast<std::int64_t>(request.prompt.size()) + request.max_new_tokens;
  if (length <= config.max_position_embeddings) return;
  throw Error(cat("a prompt of ", request.prompt.size(), " tokens and ", request.max_new_tokens,
                  " new ones exceed the model's window of ", config.max_position_embeddings),
              cat("lower ", options.names.max_new_tokens));
}

}  // namespace

std::vector<SampleGroup> sample_groups(std::span<const GenerateRequest> requests) {
  std::vector<SampleGroup> groups;
  for (const GenerateRequest& r : requests) {
    groups.push_back({static_cast<std::int64_t>(r.prompt.size()),
                      static_cast<std::int64_t>(r.samples.size()), r.max_new_tokens});
  }
  return groups;
}

std::vector<std::vector<Completion>> generate(Transformer& model,
                                              std::span<const GenerateRequest> requests,
                                              const GenerateOptions& options) {
  ScheduleOptions schedule = options.schedule;
  QED_CHECK(schedule.max_batch > 0 && schedule.block_size % ops::kPagePositions == 0);
  for (const GenerateRequest& request : requests) check(request, options, model.config());
  const std::vector<SampleGroup> groups = sample_groups(requests);
  schedule.num_blocks =
      plan_memory(model.config(), 0, groups, schedule, ops::available_bytes(), options.names)
          .num_blocks;
  return Batch(model, requests, options, groups, schedule).run();
}

}  // namespace qed
