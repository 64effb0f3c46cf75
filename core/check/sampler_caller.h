#pragma once

// Calls into a sampler under test, from plain data to plain data.

#include "core/check/subject.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qed::check {

struct OpData {
  std::uint32_t op = 0;
  float f[4] = {};
  std::vector<std::int32_t> ids;
  std::vector<float> values;
};

struct MaskRowData {
  std::uint64_t request = 0;
  std::string prompt;
  std::vector<std::int32_t> tokens;
};

std::string line(const OpData& op);

// The requests that a sampler is tested on: both stages, first, middle, last and later steps, step
// 0 and a stage without steps, all samples of small groups, vocabularies of 1, 300 and 152064
// tokens.
std::vector<qed_request> request_grid();

// Why the engine could not apply the op, or nothing.
std::string op_problem(const OpData& op, std::uint64_t vocab_size);

class SamplerCaller {
 public:
  explicit SamplerCaller(const Object& object, const Form& form = {})
      : object_(object), form_(form), table_(object.subject().table<qed_sampler>()) {}

  bool has_mask() const { return QED_HAS(qed_sampler, &table_, mask); }

  // These throw Failure when the sampler refuses. `max_ops`: the host takes no more.
  std::vector<OpData> plan(const qed_request& request, std::size_t max_ops = 1000) const;
  // One bit per token and row, in bytes.
  std::vector<std::vector<std::uint8_t>> mask(std::span<const MaskRowData> rows,
                                              std::uint64_t vocab_size) const;
  // The reply to a plan that may take `max_ops` ops, and whether it asked for more.
  Reply try_plan(const qed_request& request, std::size_t max_ops, std::vector<OpData>& ops,
                 bool& was_refused) const;

 private:
  const Object& object_;
  Form form_;
  const qed_sampler& table_;
};

}  // namespace qed::check
