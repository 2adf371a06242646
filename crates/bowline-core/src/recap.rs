//! What is known of the work so far when the exchanges that it comes from are gone.

use serde::{Deserialize, Serialize};

/// A summary of a conversation in fields. Lists grow from compaction to compaction: what was pinned
/// once (constraints, decisions, dead ends) no later summary can drop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recap {
    /// What the person wants in the end.
    pub goal: String,
    /// Rules and limits that the work must keep to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// What was decided, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Choice>,
    /// What was tried and does not work, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dead_ends: Vec<String>,
    /// Files that the work is about, and what was done to each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileNote>,
    /// What is not known yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open_questions: Vec<String>,
    /// What is to be done next.
    pub next_step: String,
}

/// Something that was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What was done to a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Its path.
    pub path: String,
    /// What was done, or what it is.
    pub note: String,
}
