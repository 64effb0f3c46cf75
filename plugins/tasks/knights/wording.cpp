#include "wording.h"

#include <algorithm>

namespace knights {

namespace {

// {before} name {between} content {after}, or content first.
struct Template {
  bool is_name_first;
  std::string_view before, between, after;
};

constexpr Template kTemplates[kNumTemplates] = {
    {true, "", " said that ", "."},
    {true, "", " told you that ", "."},
    {true, "", " said, \"", ".\""},
    {true, "", " stated, \"", "\"."},
    {true, "According to ", ", \"", "\"."},
    {true, "In ", "'s words: \"", "\"."},
    {true, "", " remarked, \"", "\"."},
    {false, "\"", ",\" ", " declared."},
    {true, "", " was heard saying, \"", "\"."},
    {true, "", " expressed that ", "."},
    {false, "\"", "\" - ", "."},
    {true, "As ", " put it, \"", "\"."},
    {true, "", " asserted: \"", "\"."},
    {false, "\"", ",\" ", " mentioned."},
    {true, "", " commented, \"", "\"."},
    {true, "In a statement by ", ": \"", "\"."},
    {true, "", " noted, \"", "\"."},
    {false, "\"", ",\" ", " claimed."},
};

std::string capital(std::string_view word) {
  std::string out(word);
  out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string plural(std::string_view word) {
  return std::string(word) + (word == "hero" ? "es" : "s");
}

void append_leaf(std::string& out, const Leaf& leaf, std::string_view is,
                 std::span<const std::string_view> names, Roles roles) {
  const std::string_view role = leaf.is_knave ? roles.lie : roles.truth;
  (((out += names[leaf.person]) += is) += article(role)) += ' ';
  out += role;
}

void append_sentence(std::string& out, const Template& t, std::string_view name,
                     const Statement& says, std::span<const std::string_view> names, Roles roles) {
  out += t.before;
  if (t.is_name_first) {
    (out += name) += t.between;
    append_content(out, says, names, roles);
  } else {
    append_content(out, says, names, roles);
    (out += t.between) += name;
  }
  out += t.after;
}

}  // namespace

const std::string_view kNames[kNumNames] = {
    "Emma",    "Liam",     "Olivia",  "Noah",      "Ava",      "Ethan",     "Sophia",
    "Mason",   "Isabella", "William", "Mia",       "James",    "Charlotte", "Benjamin",
    "Amelia",  "Lucas",    "Harper",  "Henry",     "Evelyn",   "Alexander", "Abigail",
    "Michael", "Emily",    "Daniel",  "Elizabeth", "Jacob",    "Sofia",     "Logan",
    "Avery",   "Jackson",  "Ella",    "Sebastian", "Scarlett", "Jack",      "Grace",
    "Aiden",   "Chloe",    "Owen",    "Victoria",  "Samuel",   "Riley",     "Matthew",
    "Aria",    "Joseph",   "Lily",    "Luke",      "Aurora",   "David",     "Zoey",
    "Oliver",  "Penelope"};

const std::string_view kUncommonNames[kNumUncommonNames] = {
    "Zephyr",  "Elowen",    "Caspian",   "Isolde",   "Leander",   "Ottoline", "Peregrine",
    "Ondine",  "Evander",   "Sidonie",   "Lysander", "Calliope",  "Thaddeus", "Melisande",
    "Alaric",  "Philomena", "Cosimo",    "Araminta", "Balthazar", "Eulalia",  "Tarquin",
    "Xanthe",  "Ignatius",  "Seraphina", "Cormac",   "Linnea",    "Aurelio",  "Thessaly",
    "Bram",    "Zenobia",   "Florian",   "Odalys",   "Osric",     "Marisol",  "Fenwick",
    "Ingrith", "Lucasta",   "Anselm",    "Briseis",  "Quillon",   "Rosalba",  "Stellan",
    "Tindra",  "Ulric",     "Verity",    "Wolfram",  "Yseult",    "Zebulon",  "Damaris",
    "Hyacinth"};

bool is_role(std::string_view word) {
  if (word == "knight" || word == "knave") return true;
  return std::any_of(std::begin(kRolePairs), std::end(kRolePairs),
                     [word](const Roles& r) { return word == r.truth || word == r.lie; });
}

std::string_view article(std::string_view role) {
  return std::string_view("aeiou").find(role.empty() ? 'x' : role[0]) != std::string_view::npos
             ? "an"
             : "a";
}

std::string listing(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += names.size() == 2 ? " and " : i + 1 == names.size() ? ", and " : ", ";
    out += names[i];
  }
  return out;
}

void append_content(std::string& out, const Statement& s, std::span<const std::string_view> names,
                    Roles roles) {
  static constexpr std::string_view kJoin[] = {"",     "",       " and ",
                                               " or ", " then ", " if and only if "};
  if (s.op == Op::kIf) out += "If ";
  append_leaf(out, s.parts[0], s.op == Op::kNot ? " is not " : " is ", names, roles);
  for (std::size_t i = 1; i < s.size; ++i) {
    out += kJoin[static_cast<std::size_t>(s.op)];
    append_leaf(out, s.parts[i], " is ", names, roles);
  }
}

std::string quiz(const Puzzle& puzzle, std::span<const std::string_view> names, Roles roles,
                 std::span<const Sentence> sentences) {
  const auto any = [](std::string_view role) {
    return std::string(article(role)) + " " + std::string(role);
  };
  std::string out;
  out.reserve(512 + 64 * puzzle.size);
  out += "A very special island is inhabited only by " + plural(roles.truth) + " and " +
         plural(roles.lie) + ". " + capital(plural(roles.truth)) + " always tell the truth, and " +
         plural(roles.lie) + " always lie. You meet " + std::to_string(puzzle.size) +
         " inhabitants: ";
  for (std::size_t i = 0; i < puzzle.size; ++i) {
    (out += i == 0 ? "" : i + 1 == puzzle.size ? ", and " : ", ") += names[i];
  }
  out += '.';
  for (const Sentence& s : sentences) {
    out += ' ';
    append_sentence(out, kTemplates[s.wording], names[s.speaker], puzzle.says[s.speaker], names,
                    roles);
  }
  return out += " So who is " + any(roles.truth) + " and who is " + any(roles.lie) + "?";
}

}  // namespace knights
