//! The Chat Completions API's rules for one request, and for a conversation.
//!
//! Stricter than the API in three points, each a slip that other compatible servers refuse: a
//! system message may not come after the conversation began, a call in the history must name a
//! declared tool, and an assistant message may not be empty.

mod calls;
mod messages;
mod parameters;
mod session;

use serde_json::Value;

pub use super::session::{Check, Reasoning};
pub use super::{Undeclared, parse};
pub use session::Session;

use super::{Checked, Kind, Violation, is_tool_name, no_nul};

/// Checks one request by itself, as the API does before it looks at anything else.
///
/// # Errors
/// The first [`Violation`] found: body and parameters, then tools, then messages in order.
pub fn check(body: &Value) -> Result<(), Violation> {
    check_allowing(body, &Undeclared::Refused)
}

/// Checks one request, accepting calls in its history to some tools that it does not declare.
///
/// # Errors
/// As [`check`].
pub fn check_allowing(body: &Value, undeclared: &Undeclared) -> Result<(), Violation> {
    let Some(map) = body.as_object() else {
        return Err(Violation::new(
            Kind::NotAnObject,
            "",
            "the body must be a JSON object",
        ));
    };
    no_nul(body, "")?;
    parameters::check(map)?;
    let tools = parameters::check_tools(map)?;
    messages::check(map.get("messages"), &tools, undeclared)
}

/// Joins the texts of a message's content: a string, or parts.
pub(crate) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str().or_else(|| part["refusal"].as_str()))
            .collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
