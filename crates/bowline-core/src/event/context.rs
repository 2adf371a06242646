//! The data of facts about the conversation as the model is sent it: compactions, prefix breaks,
//! prompts that were changed, loops that were noticed.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::call::BlobRef;
use crate::context::ContextText;
use crate::id::{CallId, StepId};
use crate::kept::Kept;
use crate::recap::Recap;
use crate::request::FrozenPrompt;

/// Why a conversation is to be made shorter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompactionCause {
    /// The next request would be over the threshold.
    Threshold,
    /// The provider refused a request as too long.
    TooLong,
    /// Somebody asked for it.
    Asked {
        /// Who, by which route.
        by: String,
    },
}

/// A conversation is to be made shorter. Nothing has changed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactionBegun {
    /// The command's idempotency key; empty where no command asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Why.
    pub cause: CompactionCause,
    /// What a summary should keep above all, in the words of whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<String>,
    /// About how many tokens the next request would have.
    pub next_tokens: u64,
}

/// A way to make a conversation shorter, in order of loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Results that a later result takes the place of are taken out.
    Superseded,
    /// Large results keep their head, their tail, and a handle to the whole.
    Trimmed,
    /// The exchanges of work that is finished become a list of what was done.
    FinishedWork,
    /// Older exchanges become a summary that the model writes.
    ModelSummary,
    /// Older exchanges become a list of what was done, made without a model.
    Outline,
}

impl Strategy {
    /// Every strategy, in order of loss.
    pub const ALL: [Self; 5] = [
        Self::Superseded,
        Self::Trimmed,
        Self::FinishedWork,
        Self::ModelSummary,
        Self::Outline,
    ];

    /// Its name in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded results",
            Self::Trimmed => "large results trimmed",
            Self::FinishedWork => "finished work",
            Self::ModelSummary => "summary by the model",
            Self::Outline => "outline without a model",
        }
    }
}

/// What was made shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The result of a call.
    Result(CallId),
    /// Words, by their place in the conversation before the compaction, from 0.
    Words(u32),
}

/// A text that stands in the place of a longer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortened {
    /// Which text.
    pub place: Place,
    /// What stands there now.
    pub content: ContextText,
    /// Where the whole is stored, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobRef>,
}

/// Whole exchanges that were taken out, from the beginning of the conversation on. A person's words
/// and the project's instructions among them stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// The last exchange that was taken out, by its step.
    pub through: StepId,
    /// How many were.
    pub exchanges: u32,
}

/// The conversation was made shorter. The journal keeps the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCompacted {
    /// How, in order of loss.
    pub strategies: Vec<Strategy>,
    /// Texts that became shorter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortened: Vec<Shortened>,
    /// Exchanges that were taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Folded>,
    /// What is known of the work so far; earlier recaps are part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recap: Option<Box<Recap>>,
    /// What stands in the place of the exchanges that were taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<ContextText>,
    /// The session's state in words, put at the end of the conversation.
    pub state: ContextText,
    /// About how many tokens the next request had.
    pub before_tokens: u64,
    /// About how many it has, by the same measure.
    pub after_tokens: u64,
}

/// A way to make the conversation shorter did not do; nothing was changed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactionFailed {
    /// Which.
    pub strategy: Strategy,
    /// Why, in one sentence.
    pub why: String,
}

/// No way to make the conversation shorter did; it stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactionAbandoned {
    /// Why, in one sentence.
    pub why: String,
}

/// Why the beginning of a request is not what the provider was sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakCause {
    /// The conversation was made shorter.
    Compaction,
    /// Another model is asked.
    Model,
    /// Another setting that is part of requests is in force.
    Settings,
    /// The tools or the system text were changed on purpose.
    Pool,
    /// What only another model understands was taken out.
    BlocksDropped,
    /// No fact of the session explains it.
    Unexplained,
}

/// A request does not begin with what the one before it held: what the provider has in its cache is
/// of no use from there on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixBroken {
    /// The first block that differs, such as ``tool `read` `` or `exchange of step 12`.
    pub block: String,
    /// What of it differs, such as `description`.
    pub field: String,
    /// Why.
    pub cause: BreakCause,
    /// Its place among the blocks of the request, from 0.
    pub at_block: u32,
    /// About how many tokens must be read anew that were cached.
    pub lost_tokens: u64,
    /// What that costs more than reading them from the cache, in millionths of a dollar; 0 where no
    /// price is known.
    pub cost_micro_usd: u64,
}

/// System text and tools are others from here on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptChanged {
    /// What they are now.
    pub prompt: FrozenPrompt,
    /// Why, in one sentence.
    pub why: String,
    /// Who asked, by which route.
    pub by: String,
}

/// The agent seems to go round in circles, and the model was told so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopNoticed {
    /// What goes round: a digest of the calls and results that repeat.
    pub pattern: Digest,
    /// What was seen, in one line for people.
    pub evidence: String,
    /// What the model reads.
    pub told: ContextText,
}

/// Content that a rule keeps to local models is in the session: an image, a file of instructions,
/// what a parent handed down. What calls bring in stands in their decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentKept {
    /// The rule, and what brought it in.
    pub kept: Kept,
}
