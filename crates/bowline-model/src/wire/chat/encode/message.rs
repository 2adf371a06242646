//! The messages of one history item.

use bowline_core::message::{Input, Opaque};
use bowline_core::{Block, Exchange, ModelRef, ToolCall};
use serde_json::{Map, Value};

use crate::wire::image::{Image, image, push_base64};
use crate::wire::json::{has_nul, push_escaped, push_string, push_value};
use crate::wire::words::{OPENING, spoken, tool_name, wire_ids};
use crate::wire::{Around, Placed, is_json_object};

/// What closes a user message whose content is one string.
const WORDS_END: &[u8] = b"\"}";
/// What closes a user message whose content is parts, of which the last is text.
const PARTS_END: &[u8] = b"\"}]}";

/// Where the unknown fields of a call are kept.
pub(crate) const CALL_FIELD: &str = "tool_calls";

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

/// Writes words into a user message and leaves it open, as more may follow: some servers refuse
/// two user messages in a row. Images come before the words that go with them.
pub(super) fn push_input(body: &mut Vec<u8>, input: &Input, around: &Around<'_>) -> Placed {
    let words = spoken(&input.text);
    let close = if input.images.is_empty() {
        around.close
    } else {
        PARTS_END
    };
    let joined = !around.close.is_empty() && around.close == close;
    if joined {
        // With images of its own, the words before end their part.
        let between: &[u8] = if input.images.is_empty() {
            b"\\n\\n"
        } else {
            b"\"},"
        };
        body.extend_from_slice(between);
    } else {
        body.extend_from_slice(around.close);
        begin(body);
        body.extend_from_slice(b"{\"role\":\"user\",\"content\":");
        body.push(if input.images.is_empty() { b'"' } else { b'[' });
    }
    if !input.images.is_empty() {
        push_images(body, input, around);
        body.extend_from_slice(b"{\"type\":\"text\",\"text\":\"");
    }
    // With images, a text of nothing would be refused by some servers.
    let is_bare = !input.images.is_empty() && words.trim().is_empty();
    push_escaped(body, if is_bare { "(no words)" } else { &words });
    let close = if close.is_empty() { WORDS_END } else { close };
    Placed { joined, close }
}

/// Makes parts of a user message whose content is one string, for images cannot join that.
pub(super) fn make_parts(open: &mut Vec<u8>, close: &[u8]) -> Option<&'static [u8]> {
    const BEFORE: &[u8] = b"\"content\":";
    if close != WORDS_END {
        return None;
    }
    let at = open
        .windows(BEFORE.len())
        .position(|bytes| bytes == BEFORE)?
        + BEFORE.len();
    open.splice(at..at, *b"[{\"type\":\"text\",\"text\":");
    Some(PARTS_END)
}

fn push_images(body: &mut Vec<u8>, input: &Input, around: &Around<'_>) {
    for one in &input.images {
        match image(one, around) {
            Image::There(media_type, base64) => {
                body.extend_from_slice(b"{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:");
                body.extend_from_slice(media_type.as_bytes());
                body.extend_from_slice(b";base64,");
                push_base64(body, &base64, around);
                body.extend_from_slice(b"\"}},");
            }
            Image::Missing(words) => {
                body.extend_from_slice(b"{\"type\":\"text\",\"text\":");
                push_string(body, &words);
                body.extend_from_slice(b"},");
            }
        }
    }
}

/// Stands where a conversation begins with a reply.
pub(super) fn push_opening(body: &mut Vec<u8>) {
    begin(body);
    body.extend_from_slice(b"{\"role\":\"user\",\"content\":");
    push_string(body, OPENING);
    body.push(b'}');
}

/// Writes an assistant message and the results of its calls.
pub(super) fn push_exchange(body: &mut Vec<u8>, exchange: &Exchange, model: &ModelRef) {
    let message = exchange.message();
    let text = message.text();
    let calls: Vec<&ToolCall> = message.calls().collect();
    let ids = wire_ids(&calls, |id| !id.is_empty() && !id.contains('\0'));
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
        push_value(body, &value);
    }
    if !calls.is_empty() {
        body.extend_from_slice(b",\"tool_calls\":[");
        for (at, (call, id)) in calls.iter().zip(&ids).enumerate() {
            if at > 0 {
                body.push(b',');
            }
            push_call(body, call, id, model);
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

fn push_call(body: &mut Vec<u8>, call: &ToolCall, id: &str, model: &ModelRef) {
    // Many servers parse the arguments of the past, and refuse the request if they cannot.
    let arguments = if is_json_object(&call.arguments) {
        &call.arguments
    } else {
        "{}"
    };
    body.extend_from_slice(b"{\"id\":");
    push_string(body, id);
    body.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
    push_string(body, tool_name(&call.name));
    body.extend_from_slice(b",\"arguments\":");
    push_string(body, arguments);
    let kept = kept_of_call(call, model);
    push_fields(
        body,
        kept.and_then(|kept| kept.get("function")?.as_object()),
    );
    body.push(b'}');
    push_fields(body, kept);
    body.push(b'}');
}

/// Ends the message before, if there is one.
fn begin(body: &mut Vec<u8>) {
    if !body.ends_with(b"[") {
        body.push(b',');
    }
}

/// The unknown fields of a call, if they came from this very model.
fn kept_of_call<'a>(call: &'a ToolCall, model: &ModelRef) -> Option<&'a Map<String, Value>> {
    let ours = |kept: &&Opaque| kept.is_from(model) && kept.field == CALL_FIELD;
    let kept = call.kept.as_ref().filter(ours)?;
    kept.value.as_object().filter(|_| !has_nul(&kept.value))
}

/// Adds fields to an object that is not closed yet, but none that it has or may have itself.
fn push_fields(body: &mut Vec<u8>, fields: Option<&Map<String, Value>>) {
    const OWN: [&str; 6] = ["id", "type", "index", "function", "name", "arguments"];
    for (field, value) in fields.into_iter().flatten() {
        if !OWN.contains(&field.as_str()) {
            body.push(b',');
            push_string(body, field);
            body.push(b':');
            push_value(body, value);
        }
    }
}

/// Reasoning and opaque blocks, by the field they came in, if they came from this very model.
/// Only strings and lists of one field are joined, and nothing is ever made up.
fn kept_fields(blocks: &[Block], model: &ModelRef) -> Map<String, Value> {
    let sendable =
        |field: &str| !field.is_empty() && !field.contains('\0') && !RESERVED.contains(&field);
    let mut kept = Map::new();
    for block in blocks {
        match block {
            Block::Reasoning { text, source }
                if source.is_from(model) && sendable(&source.field) =>
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
                if opaque.is_from(model)
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
