#include "core/check/algorithm_caller.h"

#include "qed/philox.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qed::check {
namespace {

float between(Rng& rng, double low, double high) {
  return static_cast<float>(low + (high - low) * rng.real());
}

float normal(Rng& rng) {
  const double u = 1 - rng.real(), v = rng.real();
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v));
}

SequenceData random_sequence(Rng& rng, const BatchShape& shape) {
  SequenceData s;
  s.reward = static_cast<float>(rng.integer(0, 10)) / 10.0f;
  s.finish = rng.integer(0, 3) == 0 ? QED_FINISH_LENGTH : QED_FINISH_STOP;
  const auto n = static_cast<std::size_t>(rng.integer(static_cast<std::int64_t>(shape.min_length),
                                                      static_cast<std::int64_t>(shape.max_length)));
  const std::size_t observed = shape.is_multi_turn && n >= 3 ? n / 2 : n;
  for (std::size_t t = 0; t < n; ++t) {
    s.mask.push_back(t == observed ? 0 : 1);
    s.turn.push_back(t > observed ? 1 : 0);
    s.old_logp.push_back(between(rng, -2.5, -0.5));
    s.behavior_logp.push_back(s.old_logp.back() + between(rng, -0.05, 0.05));
    s.ref_logp.push_back(s.old_logp.back() + between(rng, -0.3, 0.3));
    s.logp.push_back(s.old_logp.back() + between(rng, -0.4, 0.4));
    s.value.push_back(between(rng, 0, 1));
    s.new_value.push_back(s.value.back() + between(rng, -0.4, 0.4));
    s.entropy.push_back(between(rng, 0.1, 2));
    s.adv.push_back(s.mask.back() != 0 ? normal(rng) : 0.0f);
    s.ret.push_back(between(rng, 0, 1));
    s.weight.push_back(s.mask.back() != 0 ? between(rng, 0.5, 1.5) : 0.0f);
  }
  return s;
}

// The member of all sequences, one after the other.
template <class T>
std::vector<T> flat(const BatchData& batch, std::vector<T> SequenceData::*member) {
  std::vector<T> out;
  for (const SequenceData& s : batch) out.insert(out.end(), (s.*member).begin(), (s.*member).end());
  return out;
}

template <class T, class R>
std::vector<R> each(const BatchData& batch, T SequenceData::*member) {
  std::vector<R> out;
  for (const SequenceData& s : batch) out.push_back(static_cast<R>(s.*member));
  return out;
}

// Copies a batch into a frame, with the spans that `needs` asks for.
class Writer {
 public:
  Writer(Frame& frame, std::uint64_t needs) : frame_(frame), needs_(needs) {}

  qed_f32s span(const std::vector<float>& v, std::uint64_t need = 0) {
    if (need != 0 && (needs_ & need) == 0) return {};
    return {frame_.array<float>(v), v.size()};
  }
  qed_f32s span(const BatchData& batch, std::vector<float> SequenceData::*member,
                std::uint64_t need = 0) {
    return span(flat(batch, member), need);
  }
  qed_bytes bytes(const std::vector<std::uint8_t>& v) {
    return {frame_.array<std::uint8_t>(v), v.size()};
  }
  qed_u64s numbers(const std::vector<std::uint64_t>& v) {
    return {frame_.array<std::uint64_t>(v), v.size()};
  }
  qed_f32s_out out(std::size_t n, std::uint64_t need = 0) {
    if (need != 0 && (needs_ & need) == 0) return {};
    return {frame_.output<float>(n, 0.0f), n};
  }

  const qed_batch* batch(const BatchData& b) {
    using S = SequenceData;
    std::vector<std::uint64_t> offset = {0};
    for (const S& s : b) offset.push_back(offset.back() + s.size());
    const auto turn = flat(b, &S::turn);
    const bool is_multi_turn = std::ranges::any_of(turn, [](std::int32_t t) { return t != 0; });
    qed_batch out{};
    out.step = 1;
    out.offset = numbers(offset);
    out.group = numbers(each<std::uint64_t, std::uint64_t>(b, &S::group));
    out.reward = span(each<float, float>(b, &S::reward));
    out.valid = bytes(each<std::uint8_t, std::uint8_t>(b, &S::valid));
    out.mask = bytes(flat(b, &S::mask));
    out.behavior_logp = span(b, &S::behavior_logp);
    out.old_logp = span(b, &S::old_logp);
    out.ref_logp = span(b, &S::ref_logp, QED_NEEDS_REF);
    out.value = span(b, &S::value, QED_NEEDS_VALUE);
    out.finish = bytes(each<std::uint8_t, std::uint8_t>(b, &S::finish));
    if (is_multi_turn) out.turn = {frame_.array<std::int32_t>(turn), turn.size()};
    out.baseline = span(each<float, float>(b, &S::baseline), QED_NEEDS_BASELINE);
    return frame_.input_struct(out);
  }

 private:
  Frame& frame_;
  std::uint64_t needs_;
};

std::vector<float> taken(qed_f32s_out s) { return {s.p, s.p + s.n}; }

void append(std::string& out, std::string_view name, const std::vector<float>& values) {
  char buffer[32];
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::snprintf(buffer, sizeof buffer, "%.9g", static_cast<double>(values[i]));
    out += cat(name, "[", i, "] ", buffer, "\n");
  }
}

}  // namespace

