//! Reads a Chat Completions reply: a stream of chunks, or one whole completion.

mod fields;

use bowline_core::event::ReplyStop;
use bowline_core::{FailureKind, ProviderFailure, Usage};
use serde_json::{Map, Value};

use crate::http::{ErrorBody, Scrub, excerpt};
use crate::provider::Reply;
use crate::sse::{SseEvent, SseParser};
use crate::wire::{Assembly, Voice};

/// One event may hold a whole reply; none is near this large.
const MOST_EVENT_BYTES: usize = 16 << 20;
/// A reply over this is not one.
const MOST_REPLY_BYTES: usize = 64 << 20;
/// Characters of a foreign body that a message shows.
const SHOWN_CHARS: usize = 200;
/// Bytes kept of a body for such a message: enough for as many characters, escapes included.
const HEAD_BYTES: usize = 1600;

/// A reply that is being read. Feed it the body with [`ChatReader::push`].
pub(crate) struct ChatReader {
    assembly: Assembly,
    mode: Mode,
    shown: String,
    scrub: Scrub,
    head: Vec<u8>,
    received: usize,
    events: Vec<SseEvent>,
    seen_event: bool,
    end: Option<ReplyStop>,
    refused: bool,
    usage: Option<Usage>,
    done: bool,
}

/// What kind of body it turns out to be, judged by its first character, as content types lie.
enum Mode {
    /// Nothing but white space so far, held back.
    Undecided(Vec<u8>),
    Stream(Box<SseParser>),
    Whole(Vec<u8>),
    Foreign,
}

impl ChatReader {
    /// Makes a reader for one reply; `shown` is the URL it comes from, for messages.
    pub(crate) fn new(voice: Voice, shown: &str, scrub: Scrub) -> Self {
        Self {
            assembly: Assembly::new(voice),
            mode: Mode::Undecided(Vec::new()),
            shown: shown.to_owned(),
            scrub,
            head: Vec::new(),
            received: 0,
            events: Vec::new(),
            seen_event: false,
            end: None,
            refused: false,
            usage: None,
            done: false,
        }
    }

