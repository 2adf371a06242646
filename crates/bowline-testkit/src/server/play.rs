//! Connections, and what each request gets: a refusal, or the scenario's next answer.

use std::io::ErrorKind;
use std::sync::Arc;

use bowline_model::scenario::{Answer, CacheWrites, Fault, Reply};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::http::{Reader, Request};
use super::send::{Response, send};
use super::wire::{
    JSON, PATHS, Unauthorised, Wire, bearer, begin, counting_path, keeping, lost, refusal, response,
};
use super::{AskedAgain, Chunking, Last, Recorded, Shared, State, chat};
use crate::billing::{Billing, input_tokens, output_tokens};
use crate::cache::CacheUse;
use crate::strict::session::Check;
use crate::strict::{Kind, Violation, parse};

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
                let refusal = lost(400, "bad_http", &error.to_string());
                drop(send(&mut stream, &refusal, Chunking::Frames).await);
                return;
            }
            Ok(None) | Err(_) => return,
        };
        let keeps_alive = request.keeps_alive();
        let (number, response, chunking) = respond(&shared, request);
        let sent = send(&mut stream, &response, chunking).await;
        if let Some(number) = number {
            finished(&shared, number, sent.is_ok());
        }
        if !(matches!(sent, Ok(true)) && keeps_alive) {
            return;
        }
    }
}

fn finished(shared: &Shared, number: usize, delivered: bool) {
    let mut state = shared.state();
    let last = state.last.as_ref();
    let path = last.filter(|last| !delivered && last.request == number);
    if let Some(path) = path.map(|last| last.path)
        && let Some(wire) = state.wires.get_mut(path)
    {
        wire.not_delivered();
    }
    state.answered += 1;
    shared.changed.notify_all();
}

/// Records the request and decides the response to it, in one step for all connections. A request
/// to count tokens has no number.
fn respond(shared: &Shared, request: Request) -> (Option<usize>, Response, Chunking) {
    let mut state = shared.state();
    let parsed = parse(&request.body);
    let number = state.requests.len();
    let chunking = match shared.options.chunking {
        Chunking::Seeded(seed) => {
            Chunking::Seeded(seed.wrapping_mul(31).wrapping_add(number as u64))
        }
        other => other,
    };
    let counting = counting(&request);
    let response = match counting {
        Some(path) => count(shared, &mut state, path, &request, &parsed),
        None => route(shared, &mut state, &request, &parsed, chunking),
    };
    let recorded = Recorded {
        path: request.path,
        headers: request.headers,
        body: parsed.unwrap_or_default(),
        raw: request.body,
        at: shared.started.elapsed(),
        at_ms: shared.now_ms(state.requests.len()),
        used: state.used.take(),
    };
    let (list, number) = match counting {
        Some(_) => (&mut state.counts, None),
        None => (&mut state.requests, Some(number)),
    };
    list.push(recorded);
    shared.changed.notify_all();
    (number, response, chunking)
}

/// The path of the dialect in which a request asks to have tokens counted.
fn counting(request: &Request) -> Option<&'static str> {
    let asked = request.path.split('?').next().unwrap_or_default();
    let mut paths = PATHS.into_iter();
    paths.find(|path| counting_path(path).is_some_and(|counting| asked == counting))
}

/// Counts the tokens of a request that is checked by itself; the conversation is not touched.
fn count(
    shared: &Shared,
    state: &mut State,
    path: &'static str,
    request: &Request,
    parsed: &Result<Value, Violation>,
) -> Response {
    let reasoning = shared.reasoning();
    let wire = state
        .wires
        .entry(path)
        .or_insert_with(|| begin(path, reasoning));
    let key = shared.options.api_key.as_deref();
    if let Err(Unauthorised(status, code, message)) = wire.authorise(request, key) {
        return wire.invalid(status, code, message, None);
    }
    if request.method != "POST" {
        return not_allowed(request, path);
    }
    let body = parsed.clone().and_then(|body| {
        let checked = match shared.options.strict {
            true => wire.check_count(&body),
            false => Ok(()),
        };
        checked.map(|()| body)
    });
    match body {
        Ok(body) => {
            let mut counted = wire.counted();
            counted["input_tokens"] = input_tokens(&body).into();
            Response::document(200, JSON, counted.to_string().into_bytes())
        }
        Err(violation) => {
            let refusal = refusal(wire.as_ref(), &violation);
            state.violations.push(violation);
            refusal
        }
    }
}

