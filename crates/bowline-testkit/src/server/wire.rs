//! What a dialect is to the server, and which one a request speaks.

use std::fmt;

use bowline_model::scenario::{Answer, CutPoint, Fault, History, RequestView};
use serde_json::Value;

use super::anthropic::Anthropic;
use super::chat::{self, Chat};
use super::frames::cut_point;
use super::http::Request;
use super::responses::Responses;
use super::send::{Body, Ending, Response};
use crate::cache::Keeping;
use crate::strict::Violation;
use crate::strict::session::{Check, Reasoning};

pub(super) const JSON: &str = "application/json";

/// A dialect, and the conversation that is held in it.
pub(super) trait Wire: fmt::Debug + Send {
    /// Judges the headers; `key` is the one that requests must bear, if any.
    fn authorise(&self, request: &Request, key: Option<&str>) -> Result<(), Unauthorised>;

    /// Checks a request by itself and against the conversation, and records it.
    fn check(&mut self, body: &Value, history: History) -> Result<Check, Violation>;

    /// Checks a request to have tokens counted, by itself.
    fn check_count(&self, body: &Value) -> Result<(), Violation>;

    /// The document that a count comes in, without the count.
    fn counted(&self) -> Value;

    /// Records that `answer` was sent whole.
    fn replied(&mut self, answer: &Answer);

    /// Records that something was sent of which nothing is known.
    fn replied_unknown(&mut self);

    /// Records that the last reply may not have arrived whole.
    fn not_delivered(&mut self);

    /// Reads what a scenario wants to know out of a request.
    fn view(&self, body: &Value) -> RequestView;

    /// The reply as one document.
    fn document(&self, answer: &Answer) -> Value;

    /// The reply as frames, up to where its fault cuts it.
    fn frames(&self, answer: &Answer, body: &Value, seed: Option<u64>) -> Vec<Vec<u8>>;

    /// The header that names a request.
    fn request_id_header(&self) -> &'static str;

    /// What the API says with an error status that nothing in the request deserves.
    fn status_error(&self, status: u16) -> Response;

    /// What the API says of a request that is wrong, `at` some place of it.
    fn invalid(&self, status: u16, code: &str, message: &str, at: Option<&str>) -> Response;
}

/// Why a request's headers are refused: status, code, message.
pub(super) struct Unauthorised(
    pub(super) u16,
    pub(super) &'static str,
    pub(super) &'static str,
);

/// The path of each dialect.
pub(super) const PATHS: [&str; 3] = ["/v1/chat/completions", RESPONSES, MESSAGES];

const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";

/// Where a dialect counts the tokens of a request, if it does.
pub(super) fn counting_path(path: &str) -> Option<&'static str> {
    match path {
        RESPONSES => Some("/v1/responses/input_tokens"),
        MESSAGES => Some("/v1/messages/count_tokens"),
        _ => None,
    }
}

/// How the cache behind a path decides what it keeps.
pub(super) fn keeping(path: &str) -> Keeping {
    match path {
        MESSAGES => Keeping::Marked,
        _ => Keeping::All,
    }
}

/// Begins a conversation in the dialect of `path`, one of [`PATHS`].
pub(super) fn begin(path: &str, reasoning: Reasoning) -> Box<dyn Wire> {
    match path {
        RESPONSES => Box::new(Responses::new(reasoning)),
        MESSAGES => Box::new(Anthropic::new(reasoning)),
        _ => Box::new(Chat::new(reasoning)),
    }
}

/// Judges a key that travels as a bearer token.
pub(super) fn bearer(request: &Request, key: Option<&str>) -> Result<(), Unauthorised> {
    let expected = key.map(|key| format!("Bearer {key}"));
    match expected {
        Some(expected) if request.header("authorization") != Some(expected.as_str()) => Err(
            Unauthorised(401, "invalid_api_key", "Incorrect API key provided."),
        ),
        _ => Ok(()),
    }
}

/// Builds the whole response for `answer` to the request `body`, fault included.
pub(super) fn response(
    wire: &dyn Wire,
    answer: &Answer,
    body: &Value,
    seed: Option<u64>,
) -> Response {
    let mut response = match &answer.fault {
        Some(Fault::Status {
            status,
            retry_after_s,
            body,
        }) => {
            let mut response = match body {
                Some(body) => Response::document(*status, JSON, body.as_bytes().to_vec()),
                None => wire.status_error(*status),
            };
            if let Some(seconds) = retry_after_s {
                response.headers.push(("Retry-After", seconds.to_string()));
            }
            response
        }
        Some(Fault::Garbage { text }) => {
            Response::document(200, "text/html", text.clone().into_bytes())
        }
        Some(Fault::Raw { frames }) => {
            let framed = frames
                .iter()
                .map(|frame| format!("{frame}\n\n").into_bytes());
            Response::stream(framed.collect())
        }
        _ if body["stream"] == true => Response::stream(wire.frames(answer, body, seed)),
        _ => document(&wire.document(answer), cut_point(answer)),
    };
    response.ending = match answer.fault {
        Some(Fault::Cut { .. }) => Ending::Closed,
        Some(Fault::Hang { at: Some(_) }) => Ending::Silent,
        Some(Fault::Hang { at: None }) => Ending::SilentAtOnce,
        Some(Fault::Reset) => Ending::Reset,
        _ => Ending::Whole,
    };
    response.delay_ms = answer.delay_ms;
    let id = format!("req_{}", answer.request);
    response.headers.push((wire.request_id_header(), id));
    response
}

fn document(reply: &Value, cut: Option<CutPoint>) -> Response {
    let body = reply.to_string().into_bytes();
    let kept = match cut {
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

/// Builds the 400 for a violation.
pub(super) fn refusal(wire: &dyn Wire, violation: &Violation) -> Response {
    let at = (!violation.at.is_empty()).then_some(violation.at.as_str());
    wire.invalid(400, &violation.kind.code(), &violation.message, at)
}

/// Builds the response to a request that speaks no dialect.
pub(super) fn lost(status: u16, code: &str, message: &str) -> Response {
    chat::error(status, "invalid_request_error", code, message, None)
}
