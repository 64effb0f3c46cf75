#pragma once

// Words that publications count in completions, as signs of reflection and of work in steps, and a
// counter of them. [any]

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

struct KeywordList {
  std::string_view name;    // after its system
  std::string_view source;  // where it is published
  // Lower case. One that starts with a newline counts at the start of a line only.
  std::span<const std::string_view> words;
};

// Lists of words for reflection. Systems that chose their words by the model have a list for each.
std::span<const KeywordList> reflection_lists();

// Words for an answer cut into steps.
const KeywordList& step_list();

// Counts the words of all lists above in one pass. A word counts wherever its letters stand, inside
// other words too, as Python's text.lower().count(word) says: that is the rule of oat-zero,
// understand-r1-zero and SimpleRL. Only A-Z are lowered; a typographic apostrophe counts as '. A
// word twice with a letter in common, "reconsidereconsider", is two; Python has one.
class KeywordCounter {
 public:
  KeywordCounter();

  // The words of all lists, each once.
  const std::vector<std::string_view>& words() const { return words_; }
  // For each of reflection_lists(), then step_list(): the places of its words in words().
  const std::vector<std::vector<std::size_t>>& lists() const { return lists_; }

  // How often each of words() stands in the text.
  void count(std::string_view text, std::vector<std::uint32_t>& counts) const;

 private:
  using State = std::uint32_t;
  void build();
  void complete(std::vector<std::vector<std::size_t>>& child);

  std::vector<std::string_view> words_;
  std::vector<std::vector<std::size_t>> lists_;
  // Aho and Corasick's automaton (CACM 18, 1975), complete: a row of next states per state. A state
  // is twice the place of its row, and 1 more where words end.
  std::array<std::uint8_t, 256> class_{};  // of a byte; 0: in no word
  std::size_t num_classes_ = 1;
  std::vector<State> next_;                      // [row][class]
  std::vector<std::vector<std::size_t>> found_;  // [row]: words that end here
};

}  // namespace qed
