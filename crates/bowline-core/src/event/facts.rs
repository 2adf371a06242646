//! The data of each fact.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Digest;
use crate::amounts::Amounts;
use crate::call::{Check, Outcome};
use crate::context::ContextText;
use crate::decision::{Decision, Scope, Verdict};
use crate::failure::ProviderFailure;
use crate::id::{AttemptId, CallId, DecisionId, Epoch, SessionId, StepId, TurnId};
use crate::message::{AssistantMessage, ImageRef};
use crate::plan::SentBlocks;
use crate::policy_record::PolicyRecord;
use crate::request::{FrozenPrompt, RequestSize};
use crate::settings::{ModelRef, Settings};
use crate::spec::ReplayClass;
use crate::usage::{StopReason, Usage};

/// The session began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// Its id.
    pub session: SessionId,
    /// The version of Bowline that began it.
    pub app_version: String,
    /// The absolute folder it works in.
    pub cwd: String,
    /// Absolute folders it may work in, the working folder's root first.
    pub roots: Vec<String>,
    /// What is in force.
    pub settings: Settings,
    /// System text and tools, frozen.
    pub prompt: FrozenPrompt,
}

/// A process became the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChanged {
    /// The epoch that begins here.
    pub epoch: Epoch,
    /// The process id, for messages only.
    pub pid: u32,
    /// The version of Bowline it runs.
    pub app_version: String,
}

/// A person took on a session that came from elsewhere. What it said of settings and folders is
/// replaced by this; earlier grants are void; what was to run is decided upon anew; what had started
/// elsewhere is in doubt; commands in the background are elsewhere. Its conversation stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionAdopted {
    /// What is in force from now on.
    pub settings: Settings,
    /// The absolute folder it works in here.
    pub cwd: String,
    /// Absolute folders it may work in here, the working folder's root first.
    pub roots: Vec<String>,
    /// Who took it on, by which route.
    pub by: String,
}

/// Other settings are in force. Open questions are asked anew under them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsChanged {
    /// The command's idempotency key.
    pub key: String,
    /// All settings as they are now.
    pub settings: Settings,
    /// Who asked.
    pub by: String,
}

/// What only another model understands was taken out of the conversation: signatures, encrypted
/// or shown reasoning, fields of its own. Words, calls and results stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocksDropped {
    /// The model in force from now on.
    pub model: ModelRef,
    /// How many pieces were dropped.
    pub blocks: u32,
}

/// A prompt was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptAccepted {
    /// The command's idempotency key.
    pub key: String,
    /// The words.
    pub text: ContextText,
    /// Images that go with them, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageRef>,
    /// The JSON Schema that the final answer must fit, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

/// A final answer was held against the schema in force. With problems the model is told them and
/// asked again, a bounded number of times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerChecked {
    /// The turn whose answer it is.
    pub turn: TurnId,
    /// What does not fit, each in one line; empty when it fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The answer as JSON, when it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
}

/// A turn began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnStarted {
    /// Which.
    pub turn: TurnId,
}

/// The harness told the model something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeAdded {
    /// The words.
    pub text: ContextText,
}

/// What a model call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The next step of the turn.
    #[default]
    Step,
    /// A summary of the conversation, to make it shorter.
    Summary,
}

impl Purpose {
    /// Whether it is the next step.
    #[must_use]
    pub fn is_step(&self) -> bool {
        *self == Self::Step
    }
}

/// Budget set aside for one try of a model call. Only the engine makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptReserved {
    attempt: AttemptId,
    step: StepId,
    try_number: u32,
    epoch: Epoch,
    reserved_tokens: u64,
    max_output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    cost_micro_usd: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<RequestSize>,
    #[serde(default, skip_serializing_if = "is_zero")]
    worked_ms: u64,
    #[serde(default, skip_serializing_if = "Purpose::is_step")]
    purpose: Purpose,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<SentBlocks>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serialiser gives a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the engine needs to make an [`AttemptReserved`].
