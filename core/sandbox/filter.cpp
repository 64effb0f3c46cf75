#include "core/sandbox/confine.h"

#include "core/util/error.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace qed::sandbox {
namespace {

constexpr unsigned kX32 = 0x40000000;  // the bit of the x32 system calls

// By number: the headers of older systems do not name them.
constexpr int kOpenTree = 428, kMoveMount = 429, kFsopen = 430, kFsconfig = 431, kFsmount = 432,
              kFspick = 433, kPidfdGetfd = 438, kProcessMadvise = 440, kMountSetattr = 442,
              kQuotactlFd = 443, kMemfdSecret = 447, kProcessMrelease = 448;

constexpr int kCallsDenied[] = {
    // what reaches beyond the run
    SYS_socket,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    kPidfdGetfd,
    kProcessMadvise,
    kProcessMrelease,
    SYS_migrate_pages,
    SYS_move_pages,
    // memory that no process or folder is charged for
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_msgget,
    SYS_msgctl,
    SYS_semget,
    SYS_semctl,
    SYS_mq_open,
    SYS_mq_unlink,
    kMemfdSecret,
    // namespaces and mounts
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    kOpenTree,
    kMoveMount,
    kFsopen,
    kFsconfig,
    kFsmount,
    kFspick,
    kMountSetattr,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_swapon,
    SYS_swapoff,
    SYS_quotactl,
    kQuotactlFd,
    // parts of the kernel that programs do without, and attackers like
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_fanotify_init,
    SYS_personality,
    SYS_modify_ldt,
    SYS_vhangup,
    SYS_acct,
    SYS_syslog,
    SYS_lookup_dcookie,
    SYS_nfsservctl,
    SYS_io_setup,
    // the machine
    SYS_reboot,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_iopl,
    SYS_ioperm,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
};

// Programs fall back to something else where a kernel does not know these.
// The flags of clone3 lie where a filter cannot look.
constexpr int kUringSetup = 425, kUringEnter = 426, kUringRegister = 427, kClone3 = 435;
constexpr int kCallsUnknown[] = {SYS_memfd_create, kUringSetup, kUringEnter, kUringRegister,
                                 kClone3};

constexpr std::uint32_t kNewNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                         CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    jump(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0);
    answer(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
    jump(BPF_JGE, kX32, 0, 1);
    answer(SECCOMP_RET_KILL_PROCESS);
    for (const int call : kCallsDenied) deny(call, EPERM);
    for (const int call : kCallsUnknown) deny(call, ENOSYS);
    deny_new_namespaces();
    deny_limits_of_others();
    answer(SECCOMP_RET_ALLOW);
  }
  sock_fprog program() { return {static_cast<unsigned short>(code_.size()), code_.data()}; }

 private:
  void load(std::size_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void jump(int test, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
    code_.push_back(
        BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, if_true, if_false));
  }
  void answer(std::uint32_t action) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, action)); }
  void deny(int call, int error) {
    jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
    answer(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
  }
  void deny_new_namespaces() {
    jump(BPF_JEQ, SYS_clone, 0, 4);  // to what follows here
    load(offsetof(seccomp_data, args));
    jump(BPF_JSET, kNewNamespaces, 0, 1);
    answer(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
  }
  // prlimit of another process than the caller (0).
  void deny_limits_of_others() {
    jump(BPF_JEQ, SYS_prlimit64, 0, 4);
    load(offsetof(seccomp_data, args));  // a pid_t: the kernel does not look at the other half
    jump(BPF_JEQ, 0, 1, 0);
    answer(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
  }

  std::vector<sock_filter> code_;
};

}  // namespace

bool has_system_call_filters() {
  // A filter at no address is refused with EFAULT by a kernel that would read it.
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr) != 0 && errno == EFAULT;
}

void filter_system_calls() {
  static Filter filter;
  sock_fprog program = filter.program();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    throw Error(cat("no filter of system calls: ", std::strerror(errno)));
  }
}

}  // namespace qed::sandbox
