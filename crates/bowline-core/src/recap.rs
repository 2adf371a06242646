//! What is known of the work so far when the exchanges that it comes from are gone.

mod read;
mod render;
#[cfg(test)]
mod tests;

pub use read::NotARecap;
pub(crate) use render::list;

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
    /// What was done, a line each, oldest first, where no model told it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// How many older lines of that were left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub done_left_out: u32,
}

/// Lines of what was done that are kept: the newest, as what came of the older ones stands in files,
/// lists and later lines.
const DONE_LINES_MAX: usize = 80;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serialiser gives a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Recap {
    /// This recap with what a later one adds. Pinned lists grow; what is open and what is next are
    /// the later one's to say.
    #[must_use]
    pub fn and_then(mut self, later: Self) -> Self {
        for text in later.constraints {
            add(&mut self.constraints, text, |a, b| is_same(a, b));
        }
        for choice in later.decisions {
            add(&mut self.decisions, choice, |a, b| {
                is_same(&a.what, &b.what)
            });
        }
        for text in later.dead_ends {
            add(&mut self.dead_ends, text, |a, b| is_same(a, b));
        }
        for file in later.files {
            self.files.retain(|known| known.path != file.path);
            self.files.push(file);
        }
        self.done.extend(later.done);
        let over = self.done.len().saturating_sub(DONE_LINES_MAX);
        self.done.drain(..over);
        self.done_left_out = self
            .done_left_out
            .saturating_add(later.done_left_out)
            .saturating_add(u32::try_from(over).unwrap_or(u32::MAX));
        let said = |new: String, old: String| if new.trim().is_empty() { old } else { new };
        Self {
            goal: said(later.goal, self.goal),
            open_questions: later.open_questions,
            next_step: later.next_step,
            ..self
        }
    }

    /// Every fact that no later recap may drop.
    pub fn pinned(&self) -> impl Iterator<Item = &str> {
        let decisions = self.decisions.iter().map(|choice| choice.what.as_str());
        let texts = self.constraints.iter().chain(&self.dead_ends);
        texts.map(String::as_str).chain(decisions)
    }
}

fn add<T>(list: &mut Vec<T>, new: T, same: impl Fn(&T, &T) -> bool) {
    if !list.iter().any(|known| same(known, &new)) {
        list.push(new);
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
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
