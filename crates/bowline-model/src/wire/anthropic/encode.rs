//! Writes Messages requests.
//!
//! The body is `model, stream, tools, system, messages, max_tokens, thinking`, in this order, so
//! that everything that stays the same from step to step stands first.
//!
//! Marks of what the provider may cache (`cache_control`) stand at the end of the system text and
//! of the last two messages from our side: the one that is new, and the one that the request
//! before ended in. Those two move on from step to step, so the bytes around them change; the API
//! does not look at marks when it compares a request with what it holds. It looks back over 20
//! blocks from each mark only, and one step can add more than that: the second mark finds what the
//! request before wrote, whatever came since. All marks of a request ask for the same time.

mod message;

use std::sync::Arc;

use bowline_core::message::HistoryItem;
use bowline_core::{CacheTtl, Request};

use super::thinking;
use crate::wire::json::{push_string, push_value};
use crate::wire::{Around, Encoder, Format, Marks, Placed};

/// Makes an encoder of Messages requests that has seen nothing.
#[must_use]
pub fn encoder() -> Encoder {
    Encoder::new(Box::new(AnthropicFormat))
}

/// A mark, as a further field of the block that ends what may be cached.
const CACHE_MARK: &[u8] = b",\"cache_control\":{\"type\":\"ephemeral\"}";
/// One that asks for an hour.
const HOUR_MARK: &[u8] = b",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}";
/// What ends the head, after the object of the last tool or of the system text: with that object's
/// own end the mark of all that is frozen stands before it.
const HEAD_END: &[u8] = b"],\"messages\":[";

/// What an image takes at most, by the published limit of the models with the finest sight (4,784;
/// those before Claude Opus 4.7 shrink it to about 1,600), and what stands around it.
const IMAGE_TOKENS: u64 = 4_800;
/// The system text that the API adds as soon as there are tools: published are 159 to 530 tokens,
/// by model. Newer tokenizers count up to half more.
const TOOL_USE_TOKENS: u64 = 800;

#[derive(Debug)]
struct AnthropicFormat;

impl Format for AnthropicFormat {
    fn head(&self, body: &mut Vec<u8>, request: &Request) {
        let prompt = &request.prompt;
        let has_system = !prompt.system.trim().is_empty();
        body.extend_from_slice(b"{\"model\":");
        push_string(body, request.model.model());
        body.extend_from_slice(b",\"stream\":true");
        if !prompt.tools.is_empty() {
            body.extend_from_slice(b",\"tools\":[");
            for (at, tool) in prompt.tools.iter().enumerate() {
                body.extend_from_slice(if at > 0 {
                    b",{\"name\":"
                } else {
                    b"{\"name\":"
                });
                push_string(body, &tool.name);
                body.extend_from_slice(b",\"description\":");
                push_string(body, &tool.description);
                body.extend_from_slice(b",\"input_schema\":");
                push_value(body, &tool.input_schema);
                body.push(b'}');
            }
            if has_system {
                body.push(b']');
            }
        }
        if has_system {
            body.extend_from_slice(b",\"system\":[{\"type\":\"text\",\"text\":");
            push_string(body, &prompt.system);
            body.push(b'}');
        }
        let is_bare = !has_system && prompt.tools.is_empty();
        body.extend_from_slice(if is_bare { &HEAD_END[1..] } else { HEAD_END });
    }

    fn item(&self, body: &mut Vec<u8>, item: &HistoryItem, around: &Around<'_>) -> Placed {
        match item {
            HistoryItem::Input(input) => message::push_input(body, input, around),
            HistoryItem::Exchange(exchange) => message::push_exchange(body, exchange, around),
        }
    }

    fn tail(&self, body: &mut Vec<u8>, request: &Request) {
        if matches!(request.history.last().map(Arc::as_ref), Some(item) if !ends_in_our_message(item))
        {
            message::push_going_on(body);
        }
        let most = thinking::max_tokens(request);
        body.extend_from_slice(format!("],\"max_tokens\":{most}").as_bytes());
        body.extend_from_slice(thinking::parameters(request).as_bytes());
        body.push(b'}');
    }

    fn marks(&self, request: &Request) -> Marks {
        let (history, prompt) = (&request.history, &request.prompt);
        let is_exchange = |item: &Arc<HistoryItem>| matches!(**item, HistoryItem::Exchange(_));
        let last_exchange = history.iter().rposition(is_exchange);
        // The request before this one ended right before the last reply.
        let before = last_exchange.and_then(|at| at.checked_sub(1));
        let places = before.into_iter().chain(history.len().checked_sub(1));
        let places = places.filter(|at| ends_in_our_message(&history[*at]));
        let is_bare = prompt.system.trim().is_empty() && prompt.tools.is_empty();
        Marks {
            mark: match request.cache_ttl {
                CacheTtl::Hour => HOUR_MARK,
                CacheTtl::Auto | CacheTtl::FiveMinutes => CACHE_MARK,
            },
            before_head_end: (!is_bare).then_some(HEAD_END.len() + 1),
            places: places.collect(),
        }
    }

    fn image_tokens(&self, _model: &str) -> u64 {
        IMAGE_TOKENS
    }

    fn hidden_tokens(&self, request: &Request) -> u64 {
        if request.prompt.tools.is_empty() {
            0
        } else {
            TOOL_USE_TOKENS
        }
    }
}

/// Whether an item leaves off in a user message: words, or the results of calls.
fn ends_in_our_message(item: &HistoryItem) -> bool {
    match item {
        HistoryItem::Input(_) => true,
        HistoryItem::Exchange(exchange) => !exchange.results().is_empty(),
    }
}

#[cfg(test)]
mod tests;
