#include "item.h"

#include <algorithm>
#include <array>

namespace knights {

namespace {

// `n` names of `all`, none twice.
void draw_names(qed::Rng& rng, std::span<const std::string_view> all,
                std::span<std::string_view> names) {
  std::array<std::uint8_t, kNumNames> order;
  for (std::size_t i = 0; i < all.size(); ++i) order[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto last = static_cast<std::int64_t>(all.size()) - 1;
    std::swap(order[i],
              order[static_cast<std::size_t>(rng.integer(static_cast<std::int64_t>(i), last))]);
    names[i] = all[order[i]];
  }
}

// Another order of the sentences than theirs.
void reorder(qed::Rng& rng, std::span<Sentence> sentences) {
  for (bool is_same = true; is_same;) {
    for (std::size_t i = sentences.size() - 1; i > 0; --i) {
      const auto j = static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(i)));
      std::swap(sentences[i], sentences[j]);
    }
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      is_same = is_same && sentences[i].speaker == i;
    }
  }
}

class Generator {
 public:
  Generator(const Settings& settings, std::string_view split, std::uint64_t index)
      : settings_(settings),
        is_test_(split == "test"),
        rng_(qed::KeyHash().add("knights").add(split).add(index).value()),
        changes_(qed::KeyHash().add("knights perturbed").add(split).add(index).value()) {}

  qed::Item run() {
    const auto people = static_cast<std::size_t>(
        rng_.integer(settings_.people, std::max(settings_.people, settings_.max_people)));
    const auto width = static_cast<std::size_t>(settings_.width);
    for (int tries = 0; tries < 1'000'000; ++tries) {
      const Puzzle puzzle = draw_puzzle(rng_, people, width);
      const auto world = solution(puzzle);
      if (!world) continue;
      const std::uint64_t id = identity(puzzle);
      if (!is_ours(id)) continue;
      draw_words(people);
      if (settings_.perturb != "statement" && settings_.perturb != "leaf") {
        return finish(puzzle, *world, id);
      }
      for (int changes = 0; changes < 1000; ++changes) {
        const Puzzle changed = settings_.perturb == "leaf"
                                   ? change_leaf(changes_, puzzle)
                                   : change_statement(changes_, puzzle, width);
        const auto other = solution(changed);
        if (!other || other == world) continue;
        const std::uint64_t other_id = identity(changed);
        if (is_ours(other_id)) return finish(changed, *other, other_id);
      }
    }
    throw qed::Error("no puzzle was found in a million tries", QED_RESOURCE);
  }

 private:
  bool is_ours(std::uint64_t id) const { return (id % 5 == 0) == is_test_; }

  // Names and wordings of the puzzle; what a perturbation of words changes is drawn apart.
  void draw_words(std::size_t people) {
    draw_names(rng_, kNames, std::span(names_).first(people));
    for (std::size_t i = 0; i < people; ++i) {
      sentences_[i] = {i, static_cast<std::size_t>(rng_.integer(0, kNumTemplates - 1))};
    }
  }

  qed::Item finish(const Puzzle& puzzle, unsigned world, std::uint64_t id) {
    const auto names = std::span(names_).first(puzzle.size);
    const auto sentences = std::span(sentences_).first(puzzle.size);
    Roles roles;
    if (settings_.perturb == "uncommon_name") draw_names(changes_, kUncommonNames, names);
    if (settings_.perturb == "reorder_statement") reorder(changes_, sentences);
    if (settings_.perturb == "flip_role") roles = {roles.lie, roles.truth};
    if (settings_.perturb == "random_pair") {
      roles = kRolePairs[changes_.integer(0, std::size(kRolePairs) - 1)];
    }
    std::array<Person, kMaxPeople> people;
    for (std::size_t i = 0; i < puzzle.size; ++i) {
      people[i] = {names[i], (world >> i) % 2 == 1 ? roles.truth : roles.lie};
    }
    return make_item(key(id, puzzle.size), std::span(people).first(puzzle.size),
                     quiz(puzzle, names, roles, sentences), text(puzzle), roles);
  }

  const Settings& settings_;
  bool is_test_;
  qed::Rng rng_, changes_;
  std::array<std::string_view, kMaxPeople> names_ = {};
  std::array<Sentence, kMaxPeople> sentences_ = {};
};

}  // namespace

qed::Item generate(const Settings& settings, std::string_view split, std::uint64_t index) {
  return Generator(settings, split, index).run();
}

}  // namespace knights
