//! The system calls that a confined command is refused, as a seccomp program.
//!
//! A list of what is refused, not of what is allowed: it closes ways around the other limits (new
//! namespaces and mounts, other processes' memory, key rings, terminals) and parts of the kernel
//! that are often its weakest. Everything refused answers `EPERM`; `clone3` answers `ENOSYS`, so
//! that libraries fall back on `clone`, whose flags a filter can see. Landlock has no namespaces
//! beside it, so with it what works on other processes and on shared memory is refused too.

use std::collections::BTreeMap;

use bowline_core::Backend;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

/// Refused whatever the arguments.
const REFUSED: [libc::c_long; 51] = [
    // Mounts and roots.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    OPEN_TREE_ATTR,
    LSM_SET_SELF_ATTR,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    PROCESS_MRELEASE,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Key rings, which are not part of any namespace.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Parts of the kernel that no build needs.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
];

/// Calls that have the same number on every machine and no name in `libc` everywhere.
const PROCESS_MRELEASE: libc::c_long = 448;
const LSM_SET_SELF_ATTR: libc::c_long = 460;
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;
const OPEN_TREE_ATTR: libc::c_long = 467;
const FILE_SETATTR: libc::c_long = 469;
const FCHMODAT2: libc::c_long = 452;

/// Refused where there is no namespace of its own for shared memory and message queues.
const SHARED: [libc::c_long; 12] = [
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
];

/// Refused about other processes where these can be named.
const SCHEDULING: [libc::c_long; 4] = [
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
];

/// Refused with a read-only profile under Landlock, which has no say about them: changes of mode,
/// owner, times and attributes. What only reads makes none.
const CHANGES: [libc::c_long; 14] = [
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
];

/// The same in calls that only older machines have.
#[cfg(target_arch = "x86_64")]
const OLD_CHANGES: [libc::c_long; 6] = [
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_CHANGES: [libc::c_long; 0] = [];

/// Flags of `clone` and `unshare` that make a namespace. `CLONE_NEWTIME` is one of `unshare` only:
/// in `clone` its bit is part of a signal number.
const NEW_NAMESPACE: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];
const NEW_TIME: u64 = 0x80;

/// Requests that put words into a terminal's input.
const TERMINAL_INPUT: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// Kinds of nodes that are devices, and the bits of a mode that say so.
const DEVICES: [libc::mode_t; 2] = [libc::S_IFCHR, libc::S_IFBLK];
const KIND_BITS: libc::mode_t = libc::S_IFMT;

/// Families of sockets that a network namespace holds back. Others (such as vsock, which reaches
/// the host of a virtual machine) are refused.
const FAMILIES: [libc::c_int; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// First system call number of the x32 interface, which the list would not see.
const FIRST_X32: u32 = 0x4000_0000;

/// Parts of a seccomp program.
const LOAD_WORD: u16 = 0x20;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const ANSWER_ERRNO: u32 = 0x0005_0000;

/// Whether programs can be made for the machine this was built for.
pub(super) fn is_known_machine() -> bool {
    TargetArch::try_from(std::env::consts::ARCH).is_ok()
}

/// The program that goes with `backend`; `writes` says whether the profile lets anything be written
/// beside temporary files.
///
/// # Errors
/// The machine is not one that programs can be made for.
pub(super) fn program(backend: Backend, writes: Writes) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let flags = || {
        NEW_NAMESPACE
            .iter()
            .map(|flag| u64::from(flag.cast_unsigned()))
    };
    rules.insert(libc::SYS_clone, with_any_flag(flags())?);
    rules.insert(libc::SYS_unshare, with_any_flag(flags().chain([NEW_TIME]))?);
    let requests = TERMINAL_INPUT.into_iter();
    let requests: Result<_, _> = requests
        .map(|request| rule([(1, SeccompCmpOp::Eq, request)]))
        .collect();
    rules.insert(libc::SYS_ioctl, requests?);
    rules.insert(libc::SYS_socket, sockets(backend)?);
    rules.insert(libc::SYS_mknodat, devices(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, devices(1)?);
    if backend == Backend::Landlock {
        rules.extend(SHARED.map(|call| (call, Vec::new())));
        rules.insert(libc::SYS_prlimit64, of_others(0)?);
        for call in SCHEDULING {
            rules.insert(call, of_others(0)?);
        }
        rules.insert(libc::SYS_setpriority, of_others(1)?);
        rules.insert(libc::SYS_ioprio_set, of_others(1)?);
        if writes == Writes::Nothing {
            let calls = CHANGES.iter().chain(&OLD_CHANGES).chain(&[FILE_SETATTR]);
            rules.extend(calls.map(|call| (*call, Vec::new())));
        }
    }
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.cast_unsigned()),
        TargetArch::try_from(std::env::consts::ARCH)?,
    )?;
    let listed: BpfProgram = filter.try_into()?;
    Ok([&other_ways()[..], &listed[..]].concat())
}

