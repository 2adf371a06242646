//! The messages of one history item.

use std::collections::BTreeSet;

use bowline_core::{Block, ContextText, Exchange, ModelRef, Origin, ToolCall};
use serde_json::{Map, Value};

use crate::wire::chat::json::{has_nul, push_escaped, push_string};
use crate::wire::{is_json_object, made_wire_id};

/// What closes a user message.
pub(super) const USER_END: &[u8] = b"\"}";

/// A call whose name the API would refuse is told under this one.
pub(super) const PLACEHOLDER_NAME: &str = "invalid_tool";

/// Fields that mean something of their own in an assistant message; nothing kept goes there.
const RESERVED: [&str; 8] = [
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
    "audio",
];

/// Begins a user message with `text` and leaves it open, as more inputs may follow.
pub(super) fn push_user(body: &mut Vec<u8>, text: &ContextText) {
    begin(body);
    body.extend_from_slice(b"{\"role\":\"user\",\"content\":\"");
    push_input(body, text);
}

/// Adds `text` to the open user message: some servers refuse two user messages in a row.
pub(super) fn push_more_user(body: &mut Vec<u8>, text: &ContextText) {
    push_escaped(body, "\n\n");
    push_input(body, text);
}

/// Stands where a conversation begins with a reply: servers want a user message first.
pub(super) fn push_opening(body: &mut Vec<u8>) {
    begin(body);
    body.extend_from_slice(b"{\"role\":\"user\",\"content\":\"(what came before is left out)\"}");
}

/// A person's words stand as they are; what others brought is wrapped, so that the model can tell.
fn push_input(body: &mut Vec<u8>, text: &ContextText) {
    let (tag, attribute) = match text.origin() {
        Origin::Person => return push_escaped(body, text.text()),
        Origin::Harness => ("notice", None),
        Origin::Tool(name) => ("tool_output", Some(("name", name))),
        Origin::File(path) => ("file", Some(("path", path))),
    };
    let attribute = attribute.map(|(key, value)| format!(" {key}=\"{}\"", attribute_value(value)));
    push_escaped(body, &format!("<{tag}{}>\n", attribute.unwrap_or_default()));
    // The text must not be able to end its own wrapping.
    let ending = format!("</{tag}");
    let inner = text.text().replace(&ending, &format!("<\\/{tag}"));
    push_escaped(body, &inner);
    push_escaped(body, &format!("\n</{tag}>"));
}

fn attribute_value(value: &str) -> String {
    value
        .chars()
        .map(|c| {
            if c.is_control() || "\"<>".contains(c) {
                '_'
            } else {
                c
            }
        })
        .collect()
}

/// Writes an assistant message and the results of its calls.
pub(super) fn push_exchange(body: &mut Vec<u8>, exchange: &Exchange, model: Option<&ModelRef>) {
    let message = exchange.message();
    let text = message.text();
    let calls: Vec<&ToolCall> = message.calls().collect();
    let ids = wire_ids(&calls);
    begin(body);
    body.extend_from_slice(b"{\"role\":\"assistant\",\"content\":");
    if text.is_empty() && !calls.is_empty() {
        body.extend_from_slice(b"null");
    } else {
        push_string(body, &text);
    }
    for (field, value) in kept_fields(&message.blocks, model) {
        body.push(b',');
        push_string(body, &field);
        body.push(b':');
        match &value {
            Value::String(text) => push_string(body, text),
            other => body.extend_from_slice(other.to_string().as_bytes()),
        }
    }
    if !calls.is_empty() {
        body.extend_from_slice(b",\"tool_calls\":[");
        for (at, (call, id)) in calls.iter().zip(&ids).enumerate() {
            if at > 0 {
                body.push(b',');
            }
            push_call(body, call, id);
        }
        body.push(b']');
    }
    body.push(b'}');
    for (result, id) in exchange.results().iter().zip(&ids) {
        body.extend_from_slice(b",{\"role\":\"tool\",\"tool_call_id\":");
        push_string(body, id);
        body.extend_from_slice(b",\"content\":");
        push_string(body, result.content.text());
        body.push(b'}');
    }
}

fn push_call(body: &mut Vec<u8>, call: &ToolCall, id: &str) {
    let name = if is_tool_name(&call.name) {
        &call.name
    } else {
        PLACEHOLDER_NAME
    };
    // Many servers parse the arguments of the past, and refuse the request if they cannot.
    let arguments = if is_json_object(&call.arguments) {
        &call.arguments
    } else {
        "{}"
    };
    body.extend_from_slice(b"{\"id\":");
    push_string(body, id);
    body.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
    push_string(body, name);
    body.extend_from_slice(b",\"arguments\":");
    push_string(body, arguments);
    body.extend_from_slice(b"}}");
}

/// Ends the message before, if there is one.
fn begin(body: &mut Vec<u8>) {
    if !body.ends_with(b"[") {
        body.push(b',');
    }
}

/// The calls' ids as received, or made ones where those are empty, doubled or unsendable.
fn wire_ids(calls: &[&ToolCall]) -> Vec<String> {
    let mut used = BTreeSet::new();
    let mut id = |call: &&ToolCall| {
        let as_received = !call.wire_id.is_empty()
            && !call.wire_id.contains('\0')
            && used.insert(call.wire_id.clone());
        if as_received {
            call.wire_id.clone()
        } else {
            made_wire_id(call.id)
        }
    };
    calls.iter().map(&mut id).collect()
}

/// Reasoning and opaque blocks, by the field they came in, if they came from this very model.
/// Only strings and lists of one field are joined, and nothing is ever made up.
fn kept_fields(blocks: &[Block], model: Option<&ModelRef>) -> Map<String, Value> {
    let ours = |provider: &str, name: &str| {
        model.is_some_and(|model| model.provider() == provider && model.model() == name)
    };
    let sendable =
        |field: &str| !field.is_empty() && !field.contains('\0') && !RESERVED.contains(&field);
    let mut kept = Map::new();
    for block in blocks {
        match block {
            Block::Reasoning { text, source }
                if ours(&source.provider, &source.model) && sendable(&source.field) =>
            {
                match kept.get_mut(&source.field) {
                    Some(Value::String(before)) => before.push_str(text),
                    Some(_) => {}
                    None => {
                        kept.insert(source.field.clone(), Value::String(text.clone()));
                    }
                }
            }
            Block::Opaque(opaque)
                if ours(&opaque.provider, &opaque.model)
                    && sendable(&opaque.field)
                    && !kept.contains_key(&opaque.field)
                    && !has_nul(&opaque.value) =>
            {
                kept.insert(opaque.field.clone(), opaque.value.clone());
            }
            _ => {}
        }
    }
    kept
}

/// Whether the API takes `name` as a tool's: 1 to 64 letters, digits, `_` and `-`.
fn is_tool_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}
