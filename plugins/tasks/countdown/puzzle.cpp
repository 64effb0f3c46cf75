#include "puzzle.h"

#include "qed/json.h"
#include "qed/unicode.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace countdown {
namespace {

constexpr std::size_t kMaxNumbers = 256;
constexpr std::size_t kMaxDigits = 4300;  // int() takes no more

bool is_whole(std::string_view token) {
  return token.find_first_not_of("-0123456789") == token.npos && token.size() <= kMaxDigits;
}

Number parse_number(std::string_view token) {
  if (is_whole(token)) {
    const bool is_negative = token.starts_with('-');
    const Number v = Number::integer(token.substr(is_negative ? 1 : 0));
    if (!is_negative) return v;
    return Number::integer(BigInt(-v.wide()));
  }
  double v = 0;
  const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), v);
  if (ec != std::errc() || end != token.data() + token.size()) {
    v = std::numeric_limits<double>::quiet_NaN();
  }
  return Number::real(v);
}

struct Fields {
  std::string_view target;
  std::string unescaped;
  bool target_is_text = false, has_target = false, has_numbers = false;
};

// Calls add(token) for each number.
template <class Add>
Fields read(std::string_view json, Add&& add) {
  Fields out;
  qed::json::Reader in(json);
  const auto number = [&](const char* field) {
    const char c = in.peek();
    if (c != '-' && (c < '0' || c > '9')) {
      throw qed::Error("field `" + std::string(field) + "` is no number");
    }
    return in.skip();
  };
  in.object([&](std::string_view key) {
    if (key == "target") {
      out.target_is_text = in.peek() == '"';
      out.target = out.target_is_text ? qed::strip(in.text(out.unescaped)) : number("target");
      out.has_target = true;
    } else if (key == "nums" || key == "numbers") {
      const char* field = key == "nums" ? "nums" : "numbers";
      if (in.peek() != '[') throw qed::Error("field `" + std::string(field) + "` is no list");
      in.array([&] { add(number(field)); });
      out.has_numbers = true;
    } else {
      in.skip();
    }
  });
  in.finish();
  if (!out.has_target) throw qed::Error("there is no field `target`");
  if (!out.has_numbers) throw qed::Error("there is no field `nums`");
  return out;
}

// The value of a run of digits, or nothing where int() refuses it.
std::optional<Number> parse_digits(std::string_view run) {
  std::int64_t v = 0;
  const auto [end, ec] = std::from_chars(run.data(), run.data() + run.size(), v);
  if (ec == std::errc() && end == run.data() + run.size()) return Number::integer(v);
  const auto digits = qed::canonical_int(run);
  if (!digits) return std::nullopt;
  return Number::integer(*digits);
}

// Calls f for each run of \d; stops when f returns false.
template <class F>
bool digit_runs(std::string_view text, F&& f) {
  const char* begin = nullptr;
  while (!text.empty()) {
    const char* at = text.data();
    const bool is_digit = qed::decimal(qed::next_char(text)) >= 0;
    if (is_digit && begin == nullptr) begin = at;
    if (!is_digit && begin != nullptr) {
      if (!f({begin, static_cast<std::size_t>(at - begin)})) return false;
      begin = nullptr;
    }
  }
  return begin == nullptr || f({begin, static_cast<std::size_t>(text.data() - begin)});
}

// The common case: integers of 64 bits on both sides.
bool is_same(std::string_view equation, const Puzzle& puzzle) {
  constexpr std::size_t kMax = 64;
  std::int64_t used[kMax];
  std::size_t num_used = 0;
  const bool all_fit = digit_runs(equation, [&](std::string_view run) {
    if (num_used == puzzle.nums.size() || num_used == kMax) return false;
    const auto v = parse_digits(run);
    if (!v || v->kind != Number::Kind::kInt) return false;
    used[num_used++] = v->small;
    return true;
  });
  if (!all_fit || num_used != puzzle.nums.size()) return false;
  std::sort(used, used + num_used);
  return std::equal(used, used + num_used, puzzle.nums.begin());
}

std::vector<Number> given(const Puzzle& puzzle) {
  std::vector<Number> out = puzzle.wide;
  for (const std::int64_t v : puzzle.nums) out.push_back(Number::integer(v));
  return out;
}

}  // namespace

