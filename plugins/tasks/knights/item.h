#pragma once

// Items: where they come from, and what is in their blob, one JSON object:
//   roles       {"Zoey": "knight", "Oliver": "knave"}: the solution, people in order
//   quiz        the question
//   statements  who says what, as in puzzle.h; absent in rows that have none
//   words       [what those who tell the truth are called, and those who lie]; absent: knight,
//   knave
// The verifiers also take {"solution_text_format": "(1) Zoey is a knight\n..."} alone.

#include "qed/task.h"

#include "rules.h"
#include "wording.h"

#include <string>
#include <string_view>
#include <vector>

namespace knights {

struct Settings {
  std::int64_t people = 3, max_people = 0, width = 2;
  std::string perturb = "none";
};

std::string key(std::uint64_t id, std::size_t people);
qed::Item make_item(std::string key, std::span<const Person> people, std::string_view quiz,
                    std::string_view statements, Roles roles);

// Item `index` of a split of the generator: a pure function of its arguments.
qed::Item generate(const Settings& settings, std::string_view split, std::uint64_t index);

// A published row as an item. Throws qed::Error that names the field.
qed::Item from_row(std::string_view row);

// What the verifiers need of an item. Views point into the blob or into `text`.
struct Gold {
  std::vector<Person> people;  // from `roles`
  std::string text;            // solution_text_format, where there are no roles
};
// Throws qed::Error for a blob that is no item.
void read_gold(std::string_view blob, Gold& gold);

// All of an item. Views point into the blob.
struct Contents {
  std::vector<Person> people;
  std::string quiz, statements;
  Roles roles;
};
void read_contents(std::string_view blob, Contents& contents);

}  // namespace knights
