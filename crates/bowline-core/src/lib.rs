//! The words and the engine of Bowline: facts, then state, then work.
//!
//! **Purpose.** This crate says what a session is ([`State`]), what can happen to it ([`Event`]),
//! what a person may ask of it ([`Command`]) and what has to be done next ([`Work`]). Everything
//! else in Bowline reads these types and acts on the world on their behalf.
//!
//! **Deliberately absent:** clock, disk, network, process, environment, randomness, logging,
//! awaiting. Time, ids, model output and verdicts come in as values and are recorded as events.
//!
//! **Start at** [`engine`]: `accept`, `apply` and `due` are the whole machine.
//!
//! ```
//! use bowline_core::{apply, due, Event, Fact, State};
//!
//! let state = State::new();
//! assert!(due(&state).is_empty(), "a session that has not begun owes nothing");
//!
//! let event = Event::new(1_000, Fact::notice("the mode is now edit"));
//! let state = apply(state, &event);
//! assert!(due(&state).is_empty(), "a notice alone starts no work");
//! ```
#![forbid(unsafe_code)]

pub mod action;
pub mod alarm;
pub mod amounts;
pub mod call;
pub mod command;
pub mod commit;
pub mod configured;
pub mod contact;
pub mod context;
pub mod decision;
pub mod digest;
pub mod engine;
pub mod event;
pub mod failure;
pub mod host;
pub mod id;
pub mod job;
pub mod kept;
pub mod look;
pub mod message;
pub mod permit;
pub mod plan;
pub mod policy_record;
pub mod price;
pub mod profile;
pub mod protocol;
pub mod recap;
pub mod registry;
pub mod request;
pub mod settings;
pub mod spec;
pub mod state;
pub mod system;
pub mod usage;
pub mod wait;
pub mod web;

pub use action::{Action, PathFact};
pub use alarm::{AlarmAction, AlarmCause, AlarmRaised, Metric};
pub use amounts::{Amounts, Cap, CapScope, Caps, Measure, RateLimits};
pub use call::{Check, Effect, FileChange, Outcome, OutcomeStatus, TodoItem};
pub use command::{Command, Refusal};
pub use commit::{Committed, Receipt};
pub use configured::{Configured, RuleInForce};
pub use contact::{Connection, Denied, Via};
pub use context::{ContextText, Origin};
pub use decision::{Decision, Verdict};
pub use digest::Digest;
pub use engine::{Work, accept, apply, due};
pub use event::{Event, Fact};
pub use failure::{FailureKind, ProviderFailure};
pub use host::{Host, HostAccess, HostError, HostPattern, NoAccess};
pub use id::{AttemptId, CallId, DecisionId, Epoch, RunId, Seq, SessionId, StepId, TurnId};
pub use job::Job;
pub use kept::{Keeping, Kept, ModelPlace};
pub use message::{
    AssistantMessage, Block, Exchange, HistoryItem, ImageRef, Input, InputRole, ToolCall,
    ToolResult,
};
pub use permit::{CallRequest, Executed, Permit, Reservation};
pub use policy_record::{PolicyRecord, Sandbox, TrustState};
pub use price::{ModelFacts, Price};
pub use profile::{Backend, Confinement, Network, Profile};
pub use protocol::StreamEvent;
pub use recap::Recap;
pub use registry::Registry;
pub use request::{Request, RequestSize};
pub use settings::{
    CacheTtl, ContextSettings, Limits, LoopGuard, Mode, ModelRef, OnAsk, ReasoningEffort, Settings,
};
pub use spec::{CommandSpec, ReplayClass, Risk, Tier, ToolSpec};
pub use state::State;
pub use system::{SystemEvent, SystemFact};
pub use usage::{StopReason, Usage};

/// A boxed future that may cross threads: what every async seam of Bowline returns.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
