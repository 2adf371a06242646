//! What a person or a client may ask of a session.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::ContextText;
use crate::decision::{Scope, Verdict};
use crate::id::{CallId, DecisionId};
use crate::kept::Kept;
use crate::message::ImageRef;
use crate::settings::Settings;

/// A request to a session. Each has a key; the same key twice has effect once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// The idempotency key.
    pub key: String,
    /// When it was given, in milliseconds since 1970, if its sender says: an answer that comes after
    /// its question lapsed is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Give the agent something to do. Queued while a turn runs.
    Prompt {
        /// The words.
        text: ContextText,
        /// Images that go with them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<ImageRef>,
        /// The JSON Schema that the final answer must fit, if there is one. Whoever asks has made
        /// sure that it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_schema: Option<Value>,
        /// Whether it takes the place of what waits: open questions are denied and waits end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        supersede: bool,
    },
    /// Answer an open question.
    Answer {
        /// Which question.
        decision: DecisionId,
        /// Allow or deny.
        verdict: Verdict,
        /// How far the answer reaches.
        scope: Scope,
        /// Who answers, by which route.
        by: String,
        /// Words for the model, if any.
        note: Option<String>,
    },
    /// Answer a question that the model put to a person.
    Reply {
        /// Which question.
        decision: DecisionId,
        /// The answer, as the model reads it.
        text: ContextText,
        /// Who answers, by which route.
        by: String,
    },
    /// End the wait of this name, or the next one.
    Signal {
        /// Its name.
        name: String,
        /// What it carries, if anything.
        payload: Option<ContextText>,
        /// Who sends it, by which route.
        by: String,
    },
    /// Say what became of a call in doubt.
    Settle {
        /// Which call.
        call: CallId,
        /// Whether it happened.
        happened: bool,
        /// Words for the model, if any.
        note: Option<String>,
        /// Who says so, by which route.
        by: String,
    },
    /// Put the session on hold.
    Pause {
        /// Who asks.
        by: String,
    },
    /// Let a session on hold go on.
    Continue {
        /// Who asks.
        by: String,
    },
    /// Make the conversation shorter now.
    Compact {
        /// What a summary should keep above all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        focus: Option<String>,
        /// Who asks.
        by: String,
    },
    /// Stop the running turn.
    Cancel {
        /// Who asks.
        by: String,
    },
    /// Put other settings in force.
    Change {
        /// All of them, as they are to be.
        settings: Box<Settings>,
        /// Who asks.
        by: String,
    },
}

/// Why a command was not accepted. Not an error: the session is unharmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The session has no first event yet.
    #[error("the session has not begun: nothing can be asked of it")]
    NotBegun,
    /// This key was accepted before.
    #[error("command {key} was accepted before: it takes effect once")]
    AlreadyAccepted {
        /// The key.
        key: String,
    },
    /// No such question is open.
    #[error("no open question {decision}: it was answered, lapsed, or never asked")]
    NoSuchQuestion {
        /// The id asked for.
        decision: DecisionId,
    },
    /// An answer must be allow or deny.
    #[error("an answer is allow or deny, not ask")]
    NotAnAnswer,
    /// A question cannot be allowed: it wants words.
    #[error("{decision} is a question: answer it instead of allowing it")]
    WantsAnAnswer {
        /// The question.
        decision: DecisionId,
    },
    /// Words were given where allow or deny is asked for.
    #[error("{decision} asks for allow or deny, not for words")]
    WantsAVerdict {
        /// The open decision.
        decision: DecisionId,
    },
    /// The question was open too long.
    #[error("{decision} lapsed: it was not answered in time")]
    Lapsed {
        /// The question.
        decision: DecisionId,
    },
    /// The conversation is being made shorter already.
    #[error("the conversation is being made shorter already")]
    CompactsAlready,
    /// The session holds content that a rule keeps to local models.
    #[error(
        "{model} is asked at {place}, which is not local, and this session holds what the rule \
         `{}` keeps to local models ({}): choose a local model, or begin a new session", kept.rule, kept.what
    )]
    KeptLocal {
        /// The model that was chosen.
        model: String,
        /// Where it is asked.
        place: String,
        /// What is held.
        kept: Kept,
    },
    /// No such call is in doubt.
    #[error("call {call} is not in doubt: it was settled, or its outcome is known")]
    NotInDoubt {
        /// The call asked for.
        call: CallId,
    },
    /// Too many signals of one name wait to be taken.
    #[error("{count} signals `{name}` wait already and nobody took one: no more are kept")]
    TooManySignals {
        /// Their name.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// It is on hold already.
    #[error("the session is on hold already, by {by}")]
    PausedAlready {
        /// Who put it on hold.
        by: String,
    },
    /// It is not on hold.
    #[error("the session is not on hold")]
    NotPaused,
    /// No turn is running.
    #[error("no turn is running: there is nothing to cancel")]
    NothingRunning,
}
