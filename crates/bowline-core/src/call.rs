//! What becomes of a tool call: checks before it, its outcome, its effects.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::contact::{Connection, Denied};
use crate::context::ContextText;
use crate::job::JobChange;
use crate::spec::ReplayClass;

/// What a crash allows for one call, decided before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReplayPlan {
    /// The class.
    pub class: ReplayClass,
}

/// A file's content as it is before and will be after a call: looking tells whether it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Absolute path, links followed.
    pub path: String,
    /// Content hash before; `None` when there is no file.
    pub before: Option<Digest>,
    /// Content hash after.
    pub after: Digest,
}

/// What a call did to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Absolute path.
    pub path: String,
    /// Content hash before; `None` when it was created.
    pub before: Option<Digest>,
    /// Content hash after.
    pub after: Digest,
    /// Lines added.
    pub added_lines: u32,
    /// Lines removed.
    pub removed_lines: u32,
    /// A unified diff for people, bounded; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub diff: String,
}

/// A file content the model has seen: what a later write is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Absolute path, links followed.
    pub path: String,
    /// Hash of the whole file at that moment.
    pub content: Digest,
}

/// State of one entry of the todo list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TodoStatus {
    /// Not begun.
    Pending,
    /// Being worked on.
    InProgress,
    /// Finished.
    Done,
}

/// One entry of the todo list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoItem {
    /// What is to be done.
    pub text: String,
    /// Where it stands.
    pub status: TodoStatus,
}

/// What a finished call changed that the engine must know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effect {
    /// Files it changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileChange>,
    /// File contents it showed the model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
    /// The new todo list, if it set one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<Vec<TodoItem>>,
    /// What it did to commands in the background, or learned of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobChange>,
    /// Whom it reached or wanted to reach, at most [`CONNECTIONS_MAX`](crate::contact::CONNECTIONS_MAX).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
}

/// A large body stored beside the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of its bytes: its name.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

impl BlobRef {
    /// How the model names it: `blob:` and the first 16 digits of its hash.
    #[must_use]
    pub fn handle(&self) -> String {
        format!("blob:{}", &self.digest.to_hex()[..16])
    }
}

/// Whether a call did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// It did.
    Ok,
    /// It ran and reports an error: a file not found, a non-zero exit.
    Error,
}

/// How a call that ran came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it did what it was asked.
    pub status: OutcomeStatus,
    /// What the model reads; already masked and within its cap.
    pub content: ContextText,
    /// One line for people.
    pub summary: String,
    /// The whole body, when it was over the cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobRef>,
    /// What it changed.
    #[serde(default)]
    pub effect: Effect,
    /// The exit code of a shell command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Whether it seems to have failed because its sandbox denied it something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sandbox_denied: bool,
    /// What its limits kept it from, as far as can be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Denied>,
    /// How long it took.
    pub duration_ms: u64,
}
