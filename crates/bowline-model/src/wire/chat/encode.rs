//! Writes Chat Completions requests.
//!
//! The body is `model, stream, stream_options, tools, messages, max tokens`, in this order, so that
//! everything that stays the same from step to step stands first.

mod message;

pub(super) use message::CALL_FIELD;

use bowline_core::message::HistoryItem;
use bowline_core::{ReasoningEffort, Request};
use serde_json::{Value, json};

use crate::wire::image::compatible_tokens;
use crate::wire::json::push_string;
use crate::wire::{Around, Encoder, Format, Placed};

/// How the server wants the longest reply to be spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxTokensField {
    /// `max_completion_tokens`: OpenAI itself, whose newer models refuse the older name.
    MaxCompletionTokens,
    /// `max_tokens`: the name that compatible servers know.
    MaxTokens,
}

impl MaxTokensField {
    /// The spelling that the server at `host` knows.
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        match host {
            "api.openai.com" => Self::MaxCompletionTokens,
            _ => Self::MaxTokens,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
        }
    }
}

/// Makes an encoder of Chat Completions requests that has seen nothing.
#[must_use]
pub fn encoder(max_tokens_field: MaxTokensField) -> Encoder {
    Encoder::new(Box::new(ChatFormat { max_tokens_field }))
}

#[derive(Debug)]
struct ChatFormat {
    max_tokens_field: MaxTokensField,
}

impl Format for ChatFormat {
    fn head(&self, body: &mut Vec<u8>, request: &Request) {
        body.extend_from_slice(b"{\"model\":");
        push_string(body, request.model.model());
        body.extend_from_slice(b",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
        let prompt = &request.prompt;
        if !prompt.tools.is_empty() {
            body.extend_from_slice(b",\"tools\":");
            let tools = prompt.tools.iter().map(|tool| {
                json!({"type": "function", "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.input_schema,
                }})
            });
            body.extend_from_slice(Value::from_iter(tools).to_string().as_bytes());
        }
        body.extend_from_slice(b",\"messages\":[");
        if !prompt.system.is_empty() {
            body.extend_from_slice(b"{\"role\":\"system\",\"content\":");
            push_string(body, &prompt.system);
            body.push(b'}');
        }
    }

    fn item(&self, body: &mut Vec<u8>, item: &HistoryItem, around: &Around<'_>) -> Placed {
        match item {
            HistoryItem::Input(input) => message::push_input(body, input, around),
            HistoryItem::Exchange(exchange) => {
                if around.before.is_none() {
                    message::push_opening(body);
                }
                body.extend_from_slice(around.close);
                message::push_exchange(body, exchange, around.model);
                Placed {
                    joined: false,
                    close: b"",
                }
            }
        }
    }

    fn reopen(
        &self,
        open: &mut Vec<u8>,
        item: &HistoryItem,
        close: &'static [u8],
    ) -> Option<&'static [u8]> {
        matches!(item, HistoryItem::Input(input) if !input.images.is_empty())
            .then(|| message::make_parts(open, close))?
    }

    fn tail(&self, body: &mut Vec<u8>, request: &Request) {
        body.push(b']');
        if let Some(most) = request.max_output_tokens {
            let field = self.max_tokens_field.name();
            body.extend_from_slice(format!(",\"{field}\":{most}").as_bytes());
        }
        // Servers that know no such field are many, so it is there only when it was asked for;
        // how to ask for no reasoning, each spells in its own way.
        if let Some(effort) = request
            .reasoning
            .filter(|effort| *effort != ReasoningEffort::Off)
        {
            body.extend_from_slice(
                format!(",\"reasoning_effort\":\"{}\"", effort.name()).as_bytes(),
            );
        }
        body.push(b'}');
    }

    fn image_tokens(&self, model: &str) -> u64 {
        compatible_tokens(model)
    }
}

#[cfg(test)]
mod tests;
