#include "core/host/load_guard.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <algorithm>
#include <charconv>
#include <clocale>
#include <cstring>
#include <string_view>

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kControl = ~0x3Fu;  // of MXCSR: all but the sticky exception flags

unsigned short x87_control() {
  unsigned short word = 0;
  __asm__ volatile("fnstcw %0" : "=m"(word));
  return word;
}

struct sigaction handler_of(int number) {
  struct sigaction action {};
  ::sigaction(number, nullptr, &action);  // fails for the two that the C library keeps to itself
  return action;
}

bool is_same_handler(const struct sigaction& a, const struct sigaction& b) {
  return a.sa_handler == b.sa_handler && a.sa_flags == b.sa_flags;
}

std::string locale_now() {
  const char* name = std::setlocale(LC_ALL, nullptr);
  return name == nullptr ? "" : name;
}

std::vector<int> threads_now() {
  std::vector<int> out;
  std::error_code ec;
  for (fs::directory_iterator i("/proc/self/task", ec), end; !ec && i != end; i.increment(ec)) {
    const std::string name = i->path().filename().string();
    int id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    out.push_back(id);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

LoadGuard::LoadGuard()
    : mxcsr_(_mm_getcsr()),
      x87_(x87_control()),
      locale_(locale_now()),
      threads_(threads_now()),
      folder_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  for (int number = 0; number <= SIGRTMAX; ++number) handlers_.push_back(handler_of(number));
}

LoadGuard::~LoadGuard() {
  if (folder_ >= 0) ::close(folder_);
}

// A library linked with -ffast-math makes denormal numbers 0 in the whole thread that loads it: the
// trainer's numbers would change.
bool LoadGuard::restore_fpu() const {
  if ((_mm_getcsr() & kControl) == (mxcsr_ & kControl) && x87_control() == x87_) return false;
  _mm_setcsr(mxcsr_);
  __asm__ volatile("fldcw %0" : : "m"(x87_));
  return true;
}

int LoadGuard::restore_signals() const {
  int found = 0;
  for (int number = 1; number <= SIGRTMAX; ++number) {
    const struct sigaction& before = handlers_[static_cast<std::size_t>(number)];
    if (is_same_handler(before, handler_of(number))) continue;
    ::sigaction(number, &before, nullptr);
    if (found == 0) found = number;
  }
  return found;
}

bool LoadGuard::restore_locale() const {
  if (locale_now() == locale_) return false;
  std::setlocale(LC_ALL, locale_.c_str());
  return true;
}

bool LoadGuard::has_new_thread() const { return !std::ranges::includes(threads_, threads_now()); }

bool LoadGuard::restore_folder() const {
  struct stat before {
  }, now{};
  if (folder_ < 0 || ::fstat(folder_, &before) != 0 || ::stat(".", &now) != 0) return false;
  if (before.st_dev == now.st_dev && before.st_ino == now.st_ino) return false;
  return ::fchdir(folder_) == 0;
}

LoadProblem LoadGuard::check(const std::string& when) {
  const bool has_fpu = restore_fpu();
  const int signal = restore_signals();
  const bool has_locale = restore_locale();
  const bool has_folder = restore_folder();
  if (has_fpu) {
    return {"P031", cat("changes the floating-point mode of the process ", when),
            "build it without -ffast-math and -Ofast"};
  }
  if (signal != 0) {
    return {"P032",
            cat("installs a handler for signal ", signal, " (", ::strsignal(signal), ") ", when),
            kAuthorHint};
  }
  if (has_locale) return {"P033", cat("changes the locale of the process ", when), kAuthorHint};
  if (has_new_thread()) {
    return {"P034", cat("starts a thread ", when),
            "start threads in `create` and end them in `destroy`, or use qed.host.threads/1"};
  }
  if (has_folder) {
    return {"P035", cat("changes the working folder of the process ", when), kAuthorHint};
  }
  return {};
}

}  // namespace qed
