//! How a model call can fail, and when it is tried again.

use serde::{Deserialize, Serialize};

use crate::usage::Usage;

/// What kind of failure a provider met: what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection could be made.
    Connect,
    /// The connection ended before the reply was complete.
    Cut,
    /// Nothing arrived for too long.
    Timeout,
    /// The provider asked for patience (429).
    RateLimited,
    /// The provider is overloaded or broken for the moment (5xx, 529, 408, 409).
    Unavailable,
    /// The key is missing or wrong (401, 403).
    Auth,
    /// The model or the path does not exist (404).
    NotFound,
    /// The request was refused as it stands (other 4xx).
    BadRequest,
    /// The request is longer than the model takes.
    TooLong,
    /// What arrived is not the dialect that was expected.
    Malformed,
    /// The reply held neither text nor a call.
    Empty,
    /// The reply was cut at the limit that was set for it, and there is room for a longer one.
    CutShort,
    /// The turn was cancelled while the call was under way.
    Cancelled,
    /// The process ended while the call was under way; its outcome is unknown.
    Interrupted,
    /// It was not sent: a rule keeps content of it to local models.
    Withheld,
}

impl FailureKind {
    /// Whether the provider may have begun to write, and so may charge for it.
    #[must_use]
    pub const fn may_have_cost(self) -> bool {
        match self {
            Self::Cut
            | Self::Timeout
            | Self::Malformed
            | Self::Empty
            | Self::CutShort
            | Self::Cancelled
            | Self::Interrupted => true,
            Self::Connect
            | Self::RateLimited
            | Self::Unavailable
            | Self::Auth
            | Self::NotFound
            | Self::TooLong
            | Self::BadRequest
            | Self::Withheld => false,
        }
    }

    /// Whether a reply had ended, so that what it is known to have used is all that it used.
    #[must_use]
    pub const fn came_to_an_end(self) -> bool {
        matches!(self, Self::Malformed | Self::Empty | Self::CutShort)
    }

    /// Whether the same request may succeed if it is made again.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Connect
            | Self::Cut
            | Self::Timeout
            | Self::RateLimited
            | Self::Unavailable
            | Self::Empty
            | Self::CutShort
            | Self::Interrupted => true,
            // It is made shorter first.
            Self::TooLong => true,
            Self::Auth
            | Self::NotFound
            | Self::BadRequest
            | Self::Malformed
            | Self::Cancelled
            | Self::Withheld => false,
        }
    }
}

/// One failed model call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderFailure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// One line: what happened, to what, what to do next. Never holds a key.
    pub message: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// How long the provider asked to wait.
    pub retry_after_ms: Option<u64>,
    /// What the failed attempt is known to have used.
    pub usage: Option<Usage>,
}

impl ProviderFailure {
    /// A failure of `kind` with only a message.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            retry_after_ms: None,
            usage: None,
        }
    }
}

/// Attempts of one model call at most, the first included.
pub const MAX_ATTEMPTS: u32 = 5;
/// The longest pause a provider may ask for before the turn ends instead.
pub const MAX_RETRY_AFTER_MS: u64 = 10 * 60 * 1000;

/// How long to wait before attempt `failed_attempts + 1`, or `None` to give up.
///
/// The provider's own wish is kept to the millisecond. Otherwise the pause doubles from half a
/// second to at most 30 s, less up to a quarter by `jitter_permille` (0 to 1000), which the caller
/// draws and the event records.
#[must_use]
pub fn retry_in_ms(
    failure: &ProviderFailure,
    failed_attempts: u32,
    jitter_permille: u16,
) -> Option<u64> {
    if !failure.kind.is_passing() || failed_attempts >= MAX_ATTEMPTS {
        return None;
    }
    if matches!(
        failure.kind,
        FailureKind::Interrupted | FailureKind::CutShort | FailureKind::TooLong
    ) {
        return Some(0);
    }
    if let Some(wish) = failure.retry_after_ms {
        return (wish <= MAX_RETRY_AFTER_MS).then_some(wish);
    }
    let doublings = failed_attempts.saturating_sub(1).min(6);
    let pause = (500_u64 << doublings).min(30_000);
    Some(pause - pause / 4 * u64::from(jitter_permille.min(1000)) / 1000)
}
