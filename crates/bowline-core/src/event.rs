//! Facts: everything a journal may hold, in the past tense, immutable.
//!
//! On disk an event is one JSON object `{"at_ms": .., "kind": "..", "data": {..}}`. Names are
//! never reused (I12); `fixtures/journals/event-names.txt` lists every one ever released.

mod budget;
mod context;
mod facts;
mod waits;
mod wire;

pub use budget::{ShareGranted, ShareRaised, ShareSettled, TimeRanOut, UsageOverran};
pub use context::{
    BreakCause, CompactionAbandoned, CompactionBegun, CompactionCause, CompactionFailed,
    ContentKept, Folded, HistoryCompacted, LoopNoticed, Place, PrefixBroken, PromptChanged,
    Shortened, Strategy,
};
pub use facts::{
    AnswerChecked, AttemptFailed, AttemptReserved, BlocksDropped, CallFailed, CallFinished,
    CallFoundUnstarted, CallInDoubt, CallRejected, CallStarted, CancelRequested, Decided,
    DecisionAnswered, ModelReplied, NoticeAdded, OwnerChanged, PolicyRecorded, PromptAccepted,
    Purpose, QuestionAnswered, ReplyStop, SessionAdopted, SessionStarted, SettingsChanged,
    TurnEnded, TurnStarted,
};
pub(crate) use facts::{NewAttempt, NewStart};
pub use waits::{
    CallParked, CallSettled, DecisionLapsed, SessionContinued, SessionPaused, SignalReceived,
    WaitEnded,
};

use crate::context::ContextText;

/// Something that happened to a session, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Milliseconds since 1970 by the owner's clock; for people, never for order.
    pub at_ms: u64,
    /// What happened.
    pub fact: Fact,
}

