#include "core/sandbox/root.h"

#include "core/util/error.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace qed::sandbox {
namespace {

constexpr unsigned kNobody = 65534;  // outside; a run's user is kUser inside
constexpr unsigned kUser = 1000;
constexpr char kStage[] = "/tmp";  // any folder will do: it is covered, in our namespace only

// linux/mount.h, which some systems' sys/mount.h contradicts.
struct MountAttributes {
  std::uint64_t set, clear, propagation, user_namespace;
};
constexpr long kMountSetattr = 442;
constexpr std::uint64_t kReadOnly = 1, kNoSuid = 2, kNoDevices = 4, kNoPrograms = 8;

int processes = -1;

[[noreturn]] void fail(const std::string& what) {
  throw Error(cat(what, ": ", std::strerror(errno)));
}

// A file of a process of ours below /proc.
void write_file(const char* path, const std::string& text) {
  const int file = ::openat(processes, path, O_WRONLY | O_CLOEXEC);
  if (file < 0) fail(cat("cannot open /proc/", path));
  const bool is_written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  ::close(file);
  errno = error;
  if (!is_written) fail(cat("cannot write /proc/", path));
}

// `inside` becomes the name of user and group `outside`.
void map_user(unsigned inside, unsigned outside, unsigned outside_group) {
  ::prctl(PR_SET_DUMPABLE, 1);  // else the files below belong to root
  write_file("self/setgroups", "deny");
  write_file("self/uid_map", cat(inside, " ", outside, " 1"));
  write_file("self/gid_map", cat(inside, " ", outside_group, " 1"));
}

// Whether our user 0 is another one to the machine, as in a container without root.
bool is_mapped() {
  unsigned inside = 0, outside = 0;
  std::ifstream("/proc/self/uid_map") >> inside >> outside;
  return inside == 0 && outside != 0;
}

void become_nobody() {
  if (::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
      ::setresuid(kNobody, kNobody, kNobody) == 0) {
    return;
  }
  const int error = errno;
  if (is_mapped()) return;  // there may be no nobody in it, and no need of one
  errno = error;
  fail("root cannot become nobody");
}

void set_attributes(const std::string& path, std::uint64_t attributes, unsigned flags) {
  const MountAttributes change = {attributes, 0, 0, 0};
  if (::syscall(kMountSetattr, AT_FDCWD, path.c_str(), flags, &change, sizeof change) != 0) {
    fail(cat("cannot make ", path, " read-only"));
  }
}

// Shows `path` at the same place of the new tree. What is not there is left out; links stay links.
void show(const char* path, std::uint64_t attributes) {
  const std::string target = cat(kStage, path);
  struct stat info {};
  if (::lstat(path, &info) != 0) return;
  if (S_ISLNK(info.st_mode)) {
    char to[256];
    const ssize_t n = ::readlink(path, to, sizeof to);
    if (n <= 0 || n == sizeof to) return;
    if (::symlink(std::string(to, static_cast<std::size_t>(n)).c_str(), target.c_str()) != 0) {
      fail(cat("cannot make ", target));
    }
    return;
  }
  if (S_ISDIR(info.st_mode)) {
    if (::mkdir(target.c_str(), 0755) != 0) fail(cat("cannot make ", target));
  } else {
    const int file = ::open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) fail(cat("cannot make ", target));
    ::close(file);
  }
  if (::mount(path, target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    fail(cat("cannot show ", path));
  }
  set_attributes(target, attributes, AT_RECURSIVE);
}

void link(const char* to, const char* path) {
  const std::string target = cat(kStage, path);
  if (::symlink(to, target.c_str()) != 0) fail(cat("cannot make ", target));
}

void make_folder(const char* path) {
  const std::string target = cat(kStage, path);
  if (::mkdir(target.c_str(), 0755) != 0) fail(cat("cannot make ", target));
}

void build_tree() {
  constexpr std::uint64_t kFiles = kReadOnly | kNoSuid | kNoDevices;
  constexpr std::uint64_t kDevices = kReadOnly | kNoSuid | kNoPrograms;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    fail("cannot keep mounts to itself");
  }
  if (::mount("qed", kStage, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755") != 0) {
    fail("cannot mount a tmpfs");
  }
  for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    show(path, kFiles);
  }
  make_folder("/etc");
  for (const char* path : {"/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"}) {
    show(path, kFiles);
  }
  make_folder("/dev");
  for (const char* path : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    show(path, kDevices);
  }
  make_folder(kBox);
  link(kTemporaryFolder, "/tmp");
  link(kInputFile, "/dev/stdin");
  make_folder("/old");
}

void leave_old_tree() {
  const std::string old = cat(kStage, "/old");
  if (::syscall(SYS_pivot_root, kStage, old.c_str()) != 0) fail("cannot change the root");
  if (::chdir("/") != 0 || ::umount2("/old", MNT_DETACH) != 0 || ::rmdir("/old") != 0) {
    fail("cannot leave the old root");
  }
  set_attributes("/", kReadOnly, 0);
}

}  // namespace

void enter_root() {
  processes = ::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (processes < 0) fail("cannot open /proc");
  if (::geteuid() == 0) become_nobody();
  const unsigned user = ::geteuid(), group = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    if (errno == ENOSPC) throw Error("it allows no more user namespaces");
    fail("it allows no namespaces");
  }
  map_user(kUser, user, group);
  build_tree();
  leave_old_tree();
  ::sethostname("box", 3);
}

int processes_folder() { return processes; }

void enter_box(std::uint64_t bytes, std::uint64_t files) {
  map_user(kUser, kUser, kUser);
  const std::string room = cat("size=", bytes, ",nr_inodes=", files, ",mode=0755");
  if (::mount("box", kBox, "tmpfs", MS_NOSUID | MS_NODEV, room.c_str()) != 0) {
    fail("cannot mount a folder for the run");
  }
  ::umask(022);
  if (::mkdir(kWorkFolder, 0755) != 0 || ::mkdir(kTemporaryFolder, 0755) != 0) {
    fail("cannot make the run's folders");
  }
}

}  // namespace qed::sandbox
