//! Reading an exported session, piece by piece, believing nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline_core::call::BlobRef;
use bowline_core::job::{JobChange, is_spool_name};
use bowline_core::{Digest, Epoch, Event, Fact, Seq, SessionId};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{FORMAT, VERSION, note_blobs};
use crate::Error;
use crate::record::{Chain, Line, commitment, from_hex};

/// Takes what was found to be in order.
pub(super) trait Sink {
    /// The session's id; comes first.
    fn session(&mut self, session: SessionId) -> Result<(), Error>;
    /// The next record, as a line with its line end.
    fn record(&mut self, line: &[u8]) -> Result<(), Error>;
    /// A stored body.
    fn blob(&mut self, blob: BlobRef, body: &[u8]) -> Result<(), Error>;
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Where its chain stands at the end.
    pub(super) chain: Chain,
    /// How many stored bodies it holds.
    pub(super) blobs: usize,
    /// Stored bodies that it refers to and does not hold.
    pub(super) missing: Vec<Digest>,
}

/// Reads an export to its very end and gives what is in order to `sink`, in order. The memory taken
/// is that of the largest piece.
pub(super) fn read(from: impl Read, sink: &mut dyn Sink) -> Result<Content, Error> {
    let mut reading = Reading {
        sink,
        chain: None,
        refers: BTreeSet::new(),
        held: BTreeSet::new(),
        failed: None,
    };
    let mut json = serde_json::Deserializer::from_reader(from);
    let read = json
        .deserialize_map(Whole(&mut reading))
        .and_then(|()| json.end());
    if let Err(error) = read {
        return Err(match reading.failed {
            Some(failed) => failed,
            None => refused(format!("it cannot be read: {error}")),
        });
    }
    let Some(chain) = reading.chain.filter(|chain| chain.seq > Seq(0)) else {
        return Err(refused("it holds no event".to_owned()));
    };
    Ok(Content {
        chain,
        blobs: reading.held.len(),
        missing: reading.refers.difference(&reading.held).copied().collect(),
    })
}

pub(super) fn refused(why: String) -> Error {
    Error::Invalid {
        what: format!("this is no session that can be imported: {why}"),
        next: "Nothing was created. Export the session again where it came from".to_owned(),
    }
}

struct Reading<'s> {
    sink: &'s mut dyn Sink,
    chain: Option<Chain>,
    refers: BTreeSet<Digest>,
    held: BTreeSet<Digest>,
    /// What the parser's own error stands for.
    failed: Option<Error>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventEntry {
    seq: Seq,
    epoch: Epoch,
    commitment: Digest,
    salt: String,
    hash: Digest,
    event: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlobEntry {
    digest: Digest,
    bytes: u64,
    base64: String,
}

impl Reading<'_> {
    /// Does what may fail; the parser is stopped with an error that stands for the real one.
    fn run<E: serde::de::Error>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), E> {
        act(self).map_err(|error| {
            self.failed = Some(error);
            E::custom("stopped")
        })
    }

    fn session(&mut self, session: SessionId) -> Result<(), Error> {
        self.chain = Some(Chain::start(session));
        self.sink.session(session)
    }

    fn event(&mut self, entry: &EventEntry) -> Result<(), Error> {
        let Some(mut chain) = self.chain else {
            return Err(refused("it has no id".to_owned()));
        };
        let at = entry.seq;
        let wrong = |why: &str| refused(format!("event {at}: {why}"));
        let salt = from_hex(&entry.salt).ok_or_else(|| wrong("its salt is none"))?;
        let Some(body) = stored_body(entry, &salt) else {
            return Err(wrong("it does not match its commitment: it was changed"));
        };
        let line = Line {
            seq: entry.seq,
            epoch: entry.epoch,
            prev: chain.hash,
            commitment: entry.commitment,
            salt,
            body: &body,
        };
        let mut bytes = Vec::new();
        line.render(&mut bytes);
        let record = chain
            .follow(&bytes[..bytes.len() - 1])
            .map_err(|fault| wrong(&fault.to_string()))?;
        if record.receipt.hash != entry.hash {
            return Err(wrong("it does not follow the one before it"));
        }
        let event = record.event().map_err(|what| {
            wrong(&format!(
                "this version of Bowline does not understand it ({what}); use a newer one"
            ))
        })?;
        if let Some(why) = hostile(&event, chain.session) {
            return Err(wrong(why));
        }
        note_blobs(&body, &mut self.refers);
        self.chain = Some(chain);
        self.sink.record(&bytes)
    }

    fn blob(&mut self, entry: &BlobEntry) -> Result<(), Error> {
        let BlobEntry {
            digest,
            bytes,
            base64,
        } = entry;
        let wrong = |why: &str| refused(format!("stored body {digest}: {why}"));
        let body = STANDARD
            .decode(base64)
            .map_err(|_| wrong("it is not base64"))?;
        if body.len() as u64 != *bytes || Digest::of(&body) != *digest {
            return Err(wrong("it was changed"));
        }
        if !self.refers.contains(digest) {
            return Err(wrong("no event refers to it"));
        }
        if !self.held.insert(*digest) {
            return Err(wrong("it is there twice"));
        }
        let blob = BlobRef {
            digest: *digest,
            bytes: *bytes,
        };
        self.sink.blob(blob, &body)
    }
}

