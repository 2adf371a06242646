//! What a model call cost and why a turn ended.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Tokens as a provider reported them. All zero when it reported none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of those, tokens served from the provider's cache.
    pub cached_input_tokens: u64,
    /// Of the tokens read, those that the provider put into its cache, which some charge for. Not
    /// written down where there are none, as in every record from before they were counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Of those, tokens spent on reasoning.
    pub reasoning_tokens: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serialiser gives a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// Input plus output tokens.
    #[must_use]
    pub const fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.cached_input_tokens = self
            .cached_input_tokens
            .saturating_add(other.cached_input_tokens);
        self.cache_write_tokens = self
            .cache_write_tokens
            .saturating_add(other.cache_write_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.reasoning_tokens = self.reasoning_tokens.saturating_add(other.reasoning_tokens);
    }
}

/// Why a turn ended, or why the process stopped driving it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model gave its final answer.
    Done,
    /// The reply was cut because it reached the output limit.
    Length,
    /// The provider failed for good, or retries were used up.
    ProviderFailed,
    /// The journal could not be written.
    StorageFailed,
    /// The agent went round in circles.
    LoopDetected,
    /// The conversation is full, and nothing makes it shorter for long.
    ContextFull,
    /// The step cap was reached.
    StepLimit,
    /// Something waits for a person; the turn is not over.
    Waiting,
    /// A token or money cap was reached.
    Budget,
    /// The provider refused the content.
    Refused,
    /// A person or a rule said no and ended the turn.
    Denied,
    /// No answer fitted the schema that was asked for.
    AnswerInvalid,
    /// A person cancelled the turn.
    Cancelled,
}

impl StopReason {
    /// The exit code of a process that stops for this reason (section 8 of the design).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Length
            | Self::ProviderFailed
            | Self::StorageFailed
            | Self::LoopDetected
            | Self::ContextFull
            | Self::StepLimit
            | Self::AnswerInvalid => 1,
            Self::Waiting => 3,
            Self::Budget => 4,
            Self::Refused | Self::Denied => 5,
            Self::Cancelled => 130,
        }
    }

    /// The name used in JSON and in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Length => "length",
            Self::ProviderFailed => "provider_failed",
            Self::StorageFailed => "storage_failed",
            Self::LoopDetected => "loop_detected",
            Self::ContextFull => "context_full",
            Self::StepLimit => "step_limit",
            Self::Waiting => "waiting",
            Self::Budget => "budget",
            Self::Refused => "refused",
            Self::Denied => "denied",
            Self::AnswerInvalid => "answer_invalid",
            Self::Cancelled => "cancelled",
        }
    }
}