impl Event {
    /// A fact at a time.
    #[must_use]
    pub const fn new(at_ms: u64, fact: Fact) -> Self {
        Self { at_ms, fact }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fact {
    /// The session began: where, with what in force, with which prompt.
    SessionStarted(Box<SessionStarted>),
    /// A process took the session over and began an epoch.
    OwnerChanged(OwnerChanged),
    /// Other settings are in force.
    SettingsChanged(Box<SettingsChanged>),
    /// What only another model understands was taken out of the conversation.
    BlocksDropped(BlocksDropped),
    /// A prompt was accepted; it may still be queued.
    PromptAccepted(PromptAccepted),
    /// A turn began.
    TurnStarted(TurnStarted),
    /// The harness told the model something.
    NoticeAdded(NoticeAdded),
    /// Budget was set aside for one try of a model call.
    AttemptReserved(AttemptReserved),
    /// A try of a model call failed.
    AttemptFailed(AttemptFailed),
    /// The model's reply is complete.
    ModelReplied(Box<ModelReplied>),
    /// A call cannot be run as it stands.
    CallRejected(CallRejected),
    /// A call was decided upon.
    Decided(Box<Decided>),
    /// A person answered an open question.
    DecisionAnswered(DecisionAnswered),
    /// A person answered what the model asked; the answer is the call's result.
    QuestionAnswered(QuestionAnswered),
    /// A call is about to run.
    CallStarted(CallStarted),
    /// A call ran and its outcome is known.
    CallFinished(Box<CallFinished>),
    /// A call could not be carried out by its tool.
    CallFailed(CallFailed),
    /// A call started and its outcome cannot be known.
    CallInDoubt(CallInDoubt),
    /// A started call was proven never to have begun.
    CallFoundUnstarted(CallFoundUnstarted),
    /// A final answer was held against the schema in force.
    AnswerChecked(AnswerChecked),
    /// Somebody asked for the turn to stop.
    CancelRequested(CancelRequested),
    /// The turn is over.
    TurnEnded(TurnEnded),
    /// An allowed call waits for something outside; nothing runs meanwhile.
    CallParked(CallParked),
    /// A wait is over; what came of it is the call's result.
    WaitEnded(WaitEnded),
    /// A signal came: it ends the wait of its name, or is kept for the next one.
    SignalReceived(SignalReceived),
    /// A call in doubt is in doubt no more.
    CallSettled(Box<CallSettled>),
    /// An open question was not answered in time; its call is refused.
    DecisionLapsed(DecisionLapsed),
    /// A person put the session on hold: nothing new is begun.
    SessionPaused(SessionPaused),
    /// A person let the session go on.
    SessionContinued(SessionContinued),
    /// A person took on a session that came from elsewhere, with this machine's configuration.
    SessionAdopted(Box<SessionAdopted>),
    /// A provider reported more than was set aside for the call.
    UsageOverran(UsageOverran),
    /// The time that a cap allows was used up while acts were under way.
    TimeRanOut(TimeRanOut),
    /// Budget was set aside for a child session, or what was set aside was changed.
    ShareGranted(ShareGranted),
    /// A child session is done; what it did not spend is free again.
    ShareSettled(ShareSettled),
    /// This session may use more of its parent's budget.
    ShareRaised(ShareRaised),
    /// The policy under which decisions are taken from here on.
    PolicyRecorded(Box<PolicyRecorded>),
    /// The conversation is to be made shorter.
    CompactionBegun(CompactionBegun),
    /// The conversation was made shorter; the journal keeps the whole.
    HistoryCompacted(Box<HistoryCompacted>),
    /// A way to make the conversation shorter did not do; nothing was changed.
    CompactionFailed(CompactionFailed),
    /// No way to make the conversation shorter did; it stays as it was.
    CompactionAbandoned(CompactionAbandoned),
    /// A request does not begin with what the provider was sent before.
    PrefixBroken(PrefixBroken),
    /// System text and tools are others from here on.
    PromptChanged(Box<PromptChanged>),
    /// The agent seems to go round in circles, and the model was told so.
    LoopNoticed(LoopNoticed),
    /// Content that a rule keeps to local models came in otherwise than by a call.
    ContentKept(ContentKept),
}

/// Every kind of fact with its meaning, in the order of [`Fact`].
pub const CATALOGUE: &[(&str, &str)] = &[
    (
        "SessionStarted",
        "The session began: where, with what in force, with which prompt.",
    ),
    (
        "OwnerChanged",
        "A process took the session over and began an epoch.",
    ),
    ("SettingsChanged", "Other settings are in force."),
    (
        "BlocksDropped",
        "What only another model understands was taken out of the conversation.",
    ),
    (
        "PromptAccepted",
        "A prompt was accepted; it may still be queued.",
    ),
    ("TurnStarted", "A turn began."),
    ("NoticeAdded", "The harness told the model something."),
    (
        "AttemptReserved",
        "Budget was set aside for one try of a model call.",
    ),
    ("AttemptFailed", "A try of a model call failed."),
    ("ModelReplied", "The model's reply is complete."),
    ("CallRejected", "A call cannot be run as it stands."),
    ("Decided", "A call was decided upon."),
    ("DecisionAnswered", "A person answered an open question."),
    (
        "QuestionAnswered",
        "A person answered what the model asked; the answer is the call's result.",
    ),
    ("CallStarted", "A call is about to run."),
    ("CallFinished", "A call ran and its outcome is known."),
    ("CallFailed", "A call could not be carried out by its tool."),
    (
        "CallInDoubt",
        "A call started and its outcome cannot be known.",
    ),
    (
        "CallFoundUnstarted",
        "A started call was proven never to have begun.",
    ),
    (
        "AnswerChecked",
        "A final answer was held against the schema in force.",
    ),
    ("CancelRequested", "Somebody asked for the turn to stop."),
    ("TurnEnded", "The turn is over."),
    (
        "CallParked",
        "An allowed call waits for something outside; nothing runs meanwhile.",
    ),
    (
        "WaitEnded",
        "A wait is over; what came of it is the call's result.",
    ),
    (
        "SignalReceived",
        "A signal came: it ends the wait of its name, or is kept for the next one.",
    ),
    ("CallSettled", "A call in doubt is in doubt no more."),
    (
        "DecisionLapsed",
        "An open question was not answered in time; its call is refused.",
    ),
    (
        "SessionPaused",
        "A person put the session on hold: nothing new is begun.",
    ),
    ("SessionContinued", "A person let the session go on."),
    (
        "SessionAdopted",
        "A person took on a session that came from elsewhere, with this machine's configuration.",
    ),
    (
        "UsageOverran",
        "A provider reported more than was set aside for the call.",
    ),
    (
        "TimeRanOut",
        "The time that a cap allows was used up while acts were under way.",
    ),
    (
        "ShareGranted",
        "Budget was set aside for a child session, or what was set aside was changed.",
    ),
    (
        "ShareSettled",
        "A child session is done; what it did not spend is free again.",
    ),
    (
        "ShareRaised",
        "This session may use more of its parent's budget.",
    ),
    (
        "PolicyRecorded",
        "The policy that decisions under its hash are taken by.",
    ),
    ("CompactionBegun", "The conversation is to be made shorter."),
    (
        "HistoryCompacted",
        "The conversation was made shorter; the journal keeps the whole.",
    ),
    (
        "CompactionFailed",
        "A way to make the conversation shorter did not do; nothing was changed.",
    ),
    (
        "CompactionAbandoned",
        "No way to make the conversation shorter did; it stays as it was.",
    ),
    (
        "PrefixBroken",
        "A request does not begin with what the provider was sent before.",
    ),
    (
        "PromptChanged",
        "System text and tools are others from here on.",
    ),
    (
        "LoopNoticed",
        "The agent seems to go round in circles, and the model was told so.",
    ),
    (
        "ContentKept",
        "Content that a rule keeps to local models came in otherwise than by a call.",
    ),
];

impl Fact {
    /// The name on disk.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SessionStarted(_) => "SessionStarted",
            Self::OwnerChanged(_) => "OwnerChanged",
            Self::SettingsChanged(_) => "SettingsChanged",
            Self::BlocksDropped(_) => "BlocksDropped",
            Self::PromptAccepted(_) => "PromptAccepted",
            Self::TurnStarted(_) => "TurnStarted",
            Self::NoticeAdded(_) => "NoticeAdded",
            Self::AttemptReserved(_) => "AttemptReserved",
            Self::AttemptFailed(_) => "AttemptFailed",
            Self::ModelReplied(_) => "ModelReplied",
            Self::CallRejected(_) => "CallRejected",
            Self::Decided(_) => "Decided",
            Self::DecisionAnswered(_) => "DecisionAnswered",
            Self::QuestionAnswered(_) => "QuestionAnswered",
            Self::CallStarted(_) => "CallStarted",
            Self::CallFinished(_) => "CallFinished",
            Self::CallFailed(_) => "CallFailed",
            Self::CallInDoubt(_) => "CallInDoubt",
            Self::CallFoundUnstarted(_) => "CallFoundUnstarted",
            Self::AnswerChecked(_) => "AnswerChecked",
            Self::CancelRequested(_) => "CancelRequested",
            Self::TurnEnded(_) => "TurnEnded",
            Self::CallParked(_) => "CallParked",
            Self::WaitEnded(_) => "WaitEnded",
            Self::SignalReceived(_) => "SignalReceived",
            Self::CallSettled(_) => "CallSettled",
            Self::DecisionLapsed(_) => "DecisionLapsed",
            Self::SessionPaused(_) => "SessionPaused",
            Self::SessionContinued(_) => "SessionContinued",
            Self::SessionAdopted(_) => "SessionAdopted",
            Self::UsageOverran(_) => "UsageOverran",
            Self::TimeRanOut(_) => "TimeRanOut",
            Self::ShareGranted(_) => "ShareGranted",
            Self::ShareSettled(_) => "ShareSettled",
            Self::ShareRaised(_) => "ShareRaised",
            Self::PolicyRecorded(_) => "PolicyRecorded",
            Self::CompactionBegun(_) => "CompactionBegun",
            Self::HistoryCompacted(_) => "HistoryCompacted",
            Self::CompactionFailed(_) => "CompactionFailed",
            Self::CompactionAbandoned(_) => "CompactionAbandoned",
            Self::PrefixBroken(_) => "PrefixBroken",
            Self::PromptChanged(_) => "PromptChanged",
            Self::LoopNoticed(_) => "LoopNoticed",
            Self::ContentKept(_) => "ContentKept",
        }
    }

    /// The idempotency key of the command that it came of, if it came of one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::SettingsChanged(fact) => Some(&fact.key),
            Self::PromptAccepted(fact) => Some(&fact.key),
            Self::DecisionAnswered(fact) => Some(&fact.key),
            Self::QuestionAnswered(fact) => Some(&fact.key),
            Self::CancelRequested(fact) => Some(&fact.key),
            Self::SignalReceived(fact) => Some(&fact.key),
            Self::CallSettled(fact) => Some(&fact.key),
            Self::SessionPaused(fact) => Some(&fact.key),
            Self::SessionContinued(fact) => Some(&fact.key),
            Self::CompactionBegun(fact) if !fact.key.is_empty() => Some(&fact.key),
            _ => None,
        }
    }

    /// A notice from the harness to the model.
    #[must_use]
    pub fn notice(text: impl Into<String>) -> Self {
        Self::NoticeAdded(NoticeAdded {
            text: ContextText::notice(text),
        })
    }
}
