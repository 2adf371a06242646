//! The words for bubblewrap and the program of refused calls, without running anything.

use std::ffi::OsString;
use std::path::Path;

use bowline_core::{Backend, Network, Profile};

use super::{Confiner, filter, namespaces, survey};

fn words(profile: &Profile) -> String {
    let props = namespaces::Props {
        temporary: Path::new("/state/tmp"),
        launcher: None,
        empty: Path::new("/state/empty"),
        survey: &survey::survey(profile),
        caches: &[],
    };
    let words = namespaces::arguments(profile, Path::new("/w"), &props, 7);
    let words: Vec<String> = words
        .into_iter()
        .map(OsString::into_string)
        .map(Result::unwrap)
        .collect();
    words.join(" ")
}

#[test]
fn later_mounts_lie_over_earlier_ones() {
    let folder = tempfile::tempdir_in("/var").unwrap();
    let root = folder.path().canonicalize().unwrap();
    for name in [".git/hooks", ".bowline", "secret"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    std::fs::write(root.join(".git/config"), "").unwrap();
    std::os::unix::fs::symlink("/etc", root.join(".vscode")).unwrap();
    let root = root.to_str().unwrap();
    let protected = [".git/hooks", ".git/config", ".bowline", ".vscode", ".envrc"];
    let profile = Profile {
        writable: vec![root.to_owned()],
        protected: protected.map(str::to_owned).to_vec(),
        hidden: ["secret", ".git/config", "absent"]
            .map(|name| format!("{root}/{name}"))
            .to_vec(),
        network: Network::None,
        ..Profile::default()
    };
    let words = words(&profile);
    let in_order = [
        "--unshare-net".to_owned(),
        "--ro-bind / / --dev /dev --proc /proc".to_owned(),
        "--bind /state/tmp /tmp".to_owned(),
        format!("--bind {root} {root}"),
        format!("--bind {root}/.git {root}/.git"),
        format!("--ro-bind {root}/.git/hooks {root}/.git/hooks"),
        format!("--ro-bind {root}/.git/config {root}/.git/config"),
        format!("--ro-bind {root}/.bowline {root}/.bowline"),
        format!("--perms 0000 --tmpfs {root}/secret --remount-ro {root}/secret"),
        format!("--ro-bind /state/empty {root}/.git/config"),
        "--seccomp 7 --chdir /w --".to_owned(),
    ];
    let mut from = 0;
    for part in in_order {
        let at = words[from..].find(&part);
        from += at.unwrap_or_else(|| panic!("{part} is not in {}", &words[from..]));
    }
    assert_eq!(
        words
            .matches(&format!("--bind {root}/.git {root}/.git"))
            .count(),
        1
    );
    for absent in ["absent", ".envrc", ".vscode", "/etc"] {
        assert!(!words.contains(absent), "{absent} in {words}");
    }
}

#[test]
fn an_open_network_is_the_only_thing_shared() {
    let profile = Profile {
        network: Network::Open,
        ..Profile::default()
    };
    let words = words(&profile);
    assert!(!words.contains("--unshare-net"));
    for own in ["user", "ipc", "pid", "uts"] {
        assert!(words.contains(&format!("--unshare-{own}")));
    }
}

/// Runs a seccomp program the way the kernel does; only the instructions that ours use.
fn answer(program: &[seccompiler::sock_filter], call: i64, arguments: [u64; 3]) -> u32 {
    let arch: u32 = if cfg!(target_arch = "x86_64") {
        0xC000_003E
    } else {
        0xC000_00B7
    };
    let mut data = [0_u32; 16];
    data[0] = u32::try_from(call).unwrap();
    data[1] = arch;
    for (index, argument) in arguments.into_iter().enumerate() {
        data[4 + index * 2] = (argument & 0xFFFF_FFFF) as u32;
        data[5 + index * 2] = (argument >> 32) as u32;
    }
    let (mut at, mut word) = (0, 0_u32);
    loop {
        let step = &program[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
        match step.code {
            0x20 => word = data[step.k as usize / 4],
            0x54 => word &= step.k,
            0x05 => at += step.k as usize,
            0x15 => at += jump(word == step.k),
            0x25 => at += jump(word > step.k),
            0x35 => at += jump(word >= step.k),
            0x06 => return step.k,
            other => panic!("unknown instruction {other:#x}"),
        }
    }
}

#[test]
fn what_is_refused() {
    const ALLOW: u32 = 0x7FFF_0000;
    const EPERM: u32 = 0x0005_0001;
    const ENOSYS: u32 = 0x0005_0026;
    let check = |backend: Backend, call: i64, arguments: [u64; 2], expect: u32| {
        let program = filter::program(backend, filter::Writes::Some).unwrap();
        let [first, second] = arguments;
        let got = answer(&program, call, [first, second, 0]);
        assert_eq!(got, expect, "{backend:?}: call {call} {arguments:?}");
    };
    let check_third = |backend: Backend, call: i64, third: u64, expect: u32| {
        let program = filter::program(backend, filter::Writes::Some).unwrap();
        let got = answer(&program, call, [0, 0, third]);
        assert_eq!(got, expect, "{backend:?}: call {call} {third:#o}");
    };
    let user = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    let fork = u64::from(libc::SIGCHLD.cast_unsigned());
    for backend in [Backend::Namespaces, Backend::Landlock] {
        check(backend, libc::SYS_read, [0, 0], ALLOW);
        check(backend, libc::SYS_execve, [0, 0], ALLOW);
        check(backend, libc::SYS_memfd_create, [0, 0], ALLOW);
        check(backend, libc::SYS_socketpair, [1, 1], ALLOW);
        check(backend, libc::SYS_clone, [fork, 0], ALLOW);
        check(backend, libc::SYS_clone, [fork | user, 0], EPERM);
        check(backend, libc::SYS_clone3, [0, 0], ENOSYS);
        check(backend, libc::SYS_unshare, [0x200, 0], ALLOW);
        check(backend, libc::SYS_unshare, [0x80, 0], EPERM);
        check(backend, libc::SYS_unshare, [user, 0], EPERM);
        check(backend, libc::SYS_mount, [0, 0], EPERM);
        check(backend, libc::SYS_ptrace, [0, 0], EPERM);
        check(backend, libc::SYS_keyctl, [0, 0], EPERM);
        check(backend, libc::SYS_ioctl, [0, libc::TCGETS], ALLOW);
        check(backend, libc::SYS_ioctl, [0, libc::TIOCSTI], EPERM);
        // The kernel looks at the low half of a request only.
        check(
            backend,
            libc::SYS_ioctl,
            [0, libc::TIOCSTI | 1 << 32],
            EPERM,
        );
        check(backend, 0x4000_0000 + libc::SYS_read, [0, 0], ENOSYS);
        for later in [448, 460, 467] {
            check(backend, later, [0, 0], EPERM);
        }
        let (file, disk) = (u64::from(libc::S_IFREG), u64::from(libc::S_IFBLK | 0o600));
        check(backend, libc::SYS_mknodat, [0, 0], ALLOW);
        check_third(backend, libc::SYS_mknodat, file, ALLOW);
        check_third(backend, libc::SYS_mknodat, disk, EPERM);
    }
    for (backend, expect) in [(Backend::Namespaces, ALLOW), (Backend::Landlock, EPERM)] {
        check(backend, libc::SYS_shmget, [0, 0], expect);
        check(backend, libc::SYS_prlimit64, [17, 0], expect);
        check(backend, libc::SYS_prlimit64, [0, 0], ALLOW);
        check(backend, libc::SYS_fchmodat, [0, 0], ALLOW);
        let program = filter::program(backend, filter::Writes::Nothing).unwrap();
        assert_eq!(answer(&program, libc::SYS_fchmodat, [0, 0, 0]), expect);
    }
    let vsock = u64::from(libc::AF_VSOCK.cast_unsigned());
    let inet = u64::from(libc::AF_INET.cast_unsigned());
    check(Backend::Namespaces, libc::SYS_socket, [inet, 0], ALLOW);
    check(Backend::Namespaces, libc::SYS_socket, [vsock, 0], EPERM);
    let netlink = u64::from(libc::AF_NETLINK.cast_unsigned());
    check(Backend::Namespaces, libc::SYS_socket, [netlink, 3], ALLOW);
    let events = u64::from(libc::NETLINK_KOBJECT_UEVENT.cast_unsigned());
    let program = filter::program(Backend::Namespaces, filter::Writes::Some).unwrap();
    assert_eq!(
        answer(&program, libc::SYS_socket, [netlink, 3, events]),
        EPERM
    );
    for family in [1, inet, vsock] {
        check(Backend::Landlock, libc::SYS_socket, [family, 0], EPERM);
    }
}

#[test]
fn a_program_is_laid_out_as_the_kernel_reads_it() {
    let program = [seccompiler::sock_filter {
        code: 0x0102,
        jt: 3,
        jf: 4,
        k: 0x0506_0708,
    }];
    let expect: Vec<u8> = [
        &0x0102_u16.to_ne_bytes()[..],
        &[3, 4],
        &0x0506_0708_u32.to_ne_bytes(),
    ]
    .concat();
    assert_eq!(filter::bytes(&program), expect);
}

#[test]
fn a_workspace_that_holds_the_machine_is_no_workspace() {
    let check = |folder: &str, expect: bool| {
        let profile = Profile {
            writable: vec!["/w".to_owned(), folder.to_owned()],
            ..Profile::default()
        };
        let refused = Confiner::new(profile)
            .confinement()
            .is_err_and(|why| why.contains("apart"));
        assert_eq!(refused, expect, "{folder}");
    };
    for folder in ["/", "/tmp", "/var", "/etc", "/usr"] {
        check(folder, true);
    }
    for folder in ["/tmp/x", "/home/ann", "/var/lib/x", "/usr/src/x"] {
        check(folder, false);
    }
    assert!(Confiner::none().confinement().is_err());
}