pub(crate) struct NewAttempt {
    pub(crate) attempt: AttemptId,
    pub(crate) step: StepId,
    pub(crate) try_number: u32,
    pub(crate) epoch: Epoch,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cost_micro_usd: u64,
    pub(crate) size: Option<RequestSize>,
    pub(crate) worked_ms: u64,
    pub(crate) purpose: Purpose,
}

impl AttemptReserved {
    pub(crate) fn new(new: NewAttempt) -> Self {
        let NewAttempt {
            attempt,
            step,
            try_number,
            epoch,
            input_tokens,
            output_tokens,
            cost_micro_usd,
            size,
            worked_ms,
            purpose,
        } = new;
        Self {
            attempt,
            step,
            try_number,
            epoch,
            reserved_tokens: input_tokens.saturating_add(output_tokens),
            max_output_tokens: Some(output_tokens),
            input_tokens: Some(input_tokens),
            cost_micro_usd,
            size,
            worked_ms,
            purpose,
            sent: None,
        }
    }

    /// The same with what its request consists of.
    #[must_use]
    pub fn with_sent(self, sent: SentBlocks) -> Self {
        Self {
            sent: Some(sent),
            ..self
        }
    }

    /// What its request has that the one before it had not; `None` in older records, and of a
    /// request that later ones do not go on from.
    #[must_use]
    pub const fn sent(&self) -> Option<&SentBlocks> {
        self.sent.as_ref()
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The attempt.
    #[must_use]
    pub const fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The step it belongs to.
    #[must_use]
    pub const fn step(&self) -> StepId {
        self.step
    }

    /// Which try of this step it is, from 1.
    #[must_use]
    pub const fn try_number(&self) -> u32 {
        self.try_number
    }

    /// The owner's epoch.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Tokens set aside: the bound on the prompt plus the longest reply.
    #[must_use]
    pub const fn reserved_tokens(&self) -> u64 {
        self.reserved_tokens
    }

    /// The worst case that was set aside: tokens read and written, and money.
    #[must_use]
    pub fn worst(&self) -> Amounts {
        // Older records hold only the sum.
        let input_tokens = self.input_tokens.unwrap_or_else(|| {
            let reply = self.max_output_tokens.unwrap_or_default();
            self.reserved_tokens.saturating_sub(reply)
        });
        Amounts {
            input_tokens,
            output_tokens: self.reserved_tokens.saturating_sub(input_tokens),
            cost_micro_usd: self.cost_micro_usd,
            ..Amounts::ZERO
        }
    }

    /// How large the request was found to be; `None` in older records.
    #[must_use]
    pub const fn size(&self) -> Option<RequestSize> {
        self.size
    }

    /// Time at work in this turn before it that was not counted yet, in milliseconds.
    #[must_use]
    pub const fn worked_ms(&self) -> u64 {
        self.worked_ms
    }

    /// The longest reply to ask for.
    #[must_use]
    pub const fn max_output_tokens(&self) -> Option<u64> {
        self.max_output_tokens
    }
}

/// A try failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFailed {
    /// Which.
    pub attempt: AttemptId,
    /// How.
    pub failure: ProviderFailure,
    /// The pause before the next try; `None` ends the turn.
    pub retry_in_ms: Option<u64>,
    /// What is charged for it; `None` in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<Amounts>,
}

/// Why the model stopped writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyStop {
    /// It was finished, or wants its calls run.
    Finished,
    /// It reached the output limit.
    Length,
    /// The provider refused the content.
    Refused,
}

/// A complete reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReplied {
    /// The attempt that brought it.
    pub attempt: AttemptId,
    /// The reply.
    pub message: AssistantMessage,
    /// Why it ended.
    pub stop: ReplyStop,
    /// What it cost; `None` when the provider did not say.
    pub usage: Option<Usage>,
    /// The provider's request id, for support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What is charged for it, in money too where the price is known; `None` in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<Amounts>,
}

/// A call that cannot be run: unknown tool, broken arguments, duplicate id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRejected {
    /// Which.
    pub call: CallId,
    /// What the model reads: what is wrong, where, what is expected.
    pub error: ContextText,
}

