//! Writes Responses requests, byte for byte, and remembers the bytes of the past.
//!
//! The body is `model, stream, store, include, instructions, tools, parallel_tool_calls, input,
//! reasoning, max_output_tokens`, in this order, so that everything that stays the same from step
//! to step stands first. The encoder keeps that part as bytes; a step costs the new history items
//! and one copy.

mod item;

use bowline_core::message::HistoryItem;
use bowline_core::{ReasoningEffort, Request};
use serde_json::{Value, json};

use crate::wire::image::openai_tokens;
use crate::wire::json::push_string;
use crate::wire::{Around, Encoder, Format, Placed};

/// The API refuses a lower limit.
const LEAST_OUTPUT_TOKENS: u64 = 16;

/// Makes an encoder that has seen nothing.
///
/// Nothing is stored by the server (`store: false`), so every request carries the whole
/// conversation, and the reasoning of earlier steps goes back in its encrypted form.
#[must_use]
pub fn encoder() -> Encoder {
    Encoder::new(Box::new(Responses))
}

#[derive(Debug)]
struct Responses;

impl Format for Responses {
    fn head(&self, body: &mut Vec<u8>, request: &Request) {
        push_head(body, request);
    }

    fn item(&self, body: &mut Vec<u8>, item: &HistoryItem, around: &Around<'_>) -> Placed {
        match item {
            HistoryItem::Input(input) => item::push_input(body, input, around),
            HistoryItem::Exchange(exchange) => item::push_exchange(body, exchange, around),
        }
        // Each item stands by itself: the API takes user messages in a row.
        Placed {
            joined: false,
            close: b"",
        }
    }

    fn tail(&self, body: &mut Vec<u8>, request: &Request) {
        push_tail(body, request);
    }

    fn image_tokens(&self, model: &str) -> u64 {
        openai_tokens(model)
    }
}

fn push_head(body: &mut Vec<u8>, request: &Request) {
    body.extend_from_slice(b"{\"model\":");
    push_string(body, request.model.model());
    body.extend_from_slice(
        b",\"stream\":true,\"store\":false,\"include\":[\"reasoning.encrypted_content\"]",
    );
    let prompt = &request.prompt;
    if !prompt.system.is_empty() {
        body.extend_from_slice(b",\"instructions\":");
        push_string(body, &prompt.system);
    }
    if !prompt.tools.is_empty() {
        body.extend_from_slice(b",\"tools\":");
        let tools = prompt.tools.iter().map(|tool| {
            json!({
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.input_schema,
                // Absent would mean true, which few ordinary schemas satisfy.
                "strict": false,
            })
        });
        body.extend_from_slice(Value::from_iter(tools).to_string().as_bytes());
        body.extend_from_slice(b",\"parallel_tool_calls\":true");
    }
    body.extend_from_slice(b",\"input\":[");
}

/// Writes what follows the last item.
fn push_tail(body: &mut Vec<u8>, request: &Request) {
    body.push(b']');
    match request.reasoning {
        None => {}
        Some(ReasoningEffort::Off) => {
            body.extend_from_slice(b",\"reasoning\":{\"effort\":\"none\"}");
        }
        Some(effort) => {
            let effort = effort.name();
            let reasoning =
                format!(",\"reasoning\":{{\"effort\":\"{effort}\",\"summary\":\"auto\"}}");
            body.extend_from_slice(reasoning.as_bytes());
        }
    }
    if let Some(most) = request.max_output_tokens {
        let most = most.max(LEAST_OUTPUT_TOKENS);
        body.extend_from_slice(format!(",\"max_output_tokens\":{most}").as_bytes());
    }
    body.push(b'}');
}

#[cfg(test)]
mod tests;
