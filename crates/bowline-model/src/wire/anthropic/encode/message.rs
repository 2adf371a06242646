//! The messages of one history item.
//!
//! A user message stays open up to the closing brace of its last block, as more blocks may follow:
//! results first, then words, and never two user messages in a row.

use bowline_core::message::{Input, Opaque, ResultKind};
use bowline_core::{Block, Exchange, HistoryItem, ModelRef, ToolCall, ToolResult};
use serde_json::{Map, Value};

use crate::wire::anthropic::CALL_FIELD;
use crate::wire::anthropic::thinking::{goes_back, is_whole_thought};
use crate::wire::image::{Image, image, push_base64};
use crate::wire::json::{has_nul, push_string, push_value, without_nul};
use crate::wire::words::{OPENING, spoken, tool_name, wire_ids};
use crate::wire::{Around, Placed, is_json_object};

/// What closes a user message: its last block, the list, the message.
const USER_END: &[u8] = b"}]}";
/// Stands between two replies, and after one that a request ends in: roles must alternate, and a
/// reply at the end would be taken as the beginning of the next one.
const GOING_ON: &str = "(go on)";

/// Writes words, and the images that go with them, into a user message.
pub(super) fn push_input(body: &mut Vec<u8>, input: &Input, around: &Around<'_>) -> Placed {
    let joined = !around.close.is_empty();
    if joined {
        body.extend_from_slice(b"},");
    } else {
        begin_user(body);
    }
    for (at, one) in input.images.iter().enumerate() {
        if at > 0 {
            body.extend_from_slice(b"},");
        }
        match image(one, around) {
            Image::There(media_type, base64) => {
                push_open_image(body, &media_type, &base64, around);
            }
            Image::Missing(words) => push_open_text(body, &words),
        }
    }
    let words = spoken(&input.text);
    // Text of nothing but white space is refused.
    let is_blank = words.trim().is_empty();
    match (is_blank, input.images.is_empty()) {
        (false, true) => push_open_text(body, &words),
        (false, false) => {
            body.extend_from_slice(b"},");
            push_open_text(body, &words);
        }
        (true, true) => push_open_text(body, "(no words)"),
        (true, false) => {}
    }
    Placed {
        joined,
        close: USER_END,
    }
}

/// Writes an assistant message and, in the user message after it, the results of its calls.
pub(super) fn push_exchange(
    body: &mut Vec<u8>,
    exchange: &Exchange,
    around: &Around<'_>,
) -> Placed {
    body.extend_from_slice(around.close);
    match around.before {
        None => push_user(body, OPENING),
        Some(_) if around.close.is_empty() => push_user(body, GOING_ON),
        Some(_) => {}
    }
    let message = exchange.message();
    let calls: Vec<&ToolCall> = message.calls().collect();
    let ids = wire_ids(&calls, |id| is_sendable(id, around));
    begin(body);
    body.extend_from_slice(b"{\"role\":\"assistant\",\"content\":[");
    push_blocks(body, &message.blocks, &ids, around.model);
    body.extend_from_slice(b"]}");
    if calls.is_empty() {
        return Placed {
            joined: false,
            close: b"",
        };
    }
    begin_user(body);
    for (at, (result, id)) in exchange.results().iter().zip(&ids).enumerate() {
        if at > 0 {
            body.extend_from_slice(b"},");
        }
        push_open_result(body, result, id);
    }
    Placed {
        joined: false,
        close: USER_END,
    }
}

/// Writes the user message that keeps a reply from being the last.
pub(super) fn push_going_on(body: &mut Vec<u8>) {
    push_user(body, GOING_ON);
}

fn push_blocks(body: &mut Vec<u8>, blocks: &[Block], ids: &[String], model: &ModelRef) {
    let says_something = |block: &Block| match block {
        Block::Text { text } => !text.trim().is_empty(),
        Block::Call(_) => true,
        Block::Reasoning { .. } | Block::Opaque(_) => false,
    };
    // A thought may not be what a message ends in.
    let end = blocks.iter().rposition(says_something);
    let end = end.map_or(0, |last| last + 1);
    let mut ids = ids.iter();
    for (at, block) in blocks.iter().enumerate() {
        match block {
            Block::Text { text } if says_something(block) => {
                begin(body);
                push_open_text(body, text);
                body.push(b'}');
            }
            Block::Call(call) => {
                begin(body);
                push_call(body, call, ids.next().map_or("", String::as_str), model);
            }
            Block::Opaque(opaque)
                if goes_back(opaque, model) && (at < end || !is_whole_thought(opaque)) =>
            {
                begin(body);
                push_value(body, &opaque.value);
            }
            _ => {}
        }
    }
}

