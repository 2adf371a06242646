//! The input items of one history item.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_core::message::{Input, Opaque};
use bowline_core::{AssistantMessage, Block, Exchange, HistoryItem, ModelRef, ToolCall};
use serde_json::{Map, Value};

use crate::wire::image::{Image, image, push_base64};
use crate::wire::json::{has_nul, push_string};
use crate::wire::responses::{CALL, MESSAGE, REASONING};
use crate::wire::words::{spoken, tool_name};
use crate::wire::{Around, is_json_object, made_wire_id};

/// Longest id that the API takes, in bytes.
const MOST_ID_BYTES: usize = 64;

/// Items of tools that run on the server: they go back as they came and want no answer of ours.
const WITHOUT_ANSWER: [&str; 5] = [
    "code_interpreter_call",
    "compaction",
    "file_search_call",
    "image_generation_call",
    "web_search_call",
];

/// Which ids of a reply stand for something else already. The API pairs calls with outputs, and
/// finds items, over the whole input: no id may stand there twice.
struct Taken<'a> {
    calls: BTreeSet<&'a str>,
    items: BTreeSet<&'a str>,
}

impl<'a> Taken<'a> {
    fn find(message: &'a AssistantMessage, earlier: &[Arc<HistoryItem>]) -> Self {
        let mut ours = Self {
            calls: message.calls().map(|call| call.wire_id.as_str()).collect(),
            items: message.blocks.iter().filter_map(item_id).collect(),
        };
        let (mut calls, mut items) = (BTreeSet::new(), BTreeSet::new());
        let exchanges = earlier.iter().filter_map(|item| match item.as_ref() {
            HistoryItem::Exchange(exchange) => Some(exchange.message()),
            HistoryItem::Input(_) => None,
        });
        for block in exchanges.flat_map(|message| &message.blocks) {
            if let Block::Call(call) = block {
                calls.extend(ours.calls.get(call.wire_id.as_str()));
            }
            items.extend(item_id(block).and_then(|id| ours.items.get(id)));
        }
        (ours.calls, ours.items) = (calls, items);
        ours
    }

    /// Takes an item's id for this very item; `false` if it cannot be had.
    fn take_item(&mut self, id: &'a str) -> bool {
        self.items.insert(id)
    }

    /// The id for a call: as received, or a made one where that is empty, too long, unsendable or
    /// taken.
    fn call_id(&mut self, call: &'a ToolCall) -> String {
        let sendable =
            (1..=MOST_ID_BYTES).contains(&call.wire_id.len()) && !call.wire_id.contains('\0');
        if sendable && self.calls.insert(&call.wire_id) {
            call.wire_id.clone()
        } else {
            made_wire_id(call.id)
        }
    }
}

/// The id of the item that a block is, or belongs to.
fn item_id(block: &Block) -> Option<&str> {
    let fields = match block {
        Block::Opaque(opaque) => &opaque.value,
        Block::Call(call) => &call.kept.as_ref()?.value,
        Block::Text { .. } | Block::Reasoning { .. } => return None,
    };
    fields.get("id")?.as_str()
}

/// Writes a user message.
pub(super) fn push_input(body: &mut Vec<u8>, input: &Input, around: &Around<'_>) {
    begin(body);
    body.extend_from_slice(b"{\"type\":\"message\",\"role\":\"user\",\"content\":[");
    push_text_part(body, &spoken(&input.text));
    for shown in &input.images {
        body.push(b',');
        match image(shown, around) {
            Image::There(media_type, data) => {
                body.extend_from_slice(
                    b"{\"type\":\"input_image\",\"detail\":\"auto\",\"image_url\":\"data:",
                );
                body.extend_from_slice(media_type.as_bytes());
                body.extend_from_slice(b";base64,");
                push_base64(body, &data, around);
                body.extend_from_slice(b"\"}");
            }
            Image::Missing(words) => push_text_part(body, &words),
        }
    }
    body.extend_from_slice(b"]}");
}

fn push_text_part(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(b"{\"type\":\"input_text\",\"text\":");
    push_string(body, text);
    body.push(b'}');
}

/// Writes the items of a reply in the order they came, then the outputs of its calls.
pub(super) fn push_exchange(body: &mut Vec<u8>, exchange: &Exchange, around: &Around<'_>) {
    let mut taken = Taken::find(exchange.message(), around.earlier);
    let calls = exchange.message().calls();
    let ids: Vec<String> = calls.map(|call| taken.call_id(call)).collect();
    let blocks = &exchange.message().blocks;
    // The API refuses reasoning that nothing follows: it belongs to the item after it.
    let carries = |block: &Block| match block {
        Block::Text { text } => !text.is_empty(),
        block => matches!(block, Block::Call(_)),
    };
    let last = blocks.iter().rposition(carries);
    let blocks = &blocks[..last.map_or(0, |last| last + 1)];
    let mut writer = Writer {
        body,
        model: around.model,
        taken,
        frame: None,
        bare: false,
    };
    let mut ids_left = ids.iter();
    let mut rest = blocks;
    while let Some((block, after)) = rest.split_first() {
        rest = after;
        match block {
            Block::Text { text } => {
                let more = rest.iter().map_while(|block| match block {
                    Block::Text { text } => Some(text.as_str()),
                    _ => None,
                });
                let texts: Vec<&str> = std::iter::once(text.as_str()).chain(more).collect();
                rest = &rest[texts.len() - 1..];
                writer.message(&texts);
            }
            Block::Call(call) => {
                if let Some(id) = ids_left.next() {
                    writer.call(call, id);
                }
            }
            Block::Opaque(opaque) if opaque.is_from(around.model) => writer.opaque(opaque),
            Block::Opaque(_) | Block::Reasoning { .. } => {}
        }
    }
    for (result, id) in exchange.results().iter().zip(&ids) {
        begin(body);
        body.extend_from_slice(b"{\"type\":\"function_call_output\",\"call_id\":");
        push_string(body, id);
        body.extend_from_slice(b",\"output\":");
        push_string(body, result.content.text());
        body.push(b'}');
    }
}

