// A reward from a program of yours, in any language. It reads one JSON object per line,
//
//   {"prompt": "...", "completion": "...", "item": {...}, "finish": "stop", "reward": 1.0,
//    "verdict": "right", "group": 0, "sample": 3}
//
// and answers each line with one: a number, or {"value": 0.5, "note": "why"}, or null when it has
// nothing to say, or {"error": "why"} when it cannot score. It must flush its output after each
// line. A program that ends, or takes longer than `timeout`, fails the completion that it was busy
// with and is started again for the next.

#include "child.h"

#include "qed/reward.h"

#include <memory>

namespace {

std::string_view word(qed::Finish finish) {
  if (finish == qed::Finish::kStop) return "stop";
  return finish == qed::Finish::kLength ? "length" : "abort";
}

std::string_view word(qed::Verdict verdict) {
  if (verdict == qed::Verdict::kRight) return "right";
  return verdict == qed::Verdict::kWrong ? "wrong" : "none";
}

// An item's bytes as JSON: themselves where they are an object or an array, else a string.
std::string item_json(std::string_view blob) {
  try {
    qed::json::Reader in(blob);
    const char first = in.peek();
    in.skip();
    in.finish();
    if (first == '{' || first == '[') return std::string(blob);
  } catch (const qed::Error&) {  // no JSON: a string
  }
  return qed::json::write(blob);
}

std::string request(const qed::Scored& s) {
  using qed::json::write;
  std::string out = "{\"prompt\":" + write(s.sample.prompt);
  out += ",\"completion\":" + write(std::string(s.sample.prefill) + std::string(s.sample.text));
  out += ",\"item\":" + item_json(s.sample.item.blob);
  out += ",\"finish\":" + write(word(s.sample.finish)) + ",\"reward\":" + write(s.reward);
  out += ",\"verdict\":" + write(word(s.verdict));
  out += ",\"group\":" + std::to_string(s.sample.group);
  return out += ",\"sample\":" + std::to_string(s.sample.index) + "}\n";
}

qed::Term answer(std::string_view line) {
  qed::json::Reader in(line);
  qed::Term out;
  if (in.null()) {
    out.applies = false;
  } else if (in.peek() == '{') {
    bool has_value = false;
    std::string error;
    in.object([&](std::string_view key) {
      if (key == "value") {
        out.value = in.number();
        has_value = true;
      } else if (key == "note") {
        out.note = in.string();
      } else if (key == "error") {
        error = in.string();
      } else {
        in.skip();
      }
    });
    if (!error.empty()) throw qed::Error("the command says: " + error);
    if (!has_value) throw qed::Error("the command's answer has no `value`");
  } else {
    out.value = in.number();
  }
  in.finish();
  return out;
}

class Command {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.command",
      .name = "command",
      .version = "1.0.0",
      .summary = "a reward from a program of yours, in any language, over JSON lines",
      .flags = QED_BATCH_INVARIANT,  // one child: the host makes one call at a time
  };

  void options(qed::Options& o) {
    o("command", command_, {.help = "run by /bin/sh", .required = true});
    o("timeout", timeout_,
      {.min = 0.01, .max = 3600, .unit = "s", .help = "for one answer; then it is killed"});
  }
  void open(const qed::Host&) { child_ = std::make_unique<Child>(command_); }

  qed::Term score(const qed::Scored& s) const {
    const std::string line = request(s);
    const auto timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_ * 1000));
    std::string reply;
    std::string_view pending = line;
    switch (child_->ask(pending, timeout, reply)) {
      case Child::Outcome::kAnswer:
        try {
          return answer(reply);
        } catch (const qed::Error& e) {
          throw qed::Error(std::string(e.what()) + "; it answered: " + reply.substr(0, 200));
        }
      case Child::Outcome::kTimeout:
        throw qed::Error(
            "the command gave no answer within " + qed::json::write(timeout_) + " s and was killed",
            QED_DEADLINE);
      default:
        throw qed::Error("the command ended with " + child_->status_text() + " before it answered",
                         QED_RESOURCE);
    }
  }

 private:
  std::string command_;
  double timeout_ = 10;
  std::unique_ptr<Child> child_;
};

}  // namespace

QED_PLUGIN("dev.qed.rewards.command", "Apache-2.0", qed::Reward<Command>);
