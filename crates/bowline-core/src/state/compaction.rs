//! A conversation that is being made shorter, and what is remembered for it.

use std::sync::Arc;

use crate::Digest;
use crate::event::{CompactionCause, Strategy};
use crate::id::{CallId, StepId};
use crate::message::{HistoryItem, Input, InputRole};
use crate::recap::Recap;
use crate::request::RequestSize;
use crate::state::State;

/// A conversation that is being made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compaction {
    /// Why.
    pub cause: CompactionCause,
    /// What a summary should keep above all.
    pub focus: Option<String>,
    /// What did not do.
    pub failed: Vec<Strategy>,
    /// How often the model was asked for a summary.
    pub asked: u32,
    /// What came of the last time.
    pub summary: Option<SummaryReply>,
}

/// What came of asking the model for a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SummaryReply {
    /// It said this.
    Said(String),
    /// It was cut at its limit.
    Cut,
    /// The call failed; whether another may do, and why.
    Failed {
        /// Whether the failure may pass.
        passing: bool,
        /// Why, in one line.
        why: String,
    },
}

/// A file's content that a result holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The call whose result it is.
    pub call: CallId,
    /// The absolute path.
    pub path: String,
    /// Hash of the whole file at that moment.
    pub content: Digest,
}

/// How often the conversation was made shorter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactionCount {
    /// How often, over the whole session.
    pub all: u32,
    /// After which step the last time was.
    pub last_step: StepId,
    /// How often in a row it was needed again at once.
    pub in_a_row: u32,
}

impl State {
    /// The conversation that is being made shorter, if it is.
    #[must_use]
    pub fn compaction(&self) -> Option<&Compaction> {
        self.compaction.as_deref()
    }

    /// How often the conversation was made shorter.
    #[must_use]
    pub const fn compacted(&self) -> &CompactionCount {
        &self.compacted
    }

    /// What is known of the work that was taken out of the conversation.
    #[must_use]
    pub fn recap(&self) -> Option<&Recap> {
        self.recap.as_deref()
    }

    /// About how many tokens the next request has: what the last one really had, and what was added
    /// since by the measure of the last one. An estimate, where a reservation needs a bound.
    #[must_use]
    pub fn next_tokens(&self, size: RequestSize) -> u64 {
        self.gauge.estimate(size)
    }

    /// What the model is asked to sum up: the conversation, and after it what is asked.
    pub(crate) fn history_to_sum_up(&self) -> Option<Vec<Arc<HistoryItem>>> {
        let open = self.compaction.as_ref()?;
        let mut history = self.history.clone();
        let ask = crate::engine::summary_ask(open.focus.as_deref());
        let input = Input::new(ask, InputRole::Words);
        history.push(Arc::new(HistoryItem::Input(input)));
        Some(history)
    }
}
