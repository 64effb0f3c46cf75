#include "core/rollout/draw_rows.h"

#include "core/ops/device.h"
#include "core/util/error.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

namespace qed {

namespace {

// Arrays that travel to the GPU in one piece. What add() gives is an offset, until place() tells
// where the piece lies.
class Parcel {
 public:
  template <class T>
  std::size_t add(std::span<const T> values) {
    const std::size_t at = (bytes_.size() + kAlign - 1) / kAlign * kAlign;
    bytes_.resize(at + values.size_bytes());
    if (!values.empty()) std::memcpy(bytes_.data() + at, values.data(), values.size_bytes());
    return at;
  }
  // Reserves device memory. Then pointers into it are known, and may be added to other parcels.
  void place() {
    memory_ = ops::device()->empty({static_cast<std::int64_t>(bytes_.size()) + 1}, at::kByte);
  }
  template <class T>
  const T* pointer(std::size_t offset) const {
    return reinterpret_cast<const T*>(static_cast<const char*>(memory_.const_data_ptr()) + offset);
  }
  void send() const {
    ops::device()->write(memory_.narrow(0, 0, static_cast<std::int64_t>(bytes_.size())),
                         bytes_.data());
  }

 private:
  static constexpr std::size_t kAlign = 16;
  std::vector<char> bytes_;
  at::Tensor memory_;
};

// The rows of a batch as the kernel takes them.
class Request {
 public:
  explicit Request(std::span<const RowDraw> draws) {
    for (const RowDraw& draw : draws) add(draw);
    numbers_.place();
    numbers_.send();
    for (std::size_t i = 0; i < draws.size(); ++i) complete(draws[i], places_[i]);
    ops_.place();
    ops_.send();
    for (std::size_t i = 0; i < draws.size(); ++i) {
      rows_[i].ops = ops_.pointer<cuda::DrawOp>(places_[i].ops);
    }
    const std::size_t at = rows_parcel_.add(std::span<const cuda::DrawRow>(rows_));
    rows_parcel_.place();
    rows_parcel_.send();
    rows_at_ = rows_parcel_.pointer<cuda::DrawRow>(at);
  }

  const cuda::DrawRow* rows() const { return rows_at_; }

 private:
  // Offsets of a row's arrays.
  struct Place {
    std::size_t prompt = 0, completion = 0, banned = 0, allowed = 0, ops = 0;
    std::vector<std::size_t> ids, values;  // of each op
  };

  void add(const RowDraw& draw) {
    Place& place = places_.emplace_back();
    if (draw.plan->changes_logits()) {
      place.prompt = numbers_.add(draw.in.prompt);
      place.completion = numbers_.add(draw.in.completion);
    }
    place.banned = numbers_.add(draw.in.banned);
    place.allowed = numbers_.add(draw.in.allowed);
    for (const DrawPlan::Step& step : draw.plan->steps()) {
      place.ids.push_back(numbers_.add(std::span<const std::int32_t>(step.op.ids)));
      place.values.push_back(numbers_.add(std::span<const float>(step.op.values)));
    }
  }

  void complete(const RowDraw& draw, Place& place) {
    const DrawPlan& plan = *draw.plan;
    std::vector<cuda::DrawOp> ops;
    for (std::size_t i = 0; i < plan.steps().size(); ++i) {
      const DrawPlan::Step& step = plan.steps()[i];
      ops.push_back({step.op.op, step.op.value, step.inv_temperature,
                     static_cast<std::int32_t>(step.op.ids.size()),
                     numbers_.pointer<std::int32_t>(place.ids[i]),
                     numbers_.pointer<float>(place.values[i])});
    }
    place.ops = ops_.add(std::span<const cuda::DrawOp>(ops));
    const bool sees_text = plan.changes_logits();
    const auto size = [](const auto& span) { return static_cast<std::int32_t>(span.size()); };
    rows_.push_back({.key = draw.key,
                     .position = draw.position,
                     .inv_temperature = plan.inv_temperature(),
                     .is_greedy = plan.is_greedy(),
                     .ops = nullptr,
                     .prompt = numbers_.pointer<std::int32_t>(place.prompt),
                     .completion = numbers_.pointer<std::int32_t>(place.completion),
                     .banned = numbers_.pointer<std::int32_t>(place.banned),
                     .allowed = draw.in.allowed.empty()
                                    ? nullptr
                                    : numbers_.pointer<std::uint8_t>(place.allowed),
                     .num_ops = size(plan.steps()),
                     .num_prompt = sees_text ? size(draw.in.prompt) : 0,
                     .num_completion = sees_text ? size(draw.in.completion) : 0,
                     .num_banned = size(draw.in.banned)});
  }

