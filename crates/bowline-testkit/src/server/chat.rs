//! The Chat Completions wire format of replies and errors, and how requests are read.

mod frames;

use bowline_model::scenario::{Answer, History, PlayedCall, RequestView, Stop};
use serde_json::{Map, Value, json};

use self::frames::{UsageFrame, frames};
use super::http::Request;
use super::send::Response;
use super::wire::{JSON, Unauthorised, Wire, bearer};
use crate::strict::Violation;
use crate::strict::chat::{Check, Reasoning, Session, check_allowing, text_of};

/// Seconds since 1970 that replies carry: fixed, so that runs are equal byte for byte.
pub(super) const CREATED: u64 = 1_790_000_000;

/// A field that most clients do not know and should keep or ignore.
const FINGERPRINT: &str = "fp_scripted";

/// Chat Completions with one client.
#[derive(Debug)]
pub(super) struct Chat {
    session: Session,
}

impl Chat {
    pub(super) fn new(reasoning: Reasoning) -> Self {
        Self {
            session: Session::new(reasoning),
        }
    }
}

impl Wire for Chat {
    fn authorise(&self, request: &Request, key: Option<&str>) -> Result<(), Unauthorised> {
        bearer(request, key)
    }

    fn check(&mut self, body: &Value, history: History) -> Result<Check, Violation> {
        check_allowing(body, self.session.asked_for())?;
        let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        self.session.request(messages, history)
    }

    fn check_count(&self, _body: &Value) -> Result<(), Violation> {
        Ok(())
    }

    fn counted(&self) -> Value {
        json!({})
    }

    fn replied(&mut self, answer: &Answer) {
        let cut_by_limit = matches!(answer.stop, Stop::Length | Stop::ContentFilter);
        self.session.replied(&message(answer), cut_by_limit);
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
        completion(answer)
    }

    fn frames(&self, answer: &Answer, body: &Value, seed: Option<u64>) -> Vec<Vec<u8>> {
        let asked = body["stream_options"]["include_usage"] == true;
        let usage = if asked {
            UsageFrame::Asked
        } else {
            UsageFrame::NotAsked
        };
        frames(answer, usage, seed)
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

fn completion(answer: &Answer) -> Value {
    json!({
        "id": completion_id(answer),
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [{
            "index": 0,
            "message": message(answer),
            "logprobs": null,
            "finish_reason": finish_reason(answer),
        }],
        "usage": usage(answer),
    })
}

/// The reply as one assistant message.
fn message(answer: &Answer) -> Value {
    let mut message = Map::new();
    message.insert("role".to_owned(), json!("assistant"));
    message.insert("content".to_owned(), json!(answer.text));
    if let Some(reasoning) = &answer.reasoning {
        message.insert("reasoning_content".to_owned(), json!(reasoning));
    }
    if !answer.calls.is_empty() {
        let calls: Vec<Value> = answer.calls.iter().map(|one| call(answer, one)).collect();
        message.insert("tool_calls".to_owned(), json!(calls));
    }
    message.insert("provider_specific".to_owned(), provider_specific(answer));
    Value::Object(message)
}

/// One call as replies carry it, with a field that clients should keep.
fn call(answer: &Answer, call: &PlayedCall) -> Value {
    json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.tool, "arguments": call.arguments},
        "extra_content": {"signature": format!("signature-{}-{}", answer.request, call.id)},
    })
}

/// A field of the message that clients should keep.
fn provider_specific(answer: &Answer) -> Value {
    json!({"signature": format!("signature-{}", answer.request)})
}

fn completion_id(answer: &Answer) -> String {
    format!("chatcmpl-{}", answer.request)
}

fn finish_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Stop => "stop",
        Stop::Length => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::ContentFilter => "content_filter",
    }
}

fn usage(answer: &Answer) -> Value {
    let usage = answer.usage;
    json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

/// What the API says with an error status.
pub(super) fn status_error(status: u16) -> Response {
    let (kind, code, message) = match status {
        401 => (
            "invalid_request_error",
            "invalid_api_key",
            "Incorrect API key provided.",
        ),
        403 => (
            "invalid_request_error",
            "forbidden",
            "This key may not use this model.",
        ),
        404 => (
            "invalid_request_error",
            "model_not_found",
            "The model does not exist.",
        ),
        429 => (
            "requests",
            "rate_limit_exceeded",
            "Rate limit reached for requests.",
        ),
        400..=499 => (
            "invalid_request_error",
            "invalid_request",
            "The request is invalid.",
        ),
        503 | 529 => (
            "server_error",
            "overloaded",
            "The engine is currently overloaded.",
        ),
        _ => ("server_error", "server_error", "The server had an error."),
    };
    error(status, kind, code, message, None)
}

/// Builds an error response in the API's shape.
pub(super) fn error(
    status: u16,
    kind: &str,
    code: &str,
    message: &str,
    param: Option<&str>,
) -> Response {
    let body = json!({"error": {"message": message, "type": kind, "param": param, "code": code}});
    Response::document(status, JSON, body.to_string().into_bytes())
}

/// Reads what a scenario wants to know out of a request.
fn view(body: &Value) -> RequestView {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let last = messages
        .iter()
        .rposition(|message| message["role"] == "assistant");
    let after = messages.iter().skip(last.map_or(0, |last| last + 1));
    let results = after.filter(|message| message["role"] == "tool");
    let tools = body["tools"].as_array().into_iter().flatten();
    let names = tools.filter_map(|tool| tool["function"]["name"].as_str().map(str::to_owned));
    RequestView {
        last_results: results
            .map(|message| text_of(&message["content"]))
            .collect(),
        prompt_texts: messages
            .iter()
            .map(|message| text_of(&message["content"]))
            .collect(),
        tools: names.collect(),
    }
}

/// The response of the model list.
pub(super) fn models(model: &str) -> Response {
    let list = json!({"object": "list", "data": [
        {"id": model, "object": "model", "created": CREATED, "owned_by": "scripted"}]});
    Response::document(200, JSON, list.to_string().into_bytes())
}