fn route(
    shared: &Shared,
    state: &mut State,
    request: &Request,
    parsed: &Result<Value, Violation>,
    chunking: Chunking,
) -> Response {
    let path = request.path.split('?').next().unwrap_or_default();
    let key = shared.options.api_key.as_deref();
    if path == "/v1/models" {
        return match bearer(request, key) {
            Err(Unauthorised(status, code, message)) => lost(status, code, message),
            Ok(()) if request.method == "GET" => chat::models(&shared.cursor.scenario().model),
            Ok(()) => not_allowed(request, path),
        };
    }
    let Some(path) = PATHS.into_iter().find(|known| *known == path) else {
        return lost(404, "unknown_url", &format!("Unknown request URL: {path}"));
    };
    let reasoning = shared.reasoning();
    let begun = state.wires.remove(path);
    let mut wire = begun.unwrap_or_else(|| begin(path, reasoning));
    let seed = match chunking {
        Chunking::Seeded(seed) => Some(seed),
        Chunking::Frames | Chunking::EveryByte => None,
    };
    let asked = Asked {
        path,
        request,
        parsed,
        seed,
    };
    let response = answer(shared, state, wire.as_mut(), &asked);
    state.wires.insert(path, wire);
    response
}

fn not_allowed(request: &Request, path: &str) -> Response {
    let message = format!("Not allowed: {} {path}", request.method);
    lost(405, "method_not_supported", &message)
}

/// A request to the path of a dialect.
struct Asked<'a> {
    path: &'static str,
    request: &'a Request,
    parsed: &'a Result<Value, Violation>,
    /// How frames vary, if they do.
    seed: Option<u64>,
}

fn answer(shared: &Shared, state: &mut State, wire: &mut dyn Wire, asked: &Asked<'_>) -> Response {
    let key = shared.options.api_key.as_deref();
    if let Err(Unauthorised(status, code, message)) = wire.authorise(asked.request, key) {
        return wire.invalid(status, code, message, None);
    }
    if asked.request.method != "POST" {
        return not_allowed(asked.request, asked.path);
    }
    let parsed = asked.parsed.clone();
    let answer = parsed.and_then(|body| Ok((next(shared, state, wire, asked.path, &body)?, body)));
    match answer {
        Ok((answer, body)) => response(wire, &answer, &body, asked.seed),
        Err(violation) => {
            let refusal = refusal(wire, &violation);
            state.violations.push(violation);
            refusal
        }
    }
}

/// Says what the answer cost, unless the scenario does.
fn bill(shared: &Shared, state: &mut State, path: &'static str, answer: &mut Answer, body: &Value) {
    let used = match shared.options.billing {
        Billing::Scenario => return,
        Billing::Counted => CacheUse {
            input_tokens: input_tokens(body),
            ..CacheUse::default()
        },
        Billing::Cached => {
            let now_ms = shared.now_ms(state.requests.len());
            state.cache.ask(keeping(path), body, now_ms)
        }
    };
    answer.usage.input_tokens = used.input_tokens;
    answer.usage.cached_input_tokens = used.read_tokens;
    answer.cache_writes = CacheWrites {
        tokens: used.written_tokens,
        hour_tokens: used.written_hour_tokens,
    };
    answer.usage.output_tokens = output_tokens(answer, body);
    state.used = Some(used);
}

/// Checks the request and takes the scenario's next answer.
fn next(
    shared: &Shared,
    state: &mut State,
    wire: &mut dyn Wire,
    path: &'static str,
    body: &Value,
) -> Result<Answer, Violation> {
    let checked = if shared.options.strict {
        wire.check(body, shared.cursor.next_history())?
    } else {
        Check::Continues
    };
    if let (Check::AskedAgain | Check::AskedAfterLoss, AskedAgain::Answered, Some(last)) =
        (checked, shared.options.asked_again, &state.last)
    {
        return Ok(last.answer.clone());
    }
    if checked == Check::AskedAgain {
        let message = "the same request came again though its reply was sent whole";
        return Err(Violation::new(Kind::LostAssistant, "messages", message));
    }
    let mut answer = match shared.cursor.next(wire.view(body)) {
        Reply::Answer(answer) => answer,
        Reply::Failure { message, .. } => {
            return Err(Violation::new(Kind::ScenarioFailed, "", message));
        }
    };
    bill(shared, state, path, &mut answer, body);
    match &answer.fault {
        None => wire.replied(&answer),
        Some(Fault::Raw { .. }) => wire.replied_unknown(),
        Some(_) => {}
    }
    state.last = Some(Last {
        request: state.requests.len(),
        path,
        answer: answer.clone(),
    });
    Ok(answer)
}
