//! Shell commands in the background: what the session knows of each.

use serde::{Deserialize, Serialize};

/// A shell command that outlives the call that started it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The text given to the shell.
    pub command: String,
    /// The folder of its keeper's records, relative to the session's spool folder.
    pub spool: String,
    /// Bytes of its output that the model has read.
    pub offset: u64,
    /// Whether it runs within namespaces.
    #[serde(default)]
    pub confined: bool,
    /// How it ended, once the model was told.
    pub ended: Option<String>,
}

/// Whether `name` is that of a folder right in the spool folder of its session, as a record names
/// one: what it is joined to it never leads out of.
#[must_use]
pub fn is_spool_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

/// What a call did to a job, or learned of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum JobChange {
    /// It was started.
    Started {
        /// Its handle: `bg:` and the last 8 digits of the call that started it.
        job: String,
        /// The text given to the shell.
        command: String,
        /// The folder of its keeper's records, relative to the session's spool folder.
        spool: String,
        /// Bytes of its output that the model has read.
        offset: u64,
        /// Whether it runs within namespaces.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        confined: bool,
    },
    /// Its output was read so far.
    Read {
        /// Its handle.
        job: String,
        /// Bytes from the start of its output.
        offset: u64,
    },
    /// Its end was told.
    Ended {
        /// Its handle.
        job: String,
        /// How it ended, in a few words.
        how: String,
    },
}

impl JobChange {
    /// The handle of the job.
    #[must_use]
    pub fn job(&self) -> &str {
        match self {
            Self::Started { job, .. } | Self::Read { job, .. } | Self::Ended { job, .. } => job,
        }
    }
}
