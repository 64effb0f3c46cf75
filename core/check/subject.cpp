#include "core/check/subject.h"

#include "core/host/plugin_call.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace qed::check {
namespace {

constexpr std::size_t kShownBytes = 60;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// A copy of a host in a frame of its own.
struct HostCopy {
  std::unique_ptr<Frame> frame;
  const qed_host* host = nullptr;
};

// A host outlives every plugin: its copies, one per size, are never destroyed.
const qed_host* lasting_host(const qed_host& host, const Form& form) {
  if (!form.is_poisoned) return &host;
  static auto* const copies = new std::map<std::pair<const qed_host*, StructSize>, HostCopy>;
  HostCopy& copy = (*copies)[{&host, form.size}];
  if (copy.host == nullptr) {
    copy.frame = std::make_unique<Frame>(form);
    copy.host = copy.frame->input_struct(host);
  }
  return copy.host;
}

}  // namespace

Reply create(const Subject& subject, std::string_view options, void** self, const Form& form) {
  Frame frame(form, subject.seed);
  const qed_str text = frame.text(options);
  frame.seal();
  *self = nullptr;
  return frame.reply(
      subject.object().create(lasting_host(*subject.host, form), frame.call(), text, self));
}

Object::Object(const Subject& subject, const Form& form) : subject_(subject) {
  const Reply reply = create(subject, subject.options, &self_, form);
  expect(reply.is_ok(), "create refuses the options ", subject.options, ": ", shown(reply));
  const auto get = subject.object().get_extension;
  if (get != nullptr) state_ = static_cast<const qed_state*>(get(self_, to_abi("qed.state/1")));
  if (has_state()) initial_ = save();
}

std::string Object::save() const {
  Frame frame({}, subject_.seed);
  Sink& out = frame.sink();
  frame.seal();
  const Reply reply = frame.reply(state_->save(self_, frame.call(), out.abi));
  expect(reply.is_ok(), "save: ", shown(reply));
  return out.text;
}

void Object::restore(std::string_view state) const {
  Frame frame({}, subject_.seed);
  const qed_bytes bytes = frame.bytes(state);
  frame.seal();
  const Reply reply = frame.reply(state_->restore(self_, frame.call(), bytes));
  expect(reply.is_ok(), "restore: ", shown(reply));
}

void Object::rewind() const {
  if (has_state() && is_rewound_) restore(initial_);
}

void expect_same(std::string_view expected, std::string_view actual, std::string_view what) {
  while (!expected.empty() || !actual.empty()) {
    const std::string_view a = take_line(expected), b = take_line(actual);
    if (a == b) continue;
    const std::size_t same = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
    const std::size_t from = same > 40 ? same - 40 : 0;
    throw Failure{cat(what, ": `", shown(a.substr(std::min(from, a.size()))), "` became `",
                      shown(b.substr(std::min(from, b.size()))), "`")};
  }
}

std::string shown(std::string_view bytes) {
  std::string out;
  for (const char c : to_utf8(bytes.substr(0, kShownBytes))) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += '.';
    } else {
      out += c;
    }
  }
  return bytes.size() > kShownBytes ? out + "..." : out;
}

std::string shown(const Reply& reply) {
  if (!reply.problem.empty()) return reply.problem;
  return cat("status ", reply.status,
             reply.message.empty() ? " without a message" : cat(", `", reply.message, "`"));
}

}  // namespace qed::check