/// The bytes that were committed to. A program that laid the export out anew may have changed white
/// space only: then the tight spelling is what was stored. The commitment proves either.
fn stored_body(entry: &EventEntry, salt: &[u8; 16]) -> Option<Vec<u8>> {
    let is_it = |body: &[u8]| {
        // A line end within would make two lines of one record.
        !body.contains(&b'\n') && commitment(salt, body) == entry.commitment
    };
    let text = entry.event.get().as_bytes();
    if is_it(text) {
        return Some(text.to_vec());
    }
    let value: Value = serde_json::from_slice(text).ok()?;
    serde_json::to_vec(&value).ok().filter(|body| is_it(body))
}

/// What no session that Bowline wrote says: another session's beginning, or a place outside of its
/// own folder.
fn hostile(event: &Event, session: SessionId) -> Option<&'static str> {
    let outside = "it names a folder outside of its session";
    match &event.fact {
        Fact::SessionStarted(started) if started.session != session => {
            Some("it is the beginning of another session")
        }
        Fact::CallStarted(started) if !started.spool().is_none_or(is_spool_name) => Some(outside),
        Fact::CallFinished(finished) => {
            let mut jobs = finished.outcome.effect.jobs.iter();
            let leads_out = |change: &JobChange| match change {
                JobChange::Started { spool, .. } => !is_spool_name(spool),
                _ => false,
            };
            jobs.any(leads_out).then_some(outside)
        }
        _ => None,
    }
}

struct Whole<'r, 's>(&'r mut Reading<'s>);

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an exported session")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let reading = self.0;
        expect(&mut map, "format")?;
        let format: String = map.next_value()?;
        expect(&mut map, "version")?;
        let version: u64 = map.next_value()?;
        if format != FORMAT || version != VERSION {
            let why = match version {
                version if format == FORMAT && version > VERSION => format!(
                    "its version is {version}, this Bowline knows version {VERSION}: use a newer one"
                ),
                version if format == FORMAT => format!(
                    "its version is {version}, which does not hold all that a session needs"
                ),
                _ => format!("its format is not {FORMAT}"),
            };
            return reading.run(|_| Err(refused(why)));
        }
        expect(&mut map, "id")?;
        let session: SessionId = map.next_value()?;
        reading.run(|reading| reading.session(session))?;
        expect(&mut map, "events")?;
        map.next_value_seed(Each(reading, Reading::event))?;
        expect(&mut map, "blobs")?;
        map.next_value_seed(Each(reading, Reading::blob))?;
        match map.next_key::<String>()? {
            None => Ok(()),
            Some(more) => Err(A::Error::custom(format!("`{more}` is not known"))),
        }
    }
}

/// Takes the key that must come next.
fn expect<'de, A: MapAccess<'de>>(map: &mut A, name: &str) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        Some(key) if key == name => Ok(()),
        Some(key) => Err(A::Error::custom(format!("`{name}` is due, not `{key}`"))),
        None => Err(A::Error::custom(format!("`{name}` is missing"))),
    }
}

/// Each entry of a list, one at a time.
struct Each<'r, 's, T>(
    &'r mut Reading<'s>,
    fn(&mut Reading<'s>, &T) -> Result<(), Error>,
);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self(reading, take) = self;
        while let Some(entry) = seq.next_element::<T>()? {
            reading.run(|reading| take(reading, &entry))?;
        }
        Ok(())
    }
}
