//! What was seen at a path while shell text was judged: part of the decision's record.

use serde::{Deserialize, Serialize};

/// What lies at a path, links not followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Nothing.
    Missing,
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, with its target as written.
    Link(String),
    /// A FIFO, socket or device.
    Special,
    /// It could not be looked at.
    Unknown,
}

impl Seen {
    /// What it is, in a word or two.
    #[must_use]
    pub fn words(&self) -> String {
        let word = match self {
            Self::Missing => "missing",
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link(target) => return format!("a link to {target}"),
            Self::Special => "special",
            Self::Unknown => "unknown",
        };
        word.to_owned()
    }
}

/// One fact that a judgement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "looked", rename_all = "snake_case")]
pub enum LookFact {
    /// What lies at a path.
    At {
        /// Absolute.
        path: String,
        /// What was there.
        seen: Seen,
    },
    /// What a glob comes to.
    Names {
        /// The folder, absolute.
        folder: String,
        /// The glob: one segment.
        pattern: String,
        /// The names that match; `None` if that could not be known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        names: Option<Vec<String>>,
    },
    /// What a script that would be run publishes, as far as its text tells.
    Script {
        /// Absolute.
        path: String,
        /// The task of it that would run; empty for the whole.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        part: String,
        /// Its publish-class command, if it holds one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        publishes: Option<String>,
    },
}

impl LookFact {
    /// The fact for people: the path and what was there.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::At { path, seen } => format!("{path}: {}", seen.words()),
            Self::Names {
                folder,
                pattern,
                names,
            } => match names {
                Some(names) => format!("{folder}/{pattern}: {}", names.join(", ")),
                None => format!("{folder}/{pattern}: not known"),
            },
            Self::Script {
                path,
                part,
                publishes,
            } => {
                let task = match part.as_str() {
                    "" => String::new(),
                    part => format!(" (task {part})"),
                };
                match publishes {
                    Some(command) => format!("{path}{task}: publishes with `{command}`"),
                    None => format!("{path}{task}: a script that publishes nothing"),
                }
            }
        }
    }
}