/// Writes the items of one reply.
struct Writer<'a> {
    body: &'a mut Vec<u8>,
    model: &'a ModelRef,
    taken: Taken<'a>,
    /// Fields of the message item whose text comes next.
    frame: Option<&'a Map<String, Value>>,
    /// Whether reasoning was left out just before: the API refuses a known item without its own,
    /// so the next one goes without its id.
    bare: bool,
}

impl<'a> Writer<'a> {
    fn message(&mut self, texts: &[&str]) {
        let texts = texts.iter().filter(|text| !text.is_empty());
        if texts.clone().next().is_none() {
            return;
        }
        begin(self.body);
        self.body
            .extend_from_slice(b"{\"type\":\"message\",\"role\":\"assistant\"");
        let frame = self.frame.take();
        self.kept(frame, "msg", &["content", "role"]);
        self.body.extend_from_slice(b",\"content\":[");
        for (at, text) in texts.enumerate() {
            if at > 0 {
                self.body.push(b',');
            }
            self.body
                .extend_from_slice(b"{\"type\":\"output_text\",\"text\":");
            push_string(self.body, text);
            self.body.extend_from_slice(b",\"annotations\":[]}");
        }
        self.body.extend_from_slice(b"]}");
    }

    fn call(&mut self, call: &'a ToolCall, id: &str) {
        self.frame = None;
        begin(self.body);
        self.body.extend_from_slice(b"{\"type\":\"function_call\"");
        let kept = call.kept.as_ref().filter(|kept| kept.is_from(self.model));
        let kept = kept
            .filter(|kept| kept.field == CALL)
            .and_then(|kept| kept.value.as_object());
        self.kept(kept, "fc", &["arguments", "call_id", "name", "output"]);
        // Many servers parse the arguments of the past, and refuse the request if they cannot.
        let arguments = if is_json_object(&call.arguments) {
            &call.arguments
        } else {
            "{}"
        };
        for (key, value) in [
            ("call_id", id),
            ("name", tool_name(&call.name)),
            ("arguments", arguments),
        ] {
            self.body.push(b',');
            push_string(self.body, key);
            self.body.push(b':');
            push_string(self.body, value);
        }
        self.body.push(b'}');
    }

    fn opaque(&mut self, opaque: &'a Opaque) {
        let Some(item) = opaque.value.as_object() else {
            return;
        };
        if has_nul(&opaque.value) {
            return;
        }
        if opaque.field == MESSAGE {
            self.frame = Some(item);
            return;
        }
        if item.get("type").and_then(Value::as_str) != Some(opaque.field.as_str()) {
            return;
        }
        if opaque.field == REASONING {
            if self.bare || !is_sendable_reasoning(item) {
                self.bare = true;
                return;
            }
            begin(self.body);
            self.body.extend_from_slice(b"{\"type\":\"reasoning\"");
            self.kept(Some(item), "rs", &[]);
            self.body.push(b'}');
        } else if WITHOUT_ANSWER.contains(&opaque.field.as_str()) {
            begin(self.body);
            self.body.extend_from_slice(b"{\"type\":");
            push_string(self.body, &opaque.field);
            self.kept(Some(item), "", &[]);
            self.body.push(b'}');
        }
    }

    /// Writes the fields of an item that nobody here reads, its id included.
    fn kept(&mut self, fields: Option<&'a Map<String, Value>>, prefix: &str, written: &[&str]) {
        let bare = std::mem::take(&mut self.bare);
        for (key, value) in fields.into_iter().flatten() {
            let fits = |id: &'a str| !bare && is_item_id(id, prefix) && self.taken.take_item(id);
            let unfit_id = key == "id" && !value.as_str().is_some_and(fits);
            let written = key == "type" || written.contains(&key.as_str());
            if unfit_id || written || key.contains('\0') || has_nul(value) {
                continue;
            }
            self.body.push(b',');
            push_string(self.body, key);
            self.body.push(b':');
            self.body.extend_from_slice(value.to_string().as_bytes());
        }
    }
}

/// Whether the server can make something of a reasoning item: without either its encrypted form or
/// its words it would have to be stored there, and nothing is.
fn is_sendable_reasoning(item: &Map<String, Value>) -> bool {
    let filled = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(parts) => !parts.is_empty(),
        _ => false,
    };
    let has = |key: &str| item.get(key).is_some_and(filled);
    item.get("summary").is_some_and(Value::is_array) && (has("encrypted_content") || has("content"))
}

/// Whether the API takes `id` for an item of that kind.
fn is_item_id(id: &str, prefix: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let sized = (1..=MOST_ID_BYTES).contains(&id.len());
    sized && id.starts_with(prefix) && id.bytes().all(allowed)
}

/// Ends the item before, if there is one.
fn begin(body: &mut Vec<u8>) {
    if !body.ends_with(b"[") {
        body.push(b',');
    }
}
