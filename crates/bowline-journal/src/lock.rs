//! One owner per session: a held `flock`. What the file says is for messages only.

mod holder;

pub use holder::{Ended, EndedBy, Holder};

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bowline_core::SessionId;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::edge::Disk;
use crate::error::At as _;
use crate::layout::SessionDir;

/// Who owns a session, as its lock file tells. The proof of ownership is the lock, not this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process id.
    pub pid: u32,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// The version of Bowline it runs.
    pub app_version: String,
    /// The command it was started as, such as `exec`; empty if unknown.
    #[serde(default)]
    pub command: String,
    /// The terminal it runs on, such as `/dev/pts/3`; empty if it has none or none is known.
    #[serde(default)]
    pub terminal: String,
}

/// A held lock; free again when dropped, or when the process ends however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

/// A reader that asks who owns a session holds the lock for an instant. An owner-to-be tries again
/// this often, this far apart, before it believes that there is an owner.
const TRIES: u32 = 3;
const TRY_PAUSE: Duration = Duration::from_millis(2);

impl Lock {
    /// Takes the lock of a session.
    pub(crate) fn take(
        session: SessionId,
        dir: &SessionDir,
        owner: &Owner,
        disk: &dyn Disk,
    ) -> Result<Self, Error> {
        let path = dir.lock();
        for _ in 0..TRIES {
            let mut file = disk.open_or_create(&path).at("open", &path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // A deleted session's lock file may be held by name no longer.
                Ok(()) if is_named(&file, &path) => {
                    sign(&mut file, owner).at("write", &path)?;
                    return Ok(Self { file, path });
                }
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(TRY_PAUSE),
                Err(error) => return Err(error).at("lock", &path),
            }
        }
        Err(Error::Owned {
            session,
            owner: read_owner(&path).map(Box::new),
        })
    }
}

impl Lock {
    /// Whether the lock file that is held is still the one that others would try to lock. One that
    /// was removed or replaced keeps nobody away.
    pub(crate) fn holds(&self) -> bool {
        is_named(&self.file, &self.path)
    }
}

/// Says who owns a session right now; `None` when nobody does. Changes nothing.
pub(crate) fn owner_of(dir: &SessionDir) -> Result<Option<Held>, Error> {
    let path = dir.lock();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("open", &path),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Some(Held {
            owner: read_owner(&path),
        })),
        Err(error) => Err(error).at("lock", &path),
    }
}

/// A session that has an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who, if its lock file can be read.
    pub owner: Option<Owner>,
}

pub(crate) fn is_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

fn sign(file: &mut File, owner: &Owner) -> io::Result<()> {
    let mut text = serde_json::to_string(owner)?;
    text.push('\n');
    // One write over what the last owner left, which is cut off after it: a reader that comes
    // between the two finds a whole first line.
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

fn read_owner(path: &Path) -> Option<Owner> {
    /// A lock file is one short line; anything longer is not ours.
    const MOST_BYTES: u64 = 4_096;
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(MOST_BYTES)
        .read_to_string(&mut text)
        .ok()?;
    let owner: Owner = serde_json::from_str(text.lines().next()?).ok()?;
    let texts = [&owner.app_version, &owner.command, &owner.terminal];
    texts.iter().all(|text| is_plain(text)).then_some(owner)
}

/// Whether a text is one that we may have signed with: it goes to terminals.
fn is_plain(text: &str) -> bool {
    const MOST_BYTES: usize = 128;
    text.len() <= MOST_BYTES && !text.chars().any(char::is_control)
}