/// Whether a profile lets anything be written beside temporary files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    /// Some folders.
    Some,
    /// Nothing.
    Nothing,
}

/// Making a device; the mode is the argument `at`.
fn devices(at: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let of = |kind: libc::mode_t| {
        rule([(
            at,
            SeccompCmpOp::MaskedEq(u64::from(KIND_BITS)),
            u64::from(kind),
        )])
    };
    DEVICES.into_iter().map(of).collect()
}

/// A call about another process than the one that calls, which the argument `at` names.
fn of_others(at: u8) -> Result<Vec<SeccompRule>, BackendError> {
    Ok(vec![rule([(at, SeccompCmpOp::Ne, 0)])?])
}

/// The bytes of a program, as the kernel lays it out.
pub(super) fn bytes(program: &[sock_filter]) -> Vec<u8> {
    let of_one = |one: &sock_filter| {
        let [code_low, code_high] = one.code.to_ne_bytes();
        let [a, b, c, d] = one.k.to_ne_bytes();
        [code_low, code_high, one.jt, one.jf, a, b, c, d]
    };
    program.iter().flat_map(of_one).collect()
}

/// A rule that holds if all conditions (argument, comparison, value of 32 bits) do.
fn rule<const COUNT: usize>(
    conditions: [(u8, SeccompCmpOp, u64); COUNT],
) -> Result<SeccompRule, BackendError> {
    let conditions: Result<Vec<_>, _> = conditions
        .into_iter()
        .map(|(argument, comparison, value)| {
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value)
        })
        .collect();
    SeccompRule::new(conditions?)
}

fn with_any_flag(flags: impl Iterator<Item = u64>) -> Result<Vec<SeccompRule>, BackendError> {
    flags
        .map(|flag| rule([(0, SeccompCmpOp::MaskedEq(flag), flag)]))
        .collect()
}

/// Which sockets are refused. Landlock holds back neither UDP nor the sockets of other programs
/// (such as one that starts containers), so with it only `socketpair` is left.
fn sockets(backend: Backend) -> Result<Vec<SeccompRule>, BackendError> {
    match backend {
        Backend::Namespaces => {
            let other = FAMILIES.map(|family| {
                let family = u64::from(family.cast_unsigned());
                (0, SeccompCmpOp::Ne, family)
            });
            // Of what the kernel tells by netlink, only addresses and routes of this network.
            let netlink = u64::from(libc::AF_NETLINK.cast_unsigned());
            let routes = u64::from(libc::NETLINK_ROUTE.cast_unsigned());
            let of_netlink = [
                (0, SeccompCmpOp::Eq, netlink),
                (2, SeccompCmpOp::Ne, routes),
            ];
            Ok(vec![rule(other)?, rule(of_netlink)?])
        }
        Backend::Landlock => Ok(Vec::new()),
    }
}

/// Answers `ENOSYS` to system calls that the list cannot judge: `clone3`, and all of x32.
fn other_ways() -> [sock_filter; 4] {
    let part = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    // In the order of the kernel's `struct seccomp_data`, the number comes first.
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    [
        part(LOAD_WORD, 0, 0, 0),
        part(JUMP_IF_AT_LEAST, 1, 0, FIRST_X32),
        part(JUMP_IF_EQUAL, 0, 1, clone3),
        part(RETURN, 0, 0, ANSWER_ERRNO | libc::ENOSYS.cast_unsigned()),
    ]
}
