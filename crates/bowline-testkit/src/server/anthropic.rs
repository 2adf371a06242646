//! The Messages wire format of replies and errors, and how requests are read.

mod frames;

use bowline_model::scenario::{Answer, History, PlayedCall, RequestView, Stop};
use serde_json::{Value, json};

use super::http::Request;
use super::send::Response;
use super::wire::{JSON, Unauthorised, Wire};
use crate::strict::Violation;
use crate::strict::anthropic::{Session, check_allowing, check_to_count, normal};
use crate::strict::session::{Check, Reasoning};

/// Messages with one client.
#[derive(Debug)]
pub(super) struct Anthropic {
    session: Session,
}

impl Anthropic {
    pub(super) fn new(reasoning: Reasoning) -> Self {
        Self {
            session: Session::new(reasoning),
        }
    }
}

impl Wire for Anthropic {
    fn authorise(&self, request: &Request, key: Option<&str>) -> Result<(), Unauthorised> {
        if key.is_some() && request.header("x-api-key") != key {
            return Err(Unauthorised(
                401,
                "authentication_error",
                "invalid x-api-key",
            ));
        }
        if request.header("anthropic-version").is_none() {
            let message = "anthropic-version: header is required";
            return Err(Unauthorised(400, "missing_header", message));
        }
        Ok(())
    }

    fn check(&mut self, body: &Value, history: History) -> Result<Check, Violation> {
        check_allowing(body, self.session.asked_for())?;
        self.session.request(&normal(body), history)
    }

    fn check_count(&self, body: &Value) -> Result<(), Violation> {
        check_to_count(body, self.session.asked_for())
    }

    fn counted(&self) -> Value {
        json!({})
    }

    fn replied(&mut self, answer: &Answer) {
        let cut_by_limit = matches!(answer.stop, Stop::Length | Stop::ContentFilter);
        let message = json!({"role": "assistant", "content": content(answer)});
        self.session.replied(&message, cut_by_limit);
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
        let mut message = envelope(answer);
        message["content"] = content(answer).into();
        message["stop_reason"] = stop_reason(answer).into();
        message["usage"]["output_tokens"] = answer.usage.output_tokens.into();
        message
    }

    fn frames(&self, answer: &Answer, _body: &Value, seed: Option<u64>) -> Vec<Vec<u8>> {
        frames::frames(answer, seed)
    }

    fn request_id_header(&self) -> &'static str {
        "request-id"
    }

    fn status_error(&self, status: u16) -> Response {
        let message = match status {
            401 => "invalid x-api-key",
            404 => "model: no such model",
            429 => "This request would exceed your rate limit.",
            503 | 529 => "Overloaded",
            _ => "The server had an error.",
        };
        error(status, message)
    }

    fn invalid(&self, status: u16, code: &str, message: &str, at: Option<&str>) -> Response {
        let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
        error(status, &format!("{code}{at}: {message}"))
    }
}

fn error(status: u16, message: &str) -> Response {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let body = json!({"type": "error", "error": {"type": kind, "message": message},
        "request_id": "req_scripted"});
    Response::document(status, JSON, body.to_string().into_bytes())
}

/// The message as it stands before anything is said.
fn envelope(answer: &Answer) -> Value {
    let usage = answer.usage;
    let cached = usage.cached_input_tokens.min(usage.input_tokens);
    let writes = answer.cache_writes;
    let written = writes.tokens + writes.hour_tokens;
    json!({
        "id": format!("msg_{}", answer.request),
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {
            "input_tokens": (usage.input_tokens - cached).saturating_sub(written),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": cached,
            "cache_creation": {
                "ephemeral_5m_input_tokens": writes.tokens,
                "ephemeral_1h_input_tokens": writes.hour_tokens,
            },
            "output_tokens": 1,
            "service_tier": "standard",
        },
        // A field that most clients do not know and should keep or ignore.
        "provider_specific": {"signature": format!("signature-{}", answer.request)},
    })
}

/// The blocks of the reply. A step with reasoning has a thought before its words and a redacted
/// one before its calls, or before its words where there are none.
fn content(answer: &Answer) -> Vec<Value> {
    let text = answer.text.iter();
    let text = text.map(|text| json!({"type": "text", "text": text}));
    let thought = answer.reasoning.iter().map(|thinking| {
        let signature = format!("signature-{}", answer.request);
        json!({"type": "thinking", "thinking": thinking, "signature": signature})
    });
    let redacted = answer.reasoning.iter().map(
        |_| json!({"type": "redacted_thinking", "data": format!("redacted-{}", answer.request)}),
    );
    let calls = answer.calls.iter().map(call);
    if answer.calls.is_empty() {
        return thought.chain(redacted).chain(text).collect();
    }
    thought.chain(text).chain(redacted).chain(calls).collect()
}

/// One call, with a field that clients should keep. Broken arguments stand as text.
fn call(call: &PlayedCall) -> Value {
    let arguments = call.arguments.as_str();
    let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into());
    json!({
        "type": "tool_use",
        "id": call.id,
        "name": call.tool,
        "input": input,
        "caller": {"type": "direct"},
    })
}

fn stop_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Stop => "end_turn",
        Stop::Length => "max_tokens",
        Stop::ToolCalls => "tool_use",
        Stop::ContentFilter => "refusal",
    }
}

fn view(body: &Value) -> RequestView {
    let messages = normal(body);
    let blocks = |message: &Value| message["content"].as_array().cloned().unwrap_or_default();
    let last = messages.last().map(blocks).unwrap_or_default();
    let results = last.iter().filter(|block| block["type"] == "tool_result");
    let system = match &body["system"] {
        Value::Array(blocks) => blocks.iter().map(text_of).collect(),
        other => text_of(other),
    };
    let said = messages.iter().map(|message| {
        let texts: Vec<String> = blocks(message).iter().map(text_of).collect();
        texts.concat()
    });
    let tools = body["tools"].as_array().into_iter().flatten();
    let names = tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned));
    RequestView {
        last_results: results.map(text_of).collect(),
        prompt_texts: std::iter::once(system).chain(said).collect(),
        tools: names.collect(),
    }
}

/// The text of a block, a result's content included.
fn text_of(block: &Value) -> String {
    match block {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        Value::Object(block) => {
            let text = block.get("text").or_else(|| block.get("content"));
            text.map(text_of).unwrap_or_default()
        }
        _ => String::new(),
    }
}
