//! What is under way: the turn, its open step, its calls, the model call.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::decision::Decision;
use crate::event::{AttemptReserved, CallStarted, ReplyStop};
use crate::failure::ProviderFailure;
use crate::id::{StepId, TurnId};
use crate::message::{AssistantMessage, ToolCall, ToolResult};
use crate::price::Price;
use crate::wait::Park;

use super::trail::{Mark, Trail};

/// A running turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Which.
    pub id: TurnId,
    /// Steps it has had.
    pub steps: u32,
    /// Whether the model was asked in it: then it was given the words that the turn began for.
    pub asked: bool,
    /// Who asked for it to stop, if somebody did.
    pub cancelled_by: Option<String>,
    /// Tries of the next model call that failed so far.
    pub failed_attempts: u32,
    /// The last failure, if the next model call has failed before.
    pub failure: Option<ProviderFailure>,
    /// When the next try may be made, in milliseconds since 1970.
    pub not_before_ms: Option<u64>,
    /// How long the pause before it is, in milliseconds: a clock that was set back cannot make it
    /// longer.
    pub pause_ms: Option<u64>,
    /// Whether the failure ends the turn.
    pub gave_up: bool,
    /// How the last complete reply ended, once it has.
    pub last_reply: Option<ReplyStop>,
    /// Whether the last complete reply asked for calls.
    pub wants_more: bool,
    /// What the final answer must fit, if something.
    pub demand: Option<Demand>,
    /// The shortest reply that is worth asking for next, in tokens: the last one was cut at its
    /// limit.
    pub reply_wanted: u64,
    /// The limit that the budget set, in tokens, if the last reply was cut at it.
    pub budget_cut_tokens: Option<u64>,
    /// Which cap on time was used up, for people, once one was.
    pub out_of_time: Option<String>,
    /// Files that its calls changed.
    pub changed: BTreeSet<String>,
    /// What its finished calls are remembered by.
    pub(crate) trail: Trail,
}

/// What the final answer of a turn must fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// The JSON Schema.
    pub schema: Arc<Value>,
    /// How often the model was asked again.
    pub repairs: u32,
    /// What became of the last answer.
    pub verdict: AnswerVerdict,
}

/// What became of an answer that must fit something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerVerdict {
    /// It was not looked at yet, or there is none.
    Unchecked,
    /// It fits.
    Fits,
    /// It does not fit, and the model is asked again.
    AskAgain,
    /// It does not fit, and the model was asked often enough; one problem, for people.
    GaveUp(String),
}

impl Turn {
    pub(crate) const fn new(id: TurnId) -> Self {
        Self {
            id,
            steps: 0,
            asked: false,
            cancelled_by: None,
            failed_attempts: 0,
            failure: None,
            not_before_ms: None,
            pause_ms: None,
            gave_up: false,
            last_reply: None,
            wants_more: true,
            demand: None,
            reply_wanted: 0,
            budget_cut_tokens: None,
            out_of_time: None,
            changed: BTreeSet::new(),
            trail: Trail::new(),
        }
    }
}

impl Turn {
    /// Whether it is to stop as soon as nothing is under way.
    #[must_use]
    pub const fn is_stopping(&self) -> bool {
        self.cancelled_by.is_some() || self.out_of_time.is_some()
    }
}

/// A model call under way.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAttempt {
    /// What was reserved for it.
    pub reserved: AttemptReserved,
    /// What the model cost then, if it was known.
    pub price: Option<Price>,
}

/// A step whose calls are not all answered.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenStep {
    /// Which.
    pub id: StepId,
    /// The reply that asked for the calls.
    pub message: AssistantMessage,
    /// Its calls, in order.
    pub calls: Vec<CallState>,
}

/// One call of the open step.
#[derive(Debug, Clone, PartialEq)]
pub struct CallState {
    /// As the model wrote it.
    pub call: ToolCall,
    /// Where it stands.
    pub phase: CallPhase,
    /// Tries so far.
    pub tries: u32,
    /// What it waits for, once it was parked; kept while its command is run.
    pub park: Option<Box<Park>>,
    /// What it is remembered by, once it is answered.
    pub(crate) mark: Option<Box<Mark>>,
}

impl CallState {
    /// Whether it is to run and was never started. What waits for something outside, and a
    /// question to a person, never runs.
    pub(crate) fn is_untried(&self) -> bool {
        self.tries == 0
            && match &self.phase {
                CallPhase::Proposed => true,
                CallPhase::Allowed(decision) => decision.wait().is_none(),
                CallPhase::Waiting(decision) => decision.question().is_none(),
                CallPhase::Parked(_) | CallPhase::Started(..) | CallPhase::Closed(_) => false,
            }
    }
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq)]
pub enum CallPhase {
    /// Nothing was decided yet.
    Proposed,
    /// A person must say.
    Waiting(Box<Decision>),
    /// It may run.
    Allowed(Box<Decision>),
    /// It may run, and waits for something outside.
    Parked(Box<Decision>),
    /// It was started; the decision that allowed it stays with it.
    Started(Box<Decision>, CallStarted),
    /// It is answered.
    Closed(ToolResult),
}
