//! What the model sees and says, independent of any provider's dialect.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::BlobRef;
use crate::context::ContextText;
use crate::id::{CallId, StepId};
use crate::settings::ModelRef;

/// A piece that only its own provider understands: signatures, encrypted reasoning, unknown
/// fields. Sent back to the same provider and model in the same place, dropped for any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    /// The provider it came from.
    pub provider: String,
    /// The model it came from.
    pub model: String,
    /// What the dialect calls it, such as `reasoning_content`.
    pub field: String,
    /// Its content, as received.
    pub value: Value,
}

impl Opaque {
    /// Whether it came from this very provider and model.
    #[must_use]
    pub fn is_from(&self, model: &ModelRef) -> bool {
        model.provider() == self.provider && model.model() == self.model
    }
}

/// One part of an assistant message, in the order received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// Words for the person.
    Text {
        /// The words.
        text: String,
    },
    /// Reasoning that the provider showed, with the field it came in.
    Reasoning {
        /// The words.
        text: String,
        /// Provider, model and field, so that it can be sent back as it came.
        source: ReasoningSource,
    },
    /// Something only the provider understands.
    Opaque(Opaque),
    /// A tool call.
    Call(ToolCall),
}

/// Where a reasoning text came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasoningSource {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The field of the dialect, such as `reasoning_content` or `reasoning`.
    pub field: String,
}

impl ReasoningSource {
    /// Whether it came from this very provider and model.
    #[must_use]
    pub fn is_from(&self, model: &ModelRef) -> bool {
        model.provider() == self.provider && model.model() == self.model
    }
}

/// Why a call cannot be run whatever it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallFault {
    /// Another call of the same reply has the same id.
    DuplicateId,
    /// The reply was cut before it was complete.
    CutShort,
}

/// A tool call as the model wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Our own id.
    pub id: CallId,
    /// The id on the wire, unique within its message.
    pub wire_id: String,
    /// The tool's name as written; it may not exist.
    pub name: String,
    /// The arguments as written; they may not be JSON.
    pub arguments: String,
    /// What is wrong with the call itself, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<CallFault>,
    /// Fields of the call on the wire that only its provider understands, as one object; sent back
    /// with the call to the same provider and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Opaque>,
}

/// One complete reply of the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Its parts, in order.
    pub blocks: Vec<Block>,
    /// Unknown fields of the reply, kept as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl AssistantMessage {
    /// The calls, in order.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Call(call) => Some(call),
            _ => None,
        })
    }

    /// All words for the person, joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.blocks
            .iter()
            .filter_map(|block| match block {
                Block::Text { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// How many of its pieces only another model than `model` understands.
    pub(crate) fn foreign(&self, model: &ModelRef) -> u32 {
        let blocks = self.blocks.iter().filter(|block| is_foreign(block, model));
        let kept = self.calls().filter(|call| keeps_foreign(call, model));
        u32::try_from(blocks.count() + kept.count()).unwrap_or(u32::MAX)
    }

    /// Drops those pieces; says how many they were.
    pub(crate) fn keep_only(&mut self, model: &ModelRef) -> u32 {
        let dropped = self.foreign(model);
        self.blocks.retain(|block| !is_foreign(block, model));
        for block in &mut self.blocks {
            if let Block::Call(call) = block
                && keeps_foreign(call, model)
            {
                call.kept = None;
            }
        }
        dropped
    }

    /// Whether it holds neither words nor a call: not a reply one can build on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls().next().is_none() && self.text().trim().is_empty()
    }
}

/// How a tool call came out, as the model reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// The tool ran.
    Ok,
    /// The tool ran and reports an error, or was refused.
    Error,
}

/// The answer to one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call answered.
    pub call: CallId,
    /// How it came out.
    pub kind: ResultKind,
    /// What the model reads.
    pub content: ContextText,
}

/// The unit of history: an assistant message with exactly one result for each of its calls, in
/// the calls' order. There is no way to make one with a call unanswered, so no request can hold
/// an unpaired call (I14).
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    step: StepId,
    message: AssistantMessage,
    results: Vec<ToolResult>,
}

impl Exchange {
    /// Pairs a message with its results. `None` unless there is exactly one result per call, in
    /// the calls' order, and the message is not empty.
    #[must_use]
    pub fn new(step: StepId, message: AssistantMessage, results: Vec<ToolResult>) -> Option<Self> {
        let paired = message
            .calls()
            .map(|call| call.id)
            .eq(results.iter().map(|r| r.call));
        (paired && !message.is_empty()).then_some(Self {
            step,
            message,
            results,
        })
    }

