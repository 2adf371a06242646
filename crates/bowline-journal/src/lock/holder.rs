//! Who holds a session's lock, proven by the kernel, and how that process is ended.
//!
//! A process id alone proves nothing: the file may lie, and numbers are used again. So a handle on
//! the process is opened first; then the kernel must list the lock under that id, and one of the
//! process's own descriptors must be the lock file and hold the lock; then the process must still
//! be the one behind the handle. Only through that handle it is ended.

use std::fs::Metadata;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{Owner, owner_of, read_owner};
use crate::Error;
use crate::error::At as _;
use crate::layout::SessionDir;

/// The process that holds a session's lock. Found by [`crate::Store::holder`].
#[derive(Debug)]
pub struct Holder {
    pid: u32,
    owner: Option<Owner>,
    handle: OwnedFd,
    dir: SessionDir,
}

/// How an owner was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The process.
    pub pid: u32,
    /// By what.
    pub by: EndedBy,
    /// How long it took from the first signal.
    pub took: Duration,
}

/// What ended a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// It was told to hang up, and did.
    HangUp,
    /// By force, after it had not hung up in time.
    Force,
}

/// How often the holder of a lock that is held is looked for, and the pause between. The kernel
/// lists locks piece by piece, so that one is missed at times while others come and go; and a
/// process that is just being started holds its parent's locks for a moment.
const LOOKS: usize = 20;
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// How long a process may take to be gone once it was ended by force.
const FORCE_WAIT: Duration = Duration::from_secs(5);

impl Holder {
    /// Finds and proves the process that holds the lock of the session in `dir`.
    pub(crate) fn find(dir: &SessionDir) -> Result<Option<Self>, Error> {
        let path = dir.lock();
        for _ in 0..LOOKS {
            if owner_of(dir)?.is_none() {
                return Ok(None);
            }
            if let Some(found) = Self::look(dir, &path)? {
                return Ok(Some(found));
            }
            std::thread::sleep(LOOK_PAUSE);
        }
        Err(Error::Invalid {
            what: format!(
                "the process that holds {} cannot be proven to be any that is seen from here: it may \
                 belong to another user or run in another container, and nothing was ended",
                path.display()
            ),
            next: "End it where it runs".to_owned(),
        })
    }

    /// Looks once for the process that holds the lock at `path`.
    fn look(dir: &SessionDir, path: &Path) -> Result<Option<Self>, Error> {
        let lock = std::fs::metadata(path).at("look at", path)?;
        let locks = std::fs::read_to_string("/proc/locks").at("read", Path::new("/proc/locks"))?;
        for pid in listed(&locks, lock.ino()) {
            let Some(handle) = open(pid) else { continue };
            if holds(pid, &lock) && !has_ended(&handle, Duration::ZERO) {
                let owner = read_owner(path).filter(|owner| owner.pid == pid);
                let dir = dir.clone();
                return Ok(Some(Self {
                    pid,
                    owner,
                    handle,
                    dir,
                }));
            }
        }
        Ok(None)
    }

    /// The process id, as seen from here.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// What it says of itself, if its lock file can be read and speaks of this process.
    #[must_use]
    pub const fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// Ends the process: it is told to hang up, and after `patience` it is ended by force. On
    /// return it is gone and its lock is free. What it was doing is left as it stands: nothing is
    /// cancelled, and shell commands go on under their keepers. Blocks.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it holds the lock no longer, is this very process, or does not end;
    /// [`Error::Io`] when it may not be signalled.
    pub fn end(self, patience: Duration) -> Result<Ended, Error> {
        let path = self.dir.lock();
        let refuse = |what: String, next: &str| Error::Invalid {
            what,
            next: next.to_owned(),
        };
        if self.pid == std::process::id() {
            return Err(refuse(
                "the session is owned by this very process".to_owned(),
                "There is nothing to take over",
            ));
        }
        let lock = std::fs::metadata(&path).at("look at", &path)?;
        if !holds(self.pid, &lock) {
            return Err(refuse(
                format!("process {} holds the session no longer", self.pid),
                "Open it again",
            ));
        }
        let began = Instant::now();
        let ended = |by| Ended {
            pid: self.pid,
            by,
            took: began.elapsed(),
        };
        // A stopped process takes the first signal when it is continued, before anything else.
        for signal in [Signal::HUP, Signal::CONT] {
            self.tell(signal).at("end the process that holds", &path)?;
        }
        if has_ended(&self.handle, patience) {
            return Ok(ended(EndedBy::HangUp));
        }
        self.tell(Signal::KILL)
            .at("end the process that holds", &path)?;
        if has_ended(&self.handle, FORCE_WAIT) {
            return Ok(ended(EndedBy::Force));
        }
        Err(refuse(
            format!(
                "process {} was ended by force and is still there: the kernel holds it, as it does \
                 when a disk does not answer",
                self.pid
            ),
            "Nothing was taken over. Try again when the disk answers",
        ))
    }

    /// Sends a signal; one that is gone needs none.
    fn tell(&self, signal: Signal) -> rustix::io::Result<()> {
        match pidfd_send_signal(&self.handle, signal) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            sent => sent,
        }
    }
}

/// The processes that hold an exclusive `flock` on the file with this inode, as `/proc/locks` lists
/// them: `1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234567 0 EOF`.
fn listed(locks: &str, inode: u64) -> Vec<u32> {
    let pid = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let kind = [words.next()?, words.next()?, words.next()?];
        let (pid, file) = (words.next()?, words.next()?);
        let is_ours = file.rsplit(':').next()?.parse() == Ok(inode);
        (kind == ["FLOCK", "ADVISORY", "WRITE"] && is_ours).then(|| pid.parse().ok())?
    };
    locks.lines().filter_map(pid).collect()
}

/// Opens a handle on a process; `None` if it is gone.
fn open(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Whether one of the process's descriptors is this very file and holds an exclusive `flock` on it.
/// `/proc/locks` names files by a number that some file systems use twice; this does not.
fn holds(pid: u32, lock: &Metadata) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let mut names = descriptors.flatten().map(|entry| entry.file_name());
    names.any(|name| {
        let name = name.to_string_lossy();
        let is_it = std::fs::metadata(format!("/proc/{pid}/fd/{name}"))
            .is_ok_and(|found| found.ino() == lock.ino() && found.dev() == lock.dev());
        is_it
            && std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{name}")).is_ok_and(|about| {
                let mut locks = about.lines().filter_map(|line| line.strip_prefix("lock:"));
                locks.any(|held| listed(held, lock.ino()).contains(&pid))
            })
    })
}

/// Whether the process behind `handle` is gone, at the latest after `wait`.
fn has_ended(handle: &OwnedFd, wait: Duration) -> bool {
    let until = Instant::now() + wait;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut polled = [PollFd::new(handle, PollFlags::IN)];
        match poll(&mut polled, Some(&left)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
