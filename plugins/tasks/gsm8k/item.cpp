#include "item.h"

#include "qed/json.h"

#include "number.h"
#include "rules.h"

#include <array>

namespace gsm8k {

namespace {

constexpr std::string_view kFirst = R"({"gold":)";

// Fields that are absent or null stay empty.
Contents read(std::string_view text) {
  Contents out;
  std::string_view at;  // the field that is being read
  try {
    qed::json::Reader in(text);
    in.object([&](std::string_view field) {
      for (const auto& [name, value] :
           {std::pair{"gold", &out.gold}, std::pair{"question", &out.question},
            std::pair{"answer", &out.answer}}) {
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
    throw qed::Error("field `" + std::string(at) + "`: " + e.what());
  }
  return out;
}

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15];
  return out;
}

}  // namespace

qed::Item from_row(std::string_view row) {
  const Contents c = read(row);
  if (c.question.empty()) throw qed::Error("field `question`: missing");
  if (c.answer.empty()) throw qed::Error("field `answer`: missing");
  const auto gold = gold_answer(c.answer);
  if (!gold) throw qed::Error("field `answer`: no `####` with the final answer after it");
  if (!only_number(*gold)) {
    throw qed::Error("field `answer`: `" + gold->substr(0, 40) + "` after #### is no number");
  }
  return {hex(qed::KeyHash().add(c.question).value()),
          std::string(kFirst) + qed::json::write(*gold) + ",\"question\":" +
              qed::json::write(c.question) + ",\"answer\":" + qed::json::write(c.answer) + "}"};
}

std::string read_gold(std::string_view blob) {
  if (blob.starts_with(kFirst)) return qed::json::Reader(blob.substr(kFirst.size())).string();
  Contents c = read(blob);
  if (c.gold.empty()) {
    const auto gold = gold_answer(c.answer);
    if (!gold)
      throw qed::Error("this is no item of the task: neither `gold` nor `answer` with ####");
    c.gold = *gold;
  }
  return c.gold;
}

Contents read_contents(std::string_view blob) {
  Contents c = read(blob);
  if (c.question.empty()) throw qed::Error("this is no item of the task: `question` is missing");
  if (c.gold.empty()) c.gold = gold_answer(c.answer).value_or("");
  return c;
}

}  // namespace gsm8k
