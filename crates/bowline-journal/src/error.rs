//! What can go wrong with stored state, by what the caller can do about it.

pub(crate) mod advice;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use bowline_core::{Seq, SessionId};

use crate::lock::Owner;

/// A failure at the boundary of this crate. Its text says what happened, to what, and what to do
/// next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A write or sync failed earlier; this journal writes no more until it is opened anew.
    #[error(
        "{} stopped: {why}; records 1 to {safe_seq} are safe, and nothing was done on the word of \
         later ones. {next}",
        .path.display()
    )]
    Stopped {
        /// The journal.
        path: PathBuf,
        /// The first failure.
        why: String,
        /// The last record that is safe; 0 if none.
        safe_seq: Seq,
        /// What to do next.
        next: String,
    },
    /// The chain does not hold: a cut, flip, hole or swap.
    #[error("{} is damaged at record {at_seq}: {what}; records 1 to {intact_seq} are intact. {next}", .path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The first record that cannot be trusted.
        at_seq: Seq,
        /// The last record that can; 0 if none.
        intact_seq: Seq,
        /// What is wrong with it.
        what: String,
        /// What to do next.
        next: String,
    },
    /// A record is intact but this version of Bowline does not understand it.
    #[error(
        "record {at_seq} of {} cannot be understood: {what}. Use the version of Bowline that wrote \
         it, or a newer one",
        .path.display()
    )]
    Unreadable {
        /// The journal.
        path: PathBuf,
        /// The record.
        at_seq: Seq,
        /// Why it cannot be understood.
        what: String,
    },
    /// Another process owns the session.
    #[error(
        "session {session} is owned by another process{}; wait until it ends, or give it your \
         command: its mailbox is open",
        .owner.as_ref().map_or(String::new(), |owner| format!(" (pid {})", owner.pid))
    )]
    Owned {
        /// The session.
        session: SessionId,
        /// The owner, as far as its lock file tells; for messages only.
        owner: Option<Box<Owner>>,
    },
    /// There is no such session.
    #[error("no session `{asked}` in {}; `bowline sessions list` shows all", .path.display())]
    NotFound {
        /// What was asked for.
        asked: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// More than one session or blob matches.
    #[error("`{asked}` could be any of {}; give more digits", .candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// Everything that matches, in order.
        candidates: Vec<String>,
    },
    /// A session with this id exists already.
    #[error("session {session} exists already in {}; open it instead", .path.display())]
    Exists {
        /// The session.
        session: SessionId,
        /// Its folder.
        path: PathBuf,
    },
    /// The state folder cannot be used as it is.
    #[error("the state folder {} cannot be used: {what}. {next}", .path.display())]
    StateFolder {
        /// The folder, or the file in it that is wrong.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do next.
        next: String,
    },
    /// The caller asked for something that cannot be.
    #[error("{what}. {next}")]
    Invalid {
        /// What was asked.
        what: String,
        /// What can be asked instead.
        next: String,
    },
    /// The index failed although it was just made or opened.
    #[error("the index {} failed: {what}. {next}", .path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What SQLite says.
        what: String,
        /// What to do next. No journal depends on an index.
        next: String,
        /// Whether the file itself is broken, so that building it anew helps.
        broken: bool,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}: {}. {}", .path.display(), advice::told(.source), advice::of(.source).next)]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, such as `read`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// What the caller can do about an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try again after a pause.
    Retry {
        /// The pause in milliseconds.
        after_ms: u64,
    },
    /// Change something first.
    Fix {
        /// What.
        hint: String,
    },
    /// A person must choose.
    AskPerson,
    /// Stop the session: it cannot go on in this process.
    Stop,
}

/// What to do when a journal was stopped for no fault of the disk.
pub(crate) const OPEN_ANEW: &str = "Open the session anew to go on";

/// How long to wait before an owned session is tried again.
const OWNED_RETRY_MS: u64 = 1_000;

impl Error {
    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Next {
        match self {
            Self::Stopped { .. } => Next::Stop,
            Self::Owned { .. } => Next::Retry {
                after_ms: OWNED_RETRY_MS,
            },
            Self::Damaged { .. } | Self::Ambiguous { .. } => Next::AskPerson,
            Self::StateFolder { next, .. } | Self::Invalid { next, .. } => {
                Next::Fix { hint: next.clone() }
            }
            Self::Unreadable { .. }
            | Self::NotFound { .. }
            | Self::Exists { .. }
            | Self::Index { .. }
            | Self::Io { .. } => Next::Fix {
                hint: self.to_string(),
            },
        }
    }
}

/// Names the file and the act when the system refuses.
pub(crate) trait At<T> {
    /// Turns an I/O error into one that says what was being done to what.
    fn at(self, doing: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            path: path.to_owned(),
            doing,
            source,
        })
    }
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(io::Error::from).at(doing, path)
    }
}
