//! What faces see of a session: a lossy view of progress, never read back into state.

use serde::Serialize;

use crate::action::Question;
use crate::alarm::AlarmRaised;
use crate::event::Event;
use crate::id::{AttemptId, CallId, DecisionId, Seq, SessionId};
use crate::profile::Backend;
use crate::settings::{Mode, ModelRef};
use crate::state::{Doubt, Party};
use crate::usage::{StopReason, Usage};

/// One line of `--output stream-json`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamEvent {
    /// The session is open.
    Session {
        /// Its id.
        session_id: SessionId,
        /// Whether it existed before.
        resumed: bool,
        /// The folder it works in.
        cwd: String,
        /// The model in force.
        model: ModelRef,
        /// The mode in force.
        mode: Mode,
        /// The version of Bowline.
        version: String,
    },
    /// A durable event. Whatever is told to anyone as a fact comes through here, after its commit.
    Event {
        /// Its place in the journal.
        seq: Seq,
        /// The event.
        event: Box<Event>,
    },
    /// Words of a reply that is still being written.
    TextDelta {
        /// The attempt that writes it; void if that attempt is discarded.
        attempt_id: AttemptId,
        /// The words.
        text: String,
    },
    /// Reasoning of a reply that is still being written.
    ReasoningDelta {
        /// The attempt that writes it.
        attempt_id: AttemptId,
        /// The words.
        text: String,
    },
    /// All deltas of this attempt are void.
    AttemptDiscarded {
        /// Which.
        attempt_id: AttemptId,
        /// Why.
        reason: String,
        /// The pause before the next try; `None` if there is none.
        retry_in_ms: Option<u64>,
    },
    /// A running call has written this much so far.
    CallOutput {
        /// Which call.
        call_id: CallId,
        /// Bytes so far.
        total_bytes: u64,
    },
    /// The next model call waits for a limit over all sessions.
    Throttled {
        /// Which, in one line.
        reason: String,
        /// When it is tried again, in milliseconds since 1970.
        until_ms: u64,
    },
    /// Shell commands are held less than this session's mode asks for. Told once, before the first of
    /// them.
    Sandbox {
        /// What holds them; none if nothing does.
        backend: Option<Backend>,
        /// What that means, what is missing and what to do about it, in a few sentences.
        lacking: String,
    },
    /// A figure lies far from what is usual, or a tool is not what it was.
    Alarm {
        /// What, and what it does.
        alarm: Box<AlarmRaised>,
    },
    /// What is usual cannot be read: only alarms that need no baseline are raised. Told once.
    Unwatched {
        /// Why, in one line.
        reason: String,
    },
    /// Everything outstanding waits, and the process stays until it may go on.
    Waiting {
        /// What waits for a person.
        waiting: Vec<WaitingItem>,
        /// What is waited for outside.
        parties: Vec<Party>,
    },
    /// The last line: how it came out.
    Result(RunResult),
}

/// How a run of the process came out: the one object of `--output json`.
#[derive(Debug, Clone, Serialize)]
pub struct RunResult {
    /// The session.
    pub session_id: SessionId,
    /// Why it stopped.
    pub stop_reason: StopReason,
    /// The final answer, or the line that says why there is none.
    pub result: String,
    /// Tokens over the whole session.
    pub usage: Usage,
    /// Cost over the whole session; `None` while no price is known.
    pub cost_micro_usd: Option<u64>,
    /// The exit code of the process.
    pub exit_code: u8,
    /// Steps over the whole session.
    pub steps: u32,
    /// Calls that were rejected, refused or denied.
    pub refused_calls: u32,
    /// Wall time of this process in milliseconds.
    pub duration_ms: u64,
    /// What waits for a person.
    pub waiting: Vec<WaitingItem>,
    /// What is waited for outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// Calls whose outcome is unknown and not yet settled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<Doubt>,
    /// Commands in the background that run on after the process has ended.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<RunningJob>,
}

/// A command that runs in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunningJob {
    /// Its handle.
    pub job: String,
    /// The text given to the shell.
    pub command: String,
}

/// An open question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingItem {
    /// The decision to be answered.
    pub decision_id: DecisionId,
    /// The call it is about.
    pub call_id: CallId,
    /// The tool.
    pub tool: String,
    /// What it would do, in a line.
    pub essence: String,
    /// Why it asks.
    pub reason: String,
    /// What the model asks a person; `None` where allow or deny is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}
