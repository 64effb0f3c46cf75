#pragma once

// The arguments of a call of the table, checked against the contract in core/cuda/*_args.h, with
// their pointers exchanged for those that this CPU can follow: see memory.h. What breaks the
// contract ends the program: null where an array must be, an address of the host, bytes outside of
// a block, a number that leads outside of an array, two threads that would write to one place.

#include "core/cuda/kernel_table.h"
#include "tests/cuda/host_gpu/memory.h"

#include <cstdint>
#include <vector>

namespace qed::cuda {

class Exchange {
 public:
  explicit Exchange(const Memory& memory) : memory_(memory) {}

  void enter(const char* kernel) { kernel_ = kernel; }
  void check(bool is_right, const char* what) const {
    if (!is_right) stop("%s: it must be that %s", kernel_, what);
  }

  // An array of `count` numbers; one without any may be anywhere.
  template <class T>
  void needed(const char* name, T*& pointer, std::int64_t count) const {
    pointer = static_cast<T*>(find(name, pointer, count, sizeof(T)));
  }
  template <class Void>
  void needed(const char* name, Void*& pointer, std::int64_t count, std::int32_t dtype) const {
    pointer = find(name, pointer, count, bytes_of(name, dtype));
  }
  // The same, or null.
  template <class T, class... Dtype>
  void maybe(const char* name, T*& pointer, std::int64_t count, Dtype... dtype) const {
    if (pointer != nullptr) needed(name, pointer, count, dtype...);
  }

  // The largest of some numbers that were exchanged, each in [0, bound); -1 of none.
  std::int64_t largest(const char* name, const std::int32_t* x, std::int64_t count,
                       std::int64_t bound = INT32_MAX) const;
  // Checks that the numbers ascend from 0 or more; returns the last one.
  std::int64_t last_of_ascending(const char* name, const std::int32_t* first,
                                 std::int64_t count) const;

  // Rows of a draw, whose own pointers are exchanged too; they live as long as this object.
  std::vector<DrawRow> rows;
  std::vector<std::vector<DrawOp>> ops;

 private:
  std::int64_t bytes_of(const char* name, std::int32_t dtype) const;
  void* find(const char* name, const void* pointer, std::int64_t count, std::int64_t size) const;

  const Memory& memory_;
  const char* kernel_ = "";
};

void exchange(Exchange& e, RmsNormArgs& a);
void exchange(Exchange& e, HeadNormArgs& a);
void exchange(Exchange& e, GemmArgs& a);
void exchange(Exchange& e, ConvertArgs& a);
void exchange(Exchange& e, SwigluArgs& a);
void exchange(Exchange& e, EmbeddingArgs& a);
void exchange(Exchange& e, RopeArgs& a);
void exchange(Exchange& e, AttentionArgs& a);
void exchange(Exchange& e, DrawArgs& a);
void exchange(Exchange& e, SumSquaresArgs& a);
void exchange(Exchange& e, AdamwArgs& a);
void exchange(Exchange& e, RmsNormBackwardArgs& a);
void exchange(Exchange& e, HeadNormBackwardArgs& a);
void exchange(Exchange& e, SwigluBackwardArgs& a);
void exchange(Exchange& e, ScatterRowsArgs& a);
void exchange(Exchange& e, ColumnSumArgs& a);
void exchange(Exchange& e, AttentionBackwardArgs& a);
void exchange(Exchange& e, TokenLogpArgs& a);
void exchange(Exchange& e, TokenLogpBackwardArgs& a);

}  // namespace qed::cuda
