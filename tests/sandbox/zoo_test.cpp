#include "tests/sandbox/sandbox_fixture.h"

#include <gmock/gmock.h>

#include <map>

namespace qed::sandbox {
namespace {

namespace fs = std::filesystem;

// Prints `held` where every attempt of `tries`, (what, function) pairs, fails with an exception or
// gives None or False; else what got through.
constexpr char kAttempts[] = R"(
import ctypes, os, resource, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
OUTSIDE = sys.argv[2]
def call(number, *arguments):
    return libc.syscall(number, *arguments) >= 0
def attempt(tries):
    for what, f in tries:
        try:
            if f(): print("got through:", what)
        except (OSError, ValueError): pass
    print("held")
)";

struct Beast {
  std::string name, code;
  std::uint32_t outcome = QED_RUN_OK;
  std::string output = {};  // all of it; empty: whatever it says
  std::uint64_t wall_ms = 20'000;
};

Beast attempts(const std::string& name, const std::string& tries) {
  return {name, std::string(kAttempts) + "attempt([" + tries + "])\n", QED_RUN_OK, "held\n"};
}

// That take too much, or do not end.
std::vector<Beast> bombs() {
  return {
      {"fork bomb", "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
       QED_RUN_TIME, "", 1000},
      {"thread bomb",
       "import threading, time\nfor i in range(1000):\n"
       "  threading.Thread(target=time.sleep, args=(100,)).start()",
       QED_RUN_TIME, "", 1500},
      {"memory bomb", "x = []\nwhile True: x.append(bytearray(1 << 20))", QED_RUN_MEMORY},
      {"memory at once", "x = bytearray(1 << 40)", QED_RUN_MEMORY},
      {"memory of many processes",
       "import os, time\nfor i in range(6): \n  if os.fork() == 0: break\n"
       "x = b'x' * (50 << 20)\ntime.sleep(100)",
       QED_RUN_MEMORY},
      {"endless output", "while True: print('y' * 4096)", QED_RUN_OUTPUT},
      {"endless errors", "import os\nwhile True: os.write(2, b'y' * 4096)", QED_RUN_OUTPUT},
      {"one large file",
       "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
       "f = open('a', 'wb')\nwhile True: f.write(b'x' * (1 << 20))",
       QED_RUN_OUTPUT},
      {"no free space",
       "try:\n  for i in range(10000): open(f'a{i}', 'wb').write(b'x' * (1 << 20))\n"
       "except OSError: print('held')",
       QED_RUN_OK, "held\n"},
      {"many files",
       "try:\n  for i in range(100000): open(f'/tmp/a{i}', 'wb')\nexcept OSError: print('held')",
       QED_RUN_OK, "held\n"},
      {"busy", "while True: pass", QED_RUN_TIME},
      {"sleeping", "import time\ntime.sleep(1000)", QED_RUN_TIME, "", 700},
      {"ignoring signals",
       "import signal, time\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n"
       "  except (OSError, ValueError): pass\nwhile True: time.sleep(1)",
       QED_RUN_TIME, "", 700},
      {"daemon",
       "import os, time\nif os.fork() == 0:\n  os.setsid()\n"
       "  if os.fork() == 0:\n    os.close(0), os.close(1), os.close(2)\n    time.sleep(1000)\n"
       "else: print('held')",
       QED_RUN_OK, "held\n"},
      {"crash", "import ctypes\nctypes.string_at(0)", QED_RUN_ERROR},
  };
}

// Out of the run, to files and to other processes.
std::vector<Beast> escapes() {
  return {
      attempts("network", R"(
        ("inet", lambda: call(41, 2, 1, 0)), ("inet6", lambda: call(41, 10, 2, 0)),
        ("unix", lambda: call(41, 1, 1, 0)), ("netlink", lambda: call(41, 16, 3, 0)),
        ("packet", lambda: call(41, 17, 3, 0)))"),
      attempts("reading outside", R"(
        *[(p, lambda p=p: open(p).read() or True) for p in ("/etc/passwd", "/etc/shadow",
          "/proc/self/environ", "/proc/1/environ", "/sys/kernel/uevent_seqnum", "/dev/kmsg",
          OUTSIDE + "/precious")],
        *[(p, lambda p=p: os.listdir(p) or True) for p in ("/root", "/home", "/proc", "/sys",
          "/old", OUTSIDE)])"),
      attempts("writing outside", R"(
        *[(p, lambda p=p: open(p, "w")) for p in ("/x", "/usr/x", "/usr/bin/python3", "/etc/x",
          "/dev/x", "/lib/x", "/bin/true", OUTSIDE + "/x", OUTSIDE + "/precious")],
        ("remove", lambda: os.remove(OUTSIDE + "/precious") or True),
        ("chmod", lambda: os.chmod("/usr", 0o777) or True),
        ("touch", lambda: os.utime("/usr/bin/true") or True))"),
      attempts("symlinks", R"(
        ("root", lambda: os.symlink("/", "root") or open("root/etc/passwd")),
        ("up", lambda: open("../../../../etc/passwd")),
        ("outside", lambda: os.symlink(OUTSIDE, "/tmp/out") or open("/tmp/out/x", "w")),
        ("hard link", lambda: os.link("/usr/bin/true", "true") or True),
        ("stdin", lambda: os.remove("/box/stdin") or os.symlink("/usr/bin/true", "/box/stdin")
                  or open("/dev/stdin", "w")))"),
      attempts("killing the parent", R"(
        ("1", lambda: os.kill(1, 9)), ("group", lambda: os.killpg(1, 9)),
        ("stop", lambda: os.kill(1, 19)), ("all", lambda: os.kill(-1, 9)),
        *[(p, lambda p=p: os.kill(p, 9)) for p in range(3, 400) if p != os.getpid()])"),
      attempts("debugging", R"(
        ("ptrace", lambda: call(101, 16, 1, 0, 0)), ("traceme", lambda: call(101, 0, 0, 0, 0)),
        ("read memory", lambda: call(310, 1, 0, 0, 0, 0, 0)),
        ("kcmp", lambda: call(312, 1, 1, 0, 0, 0)),
        ("take descriptor", lambda: call(438, call(434, 1, 0), 0, 0)))"),
  };
}

// Of the kernel: what a program could ask of it.
std::vector<Beast> requests() {
  return {
      attempts("namespaces", R"(
        *[(hex(f), lambda f=f: call(272, f)) for f in (0x10000000, 0x20000, 0x40000000)],
        ("clone", lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0)),
        ("clone3", lambda: call(435, 0, 0)),
        ("setns", lambda: call(308, 0, 0)), ("chroot", lambda: os.chroot(".") or True))"),
      attempts("mounts and devices", R"(
        ("mount", lambda: call(165, b"x", b"/tmp", b"tmpfs", 0, 0)),
        ("unmount", lambda: call(166, b"/usr", 2)), ("pivot", lambda: call(155, b".", b".")),
        ("open_tree", lambda: call(428, -100, b"/usr", 1)),
        ("remount", lambda: call(442, -100, b"/", 0, ctypes.create_string_buffer(32), 32)),
        ("device", lambda: os.mknod("disk", 0o60666, os.makedev(259, 0)) or open("disk", "rb")))"),
      attempts("becoming another user", R"(
        ("uid", lambda: os.setuid(0) or True), ("gid", lambda: os.setgid(0) or True),
        ("groups", lambda: os.setgroups([0]) or True),
        ("su", lambda: os.posix_spawn("/usr/bin/su", ["su", "-c", "true"], {})
               and os.wait()[1] == 0),
        ("capabilities", lambda: call(126, ctypes.byref((ctypes.c_uint * 2)(0x20080522, 0)),
                                      ctypes.byref((ctypes.c_uint * 6)(*[0xffffffff] * 6)))))"),
      attempts("raising limits", R"(
        *[(r, lambda r=r: resource.setrlimit(r, (1 << 40, 1 << 40)) or True) for r in (
          resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE,
          resource.RLIMIT_NOFILE)],
        ("of the parent", lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))))"),
      attempts("memory of nobody", R"(
        ("memfd", lambda: call(319, b"x", 0)), ("secret", lambda: call(447, 0)),
        ("shm", lambda: call(29, 0, 1 << 30, 0o1600)), ("queue", lambda: call(68, 0, 0o1600)),
        ("mqueue", lambda: call(240, b"x", 0o102, 0o600, 0)),
        ("io_uring", lambda: call(425, 8, ctypes.create_string_buffer(120))))"),
      attempts("the kernel", R"(
        ("bpf", lambda: call(321, 0, ctypes.create_string_buffer(128), 128)),
        ("perf", lambda: call(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)),
        ("keys", lambda: call(250, 0, -3, 1)), ("userfaultfd", lambda: call(323, 1)),
        ("reboot", lambda: call(169, 0xfee1dead, 672274793, 0)), ("clock", lambda: call(227, 0, 0)),
        ("host name", lambda: call(170, b"x", 1)), ("module", lambda: call(313, 0, b"", 0)))"),
      attempts("what it inherits", R"(
        *[(fd, lambda fd=fd: os.fstat(fd)) for fd in range(3, 64)],
        *[(k, lambda k=k: k not in ("PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PYTHONHASHSEED",
          "PYTHONDONTWRITEBYTECODE")) for k in os.environ],
        ("user", lambda: os.getuid() == 0 or 0 in os.getgroups()))"),
  };
}

