//! Package caches: a command sees the user's and writes its own.
//!
//! An overlay shows the user's folder with what the session's commands wrote over it; the writes
//! stay in the session. It needs a mount namespace before the one that bubblewrap makes, which
//! bubblewrap 0.8 cannot be told to fill. Commands of a session that run at once each have an overlay
//! of their own, since the kernel does not let two mounts share one; those that run one after
//! another share theirs.

use std::ffi::CString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::sandbox::{self, Overlay, Overlays, Restrict};

/// Folder for overlays beside a session's attempts.
const OVERLAYS: &str = "overlays";

/// Most overlays of one session: commands with caches that run at once.
const SLOTS_MAX: usize = 32;

/// File systems that can hold what is written over a folder: those of `ext4`, `xfs`, `btrfs`, `f2fs`.
/// One that is an overlay itself cannot.
const HOLDING: [rustix::fs::FsWord; 4] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010];

/// Two folders of every machine, to try an overlay that writes nothing, and one to try it at.
const TRIED: &str = "lowerdir=/usr/bin:/usr/lib,userxattr";
const TRIED_AT: &str = "/usr/lib";

/// What holds the overlays of one command.
#[derive(Debug)]
pub(crate) struct Held {
    /// Locked as long as the command runs.
    _lock: File,
    /// Folders of the kernel, which it leaves closed to everybody.
    works: Vec<PathBuf>,
}

impl Drop for Held {
    fn drop(&mut self) {
        for work in &self.works {
            // Empty by now. Left behind, it is removed before the next command of the session.
            let _left = fs::remove_dir(work.join("work"));
        }
    }
}

/// Where each cache is seen from outside, and what puts it there.
#[derive(Debug)]
pub(super) struct Made {
    /// A cache and the place that its overlays are seen at.
    pub(super) views: Vec<(PathBuf, PathBuf)>,
    pub(super) mounts: Vec<Overlay>,
    pub(super) held: Held,
}

/// Makes overlays for `caches` in the folder `beside`, which is the session's.
///
/// # Errors
/// A folder cannot be made, or too many commands run at once.
pub(super) fn make(caches: &[String], beside: &Path) -> io::Result<Made> {
    let (slot, lock) = free_slot(&beside.join(OVERLAYS))?;
    let mut views = Vec::new();
    let mut mounts = Vec::new();
    let mut works = Vec::new();
    for (number, cache) in caches.iter().enumerate() {
        let cache = PathBuf::from(cache);
        let at = |name: &str| slot.join(format!("{number}-{name}"));
        let (over, work, view) = (at("over"), at("work"), at("view"));
        for folder in [&over, &work, &view] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let _none = fs::remove_dir(work.join("work"));
        let options = [
            (&b"userxattr,index=off,lowerdir="[..], &cache),
            (b",upperdir=", &over),
            (b",workdir=", &work),
        ];
        let options = options.map(|(name, path)| [name, &escaped(path)].concat());
        mounts.push(Overlay {
            at: text(view.as_os_str().as_bytes())?,
            options: text(&options.concat())?,
        });
        works.push(work);
        views.push((cache, view));
    }
    Ok(Made {
        views,
        mounts,
        held: Held { _lock: lock, works },
    })
}

/// The first folder for overlays that no command uses, and its lock.
fn free_slot(folder: &Path) -> io::Result<(PathBuf, File)> {
    for number in 0..SLOTS_MAX {
        let slot = folder.join(number.to_string());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&slot)?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let lock = options.open(slot.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => return Ok((slot, lock)),
            Err(fs::TryLockError::WouldBlock) => {}
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other("too many commands run at once"))
}

/// A path as the kernel reads it among options: it ends at a comma, a lower one at a colon, too.
fn escaped(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if b"\\,:".contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

/// A text as the kernel takes it.
///
/// # Errors
/// It holds a NUL.
pub(super) fn text(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(io::Error::other)
}

/// Whether overlays can be made whose writes lie in `folder` or, while that is not there, where it
/// would be.
pub(super) fn can_be_in(folder: &Path) -> bool {
    let there = folder.ancestors().find(|place| place.exists());
    let kind = there.and_then(|place| rustix::fs::statfs(place).ok());
    kind.is_some_and(|kind| HOLDING.contains(&kind.f_type)) && can_be_made()
}

/// Whether this user may lay folders over one another: tried once per process (about 2 ms) in a
/// process of its own, with nothing written.
fn can_be_made() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let (Ok(at), Ok(options)) = (CString::new(TRIED_AT), CString::new(TRIED)) else {
            return false;
        };
        let overlays = Overlays::new(vec![Overlay { at, options }]);
        let mut command = Command::new("true");
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/run/current-system/sw/bin");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let restrict = Restrict {
            overlays: Some(overlays),
            ..Restrict::default()
        };
        sandbox::tie_to_keeper(&mut command, rustix::process::getpid(), restrict);
        command.status().is_ok_and(|status| status.success())
    })
}

#[cfg(test)]
mod tests;
