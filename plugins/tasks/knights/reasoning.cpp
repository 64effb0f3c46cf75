#include "wording.h"

#include <algorithm>
#include <array>
#include <optional>

namespace knights {

namespace {

// The search, and the text that it leaves.
class Search {
 public:
  Search(const Puzzle& puzzle, std::span<const std::string_view> names, Roles roles)
      : puzzle_(puzzle), names_(names), roles_(roles), possible_(all_worlds(puzzle.size)) {
    for (std::size_t i = 0; i < puzzle.size; ++i) order_.push_back(i);
  }

  std::string run() {
    line(
        "Let's think step by step, by considering whether each person is lying and if that leads "
        "to contradiction.");
    while (depth_ < puzzle_.size) {
      if (num_tried_[order_[depth_]] == 2) {
        if (!go_back()) {
          line("All the configurations lead to contradictions.");
          return std::move(text_);
        }
      } else {
        try_next(order_[depth_]);
      }
    }
    line("This leads to a feasible solution.");
    return std::move(text_);
  }

 private:
  // Takes the person to be a knight, or a knave when that has been tried.
  void try_next(std::size_t person) {
    is_knight_[person] = num_tried_[person]++ == 0;
    const auto against = contradicted();
    std::string name(names_[person]);
    if (!against) {
      line("Assume " + name + " is " + role(person) + ". No contradiction is found in their " +
           (*is_knight_[person] ? "" : "false ") + "claim that " + content(person) + ".");
      ++depth_;
      bring_forward(puzzle_.says[person]);
    } else {
      const std::string whose = *against == person ? "their own" : std::string(names_[*against]);
      line(name + " cannot be " + role(person) + ", because this would contradict the " +
           (*is_knight_[*against] ? "" : "false ") + "claim of " + whose + " that " +
           content(*against) + ".");
    }
  }

  // The first person whose statement can't be what they are: true of a knight, false of a knave.
  std::optional<std::size_t> contradicted() const {
    Worlds worlds = possible_;
    for (std::size_t i = 0; i < puzzle_.size; ++i) {
      if (is_knight_[i]) worlds = worlds & (*is_knight_[i] ? where_knight(i) : ~where_knight(i));
    }
    for (std::size_t i = 0; i < puzzle_.size; ++i) {
      if (!is_knight_[i]) continue;
      const Worlds truth = where_true(puzzle_.says[i]);
      if ((worlds & (*is_knight_[i] ? truth : ~truth)).is_empty()) return i;
    }
    return std::nullopt;
  }

  // Those whom the statement speaks of come next, in its order.
  void bring_forward(const Statement& s) {
    auto next = order_.begin() + static_cast<std::ptrdiff_t>(depth_);
    for (std::size_t i = 0; i < s.size; ++i) {
      const auto at = std::find(next, order_.end(), s.parts[i].person);
      if (at != order_.end()) {
        std::rotate(next, at, at + 1);
        ++next;
      }
    }
  }

  // To the last person with something left to try; false when there is nobody.
  bool go_back() {
    std::vector<std::string_view> exhausted;
    for (;;) {
      const std::size_t person = order_[depth_];
      if (num_tried_[person] < 2) break;
      exhausted.push_back(names_[person]);
      num_tried_[person] = 0;
      is_knight_[person].reset();
      if (depth_ == 0) return false;
      --depth_;
    }
    line("We have exhausted all possibilities for " + listing(exhausted) +
         ", so let us go back and reconsider " + std::string(names_[order_[depth_]]) + ".");
    return true;
  }

  std::string role(std::size_t person) const {
    const std::string_view word = *is_knight_[person] ? roles_.truth : roles_.lie;
    return std::string(article(word)) + " " + std::string(word);
  }
  std::string content(std::size_t person) const {
    std::string out;
    append_content(out, puzzle_.says[person], names_, roles_);
    return out;
  }
  void line(std::string_view sentence) {
    if (!text_.empty()) text_ += '\n';
    text_ += sentence;
  }

  const Puzzle& puzzle_;
  std::span<const std::string_view> names_;
  Roles roles_;
  Worlds possible_;
  std::vector<std::size_t> order_;
  std::size_t depth_ = 0;  // people before this place in the order are assigned
  std::array<int, kMaxPeople> num_tried_ = {};
  std::array<std::optional<bool>, kMaxPeople> is_knight_ = {};
  std::string text_;
};

}  // namespace

std::string reasoning(const Puzzle& puzzle, std::span<const std::string_view> names, Roles roles) {
  return Search(puzzle, names, roles).run();
}

}  // namespace knights
