//! What a provider is asked: frozen prompt, whole exchanges, limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Digest;
use crate::message::HistoryItem;
use crate::settings::{CacheTtl, ModelRef, ReasoningEffort};

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolDeclaration {
    /// Its name.
    pub name: String,
    /// When and how to use it.
    pub description: String,
    /// JSON Schema of its input.
    pub input_schema: Value,
}

/// System text and tools, frozen when the session starts: changing a byte of it would break the
/// provider's prompt cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenPrompt {
    /// The system text.
    pub system: String,
    /// The tools, in order.
    pub tools: Vec<ToolDeclaration>,
}

impl FrozenPrompt {
    /// About how many bytes it adds to each request.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        let tools: usize = self
            .tools
            .iter()
            .map(|t| t.name.len() + t.description.len() + t.input_schema.to_string().len() + 64)
            .sum();
        (self.system.len() + tools) as u64
    }
}

/// One request to a provider. Its history holds inputs and complete exchanges only, so it is
/// valid in every dialect by construction (I14).
#[derive(Debug, Clone)]
pub struct Request {
    /// The model asked.
    pub model: ModelRef,
    /// System text and tools.
    pub prompt: Arc<FrozenPrompt>,
    /// The conversation so far. An unchanged prefix is the same `Arc`s, so encoders may cache.
    pub history: Vec<Arc<HistoryItem>>,
    /// Longest reply to ask for; the provider's default if none.
    pub max_output_tokens: Option<u64>,
    /// How much to think; the provider's default if none.
    pub reasoning: Option<ReasoningEffort>,
    /// How long the provider is asked to keep what it caches: never [`CacheTtl::Auto`].
    pub cache_ttl: CacheTtl,
    /// The bytes of the history's images by hash. One that is missing here could not be read; the
    /// model is told so in its place.
    pub images: Arc<BTreeMap<Digest, Vec<u8>>>,
}

/// How large a request is, before it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSize {
    /// Bytes of the body.
    pub bytes: u64,
    /// At least the input tokens that the text of the body comes to.
    pub tokens_bound: u64,
}

impl RequestSize {
    /// What is known of a request by its bytes alone: a token for every three, begun ones counted
    /// whole. Text of most kinds has 3 to 4 bytes a token.
    #[must_use]
    pub const fn of_bytes(bytes: u64) -> Self {
        Self {
            bytes,
            tokens_bound: bytes.div_ceil(3),
        }
    }
}
