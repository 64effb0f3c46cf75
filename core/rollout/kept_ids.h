#pragma once

// The ids that a sampler's truncations leave of one row of logits. A set, never a sorted list: what
// stays is found by selection, so a vocabulary of 152,000 costs a few scans. Ties: the lower id is
// the more likely one.

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

// A row of logits that may be drawn from. An id whose logit is -infinity is banned.
struct LogitRow {
  std::span<const float> logits;
  std::span<const float> block_max;  // see ops::CpuKernels::row_block_max
  std::size_t num_possible;          // ids that are not banned
};

// Starts with all possible ids. Reused from draw to draw. Not thread-safe.
class KeptIds {
 public:
  void reset() { is_all_ = true; }
  bool is_all() const { return is_all_; }
  bool empty() const { return !is_all_ && kept_.empty(); }

  // Ids whose bit in `allowed` is 1; see qed_mask_row.
  void keep_allowed(const LogitRow& row, std::span<const std::uint8_t> allowed);
  // The k most likely; k >= 1.
  void keep_top(const LogitRow& row, std::size_t k);
  // The fewest most likely whose share of the mass reaches p, at least one. Where more than `limit`
  // would stay, the result may be the `limit` most likely.
  void keep_mass(const LogitRow& row, float inv_temperature, float p, std::size_t limit);
  // Those at least min_p times as likely as the likeliest.
  void keep_likely(const LogitRow& row, float inv_temperature, float min_p);
  // Takes over logits that changed, and drops ids that were banned.
  void refresh(const LogitRow& row);

  // The kept ids, ascending; empty where all are kept.
  std::vector<std::int32_t> ids() const;

 private:
  struct Candidate {
    float logit;
    std::int32_t id;
    float weight;  // exp(logit * inv_temperature - max), where keep_mass set it
  };
  static bool more_likely(const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  }

  void collect(const LogitRow& row, std::size_t count);
  template <class Predicate>
  void collect_if(const LogitRow& row, Predicate&& stays);
  void select(std::size_t k);
  float max() const;
  double weigh(float inv_temperature, float max);
  void settle(const LogitRow& row) { is_all_ = kept_.size() == row.num_possible; }

  bool is_all_ = true;
  std::vector<Candidate> kept_;  // unless is_all_; in no order
  std::vector<float> scratch_;
};

// Sum of exp(logit * inv_temperature - max) over a row, in blocks of fixed size.
double row_mass(std::span<const float> logits, float inv_temperature, float max);

}  // namespace qed