Puzzle parse_puzzle(std::string_view json) {
  Puzzle out;
  out.nums.reserve(8);
  const Fields fields = read(json, [&](std::string_view token) {
    Number v = parse_number(token);
    if (out.nums.size() + out.wide.size() == kMaxNumbers) throw qed::Error("too many numbers");
    if (v.kind == Number::Kind::kInt) {
      out.nums.push_back(v.small);
    } else {
      out.wide.push_back(std::move(v));
    }
  });
  std::sort(out.nums.begin(), out.nums.end());
  out.target = parse_number(fields.target);
  out.target_is_text = fields.target_is_text;
  return out;
}

Wording wording(std::string_view json) {
  Wording out;
  const Fields fields = read(json, [&](std::string_view token) {
    (out.numbers += out.numbers.empty() ? "[" : ", ") += token;
  });
  if (out.numbers.empty()) out.numbers = "[";
  out.numbers += "]";
  out.target = fields.target;
  return out;
}

Plain parse_plain(std::string_view json) {
  constexpr std::size_t kMaxPlain = 64;
  Plain out;
  const auto integer = [](std::string_view token, const char* field) {
    std::int64_t v = 0;
    const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), v);
    if (ec == std::errc() && end == token.data() + token.size()) return v;
    throw qed::Error("field `" + std::string(field) + "` has " + std::string(token.substr(0, 40)) +
                     ", which is no integer of 64 bits");
  };
  const Fields fields = read(json, [&](std::string_view token) {
    out.nums.push_back(integer(token, "nums"));
    if (out.nums.back() < 0) throw qed::Error("field `nums` has a negative number");
    if (out.nums.size() > kMaxPlain) throw qed::Error("field `nums` has more than 64 numbers");
  });
  if (out.nums.empty()) throw qed::Error("field `nums` is empty");
  out.target = integer(fields.target, "target");
  return out;
}

std::string write(const Plain& puzzle) {
  std::string out = "{\"target\":" + std::to_string(puzzle.target) + ",\"nums\":";
  char separator = '[';
  for (const std::int64_t v : puzzle.nums) {
    (out += separator) += std::to_string(v);
    separator = ',';
  }
  return out += "]}";
}

std::string key_of(const Plain& puzzle) {
  std::vector<std::int64_t> nums = puzzle.nums;
  std::sort(nums.begin(), nums.end());
  std::string out;
  for (const std::int64_t v : nums) (out += out.empty() ? "" : ",") += std::to_string(v);
  return (out += '=') += std::to_string(puzzle.target);
}

Usage usage(std::string_view equation, const Puzzle& puzzle, bool with_overlap) {
  if (puzzle.wide.empty() && puzzle.nums.size() <= 64 && is_same(equation, puzzle))
    return {true, 1};
  const std::vector<Number> all = given(puzzle);
  if (puzzle.wide.empty() && puzzle.nums.size() <= 64 && !with_overlap) return {};
  std::vector<Number> used;
  const bool are_ints = digit_runs(equation, [&](std::string_view run) {
    auto v = parse_digits(run);
    if (v) used.push_back(std::move(*v));
    return v.has_value() && used.size() <= kMaxNumbers;
  });
  if (!are_ints) return {};
  Usage out{.is_exact = used.size() == all.size()};
  std::vector<bool> is_taken(all.size());
  for (std::size_t i = 0; i < used.size() && out.is_exact; ++i) {
    std::size_t k = 0;
    while (k < all.size() && (is_taken[k] || !equal(used[i], all[k]))) ++k;
    if (k == all.size()) out.is_exact = false;
    if (k < all.size()) is_taken[k] = true;
  }
  std::size_t num_shared = 0;
  for (std::size_t i = 0; i < all.size() && with_overlap; ++i) {
    const auto is_equal = [&](const Number& v) { return equal(v, all[i]); };
    const bool is_first =
        std::none_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), is_equal);
    if (is_first && std::any_of(used.begin(), used.end(), is_equal)) ++num_shared;
  }
  if (!all.empty()) out.overlap = static_cast<double>(num_shared) / static_cast<double>(all.size());
  return out;
}

}  // namespace countdown
