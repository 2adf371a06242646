//! What lies at paths that shell text names: the analysis asks, somebody who can look answers.

use bowline_core::look::{LookFact, Seen};

/// Longest text of a script that is looked at, in bytes.
pub const CONTENT_BYTES_MAX: usize = 64 << 10;

/// Most names that a glob is resolved to; beyond, it counts as not known.
pub const NAMES_MAX: usize = 256;

/// Answers what lies at absolute paths. Must not change anything, and never follows a link.
pub trait Look {
    /// What lies at `path`.
    fn at(&self, path: &str) -> Seen;

    /// The names in `folder` that match the glob `pattern` (one segment, bash's rules), sorted;
    /// `None` if that cannot be known or there are more than [`NAMES_MAX`].
    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>>;

    /// The text of the regular file at `path`, if it has at most [`CONTENT_BYTES_MAX`] bytes and is
    /// UTF-8.
    fn content(&self, path: &str) -> Option<String>;
}

/// Knows of nothing: what a path names is an ordinary file if it lies in the workspace.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLook;

impl Look for NoLook {
    fn at(&self, _path: &str) -> Seen {
        Seen::File
    }

    fn names(&self, _folder: &str, _pattern: &str) -> Option<Vec<String>> {
        None
    }

    fn content(&self, _path: &str) -> Option<String> {
        None
    }
}

/// The facts consulted in one judgement, in the order first asked: recorded when somebody looked,
/// given back when a record is judged again.
#[derive(Debug, Default)]
pub struct Facts {
    /// What was consulted.
    pub consulted: Vec<LookFact>,
}
