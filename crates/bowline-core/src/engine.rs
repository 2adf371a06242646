//! The engine: three pure functions over one set of facts.
//!
//! - [`accept`]: a person or client asks; facts or a refusal come back.
//! - [`apply`]: a fact changes the state. Pure and total.
//! - [`due`]: what has to be done next, in order. Nothing is remembered anywhere else.

mod accept;
mod adopt;
mod apply;
mod closing;
mod compact;
mod due;
mod loops;
mod order;
mod park;
mod reserve;
mod settle;
mod share;
mod stage;

pub use accept::accept;
pub use adopt::adopt;
pub use apply::apply;
pub use closing::end_turn;
pub use compact::{
    Body, NextCut, Planned, begin as begin_compaction, checked, lost, next_cut, planned, stuck,
    summary_ask,
};
pub use due::due;
pub use park::{end_wait, park};
pub use reserve::{NewAsk, Overdrawn, reserve};
pub use settle::{failed, replied};
pub use share::{
    NotShareable, ShareNeed, close_share, fits_alone, lacking, lacking_calls, lacking_for, raise,
    settle_share, share, share_cap,
};
pub use stage::{NotStartable, StartFacts, start};

use crate::event::LoopNoticed;
use crate::id::{AttemptId, CallId, DecisionId, SessionId};
use crate::usage::StopReason;

/// Something that has to be done, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Begin a turn for the prompts that wait.
    BeginTurn,
    /// Make a model call.
    AskModel(AskModel),
    /// Find out about a model call of an older owner.
    ReconcileAttempt {
        /// Which.
        attempt: AttemptId,
    },
    /// Decide whether a call may run.
    Decide {
        /// Which.
        call: CallId,
    },
    /// Run an allowed call.
    RunTool {
        /// Which.
        call: CallId,
    },
    /// Find out what became of a call of an older owner.
    Reconcile {
        /// Which.
        call: CallId,
    },
    /// Go on making the conversation shorter.
    Compact,
    /// Hold the final answer against the schema in force.
    CheckAnswer,
    /// Begin to wait for what an allowed call waits for.
    Park {
        /// Which.
        call: CallId,
    },
    /// Tell the model that it seems to go round in circles.
    Nudge(Box<LoopNoticed>),
    /// Wait for people, and for what parked calls wait for.
    Wait {
        /// The open questions.
        decisions: Vec<DecisionId>,
        /// The parked calls.
        parked: Vec<CallId>,
    },
    /// Settle the share of a child whose call is over: nobody knows what it spent.
    SettleShare {
        /// Which.
        child: SessionId,
    },
    /// End the turn.
    EndTurn {
        /// Why.
        stop: StopReason,
        /// One line for people.
        detail: Option<String>,
    },
}

/// A model call to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskModel {
    /// Which try it is, from 1.
    pub try_number: u32,
    /// Not before this time, in milliseconds since 1970.
    pub not_before_ms: Option<u64>,
    /// The longest pause before it, in milliseconds, whatever the clock says.
    pub pause_ms: Option<u64>,
}

/// The longest reply that is asked for at first, in tokens, thinking aside; later ones follow from
/// the replies seen, and one that is cut is asked for again with more room.
pub const DEFAULT_REPLY_TOKENS: u64 = 8_192;
/// The longest reply that is asked of a model whose own limit nobody knows, in tokens.
pub const UNKNOWN_REPLY_TOKENS_MAX: u64 = 32_000;
/// How many times longer a reply is asked for after one that was cut.
pub const RAISE: u64 = 4;
/// How often the model is asked again for an answer that fits, after the first that did not.
pub const MAX_ANSWER_REPAIRS: u32 = 3;
/// The shortest reply worth asking for; below this the budget stop comes first.
pub const MIN_REPLY_TOKENS: u64 = 256;
