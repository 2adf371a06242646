//! Decisions written out so that they can be verified elsewhere, without the rest of the journal.
//!
//! A record's hash covers a commitment to its body, not the body itself. So a chain can be shown
//! whole while most bodies stay here: of every record its place, its epoch and its commitment; of
//! those that are disclosed the salt and the body too, which must fit the commitment. The file is
//! JSON Lines: a head, then for each session a line that names it and one for each record, then an
//! end that says how much there was.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::Range;

use bowline_core::{DecisionId, Digest, Event, Fact, Seq, SessionId};
use serde::{Deserialize, Serialize};

pub use read::{DisclosedChain, DisclosedError, verify_disclosed};

use crate::Error;
use crate::error::At as _;
use crate::read::read_head;
use crate::record::{Line, Record, Tail, hex, verify};
use crate::store::Store;

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// What was written out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disclosed {
    /// Sessions.
    pub sessions: u64,
    /// Records of theirs, disclosed or not.
    pub records: u64,
    /// Decisions among them that are disclosed.
    pub decisions: u64,
    /// Sessions that are damaged: of each what is intact was written out, and why it is not whole.
    pub damaged: Vec<(SessionId, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    bowline_audit_export: u32,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionLine {
    session: SessionId,
    records: u64,
    hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordLine {
    seq: Seq,
    epoch: u64,
    commitment: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    /// The bytes of the body, as a text: no program that passes it on spells it anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    end: Counts,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    sessions: u64,
    records: u64,
}

impl Store {
    /// Writes out the decisions of `sessions` that were taken within `when` (milliseconds since
    /// 1970), with their answers and the policies they were taken under. Takes no lock, changes
    /// nothing. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`].
    pub fn disclose(
        &self,
        sessions: &[SessionId],
        when: &Range<u64>,
        at_ms: u64,
        out: &mut dyn Write,
    ) -> Result<Disclosed, Error> {
        let mut done = Disclosed::default();
        let head = HeadLine {
            bowline_audit_export: VERSION,
            at_ms,
        };
        let home = self.home().to_owned();
        line(out, &head).at("write out", &home)?;
        for session in sessions {
            self.disclose_one(*session, when, out, &mut done)?;
        }
        let counts = Counts {
            sessions: done.sessions,
            records: done.records,
        };
        line(out, &EndLine { end: counts }).at("write out", &home)?;
        Ok(done)
    }

    fn disclose_one(
        &self,
        session: SessionId,
        when: &Range<u64>,
        out: &mut dyn Write,
        done: &mut Disclosed,
    ) -> Result<(), Error> {
        let dir = self.existing(session)?;
        let path = dir.journal();
        let head = read_head(&dir, session)?;
        let bytes = std::fs::read(&path).at("read", &path)?;
        let verified = verify(session, &bytes, head);
        if let Tail::Damaged(finding) = &verified.tail {
            let why = format!("record {}: {}", finding.at_seq, finding.fault);
            done.damaged.push((session, why));
        }
        let wanted = Wanted::of(&verified.records, when);
        let mut at = 0;
        let named = SessionLine {
            session,
            records: verified.records.len() as u64,
            hash: verified.end.hash,
        };
        line(out, &named).at("write out", &path)?;
        for (number, record) in verified.records.iter().enumerate() {
            let whole = &bytes[at..at + record.line_bytes];
            at += record.line_bytes;
            let Ok(parsed) = Line::parse(whole.strip_suffix(b"\n").unwrap_or(whole)) else {
                continue;
            };
            let body = std::str::from_utf8(parsed.body).ok();
            let body = body.filter(|_| wanted.places.contains(&number));
            let written = RecordLine {
                seq: parsed.seq,
                epoch: parsed.epoch.0,
                commitment: parsed.commitment,
                salt: body.map(|_| hex(&parsed.salt)),
                body: body.map(str::to_owned),
            };
            line(out, &written).at("write out", &path)?;
        }
        done.sessions += 1;
        done.records += verified.records.len() as u64;
        done.decisions += wanted.decisions;
        Ok(())
    }
}

/// Which records are disclosed.
#[derive(Default)]
struct Wanted {
    places: BTreeSet<usize>,
    decisions: u64,
}

impl Wanted {
    fn of(records: &[Record<'_>], when: &Range<u64>) -> Self {
        let mut wanted = Self::default();
        let mut policies: BTreeSet<Digest> = BTreeSet::new();
        let mut decisions: BTreeSet<DecisionId> = BTreeSet::new();
        let events: Vec<Option<Event>> = records.iter().map(|it| it.event().ok()).collect();
        for (at, event) in events.iter().enumerate() {
            let Some(event) = event else { continue };
            if let Fact::Decided(decided) = &event.fact
                && when.contains(&event.at_ms)
            {
                policies.insert(decided.decision.policy_hash);
                decisions.insert(decided.decision.id);
                wanted.places.insert(at);
                wanted.decisions += 1;
            }
        }
        for (at, event) in events.iter().enumerate() {
            let Some(event) = event else { continue };
            let is_wanted = match &event.fact {
                Fact::PolicyRecorded(policy) => policies.contains(&policy.hash),
                Fact::DecisionAnswered(it) => decisions.contains(&it.decision),
                Fact::QuestionAnswered(it) => decisions.contains(&it.decision),
                Fact::DecisionLapsed(it) => decisions.contains(&it.decision),
                _ => false,
            };
            if is_wanted {
                wanted.places.insert(at);
            }
        }
        wanted
    }
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
