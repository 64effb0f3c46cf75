#pragma once

// The parser's parts: recursive descent over the tokens, one function for each level.

#include "lexer.h"
#include "tree.h"

#include <span>
#include <vector>

namespace math {

// What a level returns that could not read anything; it then has failed as a whole.
inline constexpr NodeId kBad = 0xFFFFFFFF;

class Parts;

class Parser {
 public:
  Parser(std::vector<Token>& tokens, Tree& tree) : tokens_(tokens), tree_(tree) {}

  NodeId answer();  // all tokens

 private:
  friend class Deeper;
  friend class Parts;

  // parser.cpp: from loose to tight
  NodeId rows_of_lists();      // a, b; c, d
  NodeId list(Tok separator);  // a, b and c
  NodeId item();               // a = b < c
  NodeId ratio();              // a : b
  NodeId set_expression();     // a \cup b
  NodeId sum();                // -a + b
  NodeId sum_with_unit(Parts& terms);
  NodeId product();  // a b / c
  NodeId divisor();
  NodeId signed_factor();          // -a, behind an operator
  NodeId factor();                 // a^b! with its unit
  NodeId with_unit(NodeId value);  // 5 cm^2
  bool starts_factor(const Token& token) const;
  bool is_at_unit() const;
  NodeId mixed_number(NodeId whole);

  // parser_primary.cpp
  NodeId primary();
  NodeId number();
  NodeId words();
  NodeId postfix(NodeId value);  // ! % ^ _ '
  NodeId exponent();
  NodeId power(NodeId base);
  NodeId subscript(NodeId value);
  NodeId argument();  // of \frac, \sqrt: braces, or one digit or symbol
  NodeId fraction();
  NodeId root();
  NodeId brackets();
  NodeId absolute();
  std::string raw_group();  // the tokens of a subscript as text

  // parser_functions.cpp
  NodeId function();
  NodeId function_argument();
  NodeId named_call(std::string_view name, NodeId argument);
  NodeId big_operator();
  NodeId matrix();

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is(Tok type) const { return peek().type == type; }
  bool is_open(std::string_view bracket) const { return is(Tok::kOpen) && peek().text == bracket; }
  bool is_close(std::string_view bracket) const {
    return is(Tok::kClose) && peek().text == bracket;
  }
  bool take(Tok type) {
    if (!is(type)) return false;
    ++at_;
    return true;
  }
  NodeId one() { return tree_.number({1, 1}); }

  std::vector<Token>& tokens_;
  Tree& tree_;
  std::vector<NodeId> parts_;  // of all levels that are open
  std::size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;  // | that are open
};

// The parts that one level has read so far: a list on top of those of the levels above it, so that
// few levels ask for memory.
class Parts {
 public:
  explicit Parts(Parser& parser) : all_(parser.parts_), begin_(all_.size()) {}
  ~Parts() { all_.resize(begin_); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  void add(NodeId id) { all_.push_back(id); }
  std::size_t size() const { return all_.size() - begin_; }
  bool empty() const { return size() == 0; }
  NodeId& last() { return all_.back(); }
  NodeId first() const { return all_[begin_]; }
  std::span<const NodeId> all() const { return std::span(all_).subspan(begin_); }
  void replace(NodeId id) {
    all_.resize(begin_);
    all_.push_back(id);
  }

 private:
  std::vector<NodeId>& all_;
  const std::size_t begin_;
};

// One level deeper, while it lives.
class Deeper {
 public:
  static constexpr int kMaxDepth = 100;
  explicit Deeper(Parser& parser) : parser_(parser) { ++parser_.depth_; }
  ~Deeper() { --parser_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  bool is_too_deep() const { return parser_.depth_ > kMaxDepth || parser_.tree_.is_full(); }

 private:
  Parser& parser_;
};

}  // namespace math
