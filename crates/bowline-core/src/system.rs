//! System events: facts about the installation rather than about one session, past tense,
//! immutable.
//!
//! On disk one is a JSON object
//! `{"at_ms": .., "run": "..", "session": "..", "level": "..", "kind": "..", "data": {..}}`. Names
//! are never reused. Reading is total: a kind of a newer version is kept as [`SystemFact::Other`].

mod facts;
mod line;
#[cfg(test)]
mod tests;
mod wire;

use serde::{Deserialize, Serialize};

pub use facts::{
    BudgetStopped, CallLeftInDoubt, CallRefused, ConfigChanged, ConfigFile, Crashed, EndFound,
    EndedHow, JournalRepaired, LogDamaged, LogRotated, OwnerEnded, ProjectTrusted, ProviderFailed,
    Recovered, ReplyStopped, SandboxDenied, SessionPruned, Started, Stopped, StorageFailed,
    SystemSettingsChanged, TrustRevoked,
};

pub use crate::alarm::AlarmRaised;
use crate::id::{RunId, SessionId};

/// How much a system event matters to whoever looks after the installation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    #[default]
    Info,
    /// Worth knowing; nothing is wrong.
    Notice,
    /// Something was refused, stopped or left open.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    /// Every level, mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Notice, Self::Warning, Self::Error];

    /// The spelling used on the command line and on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| format!("unknown level `{text}`: use info, notice, warning or error"))
    }
}

/// Something that happened to the installation, when, and to which run.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemEvent {
    /// Milliseconds since 1970 by the run's clock; for people, never for order.
    pub at_ms: u64,
    /// The run that recorded it.
    pub run: RunId,
    /// The session that it is about, if it is about one.
    pub session: Option<SessionId>,
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub fact: SystemFact,
}

