//! Writes Chat Completions requests, byte for byte, and remembers the bytes of the past.
//!
//! The body is `model, stream, stream_options, tools, messages, max tokens`, in this order, so that
//! everything that stays the same from step to step stands first. The encoder keeps that part as
//! bytes; a step costs the new history items and one copy.

mod message;

use std::sync::Arc;

use bowline_core::message::HistoryItem;
use bowline_core::request::FrozenPrompt;
use bowline_core::{Digest, ModelRef, Request};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::json::push_string;

/// How the server wants the longest reply to be spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxTokensField {
    /// `max_completion_tokens`: OpenAI itself, whose newer models refuse the older name.
    MaxCompletionTokens,
    /// `max_tokens`: the name that compatible servers know.
    MaxTokens,
}

impl MaxTokensField {
    const fn name(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
        }
    }
}

/// Encodes the requests of one conversation. Gives the same bytes as a fresh encoder would,
/// whatever it was asked before.
#[derive(Debug)]
pub struct Encoder {
    max_tokens_field: MaxTokensField,
    /// What the bytes before the messages were made from.
    base: Option<(ModelRef, Arc<FrozenPrompt>)>,
    /// The items whose bytes `body` holds. They are kept alive, so that no other item can come to
    /// lie at the address of one.
    items: Vec<Arc<HistoryItem>>,
    /// For each item, where its message begins and where its bytes end.
    marks: Vec<Mark>,
    /// The request up to the last item; its last user message is not closed yet.
    body: Vec<u8>,
    /// Where the messages begin.
    head_bytes: usize,
    hasher: Sha256,
    hashed_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    start: usize,
    end: usize,
}

impl Encoder {
    /// Makes an encoder that has seen nothing.
    #[must_use]
    pub fn new(max_tokens_field: MaxTokensField) -> Self {
        Self {
            max_tokens_field,
            base: None,
            items: Vec::new(),
            marks: Vec::new(),
            body: Vec::new(),
            head_bytes: 0,
            hasher: Sha256::new(),
            hashed_bytes: 0,
        }
    }

    /// Gives the body of `request`. Items that are the same `Arc`s as last time, from the first
    /// one on, are not encoded again.
    pub fn encode(&mut self, request: &Request) -> Vec<u8> {
        self.rebase(request);
        let known = self.items.iter().zip(&request.history);
        let known = known.take_while(|(old, new)| Arc::ptr_eq(old, new)).count();
        self.truncate(known);
        for item in &request.history[known..] {
            self.push(item);
        }
        let limit = request.max_output_tokens;
        let limit = limit.map(|most| format!(",\"{}\":{most}", self.max_tokens_field.name()));
        let limit = limit.unwrap_or_default();
        let mut body = Vec::with_capacity(self.body.len() + limit.len() + 4);
        body.extend_from_slice(&self.body);
        if self.ends_in_input() {
            body.extend_from_slice(message::USER_END);
        }
        body.push(b']');
        body.extend_from_slice(limit.as_bytes());
        body.push(b'}');
        body
    }

    /// SHA-256 over the last encoded body up to its last message (the last exchange, or the user
    /// message it ends in), and how many bytes that is. The next request of an unchanged
    /// conversation begins with the very same bytes: a provider's cache can hold them.
    pub fn prefix_hash(&mut self) -> (Digest, usize) {
        let prefix_bytes = self.marks.last().map_or(self.head_bytes, |mark| mark.start);
        if self.hashed_bytes > prefix_bytes {
            self.hasher = Sha256::new();
            self.hashed_bytes = 0;
        }
        self.hasher
            .update(&self.body[self.hashed_bytes..prefix_bytes]);
        self.hashed_bytes = prefix_bytes;
        (
            Digest::from_bytes(self.hasher.clone().finalize().into()),
            prefix_bytes,
        )
    }

    /// Writes everything before the messages anew if it is not what it was.
    fn rebase(&mut self, request: &Request) {
        let same = self.base.as_ref().is_some_and(|(model, prompt)| {
            *model == request.model && Arc::ptr_eq(prompt, &request.prompt)
        });
        if same {
            return;
        }
        self.items.clear();
        self.marks.clear();
        self.body.clear();
        self.hasher = Sha256::new();
        self.hashed_bytes = 0;
        self.push_head(request);
        self.head_bytes = self.body.len();
        self.base = Some((request.model.clone(), Arc::clone(&request.prompt)));
    }

    fn push_head(&mut self, request: &Request) {
        let body = &mut self.body;
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

    /// Forgets all items but the first `known`.
    fn truncate(&mut self, known: usize) {
        self.items.truncate(known);
        self.marks.truncate(known);
        self.body
            .truncate(self.marks.last().map_or(self.head_bytes, |mark| mark.end));
        if self.hashed_bytes > self.body.len() {
            self.hasher = Sha256::new();
            self.hashed_bytes = 0;
        }
    }

    fn push(&mut self, item: &Arc<HistoryItem>) {
        let model = self.base.as_ref().map(|(model, _)| model);
        let was_input = matches!(
            self.items.last().map(Arc::as_ref),
            Some(HistoryItem::Input(_))
        );
        let start = match (item.as_ref(), self.marks.last()) {
            (HistoryItem::Input(input), Some(open)) if was_input => {
                message::push_more_user(&mut self.body, &input.text);
                open.start
            }
            (HistoryItem::Input(input), _) => {
                let start = self.body.len();
                message::push_user(&mut self.body, &input.text);
                start
            }
            (HistoryItem::Exchange(exchange), last) => {
                if last.is_none() {
                    message::push_opening(&mut self.body);
                }
                if was_input {
                    self.body.extend_from_slice(message::USER_END);
                }
                let start = self.body.len();
                message::push_exchange(&mut self.body, exchange, model);
                start
            }
        };
        self.items.push(Arc::clone(item));
        self.marks.push(Mark {
            start,
            end: self.body.len(),
        });
    }

    fn ends_in_input(&self) -> bool {
        matches!(
            self.items.last().map(Arc::as_ref),
            Some(HistoryItem::Input(_))
        )
    }
}

#[cfg(test)]
mod tests;
