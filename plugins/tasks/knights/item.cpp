#include "item.h"

#include "qed/json.h"

#include <algorithm>

namespace knights {

namespace {

constexpr std::string_view kFirst = R"({"roles":)";

// A string without escapes: a view into the blob.
std::string_view plain(qed::json::Reader& in) {
  std::string unescaped;
  const std::string_view out = in.text(unescaped);
  if (!unescaped.empty()) throw qed::Error("this is no item of the task: a role has an escape");
  return out;
}

void read_roles(qed::json::Reader& in, std::string_view blob, std::vector<Person>& people) {
  people.reserve(kMaxPeople);
  in.object([&](std::string_view name) {
    const bool is_plain = name.data() >= blob.data() && name.data() < blob.data() + blob.size();
    if (!is_plain || name.empty())
      throw qed::Error("this is no item of the task: a name has an escape");
    people.push_back({name, plain(in)});
  });
  if (people.size() > 64) throw qed::Error("an item has at most 64 people");
}

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15];
  return out;
}

}  // namespace

std::string key(std::uint64_t id, std::size_t people) {
  return std::to_string(people) + ":" + hex(id);
}

qed::Item make_item(std::string key, std::span<const Person> people, std::string_view quiz,
                    std::string_view statements, Roles roles) {
  qed::Item out{std::move(key), std::string(kFirst)};
  std::string& blob = out.blob;
  blob.reserve(quiz.size() + statements.size() + 32 * people.size() + 96);
  for (std::size_t i = 0; i < people.size(); ++i) {
    (blob += i == 0 ? "{\"" : ",\"") += people[i].name;
    ((blob += "\":\"") += people[i].role) += '"';
  }
  (blob += "},\"quiz\":") += qed::json::write(quiz);
  if (!statements.empty()) (blob += ",\"statements\":") += qed::json::write(statements);
  if (roles.truth != Roles().truth) {
    (((blob += ",\"words\":[\"") += roles.truth) += "\",\"") += roles.lie;
    blob += "\"]";
  }
  blob += '}';
  return out;
}

void read_gold(std::string_view blob, Gold& gold) {
  if (blob.starts_with(kFirst)) {
    qed::json::Reader in(blob.substr(kFirst.size()));
    return read_roles(in, blob, gold.people);
  }
  qed::json::Reader in(blob);
  in.object([&](std::string_view field) {
    if (field == "roles") {
      read_roles(in, blob, gold.people);
    } else if (field == "solution_text_format") {
      gold.text = in.string();
    } else {
      in.skip();
    }
  });
  in.finish();
  if (gold.people.empty() && gold.text.empty()) {
    throw qed::Error("this is no item of the task: neither `roles` nor `solution_text_format`");
  }
}

void read_contents(std::string_view blob, Contents& contents) {
  qed::json::Reader in(blob);
  in.object([&](std::string_view field) {
    if (field == "roles") {
      read_roles(in, blob, contents.people);
    } else if (field == "quiz") {
      contents.quiz = in.string();
    } else if (field == "statements") {
      contents.statements = in.string();
    } else if (field == "words") {
      std::size_t n = 0;
      in.array([&] { (n++ == 0 ? contents.roles.truth : contents.roles.lie) = plain(in); });
    } else {
      in.skip();
    }
  });
  in.finish();
  if (contents.people.empty() || contents.quiz.empty()) {
    throw qed::Error("this is no item of the task: `roles` or `quiz` is missing");
  }
}

}  // namespace knights
