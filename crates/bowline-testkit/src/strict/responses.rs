//! The Responses API's rules for one request, and for a conversation.
//!
//! Stricter than the API in two points, each a slip that other compatible servers refuse: a call in
//! the history must name a declared tool, and nothing but other calls and results may stand between
//! a call and its result. Nothing is ever stored here: what refers to stored items is refused.

mod items;
mod parameters;
mod session;

use serde_json::Value;

pub use session::{ResponsesRules, Session, messages, reply};

use super::{Checked, Kind, Undeclared, Violation, no_nul};

/// Checks one request by itself, as the API does before it looks at anything else.
///
/// # Errors
/// The first [`Violation`] found: body and parameters, then tools, then input items in order.
pub fn check(body: &Value) -> Result<(), Violation> {
    check_allowing(body, &Undeclared::Refused)
}

/// Checks one request, accepting calls in its input to some tools that it does not declare.
///
/// # Errors
/// As [`check`].
pub fn check_allowing(body: &Value, undeclared: &Undeclared) -> Result<(), Violation> {
    let Some(map) = body.as_object() else {
        let message = "the body must be a JSON object";
        return Err(Violation::new(Kind::NotAnObject, "", message));
    };
    no_nul(body, "")?;
    parameters::check(map)?;
    let tools = parameters::check_tools(map)?;
    items::check(map.get("input"), &tools, undeclared)
}

/// What a request to have tokens counted may hold, from the reference as of 2026.
const COUNTED: [&str; 11] = [
    "conversation",
    "input",
    "instructions",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "text",
    "tool_choice",
    "tools",
    "truncation",
];

/// Checks a request to have tokens counted: one that holds nothing about the reply.
///
/// # Errors
/// As [`check_allowing`].
pub fn check_to_count(body: &Value, undeclared: &Undeclared) -> Result<(), Violation> {
    let mut keys = body.as_object().into_iter().flat_map(|map| map.keys());
    if let Some(key) = keys.find(|key| !COUNTED.contains(&key.as_str())) {
        let message = format!("unknown parameter: '{key}'");
        return Err(Violation::new(Kind::UnknownKey, key, message));
    }
    let mut whole = body.clone();
    if let Some(map) = whole.as_object_mut() {
        // Nothing is stored, but a count need not say so.
        map.insert("store".to_owned(), false.into());
        map.insert(
            "include".to_owned(),
            serde_json::json!(["reasoning.encrypted_content"]),
        );
    }
    check_allowing(&whole, undeclared)
}

/// The type of an input item; a message may leave it out.
pub(crate) fn kind_of(item: &Value) -> &str {
    match item["type"].as_str() {
        Some(kind) => kind,
        None if item["role"].is_string() => "message",
        None => "",
    }
}

#[cfg(test)]
mod tests;