class Zoo : public testing::Test {
 protected:
  Zoo() {
    fs::create_directory(outside_);
    fs::permissions(outside_, fs::perms::all);  // else the user alone would be kept out
    std::ofstream(outside_ / "precious") << "precious";
    fs::permissions(outside_ / "precious", fs::perms::all);
  }
  ~Zoo() override { fs::remove_all(outside_); }

  const fs::path outside_ = fs::path(testing::TempDir()) / token_of_test();
};

TEST_F(Zoo, EachOfThemEndsWithTheRightStatusAndLeavesNothing) {
  std::vector<Beast> zoo = bombs();
  for (auto* more : {&escapes, &requests}) {
    for (Beast& beast : more()) zoo.push_back(std::move(beast));
  }
  EXPECT_GE(zoo.size(), 25u);
  Client client(helper_command());
  std::vector<std::uint64_t> tickets;
  for (const Beast& beast : zoo) {
    Job job = python_job(beast.code);
    job.command.push_back(outside_);
    job.run_limits = {.processes = 12,
                      .cpu_ms = 800,
                      .wall_ms = beast.wall_ms,
                      .memory_bytes = 200 << 20,
                      .disk_bytes = 16 << 20,
                      .files = 100,
                      .output_bytes = 1 << 16};
    tickets.push_back(client.submit(job));
  }
  for (std::size_t i = 0; i < zoo.size(); ++i) {
    const Result result = wait_for(client, tickets[i]);
    ASSERT_EQ(result.failure, "") << zoo[i].name;
    const sandbox::Run& run = result.runs.at(0);
    EXPECT_EQ(run.outcome, zoo[i].outcome) << zoo[i].name << "\n" << run.output << run.errors;
    if (!zoo[i].output.empty()) {
      EXPECT_EQ(run.output, zoo[i].output) << zoo[i].name << "\n" << run.errors;
    }
  }
  EXPECT_THAT(processes_with(token_of_test()), testing::IsEmpty());
  EXPECT_EQ(std::distance(fs::directory_iterator(outside_), {}), 1);
  std::ifstream in(outside_ / "precious");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "precious");
}

}  // namespace
}  // namespace qed::sandbox
