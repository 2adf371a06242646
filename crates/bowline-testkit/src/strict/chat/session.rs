//! What comes back of Chat Completions messages, and what counts as changed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::session::{self, Holds, Reasoning, Rules};
use super::{Kind, Undeclared, is_tool_name, text_of};

/// A conversation in the Chat Completions dialect. Content as a string or as one text part is the
/// same, argument texts are compared byte by byte.
pub type Session = session::Session<ChatRules>;

/// The messages of Chat Completions.
#[derive(Debug)]
pub struct ChatRules;

impl Rules for ChatRules {
    const LIST: &'static str = "messages";

    fn expect_back(message: &mut Value, _: &[Value], asked_for: &mut Undeclared) -> Holds {
        let mut ids = BTreeSet::new();
        let mut doubtful_id = false;
        for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
            let id = call["id"].as_str().unwrap_or_default().to_owned();
            doubtful_id |= id.is_empty() || !ids.insert(id);
            let name = call["function"]["name"].as_str().unwrap_or_default();
            let sendable = is_tool_name(name);
            asked_for.allow(name);
            if !sendable {
                call["function"]["name"] = Value::Null;
            }
        }
        for call in message["tool_calls"].as_array_mut().into_iter().flatten() {
            if doubtful_id {
                call["id"] = Value::Null;
            }
        }
        if text_of(&message["content"]).is_empty() && calls(message).is_empty() {
            Holds::Nothing
        } else {
            Holds::Something
        }
    }

    fn difference(reasoning: Reasoning, was: &Value, is: &Value) -> Option<(Kind, String)> {
        let kind = match was["role"].as_str() {
            Some("assistant") => return assistant_difference(reasoning, was, is),
            Some("tool") => Kind::EditedResult,
            _ => Kind::EditedMessage,
        };
        let same = was["tool_call_id"] == is["tool_call_id"]
            && same_content(&was["content"], &is["content"]);
        (!same).then(|| (kind, format!("was {was}, came back as {is}")))
    }

    fn grew(was: &Value, is: &Value) -> bool {
        text_of(&is["content"]).starts_with(&format!("{}\n\n", text_of(&was["content"])))
    }
}

fn assistant_difference(
    reasoning: Reasoning,
    expected: &Value,
    found: &Value,
) -> Option<(Kind, String)> {
    if !same_content(&expected["content"], &found["content"]) {
        let message = format!(
            "text was {}, came back as {}",
            expected["content"], found["content"]
        );
        return Some((Kind::EditedText, message));
    }
    let (were, are) = (calls(expected), calls(found));
    if were.len() != are.len() {
        let message = format!("had {} calls, came back with {}", were.len(), are.len());
        return Some((Kind::EditedCalls, message));
    }
    let differences = were
        .iter()
        .zip(are)
        .filter_map(|(was, is)| call_difference(was, is));
    if let Some(difference) = differences.into_iter().next() {
        return Some(difference);
    }
    match (&expected["reasoning_content"], &found["reasoning_content"]) {
        (Value::String(was), Value::String(is)) if was != is => Some((
            Kind::EditedReasoning,
            format!("reasoning was {was:?}, came back as {is:?}"),
        )),
        (Value::String(_), Value::Null) if reasoning == Reasoning::Required => {
            let message = "reasoning_content must be passed back to the API";
            Some((Kind::LostReasoning, message.to_owned()))
        }
        _ => extra_difference("provider_specific", expected, found),
    }
}

fn call_difference(was: &Value, is: &Value) -> Option<(Kind, String)> {
    let matches = |was: &Value, is: &Value| was.is_null() || was == is;
    let (was_function, is_function) = (&was["function"], &is["function"]);
    if !matches(&was["id"], &is["id"]) || !matches(&was_function["name"], &is_function["name"]) {
        return Some((
            Kind::EditedCalls,
            format!("call was {was}, came back as {is}"),
        ));
    }
    let (was_text, is_text) = (&was_function["arguments"], &is_function["arguments"]);
    // What is no JSON object cannot be sent to every server; an empty one may stand for it.
    let mended = is_text == "{}" && !is_object(was_text);
    if was_text != is_text && !mended {
        let message = format!("arguments were {was_text}, came back as {is_text}");
        return Some((Kind::EditedArguments, message));
    }
    extra_difference("extra_content", was, is)
}

fn is_object(arguments: &Value) -> bool {
    let parsed = arguments
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.is_some_and(|value| value.is_object())
}

/// Compares a field that the API does not have: it may be left out, but not changed.
fn extra_difference(key: &str, was: &Value, is: &Value) -> Option<(Kind, String)> {
    let (was, is) = (&was[key], &is[key]);
    (!is.is_null() && was != is).then(|| {
        (
            Kind::EditedExtra,
            format!("{key} was {was}, came back as {is}"),
        )
    })
}

fn calls(message: &Value) -> &[Value] {
    message["tool_calls"].as_array().map_or(&[], Vec::as_slice)
}

fn same_content(left: &Value, right: &Value) -> bool {
    let only_text = |content: &Value| match content {
        Value::Array(parts) => parts.iter().all(|part| part["type"] == "text"),
        _ => true,
    };
    if only_text(left) && only_text(right) {
        return text_of(left) == text_of(right);
    }
    left == right
}