    /// Whether the stream has said that it is over.
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// What is wrong with them; the rest of the body need not be read.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), ProviderFailure> {
        self.received += bytes.len();
        if self.received > MOST_REPLY_BYTES {
            return Err(self.malformed(&format!("it is over {} MiB long", MOST_REPLY_BYTES >> 20)));
        }
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.feed(bytes)
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), ProviderFailure> {
        match &mut self.mode {
            Mode::Undecided(held) => {
                held.extend_from_slice(bytes);
                if let Some(mode) = decide(held) {
                    let held = std::mem::take(held);
                    self.mode = mode;
                    return self.feed(&held);
                }
            }
            Mode::Whole(body) => body.extend_from_slice(bytes),
            Mode::Foreign => {
                if self.head.len() == HEAD_BYTES {
                    return Err(self.foreign());
                }
            }
            Mode::Stream(parser) => {
                let mut events = std::mem::take(&mut self.events);
                let parsed = parser.push(bytes, &mut events);
                let read = events.drain(..).try_for_each(|event| self.event(&event));
                self.events = events;
                read?;
                parsed.map_err(|error| self.malformed(&error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Says that the body ended as it should, and gives the reply.
    ///
    /// # Errors
    /// [`FailureKind::Cut`] if the reply is incomplete, [`FailureKind::Empty`] if it holds
    /// nothing, [`FailureKind::Malformed`] if it is not of this dialect.
    pub(crate) fn finish(mut self) -> Result<Reply, ProviderFailure> {
        match std::mem::replace(&mut self.mode, Mode::Foreign) {
            Mode::Undecided(_) => Err(self.cut("the body is empty")),
            Mode::Foreign => Err(self.foreign()),
            Mode::Whole(body) => self.whole(&body),
            Mode::Stream(parser) => {
                let last = parser.finish();
                // A last event without its empty line may be torn; then the stream was cut.
                if let Some(event) = last
                    && (event.data.trim() == "[DONE]" || is_json(&event.data))
                {
                    self.event(&event)?;
                }
                if self.seen_event || self.looks_like_events() {
                    self.reply("the stream ended before the model was finished")
                } else {
                    Err(self.foreign())
                }
            }
        }
    }

    /// Says that the body broke off, and gives the reply if it was complete before that.
    ///
    /// # Errors
    /// `failure`, with what is known of its cost.
    pub(crate) fn broken(self, failure: ProviderFailure) -> Result<Reply, ProviderFailure> {
        if self.end.is_some() {
            return self.reply("");
        }
        Err(ProviderFailure {
            usage: self.usage,
            ..failure
        })
    }

    fn event(&mut self, event: &SseEvent) -> Result<(), ProviderFailure> {
        let data = event.data.trim();
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.seen_event = true;
            self.done = true;
            return Ok(());
        }
        let chunk = serde_json::from_str::<Value>(data);
        if event.event == "error" {
            let error = chunk.unwrap_or_else(|_| Value::String(data.to_owned()));
            return Err(self.error(&error));
        }
        match chunk {
            Ok(Value::Object(chunk)) => {
                self.seen_event = true;
                self.chunk(&chunk, "delta")
            }
            _ => Err(self.malformed(&format!("an event holds `{}`", excerpt(data, SHOWN_CHARS)))),
        }
    }

    fn whole(mut self, body: &[u8]) -> Result<Reply, ProviderFailure> {
        match serde_json::from_slice::<Value>(without_mark(body)) {
            Ok(Value::Object(completion)) => {
                if !completion.contains_key("choices") && !completion.contains_key("error") {
                    return Err(self.foreign());
                }
                self.chunk(&completion, "message")?;
                // A whole completion needs no word about its end: that it is whole is enough.
                self.end.get_or_insert(ReplyStop::Finished);
                self.reply("")
            }
            Ok(Value::Array(items))
                if items.first().is_some_and(|item| item["error"].is_object()) =>
            {
                Err(self.error(&items[0]))
            }
            Err(error) if error.is_eof() => Err(self.cut("the JSON document is not whole")),
            _ => Err(self.foreign()),
        }
    }

    /// Takes in one chunk; `part` is where its choices hold what was said.
    fn chunk(&mut self, chunk: &Map<String, Value>, part: &str) -> Result<(), ProviderFailure> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.error(&Value::Object(chunk.clone())));
        }
        self.usage(chunk.get("usage"));
        let choices = match chunk.get("choices") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(choices)) => choices,
            Some(_) => return Err(self.malformed("`choices` is not a list")),
        };
        // More than one answer is never asked for; others than the first are not ours.
        let ours = |choice: &&Value| choice["index"].as_u64().unwrap_or(0) == 0;
        for choice in choices.iter().filter(ours) {
            let said = choice.get(part).or_else(|| choice.get("delta"));
            let said = said.or_else(|| choice.get("message"));
            match said {
                None | Some(Value::Null) => {}
                Some(Value::Object(said)) => {
                    self.refused |= fields::take(&mut self.assembly, said);
                }
                Some(_) => return Err(self.malformed("a choice's delta is not an object")),
            }
            self.usage(choice.get("usage"));
            self.finish_reason(&choice["finish_reason"])?;
        }
        Ok(())
    }

    fn finish_reason(&mut self, reason: &Value) -> Result<(), ProviderFailure> {
        let Some(reason) = reason.as_str().filter(|reason| !reason.is_empty()) else {
            return Ok(());
        };
        self.end = Some(match reason {
            "stop" | "tool_calls" | "function_call" => ReplyStop::Finished,
            "length" | "max_tokens" => ReplyStop::Length,
            "content_filter" | "refusal" => ReplyStop::Refused,
            "error" => return Err(self.error(&Value::String("finish reason `error`".to_owned()))),
            _ => {
                self.assembly
                    .extra("finish_reason", Value::String(reason.to_owned()));
                ReplyStop::Finished
            }
        });
        Ok(())
    }

    fn usage(&mut self, usage: Option<&Value>) {
        if let Some(usage) = usage.and_then(fields::usage) {
            self.usage = Some(usage);
        }
    }

    fn reply(self, unfinished: &str) -> Result<Reply, ProviderFailure> {
        let Some(end) = self.end else {
            return Err(self.cut(unfinished));
        };
        let stop = if self.refused && end == ReplyStop::Finished {
            ReplyStop::Refused
        } else {
            end
        };
        let usage = self.usage;
        let message = self
            .assembly
            .finish(stop)
            .map_err(|failure| ProviderFailure { usage, ..failure })?;
        Ok(Reply {
            message,
            stop,
            usage,
            request_id: None,
        })
    }

    /// The failure for an error object in the body. Once words have come, the provider may charge
    /// for them, whatever it calls the error; asking again is what helps then.
    fn error(&self, error: &Value) -> ProviderFailure {
        let body = ErrorBody::of_value(error);
        let kind = match body.kind().unwrap_or(FailureKind::Unavailable) {
            FailureKind::Unavailable if !self.assembly.is_untouched() => FailureKind::Cut,
            kind => kind,
        };
        let message = format!(
            "{} reports an error in its reply: {}",
            self.shown, body.message
        );
        ProviderFailure {
            status: body.status,
            ..self.failure(kind, &message)
        }
    }

    fn cut(&self, what: &str) -> ProviderFailure {
        self.failure(
            FailureKind::Cut,
            &format!("the reply of {} was cut: {what}", self.shown),
        )
    }

    fn malformed(&self, what: &str) -> ProviderFailure {
        let message = format!(
            "what {} sent is no Chat Completions reply: {what}; check that the base URL leads to \
             a compatible server",
            self.shown
        );
        self.failure(FailureKind::Malformed, &message)
    }

    fn foreign(&self) -> ProviderFailure {
        let start = excerpt(&String::from_utf8_lossy(&self.head), SHOWN_CHARS);
        self.malformed(&format!("it begins `{start}`"))
    }

    fn failure(&self, kind: FailureKind, message: &str) -> ProviderFailure {
        ProviderFailure {
            usage: self.usage,
            ..ProviderFailure::new(kind, self.scrub.clean(message))
        }
    }

    /// Whether a body without any event began like a stream, such as with comments only.
    fn looks_like_events(&self) -> bool {
        let start = without_mark(&self.head).trim_ascii_start();
        let fields: [&[u8]; 5] = [b"data", b"event", b"id", b"retry", b""];
        fields.iter().any(|field| {
            start
                .strip_prefix(*field)
                .is_some_and(|rest| rest.first() == Some(&b':'))
        })
    }
}

/// Tells what a body is by its first character, once there is one.
fn decide(start: &[u8]) -> Option<Mode> {
    // The first byte of a byte order mark that may not be whole yet.
    if start.first() == Some(&0xEF) && start.len() < 3 {
        return None;
    }
    let first = without_mark(start)
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())?;
    Some(match first {
        b'{' | b'[' => Mode::Whole(Vec::new()),
        // The first letters of data, event, id, retry, and of a comment.
        b'd' | b'e' | b'i' | b'r' | b':' => {
            Mode::Stream(Box::new(SseParser::new(MOST_EVENT_BYTES)))
        }
        _ => Mode::Foreign,
    })
}

/// `bytes` without the byte order mark that they may begin with.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

fn is_json(data: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok()
}

#[cfg(test)]
mod tests;
