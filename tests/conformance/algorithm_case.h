#pragma once

// The input of an algorithm case as the spans of a qed_batch, and its expected numbers in the same
// order.

#include "qed/abi.h"
#include "tests/conformance/algorithms_map.h"

#include <string>
#include <vector>

namespace qed::conformance {

// Sequences are put in the order of their groups. Owns what `batch` views; not copied.
class AlgorithmCase {
 public:
  AlgorithmCase(const Json& row, const Mapping& mapping);
  AlgorithmCase(const AlgorithmCase&) = delete;
  AlgorithmCase& operator=(const AlgorithmCase&) = delete;

  const qed_batch& batch() const { return batch_; }
  std::size_t num_seqs() const { return group_.size(); }
  std::size_t num_tokens() const { return mask_.size(); }
  bool is_written(std::size_t t) const { return mask_[t] != 0; }

  // Rows of numbers, per token or one per sequence, flat in the order of the batch. [T]
  std::vector<double> tokens(const Json& rows) const;
  std::vector<float> floats(const Json& rows) const;
  // "token 3 of sequence 5", as the file counts them.
  std::string place(std::size_t t) const;

  // weight[t] of an aggregation, without and with the importance weights of the input. [T]
  std::vector<double> weights(const Aggregation& aggregation) const;
  std::vector<float> corrected(const std::vector<double>& weights) const;

 private:
  void add_rewards(Part part);
  void add_kl(double beta);
  void add_stream(std::vector<float> rewards, qed_str name);

  const Json& row_;
  const Json& input_;
  std::vector<std::size_t> order_;  // of the file's sequences
  std::vector<std::uint64_t> offset_ = {0}, group_;
  std::vector<std::uint8_t> mask_, valid_, finish_;
  std::vector<float> reward_, old_logp_, behavior_logp_, value_, baseline_;
  std::vector<std::vector<float>> stream_rewards_;
  std::vector<qed_stream> streams_;
  std::vector<const qed_stream*> stream_pointers_;
  qed_batch batch_{};
};

}  // namespace qed::conformance