fn push_call(body: &mut Vec<u8>, call: &ToolCall, id: &str, model: &ModelRef) {
    body.extend_from_slice(b"{\"type\":\"tool_use\",\"id\":");
    push_string(body, id);
    body.extend_from_slice(b",\"name\":");
    push_string(body, tool_name(&call.name));
    body.extend_from_slice(b",\"input\":");
    push_arguments(body, &call.arguments);
    for (field, value) in kept_of_call(call, model).into_iter().flatten() {
        if !["type", "id", "name", "input", "cache_control"].contains(&field.as_str()) {
            body.push(b',');
            push_string(body, field);
            body.push(b':');
            push_value(body, value);
        }
    }
    body.push(b'}');
}

/// The arguments as the model wrote them; an empty object for what is none.
fn push_arguments(body: &mut Vec<u8>, arguments: &str) {
    if !is_json_object(arguments) {
        return body.extend_from_slice(b"{}");
    }
    match serde_json::from_str::<Value>(arguments) {
        // NUL is refused, however it is written.
        Ok(value) if arguments.contains("\\u0000") => push_value(body, &without_nul(value)),
        _ => body.extend_from_slice(arguments.trim().as_bytes()),
    }
}

/// The unknown fields of a call, if they came from this very model.
fn kept_of_call<'a>(call: &'a ToolCall, model: &ModelRef) -> Option<&'a Map<String, Value>> {
    let ours = |kept: &&Opaque| kept.is_from(model) && kept.field == CALL_FIELD;
    let kept = call.kept.as_ref().filter(ours)?;
    kept.value.as_object().filter(|_| !has_nul(&kept.value))
}

fn push_open_result(body: &mut Vec<u8>, result: &ToolResult, id: &str) {
    body.extend_from_slice(b"{\"type\":\"tool_result\",\"tool_use_id\":");
    push_string(body, id);
    body.extend_from_slice(b",\"content\":");
    let text = result.content.text();
    // The result of a failed call may not be empty.
    push_string(
        body,
        if text.trim().is_empty() {
            "(empty)"
        } else {
            text
        },
    );
    if result.kind == ResultKind::Error {
        body.extend_from_slice(b",\"is_error\":true");
    }
}

/// Whether the API takes `id`, and no call of an earlier message bears it: ids must be unique in
/// the whole conversation. The API draws its own so, and they can be told by how they begin.
fn is_sendable(id: &str, around: &Around<'_>) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let bears = |item: &HistoryItem| match item {
        HistoryItem::Exchange(exchange) => {
            let mut calls = exchange.message().calls();
            calls.any(|call| call.wire_id == id)
        }
        HistoryItem::Input(_) => false,
    };
    !id.is_empty()
        && id.bytes().all(allowed)
        && (id.starts_with("toolu_") || !around.earlier.iter().any(|item| bears(item)))
}

fn push_user(body: &mut Vec<u8>, words: &str) {
    begin_user(body);
    push_open_text(body, words);
    body.extend_from_slice(USER_END);
}

fn push_open_text(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(b"{\"type\":\"text\",\"text\":");
    push_string(body, text);
}

fn push_open_image(body: &mut Vec<u8>, media_type: &str, base64: &str, around: &Around<'_>) {
    body.extend_from_slice(b"{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":");
    push_string(body, media_type);
    body.extend_from_slice(b",\"data\":\"");
    push_base64(body, base64, around);
    body.extend_from_slice(b"\"}");
}

fn begin_user(body: &mut Vec<u8>) {
    begin(body);
    body.extend_from_slice(b"{\"role\":\"user\",\"content\":[");
}

/// Ends what comes before in a list, if there is something.
fn begin(body: &mut Vec<u8>) {
    if !body.ends_with(b"[") {
        body.push(b',');
    }
}
