#include "core/cli/shell.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>

namespace qed {

std::string quoted(const std::string& argument) {
  const bool is_plain =
      !argument.empty() && std::all_of(argument.begin(), argument.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("._=+-/:,@%").find(c) != std::string_view::npos;
      });
  if (is_plain) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string program_name() {
  const char* name = std::getenv("QED_LAUNCHER");
  return name == nullptr ? "qed" : quoted(name);
}

}  // namespace qed
