#pragma once

// One question: two numbers and what is done with them; its answer, and the written working.

#include <cstdint>
#include <string>
#include <string_view>

namespace arithmetic {

struct Question {
  std::int64_t a = 0, b = 0;
  char op = '+';  // + - *

  std::string text(std::string_view gap = "") const {  // "737+784", "737 + 784"
    return std::to_string(a).append(gap) + op + std::string(gap) + std::to_string(b);
  }
  std::string key() const;     // where the order does not matter, the smaller number comes first
  std::string result() const;  // "1521"
  bool is_held_out() const;    // one key in five is never trained on
};

// "737+784": numbers of 1 to 9 digits. Throws qed::Error for anything else.
Question parse_question(std::string_view text);

// Column by column from the units, then the result:
//   737+784  4+7+0=11,...,=1521         digit + digit + carry = carry, digit
//   737-184  7-4-0=03,...,=553          digit - digit - borrow = borrow, digit
//   184-737  -,7-4-0=03,...,=-553       the larger minus the smaller, and the sign
//   23*45    23*5:3*5+0=15,2*5+1=11,=115;23*4:...,=92;920+115:...,=1035;=1035
//            one product per digit of b, each added to what there is, shifted
std::string working(const Question& question);

}  // namespace arithmetic
