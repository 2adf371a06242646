//! Messages: roles and their order, keys and content.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::calls::Exchange;
use super::{Checked, Kind, Undeclared, Violation};

const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];

/// Keys that the API itself has, by role; then those that servers add and want back.
const ASSISTANT_KEYS: [&str; 9] = [
    "role",
    "content",
    "name",
    "tool_calls",
    "refusal",
    "audio",
    "function_call",
    "reasoning_content",
    "provider_specific",
];
const RESULT_KEYS: [&str; 3] = ["role", "content", "tool_call_id"];
const OTHER_KEYS: [&str; 3] = ["role", "content", "name"];

pub(super) fn check(
    messages: Option<&Value>,
    tools: &BTreeSet<String>,
    undeclared: &Undeclared,
) -> Checked {
    let messages = match messages {
        Some(Value::Array(messages)) if !messages.is_empty() => messages,
        _ => {
            let message = "'messages' must be an array of at least one message";
            return Err(Violation::new(Kind::NoMessages, "messages", message));
        }
    };
    for (i, message) in messages.iter().enumerate() {
        check_role(message, &at(i))?;
    }
    check_order(messages)?;
    let mut exchange = Exchange::default();
    for (i, message) in messages.iter().enumerate() {
        match role(message) {
            "tool" => {
                check_keys(message, &RESULT_KEYS, &at(i))?;
                check_content(message, &["text"], &at(i))?;
                exchange.result(message, &at(i))?;
            }
            "assistant" => {
                exchange.close(&messages[i..], &at(i))?;
                check_assistant(message, &at(i))?;
                exchange = Exchange::open(message, tools, undeclared, &at(i))?;
            }
            role => {
                exchange.close(&messages[i..], &at(i))?;
                exchange = Exchange::default();
                check_keys(message, &OTHER_KEYS, &at(i))?;
                let parts: &[&str] = match role {
                    "user" => &["text", "image_url", "input_audio", "file"],
                    _ => &["text"],
                };
                check_content(message, parts, &at(i))?;
            }
        }
    }
    exchange.close(&[], "messages")
}

fn at(index: usize) -> String {
    format!("messages[{index}]")
}

pub(super) fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

fn check_role(message: &Value, at: &str) -> Checked {
    match &message["role"] {
        Value::String(role) if ROLES.contains(&role.as_str()) => Ok(()),
        Value::String(role) => {
            let message = format!("'{role}' is not one of {}", ROLES.join(", "));
            Err(Violation::new(
                Kind::UnknownRole,
                format!("{at}.role"),
                message,
            ))
        }
        _ => Err(Violation::new(
            Kind::BadMessage,
            at,
            "a message is an object with a 'role'",
        )),
    }
}

fn check_order(messages: &[Value]) -> Checked {
    let is_system = |message: &Value| ["system", "developer"].contains(&role(message));
    let start = messages
        .iter()
        .take_while(|message| is_system(message))
        .count();
    if let Some(i) = messages.iter().skip(start).position(is_system) {
        let message = "system messages must come before the conversation";
        return Err(Violation::new(Kind::SystemInMiddle, at(start + i), message));
    }
    match messages.get(start).map(role) {
        // A result without a call is told as such, not as a bad beginning.
        Some("user" | "tool") => Ok(()),
        _ => {
            let message = "the conversation must begin with a user message";
            Err(Violation::new(Kind::FirstNotUser, at(start), message))
        }
    }
}

pub(super) fn check_keys(value: &Value, known: &[&str], at: &str) -> Checked {
    let unknown = value.as_object().into_iter().flat_map(Map::keys);
    match unknown
        .into_iter()
        .find(|key| !known.contains(&key.as_str()))
    {
        Some(key) => {
            let message = format!("unknown parameter: '{at}.{key}'");
            Err(Violation::new(
                Kind::UnknownMessageKey,
                format!("{at}.{key}"),
                message,
            ))
        }
        None => Ok(()),
    }
}

fn check_content(message: &Value, parts: &[&str], at: &str) -> Checked {
    let at = format!("{at}.content");
    let listed = match &message["content"] {
        Value::String(_) => return Ok(()),
        Value::Array(listed) if !listed.is_empty() => listed,
        _ => {
            let message = "must be a string or a non-empty array of parts";
            return Err(Violation::new(Kind::BadContent, at, message));
        }
    };
    for (i, part) in listed.iter().enumerate() {
        let kind = part["type"].as_str().unwrap_or_default();
        let payload = &part[kind];
        let filled = if ["text", "refusal"].contains(&kind) {
            payload.is_string()
        } else {
            payload.is_object()
        };
        if !parts.contains(&kind) || !filled {
            let message = format!(
                "each part needs a type of {} and its payload",
                parts.join(", ")
            );
            return Err(Violation::new(Kind::BadPart, format!("{at}[{i}]"), message));
        }
    }
    Ok(())
}

fn check_assistant(message: &Value, at: &str) -> Checked {
    check_keys(message, &ASSISTANT_KEYS, at)?;
    for key in ["reasoning_content", "refusal"] {
        if !(message[key].is_null() || message[key].is_string()) {
            return Err(Violation::new(
                Kind::WrongType,
                format!("{at}.{key}"),
                "must be a string",
            ));
        }
    }
    let calls = message
        .get("tool_calls")
        .is_some_and(|calls| !calls.is_null());
    if calls && message["tool_calls"].as_array().is_none_or(Vec::is_empty) {
        let message = "must be an array of at least one call, or absent";
        return Err(Violation::new(
            Kind::EmptyToolCalls,
            format!("{at}.tool_calls"),
            message,
        ));
    }
    match message.get("content") {
        None | Some(Value::Null) if calls => Ok(()),
        Some(Value::Null) => {
            let message = "content is null and there are no tool_calls";
            Err(Violation::new(
                Kind::NullContent,
                format!("{at}.content"),
                message,
            ))
        }
        None => Err(Violation::new(
            Kind::EmptyAssistant,
            at,
            "needs content or tool_calls",
        )),
        Some(Value::String(text)) if text.is_empty() && !calls => Err(Violation::new(
            Kind::EmptyAssistant,
            at,
            "needs content or tool_calls",
        )),
        Some(_) => check_content(message, &["text", "refusal"], at),
    }
}
