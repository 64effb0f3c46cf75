// A task without code: rows of any jsonl, json, csv or parquet file, a prompt with {columns}, the
// column of the gold answer, and a verifier by name.

#include "answer.h"
#include "pattern.h"

#include "qed/philox.h"
#include "qed/task.h"
#include "qed/unicode.h"

#include <array>
#include <cstdio>
#include <map>

namespace {

using qed::json::Reader;

// One row: what the prompt and the verifier need.
struct Row {
  std::string prompt, gold, key;
};

// Cells by column name; a cell that is no string is its JSON text.
using Cells = std::map<std::string, std::string, std::less<>>;

Cells read_cells(std::string_view json) {
  Cells cells;
  Reader in(json);
  in.object([&](std::string_view name) {
    std::string column(name);
    if (in.null()) return;
    cells[column] = in.peek() == '"' ? in.string() : std::string(in.skip());
  });
  in.finish();
  return cells;
}

const std::string& cell(const Cells& cells, std::string_view column) {
  const auto found = cells.find(column);
  if (found != cells.end()) return found->second;
  std::string names;
  for (const auto& [name, value] : cells) names += (names.empty() ? "" : ", ") + name;
  throw qed::Error("there is no `" + std::string(column) + "`; the row has " + names);
}

// `{column}` becomes the cell, `{{` and `}}` become braces.
std::string fill(std::string_view text, const Cells& cells) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    if ((c == '{' || c == '}') && text.size() > 1 && text[1] == c) {
      out += c;
      text.remove_prefix(2);
    } else if (c == '{') {
      const auto end = text.find('}');
      if (end == text.npos) throw qed::Error("a `{` of the prompt is not closed", QED_INVALID);
      out += cell(cells, text.substr(1, end - 1));
      text.remove_prefix(end + 1);
    } else {
      out += c;
      text.remove_prefix(1);
    }
  }
  return out;
}

struct Question {
  std::string prompt, gold;
};

Question read_item(std::string_view blob) {
  Question q;
  bool has_gold = false;
  Reader in(blob);
  in.object([&](std::string_view name) {
    if (name == "prompt") {
      q.prompt = in.string();
    } else if (name == "gold") {
      q.gold = in.peek() == '"' ? in.string() : std::string(in.skip());
      has_gold = true;
    } else {
      in.skip();
    }
  });
  in.finish();
  if (!has_gold) throw qed::Error("an item needs `prompt` and `gold`");
  return q;
}

// The rows of one split that can be used.
class Split {
 public:
  void open(const qed::Host& host, const std::string& path) { file_ = host.data(path); }
  // Leaves out the rows that `check` throws for; returns how many there are.
  template <class Check>
  std::uint64_t skip_bad(Check&& check) {
    is_indexed_ = true;
    std::uint64_t num_bad = 0;
    for (std::uint64_t i = 0, n = file_.is_open() ? file_.count() : 0; i < n; ++i) {
      try {
        check(file_.row(i));
        good_.push_back(i);
      } catch (const qed::Error&) {
        ++num_bad;
      }
    }
    return num_bad;
  }
  std::uint64_t count() const {
    if (is_indexed_) return good_.size();
    return file_.is_open() ? file_.count() : 0;
  }
  std::string row(std::uint64_t i) const { return file_.row(at(i)); }
  std::string place(std::uint64_t i) const { return file_.place(at(i)); }

 private:
  std::uint64_t at(std::uint64_t i) const { return is_indexed_ ? good_.at(i) : i; }
  qed::DataFile file_;
  bool is_indexed_ = false;
  std::vector<std::uint64_t> good_;
};

