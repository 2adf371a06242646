//! The Messages API's rules for one request, and for a conversation.
//!
//! Stricter than the API in three points, each a slip that compatible servers refuse or that hides
//! another one: roles must alternate (the API joins messages of one role), a call in the history
//! must name a declared tool, and a request may not end in a call without its result.

mod blocks;
mod messages;
mod parameters;
mod session;

use serde_json::Value;

pub use session::{Session, normal};

use super::{Checked, Kind, Undeclared, Violation, no_nul};

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
        let message = "the body must be a JSON object";
        return Err(Violation::new(Kind::NotAnObject, "", message));
    };
    no_nul(body, "")?;
    parameters::check(map)?;
    let tools = parameters::check_tools(map)?;
    parameters::check_marks(body)?;
    messages::check(map, &tools, undeclared)
}

/// What a request to have tokens counted may hold, from the reference as of 2026.
const COUNTED: [&str; 10] = [
    "cache_control",
    "context_management",
    "mcp_servers",
    "messages",
    "model",
    "output_config",
    "system",
    "thinking",
    "tool_choice",
    "tools",
];

/// Checks a request to have tokens counted: one that holds nothing about the reply.
///
/// # Errors
/// As [`check_allowing`].
pub fn check_to_count(body: &Value, undeclared: &Undeclared) -> Result<(), Violation> {
    only_keys(body, &COUNTED, Kind::UnknownKey, "")?;
    let mut whole = body.clone();
    if let Some(map) = whole.as_object_mut() {
        map.insert("max_tokens".to_owned(), u64::MAX.into());
    }
    check_allowing(&whole, undeclared)
}

/// Refuses keys of an object that are not `known`.
fn only_keys(value: &Value, known: &[&str], kind: Kind, at: &str) -> Checked {
    let mut keys = value.as_object().into_iter().flat_map(|map| map.keys());
    match keys.find(|key| !known.contains(&key.as_str())) {
        Some(key) => {
            let at = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            let message = format!("{at}: extra inputs are not permitted");
            Err(Violation::new(kind, at, message))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
