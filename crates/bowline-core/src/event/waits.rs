//! The data of facts about waiting, settling and pausing.

use serde::{Deserialize, Serialize};

use crate::call::Outcome;
use crate::context::ContextText;
use crate::id::{CallId, DecisionId};
use crate::wait::WaitEnd;

/// An allowed call waits for something outside, as its decision says. Nothing runs meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallParked {
    /// Which.
    pub call: CallId,
    /// When the wait ends at the latest, in milliseconds since 1970; fixed when it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// What a look by a command said, in a line: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// A wait is over; what came of it is the call's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitEnded {
    /// The parked call.
    pub call: CallId,
    /// How.
    pub how: WaitEnd,
    /// What the model reads.
    pub told: ContextText,
}

/// A signal came. It ends the wait of its name, or is kept for the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalReceived {
    /// The command's idempotency key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it carries, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<ContextText>,
    /// Who sent it, by which route.
    pub by: String,
}

/// A call in doubt is in doubt no more. The model is told in a new message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSettled {
    /// The command's idempotency key.
    pub key: String,
    /// Which.
    pub call: CallId,
    /// Whether it happened.
    pub happened: bool,
    /// Words for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who says so, by which route: a person, or the records of its keeper.
    pub by: String,
    /// How it came out, where that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Box<Outcome>>,
}

/// An open question was not answered in time; its call is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionLapsed {
    /// The question.
    pub decision: DecisionId,
}

/// A person put the session on hold: nothing new is begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPaused {
    /// The command's idempotency key.
    pub key: String,
    /// Who, by which route.
    pub by: String,
}

/// A person let the session go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionContinued {
    /// The command's idempotency key.
    pub key: String,
    /// Who, by which route.
    pub by: String,
}
