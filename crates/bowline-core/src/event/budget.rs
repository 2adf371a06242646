//! The data of facts about budgets.

use serde::{Deserialize, Serialize};

use crate::amounts::{Amounts, Cap};
use crate::id::{AttemptId, CallId, SessionId, TurnId};

/// A provider reported more than was set aside: more input than the bound on what was sent, or a
/// longer reply than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageOverran {
    /// The attempt.
    pub attempt: AttemptId,
    /// What was set aside for it, the worst case.
    pub reserved: Amounts,
    /// What was reported.
    pub reported: Amounts,
    /// Whether nothing more is asked until a person lets the session go on.
    pub stops: bool,
}

/// The time that a cap allows was used up while acts were under way; they were told to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRanOut {
    /// The turn that it ends.
    pub turn: TurnId,
    /// Which cap, for people.
    pub detail: String,
}

/// Budget was set aside for a child session, or what was set aside for it was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareGranted {
    /// The child.
    pub child: SessionId,
    /// The call that it works for.
    pub call: CallId,
    /// All that is set aside for it, over its whole life.
    pub share: Amounts,
}

/// A child session is done: what it spent is spent, the rest is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareSettled {
    /// The child.
    pub child: SessionId,
    /// What it spent, with what is still set aside in it.
    pub spent: Amounts,
}

/// This session may use more of its parent's budget; or, when it is done, no more than it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRaised {
    /// All that it may use over its whole life.
    pub share: Cap,
}
