//! What the provider was sent last, by the hashes of its blocks.
//!
//! The record of each attempt says what its request has that the one before it had not; the state
//! keeps the whole list. So the next request can be held against it, in this process or a later one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::BlockHash;
use super::piece::{self, Piece};
use crate::event::{BreakCause, Fact};
use crate::message::HistoryItem;
use crate::request::{FrozenPrompt, Request};
use crate::settings::{ModelRef, ReasoningEffort, Settings};
use crate::usage::Usage;

/// What a request consists of, as far as the one before it did not: recorded with each attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBlocks {
    /// System text and tools, where they are not those of the request before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Box<SentHead>>,
    /// How many blocks of the conversation before are still there, from the first on; all if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<u32>,
    /// The blocks after those: words are one block each, and of an exchange the reply is one and
    /// each result is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<BlockHash>,
    /// The beginning of the body as it goes over the wire, where the provider can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyPrefix>,
}

/// System text and tools by their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentHead {
    /// Of the system text.
    pub system: BlockHash,
    /// The tools, in order.
    pub tools: Vec<SentTool>,
}

/// One tool by its hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTool {
    /// Its name.
    pub name: String,
    /// Of its description.
    pub description: BlockHash,
    /// Of the JSON Schema of its input, as it is written.
    pub input_schema: BlockHash,
}

/// The beginning of a request's body, which the next one of an unchanged conversation shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyPrefix {
    /// How long it is.
    pub bytes: u64,
    /// Its hash.
    pub hash: BlockHash,
}

impl SentHead {
    fn of(prompt: &FrozenPrompt) -> Self {
        let tools = prompt.tools.iter().map(|tool| SentTool {
            name: tool.name.clone(),
            description: BlockHash::of(tool.description.as_bytes()),
            input_schema: BlockHash::of(tool.input_schema.to_string().as_bytes()),
        });
        Self {
            system: BlockHash::of(prompt.system.as_bytes()),
            tools: tools.collect(),
        }
    }

    /// How many blocks it is: the system text, and one for each tool.
    #[must_use]
    pub fn blocks(&self) -> usize {
        1 + self.tools.len()
    }
}

/// The hashes of a request's blocks. What is the same item as last time, from the first one on, is
/// not hashed again, so a step costs what it added.
#[derive(Debug, Default)]
pub struct Hashes {
    prompt: Option<(Arc<FrozenPrompt>, Arc<SentHead>)>,
    /// The items hashed, each with the number of blocks up to its end. They are kept alive, so that
    /// no other can come to lie at the address of one.
    items: Vec<(Arc<HistoryItem>, usize)>,
    blocks: Vec<BlockHash>,
}

impl Hashes {
    /// Makes it hold the hashes of `request`, and nothing else.
    pub fn take_in(&mut self, request: &Request) {
        let same = self.prompt.as_ref();
        if same.is_none_or(|(prompt, _)| !Arc::ptr_eq(prompt, &request.prompt)) {
            let head = Arc::new(SentHead::of(&request.prompt));
            self.prompt = Some((Arc::clone(&request.prompt), head));
        }
        let known = self.items.iter().zip(&request.history);
        let known = known
            .take_while(|((old, _), new)| Arc::ptr_eq(old, new))
            .count();
        self.items.truncate(known);
        let blocks = self.items.last().map_or(0, |(_, end)| *end);
        self.blocks.truncate(blocks);
        for item in &request.history[known..] {
            self.blocks.extend(piece::of_item(item).map(Piece::hash));
            self.items.push((Arc::clone(item), self.blocks.len()));
        }
    }

    /// System text and tools; `None` before anything was taken in.
    #[must_use]
    pub fn head(&self) -> Option<&SentHead> {
        self.prompt.as_ref().map(|(_, head)| head.as_ref())
    }

    /// The blocks of the conversation, in order.
    #[must_use]
    pub fn blocks(&self) -> &[BlockHash] {
        &self.blocks
    }
}

