#pragma once

// Stop strings: texts that end a completion. They are looked for in the bytes of the tokens, so a
// string that begins inside one token and ends inside another is found when its last byte comes.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

// Where a completion met a stop string.
struct StopMatch {
  std::size_t string;  // which one; of several that are complete, the one that begins first
  std::size_t tail;    // bytes from its first one to the end of the completion
};

// One completion's search. `strings` are borrowed; none is empty.
class StopSearch {
 public:
  explicit StopSearch(const std::vector<std::string>& strings);

  // Takes the bytes of the next token; returns a match that ends within them.
  std::optional<StopMatch> feed(std::string_view bytes);

 private:
  const std::vector<std::string>* strings_;
  std::size_t longest_ = 0;
  std::string tail_;  // what may be the start of a match
};

// The text of a completion that met a stop string: cut before the string, or, with `keeps_stop`,
// after it. `text` is what its tokens decode to.
std::string cut_at_stop(std::string text, std::string_view stop, std::size_t tail, bool keeps_stop);

}  // namespace qed