std::size_t num_tokens(const BatchData& batch) {
  std::size_t n = 0;
  for (const SequenceData& s : batch) n += s.size();
  return n;
}

BatchData random_batch(std::uint64_t seed, const BatchShape& shape) {
  Rng rng(KeyHash().add("qed.check.batch").add(seed).value());
  BatchData batch;
  for (std::size_t g = 0; g < shape.groups.size(); ++g) {
    const float baseline = static_cast<float>(rng.integer(0, 10)) / 10.0f;
    for (std::size_t i = 0; i < shape.groups[g]; ++i) {
      SequenceData& s = batch.emplace_back(random_sequence(rng, shape));
      s.group = 10 + g;
      s.baseline = baseline;
    }
  }
  return batch;
}

std::string lines(const AdvantageData& out) {
  std::string text;
  append(text, "adv", out.adv);
  append(text, "ret", out.ret);
  for (const std::uint8_t k : out.keep) text += cat("keep ", int{k}, "\n");
  return text + "metrics " + out.metrics + "\n";
}

std::string lines(const LossData& out) {
  char buffer[80];
  std::snprintf(buffer, sizeof buffer, "loss %.17g value_loss %.17g\n", out.loss, out.value_loss);
  std::string text = buffer;
  append(text, "grad_logp", out.grad_logp);
  append(text, "grad_entropy", out.grad_entropy);
  append(text, "grad_value", out.grad_value);
  return text + "metrics " + out.metrics + "\n";
}

AlgorithmCaller::AlgorithmCaller(const Object& object, const Form& form)
    : object_(object),
      form_(form),
      table_(object.subject().table<qed_algorithm>()),
      needs_(table_.needs(object.self())) {}

Reply AlgorithmCaller::try_advantage(const BatchData& batch, AdvantageData& out) const {
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  Writer writer(frame, needs_);
  const qed_batch* in = writer.batch(batch);
  const std::size_t n = num_tokens(batch);
  MetricLog& metrics = frame.metrics();
  auto* result =
      frame.output_struct(qed_advantage{0,
                                        0,
                                        writer.out(n),
                                        writer.out(n, QED_NEEDS_VALUE),
                                        {frame.output<std::uint8_t>(batch.size(), 1), batch.size()},
                                        metrics.abi});
  frame.seal();
  const Reply reply = frame.reply(table_.advantage(object_.self(), frame.call(), in, result));
  out = {taken(result->adv),
         taken(result->ret),
         {result->keep.p, result->keep.p + result->keep.n},
         metrics.text};
  return reply;
}

AdvantageData AlgorithmCaller::advantage(const BatchData& batch) const {
  AdvantageData out;
  const Reply reply = try_advantage(batch, out);
  expect(reply.is_ok(), "advantage: ", shown(reply));
  return out;
}

std::string AlgorithmCaller::prepare(const BatchData& update) const {
  if (!has_prepare()) return "";
  using S = SequenceData;
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  Writer writer(frame, needs_);
  const qed_batch* batch = writer.batch(update);
  const auto* in = frame.input_struct(
      qed_update{0, 0, batch, writer.span(update, &S::adv),
                 writer.span(update, &S::ret, QED_NEEDS_VALUE), writer.span(update, &S::weight),
                 writer.span(update, &S::logp, QED_NEEDS_UPDATE_LOGP), frame.metrics().abi});
  Sink& out = frame.sink();
  frame.seal();
  const Reply reply = frame.reply(table_.prepare(object_.self(), frame.call(), in, out.abi));
  expect(reply.is_ok(), "prepare: ", shown(reply));
  return out.text;
}

LossData AlgorithmCaller::loss(const BatchData& batch) const {
  return loss(batch, prepare(batch), 0);
}

LossData AlgorithmCaller::loss(const BatchData& part, std::string_view prepared,
                               std::uint64_t first) const {
  using S = SequenceData;
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  Writer writer(frame, needs_);
  const std::size_t n = num_tokens(part);
  std::vector<std::uint64_t> token;
  for (const S& s : part) token.push_back(first), first += s.size();
  MetricLog& metrics = frame.metrics();
  qed_loss args{};
  args.batch = writer.batch(part);
  args.adv = writer.span(part, &S::adv);
  args.ret = writer.span(part, &S::ret, QED_NEEDS_VALUE);
  args.logp = writer.span(part, &S::logp);
  args.weight = writer.span(part, &S::weight);
  args.grad_logp = writer.out(n);
  args.metrics = metrics.abi;
  if (has_prepare()) args.prepared = frame.bytes(prepared);
  args.token = writer.numbers(token);
  args.entropy = writer.span(part, &S::entropy, QED_NEEDS_ENTROPY);
  args.value = writer.span(part, &S::new_value, QED_NEEDS_VALUE);
  args.grad_entropy = writer.out(n, QED_NEEDS_ENTROPY);
  args.grad_value = writer.out(n, QED_NEEDS_VALUE);
  qed_loss* out = frame.output_struct(args);
  frame.seal();
  const Reply reply = frame.reply(table_.loss(object_.self(), frame.call(), out));
  expect(reply.is_ok(), "loss: ", shown(reply));
  return {out->loss,
          out->value_loss,
          taken(args.grad_logp),
          taken(args.grad_entropy),
          taken(args.grad_value),
          metrics.text};
}

}  // namespace qed::check
