#include "core/data/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace qed {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 1000;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The library's sentence without its codes, and without its position, which counts from the start
// of this text.
std::string plain(std::string_view what) {
  what = what.substr(0, what.find("; last read:"));
  if (const auto at = what.find("] "); at != what.npos) what.remove_prefix(at + 2);
  if (const auto at = what.find(" - "); at != what.npos) what.remove_prefix(at + 3);
  return std::string(what);
}

// Takes note of the first problem and of nothing else.
class Checker final : public nlohmann::json_sax<Json> {
 public:
  std::optional<JsonProblem> problem;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception& e) override {
    problem = {byte == 0 ? 0 : byte - 1, plain(e.what())};
    return false;
  }

 private:
  bool enter() {
    if (++depth_ <= kMaxDepth) return true;
    problem = {0, "nested deeper than 1000"};
    return false;
  }
  bool leave() {
    --depth_;
    return true;
  }
  int depth_ = 0;
};

// Length of the string that begins at the start of valid JSON, quotes included.
std::size_t string_size(std::string_view json) {
  std::size_t i = 1;
  while (json[i] != '"') i += json[i] == '\\' ? 2 : 1;
  return i + 1;
}

// Length of the value that begins at the start of valid JSON without spaces.
std::size_t value_size(std::string_view json) {
  std::size_t depth = 0, i = 0;
  do {
    const char c = json[i];
    if (c == '"') {
      i += string_size(json.substr(i));
    } else if (c == '{' || c == '[') {
      ++depth;
      ++i;
    } else if (c == '}' || c == ']') {
      --depth;
      ++i;
    } else if (c == ',' || c == ':') {
      ++i;
    } else {
      i = std::min(json.find_first_of(",]}", i), json.size());
    }
  } while (depth > 0);
  return i;
}

}  // namespace

std::optional<JsonProblem> check_json_object(std::string_view text) {
  const auto first = std::ranges::find_if_not(text, is_space);
  if (first == text.end() || *first != '{') {
    return JsonProblem{static_cast<std::size_t>(first - text.begin()), "not a JSON object"};
  }
  if (const auto at = text.find('\0'); at != text.npos) {
    return JsonProblem{at, "unexpected byte 0"};  // the library would take it for the end
  }
  Checker checker;
  Json::sax_parse(text.data(), text.data() + text.size(), &checker);
  return checker.problem;
}

void append_compact(std::string_view json, std::string& out) {
  out.reserve(out.size() + json.size());
  while (!json.empty()) {
    std::size_t n = 0;
    if (is_space(json.front())) {
      json.remove_prefix(1);
      continue;
    }
    while (n < json.size() && !is_space(json[n])) {
      n += json[n] == '"' ? string_size(json.substr(n)) : 1;
    }
    out += json.substr(0, n);
    json.remove_prefix(n);
  }
}

void for_each_member(std::string_view json,
                     const std::function<void(std::string_view, std::string_view)>& take) {
  json.remove_prefix(1);
  while (json.front() != '}') {
    const std::size_t key = string_size(json);
    const std::size_t size = key + 1 + value_size(json.substr(key + 1));
    const std::string_view name = json.substr(1, key - 2);
    if (name.find('\\') == name.npos) {
      take(name, json.substr(0, size));
    } else {
      take(Json::parse(json.substr(0, key)).get_ref<const std::string&>(), json.substr(0, size));
    }
    json.remove_prefix(size);
    if (json.front() == ',') json.remove_prefix(1);
  }
}

void append_json_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t done = 0; done < text.size();) {
    const auto rest = text.substr(done);
    const auto stop = std::ranges::find_if(
        rest, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; });
    const auto n = static_cast<std::size_t>(stop - rest.begin());
    out += rest.substr(0, n);
    done += n;
    if (done == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[done++]);
    switch (byte) {
      case '"':
      case '\\':
        (out += '\\') += static_cast<char>(byte);
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        ((out += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    }
  }
  out += '"';
}

}  // namespace qed
