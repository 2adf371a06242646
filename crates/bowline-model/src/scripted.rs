//! Plays a [`scenario`] in-process: the `scripted` provider.
//!
//! Which step answers is read off the reservation, never counted in memory, so a session goes on
//! at the right place after a restart: the reservation's step number says how many replies the
//! session has had (compaction does not change that), its try number how many attempts of this
//! step have failed. A failed attempt moves on past a step that fails by itself (a fault, or a
//! reply with neither text nor call), and stays at a step that answers, since then the process
//! had died in the middle of it. In a new turn the tries begin anew, so a fault that ended the
//! turn before is met again.

use std::sync::Arc;
use std::time::Duration;

use bowline_core::event::ReplyStop;
use bowline_core::plan::BodyPrefix;
use bowline_core::{
    BoxFuture, FailureKind, HistoryItem, ModelPlace, ModelRef, ProviderFailure, Request,
    Reservation, SessionId, Usage,
};

use crate::http::{ErrorBody, Refusal, Scrub, Timeouts, excerpt, failure_of_status};
use crate::provider::{Deltas, NewId, Provider, Reply, RequestSize};
use crate::scenario::{
    self, Answer, Cursor, CutPoint, Expect, Fault, PlayedCall, RequestView, Scenario, Step, Stop,
};
use crate::wire::chat::{ChatParser, MaxTokensField, encoder};
use crate::wire::{Assembly, BodyReader, Encoder, Fragment, Recent, Voice};

/// The provider's name.
const NAME: &str = "scripted";
/// Characters of text given to the listener at once.
const PIECE_CHARS: usize = 24;

/// Plays one scenario for any number of sessions, each from its first step.
pub struct ScriptedProvider {
    scenario: Arc<Scenario>,
    idle: Duration,
    new_id: NewId,
    /// Nothing is sent, but requests have the size that they would have over HTTP.
    recent: Recent,
}

impl ScriptedProvider {
    /// Makes a player. A step that hangs fails after the idle time of [`Timeouts::default`].
    #[must_use]
    pub fn new(scenario: impl Into<Arc<Scenario>>, new_id: NewId) -> Self {
        Self {
            scenario: scenario.into(),
            idle: Timeouts::default().idle,
            new_id,
            recent: Recent::new(|_| encoder(MaxTokensField::MaxTokens)),
        }
    }
}

impl Provider for ScriptedProvider {
    fn name(&self) -> &str {
        NAME
    }

    /// It plays a file in this process.
    fn place(&self) -> ModelPlace {
        ModelPlace::Local
    }

    fn size(&self, session: SessionId, request: &Request) -> RequestSize {
        self.recent.with(session, |encoder| encoder.size(request))
    }

    fn body_prefix(&self, session: SessionId, request: &Request) -> Option<BodyPrefix> {
        let prefix = |encoder: &mut Encoder| encoder.body_prefix(request);
        Some(self.recent.with(session, prefix))
    }

    fn begins_with(
        &self,
        session: SessionId,
        request: &Request,
        prefix: BodyPrefix,
    ) -> Option<bool> {
        let begins = |encoder: &mut Encoder| encoder.begins_with(request, prefix);
        Some(self.recent.with(session, begins))
    }

    fn ask(
        &self,
        reservation: Reservation,
        request: Request,
        deltas: Deltas,
    ) -> BoxFuture<'static, Result<Reply, ProviderFailure>> {
        let replies = reservation.reserved().step().0.saturating_sub(1);
        let failed_tries = reservation.reserved().try_number().saturating_sub(1);
        let next = next(&self.scenario, replies, failed_tries, &request);
        let voice = Voice {
            model: request.model,
            deltas,
            new_id: Arc::clone(&self.new_id),
        };
        let idle = self.idle;
        Box::pin(async move {
            match next {
                scenario::Reply::Answer(answer) => play(answer, voice, idle).await,
                scenario::Reply::Failure { message, .. } => {
                    Err(ProviderFailure::new(FailureKind::BadRequest, message))
                }
            }
        })
    }
}

