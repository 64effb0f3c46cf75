// An algorithm with a bug: it throws what is no std::exception.

#include "qed/algorithm.h"

namespace {

class Throws {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.throws",
      .name = "throws",
      .version = "1.0.0",
      .summary = "throws an int from advantage",
  };

  void advantage(const qed::Batch&, qed::Advantage&) const { throw 42; }
  double loss(const qed::Batch&, qed::LossArgs&) const { return 0; }
};

}  // namespace

QED_PLUGIN("dev.qed.test.throws", "Apache-2.0", qed::Algorithm<Throws>);
