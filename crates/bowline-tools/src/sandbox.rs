//! What is done to a command's process between fork and exec.
//!
//! The only module that may use `unsafe`: the kernel offers this moment to nobody else. Nothing
//! here touches the harness or the keeper itself.
#![expect(
    unsafe_code,
    reason = "code between fork and exec can only be given through pre_exec"
)]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Signal};

/// First descriptor that is not stdin, stdout or stderr.
const FIRST_EXTRA_DESCRIPTOR: libc::c_long = 3;

/// Lowest and highest signal number of Linux.
const SIGNALS: std::ops::RangeInclusive<libc::c_int> = 1..=64;

/// Ties `command` to its `keeper`: it is killed when the keeper's thread dies, starts with default
/// signal dispositions (std empties the mask) and inherits no descriptor but the standard three.
///
/// Spawning fails with `NotConnected` if the keeper is gone by then.
pub(crate) fn tie_to_keeper(command: &mut Command, keeper: Pid) {
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
