#include "tests/conformance/conformance.h"

#include <regex>

namespace qed::conformance {
namespace {

constexpr char kMark = '\x01';  // begins the text of a long integer; no case has it otherwise

using DomParser = nlohmann::detail::json_sax_dom_parser<Json>;

// Builds a Json as its own parser does, but for integers that do not fit.
class ExactParser : public DomParser {
 public:
  explicit ExactParser(Json& out) : DomParser(out, false) {}
  bool number_float(Json::number_float_t value, const std::string& text) {
    if (text.find_first_of(".eE") != text.npos) return DomParser::number_float(value, text);
    std::string marked = kMark + text;
    return string(marked);
  }
};

}  // namespace

Json parse_row(const std::string& line) {
  Json row;
  ExactParser parser(row);
  const bool is_good = Json::sax_parse(line, &parser);
  return is_good ? row : Json(Json::value_t::discarded);
}

std::string exact_text(const Json& value) {
  static const std::regex kMarked("\"\\\\u0001(-?[0-9]+)\"");
  return std::regex_replace(value.dump(), kMarked, "$1");
}

}  // namespace qed::conformance
