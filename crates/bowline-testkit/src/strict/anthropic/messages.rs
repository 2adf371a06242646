//! Messages: roles and their order, and the pairing of calls with results.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::blocks::{Names, check_block};
use super::{Checked, Kind, Undeclared, Violation, only_keys};

pub(super) fn check(
    body: &Map<String, Value>,
    tools: &BTreeSet<String>,
    undeclared: &Undeclared,
) -> Checked {
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) if !messages.is_empty() => messages,
        _ => {
            let message = "messages: at least one message is required";
            return Err(Violation::new(Kind::NoMessages, "messages", message));
        }
    };
    check_roles(messages)?;
    let mut ids = BTreeSet::new();
    let mut names = Names { tools, undeclared };
    for (i, message) in messages.iter().enumerate() {
        let at = format!("messages[{i}]");
        only_keys(message, &["role", "content"], Kind::UnknownMessageKey, &at)?;
        check_content(message, &mut names, &format!("{at}.content"))?;
        check_calls(message, &mut ids, &at)?;
        let before = i.checked_sub(1).map(|before| &messages[before]);
        check_results(before, message, &at)?;
        check_order(message, &at)?;
    }
    let last = messages.len() - 1;
    if let Some(id) = calls(&messages[last]).next() {
        let message = format!("tool_use ids were found without tool_result blocks: {id}");
        return Err(Violation::new(
            Kind::UnansweredCall,
            format!("messages[{last}]"),
            message,
        ));
    }
    check_end(&messages[last], last)?;
    check_round(body, messages)
}

pub(super) fn blocks(message: &Value) -> &[Value] {
    message["content"].as_array().map_or(&[], Vec::as_slice)
}

fn of_type<'a>(message: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    let blocks = blocks(message).iter();
    blocks.filter(move |block| block["type"] == kind)
}

/// The ids of a message's calls.
fn calls(message: &Value) -> impl Iterator<Item = &str> {
    of_type(message, "tool_use").filter_map(|block| block["id"].as_str())
}

fn check_roles(messages: &[Value]) -> Checked {
    let mut before = "assistant";
    for (i, message) in messages.iter().enumerate() {
        let at = format!("messages[{i}]");
        let role = match &message["role"] {
            Value::String(role) => role.as_str(),
            _ => {
                let message = "a message is an object with a 'role'";
                return Err(Violation::new(Kind::BadMessage, at, message));
            }
        };
        if !["user", "assistant"].contains(&role) {
            let message = format!("unexpected role \"{role}\": allowed are user and assistant");
            return Err(Violation::new(Kind::UnknownRole, at, message));
        }
        if role == before {
            let (kind, message) = match i {
                0 => (
                    Kind::FirstNotUser,
                    "the first message must use the \"user\" role",
                ),
                _ => (Kind::RolesDoNotAlternate, "roles must alternate"),
            };
            return Err(Violation::new(kind, at, message));
        }
        before = role;
    }
    Ok(())
}

fn check_content(message: &Value, names: &mut Names<'_>, at: &str) -> Checked {
    match &message["content"] {
        Value::String(text) if !text.trim().is_empty() => Ok(()),
        Value::Array(blocks) if !blocks.is_empty() => {
            let role = message["role"].as_str().unwrap_or_default();
            let mut blocks = blocks.iter().enumerate();
            blocks.try_for_each(|(i, block)| check_block(role, block, names, &format!("{at}[{i}]")))
        }
        Value::String(_) | Value::Array(_) => {
            let message = "all messages must have non-empty content";
            Err(Violation::new(Kind::BadContent, at, message))
        }
        _ => {
            let message = "content: must be a string or a list of blocks";
            Err(Violation::new(Kind::BadContent, at, message))
        }
    }
}

fn check_calls<'a>(message: &'a Value, ids: &mut BTreeSet<&'a str>, at: &str) -> Checked {
    match calls(message).find(|id| !ids.insert(id)) {
        Some(id) => {
            let message = format!("tool_use ids must be unique: {id}");
            Err(Violation::new(Kind::DuplicateCallId, at, message))
        }
        None => Ok(()),
    }
}

/// Checks that `message` holds exactly the results of the calls of the message before.
fn check_results(before: Option<&Value>, message: &Value, at: &str) -> Checked {
    let mut open: BTreeSet<&str> = before.into_iter().flat_map(calls).collect();
    let asked = open.clone();
    for result in of_type(message, "tool_result") {
        let id = result["tool_use_id"].as_str().unwrap_or_default();
        if open.remove(id) {
            continue;
        }
        let kind = match (asked.contains(id), asked.is_empty()) {
            (true, _) => Kind::DuplicateResult,
            (false, true) => Kind::OrphanResult,
            (false, false) => Kind::UnknownResultId,
        };
        let message = format!("unexpected tool_use_id found in tool_result blocks: {id}");
        return Err(Violation::new(kind, at, message));
    }
    match open.first() {
        Some(id) => {
            let message = format!(
                "tool_use ids were found without tool_result blocks immediately after: {id}"
            );
            Err(Violation::new(Kind::UnansweredCall, at, message))
        }
        None => Ok(()),
    }
}

/// Checks the order of the blocks: results first, no thought last.
fn check_order(message: &Value, at: &str) -> Checked {
    let blocks = blocks(message);
    let is_result = |block: &&Value| block["type"] == "tool_result";
    let first = blocks.iter().take_while(is_result).count();
    if blocks[first..].iter().any(|block| is_result(&block)) {
        let message = "tool_result blocks must come first in their message";
        return Err(Violation::new(Kind::ResultNotFirst, at, message));
    }
    if blocks.last().is_some_and(is_thought) {
        let message = "the final block in an assistant message cannot be `thinking`";
        return Err(Violation::new(Kind::ThoughtLast, at, message));
    }
    Ok(())
}

pub(super) fn is_thought(block: &Value) -> bool {
    block["type"] == "thinking" || block["type"] == "redacted_thinking"
}

fn check_end(last: &Value, index: usize) -> Checked {
    let text = match &last["content"] {
        Value::String(text) => Some(text.as_str()),
        _ => blocks(last).last().and_then(|block| block["text"].as_str()),
    };
    let trails = text.is_some_and(|text| text.trim_end() != text);
    if last["role"] == "assistant" && trails {
        let message = "final assistant content cannot end with trailing whitespace";
        return Err(Violation::new(
            Kind::TrailingSpace,
            format!("messages[{index}]"),
            message,
        ));
    }
    Ok(())
}

/// With thinking on, the first reply of a round of calls that is still open must begin with it.
fn check_round(body: &Map<String, Value>, messages: &[Value]) -> Checked {
    if body
        .get("thinking")
        .is_none_or(|thinking| thinking["type"] != "enabled")
    {
        return Ok(());
    }
    let mut first = None;
    for (i, message) in messages.iter().enumerate().rev() {
        let has_results = of_type(message, "tool_result").next().is_some();
        match message["role"].as_str() {
            Some("assistant") => first = Some(i),
            _ if has_results => {}
            _ => break,
        }
    }
    // A last message from the assistant is no round of calls.
    let first = first.filter(|first| first + 1 < messages.len());
    match first {
        Some(i) if !blocks(&messages[i]).first().is_some_and(is_thought) => {
            let message = "expected `thinking` or `redacted_thinking`: when `thinking` is \
                           enabled, a final `assistant` message must start with a thinking block";
            let at = format!("messages[{i}].content[0]");
            Err(Violation::new(Kind::ThoughtMissing, at, message))
        }
        _ => Ok(()),
    }
}
