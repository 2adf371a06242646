//! Making a conversation shorter: what may go, in which order, and what must be there afterwards.
//!
//! Ways to make it shorter are tried in order of loss: results that a later one takes the place of,
//! large results down to head, tail and handle, exchanges of finished work, then a summary. All that
//! is needed goes into one event, so that the prefix of the requests breaks once. What must survive
//! is no prose: it is put in again from the state, and looked for in the next request before the
//! event is recorded.

mod ask;
mod card;
mod check;
mod outline;
mod planned;
mod window;

pub use ask::summary_ask;
pub use check::lost;
pub use planned::{Body, Planned, planned};
pub(super) use window::CLOSE_STEPS;
pub use window::{begin, stuck};

use super::closing::counted;
use crate::event::{CompactionFailed, HistoryCompacted, Strategy};
use crate::recap::Recap;
use crate::request::RequestSize;
use crate::settings::SummaryBy;
use crate::state::{State, SummaryReply};

/// The next thing to do about a conversation that is being made shorter.
#[derive(Debug, Clone, PartialEq)]
pub enum NextCut {
    /// Look whether nothing is lost by this; if so, record it.
    Try(Box<Planned>),
    /// Ask the model for a summary.
    AskForSummary,
    /// A way does not do.
    Failed(CompactionFailed),
    /// None is left.
    Abandon(String),
}

/// How often the model is asked for a summary in one compaction: again only after a failure that
/// may pass.
const SUMMARIES_MAX: u32 = 2;

/// What to do next about a conversation that is being made shorter, whose next request has this
/// size.
#[must_use]
pub fn next_cut(state: &State, size: RequestSize) -> NextCut {
    let Some(open) = &state.compaction else {
        return NextCut::Abandon("nobody asked for it".to_owned());
    };
    let has_failed = |strategy| open.failed.contains(&strategy);
    if let Some(came) = &open.summary {
        return of_summary(state, size, came, open.asked);
    }
    let aim = window::aim(state, &open.cause, size);
    for strategy in [
        Strategy::Superseded,
        Strategy::Trimmed,
        Strategy::FinishedWork,
    ] {
        // Whoever asks for it by hand wants the summary.
        if aim.is_by_hand || has_failed(strategy) {
            continue;
        }
        if let Some(plan) = planned(state, size, strategy, None)
            && plan.fact.after_tokens <= aim.tokens
        {
            return NextCut::Try(Box::new(plan));
        }
    }
    let by_model = state
        .settings()
        .is_none_or(|settings| settings.context.summary == SummaryBy::Model);
    if let Some(plan) = planned(state, size, Strategy::Outline, None) {
        if by_model && !has_failed(Strategy::ModelSummary) {
            return NextCut::AskForSummary;
        }
        if !has_failed(Strategy::Outline) {
            return NextCut::Try(Box::new(plan));
        }
    }
    // Nothing can be taken out whole: what was too little above is better than nothing, and the
    // newest results are trimmed, too.
    for strategy in [Strategy::Trimmed, Strategy::Superseded] {
        if !has_failed(strategy)
            && let Some(plan) = planned(state, size, strategy, None)
        {
            return NextCut::Try(Box::new(plan));
        }
    }
    NextCut::Abandon("nothing in it can be made shorter".to_owned())
}

fn of_summary(state: &State, size: RequestSize, came: &SummaryReply, asked: u32) -> NextCut {
    let failed = |why: String| {
        NextCut::Failed(CompactionFailed {
            strategy: Strategy::ModelSummary,
            why,
        })
    };
    let said = match came {
        SummaryReply::Said(said) => said,
        SummaryReply::Cut => return failed("the summary was cut at its limit".to_owned()),
        SummaryReply::Failed { passing: true, .. } if asked < SUMMARIES_MAX => {
            return NextCut::AskForSummary;
        }
        SummaryReply::Failed { why, .. } => {
            return failed(format!("the model could not be asked for a summary: {why}"));
        }
    };
    let recap = match Recap::read(said) {
        Ok(recap) => recap,
        Err(why) => return failed(format!("the model's summary is none: {why}")),
    };
    match planned(state, size, Strategy::ModelSummary, Some(recap)) {
        Some(plan) => NextCut::Try(Box::new(plan)),
        None => failed("with the model's summary it would not be shorter".to_owned()),
    }
}

/// The event of a plan under which nothing is lost. It is recorded or not, for nothing that must survive
/// may be lost.
///
/// # Errors
/// [`CompactionFailed`] says what would be.
pub fn checked(state: &State, plan: &Planned) -> Result<HistoryCompacted, CompactionFailed> {
    let lost = lost(state, plan);
    match lost.first() {
        None => Ok(plan.fact.clone()),
        Some(first) => Err(CompactionFailed {
            strategy: plan.strategy,
            why: format!(
                "{} would be lost, such as {first}",
                counted(lost.len() as u64, "thing")
            ),
        }),
    }
}
