//! Reads server-sent events from bytes as they arrive.
//!
//! Follows the event stream format of the HTML standard: lines end with CR, LF or CRLF, a byte
//! order mark at the very start is skipped, lines that begin with a colon are comments, several
//! `data` lines of one event are joined with LF. Invalid UTF-8 becomes U+FFFD. One deviation: an
//! event that the stream ends in, without its empty line, is not lost but given by
//! [`SseParser::finish`], since some servers end like that.

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// The `event` field; `message` when the server gave none.
    pub event: String,
    /// The `data` lines, joined with LF.
    pub data: String,
    /// The last `id` the stream gave up to here.
    pub id: Option<String>,
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SseError {
    /// One event is larger than the parser was told to hold.
    #[error("a single event is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
}

/// An incremental parser: however the bytes are split, the same events come out.
#[derive(Debug)]
pub struct SseParser {
    limit_bytes: usize,
    line: Vec<u8>,
    after_cr: bool,
    at_start: bool,
    event: String,
    data: Option<String>,
    id: Option<String>,
    retry_ms: Option<u64>,
    too_large: bool,
}

impl SseParser {
    /// Makes a parser that holds at most `limit_bytes` of one event.
    #[must_use]
    pub const fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            event: String::new(),
            data: None,
            id: None,
            retry_ms: None,
            too_large: false,
        }
    }

    /// Takes the next bytes and appends the events they complete to `events`.
    ///
    /// # Errors
    /// [`SseError::TooLarge`], from then on for every call; events completed before it are given.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), SseError> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.too_large {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r');
            self.extend_line(&rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { break };
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if !self.too_large {
                events.extend(self.end_line());
            }
        }
        if self.too_large {
            return Err(SseError::TooLarge {
                limit_bytes: self.limit_bytes,
            });
        }
        Ok(())
    }

    /// Says that no more bytes come; gives the event that was still open, if it has data.
    #[must_use]
    pub fn finish(mut self) -> Option<SseEvent> {
        if self.too_large {
            return None;
        }
        self.end_line().or_else(|| self.dispatch())
    }

    /// How long the server asks to wait before connecting again, in milliseconds.
    #[must_use]
    pub const fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        let held = self.data.as_ref().map_or(0, String::len) + self.line.len();
        if held + bytes.len() > self.limit_bytes {
            self.too_large = true;
            self.line = Vec::new();
            self.data = None;
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let mut text = line.as_slice();
        if std::mem::take(&mut self.at_start) {
            text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        }
        let event = if text.is_empty() {
            self.dispatch()
        } else {
            self.field(text);
            None
        };
        // The buffer is kept so that a line costs no allocation.
        self.line = line;
        self.line.clear();
        event
    }

    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, value) = match colon {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = String::from_utf8_lossy(value.strip_prefix(b" ").unwrap_or(value));
        match name {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
                None => self.data = Some(value.into_owned()),
            },
            b"event" => self.event = value.into_owned(),
            b"id" if !value.contains('\0') => self.id = Some(value.into_owned()),
            b"retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry_ms = value.parse().ok();
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.event);
        let data = self.data.take()?;
        let event = if event.is_empty() {
            "message".to_owned()
        } else {
            event
        };
        Some(SseEvent {
            event,
            data,
            id: self.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
