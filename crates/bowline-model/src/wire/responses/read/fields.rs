//! Fields of events that more than one kind of event has.

use bowline_core::Usage;
use serde_json::{Map, Value};

use crate::wire::json::count;

/// Which item, and which part of it, an event is about.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) index: Option<u64>,
    /// Empty when absent.
    pub(super) id: String,
    /// The index of the text or summary within the item.
    pub(super) part: u64,
}

impl Place {
    pub(super) fn of(event: &Map<String, Value>) -> Self {
        let number = |key: &str| event.get(key).and_then(Value::as_u64);
        let item = event.get("item").and_then(Value::as_object);
        let id = match text_at(event, "item_id") {
            "" => item.map_or("", |item| text_at(item, "id")),
            id => id,
        };
        Self {
            index: number("output_index"),
            id: id.to_owned(),
            part: number("content_index")
                .or_else(|| number("summary_index"))
                .unwrap_or(0),
        }
    }
}

/// The string at `key`; empty if there is none.
pub(super) fn text_at<'a>(map: &'a Map<String, Value>, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Reads token counts; `None` if there are none.
pub(super) fn usage(usage: &Value) -> Option<Usage> {
    let input = count(&usage["input_tokens"]);
    let output = count(&usage["output_tokens"]);
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input_tokens, output_tokens) = (input.unwrap_or(0), output.unwrap_or(0));
    let cached = count(&usage["input_tokens_details"]["cached_tokens"]);
    let reasoning = count(&usage["output_tokens_details"]["reasoning_tokens"]);
    Some(Usage {
        input_tokens,
        cached_input_tokens: cached.unwrap_or(0).min(input_tokens),
        cache_write_tokens: 0,
        output_tokens,
        reasoning_tokens: reasoning.unwrap_or(0),
    })
}