/// What was sent last, and what has happened since that may change what is sent next.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub(super) model: ModelRef,
    pub(super) base_url: Option<String>,
    pub(super) reasoning: Option<ReasoningEffort>,
    pub(super) head: Option<Arc<SentHead>>,
    pub(super) blocks: Vec<BlockHash>,
    pub(super) body: Option<BodyPrefix>,
    /// About how many bytes it was.
    pub(super) weight_bytes: u64,
    /// What the provider reported for it.
    pub(super) usage: Option<Usage>,
    /// What may have changed the next request, in the order it happened.
    pub(super) since: Vec<BreakCause>,
}

/// What a session that is taken on may have another of.
const OF_ADOPTION: [BreakCause; 2] = [BreakCause::Model, BreakCause::Settings];

impl Sent {
    /// After an attempt whose record says `added`, after `before`.
    pub(crate) fn after(
        before: Option<Self>,
        added: &SentBlocks,
        settings: &Settings,
        weight_bytes: u64,
    ) -> Self {
        let (head, mut blocks, usage) = match before {
            Some(before) => (before.head, before.blocks, before.usage),
            None => (None, Vec::new(), None),
        };
        if let Some(kept) = added.kept {
            blocks.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
        }
        blocks.extend(&added.added);
        let head = match &added.head {
            Some(head) => Some(Arc::new(head.as_ref().clone())),
            None => head,
        };
        Self {
            model: settings.model.clone(),
            base_url: settings.base_url.clone(),
            reasoning: settings.reasoning,
            head,
            blocks,
            body: added.body,
            weight_bytes,
            usage,
            since: Vec::new(),
        }
    }

    /// Takes in what the provider reported for it.
    pub(crate) const fn replied(&mut self, usage: Option<Usage>) {
        self.usage = usage;
    }

    /// Takes note of a fact that may change what is sent next.
    pub(crate) fn happened(&mut self, fact: &Fact) {
        let cause = match fact {
            Fact::SettingsChanged(change) if change.settings.model != self.model => {
                BreakCause::Model
            }
            Fact::SettingsChanged(_) => BreakCause::Settings,
            Fact::HistoryCompacted(_) => BreakCause::Compaction,
            Fact::PromptChanged(_) => BreakCause::Pool,
            Fact::BlocksDropped(_) => BreakCause::BlocksDropped,
            Fact::SessionAdopted(_) => return self.since.extend(OF_ADOPTION),
            _ => return,
        };
        if !self.since.contains(&cause) {
            self.since.push(cause);
        }
    }

    /// The hashes of the blocks of the conversation that were sent.
    #[must_use]
    pub fn blocks(&self) -> &[BlockHash] {
        &self.blocks
    }

    /// System text and tools that were sent.
    #[must_use]
    pub fn head(&self) -> Option<&SentHead> {
        self.head.as_deref()
    }

    /// The beginning of the body as it went over the wire.
    #[must_use]
    pub const fn body(&self) -> Option<BodyPrefix> {
        self.body
    }

    /// About how many tokens a request of another weight has, at the rate that the provider counted
    /// this one; `None` while it has counted none.
    pub(super) fn tokens_of(&self, weight_bytes: u64) -> Option<u64> {
        let counted = u128::from(self.usage?.input_tokens) * u128::from(weight_bytes);
        let tokens = counted.checked_div(u128::from(self.weight_bytes))?;
        u64::try_from(tokens).ok().filter(|tokens| *tokens > 0)
    }

    /// What the provider reported for it; `None` while nothing is known.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }
}

/// What the record of an attempt says of a request with these hashes, after what was `sent`.
#[must_use]
pub fn to_record(sent: Option<&Sent>, now: &Hashes, body: Option<BodyPrefix>) -> SentBlocks {
    let before = sent.map_or(&[][..], Sent::blocks);
    let kept = common(before, now.blocks());
    let known = sent.and_then(Sent::head);
    let head = now.head().filter(|head| known != Some(head));
    SentBlocks {
        head: head.cloned().map(Box::new),
        kept: (kept < before.len()).then(|| u32::try_from(kept).unwrap_or(u32::MAX)),
        added: now.blocks()[kept..].to_vec(),
        body,
    }
}

/// How many blocks two lists have in common, from the first on.
pub(super) fn common(before: &[BlockHash], now: &[BlockHash]) -> usize {
    let pairs = before.iter().zip(now);
    pairs.take_while(|(old, new)| old == new).count()
}
