// Log-probs of tokens on a GPU, and the way back to the host.

#include "core/ops/gpu.h"
#include "core/util/error.h"

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace qed::ops::gpu {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kLogits = 1 << 26;  // numbers that exist at one time, about

Device& here() { return *device(); }

std::int64_t chunk_rows(std::int64_t vocab) { return std::max<std::int64_t>(kLogits / vocab, 64); }

// Some rows of the input, with their logits.
struct Chunk {
  std::int64_t begin = 0, rows = 0;
  at::Tensor h, logits, target, inv_temperature, support_first, support;

  cuda::TokenLogpArgs args() const {
    return {.rows = rows,
            .vocab = logits.size(1),
            .logits = logits.const_data_ptr<float>(),
            .target = target.const_data_ptr<std::int32_t>(),
            .inv_temperature = inv_temperature.const_data_ptr<float>(),
            .support_first =
                support_first.defined() ? support_first.const_data_ptr<std::int32_t>() : nullptr,
            .support = support_first.defined() ? support.const_data_ptr<std::int32_t>() : nullptr,
            .logp = nullptr,
            .entropy = nullptr};
  }
};

Chunk make_chunk(const LogpInput& in, std::int64_t begin, std::int64_t rows) {
  Chunk out;
  out.begin = begin;
  out.rows = rows;
  out.h = in.h.narrow(0, begin, rows);
  out.logits = linear(out.h, in.w, at::Tensor(), in.vocab, at::kFloat);
  out.target = here().upload_int32(in.target.narrow(0, begin, rows));
  out.inv_temperature = here().upload(in.inv_temperature.narrow(0, begin, rows));
  const std::vector<std::int64_t>& offset = in.support.offset;
  if (offset.empty()) return out;
  const auto at = [&](std::int64_t r) { return offset[static_cast<std::size_t>(begin + r)]; };
  std::vector<std::int32_t> first;
  for (std::int64_t r = 0; r <= rows; ++r) {
    first.push_back(static_cast<std::int32_t>(at(r) - at(0)));
  }
  out.support_first = here().upload<std::int32_t>(first, at::kInt);
  out.support = here().upload<std::int32_t>(
      std::span(in.support.ids)
          .subspan(static_cast<std::size_t>(at(0)), static_cast<std::size_t>(at(rows) - at(0))),
      at::kInt);
  return out;
}

template <class F>
void for_each_chunk(const LogpInput& in, F&& f) {
  if (in.support.change) {
    throw Error("penalties, biases and bans of a sampler cannot be trained with on a GPU",
                "write run.device = \"cpu\", or take them out of [sampler]");
  }
  const std::int64_t all = in.h.size(0), step = chunk_rows(in.vocab);
  for (std::int64_t begin = 0; begin < all; begin += step) {
    f(make_chunk(in, begin, std::min(step, all - begin)));
  }
}

struct ToHost : torch::autograd::Function<ToHost> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x) {
    ctx->saved_data["type"] = static_cast<std::int64_t>(x.scalar_type());
    return download_floats(x);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto type = static_cast<at::ScalarType>(ctx->saved_data["type"].toInt());
    return {here().upload(grads[0].contiguous().to(type))};
  }
  static at::Tensor download_floats(const at::Tensor& x) {
    return here().download(x).to(at::kFloat);
  }
};

}  // namespace

void token_logp(const LogpInput& in, float* logp, float* entropy) {
  for_each_chunk(in, [&](const Chunk& chunk) {
    const at::Tensor logps = here().empty({chunk.rows}, at::kFloat);
    const at::Tensor entropies = here().empty({chunk.rows}, at::kFloat);
    cuda::TokenLogpArgs args = chunk.args();
    args.logp = logps.data_ptr<float>();
    args.entropy = entropies.data_ptr<float>();
    here().run(here().table().token_logp, args);
    here().read(logps, logp + chunk.begin);
    here().read(entropies, entropy + chunk.begin);
  });
}

at::Tensor token_logp_backward(const LogpInput& in, const at::Tensor& dlogp,
                               const at::Tensor& dentropy, const at::Tensor& dw) {
  at::Tensor dh = here().empty(in.h.sizes(), in.h.scalar_type());
  for_each_chunk(in, [&](const Chunk& chunk) {
    const auto part = [&](const at::Tensor& x) {
      return here().upload(x.narrow(0, chunk.begin, chunk.rows));
    };
    const at::Tensor dlogps = part(dlogp);
    const at::Tensor dentropies = dentropy.defined() ? part(dentropy) : at::Tensor();
    const at::Tensor dz = in.h.scalar_type() == at::kFloat
                              ? chunk.logits
                              : here().empty(chunk.logits.sizes(), in.h.scalar_type());
    here().run(here().table().token_logp_backward,
               cuda::TokenLogpBackwardArgs{
                   .forward = chunk.args(),
                   .dlogp = dlogps.const_data_ptr<float>(),
                   .dentropy = dentropies.defined() ? dentropies.const_data_ptr<float>() : nullptr,
                   .dtype = dtype_of(dz),
                   .reserved = 0,
                   .dlogits = dz.mutable_data_ptr()});
    here().copy(dh.narrow(0, chunk.begin, chunk.rows), linear_grad_x(dz, in.w));
    add_linear_grad_w(dz, chunk.h, dw);
  });
  return dh;
}

at::Tensor to_host(const at::Tensor& x) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return ToHost::download_floats(x);
  return ToHost::apply(x);
}

}  // namespace qed::ops::gpu
