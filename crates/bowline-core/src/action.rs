//! What a call would do, in terms a policy can judge without touching the disk.

use serde::{Deserialize, Serialize};

use crate::wait::Wait;

/// What lies at a path, as the planner saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// Nothing yet.
    Missing,
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A FIFO, socket or device.
    Special,
    /// Could not be looked at.
    Unknown,
}

/// A path as asked for and as it really is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PathFact {
    /// As the model wrote it.
    pub asked: String,
    /// Absolute, with every link followed; for a missing file its parent's real path plus name.
    pub resolved: String,
    /// Absolute and normalised by name only: what a rule that names the link would match.
    pub by_name: String,
    /// What lies there.
    pub kind: PathKind,
    /// How many names the file has; more than one means it may be reached from elsewhere too.
    pub links: u64,
}

/// One thing a call would do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Reads a file or a folder.
    ReadPath {
        /// Which.
        path: PathFact,
    },
    /// Writes, creates or replaces a file.
    WritePath {
        /// Which.
        path: PathFact,
    },
    /// Runs a shell command.
    Run {
        /// The text given to the shell.
        command: String,
        /// Whether it was analysed and understood: then its parts are judged one by one.
        understood: bool,
    },
    /// Runs one simple command: a part of a shell command.
    RunWords {
        /// The command word and its arguments, quotes and escapes resolved; what cannot be known
        /// stands as it was written.
        words: Vec<String>,
    },
    /// Reaches a host.
    Reach {
        /// Which.
        host: String,
        /// Whether it is to send more than it takes to ask for something there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sends: bool,
    },
    /// Calls a tool of an MCP server.
    CallMcp {
        /// The server.
        server: String,
        /// Its tool.
        tool: String,
    },
    /// Reads or changes only the session's own notes (todo list, blobs).
    Note,
    /// Asks a person something. It acts on nothing: the answer is its result.
    AskPerson {
        /// What is asked.
        question: Question,
    },
    /// Waits for something outside. It acts on nothing: what comes is its result.
    AwaitParty {
        /// What is waited for.
        wait: Wait,
    },
}

impl Action {
    /// Reaches a host to ask for something there.
    #[must_use]
    pub fn reach(host: impl Into<String>) -> Self {
        Self::Reach {
            host: host.into(),
            sends: false,
        }
    }
}

/// Something that only a person can answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Answers to choose from; a person may always write one of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Whether several may be chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multiple: bool,
}

/// One answer to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Choice {
    /// The answer itself, short.
    pub label: String,
    /// What it would mean, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
