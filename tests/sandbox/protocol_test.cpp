#include "core/sandbox/protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace qed::sandbox {
namespace {

Job some_job() {
  Job job;
  job.files = {{"main.cpp", std::string("int main() {}\n\0", 15), false}, {"run", "x", true}};
  job.build = {"g++", "main.cpp"};
  job.products = {"a.out"};
  job.command = {"./a.out", ""};
  job.inputs = {"", "1 2\n"};
  job.build_limits.cpu_ms = 7;
  job.run_limits.memory_bytes = std::uint64_t{1} << 40;
  job.stops = true;
  return job;
}

Result some_result() {
  Result result;
  result.build = {QED_RUN_OK, 0, 0, 1, 2, 3, "out", "err"};
  result.runs = {{QED_RUN_ERROR, -1, 11, 4, 5, 6, "", "\xFF"}, {}};
  return result;
}

Report some_report() { return {"", 256, 10, 20, {{"a.out", "ELF", true}}}; }

TEST(Protocol, GivesBackWhatWasWritten) {
  EXPECT_EQ(read_job(write_job(some_job())), some_job());
  EXPECT_EQ(read_result(write_result(some_result())), some_result());
  EXPECT_EQ(read_report(write_report(some_report())), some_report());
  EXPECT_EQ(read_result(write_result({"why", {}, {}}))->failure, "why");
}

TEST(Protocol, ReadsNothingFromBytesThatAreTooFewOrTooMany) {
  const std::string job = write_job(some_job()), result = write_result(some_result()),
                    report = write_report(some_report());
  for (std::size_t n = 0; n < job.size(); ++n) EXPECT_FALSE(read_job(job.substr(0, n))) << n;
  for (std::size_t n = 0; n < result.size(); ++n) {
    EXPECT_FALSE(read_result(result.substr(0, n))) << n;
  }
  for (std::size_t n = 0; n < report.size(); ++n) {
    EXPECT_FALSE(read_report(report.substr(0, n))) << n;
  }
  EXPECT_FALSE(read_job(job + "x"));
  EXPECT_FALSE(read_job(std::string(64, '\xFF')));
}

TEST(Protocol, FramesComeOutWholeHoweverTheBytesArrive) {
  std::string bytes;
  append_frame(bytes, Kind::kSubmit, 7, "body");
  append_frame(bytes, Kind::kReady, 0, "");
  append_frame(bytes, Kind::kResult, 8, std::string(3 << 20, 'x'));
  for (const std::size_t step : {1u, 5u, 1000u, 1u << 24}) {
    FrameReader in;
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < bytes.size(); at += at < 100 ? step : 100'000 + step) {
      in.add(std::string_view(bytes).substr(at, at < 100 ? step : 100'000 + step));
      while (auto frame = in.next()) frames.push_back(std::move(*frame));
    }
    ASSERT_EQ(frames.size(), 3u) << step;
    EXPECT_EQ(frames[0].kind, Kind::kSubmit);
    EXPECT_EQ(frames[0].ticket, 7u);
    EXPECT_EQ(frames[0].body, "body");
    EXPECT_EQ(frames[1].body, "");
    EXPECT_EQ(frames[2].body.size(), 3u << 20);
    EXPECT_FALSE(in.is_broken());
  }
}

TEST(Protocol, AFrameOfAnImpossibleLengthBreaksTheStream) {
  for (const std::string& bytes : {std::string("\x03\0\0\0abc", 7), std::string(8, '\xFF')}) {
    FrameReader in;
    in.add(bytes);
    EXPECT_FALSE(in.next());
    EXPECT_TRUE(in.is_broken());
    std::string good;
    append_frame(good, Kind::kReady, 0, "");
    in.add(good);
    EXPECT_FALSE(in.next());
  }
}

TEST(Job, ProblemsAreNamed) {
  EXPECT_EQ(problem_of(some_job()), "");
  const auto with = [](auto change) {
    Job job = some_job();
    change(job);
    return problem_of(job);
  };
  for (const std::string name : {"", ".", "..", "a/b", "a b", "a\n"}) {
    EXPECT_EQ(with([&](Job& j) { j.files[0].name = name; }), "`" + name + "` is no name of a file");
    EXPECT_EQ(with([&](Job& j) { j.products[0] = name; }), "`" + name + "` is no name of a file");
  }
  EXPECT_EQ(with([](Job& j) { j.files[1].name = "main.cpp"; }), "there are two files `main.cpp`");
  EXPECT_EQ(with([](Job& j) { j.products[0] = "run"; }), "there are two files `run`");
  EXPECT_EQ(with([](Job& j) { j.command.clear(); }), "there is no command");
  EXPECT_EQ(with([](Job& j) { j.build.clear(); }), "there are products, but no build");
  EXPECT_EQ(with([](Job& j) { j.command[0] = ""; }), "the first word of the command is empty");
  EXPECT_EQ(with([](Job& j) { j.build[1] = std::string(1, '\0'); }),
            "a word of the build holds a zero byte");
  EXPECT_EQ(with([](Job& j) { j.run_limits.cpu_ms = 0; }), "a limit of the runs is 0");
  EXPECT_EQ(with([](Job& j) { j.build_limits.files = ~0ull; }),
            "a limit of the build is above 2^50");
}

}  // namespace
}  // namespace qed::sandbox
