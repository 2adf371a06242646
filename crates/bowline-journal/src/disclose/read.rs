//! A file of disclosed decisions, checked by itself: nothing else is needed, nothing else is read.

use std::io::{BufRead, Read as _};

use bowline_core::{Digest, Epoch, Event, Fact, Seq, SessionId};
use serde::de::DeserializeOwned;

use super::{Counts, EndLine, HeadLine, RecordLine, SessionLine, VERSION};
use crate::anchor::Anchor;
use crate::chains::{Held, Stream};
use crate::record::{Head, Line, from_hex, seed};

/// The longest line that is read.
const MOST_LINE_BYTES: u64 = 64 << 20;

/// Why a file of disclosed decisions does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct DisclosedError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, without a full stop.
    pub why: String,
}

/// One session of such a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DisclosedChain {
    /// The session.
    pub session: SessionId,
    /// Its records.
    pub records: u64,
    /// Records whose bodies are disclosed.
    pub disclosed: u64,
    /// Decisions among them.
    pub decisions: u64,
    /// The hash of its last record.
    pub hash: Digest,
    /// How it stands to the anchor, if there is one that names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchored: Option<Held>,
}

/// Checks a file that [`crate::Store::disclose`] wrote: that every chain is whole, that every body
/// is the one that its record committed to, and that chains hold what `anchor` names.
///
/// A file by itself shows that it is consistent. That it is about what really happened is shown by
/// an anchor only.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_disclosed(
    input: &mut dyn BufRead,
    anchor: Option<&Anchor>,
) -> Result<Vec<DisclosedChain>, DisclosedError> {
    let mut lines = Lines {
        input,
        number: 0,
        bytes: Vec::new(),
    };
    let head: HeadLine = lines.next("the head of an audit export")?;
    if head.bowline_audit_export != VERSION {
        let version = head.bowline_audit_export;
        return Err(lines.wrong(format!(
            "it is of version {version}, and this version of Bowline knows {VERSION}"
        )));
    }
    let mut chains = Vec::new();
    loop {
        lines.read()?;
        if let Ok(end) = serde_json::from_slice::<EndLine>(&lines.bytes) {
            let counts = Counts {
                sessions: chains.len() as u64,
                records: chains.iter().map(|it: &DisclosedChain| it.records).sum(),
            };
            if end.end != counts {
                return Err(lines.wrong("it says that there was another number of records"));
            }
            if !lines.is_at_end()? {
                return Err(lines.wrong("something comes after the end"));
            }
            return Ok(chains);
        }
        let named: SessionLine = lines.parsed("a session, or the end")?;
        if chains.iter().any(|it| it.session == named.session) {
            return Err(lines.wrong("this session was there already"));
        }
        chains.push(chain(&mut lines, &named, anchor)?);
    }
}

fn chain(
    lines: &mut Lines<'_>,
    named: &SessionLine,
    anchor: Option<&Anchor>,
) -> Result<DisclosedChain, DisclosedError> {
    let stream = Stream::Session(named.session);
    let wanted: Option<Head> = anchor.and_then(|it| it.heads().get(&stream).copied());
    let mut found = DisclosedChain {
        session: named.session,
        records: named.records,
        disclosed: 0,
        decisions: 0,
        hash: seed(named.session),
        anchored: wanted.map(|_| Held::Cut),
    };
    let mut epoch = 0;
    for number in 1..=named.records {
        let record: RecordLine = lines.next("a record")?;
        if record.seq != Seq(number) {
            return Err(lines.wrong(format!("record {number} is due here")));
        }
        if record.epoch < epoch {
            return Err(lines.wrong("its epoch was over already"));
        }
        epoch = record.epoch;
        let body = disclosed(&record).map_err(|why| lines.wrong(why))?;
        let line = Line {
            seq: record.seq,
            epoch: Epoch(record.epoch),
            prev: found.hash,
            commitment: record.commitment,
            salt: body.map(|(salt, _)| salt).unwrap_or_default(),
            body: body.map(|(_, body)| body.as_bytes()).unwrap_or_default(),
        };
        if let Some((_, body)) = body {
            if !line.commitment_holds() {
                return Err(lines.wrong("the body does not match its commitment"));
            }
            let event: Event = serde_json::from_str(body)
                .map_err(|error| lines.wrong(format!("the body is no event: {error}")))?;
            found.disclosed += 1;
            found.decisions += u64::from(matches!(event.fact, Fact::Decided(_)));
        }
        found.hash = line.hash(named.session);
        if let Some(wanted) = wanted.filter(|it| it.seq == record.seq) {
            found.anchored = Some(match wanted.hash == found.hash {
                true => Held::Holds,
                false => Held::Rewritten,
            });
        }
    }
    if found.hash != named.hash {
        return Err(lines.wrong(
            "the records do not come to the hash that the session's line names: one was changed",
        ));
    }
    Ok(found)
}

/// Salt and body of a record whose body is disclosed.
fn disclosed(record: &RecordLine) -> Result<Option<([u8; 16], &str)>, &'static str> {
    match (&record.salt, &record.body) {
        (None, None) => Ok(None),
        (Some(salt), Some(body)) => match from_hex(salt) {
            Some(salt) => Ok(Some((salt, body))),
            None => Err("a salt is 32 lower-case hexadecimal digits"),
        },
        _ => Err("salt and body come together"),
    }
}

/// The lines of a file.
struct Lines<'a> {
    input: &'a mut dyn BufRead,
    number: u64,
    bytes: Vec<u8>,
}

impl Lines<'_> {
    fn wrong(&self, why: impl Into<String>) -> DisclosedError {
        DisclosedError {
            line: self.number,
            why: why.into(),
        }
    }

    fn read(&mut self) -> Result<(), DisclosedError> {
        self.number += 1;
        self.bytes.clear();
        let input = &mut *self.input;
        let read = input
            .take(MOST_LINE_BYTES)
            .read_until(b'\n', &mut self.bytes);
        read.map_err(|error| self.wrong(format!("it cannot be read: {error}")))?;
        match self.bytes.pop() {
            Some(b'\n') => Ok(()),
            Some(_) => Err(self.wrong("the line has no end: the file was cut")),
            None => Err(self.wrong("the file ends before its end: it was cut")),
        }
    }

    fn parsed<T: DeserializeOwned>(&self, what: &str) -> Result<T, DisclosedError> {
        serde_json::from_slice(&self.bytes)
            .map_err(|error| self.wrong(format!("it is not {what}: {error}")))
    }

    fn next<T: DeserializeOwned>(&mut self, what: &str) -> Result<T, DisclosedError> {
        self.read()?;
        self.parsed(what)
    }

    fn is_at_end(&mut self) -> Result<bool, DisclosedError> {
        let rest = self.input.fill_buf();
        let rest = rest.map_err(|error| DisclosedError {
            line: self.number,
            why: format!("it cannot be read: {error}"),
        })?;
        Ok(rest.is_empty())
    }
}
