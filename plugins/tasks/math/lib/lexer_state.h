#pragma once

// The lexer's parts: one function for each kind of token.

#include "lexer.h"
#include "words.h"

#include <optional>
#include <string_view>
#include <vector>

namespace math {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

class Lexer {
 public:
  Lexer(std::string_view text, const LexOptions& options) : text_(text), options_(options) {}

  std::optional<Tokens> run();

 private:
  static constexpr int kMaxDepth = 16;  // of fonts within fonts

  bool read_all(int depth);
  bool read_one(int depth);
  char peek(std::size_t ahead) const;
  bool follows(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void push(Token token);
  std::string_view keep(std::string text) { return made_.emplace_front(std::move(text)); }
  // ---- numbers

  std::size_t digits_at(std::size_t at) const;
  // The width of what separates thousands here, with three digits behind it; 0: nothing does.
  std::size_t separator() const;
  // Groups of three behind plain commas: "7,425,000". Their width; 0 where it is a list.
  std::size_t comma_groups(std::size_t first) const;
  bool number();
  void groups(std::size_t first, std::string& digits);
  void fraction(Token& out, std::string& digits);
  // "e-6" and "E12" right behind the digits.
  void exponent(std::string& digits);
  // ---- words

  bool letters();
  bool meaning(const Meaning& m);
  // The text of the braces that open here, behind spaces; nothing where none do.
  std::optional<std::string_view> braced();
  bool command(int depth);
  bool negated();
  // Behind \left and \right a point stands for no bracket.
  bool delimiter();
  bool escaped(char c, int depth);
  // The argument of \text and of fonts: words, or mathematics in another font.
  bool words(std::string_view command, int depth);
  bool word(std::string_view command, std::string_view content, bool has_padding);
  // Reads `content` as if it stood in braces.
  bool inner(std::string_view content, int depth);
  bool glyph();
  bool relation(std::size_t width, Relation relation, std::string_view text);
  bool sign(char c);
  std::string_view text_;
  const LexOptions& options_;
  const bool has_rows_ = text_.find("\\begin") != text_.npos;
  std::size_t at_ = 0, brackets_ = 0;
  bool has_space_ = false;
  std::vector<Token> tokens_;
  std::forward_list<std::string> made_;
};

}  // namespace math