/// What the scenario says to the request that comes after so many replies and failed tries.
fn next(
    scenario: &Arc<Scenario>,
    replies: u32,
    failed_tries: u32,
    request: &Request,
) -> scenario::Reply {
    let cursor = Cursor::after_replies(Arc::clone(scenario), played(scenario, replies));
    let view = view(scenario, request);
    let mut reply = cursor.next(view.clone());
    for _ in 0..failed_tries {
        match &reply {
            scenario::Reply::Answer(answer) if fails_by_itself(answer) => {
                reply = cursor.next(view.clone());
            }
            _ => break,
        }
    }
    reply
}

/// How many answers without a fault the scenario gave for so many replies: an empty answer is
/// played, too, but is a failed attempt to its session.
fn played(scenario: &Scenario, replies: u32) -> usize {
    let mut left = replies as usize;
    let mut answers = 0;
    for step in scenario.steps.iter().filter(|step| step.fault.is_none()) {
        let times = step.repeat.unwrap_or(1) as usize;
        if left == 0 {
            break;
        }
        if is_empty(
            step.text.as_deref(),
            step.calls.is_empty(),
            step.stop_reason(),
        ) {
            answers += times;
        } else {
            answers += times.min(left);
            left = left.saturating_sub(times);
        }
    }
    answers + left
}

fn fails_by_itself(answer: &Answer) -> bool {
    answer.fault.is_some() || is_empty(answer.text.as_deref(), answer.calls.is_empty(), answer.stop)
}

fn is_empty(text: Option<&str>, no_calls: bool, stop: Stop) -> bool {
    let stops_early = matches!(stop, Stop::Length | Stop::ContentFilter);
    no_calls && !stops_early && text.is_none_or(|text| text.trim().is_empty())
}

/// What the scenario's expectations are held against. The texts of a long history are copied only
/// if a step asks about them.
fn view(scenario: &Scenario, request: &Request) -> RequestView {
    let asks = |about: fn(&Expect) -> bool| {
        scenario
            .steps
            .iter()
            .filter_map(|step: &Step| step.expect.as_ref())
            .any(about)
    };
    let mut view = RequestView::default();
    if asks(|expect| !expect.prompt_contains.is_empty() || !expect.prompt_lacks.is_empty()) {
        view.prompt_texts.push(request.prompt.system.clone());
        for item in &request.history {
            match item.as_ref() {
                HistoryItem::Input(input) => view.prompt_texts.push(input.text.text().to_owned()),
                HistoryItem::Exchange(exchange) => {
                    view.prompt_texts.push(exchange.message().text());
                    let results = exchange.results().iter();
                    view.prompt_texts
                        .extend(results.map(|one| one.content.text().to_owned()));
                }
            }
        }
    }
    let last = request
        .history
        .iter()
        .rev()
        .find_map(|item| match item.as_ref() {
            HistoryItem::Exchange(exchange) => Some(exchange),
            HistoryItem::Input(_) => None,
        });
    let results = last.into_iter().flat_map(|exchange| exchange.results());
    view.last_results = results
        .map(|result| result.content.text().to_owned())
        .collect();
    view.tools = request
        .prompt
        .tools
        .iter()
        .map(|tool| tool.name.clone())
        .collect();
    view
}

async fn play(answer: Answer, voice: Voice, idle: Duration) -> Result<Reply, ProviderFailure> {
    if answer.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
    }
    let cut = match &answer.fault {
        None => None,
        Some(Fault::Status {
            status,
            retry_after_s,
            body,
        }) => {
            return Err(refusal(
                *status,
                *retry_after_s,
                body.as_deref(),
                &voice.model,
            ));
        }
        Some(Fault::Reset) => {
            return Err(failure(
                FailureKind::Cut,
                "the scenario reset the connection",
            ));
        }
        Some(Fault::Garbage { text }) => return read(text.as_bytes(), voice),
        Some(Fault::Raw { frames }) => {
            let body: String = frames.iter().map(|frame| format!("{frame}\n\n")).collect();
            return read(body.as_bytes(), voice);
        }
        Some(Fault::Cut { at }) => Some(*at),
        Some(Fault::Hang { at }) => Some(at.unwrap_or(CutPoint::Start)),
    };
    let hangs = matches!(answer.fault, Some(Fault::Hang { .. }));
    let request_id = Some(format!("scripted-{}", answer.request));
    let reply = speak(answer, voice, cut).await;
    match reply {
        Some(reply) => reply.map(|reply| Reply {
            request_id,
            ..reply
        }),
        None if hangs => {
            tokio::time::sleep(idle).await;
            let what = format!(
                "nothing came from the scenario for {} s",
                idle.as_secs_f32()
            );
            Err(failure(FailureKind::Timeout, &what))
        }
        None => Err(failure(FailureKind::Cut, "the scenario cut its reply")),
    }
}

