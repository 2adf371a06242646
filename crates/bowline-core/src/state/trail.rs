//! What a turn's finished calls are remembered by: the evidence of loops. It is state, not history:
//! compaction has no say in it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Digest;

/// Finished calls that are remembered at most; a pattern of four calls needs twenty.
pub(crate) const MARKS_MAX: usize = 128;
/// Patterns that the model was told of which are remembered at most.
const TOLD_MAX: usize = 32;

/// One finished call, as far as telling loops needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// What was asked: tool and arguments.
    pub(crate) action: Digest,
    /// What came back, volatile parts aside.
    pub(crate) result: Digest,
    /// The call in a few words, for people and the model.
    pub(crate) words: Arc<str>,
    /// Whether it may have changed something that later results depend on.
    pub(crate) may_change: bool,
    /// Whether it waited for something outside, or let time pass.
    pub(crate) waited: bool,
    /// How it came out.
    pub(crate) came: Came,
}

/// How a finished call came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// It did what it was asked.
    Fine,
    /// It reports an error, or did not run.
    Failed,
    /// It says something that goes away by itself: too many requests, nobody answers yet.
    Passing,
}

impl Mark {
    /// Whether both asked for the same thing and got the same back.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.action == other.action && self.result == other.result
    }
}

/// The finished calls of a turn, the latest [`MARKS_MAX`] of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trail {
    marks: VecDeque<Mark>,
    /// How many calls were finished in all.
    count: u64,
    /// The number of the last call that changed something, or let time pass. What came before it
    /// proves nothing about what comes after.
    quiet_from: u64,
    /// What the model was told of, and after how many calls.
    told: Vec<(Digest, u64)>,
}

impl Trail {
    pub(crate) const fn new() -> Self {
        Self {
            marks: VecDeque::new(),
            count: 0,
            quiet_from: 0,
            told: Vec::new(),
        }
    }

    /// Takes in a finished call. What it changed counts only the first time: to do and undo the
    /// same thing gets nowhere.
    pub(crate) fn push(&mut self, mark: Mark) {
        let is_new = !self.marks.iter().any(|before| before.is_same(&mark));
        self.count += 1;
        if mark.waited {
            self.quiet_from = self.count;
        } else if mark.may_change && is_new {
            self.quiet_from = self.count - 1;
        }
        if self.marks.len() == MARKS_MAX {
            self.marks.pop_front();
        }
        self.marks.push_back(mark);
    }

    /// Something came from outside that may lead elsewhere: a person's words.
    pub(crate) const fn interrupt(&mut self) {
        self.quiet_from = self.count;
    }

    /// Remembers that the model was told of a pattern.
    pub(crate) fn tell(&mut self, pattern: Digest) {
        if self.told.len() == TOLD_MAX {
            self.told.remove(0);
        }
        self.told.push((pattern, self.count));
    }

    /// All that is remembered, oldest first.
    pub(crate) fn marks(&self) -> impl DoubleEndedIterator<Item = &Mark> + ExactSizeIterator {
        self.marks.iter()
    }

    /// The calls since something last changed or time passed, oldest first.
    pub(crate) fn quiet(&self) -> Vec<&Mark> {
        let many = usize::try_from(self.count - self.quiet_from).unwrap_or(usize::MAX);
        let skipped = self.marks.len().saturating_sub(many);
        self.marks.iter().skip(skipped).collect()
    }

    /// How many calls were finished since the model was told of this pattern, if it was.
    pub(crate) fn since_told(&self, pattern: &Digest) -> Option<usize> {
        let told = self.told.iter().rev().find(|(told, _)| told == pattern);
        told.map(|(_, at)| usize::try_from(self.count - at).unwrap_or(usize::MAX))
    }

    /// How many calls were finished since the model was last told of anything.
    pub(crate) fn since_last_told(&self) -> Option<usize> {
        let last = self.told.last();
        last.map(|(_, at)| usize::try_from(self.count - at).unwrap_or(usize::MAX))
    }
}
