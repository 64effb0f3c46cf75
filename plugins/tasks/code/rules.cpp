#include "rules.h"

#include "qed/error.h"
#include "qed/json.h"
#include "qed/tags.h"
#include "qed/unicode.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace code {

namespace {

using qed::json::Reader;

constexpr std::string_view kFence = "```";
constexpr int kMaxDepth = 100;

// The next line of `rest`, without its end; nothing once there is none.
std::optional<std::string_view> next_line(std::string_view& rest, bool& is_over) {
  if (is_over) return std::nullopt;
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  is_over = end == rest.npos;
  rest = is_over ? std::string_view() : rest.substr(end + 1);
  return line;
}

std::string_view strip_end(std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n\v\f");
  return end == text.npos ? std::string_view() : text.substr(0, end + 1);
}

bool is_name_of(std::string_view word, std::string_view language) {
  if (word.empty()) return true;
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (language == "python") return lower == "python" || lower == "python3" || lower == "py";
  return lower == "cpp" || lower == "c++" || lower == "cc";
}

bool same_numbers(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> out;
  Reader in(list);
  in.array([&] { out.push_back(in.skip()); });
  return out;
}

std::map<std::string, std::string_view> members(std::string_view object) {
  std::map<std::string, std::string_view> out;
  Reader in(object);
  in.object([&](std::string_view name) {
    std::string key(name);
    out[key] = in.skip();
  });
  return out;
}

// Both are JSON. Throws qed::Error where they are not after all.
bool same_value(std::string_view a, std::string_view b, int depth) {
  Reader x(a), y(b);
  const char first = x.peek(), second = y.peek();
  const auto is_number = [](char c) { return c == '-' || (c >= '0' && c <= '9'); };
  if (is_number(first) && is_number(second)) return same_numbers(x.number(), y.number());
  if (first != second || depth > kMaxDepth) return false;
  if (first == '"') return x.string() == y.string();
  if (first == '[') {
    const auto left = elements(a), right = elements(b);
    return std::ranges::equal(left, right, [&](std::string_view l, std::string_view r) {
      return same_value(l, r, depth + 1);
    });
  }
  if (first == '{') {
    const auto left = members(a), right = members(b);
    return std::ranges::equal(left, right, [&](const auto& l, const auto& r) {
      return l.first == r.first && same_value(l.second, r.second, depth + 1);
    });
  }
  return x.skip() == y.skip();
}

// Throws qed::Error for what is no JSON.
std::string_view check_json(std::string_view text) {
  Reader in(text);
  const std::string_view value = in.skip();
  in.finish();
  return value;
}

bool is_json(std::string_view text) {
  try {
    check_json(text);
    return true;
  } catch (const qed::Error&) {
    return false;
  }
}

}  // namespace

std::optional<std::string_view> open_r1_block(std::string_view text, std::string_view language) {
  return qed::last_between(text, std::string(kFence).append(language).append("\n"), kFence);
}

std::optional<std::string_view> last_block(std::string_view text, std::string_view language) {
  text = qed::after_last(text, "</think>").value_or(text);
  std::optional<std::string_view> found;
  const char* begin = nullptr;  // of the open block's code
  bool is_over = false, is_ours = false;
  for (std::string_view rest = text; const auto line = next_line(rest, is_over);) {
    const std::string_view bare = qed::strip(*line);
    if (!bare.starts_with(kFence)) continue;
    if (begin == nullptr) {
      is_ours = is_name_of(qed::strip(bare.substr(kFence.size())), language);
      begin = is_over ? nullptr : rest.data();
    } else if (bare == kFence) {
      if (is_ours) found = std::string_view(begin, static_cast<std::size_t>(line->data() - begin));
      begin = nullptr;
    }
  }
  return found;
}

bool open_r1_equal(std::string_view output, std::string_view expected) {
  std::string_view left = qed::strip(output), right = expected;
  bool left_over = false, right_over = false;
  for (;;) {
    const auto a = next_line(left, left_over);
    const auto b = next_line(right, right_over);
    if (!a || !b) return true;
    if (qed::strip(*a) != qed::strip(*b)) return false;
  }
}

bool same_lines(std::string_view output, std::string_view expected) {
  std::string_view left = strip_end(output), right = strip_end(expected);
  bool left_over = false, right_over = false;
  for (;;) {
    const auto a = next_line(left, left_over);
    const auto b = next_line(right, right_over);
    if (!a || !b) return !a && !b;
    if (strip_end(*a) != strip_end(*b)) return false;
  }
}

bool same_json(std::string_view output, std::string_view expected) {
  try {
    const std::string_view value = check_json(output);
    const std::string_view wanted = check_json(expected);
    if (same_value(value, wanted, 0)) return true;
    if (wanted.front() == '"') {
      const std::string inner = Reader(wanted).string();
      return is_json(inner) && same_value(value, check_json(inner), 0);
    }
    if (wanted.front() != '[') return false;
    const auto list = elements(wanted);
    return list.size() == 1 && same_value(value, list[0], 0);
  } catch (const qed::Error&) {
    return false;
  }
}

std::string with_includes(std::string_view code, std::string_view header) {
  std::string out;
  const auto holds = [&](std::string_view text) { return code.find(text) != code.npos; };
  if (!holds("#include <bits/stdc++.h>")) out += "#include <bits/stdc++.h>\n";
  if (!header.empty() && !holds("#include \"" + std::string(header) + "\"")) {
    out += "#include \"" + std::string(header) + "\"\n";
  }
  if (!holds("using namespace std;") && !holds("std::")) out += "\nusing namespace std;\n\n";
  return out.append(code);
}

}  // namespace code
