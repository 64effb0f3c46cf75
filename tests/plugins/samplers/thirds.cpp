// A sampler that constrains: one token is banned, and of the others a third is masked at each
// position, another third each time.

#include "qed/sampler.h"

#include <vector>

namespace {

class Thirds {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.thirds",
      .name = "thirds",
      .version = "1.0.0",
      .summary = "a ban and a mask",
  };

  void plan(const qed::Request&, qed::Plan& plan) const {
    plan.temperature(0.9);
    plan.ban(std::vector<std::int32_t>{5});
  }

  void mask(std::span<qed_mask_row* const> rows) const {
    for (qed_mask_row* row : rows) {
      for (std::size_t id = row->tokens.n % 3; id < 8 * row->allowed.n; id += 3) {
        row->allowed.p[id / 8] &= static_cast<std::uint8_t>(~(1u << (id % 8)));
      }
    }
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.thirds", "Apache-2.0", qed::Sampler<Thirds>);
