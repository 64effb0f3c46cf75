#include "qed/json.h"

#include "item.h"

namespace knights {

namespace {

// What is read of a row.
struct Row {
  std::string quiz, solution_text_format, statements;
  std::string truth = "knight", lie = "knave";
};

[[noreturn]] void bad_field(std::string_view field, const std::string& what) {
  throw qed::Error("field `" + std::string(field) + "`: " + what);
}

void read_words(qed::json::Reader& in, Row& row) {
  in.object([&](std::string_view word) {
    if (word == "knight") {
      row.truth = in.string();
    } else if (word == "knave") {
      row.lie = in.string();
    } else {
      in.skip();
    }
  });
}

Row read_row(std::string_view text) {
  Row row;
  std::string_view at;  // the field that is being read
  try {
    qed::json::Reader in(text);
    in.object([&](std::string_view field) {
      if (field == (at = "knight_knave")) {
        if (!in.null()) read_words(in, row);
        return;
      }
      for (const auto& [name, value] :
           {std::pair{"quiz", &row.quiz},
            std::pair{"solution_text_format", &row.solution_text_format},
            std::pair{"statements", &row.statements}}) {
        if (field != (at = name)) continue;
        if (!in.null()) *value = in.string();
        return;
      }
      at = {};
      in.skip();
    });
    in.finish();
  } catch (const qed::Error& e) {
    if (at.empty()) throw;
    bad_field(at, e.what());
  }
  if (row.quiz.empty()) bad_field("quiz", "missing");
  if (row.solution_text_format.empty()) bad_field("solution_text_format", "missing");
  return row;
}

// Names and roles stand in the item as they are.
bool is_plain(std::string_view text) {
  return !text.empty() && qed::json::write(text).size() == text.size() + 2;
}

std::vector<Person> checked_people(const Row& row) {
  std::vector<Person> people;
  if (!read_solution(row.solution_text_format, people)) {
    bad_field("solution_text_format", "expected lines such as `(1) Zoey is a knight`");
  }
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::string who = "person " + std::to_string(i + 1);
    if (!is_plain(people[i].name) || !is_plain(people[i].role)) {
      bad_field("solution_text_format", who + " has a quote, a backslash or a control character");
    }
    if (people[i].role != row.truth && people[i].role != row.lie) {
      bad_field("solution_text_format", who + " is neither " + row.truth + " nor " + row.lie);
    }
  }
  return people;
}

// The puzzle of a row, whose solution must be the row's.
Puzzle checked_puzzle(std::string_view statements, std::span<const Person> people, Roles roles) {
  Puzzle puzzle;
  try {
    puzzle = parse(statements);
  } catch (const qed::Error& e) {
    bad_field("statements", e.what());
  }
  if (puzzle.size != people.size()) {
    bad_field("statements", "it has " + std::to_string(puzzle.size) + " statements for " +
                                std::to_string(people.size()) + " people");
  }
  const auto world = solution(puzzle);
  if (!world) bad_field("statements", "not exactly one solution");
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (people[i].role != ((*world >> i) % 2 == 1 ? roles.truth : roles.lie)) {
      bad_field("solution_text_format", "this is not the solution of `statements`");
    }
  }
  return puzzle;
}

}  // namespace

qed::Item from_row(std::string_view text) {
  const Row row = read_row(text);
  const Roles roles{row.truth, row.lie};
  if (!is_plain(roles.truth) || !is_plain(roles.lie) || roles.truth == roles.lie) {
    bad_field("knight_knave", "expected two words, `knight` and `knave`");
  }
  const std::vector<Person> people = checked_people(row);
  if (row.statements.empty()) {
    const auto id = qed::KeyHash().add(row.quiz).value();
    return make_item(key(id, people.size()), people, row.quiz, "", roles);
  }
  const Puzzle puzzle = checked_puzzle(row.statements, people, roles);
  return make_item(key(identity(puzzle), people.size()), people, row.quiz, row.statements, roles);
}

}  // namespace knights
