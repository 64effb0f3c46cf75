#include "core/sandbox/job.h"

#include "core/util/error.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace qed::sandbox {
namespace {

constexpr std::size_t kMaxName = 200;

bool is_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         std::ranges::all_of(name, is_plain);
}

std::string problem_of(const std::vector<std::string>& words, const char* what) {
  for (const std::string& word : words) {
    if (word.find('\0') != word.npos) return cat("a word of ", what, " holds a zero byte");
  }
  return !words.empty() && words.front().empty() ? cat("the first word of ", what, " is empty")
                                                 : "";
}

std::string problem_of(const Limits& limits, const char* what) {
  const bool is_one_zero = limits.processes == 0 || limits.cpu_ms == 0 || limits.wall_ms == 0 ||
                           limits.memory_bytes == 0 || limits.disk_bytes == 0 ||
                           limits.files == 0 || limits.output_bytes == 0;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50;  // sums of two stay in range
  const bool is_one_vast = std::max({limits.cpu_ms, limits.wall_ms, limits.memory_bytes,
                                     limits.disk_bytes, limits.files, limits.output_bytes}) > kMost;
  return is_one_zero   ? cat("a limit of ", what, " is 0")
         : is_one_vast ? cat("a limit of ", what, " is above 2^50")
                       : "";
}

}  // namespace

std::string problem_of(const Job& job) {
  std::set<std::string_view> names;
  for (const File& file : job.files) {
    if (!is_name(file.name)) return cat("`", file.name, "` is no name of a file");
    if (!names.insert(file.name).second) return cat("there are two files `", file.name, "`");
  }
  for (const std::string& name : job.products) {
    if (!is_name(name)) return cat("`", name, "` is no name of a file");
    if (!names.insert(name).second) return cat("there are two files `", name, "`");
  }
  if (job.command.empty()) return "there is no command";
  if (job.build.empty() && !job.products.empty()) return "there are products, but no build";
  for (const std::string& problem :
       {problem_of(job.build, "the build"), problem_of(job.command, "the command"),
        problem_of(job.build_limits, "the build"), problem_of(job.run_limits, "the runs")}) {
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace qed::sandbox
