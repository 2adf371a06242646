//! The Responses dialect of OpenAI.
//!
//! A reply is a list of items: messages, function calls, reasoning. All of them go back in order,
//! each with the fields that nobody here reads; the outputs of the calls follow them. Reasoning
//! goes back encrypted and only to the model it came from, as nothing is stored by the server.

mod encode;
mod read;

pub use encode::encoder;
pub(crate) use read::ResponsesParser;

/// What the API calls a function call's item, and we the fields of it that are kept.
const CALL: &str = "function_call";
/// What the API calls a message's item, and we the fields of it that are kept.
const MESSAGE: &str = "message";
/// What the API calls a reasoning item.
const REASONING: &str = "reasoning";