impl SystemEvent {
    /// A fact at a time, with the level that its kind has.
    #[must_use]
    pub fn new(at_ms: u64, run: RunId, session: Option<SessionId>, fact: SystemFact) -> Self {
        let level = fact.level();
        Self {
            at_ms,
            run,
            session,
            level,
            fact,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SystemFact {
    /// A process began to run a session.
    Started(Box<Started>),
    /// It ended, and said how.
    Stopped(Stopped),
    /// A part of Bowline broke in an unforeseen way.
    Crashed(Crashed),
    /// An earlier run was found to have ended badly.
    EndFound(EndFound),
    /// A session was taken over with something left open by its last owner.
    Recovered(Recovered),
    /// A process that owned a session was ended, so that the session could be taken over.
    OwnerEnded(OwnerEnded),
    /// A damaged journal was repaired: what was intact was kept.
    JournalRepaired(JournalRepaired),
    /// A session, or a part of one, was taken away because it was over a limit of age or size.
    SessionPruned(SessionPruned),
    /// Configuration files differ from those of the last run in the same folder.
    ConfigChanged(ConfigChanged),
    /// A person trusted what a folder's own files say.
    ProjectTrusted(ProjectTrusted),
    /// A person took that trust back.
    TrustRevoked(TrustRevoked),
    /// Other settings are in force in a session.
    SettingsChanged(SystemSettingsChanged),
    /// A model call failed for good.
    ProviderFailed(ProviderFailed),
    /// A reply was cut at its limit, refused by the provider, or fitted no schema.
    ReplyStopped(ReplyStopped),
    /// A call was refused by a rule or denied by a person.
    CallRefused(CallRefused),
    /// A call was started and its outcome cannot be known.
    CallLeftInDoubt(CallLeftInDoubt),
    /// A cap ended a turn.
    BudgetStopped(BudgetStopped),
    /// The sandbox kept a call from something.
    SandboxDenied(SandboxDenied),
    /// A figure of a session lies far from what is usual, or a tool is not what it was.
    AlarmRaised(Box<AlarmRaised>),
    /// State could not be written or read.
    StorageFailed(StorageFailed),
    /// The log went on in a new file because the old one was full.
    LogRotated(LogRotated),
    /// The log went on in a new file because the old one was damaged.
    LogDamaged(LogDamaged),
    /// A kind, or a form of one, that this version does not know.
    Other {
        /// Its name.
        kind: String,
        /// Its data, as stored.
        data: serde_json::Value,
    },
}

/// Every kind of system fact with its meaning, in the order of [`SystemFact`].
pub const CATALOGUE: &[(&str, &str)] = &[
    ("Started", "A process began to run a session."),
    ("Stopped", "It ended, and said how."),
    ("Crashed", "A part of Bowline broke in an unforeseen way."),
    ("EndFound", "An earlier run was found to have ended badly."),
    (
        "Recovered",
        "A session was taken over with something left open by its last owner.",
    ),
    (
        "OwnerEnded",
        "A process that owned a session was ended, so that the session could be taken over.",
    ),
    (
        "JournalRepaired",
        "A damaged journal was repaired: what was intact was kept.",
    ),
    (
        "SessionPruned",
        "A session, or a part of one, was taken away because it was over a limit of age or size.",
    ),
    (
        "ConfigChanged",
        "Configuration files differ from those of the last run in the same folder.",
    ),
    (
        "ProjectTrusted",
        "A person trusted what a folder's own files say.",
    ),
    ("TrustRevoked", "A person took that trust back."),
    (
        "SettingsChanged",
        "Other settings are in force in a session.",
    ),
    ("ProviderFailed", "A model call failed for good."),
    (
        "ReplyStopped",
        "A reply was cut at its limit, refused by the provider, or fitted no schema.",
    ),
    (
        "CallRefused",
        "A call was refused by a rule or denied by a person.",
    ),
    (
        "CallLeftInDoubt",
        "A call was started and its outcome cannot be known.",
    ),
    ("BudgetStopped", "A cap ended a turn."),
    ("SandboxDenied", "The sandbox kept a call from something."),
    (
        "AlarmRaised",
        "A figure of a session lies far from what is usual, or a tool is not what it was.",
    ),
    ("StorageFailed", "State could not be written or read."),
    (
        "LogRotated",
        "The log went on in a new file because the old one was full.",
    ),
    (
        "LogDamaged",
        "The log went on in a new file because the old one was damaged.",
    ),
];

impl SystemFact {
    /// The name on disk.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Started(_) => "Started",
            Self::Stopped(_) => "Stopped",
            Self::Crashed(_) => "Crashed",
            Self::EndFound(_) => "EndFound",
            Self::Recovered(_) => "Recovered",
            Self::OwnerEnded(_) => "OwnerEnded",
            Self::JournalRepaired(_) => "JournalRepaired",
            Self::SessionPruned(_) => "SessionPruned",
            Self::ConfigChanged(_) => "ConfigChanged",
            Self::ProjectTrusted(_) => "ProjectTrusted",
            Self::TrustRevoked(_) => "TrustRevoked",
            Self::SettingsChanged(_) => "SettingsChanged",
            Self::ProviderFailed(_) => "ProviderFailed",
            Self::ReplyStopped(_) => "ReplyStopped",
            Self::CallRefused(_) => "CallRefused",
            Self::CallLeftInDoubt(_) => "CallLeftInDoubt",
            Self::BudgetStopped(_) => "BudgetStopped",
            Self::SandboxDenied(_) => "SandboxDenied",
            Self::AlarmRaised(_) => "AlarmRaised",
            Self::StorageFailed(_) => "StorageFailed",
            Self::LogRotated(_) => "LogRotated",
            Self::LogDamaged(_) => "LogDamaged",
            Self::Other { kind, .. } => kind,
        }
    }

    /// How much a fact of this kind matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Started(_) | Self::LogRotated(_) => Level::Info,
            Self::Stopped(stopped) => match stopped.exit_code {
                0 => Level::Info,
                _ => Level::Notice,
            },
            Self::ConfigChanged(_)
            | Self::ProjectTrusted(_)
            | Self::TrustRevoked(_)
            | Self::SettingsChanged(_)
            | Self::Recovered(_)
            | Self::SessionPruned(_)
            | Self::OwnerEnded(_) => Level::Notice,
            Self::EndFound(_)
            | Self::JournalRepaired(_)
            | Self::ReplyStopped(_)
            | Self::CallRefused(_)
            | Self::CallLeftInDoubt(_)
            | Self::BudgetStopped(_)
            | Self::SandboxDenied(_)
            | Self::AlarmRaised(_)
            | Self::Other { .. } => Level::Warning,
            Self::Crashed(_)
            | Self::ProviderFailed(_)
            | Self::StorageFailed(_)
            | Self::LogDamaged(_) => Level::Error,
        }
    }
}
