//! Tool calls in the history, and their pairing with results.

use std::collections::BTreeSet;

use serde_json::Value;

use super::messages::{check_keys, role};
use super::{Checked, Kind, Undeclared, Violation, is_tool_name};

const CALL_KEYS: [&str; 4] = ["id", "type", "function", "extra_content"];

/// The calls of one assistant message, and which of them have their result.
#[derive(Default)]
pub(super) struct Exchange {
    calls: Vec<(String, bool)>,
}

impl Exchange {
    pub(super) fn open(
        message: &Value,
        tools: &BTreeSet<String>,
        undeclared: &Undeclared,
        at: &str,
    ) -> Result<Self, Violation> {
        let mut exchange = Self::default();
        for (i, call) in message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let at = format!("{at}.tool_calls[{i}]");
            let id = check_call(call, tools, undeclared, &at)?;
            if exchange.calls.iter().any(|(known, _)| known == id) {
                let message = format!("two calls of this message have the id '{id}'");
                return Err(Violation::new(
                    Kind::DuplicateCallId,
                    format!("{at}.id"),
                    message,
                ));
            }
            exchange.calls.push((id.to_owned(), false));
        }
        Ok(exchange)
    }

    pub(super) fn result(&mut self, message: &Value, at: &str) -> Checked {
        let at = format!("{at}.tool_call_id");
        let id = message["tool_call_id"].as_str().unwrap_or_default();
        if id.is_empty() {
            return Err(Violation::new(
                Kind::MissingResultId,
                at,
                "a result needs its call's id",
            ));
        }
        if self.calls.is_empty() {
            let message = "messages with role 'tool' must follow a message with 'tool_calls'";
            return Err(Violation::new(Kind::OrphanResult, at, message));
        }
        match self.calls.iter_mut().find(|(known, _)| known == id) {
            None => {
                let message = format!("'{id}' is no call of the preceding message");
                Err(Violation::new(Kind::UnknownResultId, at, message))
            }
            Some((_, true)) => {
                let message = format!("'{id}' has a result already");
                Err(Violation::new(Kind::DuplicateResult, at, message))
            }
            Some((_, answered)) => {
                *answered = true;
                Ok(())
            }
        }
    }

    /// Ends the exchange before `rest`: by now each call must have its result.
    pub(super) fn close(&self, rest: &[Value], at: &str) -> Checked {
        let Some((id, _)) = self.calls.iter().find(|(_, answered)| !answered) else {
            return Ok(());
        };
        let follows = |message: &Value| message["tool_call_id"] == id.as_str();
        let next_turn = rest.iter().position(|message| role(message) == "assistant");
        let (kind, what) = if rest[..next_turn.unwrap_or(rest.len())].iter().any(follows) {
            (Kind::MessageBetween, "comes before the result of call")
        } else {
            (
                Kind::UnansweredCall,
                "comes though there is no result for call",
            )
        };
        let what = format!(
            "an assistant message with 'tool_calls' must be followed by a result for each call: \
             {at} {what} '{id}'"
        );
        Err(Violation::new(kind, at, what))
    }
}

fn check_call<'a>(
    call: &'a Value,
    tools: &BTreeSet<String>,
    undeclared: &Undeclared,
    at: &str,
) -> Result<&'a str, Violation> {
    if !call.is_object() || !call["function"].is_object() {
        return Err(Violation::new(
            Kind::BadCall,
            at,
            "a call is an object with a 'function'",
        ));
    }
    check_keys(call, &CALL_KEYS, at)?;
    check_keys(
        &call["function"],
        &["name", "arguments"],
        &format!("{at}.function"),
    )?;
    let id = call["id"].as_str().unwrap_or_default();
    if id.is_empty() {
        return Err(Violation::new(
            Kind::EmptyCallId,
            format!("{at}.id"),
            "a call needs an id",
        ));
    }
    if call["type"] != "function" {
        let message = "a call needs 'type': 'function'";
        return Err(Violation::new(
            Kind::BadCallType,
            format!("{at}.type"),
            message,
        ));
    }
    let name = call["function"]["name"].as_str().unwrap_or_default();
    let at_name = format!("{at}.function.name");
    if !is_tool_name(name) {
        let message = format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,64}}$");
        return Err(Violation::new(Kind::BadToolName, at_name, message));
    }
    if !tools.contains(name) && !undeclared.allows(name) {
        let message = format!("'{name}' is not among the declared tools");
        return Err(Violation::new(Kind::UnknownTool, at_name, message));
    }
    if !call["function"]["arguments"].is_string() {
        let message = "arguments must be a string of JSON";
        let at = format!("{at}.function.arguments");
        return Err(Violation::new(Kind::ArgumentsNotText, at, message));
    }
    Ok(id)
}
