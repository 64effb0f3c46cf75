#include "core/sandbox/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace qed::sandbox {
namespace {

std::string read_file(int folder, const std::string& path) {
  const int file = ::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = ::read(file, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(file);
  return text;
}

// The numbers of a text, apart by blanks; other words count as 0.
std::vector<std::uint64_t> numbers(std::string_view text) {
  std::vector<std::uint64_t> out;
  while (true) {
    const auto begin = text.find_first_not_of(" \n");
    if (begin == text.npos) return out;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(" \n"), text.size());
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + end, value);
    out.push_back(value);
    text.remove_prefix(end);
  }
}

// The children of all threads of a process.
void add_children(int processes, pid_t pid, std::vector<pid_t>& out) {
  const std::string threads = std::to_string(pid) + "/task";
  const int folder = ::openat(processes, threads.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  DIR* list = ::fdopendir(folder);
  while (const dirent* entry = ::readdir(list)) {
    if (entry->d_name[0] == '.') continue;
    const std::string file = threads + "/" + entry->d_name + "/children";
    for (const std::uint64_t child : numbers(read_file(processes, file))) {
      out.push_back(static_cast<pid_t>(child));
    }
  }
  ::closedir(list);
}

void add_usage(int processes, pid_t pid, Usage& sum) {
  static const auto kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  static const auto kTick = 1'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::string folder = std::to_string(pid);
  const auto memory = numbers(read_file(processes, folder + "/statm"));
  if (memory.size() > 1) sum.memory_bytes += memory[1] * kPage;
  const std::string line = read_file(processes, folder + "/stat");
  const auto name_end = line.rfind(')');  // a name may hold blanks
  if (name_end == line.npos) return;
  const auto words = numbers(std::string_view(line).substr(name_end + 1));
  for (std::size_t i = 11; i < 15 && i < words.size(); ++i) sum.cpu_us += words[i] * kTick;
}

}  // namespace

Usage usage_of_tree(int processes, pid_t root, std::uint32_t max_processes) {
  Usage sum;
  std::vector<pid_t> tree = {root};
  for (std::size_t i = 0; i < tree.size() && i < max_processes; ++i) {
    add_usage(processes, tree[i], sum);
    if (i == 0) sum.memory_bytes = 0;
    add_children(processes, tree[i], tree);
  }
  return sum;
}

}  // namespace qed::sandbox
