//! The Chat Completions wire format of replies and errors, and how requests are read.

use bowline_model::scenario::{Answer, CutPoint, Fault, PlayedCall, RequestView, Stop};
use serde_json::{Map, Value, json};

use super::frames::{UsageFrame, frames};
use super::send::{Body, Ending, Response};
use crate::strict::Violation;
use crate::strict::chat::text_of;

/// Seconds since 1970 that replies carry: fixed, so that runs are equal byte for byte.
pub(super) const CREATED: u64 = 1_790_000_000;

/// A field that most clients do not know and should keep or ignore.
pub(super) const FINGERPRINT: &str = "fp_scripted";

const JSON: &str = "application/json";

/// Builds the whole response for `answer` to the request `body`, fault included.
pub(super) fn response(answer: &Answer, body: &Value, seed: Option<u64>) -> Response {
    let mut response = match &answer.fault {
        Some(Fault::Status {
            status,
            retry_after_s,
            body,
        }) => status_response(*status, *retry_after_s, body.as_deref()),
        Some(Fault::Garbage { text }) => {
            Response::document(200, "text/html", text.clone().into_bytes())
        }
        Some(Fault::Raw { frames }) => {
            let framed = frames
                .iter()
                .map(|frame| format!("{frame}\n\n").into_bytes());
            Response::stream(framed.collect())
        }
        _ if body["stream"] == true => {
            let asked = body["stream_options"]["include_usage"] == true;
            let usage = if asked {
                UsageFrame::Asked
            } else {
                UsageFrame::NotAsked
            };
            Response::stream(frames(answer, usage, seed))
        }
        _ => document(answer),
    };
    response.ending = match answer.fault {
        Some(Fault::Cut { .. }) => Ending::Closed,
        Some(Fault::Hang { at: Some(_) }) => Ending::Silent,
        Some(Fault::Hang { at: None }) => Ending::SilentAtOnce,
        Some(Fault::Reset) => Ending::Reset,
        _ => Ending::Whole,
    };
    response.delay_ms = answer.delay_ms;
    response
        .headers
        .push(("x-request-id", format!("req_{}", answer.request)));
    response
}

/// Where the answer's fault cuts its body.
pub(super) fn cut_point(answer: &Answer) -> Option<CutPoint> {
    match answer.fault {
        Some(Fault::Cut { at }) => Some(at),
        Some(Fault::Hang { at }) => at,
        _ => None,
    }
}

fn document(answer: &Answer) -> Response {
    let body = completion(answer).to_string().into_bytes();
    let kept = match cut_point(answer) {
        None => body.len(),
        Some(CutPoint::Start) => 0,
        Some(CutPoint::Text | CutPoint::Arguments) => body.len() / 2,
        Some(CutPoint::BeforeEnd) => body.len() - 1,
    };
    let mut response = Response::document(200, JSON, Vec::new());
    response.body = Body::Document {
        sent: body[..kept].to_vec(),
        promised: body.len(),
    };
    response
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
pub(super) fn message(answer: &Answer) -> Value {
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
pub(super) fn call(answer: &Answer, call: &PlayedCall) -> Value {
    json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.tool, "arguments": call.arguments},
        "extra_content": {"signature": format!("signature-{}-{}", answer.request, call.id)},
    })
}

/// A field of the message that clients should keep.
pub(super) fn provider_specific(answer: &Answer) -> Value {
    json!({"signature": format!("signature-{}", answer.request)})
}

pub(super) fn completion_id(answer: &Answer) -> String {
    format!("chatcmpl-{}", answer.request)
}

pub(super) fn finish_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Stop => "stop",
        Stop::Length => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::ContentFilter => "content_filter",
    }
}

pub(super) fn usage(answer: &Answer) -> Value {
    let usage = answer.usage;
    json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

fn status_response(status: u16, retry_after_s: Option<u32>, body: Option<&str>) -> Response {
    let mut response = match body {
        Some(body) => Response::document(status, JSON, body.as_bytes().to_vec()),
        None => {
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
    };
    if let Some(seconds) = retry_after_s {
        response.headers.push(("Retry-After", seconds.to_string()));
    }
    response
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

/// Builds the 400 for a violation.
pub(super) fn refusal(violation: &Violation) -> Response {
    let param = (!violation.at.is_empty()).then_some(violation.at.as_str());
    let code = violation.kind.code();
    error(
        400,
        "invalid_request_error",
        &code,
        &violation.message,
        param,
    )
}

/// Reads what a scenario wants to know out of a request.
pub(super) fn view(body: &Value) -> RequestView {
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
