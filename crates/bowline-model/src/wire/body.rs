//! Reads the body of a reply, whatever the dialect: a stream of events, or one whole document.

use bowline_core::{FailureKind, ProviderFailure, Usage};
use serde_json::{Map, Value};

use super::shape;
use crate::http::{ErrorBody, Scrub, excerpt};
use crate::provider::Reply;
use crate::sse::{SseEvent, SseParser};

/// One event may hold a whole reply; none is near this large.
const MOST_EVENT_BYTES: usize = 16 << 20;
/// A reply over this is not one.
const MOST_REPLY_BYTES: usize = 64 << 20;
/// White space before the first character of a reply.
const MOST_BLANK_BYTES: usize = 64 << 10;
/// Characters of a foreign body that a message shows.
const SHOWN_CHARS: usize = 200;
/// Bytes kept of a body for such a message: enough for as many characters, escapes included.
const HEAD_BYTES: usize = 1600;

/// Takes in a reply of one dialect, event by event.
pub(crate) trait Parser: Send {
    /// The dialect's name in messages, such as `Chat Completions`.
    fn dialect(&self) -> &'static str;

    /// Takes in the object of one event of a stream; `name` is the event's, `message` if it has
    /// none.
    ///
    /// # Errors
    /// What is wrong with it; then nothing more is asked of the parser but its usage.
    fn event(&mut self, name: &str, data: Map<String, Value>) -> Result<(), Fault>;

    /// Takes in `[DONE]`, with which some servers end any stream.
    fn done_mark(&mut self) {}

    /// Takes in a document that is the whole reply.
    ///
    /// # Errors
    /// As [`Parser::event`].
    fn whole(&mut self, document: Map<String, Value>) -> Result<(), Fault>;

    /// Whether the stream has said that it is over: nothing after it is looked at.
    fn is_done(&self) -> bool;

    /// Whether a reply can be given, even if the body breaks off here.
    fn is_complete(&self) -> bool;

    /// Whether nothing of the reply has arrived yet.
    fn is_untouched(&self) -> bool;

    /// What it is known to have cost so far.
    fn usage(&self) -> Option<Usage>;

    /// Gives the reply, without its request id. Asked only once it is complete.
    ///
    /// # Errors
    /// [`FailureKind::Empty`] if it holds nothing.
    fn finish(self: Box<Self>) -> Result<Reply, ProviderFailure>;
}

/// What is wrong with a reply.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It holds an error report: an object such as [`ErrorBody`] reads, or words.
    Error(Value),
    /// It is not of this dialect, and in what way.
    Malformed(String),
    /// It is nothing of the kind.
    Foreign,
}

/// A reply that is being read. Feed it the body with [`BodyReader::push`].
pub(crate) struct BodyReader {
    parser: Box<dyn Parser>,
    mode: Mode,
    shown: String,
    scrub: Scrub,
    head: Vec<u8>,
    received: usize,
    events: Vec<SseEvent>,
    seen_event: bool,
}

/// What kind of body it turns out to be, judged by its first character, as content types lie.
enum Mode {
    /// Nothing but white space so far, held back.
    Undecided(Vec<u8>),
    Stream(Box<SseParser>),
    Whole(Vec<u8>),
    Foreign,
}

impl BodyReader {
    /// Makes a reader for one reply; `shown` is the URL it comes from, for messages.
    pub(crate) fn new(parser: Box<dyn Parser>, shown: &str, scrub: Scrub) -> Self {
        Self {
            parser,
            mode: Mode::Undecided(Vec::new()),
            shown: shown.to_owned(),
            scrub,
            head: Vec::new(),
            received: 0,
            events: Vec::new(),
            seen_event: false,
        }
    }

    /// Whether the stream has said that it is over.
    pub(crate) fn is_done(&self) -> bool {
        self.parser.is_done()
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
                // Every look begins at the start again, so what is held must stay small.
                if held.len() > MOST_BLANK_BYTES {
                    let what = format!("it is blank for over {} KiB", MOST_BLANK_BYTES >> 10);
                    return Err(self.malformed(&what));
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
                    self.reply()
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
        if self.parser.is_complete() {
            return self.reply();
        }
        Err(ProviderFailure {
            usage: self.parser.usage(),
            ..failure
        })
    }

    fn event(&mut self, event: &SseEvent) -> Result<(), ProviderFailure> {
        let data = event.data.trim();
        if self.parser.is_done() || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.seen_event = true;
            self.parser.done_mark();
            return Ok(());
        }
        let value = serde_json::from_str::<Value>(data);
        if event.event == "error" {
            let error = value.unwrap_or_else(|_| Value::String(data.to_owned()));
            return Err(self.error(&error));
        }
        match value {
            Ok(Value::Object(value)) => {
                if !std::mem::replace(&mut self.seen_event, true) {
                    self.of_this_dialect(&value)?;
                }
                let taken = self.parser.event(&event.event, value);
                taken.map_err(|fault| self.failed(fault))
            }
            _ => Err(self.malformed(&format!("an event holds `{}`", excerpt(data, SHOWN_CHARS)))),
        }
    }

    fn whole(mut self, body: &[u8]) -> Result<Reply, ProviderFailure> {
        match serde_json::from_slice::<Value>(without_mark(body)) {
            Ok(Value::Object(document)) => {
                self.of_this_dialect(&document)?;
                let taken = self.parser.whole(document);
                taken.map_err(|fault| self.failed(fault))?;
                self.reply()
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

    /// Refuses what is plainly of another dialect, saying which: unknown events are passed over, so
    /// that its stream would only seem to be cut.
    fn of_this_dialect(&self, object: &Map<String, Value>) -> Result<(), ProviderFailure> {
        match shape::of(object) {
            Some(other) if !self.parser.dialect().contains(other.word) => {
                Err(self.malformed(&format!(
                    "it is of the {} dialect, which provider `{}` speaks",
                    other.word, other.provider
                )))
            }
            _ => Ok(()),
        }
    }

    fn reply(self) -> Result<Reply, ProviderFailure> {
        if !self.parser.is_complete() {
            return Err(self.cut("the stream ended before the model was finished"));
        }
        let usage = self.parser.usage();
        let reply = self.parser.finish();
        reply.map_err(|failure| ProviderFailure { usage, ..failure })
    }

    fn failed(&self, fault: Fault) -> ProviderFailure {
        match fault {
            Fault::Error(error) => self.error(&error),
            Fault::Malformed(what) => self.malformed(&what),
            Fault::Foreign => self.foreign(),
        }
    }

    /// The failure for an error object in the body. Once words have come, the provider may charge
    /// for them, whatever it calls the error; asking again is what helps then.
    fn error(&self, error: &Value) -> ProviderFailure {
        let body = ErrorBody::of_value(error);
        let kind = match body.kind().unwrap_or(FailureKind::Unavailable) {
            FailureKind::Unavailable if !self.parser.is_untouched() => FailureKind::Cut,
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
            "what {} sent is no {} reply: {what}; check that the base URL leads to a compatible \
             server, and that --model names its dialect (openai-chat, openai or anthropic)",
            self.shown,
            self.parser.dialect()
        );
        self.failure(FailureKind::Malformed, &message)
    }

    fn foreign(&self) -> ProviderFailure {
        let start = excerpt(&String::from_utf8_lossy(&self.head), SHOWN_CHARS);
        self.malformed(&format!("it begins `{start}`"))
    }

    fn failure(&self, kind: FailureKind, message: &str) -> ProviderFailure {
        ProviderFailure {
            usage: self.parser.usage(),
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
