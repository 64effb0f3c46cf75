#include "core/check/sampler_caller.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qed::check {
namespace {

// What qed_plan.host points to during one call.
struct OpSink {
  std::vector<OpData> ops;
  std::size_t max_ops;
  bool was_refused = false;
};

std::int32_t add_op(qed_plan* self, const qed_op* op) {
  auto& sink = *static_cast<OpSink*>(self->host);
  if (sink.ops.size() >= sink.max_ops) return sink.was_refused = true, 1;
  OpData& out = sink.ops.emplace_back();
  out.op = op->op;
  std::copy_n(op->f, 4, out.f);
  if (op->ids.p != nullptr) out.ids.assign(op->ids.p, op->ids.p + op->ids.n);
  if (op->values.p != nullptr) out.values.assign(op->values.p, op->values.p + op->values.n);
  return 0;
}

bool is_in(float x, double low, double high) { return x >= low && x <= high; }

}  // namespace

std::string line(const OpData& op) {
  char buffer[80];
  std::snprintf(buffer, sizeof buffer, "op %u f %.9g %.9g %.9g %.9g", op.op,
                static_cast<double>(op.f[0]), static_cast<double>(op.f[1]),
                static_cast<double>(op.f[2]), static_cast<double>(op.f[3]));
  std::string out = buffer;
  for (const std::int32_t id : op.ids) out += cat(" id ", id);
  for (const float value : op.values) out += cat(" value ", value);
  return out;
}

std::vector<qed_request> request_grid() {
  std::vector<qed_request> grid;
  for (const std::uint32_t stage : {QED_STAGE_TRAIN, QED_STAGE_EVAL}) {
    for (const std::uint64_t num_steps : {0, 1, 100}) {
      for (const std::uint64_t step : {0, 1, 2, 50, 100, 250}) {
        for (const std::uint64_t group_size : {1, 4}) {
          for (std::uint64_t index = 0; index < group_size; ++index) {
            const std::uint64_t vocab = step == 1 ? 1 : step == 2 ? 152064 : 300;
            grid.push_back({sizeof(qed_request), stage, step, num_steps, index, group_size, vocab});
          }
        }
      }
    }
  }
  return grid;
}

std::string op_problem(const OpData& op, std::uint64_t vocab_size) {
  const float x = op.f[0];
  const bool has_ids = op.op == QED_OP_LOGIT_BIAS || op.op == QED_OP_BAN;
  bool is_legal = true;
  switch (op.op) {
    case QED_OP_TEMPERATURE:
      is_legal = std::isfinite(x) && x >= 0;
      break;
    case QED_OP_TOP_K:
      is_legal = std::isfinite(x) && x >= 1;
      break;
    case QED_OP_TOP_P:
    case QED_OP_MIN_P:
      is_legal = is_in(x, 0, 1);
      break;
    case QED_OP_REPETITION:
      is_legal = std::isfinite(x) && x > 0;
      break;
    case QED_OP_PRESENCE:
    case QED_OP_FREQUENCY:
      is_legal = std::isfinite(x);
      break;
    case QED_OP_LOGIT_BIAS:
      is_legal = op.values.size() == op.ids.size() &&
                 std::ranges::all_of(op.values, [](float v) { return std::isfinite(v); });
      break;
    case QED_OP_BAN:
      break;
    default:
      return cat("op ", op.op, " is none of QED_OP_<op>");
  }
  if (!is_legal) return cat("op ", op.op, " has the illegal value ", x);
  if (!has_ids) return "";
  for (const std::int32_t id : op.ids) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= vocab_size) {
      return cat("op ", op.op, " names token ", id, " of a vocabulary of ", vocab_size);
    }
  }
  return "";
}

Reply SamplerCaller::try_plan(const qed_request& request, std::size_t max_ops,
                              std::vector<OpData>& ops, bool& was_refused) const {
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  OpSink sink{{}, max_ops};
  const qed_request* in = frame.input_struct(request);
  qed_plan* out = frame.output_struct(qed_plan{0, 0, &sink, &add_op});
  frame.seal();
  const Reply reply = frame.reply(table_.plan(object_.self(), frame.call(), in, out));
  ops = std::move(sink.ops);
  was_refused = sink.was_refused;
  return reply;
}

std::vector<OpData> SamplerCaller::plan(const qed_request& request, std::size_t max_ops) const {
  std::vector<OpData> ops;
  bool was_refused = false;
  const Reply reply = try_plan(request, max_ops, ops, was_refused);
  expect(reply.is_ok(), "plan at step ", request.step, " of ", request.num_steps, ", sample ",
         request.index, " of ", request.group_size, ": ", shown(reply));
  return ops;
}

std::vector<std::vector<std::uint8_t>> SamplerCaller::mask(std::span<const MaskRowData> rows,
                                                           std::uint64_t vocab_size) const {
  const std::size_t n = (vocab_size + 7) / 8;
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  std::vector<qed_mask_row*> list;
  for (const MaskRowData& row : rows) {
    list.push_back(
        frame.output_struct(qed_mask_row{0,
                                         0,
                                         row.request,
                                         frame.text(row.prompt),
                                         {frame.array<std::int32_t>(row.tokens), row.tokens.size()},
                                         {frame.output<std::uint8_t>(n, 0xFF), n}}));
  }
  auto* const* in = frame.array<qed_mask_row*>(std::span<qed_mask_row* const>(list));
  frame.seal();
  const Reply reply = frame.reply(table_.mask(object_.self(), frame.call(), in, rows.size()));
  expect(reply.is_ok(), "mask: ", shown(reply));
  std::vector<std::vector<std::uint8_t>> out;
  for (const qed_mask_row* row : list) out.emplace_back(row->allowed.p, row->allowed.p + n);
  return out;
}

}  // namespace qed::check
