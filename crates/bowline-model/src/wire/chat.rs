//! The Chat Completions dialect, as OpenAI and many compatible servers speak it.

mod encode;
mod read;

pub use encode::{MaxTokensField, encoder};
pub(crate) use read::ChatParser;
