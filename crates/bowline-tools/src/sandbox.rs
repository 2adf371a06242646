//! What is done to a command's process between fork and exec.
//!
//! The only module that may use `unsafe`: the kernel offers this moment to nobody else. Nothing
//! here touches the harness or the keeper itself.
#![expect(
    unsafe_code,
    reason = "code between fork and exec can only be given through pre_exec"
)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::BpfProgram;

/// First descriptor that is not stdin, stdout or stderr.
const FIRST_EXTRA_DESCRIPTOR: libc::c_long = 3;

/// Lowest and highest signal number of Linux.
const SIGNALS: std::ops::RangeInclusive<libc::c_int> = 1..=64;

/// Asks for the version of Landlock rather than for rules.
const LANDLOCK_VERSION: libc::c_ulong = 1;

/// What a process gives up for itself before exec. Made ready before fork: nothing is allocated
/// after it.
#[derive(Debug, Default)]
pub(crate) struct Restrict {
    /// Descriptors that are inherited all the same.
    pub(crate) inherit: Vec<OwnedFd>,
    /// Landlock rules.
    pub(crate) ruleset: Option<OwnedFd>,
    /// What is laid over folders and files, for this process and those it starts only.
    pub(crate) overlays: Option<Overlays>,
    /// A seccomp program; empty for none.
    pub(crate) filter: BpfProgram,
    /// What it keeps of the rights that it started with.
    pub(crate) powers: Powers,
}

/// What is laid over folders and files, as the kernel is told.
#[derive(Debug)]
pub(crate) struct Overlays {
    mounts: Vec<Overlay>,
    /// Files that an empty one is laid over.
    covers: Vec<CString>,
    /// The empty one.
    empty: CString,
    /// This user and group, by whom everything belongs to whom it did.
    user: String,
    group: String,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// Where it is mounted.
    pub(crate) at: CString,
    /// Which folders it is made of.
    pub(crate) options: CString,
}

impl Overlays {
    pub(crate) fn new(mounts: Vec<Overlay>) -> Self {
        Self::with_covers(mounts, Vec::new(), CString::default())
    }

    /// The same, and `empty` over each of `covers` that is still there.
    pub(crate) fn with_covers(mounts: Vec<Overlay>, covers: Vec<CString>, empty: CString) -> Self {
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        let (user, group) = (user.as_raw(), group.as_raw());
        Self {
            mounts,
            covers,
            empty,
            user: format!("{user} {user} 1"),
            group: format!("{group} {group} 1"),
        }
    }

    /// Mounts them in namespaces of this process's own.
    fn mount(&self) -> io::Result<()> {
        // SAFETY: the flags change which namespaces this process, a single thread, is in.
        check(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) }.into())?;
        for (path, text) in [
            (c"/proc/self/setgroups", "deny"),
            (c"/proc/self/uid_map", &self.user),
            (c"/proc/self/gid_map", &self.group),
        ] {
            tell(path, text)?;
        }
        for Overlay { at, options } in &self.mounts {
            // SAFETY: all texts end in NUL and outlive the call, which changes no memory.
            check(
                unsafe {
                    libc::mount(
                        c"overlay".as_ptr(),
                        at.as_ptr(),
                        c"overlay".as_ptr(),
                        libc::MS_NOSUID | libc::MS_NODEV,
                        options.as_ptr().cast(),
                    )
                }
                .into(),
            )?;
        }
        for at in &self.covers {
            // SAFETY: as above.
            let covered = check(unsafe {
                let none = std::ptr::null();
                libc::mount(
                    self.empty.as_ptr(),
                    at.as_ptr(),
                    none,
                    libc::MS_BIND,
                    none.cast(),
                )
                .into()
            });
            match covered {
                // It went away since it was listed.
                Err(error)
                    if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => {}
                other => other?,
            }
        }
        Ok(())
    }
}

/// Writes a short text to a file of the kernel.
fn tell(path: &CStr, text: &str) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags};
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, text.as_bytes())?;
    Ok(())
}

/// What a confined process keeps of the rights that it started with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Powers {
    /// All: it is not confined, or what wraps it takes them away.
    #[default]
    Kept,
    /// No capability, now or after exec, and no memory dumps.
    GivenUp,
    /// No memory dumps.
    NoDumps,
}

/// A limit on memory dumps that no dump fits in. With 0 the kernel still hands them to a program
/// that collects them, outside of any sandbox; with 1 it does not.
const NO_DUMPS: Rlimit = Rlimit {
    current: Some(1),
    maximum: Some(1),
};

