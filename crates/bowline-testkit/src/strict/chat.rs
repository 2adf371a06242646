//! The Chat Completions API's rules for one request, and for a conversation.
//!
//! Stricter than the API in three points, each a slip that other compatible servers refuse: a
//! system message may not come after the conversation began, a call in the history must name a
//! declared tool, and an assistant message may not be empty.

mod calls;
mod messages;
mod parameters;
mod session;

use std::collections::BTreeSet;

use serde_json::Value;

pub use session::{Check, Reasoning, Session};

use super::{Kind, Violation};

type Checked = Result<(), Violation>;

/// Which call names the history may hold beyond the declared tools.
#[derive(Clone, Debug, Default)]
pub enum Undeclared {
    /// None.
    #[default]
    Refused,
    /// These: the server asked for them itself.
    Named(BTreeSet<String>),
    /// Any that is well formed: the server asked for a malformed one, which had to be renamed.
    Any,
}

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

/// Reads a body as the API does: UTF-8, JSON, no half surrogate pairs.
///
/// # Errors
/// [`Kind::NotJson`] or [`Kind::LoneSurrogate`].
pub fn parse(raw: &[u8]) -> Result<Value, Violation> {
    serde_json::from_slice(raw).map_err(|error| {
        let message = error.to_string();
        let surrogate = message.contains("surrogate") || message.contains("unexpected end of hex");
        let kind = if surrogate {
            Kind::LoneSurrogate
        } else {
            Kind::NotJson
        };
        Violation::new(
            kind,
            "",
            format!("could not parse the JSON body: {message}"),
        )
    })
}

fn no_nul(value: &Value, at: &str) -> Checked {
    match value {
        Value::String(text) if text.contains('\0') => Err(Violation::new(
            Kind::NulCharacter,
            at,
            "strings may not hold NUL characters",
        )),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| no_nul(item, &format!("{at}[{i}]"))),
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            no_nul(
                item,
                &if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                },
            )
        }),
        _ => Ok(()),
    }
}

/// Tells whether `name` is one that tools and calls may have.
fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
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