/// A policy, recorded before the first decision under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecorded {
    /// Its hash: what decisions name it by.
    pub hash: Digest,
    /// The policy.
    pub policy: PolicyRecord,
}

/// A decision about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Which call.
    pub call: CallId,
    /// The decision.
    pub decision: Decision,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionAnswered {
    /// The command's idempotency key.
    pub key: String,
    /// The question answered.
    pub decision: DecisionId,
    /// Allow or deny.
    pub verdict: Verdict,
    /// How far it reaches.
    pub scope: Scope,
    /// Who answered, by which route.
    pub by: String,
    /// Words for the model.
    pub note: Option<String>,
}

/// A person answered what the model asked. The call that asked is answered by it and never runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionAnswered {
    /// The command's idempotency key.
    pub key: String,
    /// The open decision about the call that asks.
    pub decision: DecisionId,
    /// The answer, as the model reads it.
    pub answer: ContextText,
    /// Who answered, by which route.
    pub by: String,
}

/// A call is about to run. Only the engine makes one, and only for an allowed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStarted {
    call: CallId,
    try_number: u32,
    epoch: Epoch,
    digest: Digest,
    class: ReplayClass,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spool: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
}

/// What the engine needs to make a [`CallStarted`].
pub(crate) struct NewStart {
    pub(crate) call: CallId,
    pub(crate) try_number: u32,
    pub(crate) epoch: Epoch,
    pub(crate) digest: Digest,
    pub(crate) class: ReplayClass,
    pub(crate) checks: Vec<Check>,
    pub(crate) spool: Option<String>,
    pub(crate) boot: Option<String>,
}

impl CallStarted {
    pub(crate) fn new(new: NewStart) -> Self {
        let NewStart {
            call,
            try_number,
            epoch,
            digest,
            class,
            checks,
            spool,
            boot,
        } = new;
        Self {
            call,
            try_number,
            epoch,
            digest,
            class,
            checks,
            spool,
            boot,
        }
    }

    /// The call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }

    /// Which try of this call it is, from 1.
    #[must_use]
    pub const fn try_number(&self) -> u32 {
        self.try_number
    }

    /// The owner's epoch.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The digest of the request that was decided upon.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What a crash allows.
    #[must_use]
    pub const fn class(&self) -> ReplayClass {
        self.class
    }

    /// Which start of the machine its keeper runs under, if it has one. A keeper's records outlive
    /// a kill, but not always the power.
    #[must_use]
    pub fn boot(&self) -> Option<&str> {
        self.boot.as_deref()
    }

    /// What to look at after a crash.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The folder of the keeper's records, relative to the session's spool folder.
    #[must_use]
    pub fn spool(&self) -> Option<&str> {
        self.spool.as_deref()
    }
}

/// A call ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFinished {
    /// Which.
    pub call: CallId,
    /// How it came out.
    pub outcome: Outcome,
    /// Whether the outcome was found after a crash instead of being awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

/// A call could not be carried out: its tool failed before doing anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFailed {
    /// Which.
    pub call: CallId,
    /// What the model reads.
    pub error: ContextText,
}

/// A call whose outcome cannot be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInDoubt {
    /// Which.
    pub call: CallId,
    /// Why it cannot be known, in one sentence.
    pub why: String,
    /// What the model reads: that it started, that its outcome is unknown, its output so far.
    pub told: ContextText,
}

/// A started call that is proven never to have begun; it may be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFoundUnstarted {
    /// Which.
    pub call: CallId,
    /// The proof, in one sentence.
    pub proof: String,
}

/// Somebody asked for the turn to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// The command's idempotency key.
    pub key: String,
    /// Who asked.
    pub by: String,
}

/// The turn is over. Calls still open get a result that says they were not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnEnded {
    /// Which.
    pub turn: TurnId,
    /// Why.
    pub stop: StopReason,
    /// One line for people, if there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What was done, what is open and what was spent, composed from the state when a cap ended
    /// the turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Time at work in this turn that was not counted yet, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub worked_ms: u64,
}
