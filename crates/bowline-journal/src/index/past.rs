//! What model calls of one project used lately: what is usual there.

use bowline_core::{SessionId, Usage};
use rusqlite::{Row, params};

use super::query::read_usage;
use super::usage::clamped;
use super::{Index, index_error};
use crate::Error;
use crate::layout;
use crate::store::Store;

/// Most attempts that are looked back at.
const ATTEMPTS_MAX: u32 = 5_000;

/// Which attempts are looked back at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastOf {
    /// The root folder of their sessions.
    pub project: String,
    /// The model asked, as provider/model.
    pub model: String,
    /// Not those that were set aside earlier, in milliseconds since 1970.
    pub since_ms: u64,
    /// Of the newest so many, their calls too.
    pub with_calls: usize,
}

/// One try of a model call that came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    /// Its session.
    pub session: SessionId,
    /// Its turn within the session.
    pub turn: u32,
    /// When it was set aside, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether it brought a reply.
    pub is_replied: bool,
    /// What it used; `None` where the provider did not say.
    pub usage: Option<Usage>,
    /// What was charged, in millionths of a dollar.
    pub cost_micro_usd: u64,
    /// How many calls its reply asked for.
    pub asked: u32,
    /// Those calls, for the newest attempts only.
    pub calls: Vec<PastCall>,
}

/// One call that a reply asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// The tool.
    pub tool: String,
    /// Bytes of text that its result brought into the conversation.
    pub result_bytes: u64,
    /// Whether it failed, or ended with an error.
    pub failed: bool,
}

impl Store {
    /// Attempts as the index knows them, oldest first; `None` where there is no index yet. Reads one
    /// file and writes nothing. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::Index`] when there is one and it cannot be used.
    pub fn past(&self, of: &PastOf) -> Result<Option<Vec<PastAttempt>>, Error> {
        let path = layout::index(self.home());
        if !path.exists() {
            return Ok(None);
        }
        match Index::open_read_only(self.home()) {
            Some(index) => index.past(of).map(Some),
            None => Err(Error::Index {
                path,
                what: "it is broken, or of another version".to_owned(),
                next: "It is derived: the end of a run builds it anew".to_owned(),
                broken: true,
            }),
        }
    }
}

impl Index {
    fn past(&self, of: &PastOf) -> Result<Vec<PastAttempt>, Error> {
        let sql = "select session, attempt, turn, at_ms, outcome, reported, asked, \
                   charged_micro_usd, input_tokens, cached_input_tokens, output_tokens, \
                   reasoning_tokens, cache_write_tokens from attempts \
                   where project = ?1 and model = ?2 and at_ms >= ?3 and outcome <> 'open' \
                   order by at_ms desc, session desc, seq desc limit ?4";
        let since_ms = clamped(of.since_ms);
        let key = params![of.project, of.model, since_ms, ATTEMPTS_MAX];
        let found = self.all(sql, key, read_past)?;
        let mut found: Vec<(String, PastAttempt)> = found.into_iter().flatten().collect();
        for (attempt, past) in found.iter_mut().take(of.with_calls) {
            past.calls = self
                .past_calls(attempt, past)
                .map_err(|error| index_error(&self.path, &error))?;
        }
        Ok(found.into_iter().rev().map(|(_, past)| past).collect())
    }

    fn past_calls(&self, attempt: &str, of: &PastAttempt) -> rusqlite::Result<Vec<PastCall>> {
        let sql = "select tool, result_bytes, failed from calls \
                   where at_ms = ?1 and attempt = ?2 order by place";
        let mut select = self.db.prepare_cached(sql)?;
        let rows = select.query_map(params![clamped(of.at_ms), attempt], |row| {
            Ok(PastCall {
                tool: row.get(0)?,
                result_bytes: row.get(1)?,
                failed: row.get(2)?,
            })
        })?;
        rows.collect()
    }
}

/// A row of `attempts` with its id; `None` when it holds something that we never write.
fn read_past(row: &Row<'_>) -> rusqlite::Result<Option<(String, PastAttempt)>> {
    let Ok(session) = row.get::<_, String>(0)?.parse() else {
        return Ok(None);
    };
    let is_reported: bool = row.get(5)?;
    let usage = read_usage(row, 8)?;
    let past = PastAttempt {
        session,
        turn: row.get(2)?,
        at_ms: row.get(3)?,
        is_replied: row.get::<_, String>(4)? == "replied",
        usage: is_reported.then_some(usage),
        asked: row.get(6)?,
        cost_micro_usd: row.get(7)?,
        calls: Vec::new(),
    };
    Ok(Some((row.get(1)?, past)))
}
