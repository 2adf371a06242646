//! What can go wrong while a session is driven, by what the caller can do about it.

use std::path::PathBuf;

/// An error of the runtime. Refusals, denials, exhausted budgets, failed tools and provider stops
/// are events, not errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal could not be written or read; nothing after the last durable event was done.
    #[error(transparent)]
    Storage(#[from] bowline_journal::Error),
    /// A configuration file is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The working folder cannot be used.
    #[error("cannot work in {path}: {why}. Give an existing folder with --cd")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The session's journal is readable but empty or without a beginning.
    #[error("session {session} has no beginning: it was never started. Begin a new one")]
    NotBegun {
        /// The session.
        session: String,
    },
    /// A command was refused.
    #[error(transparent)]
    Refused(#[from] bowline_core::Refusal),
}

/// What the caller can do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Change something as the message says, then try again.
    Fix,
    /// Stop; what is durable is safe.
    Stop,
}

impl Error {
    /// What the caller can do next.
    #[must_use]
    pub const fn next(&self) -> Next {
        match self {
            Self::Storage(_) => Next::Stop,
            _ => Next::Fix,
        }
    }
}