class Table {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.table",
      .name = "table",
      .version = "1.0.0",
      .summary = "rows of a data file, a prompt template, and a verifier by name",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "answered"};

  void options(qed::Options& o) {
    o("data", data_,
      {.help = "training rows: a jsonl, json, csv or parquet file, or a key", .required = true});
    o("eval_data", eval_data_, {.help = "rows of the evaluation split; empty: there is none"});
    o("bad_rows", bad_rows_, {.choices = {"error", "skip"}, .help = "skip: left out and counted"});
    o("template", template_,
      {.choices = {"chat", "raw"}, .help = "chat: the model's own template"});
    o("system", system_, {.help = "chat: the system message; empty: none"});
    o("prompt", prompt_, {.help = "{column} is replaced; {{ and }} are braces"});
    o("prefill", prefill_, {.help = "how the answer begins"});
    o("gold", gold_, {.help = "column of the gold answer"});
    o("gold_after", gold_after_, {.help = "what follows the last of this in it, such as ####"});
    o("key", key_, {.help = "column that identifies a row; empty: its prompt"});
    o("verifier", verifier_,
      {.choices = {"exact", "number", "choice", "regex"}, .help = "how answers are compared"});
    o("answer", place_.where,
      {.choices = {"tag", "boxed", "last_line", "all"}, .help = "where the answer stands"});
    o("tag", place_.tag, {.help = "for answer = \"tag\": the last <tag>...</tag>"});
    o("ignore_case", ignore_case_, {.help = "exact and regex: letters of one case"});
    o("wrong", wrong_, {.help = "reward of a wrong answer"});
    o("missing", missing_, {.help = "reward without an answer"});
  }

  void open(const qed::Host& host) {
    train_.open(host, data_);
    if (!eval_data_.empty()) test_.open(host, eval_data_);
    if (bad_rows_ != "skip") return;
    std::uint64_t num_bad = 0;
    for (Split* split : {&train_, &test_}) {
      num_bad += split->skip_bad([&](const std::string& json) { read_row(json); });
    }
    if (num_bad > 0) host.log(2, "table: left out " + std::to_string(num_bad) + " bad rows");
  }

  std::uint64_t count(std::string_view split) const { return split_of(split).count(); }

  qed::Item load(std::string_view name, std::uint64_t i) const {
    const Split& split = split_of(name);
    if (i >= split.count()) {
      throw qed::Error("there is no row " + std::to_string(i), QED_INVALID);
    }
    try {
      const Row row = read_row(split.row(i));
      using qed::json::write;
      return {row.key, "{\"prompt\":" + write(row.prompt) + ",\"gold\":" + write(row.gold) + "}"};
    } catch (const qed::Error& e) {
      const std::string place = split.place(i), what = e.what();
      throw qed::Error(what.starts_with("bad row") ? what : "bad row in " + place + ": " + what);
    }
  }

  qed::Prompt render(const qed::ItemView& item) const {
    const Question q = read_item(item.blob);
    if (template_ == "raw") return {.text = q.prompt, .prefill = prefill_};
    using qed::json::write;
    std::string messages = "[";
    if (!system_.empty()) messages += R"({"role":"system","content":)" + write(system_) + "},";
    messages += R"({"role":"user","content":)" + write(q.prompt) + "}]";
    return {.messages = std::move(messages), .prefill = prefill_};
  }

  qed::Score verify(const qed::Sample& sample) const {
    const Question q = read_item(sample.item.blob);
    const std::string text = std::string(sample.prefill) + std::string(sample.text);
    const auto answer = find_answer(text, place_);
    if (!answer) return score(missing_, false, false, "no answer");
    const bool is_right = equals(*answer, q.gold);
    return score(is_right ? 1 : wrong_, is_right, true,
                 is_right ? "right" : "wrong, expected " + q.gold);
  }

 private:
  const Split& split_of(std::string_view name) const {
    if (name == "train") return train_;
    if (name == "test") return test_;
    throw qed::Error("there is no split `" + std::string(name) + "`", QED_INVALID);
  }

  Row read_row(std::string_view json) const {
    const Cells cells = read_cells(json);
    Row row = {fill(prompt_, cells), cell(cells, gold_), {}};
    if (!gold_after_.empty()) {
      const auto at = row.gold.rfind(gold_after_);
      if (at == row.gold.npos) throw qed::Error("`" + gold_ + "` has no `" + gold_after_ + "`");
      row.gold.erase(0, at + gold_after_.size());
    }
    row.gold = qed::strip(row.gold);
    check_gold(row.gold);
    row.key = key_.empty() ? prompt_key(row.prompt) : cell(cells, key_);
    return row;
  }

  // Sixteen hex digits for a prompt.
  static std::string prompt_key(std::string_view prompt) {
    std::array<char, 17> text{};
    const unsigned long long value = qed::KeyHash().add(prompt).value();
    std::snprintf(text.data(), text.size(), "%016llx", value);
    return text.data();
  }

  void check_gold(const std::string& gold) const {
    if (verifier_ == "number" && !equals_number(gold, gold)) {
      throw qed::Error("`" + gold_ + "` is no number: " + gold.substr(0, 80));
    }
    if (verifier_ == "choice" && choice_letter(gold) == 0) {
      throw qed::Error("`" + gold_ + "` is no letter of a choice: " + gold.substr(0, 80));
    }
    if (verifier_ == "regex") Pattern(gold, ignore_case_);
  }

  bool equals(std::string_view answer, const std::string& gold) const {
    if (verifier_ == "number") return equals_number(answer, gold);
    if (verifier_ == "choice") {
      const char letter = choice_letter(answer);
      return letter != 0 && letter == choice_letter(gold);
    }
    if (verifier_ == "regex") return Pattern(gold, ignore_case_).matches(answer);
    return equals_text(answer, gold, ignore_case_);
  }

  static qed::Score score(double reward, bool is_right, bool is_answered, std::string note) {
    qed::Score out{.reward = reward, .note = std::move(note)};
    out.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms[0] = is_right ? 1 : 0;
    out.terms[1] = is_answered ? 1 : 0;
    return out;
  }

  std::string data_, eval_data_, bad_rows_ = "error", template_ = "chat", system_;
  std::string prompt_ = "{question}", prefill_, gold_ = "answer", gold_after_, key_;
  std::string verifier_ = "exact";
  AnswerPlace place_;
  bool ignore_case_ = false;
  double wrong_ = 0, missing_ = 0;
  Split train_, test_;
};

}  // namespace

QED_PLUGIN("dev.qed.table", "Apache-2.0", qed::Task<Table>);
