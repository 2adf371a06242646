//! Questions to an index.

use bowline_core::{Digest, Epoch, Seq, SessionId, Usage};
use rusqlite::Row;

use super::{Index, index_error};
use crate::Error;
use crate::record::{Chain, Head};
use crate::summary::{Notes, Status, Summary};

/// One recorded decision, with the answer if it was a question.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DecisionRow {
    /// Where it lies in the journal.
    pub seq: Seq,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The call.
    pub call: String,
    /// The decision's id.
    pub decision: String,
    /// `allow`, `ask` or `deny`.
    pub verdict: String,
    /// Who decided: `policy`, `person, ROUTE` or `grant ID`.
    pub decided_by: String,
    /// The tool.
    pub tool: String,
    /// What the call would do, in a line.
    pub essence: String,
    /// Why, in a line.
    pub reason: String,
    /// A person's answer, `allow` or `deny`, if there was one.
    pub answer: Option<String>,
    /// Who answered, by which route.
    pub answered_by: Option<String>,
    /// When, in milliseconds since 1970.
    pub answered_ms: Option<u64>,
}

/// How far an index has read a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) chain: Chain,
    pub(crate) journal_bytes: u64,
    pub(crate) notes: Notes,
}

/// Where a text that matches lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) session: SessionId,
    pub(crate) seq: Seq,
    pub(crate) kind: String,
    pub(crate) at_ms: u64,
    pub(crate) offset_bytes: u64,
    pub(crate) line_bytes: u64,
}

impl Index {
    /// How far a session was read; `None` if not at all.
    pub(crate) fn progress(&self, session: SessionId) -> Result<Option<Progress>, Error> {
        let sql = format!("{SESSIONS} where id = ?1");
        let found = self.all(&sql, [session.to_string()], read_summary)?;
        Ok(found.into_iter().flatten().next().map(|summary| Progress {
            chain: Chain {
                session,
                seq: summary.last.seq,
                epoch: summary.epoch,
                hash: summary.last.hash,
            },
            journal_bytes: summary.journal_bytes,
            notes: Notes {
                started_ms: summary.started_ms,
                updated_ms: summary.updated_ms,
                title: summary.title,
            },
        }))
    }

    /// Every session it knows.
    pub(crate) fn sessions(&self) -> Result<Vec<Summary>, Error> {
        Ok(self
            .all(SESSIONS, [], read_summary)?
            .into_iter()
            .flatten()
            .collect())
    }

    /// The decisions of a session, in order.
    pub(crate) fn decisions(&self, session: SessionId) -> Result<Vec<DecisionRow>, Error> {
        let sql = "select seq, at_ms, call, decision, verdict, decided_by, tool, essence, reason, \
                   answer, answered_by, answered_ms from decisions where session = ?1 \
                   and what = 'decision' order by seq";
        self.all(sql, [session.to_string()], |row| {
            Ok(DecisionRow {
                seq: Seq(row.get(0)?),
                at_ms: row.get(1)?,
                call: row.get(2)?,
                decision: row.get(3)?,
                verdict: row.get(4)?,
                decided_by: row.get(5)?,
                tool: row.get(6)?,
                essence: row.get(7)?,
                reason: row.get(8)?,
                answer: row.get(9)?,
                answered_by: row.get(10)?,
                answered_ms: row.get(11)?,
            })
        })
    }

    /// Places whose text holds every one of `words`, newest first. Gives up to `most` places for
    /// which `wanted` holds.
    pub(crate) fn search(
        &self,
        words: &[&str],
        most: usize,
        wanted: impl Fn(SessionId) -> bool,
    ) -> Result<Vec<Place>, Error> {
        // Quoted, a word is only a word to FTS5, whatever it is made of.
        let quoted: Vec<String> = words
            .iter()
            .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
            .collect();
        let sql = "select session, seq, kind, at_ms, offset_bytes, line_bytes from words \
                   join texts on texts.id = words.rowid where words match ?1 \
                   order by at_ms desc, session desc, seq desc";
        let found = self.all(sql, [quoted.join(" ")], |row| {
            let Ok(session) = row.get::<_, String>(0)?.parse() else {
                return Ok(None);
            };
            Ok(Some(Place {
                session,
                seq: Seq(row.get(1)?),
                kind: row.get(2)?,
                at_ms: row.get(3)?,
                offset_bytes: row.get(4)?,
                line_bytes: row.get(5)?,
            }))
        })?;
        let found = found
            .into_iter()
            .flatten()
            .filter(|place| wanted(place.session));
        Ok(found.take(most).collect())
    }

    pub(super) fn all<T, P: rusqlite::Params>(
        &self,
        sql: &str,
        key: P,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.db.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map(key, |row| read(row))?;
            rows.collect()
        });
        rows.map_err(|error| index_error(&self.path, &error))
    }
}

const SESSIONS: &str = "select id, cwd, title, model, mode, status, steps, waiting, in_doubt, \
                        started_ms, updated_ms, last_seq, last_hash, epoch, journal_bytes, \
                        input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, \
                        cache_write_tokens from sessions";

/// A row of `sessions`; `None` when it holds something that we never write.
fn read_summary(row: &Row<'_>) -> rusqlite::Result<Option<Summary>> {
    let text = |at: usize| row.get::<_, String>(at);
    let (Ok(session), Ok(model), Ok(mode), Some(status), Some(hash)) = (
        text(0)?.parse(),
        text(3)?.parse(),
        text(4)?.parse(),
        Status::from_name(&text(5)?),
        Digest::from_hex(&text(12)?),
    ) else {
        return Ok(None);
    };
    Ok(Some(Summary {
        session,
        cwd: text(1)?,
        title: text(2)?,
        model,
        mode,
        status,
        steps: row.get(6)?,
        usage: read_usage(row, 15)?,
        waiting: row.get(7)?,
        in_doubt: row.get(8)?,
        started_ms: row.get(9)?,
        updated_ms: row.get(10)?,
        last: Head {
            seq: Seq(row.get(11)?),
            hash,
        },
        epoch: Epoch(row.get(13)?),
        journal_bytes: row.get(14)?,
        damage: None,
    }))
}

pub(super) fn read_usage(row: &Row<'_>, at: usize) -> rusqlite::Result<Usage> {
    Ok(Usage {
        input_tokens: row.get(at)?,
        cached_input_tokens: row.get(at + 1)?,
        output_tokens: row.get(at + 2)?,
        reasoning_tokens: row.get(at + 3)?,
        cache_write_tokens: row.get(at + 4)?,
    })
}