  Parcel numbers_, ops_, rows_parcel_;
  std::vector<Place> places_;
  std::vector<cuda::DrawRow> rows_;
  const cuda::DrawRow* rows_at_ = nullptr;
};

// Ids that a row's support has room for.
std::int64_t support_room(std::span<const RowDraw> draws, std::int64_t vocab) {
  std::size_t most = static_cast<std::size_t>(vocab);
  bool has_support = false;
  for (const RowDraw& draw : draws) {
    const auto is_truncation = [](const DrawPlan::Step& step) { return step.is_truncation(); };
    has_support |=
        !draw.in.allowed.empty() || std::ranges::any_of(draw.plan->steps(), is_truncation);
    most = std::min(most, draw.plan->max_support());
  }
  return has_support ? static_cast<std::int64_t>(most) : 1;  // a greedy draw has one
}

void check(std::uint32_t status) {
  if (status == cuda::kLogitsNotFinite) logits_not_finite();
  if (status == cuda::kNothingToDraw) nothing_to_draw();
  if (status == cuda::kOpsNotFinite) ops_not_finite();
  QED_CHECK(status == cuda::kDrawn);
}

// True where the draw's distribution is that of the logits as they came, or of a support of them.
bool is_plain(const RowDraw& draw) {
  return !draw.plan->changes_logits() && draw.in.banned.empty();
}

// What a training forward finds of the tokens that were drawn, by the kernel that it uses: where
// the logits are the same bits, so are behavior_logp and the entropy.
std::vector<float> score(const at::Tensor& logits, std::span<const RowDraw> draws,
                         std::vector<DrawPlan::Draw>& drawn) {
  ops::Device& gpu = *ops::device();
  const std::int64_t rows = logits.size(0);
  std::vector<float> inv_temperature, logps(draws.size()), entropies(draws.size());
  std::vector<std::int32_t> tokens, first = {0}, ids;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    inv_temperature.push_back(draws[i].plan->inv_temperature());
    tokens.push_back(drawn[i].token);
    ids.insert(ids.end(), drawn[i].support.begin(), drawn[i].support.end());
    first.push_back(static_cast<std::int32_t>(ids.size()));
  }
  const bool has_support = !ids.empty();
  const at::Tensor scale = gpu.upload<float>(inv_temperature, at::kFloat);
  const at::Tensor target = gpu.upload<std::int32_t>(tokens, at::kInt);
  const at::Tensor offset = gpu.upload<std::int32_t>(first, at::kInt);
  const at::Tensor support = gpu.upload<std::int32_t>(ids, at::kInt);
  const at::Tensor logp = gpu.empty({rows}, at::kFloat), entropy = gpu.empty({rows}, at::kFloat);
  gpu.run(gpu.table().token_logp,
          cuda::TokenLogpArgs{
              .rows = rows,
              .vocab = logits.size(1),
              .logits = logits.const_data_ptr<float>(),
              .target = target.const_data_ptr<std::int32_t>(),
              .inv_temperature = scale.const_data_ptr<float>(),
              .support_first = has_support ? offset.const_data_ptr<std::int32_t>() : nullptr,
              .support = has_support ? support.const_data_ptr<std::int32_t>() : nullptr,
              .logp = logp.data_ptr<float>(),
              .entropy = entropy.data_ptr<float>()});
  gpu.read(logp, logps.data());
  gpu.read(entropy, entropies.data());
  for (std::size_t i = 0; i < draws.size(); ++i) {
    if (is_plain(draws[i])) drawn[i].behavior_logp = logps[i];
  }
  return entropies;
}

}  // namespace

std::vector<DrawPlan::Draw> draw_on_gpu(const at::Tensor& logits, std::span<const RowDraw> draws,
                                        std::vector<float>* entropy) {
  ops::Device& gpu = *ops::device();
  const std::int64_t rows = logits.size(0), vocab = logits.size(1);
  QED_CHECK(rows == static_cast<std::int64_t>(draws.size()));
  const std::int64_t room = support_room(draws, vocab);
  const Request request(draws);
  const at::Tensor scratch = gpu.empty({rows, vocab}, at::kFloat);
  const at::Tensor counts = gpu.zeros({rows, vocab}, at::kInt);
  // Columns: status, token, support_size, behavior_logp, logp; one download brings them all.
  const at::Tensor result = gpu.empty({5, rows}, at::kInt), ids = gpu.empty({rows, room}, at::kInt);
  auto* const to = static_cast<std::int32_t*>(result.mutable_data_ptr());
  gpu.run(gpu.table().draw, cuda::DrawArgs{.rows = rows,
                                           .vocab = vocab,
                                           .max_support = static_cast<std::int32_t>(room),
                                           .reserved = 0,
                                           .logits = logits.const_data_ptr<float>(),
                                           .row = request.rows(),
                                           .scratch = scratch.data_ptr<float>(),
                                           .counts = counts.data_ptr<std::int32_t>(),
                                           .status = reinterpret_cast<std::uint32_t*>(to),
                                           .token = to + rows,
                                           .behavior_logp = reinterpret_cast<float*>(to + 3 * rows),
                                           .logp = reinterpret_cast<float*>(to + 4 * rows),
                                           .support = ids.data_ptr<std::int32_t>(),
                                           .support_size = to + 2 * rows});
  std::vector<std::int32_t> found(draws.size() * 5), support;
  gpu.read(result, found.data());
  const auto column = [&](std::size_t c, std::size_t row) { return found[c * draws.size() + row]; };
  bool has_support = false;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    check(static_cast<std::uint32_t>(column(0, i)));
    has_support |= column(2, i) > 0;
  }
  if (has_support) {
    support.resize(static_cast<std::size_t>(ids.numel()));
    gpu.read(ids, support.data());
  }
  std::vector<DrawPlan::Draw> out;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const auto first = support.begin() + static_cast<std::ptrdiff_t>(i) * room;
    out.push_back({column(1, i), std::bit_cast<float>(column(3, i)),
                   std::bit_cast<float>(column(4, i)),
                   has_support ? std::vector<std::int32_t>(first, first + column(2, i))
                               : std::vector<std::int32_t>()});
  }
  std::vector<float> entropies = score(logits, draws, out);
  if (entropy != nullptr) *entropy = std::move(entropies);
  return out;
}

}  // namespace qed