/// Ties `command` to its `keeper`: it is killed when the keeper's thread dies, starts with default
/// signal dispositions (std empties the mask), inherits no descriptor but the standard three and
/// takes on what `restrict` says.
///
/// Spawning fails with `NotConnected` if the keeper is gone by then.
pub(crate) fn tie_to_keeper(command: &mut Command, keeper: Pid, restrict: Restrict) {
    let between = move || -> io::Result<()> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if rustix::process::getppid() != Some(keeper) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        for signal in SIGNALS {
            // SAFETY: `signal` with SIG_DFL installs no code and is async-signal-safe. It fails
            // for SIGKILL, SIGSTOP and the two numbers libc keeps; those have no disposition of
            // ours to reset.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        // SAFETY: marks descriptors of this process close-on-exec; closes none, so those that std
        // still needs before exec stay valid. Kernels before 5.11 refuse the flag: then inherited
        // descriptors stay as they were.
        unsafe {
            libc::syscall(
                libc::SYS_close_range,
                FIRST_EXTRA_DESCRIPTOR,
                libc::c_long::from(i32::MAX),
                libc::c_long::from(libc::CLOSE_RANGE_CLOEXEC),
            )
        };
        if let Some(overlays) = &restrict.overlays {
            overlays.mount()?;
            // Other rights than before may have undone it.
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        }
        for inherit in &restrict.inherit {
            keep_open(inherit.as_raw_fd())?;
        }
        if restrict.powers != Powers::Kept {
            rustix::process::setrlimit(Resource::Core, NO_DUMPS)?;
        }
        if restrict.powers == Powers::GivenUp {
            give_up_capabilities()?;
        }
        if let Some(ruleset) = &restrict.ruleset {
            obey_rules(ruleset.as_raw_fd())?;
        }
        if !restrict.filter.is_empty() {
            // Last: the filter would refuse some of the above. An error of it holds no memory that
            // was allocated here.
            seccompiler::apply_filter(&restrict.filter)
                .map_err(|_| io::Error::from(io::ErrorKind::PermissionDenied))?;
        }
        Ok(())
    };
    // SAFETY: the closure runs in the forked child of a single-threaded keeper and does nothing
    // but the system calls above: no allocation, no lock, no panic.
    unsafe { command.pre_exec(between) };
}

/// Makes the keeper itself learn of its children's ends, whatever its harness was started with.
///
/// An inherited ignored SIGCHLD would make the kernel reap them and drop their exit codes.
pub(crate) fn hear_of_children() {
    // SAFETY: SIG_DFL installs no code. SIGCHLD is a valid signal, so this cannot fail.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Takes a descriptor that this process was started with for a purpose, as its arguments say; what
/// is started from here does not inherit it.
///
/// # Errors
/// There is no such descriptor, or it is one of the standard three.
pub(crate) fn inherited(descriptor: RawFd) -> io::Result<OwnedFd> {
    if libc::c_long::from(descriptor) < FIRST_EXTRA_DESCRIPTOR {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: sets a flag of a descriptor of this process, or fails where there is none.
    let set = unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    check(set.into())?;
    // SAFETY: it is open, as was just seen, and nothing in this process owns it: it was inherited,
    // and the launcher takes it once, before anything else is opened.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Lets a descriptor outlive exec.
fn keep_open(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: sets a flag of a descriptor of this process.
    check(unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) }.into())
}

/// Gives up all capabilities, for good: root is then a user like any other.
fn give_up_capabilities() -> io::Result<()> {
    // Those that the kernel does not know are refused, those that an ordinary user may not drop too:
    // such a user gains none of them, since nothing it executes may raise privileges.
    for capability in CapabilitySet::all() {
        let _unknown = rustix::thread::remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, none)?;
    Ok(())
}

/// Puts this thread under Landlock rules, for good.
fn obey_rules(ruleset: RawFd) -> io::Result<()> {
    const NONE: libc::c_ulong = 0;
    // SAFETY: both calls take numbers only and change nothing but this thread.
    unsafe {
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
        check(libc::syscall(
            libc::SYS_landlock_restrict_self,
            ruleset,
            NONE,
        ))
    }
}

/// The version of Landlock that the kernel speaks.
///
/// # Errors
/// It has none, or it is not among its security modules.
pub(crate) fn landlock_abi() -> io::Result<i32> {
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the call takes no rules and only answers a number.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            nothing,
            0_usize,
            LANDLOCK_VERSION,
        )
    };
    check(abi)?;
    Ok(i32::try_from(abi).unwrap_or(i32::MAX))
}

fn check(answer: libc::c_long) -> io::Result<()> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
