//! Anthropic's Messages dialect.

mod encode;
mod read;
mod thinking;

pub use encode::encoder;
pub(crate) use read::AnthropicParser;

/// Where the unknown fields of a call are kept.
const CALL_FIELD: &str = "tool_use";