/// Says the answer piece by piece, up to the cut if there is one: then there is no reply.
async fn speak(
    answer: Answer,
    voice: Voice,
    cut: Option<CutPoint>,
) -> Option<Result<Reply, ProviderFailure>> {
    let mut assembly = Assembly::new(voice, "calls");
    if cut == Some(CutPoint::Start) {
        return None;
    }
    for piece in pieces(answer.reasoning.as_deref().unwrap_or_default()) {
        assembly.reasoning("reasoning_content", piece);
        tokio::task::yield_now().await;
    }
    let text = answer.text.as_deref().unwrap_or_default();
    let kept = if cut == Some(CutPoint::Text) {
        half(text)
    } else {
        text
    };
    for piece in pieces(kept) {
        assembly.text(piece);
        tokio::task::yield_now().await;
    }
    if cut == Some(CutPoint::Text) {
        return None;
    }
    for (place, call) in answer.calls.into_iter().enumerate() {
        let PlayedCall {
            id,
            tool,
            arguments,
        } = call;
        let arguments = if cut == Some(CutPoint::Arguments) {
            String::new()
        } else {
            arguments
        };
        assembly.fragment(Fragment {
            index: Some(place as u64),
            id,
            name: tool,
            arguments,
            ..Fragment::default()
        });
    }
    if cut.is_some() {
        return None;
    }
    let stop = match answer.stop {
        Stop::Stop | Stop::ToolCalls => ReplyStop::Finished,
        Stop::Length => ReplyStop::Length,
        Stop::ContentFilter => ReplyStop::Refused,
    };
    let usage = Some(Usage {
        input_tokens: answer.usage.input_tokens,
        cached_input_tokens: answer.usage.cached_input_tokens,
        output_tokens: answer.usage.output_tokens,
        cache_write_tokens: 0,
        reasoning_tokens: 0,
    });
    let message = assembly
        .finish(stop)
        .map_err(|failure| ProviderFailure { usage, ..failure });
    Some(message.map(|message| Reply {
        message,
        stop,
        usage,
        request_id: None,
    }))
}

/// Reads a body as it would come from a server.
fn read(body: &[u8], voice: Voice) -> Result<Reply, ProviderFailure> {
    let mut reader = BodyReader::new(
        Box::new(ChatParser::new(voice)),
        "the scenario",
        Scrub::default(),
    );
    reader.push(body)?;
    reader.finish()
}

fn refusal(
    status: u16,
    retry_after_s: Option<u32>,
    body: Option<&str>,
    model: &ModelRef,
) -> ProviderFailure {
    let failure = failure_of_status(&Refusal {
        status,
        body: body
            .map(|body| ErrorBody::read(body.as_bytes()))
            .unwrap_or_default(),
        shown: "the scenario",
        model: model.model(),
        has_key: true,
        key_source: "the scenario",
        location: None,
    });
    ProviderFailure {
        message: excerpt(&failure.message, usize::MAX),
        retry_after_ms: retry_after_s.map(|seconds| u64::from(seconds) * 1000),
        ..failure
    }
}

fn failure(kind: FailureKind, message: &str) -> ProviderFailure {
    ProviderFailure::new(kind, message)
}

fn half(text: &str) -> &str {
    let middle = text.char_indices().nth(text.chars().count() / 2);
    middle.map_or(text, |(at, _)| &text[..at])
}

/// `text` in pieces of some words, cut at character borders.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .char_indices()
            .nth(PIECE_CHARS)
            .map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
