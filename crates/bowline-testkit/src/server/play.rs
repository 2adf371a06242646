//! Connections, and what each request gets: a refusal, or the scenario's next answer.

use std::io::ErrorKind;
use std::sync::Arc;

use bowline_model::scenario::{Answer, Fault, Reply, Stop};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::http::{Reader, Request};
use super::send::{Response, send};
use super::{AskedAgain, Chunking, Recorded, Shared, State, chat};
use crate::strict::chat::{Check, check_allowing, parse};
use crate::strict::{Kind, Violation};

/// Accepts connections until `stopped`; the caller's runtime ends those that are left.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        if let Ok((stream, _)) = accepted {
            drop(tokio::spawn(connection(stream, Arc::clone(&shared))));
        }
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut reader = Reader::new();
    loop {
        let request = match reader.next(&mut stream).await {
            Ok(Some(request)) => request,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let refusal = chat::error(
                    400,
                    "invalid_request_error",
                    "bad_http",
                    &error.to_string(),
                    None,
                );
                drop(send(&mut stream, &refusal, Chunking::Frames).await);
                return;
            }
            Ok(None) | Err(_) => return,
        };
        let keeps_alive = request.keeps_alive();
        let (number, response, chunking) = respond(&shared, request);
        let sent = send(&mut stream, &response, chunking).await;
        finished(&shared, number, sent.is_ok());
        if !(matches!(sent, Ok(true)) && keeps_alive) {
            return;
        }
    }
}

fn finished(shared: &Shared, number: usize, delivered: bool) {
    let mut state = shared.state();
    if !delivered
        && state
            .last
            .as_ref()
            .is_some_and(|(answered, _)| *answered == number)
    {
        state.session.not_delivered();
    }
    state.answered += 1;
    shared.changed.notify_all();
}

/// Records the request and decides the response to it, in one step for all connections.
fn respond(shared: &Shared, request: Request) -> (usize, Response, Chunking) {
    let mut state = shared.state();
    let parsed = parse(&request.body);
    let number = state.requests.len();
    let chunking = match shared.options.chunking {
        Chunking::Seeded(seed) => {
            Chunking::Seeded(seed.wrapping_mul(31).wrapping_add(number as u64))
        }
        other => other,
    };
    let response = route(shared, &mut state, &request, &parsed, chunking);
    state.requests.push(Recorded {
        path: request.path,
        headers: request.headers,
        body: parsed.unwrap_or_default(),
        raw: request.body,
        at: shared.started.elapsed(),
    });
    shared.changed.notify_all();
    (number, response, chunking)
}

fn route(
    shared: &Shared,
    state: &mut State,
    request: &Request,
    parsed: &Result<Value, Violation>,
    chunking: Chunking,
) -> Response {
    let invalid = |status, code, message: &str| {
        chat::error(status, "invalid_request_error", code, message, None)
    };
    if let Some(key) = &shared.options.api_key
        && request.header("authorization") != Some(format!("Bearer {key}").as_str())
    {
        return invalid(401, "invalid_api_key", "Incorrect API key provided.");
    }
    let path = request.path.split('?').next().unwrap_or_default();
    match (path, request.method.as_str()) {
        ("/v1/chat/completions", "POST") => {}
        ("/v1/models", "GET") => return chat::models(&shared.cursor.scenario().model),
        ("/v1/chat/completions" | "/v1/models", method) => {
            return invalid(
                405,
                "method_not_supported",
                &format!("Not allowed: {method} {path}"),
            );
        }
        _ => return invalid(404, "unknown_url", &format!("Unknown request URL: {path}")),
    }
    let seed = match chunking {
        Chunking::Seeded(seed) => Some(seed),
        Chunking::Frames | Chunking::EveryByte => None,
    };
    let answer = parsed
        .clone()
        .and_then(|body| Ok((next(shared, state, &body)?, body)));
    match answer {
        Ok((answer, body)) => chat::response(&answer, &body, seed),
        Err(violation) => {
            let refusal = chat::refusal(&violation);
            state.violations.push(violation);
            refusal
        }
    }
}

/// Checks the request and takes the scenario's next answer.
fn next(shared: &Shared, state: &mut State, body: &Value) -> Result<Answer, Violation> {
    let checked = if shared.options.strict {
        check(shared, state, body)?
    } else {
        Check::Continues
    };
    if let (Check::AskedAgain | Check::AskedAfterLoss, AskedAgain::Answered, Some((_, answer))) =
        (checked, shared.options.asked_again, &state.last)
    {
        return Ok(answer.clone());
    }
    if checked == Check::AskedAgain {
        let message = "the same request came again though its reply was sent whole";
        return Err(Violation::new(Kind::LostAssistant, "messages", message));
    }
    let answer = match shared.cursor.next(chat::view(body)) {
        Reply::Answer(answer) => answer,
        Reply::Failure { message, .. } => {
            return Err(Violation::new(Kind::ScenarioFailed, "", message));
        }
    };
    match &answer.fault {
        None => {
            let cut_by_limit = matches!(answer.stop, Stop::Length | Stop::ContentFilter);
            state.session.replied(&chat::message(&answer), cut_by_limit);
        }
        Some(Fault::Raw { .. }) => state.session.replied_unknown(),
        Some(_) => {}
    }
    state.last = Some((state.requests.len(), answer.clone()));
    Ok(answer)
}

fn check(shared: &Shared, state: &mut State, body: &Value) -> Result<Check, Violation> {
    check_allowing(body, state.session.asked_for())?;
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    state
        .session
        .request(messages, shared.cursor.next_history())
}
