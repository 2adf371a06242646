//! Tells by its shape which dialect an object is of.

use serde_json::{Map, Value};

/// One dialect as others meet it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// A word of the dialect's name.
    pub(crate) word: &'static str,
    /// The provider that speaks it.
    pub(crate) provider: &'static str,
}

const CHAT: Shape = Shape {
    word: "Chat",
    provider: "openai-chat",
};
const RESPONSES: Shape = Shape {
    word: "Responses",
    provider: "openai",
};
const MESSAGES: Shape = Shape {
    word: "Messages",
    provider: "anthropic",
};

/// The dialect of an event's or document's object; `None` unless it is plain.
pub(crate) fn of(object: &Map<String, Value>) -> Option<Shape> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (kind, class) = (text("type"), text("object"));
    if class.starts_with("chat.completion") || object.get("choices").is_some_and(Value::is_array) {
        return Some(CHAT);
    }
    if class == "response" || kind.starts_with("response.") {
        return Some(RESPONSES);
    }
    let block = kind.starts_with("message_") || kind.starts_with("content_block_");
    let document = kind == "message" && object.contains_key("content");
    (block || document).then_some(MESSAGES)
}

#[cfg(test)]
mod tests;
