//! The Responses wire format of replies, and how requests are read.

mod frames;

use bowline_model::scenario::{Answer, History, PlayedCall, RequestView, Stop};
use serde_json::{Value, json};

use super::chat::{CREATED, error, status_error};
use super::http::Request;
use super::send::Response;
use super::wire::{Unauthorised, Wire, bearer};
use crate::strict::Violation;
use crate::strict::chat::text_of;
use crate::strict::responses::{Session, check_allowing, check_to_count, kind_of, messages, reply};
use crate::strict::session::{Check, Reasoning};

/// Responses with one client.
#[derive(Debug)]
pub(super) struct Responses {
    session: Session,
}

impl Responses {
    pub(super) fn new(reasoning: Reasoning) -> Self {
        Self {
            session: Session::new(reasoning),
        }
    }
}

impl Wire for Responses {
    fn authorise(&self, request: &Request, key: Option<&str>) -> Result<(), Unauthorised> {
        bearer(request, key)
    }

    fn check(&mut self, body: &Value, history: History) -> Result<Check, Violation> {
        check_allowing(body, self.session.asked_for())?;
        let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
        self.session.request(&messages(items), history)
    }

    fn check_count(&self, body: &Value) -> Result<(), Violation> {
        check_to_count(body, self.session.asked_for())
    }

    fn counted(&self) -> Value {
        json!({"object": "response.input_tokens"})
    }

    fn replied(&mut self, answer: &Answer) {
        let cut_by_limit = matches!(answer.stop, Stop::Length | Stop::ContentFilter);
        self.session.replied(&reply(&items(answer)), cut_by_limit);
    }

    fn replied_unknown(&mut self) {
        self.session.replied_unknown();
    }

    fn not_delivered(&mut self) {
        self.session.not_delivered();
    }

    fn view(&self, body: &Value) -> RequestView {
        view(body)
    }

    fn document(&self, answer: &Answer) -> Value {
        whole(answer)
    }

    fn frames(&self, answer: &Answer, _body: &Value, seed: Option<u64>) -> Vec<Vec<u8>> {
        frames::frames(answer, seed)
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn status_error(&self, status: u16) -> Response {
        status_error(status)
    }

    fn invalid(&self, status: u16, code: &str, message: &str, at: Option<&str>) -> Response {
        error(status, "invalid_request_error", code, message, at)
    }
}

/// The reply as the list of its items, as the whole response and the next request carry them.
fn items(answer: &Answer) -> Vec<Value> {
    let reasoning = answer.reasoning.as_deref();
    let reasoning = reasoning.map(|text| reasoning_item(answer, text));
    // An empty text beside calls is no message.
    let text = answer.text.as_deref();
    let text = text.filter(|text| !text.is_empty() || answer.calls.is_empty());
    let message = text.map(|text| message_item(answer, text));
    let calls = answer.calls.iter().enumerate();
    let calls = calls.map(|(i, call)| call_item(answer, i, call));
    reasoning.into_iter().chain(message).chain(calls).collect()
}

fn reasoning_item(answer: &Answer, text: &str) -> Value {
    json!({
        "id": format!("rs_{}", answer.request),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": format!("gAAAA-{}-{}", answer.request, text.len()),
    })
}

fn message_item(answer: &Answer, text: &str) -> Value {
    let phase = if answer.calls.is_empty() {
        "final_answer"
    } else {
        "commentary"
    };
    json!({
        "id": format!("msg_{}", answer.request),
        "type": "message",
        "status": item_status(answer),
        "role": "assistant",
        "phase": phase,
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    })
}

/// One call, with a field that most clients do not know and should keep.
fn call_item(answer: &Answer, position: usize, call: &PlayedCall) -> Value {
    json!({
        "id": format!("fc_{}_{position}", answer.request),
        "type": "function_call",
        "status": item_status(answer),
        "call_id": call.id,
        "name": call.tool,
        "arguments": call.arguments,
        "provider_specific": {"signature": format!("signature-{}-{position}", answer.request)},
    })
}

fn item_status(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Length => "incomplete",
        _ => "completed",
    }
}

/// The response as it stands when it is over.
fn whole(answer: &Answer) -> Value {
    let (status, reason) = match answer.stop {
        Stop::Stop | Stop::ToolCalls => ("completed", None),
        Stop::Length => ("incomplete", Some("max_output_tokens")),
        Stop::ContentFilter => ("incomplete", Some("content_filter")),
    };
    let mut response = envelope(answer, status);
    response["incomplete_details"] = reason.map_or(Value::Null, |reason| json!({"reason": reason}));
    response["output"] = Value::Array(items(answer));
    response["usage"] = usage(answer);
    response
}

/// The response without what it says.
fn envelope(answer: &Answer, status: &str) -> Value {
    json!({
        "id": format!("resp_{}", answer.request),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": null,
        "incomplete_details": null,
        "model": answer.model,
        "output": [],
        "parallel_tool_calls": true,
        "store": false,
        "usage": null,
    })
}

fn usage(answer: &Answer) -> Value {
    let usage = answer.usage;
    json!({
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
    })
}

/// Reads what a scenario wants to know out of a request.
fn view(body: &Value) -> RequestView {
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    let said = |item: &Value| {
        matches!(kind_of(item), "function_call" | "reasoning") || item["role"] == "assistant"
    };
    let last = items.iter().rposition(said);
    let after = items.iter().skip(last.map_or(0, |last| last + 1));
    let results = after.filter(|item| kind_of(item) == "function_call_output");
    let texts = items.iter().map(|item| match kind_of(item) {
        "function_call_output" => text_of(&item["output"]),
        _ => text_of(&item["content"]),
    });
    let prompt = [&body["instructions"], &body["input"]];
    let prompt = prompt
        .into_iter()
        .filter_map(|text| text.as_str().map(str::to_owned));
    let tools = body["tools"].as_array().into_iter().flatten();
    let names = tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned));
    RequestView {
        last_results: results.map(|item| text_of(&item["output"])).collect(),
        prompt_texts: prompt.chain(texts).collect(),
        tools: names.collect(),
    }
}
