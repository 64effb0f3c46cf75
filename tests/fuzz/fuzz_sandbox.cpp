// fuzz_sandbox [--inputs N] [--seed N]: damaged bytes for the readers of the sandbox's protocol.
// What a reader takes must be what a writer writes of it, to the byte; what it does not take must
// cost neither a crash nor much memory. Prints the first input that fails.

#include "core/sandbox/protocol.h"
#include "tests/fuzz/inputs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace qed::fuzz {
namespace {

using namespace sandbox;

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  std::string text() {
    static constexpr std::array<std::string_view, 6> kWords = {"",        "main.py", "..",
                                                               "python3", "/",       "a"};
    if (below(2) == 0) return std::string(kWords[below(kWords.size())]);
    return std::string(below(40), static_cast<char>(next()));
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    for (std::uint64_t n = below(4); n > 0; --n) out.push_back(text());
    return out;
  }

 private:
  std::uint64_t state_;
};

std::vector<File> files(Random& random) {
  std::vector<File> out;
  for (const std::string& name : random.texts()) {
    out.push_back({name, random.text(), random.below(2) == 1});
  }
  return out;
}

Job job(Random& random) {
  Job out;
  out.files = files(random);
  out.build = random.texts();
  out.products = random.texts();
  out.command = random.texts();
  out.inputs = random.texts();
  out.run_limits.cpu_ms = random.next() >> random.below(64);
  out.stops = random.below(2) == 1;
  return out;
}

Run run(Random& random) {
  Run out;
  out.outcome = static_cast<std::uint32_t>(random.below(8));
  out.exit_code = static_cast<std::int32_t>(random.next());
  out.cpu_us = random.next();
  out.output = random.text();
  return out;
}

Result result(Random& random) {
  Result out = {random.below(3) == 0 ? random.text() : "", run(random), {}};
  for (std::uint64_t n = random.below(4); n > 0; --n) out.runs.push_back(run(random));
  return out;
}

Report report(Random& random) { return {random.text(), 1, 2, 3, files(random)}; }

void damage(Random& random, std::string& bytes) {
  for (std::uint64_t n = random.below(4); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = random.below(bytes.size());
    switch (random.below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random.next());
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        bytes.insert(at, random.text());
        break;
      case 3:
        bytes.erase(at, random.below(16));
        break;
      case 4:
        bytes += bytes.substr(at);
        break;
      default: {  // a length that is too large by a little, or by far
        const std::uint64_t value = random.next() >> random.below(64);
        std::memcpy(bytes.data() + at, &value, std::min(sizeof value, bytes.size() - at));
      }
    }
  }
}

// What is wrong with how the readers take these bytes, or empty.
std::string problem(Random& random, const std::string& bytes) {
  if (const auto value = read_job(bytes)) {
    if (write_job(*value) != bytes) return "a job is read that is written in another way";
    const Job& copy = *value;
    if (problem_of(copy).empty() && copy.command.empty()) return "a job without a command is good";
  }
  if (const auto value = read_result(bytes)) {
    if (write_result(*value) != bytes) return "a result is read that is written in another way";
  }
  if (const auto value = read_report(bytes)) {
    if (write_report(*value) != bytes) return "a report is read that is written in another way";
  }
  FrameReader frames;
  std::string again;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = 1 + random.below(64);
    frames.add(std::string_view(bytes).substr(at, n));
    at += n;
    while (const auto frame = frames.next()) {
      append_frame(again, frame->kind, frame->ticket, frame->body);
    }
  }
  return bytes.starts_with(again) ? "" : "frames come out that did not go in";
}

std::string bytes_of(Random& random) {
  const std::uint64_t kind = random.below(4);
  std::string out = kind == 0   ? write_job(job(random))
                    : kind == 1 ? write_result(result(random))
                    : kind == 2 ? write_report(report(random))
                                : "";
  for (std::uint64_t n = kind == 3 ? 1 + random.below(4) : 0; n > 0; --n) {
    append_frame(out, static_cast<Kind>(random.below(7)), random.next(), random.text());
  }
  damage(random, out);
  return out;
}

std::string problem_of_input(std::uint64_t seed) {
  Random random(seed);
  const std::string bytes = bytes_of(random);
  return problem(random, bytes);
}

}  // namespace
}  // namespace qed::fuzz

int main(int argc, char** argv) {
  return qed::fuzz::fuzz_inputs({argv + 1, argv + argc}, qed::fuzz::problem_of_input);
}
