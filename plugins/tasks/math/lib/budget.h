#pragma once

// A bound on the work of one verdict, in operations: never in time, so that a verdict is the same
// on every machine.

#include <cstdint>

namespace math {

// One operation is about 20 ns of work. Whoever works asks first; after a `false` the verdict is
// unknown, and every later question gets `false` too.
class Budget {
 public:
  static constexpr std::uint64_t kDefault = 60'000;

  explicit Budget(std::uint64_t operations = kDefault) : left_(operations) {}

  bool spend(std::uint64_t operations) {
    if (operations > left_) {
      left_ = 0;
      is_spent_ = true;
      return false;
    }
    left_ -= operations;
    return true;
  }
  bool is_spent() const { return is_spent_; }
  std::uint64_t left() const { return left_; }

 private:
  std::uint64_t left_;
  bool is_spent_ = false;
};

}  // namespace math