    pub(crate) const fn message_mut(&mut self) -> &mut AssistantMessage {
        &mut self.message
    }

    /// Puts another text in the place of the result of a call; says whether there is one.
    pub(crate) fn put_result(&mut self, call: CallId, content: &ContextText) -> bool {
        let result = self.results.iter_mut().find(|result| result.call == call);
        result
            .map(|result| result.content = content.clone())
            .is_some()
    }

    /// The step it came from.
    #[must_use]
    pub const fn step(&self) -> StepId {
        self.step
    }

    /// The assistant message.
    #[must_use]
    pub const fn message(&self) -> &AssistantMessage {
        &self.message
    }

    /// The results, one per call in order.
    #[must_use]
    pub fn results(&self) -> &[ToolResult] {
        &self.results
    }
}

/// An image that goes with a person's words; its bytes are a stored body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRef {
    /// Its bytes.
    pub blob: BlobRef,
    /// Its media type, such as `image/png`.
    pub media_type: String,
}

/// About what one image costs in a request, in bytes of text: providers charge up to some 1,600
/// tokens for one.
const IMAGE_WEIGHT_BYTES: u64 = 6_400;

/// What words are in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputRole {
    /// What somebody or something says.
    #[default]
    Words,
    /// What stands in the place of exchanges that were taken out.
    Recap,
    /// The session's state in words, as of the last compaction.
    StateCard,
}

impl InputRole {
    /// Whether they are plain words.
    #[must_use]
    pub fn is_words(&self) -> bool {
        *self == Self::Words
    }
}

/// Words on their way to the model, with the images that go with them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// The words.
    #[serde(flatten)]
    pub text: ContextText,
    /// Images, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageRef>,
    /// What they are.
    #[serde(skip_serializing_if = "InputRole::is_words")]
    pub role: InputRole,
}

impl Input {
    /// Words without images.
    #[must_use]
    pub const fn new(text: ContextText, role: InputRole) -> Self {
        Self {
            text,
            images: Vec::new(),
            role,
        }
    }

    /// About how many bytes it adds to a request.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        self.text.text().len() as u64 + self.images.len() as u64 * IMAGE_WEIGHT_BYTES
    }
}

impl From<ContextText> for Input {
    fn from(text: ContextText) -> Self {
        Self::new(text, InputRole::Words)
    }
}

impl AssistantMessage {
    /// The bytes of its text: words, reasoning, what only its provider understands, and calls with
    /// their names and arguments.
    pub(crate) fn text_bytes(&self) -> u64 {
        let calls = self.calls().count() * AROUND_CALL_BYTES;
        self.weight_bytes().saturating_sub(calls as u64)
    }

    /// About how many bytes it adds to a request.
    pub(crate) fn weight_bytes(&self) -> u64 {
        let blocks: usize = self.blocks.iter().map(block_bytes).sum();
        blocks as u64
    }
}

/// One entry of the conversation as a provider is sent it.
#[derive(Debug, Clone, PartialEq)]
pub enum HistoryItem {
    /// Words from a person, a file or the harness; never between a call and its result.
    Input(Input),
    /// A complete exchange.
    Exchange(Exchange),
}

impl HistoryItem {
    /// About how many bytes it adds to a request: text, arguments and results.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        match self {
            Self::Input(input) => input.weight_bytes(),
            Self::Exchange(exchange) => {
                let blocks = exchange.message.weight_bytes();
                let results: usize = exchange
                    .results
                    .iter()
                    .map(|r| r.content.text().len())
                    .sum();
                blocks + results as u64
            }
        }
    }
}

/// Whether a whole block is of use to another model only.
fn is_foreign(block: &Block, model: &ModelRef) -> bool {
    match block {
        Block::Reasoning { source, .. } => !source.is_from(model),
        Block::Opaque(opaque) => !opaque.is_from(model),
        Block::Text { .. } | Block::Call(_) => false,
    }
}

fn keeps_foreign(call: &ToolCall, model: &ModelRef) -> bool {
    call.kept.as_ref().is_some_and(|kept| !kept.is_from(model))
}

/// What stands around a call and its result in most dialects, in bytes.
const AROUND_CALL_BYTES: usize = 64;

fn block_bytes(block: &Block) -> usize {
    match block {
        Block::Text { text } | Block::Reasoning { text, .. } => text.len(),
        Block::Opaque(opaque) => value_bytes(&opaque.value),
        Block::Call(call) => {
            let kept = call
                .kept
                .as_ref()
                .map_or(0, |kept| value_bytes(&kept.value));
            call.name.len() + call.arguments.len() + kept + AROUND_CALL_BYTES
        }
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    }
}
