//! What comes back of a reply's items, and what counts as changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Kind, Undeclared, kind_of};
use crate::strict::chat::text_of;
use crate::strict::is_tool_name;
use crate::strict::session::{self, Holds, Reasoning, Rules};

/// A conversation in the Responses dialect, as [`messages`] of its input items. Ids and other
/// fields of an item may be left out, but not changed; argument texts are compared byte by byte.
pub type Session = session::Session<ResponsesRules>;

/// The items of Responses.
#[derive(Debug)]
pub struct ResponsesRules;

/// Makes messages of input items: what a model says in one go is one message of the assistant,
/// every other item is one by itself.
#[must_use]
pub fn messages(items: &[Value]) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    let mut said: Vec<Value> = Vec::new();
    for item in items {
        if is_said(item) {
            said.push(item.clone());
            continue;
        }
        if !said.is_empty() {
            messages.push(reply(&std::mem::take(&mut said)));
        }
        let role = match kind_of(item) {
            "function_call_output" => "tool",
            _ => "user",
        };
        messages.push(json!({"role": role, "item": item}));
    }
    if !said.is_empty() {
        messages.push(reply(&said));
    }
    messages
}

/// Makes the assistant's message of the items of one reply.
#[must_use]
pub fn reply(items: &[Value]) -> Value {
    json!({"role": "assistant", "items": items})
}

impl Rules for ResponsesRules {
    const LIST: &'static str = "message";

    fn expect_back(reply: &mut Value, _: &[Value], asked_for: &mut Undeclared) -> Holds {
        let mut ids = BTreeSet::new();
        let mut doubtful_id = false;
        let items = reply["items"]
            .as_array_mut()
            .map_or(&mut [][..], Vec::as_mut_slice);
        for call in items.iter_mut().filter(|item| is_call(item)) {
            let id = call["call_id"].as_str().unwrap_or_default().to_owned();
            doubtful_id |= id.is_empty() || !ids.insert(id);
            let name = call["name"].as_str().unwrap_or_default();
            let sendable = is_tool_name(name);
            asked_for.allow(name);
            if !sendable {
                call["name"] = Value::Null;
            }
        }
        for call in items.iter_mut().filter(|item| is_call(item)) {
            if doubtful_id {
                call["call_id"] = Value::Null;
            }
        }
        let has_words = |item: &Value| !text_of(&item["content"]).trim().is_empty();
        let is_message = |item: &&mut Value| kind_of(item) == "message";
        if ids.is_empty()
            && !items
                .iter_mut()
                .filter(is_message)
                .any(|item| has_words(item))
        {
            Holds::Nothing
        } else {
            Holds::Something
        }
    }

    fn difference(reasoning: Reasoning, was: &Value, is: &Value) -> Option<(Kind, String)> {
        if was["role"] == "assistant" {
            return reply_difference(reasoning, items(was), items(is));
        }
        let (was, is) = (&was["item"], &is["item"]);
        let (kind, same) = match kind_of(was) {
            "function_call_output" => (
                Kind::EditedResult,
                was["call_id"] == is["call_id"] && same_content(&was["output"], &is["output"]),
            ),
            _ => (
                Kind::EditedMessage,
                was["role"] == is["role"] && same_content(&was["content"], &is["content"]),
            ),
        };
        (!same).then(|| (kind, format!("was {was}, came back as {is}")))
    }

    /// Each input is an item of its own.
    fn grew(_was: &Value, _is: &Value) -> bool {
        false
    }
}

fn reply_difference(reasoning: Reasoning, were: &[Value], are: &[Value]) -> Option<(Kind, String)> {
    let mut left = are.iter().peekable();
    for was in were {
        let is_reasoning = kind_of(was) == "reasoning";
        let next_is = left.peek().map_or("", |next| kind_of(next));
        if is_reasoning && next_is != "reasoning" {
            if reasoning == Reasoning::Required {
                let message = format!("{was} must be passed back to the API, in its place");
                return Some((Kind::LostReasoning, message));
            }
            continue;
        }
        let Some(is) = left.next() else {
            return Some(missing(was));
        };
        if kind_of(is) != kind_of(was) {
            return Some(missing(was));
        }
        if let Some(difference) = item_difference(was, is) {
            return Some(difference);
        }
    }
    let more = left.next()?;
    let message = format!("{more} was never a part of this reply");
    Some((Kind::InventedItem, message))
}

fn missing(was: &Value) -> (Kind, String) {
    let kind = match kind_of(was) {
        "function_call" => Kind::EditedCalls,
        "message" => Kind::EditedText,
        _ => Kind::LostItem,
    };
    (kind, format!("{was} did not come back in its place"))
}

/// Says how `is` differs from `was`, an item of the same type. Names and ids that are null in `was`
/// match any.
fn item_difference(was: &Value, is: &Value) -> Option<(Kind, String)> {
    let changed = |kind: Kind| Some((kind, format!("was {was}, came back as {is}")));
    let same = |key: &str| was[key] == is[key];
    match kind_of(was) {
        "reasoning" => {
            let fields = ["encrypted_content", "summary", "content"];
            if !fields.into_iter().all(same) {
                return changed(Kind::EditedReasoning);
            }
            edited_field(was, is, &["id", "status"])
        }
        "function_call" => {
            let matches = |key: &str| was[key].is_null() || same(key);
            if !matches("call_id") || !matches("name") {
                return changed(Kind::EditedCalls);
            }
            // What is no JSON object cannot be sent to every server; an empty one may stand for it.
            let mended = is["arguments"] == "{}" && !is_object(&was["arguments"]);
            if !same("arguments") && !mended {
                return changed(Kind::EditedArguments);
            }
            edited_field(was, is, &["id", "status", "provider_specific"])
        }
        "message" => {
            if !same_content(&was["content"], &is["content"]) {
                return changed(Kind::EditedText);
            }
            edited_field(was, is, &["id", "status", "phase"])
        }
        _ if was != is => changed(Kind::LostItem),
        _ => None,
    }
}

/// Compares fields that may be left out, but not changed.
fn edited_field(was: &Value, is: &Value, keys: &[&str]) -> Option<(Kind, String)> {
    let edited = |key: &&&str| !is[**key].is_null() && was[**key] != is[**key];
    let key = keys.iter().find(edited)?;
    let message = format!("{key} was {}, came back as {}", was[*key], is[*key]);
    Some((Kind::EditedExtra, message))
}

/// Whether `item` is a part of a reply.
fn is_said(item: &Value) -> bool {
    !matches!(kind_of(item), "function_call_output" | "message") || item["role"] == "assistant"
}

fn is_call(item: &Value) -> bool {
    kind_of(item) == "function_call"
}

fn items(reply: &Value) -> &[Value] {
    reply["items"].as_array().map_or(&[], Vec::as_slice)
}

fn is_object(arguments: &Value) -> bool {
    let parsed = arguments
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.is_some_and(|value| value.is_object())
}

/// Whether two contents say the same: words as one text or in parts are the same words.
fn same_content(left: &Value, right: &Value) -> bool {
    let is_words = |part: &Value| part["text"].is_string() || part["refusal"].is_string();
    let only_words = |content: &Value| match content {
        Value::Array(parts) => parts.iter().all(is_words),
        content => content.is_string(),
    };
    if only_words(left) && only_words(right) {
        return text_of(left) == text_of(right);
    }
    left == right
}
