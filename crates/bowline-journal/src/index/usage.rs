//! What model calls used and what their tools brought into the context, as rows.

use std::ops::Range;

use bowline_core::amounts::Amounts;
use bowline_core::{Seq, SessionId, Usage};
use rusqlite::{Row, params};

use super::{Index, query::read_usage};
use crate::Error;

/// What one try of a model call was set aside for, used and was charged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UsageRow {
    /// The session.
    pub session: SessionId,
    /// Where its reservation lies in the journal.
    pub seq: Seq,
    /// When it was set aside, in milliseconds since 1970.
    pub at_ms: u64,
    /// The attempt.
    pub attempt: String,
    /// The step.
    pub step: u32,
    /// Which try of the step, from 1.
    pub try_number: u32,
    /// The model asked.
    pub model: String,
    /// The root folder of the session.
    pub project: String,
    /// Whether its price was known.
    pub is_priced: bool,
    /// What the bound on its input rests on: `prefix` (the last real usage of the same
    /// conversation and what was added), `whole` (the size of the request), `counted` (by the
    /// provider or a tokenizer) or `weight` (older records).
    pub evidence: String,
    /// Tokens set aside.
    pub reserved_tokens: u64,
    /// The same, as input, output and money.
    pub reserved: Amounts,
    /// Bytes of the request; `None` in older records.
    pub request_bytes: Option<u64>,
    /// `open`, `replied` or `failed`.
    pub outcome: String,
    /// The provider's id of the request, if it gave one.
    pub request_id: Option<String>,
    /// Whether the provider said what it used.
    pub is_reported: bool,
    /// Tokens used, as far as the provider said.
    pub usage: Usage,
    /// Tokens and money charged; nothing while it is open.
    pub charged: Amounts,
}

/// A tool call that a reply asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CallRow {
    /// The session.
    pub session: SessionId,
    /// The attempt whose reply asked for it.
    pub attempt: String,
    /// Its place in the reply, from 0.
    pub place: u32,
    /// The tool.
    pub tool: String,
    /// Bytes of text that its result brought into the conversation.
    pub result_bytes: u64,
}

impl UsageRow {
    /// What tells it from every other one.
    #[must_use]
    pub fn id(&self) -> (SessionId, &str) {
        (self.session, &self.attempt)
    }

    /// Whether it has no outcome.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.outcome == "open"
    }
}

impl CallRow {
    pub(crate) fn key(&self) -> (SessionId, &str, u32) {
        (self.session, &self.attempt, self.place)
    }
}

const ATTEMPTS: &str = "select session, seq, at_ms, attempt, step, try_number, model, project, \
                        priced, evidence, reserved_tokens, reserved_input_tokens, \
                        reserved_micro_usd, request_bytes, outcome, request_id, reported, \
                        input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, \
                        cache_write_tokens, charged_input_tokens, charged_output_tokens, \
                        charged_micro_usd from attempts";

impl Index {
    /// What each attempt of a session used, in order.
    pub(crate) fn usage(&self, session: SessionId) -> Result<Vec<UsageRow>, Error> {
        let sql = format!("{ATTEMPTS} where session = ?1 order by seq");
        let rows = self.all(&sql, [session.to_string()], read_attempt)?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// What each attempt used that was set aside within `when`, in milliseconds since 1970.
    pub(crate) fn usage_within(&self, when: &Range<u64>) -> Result<Vec<UsageRow>, Error> {
        let sql = format!("{ATTEMPTS} where at_ms >= ?1 and at_ms < ?2 order by session, seq");
        let when = params![clamped(when.start), clamped(when.end)];
        let rows = self.all(&sql, when, read_attempt)?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// The calls that replies asked for, of attempts that were set aside within `when`.
    pub(crate) fn calls_within(&self, when: &Range<u64>) -> Result<Vec<CallRow>, Error> {
        let sql = "select session, attempt, place, tool, result_bytes from calls \
                   where at_ms >= ?1 and at_ms < ?2 order by session, attempt, place";
        let rows = self.all(
            sql,
            params![clamped(when.start), clamped(when.end)],
            |row| {
                let Ok(session) = row.get::<_, String>(0)?.parse() else {
                    return Ok(None);
                };
                Ok(Some(CallRow {
                    session,
                    attempt: row.get(1)?,
                    place: row.get(2)?,
                    tool: row.get(3)?,
                    result_bytes: row.get(4)?,
                }))
            },
        )?;
        Ok(rows.into_iter().flatten().collect())
    }
}

/// A number as SQLite holds it: the largest one there is stands for every larger one.
pub(super) fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row of `attempts`; `None` when it holds something that we never write.
fn read_attempt(row: &Row<'_>) -> rusqlite::Result<Option<UsageRow>> {
    let Ok(session) = row.get::<_, String>(0)?.parse() else {
        return Ok(None);
    };
    let reserved_tokens: u64 = row.get(10)?;
    let input_tokens: u64 = row.get(11)?;
    Ok(Some(UsageRow {
        session,
        seq: Seq(row.get(1)?),
        at_ms: row.get(2)?,
        attempt: row.get(3)?,
        step: row.get(4)?,
        try_number: row.get(5)?,
        model: row.get(6)?,
        project: row.get(7)?,
        is_priced: row.get(8)?,
        evidence: row.get(9)?,
        reserved_tokens,
        reserved: Amounts {
            input_tokens,
            output_tokens: reserved_tokens.saturating_sub(input_tokens),
            cost_micro_usd: row.get(12)?,
            ..Amounts::ZERO
        },
        request_bytes: row.get(13)?,
        outcome: row.get(14)?,
        request_id: row.get(15)?,
        is_reported: row.get(16)?,
        usage: read_usage(row, 17)?,
        charged: Amounts {
            input_tokens: row.get(22)?,
            output_tokens: row.get(23)?,
            cost_micro_usd: row.get(24)?,
            ..Amounts::ZERO
        },
    }))
}
