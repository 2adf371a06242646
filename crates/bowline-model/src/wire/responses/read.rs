//! Reads a Responses reply: a stream of events, or one whole response.

mod fields;
mod items;

use bowline_core::event::ReplyStop;
use bowline_core::{FailureKind, ModelRef, ProviderFailure, Usage};
use serde_json::{Map, Value};

use self::fields::{Place, text_at};
use self::items::Items;
use crate::provider::Reply;
use crate::wire::{Fault, Parser, Voice};

/// A reply that is being read.
///
/// What an item says when it is done is the truth about it; deltas are for those who watch, and
/// stand in only where a server never says that the item is done.
pub(crate) struct ResponsesParser {
    model: ModelRef,
    items: Items,
    end: Option<ReplyStop>,
    /// Why it is incomplete, if for a reason that nobody here knows.
    reason: Option<Value>,
    usage: Option<Usage>,
}

impl ResponsesParser {
    /// Makes a parser for one reply.
    pub(crate) fn new(voice: Voice) -> Self {
        Self {
            model: voice.model.clone(),
            items: Items::new(voice),
            end: None,
            reason: None,
            usage: None,
        }
    }

    /// Takes in the response as it stands at its end.
    fn ended(&mut self, response: &Map<String, Value>, status: &str) -> Result<(), Fault> {
        self.take_usage(response);
        match status {
            "completed" => self.end = Some(ReplyStop::Finished),
            "incomplete" => {
                let details = response.get("incomplete_details");
                let reason = details.map_or(&Value::Null, |details| &details["reason"]);
                self.end = Some(match reason.as_str() {
                    Some("content_filter") => ReplyStop::Refused,
                    Some("max_output_tokens" | "max_tokens") => ReplyStop::Length,
                    // Whatever kept it from its end, it has none.
                    _ => {
                        self.reason = Some(reason.clone());
                        ReplyStop::Length
                    }
                });
            }
            _ => return Err(Fault::Error(failure(response, status))),
        }
        if let Some(output) = response.get("output").and_then(Value::as_array) {
            self.items.settle(output);
        }
        Ok(())
    }

    fn take_usage(&mut self, response: &Map<String, Value>) {
        if let Some(usage) = response.get("usage").and_then(fields::usage) {
            self.usage = Some(usage);
        }
    }
}

/// What a response says of its own failure.
fn failure(response: &Map<String, Value>, status: &str) -> Value {
    match response.get("error") {
        None | Some(Value::Null) => Value::String(format!("the response is {status}")),
        Some(error) => error.clone(),
    }
}

impl Parser for ResponsesParser {
    fn dialect(&self) -> &'static str {
        "Responses"
    }

    fn event(&mut self, name: &str, data: Map<String, Value>) -> Result<(), Fault> {
        let kind = match text_at(&data, "type") {
            "" => name,
            kind => kind,
        };
        let response = data.get("response").and_then(Value::as_object);
        let item = data.get("item").and_then(Value::as_object);
        let place = Place::of(&data);
        let delta = text_at(&data, "delta");
        match kind {
            "error" => return Err(Fault::Error(Value::Object(data))),
            "response.completed"
            | "response.done"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled" => {
                let Some(response) = response else {
                    return Err(Fault::Malformed(format!(
                        "`{kind}` comes without a response"
                    )));
                };
                let status = match (kind, text_at(response, "status")) {
                    ("response.failed", _) => "failed",
                    ("response.cancelled", _) => "cancelled",
                    ("response.incomplete", _) | (_, "incomplete") => "incomplete",
                    (_, "failed") => "failed",
                    _ => "completed",
                };
                return self.ended(response, status);
            }
            "response.output_item.added" => {
                if let Some(item) = item {
                    self.items.added(&place, item);
                }
            }
            "response.output_item.done" => {
                if let Some(item) = item {
                    self.items.done(&place, item);
                }
            }
            "response.output_text.delta" => self.items.text(&place, delta, false, false),
            "response.output_text.done" => {
                self.items.text(&place, text_at(&data, "text"), false, true);
            }
            "response.refusal.delta" => self.items.text(&place, delta, true, false),
            "response.refusal.done" => {
                self.items
                    .text(&place, text_at(&data, "refusal"), true, true);
            }
            "response.reasoning_summary_text.delta" => self.items.thought(&place, delta, true),
            "response.reasoning_text.delta" => self.items.thought(&place, delta, false),
            "response.function_call_arguments.delta" => self.items.arguments(&place, delta, false),
            "response.function_call_arguments.done" => {
                self.items
                    .arguments(&place, text_at(&data, "arguments"), true);
            }
            // Other dialects name no event and give it no type.
            "" | "message" => {
                if data.get("error").is_some_and(|error| !error.is_null()) {
                    return Err(Fault::Error(Value::Object(data)));
                }
                return Err(Fault::Malformed("an event has no type".to_owned()));
            }
            _ => {}
        }
        if self.items.overflow() {
            return Err(Fault::Malformed(
                "it has more items than a reply can hold".to_owned(),
            ));
        }
        Ok(())
    }

    fn whole(&mut self, document: Map<String, Value>) -> Result<(), Fault> {
        if !document.get("output").is_some_and(Value::is_array) {
            return match document.get("error") {
                None | Some(Value::Null) => Err(Fault::Foreign),
                Some(_) => Err(Fault::Error(Value::Object(document))),
            };
        }
        match text_at(&document, "status") {
            // Some servers leave the status out of a response that is whole.
            "" => self.ended(&document, "completed"),
            status => self.ended(&document, status),
        }
    }

    fn is_done(&self) -> bool {
        self.end.is_some()
    }

    fn is_complete(&self) -> bool {
        self.end.is_some()
    }

    fn is_untouched(&self) -> bool {
        self.items.is_empty()
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn finish(self: Box<Self>) -> Result<Reply, ProviderFailure> {
        // Asked only once it is complete; what is not is no finished reply.
        let end = self.end.unwrap_or(ReplyStop::Length);
        let (mut message, refused) = self.items.finish(end);
        let stop = match end {
            ReplyStop::Finished if refused => ReplyStop::Refused,
            end => end,
        };
        if stop == ReplyStop::Finished && message.is_empty() {
            return Err(ProviderFailure::new(
                FailureKind::Empty,
                format!("{} replied with neither text nor a tool call", self.model),
            ));
        }
        if let Some(reason) = self.reason {
            message.extra.insert("incomplete_reason".to_owned(), reason);
        }
        Ok(Reply {
            message,
            stop,
            usage: self.usage,
            request_id: None,
        })
    }
}

#[cfg(test)]
mod tests;
