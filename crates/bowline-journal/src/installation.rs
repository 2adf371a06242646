//! The installation's stream: system events of every run, in the record format of journals.
//!
//! Several processes append at once: each holds the file's lock while it reads the tail, appends
//! and syncs. The stream is bounded: a full file is kept once under another name and the chain
//! goes on in a new one. Damage stops nobody: it is reported, and recording goes on.

mod append;
mod read;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use bowline_core::{Receipt, SystemEvent};

pub use read::{SystemFollower, SystemLog};

use crate::chained::ChainedFile;
use crate::edge::Edges;

/// A file of more bytes than this is rotated before the next append.
pub(crate) const MOST_BYTES: u64 = 4 << 20;
/// Bytes at the end of the stream that a run looks at when it starts: some 200 runs.
const RECENT_BYTES: u64 = 128 << 10;
/// Room that is set aside beyond the end of the file, so that what goes wrong when the disk is
/// full can still be recorded.
const RESERVE_BYTES: u64 = 64 << 10;

/// The system events of one state folder. Making one touches nothing.
#[derive(Debug, Clone)]
pub struct Installation {
    file: ChainedFile,
    edges: Edges,
    most_bytes: u64,
}

/// A system event as a reader finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemRecorded {
    /// Where it lies. Its `session` is the stream's own id, not the session the event is about.
    pub receipt: Receipt,
    /// What happened.
    pub event: SystemEvent,
}

impl Installation {
    pub(crate) const fn new(home: PathBuf, edges: Edges) -> Self {
        Self {
            file: ChainedFile::new(home, "installation", *b"installation-log"),
            edges,
            most_bytes: MOST_BYTES,
        }
    }

    /// Its files.
    pub(crate) const fn chained(&self) -> &ChainedFile {
        &self.file
    }

    /// The file that is appended to.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }
}
