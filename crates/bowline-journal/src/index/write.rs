//! Events become rows.

mod attempts;
mod decisions;

use std::borrow::Cow;
use std::collections::HashMap;

use bowline_core::{CallId, Event, Fact, SessionId, Settings};
use rusqlite::{OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use self::attempts::OpenRow;
use super::audit::Facet;
use super::usage::clamped;
use super::{Index, index_error};
use crate::Error;
use crate::read::Recorded;
use crate::summary::Summary;

/// Of each text this much is searchable: enough for what was asked and answered, while the long
/// tail of tool output would cost more time and space than it is worth.
const SEARCHABLE_BYTES: usize = 16 << 10;

impl Index {
    /// Adds what is new of one session: its `events` since the last update, and its `summary`.
    pub(crate) fn update(&mut self, summary: &Summary, events: &[Recorded]) -> Result<(), Error> {
        let behavior = TransactionBehavior::Immediate;
        let written = self
            .db
            .transaction_with_behavior(behavior)
            .and_then(|transaction| {
                let from_start = events.first().is_some_and(|first| first.receipt.seq.0 == 1);
                if from_start {
                    forget(&transaction, summary.session)?;
                }
                let mut rows = Rows::begin(&transaction, summary)?;
                for recorded in events {
                    rows.add(recorded)?;
                }
                put_session(&rows, summary)?;
                transaction.commit()
            });
        written.map_err(|error| index_error(&self.path, &error))
    }
}

/// The text of an event that can be searched, and what kind of text it is.
pub(crate) fn searchable(event: &Event) -> Option<(&'static str, Cow<'_, str>)> {
    match &event.fact {
        Fact::PromptAccepted(prompt) => Some(("prompt", prompt.text.text().into())),
        Fact::ModelReplied(replied) => Some(("reply", replied.message.text().into())),
        Fact::CallFinished(finished) => Some(("result", finished.outcome.content.text().into())),
        _ => None,
    }
}

pub(super) fn forget(db: &Transaction<'_>, session: SessionId) -> rusqlite::Result<()> {
    let id = session.to_string();
    db.execute(
        "delete from words where rowid in (select id from texts where session = ?1)",
        params![id],
    )?;
    decisions::forget(db, &id)?;
    for table in ["texts", "attempts", "calls"] {
        db.execute(
            &format!("delete from {table} where session = ?1"),
            params![id],
        )?;
    }
    db.execute("delete from sessions where id = ?1", params![id])?;
    Ok(())
}

/// Writes the rows of one session, event by event.
struct Rows<'a> {
    db: &'a Transaction<'a>,
    session: String,
    model: String,
    project: String,
    is_priced: bool,
    turn: u32,
    tools: HashMap<CallId, String>,
    open: HashMap<String, OpenRow>,
    names: HashMap<(Facet, String), i64>,
}

impl<'a> Rows<'a> {
    fn begin(db: &'a Transaction<'_>, summary: &Summary) -> rusqlite::Result<Self> {
        let session = summary.session.to_string();
        // Attempts before the first of these events ran with the model known so far.
        let sql = "select model, project, priced from sessions where id = ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let known = db.query_row(sql, params![session], read).optional()?;
        let start = || (summary.model.to_string(), summary.cwd.clone(), false);
        let (model, project, is_priced) = known.unwrap_or_else(start);
        let sql = "select coalesce(max(turn), 0) from attempts where session = ?1";
        let turn = db.query_row(sql, params![session], |row| row.get(0))?;
        Ok(Self {
            db,
            session,
            model,
            project,
            is_priced,
            turn,
            tools: HashMap::new(),
            open: HashMap::new(),
            names: HashMap::new(),
        })
    }

    fn add(&mut self, recorded: &Recorded) -> rusqlite::Result<()> {
        let Recorded { receipt, event, .. } = recorded;
        match &event.fact {
            Fact::SessionStarted(started) => {
                self.put_in_force(&started.settings);
                self.set_project(&started.roots);
            }
            Fact::SettingsChanged(change) => self.put_in_force(&change.settings),
            Fact::SessionAdopted(adopted) => {
                self.put_in_force(&adopted.settings);
                self.set_project(&adopted.roots);
            }
            Fact::Decided(decided) => self.add_decision(receipt, event.at_ms, decided)?,
            Fact::DecisionAnswered(_) | Fact::QuestionAnswered(_) | Fact::DecisionLapsed(_) => {
                self.add_answer(receipt, event)?;
            }
            Fact::TurnStarted(started) => self.turn = started.turn.0,
            Fact::AttemptReserved(reserved) => self.add_attempt(receipt, event.at_ms, reserved)?,
            Fact::AttemptFailed(failed) => self.fail_attempt(failed)?,
            Fact::ModelReplied(replied) => self.add_reply(replied)?,
            other => self.add_result(other)?,
        }
        match searchable(event) {
            Some((kind, text)) if !text.trim().is_empty() => self.add_text(recorded, kind, &text),
            _ => Ok(()),
        }
    }

    fn put_in_force(&mut self, settings: &Settings) {
        self.model = settings.model.to_string();
        self.is_priced = settings.price().is_some();
    }

    fn set_project(&mut self, roots: &[String]) {
        if let Some(root) = roots.first() {
            self.project.clone_from(root);
        }
    }

    /// The tool of a call, also of one that was asked for before these events.
    fn tool(&self, call: CallId) -> rusqlite::Result<String> {
        if let Some(tool) = self.tools.get(&call) {
            return Ok(tool.clone());
        }
        let sql = "select tool from calls where session = ?1 and call = ?2";
        let key = params![self.session, call.to_string()];
        Ok(self
            .db
            .query_row(sql, key, |row| row.get(0))
            .optional()?
            .unwrap_or_default())
    }

    fn add_text(&self, recorded: &Recorded, kind: &str, text: &str) -> rusqlite::Result<()> {
        let Recorded {
            receipt,
            event,
            offset_bytes,
            line_bytes,
        } = recorded;
        let mut place = self.db.prepare_cached(
            "insert into texts (session, seq, kind, at_ms, offset_bytes, line_bytes) \
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let seq = receipt.seq.0;
        let id = place.insert(params![
            self.session,
            seq,
            kind,
            event.at_ms,
            offset_bytes,
            line_bytes
        ])?;
        let mut words = self
            .db
            .prepare_cached("insert into words (rowid, text) values (?1, ?2)")?;
        words.execute(params![
            id,
            &text[..text.floor_char_boundary(SEARCHABLE_BYTES)]
        ])?;
        Ok(())
    }
}

fn put_session(rows: &Rows<'_>, summary: &Summary) -> rusqlite::Result<()> {
    let usage = &summary.usage;
    rows.db.execute(
        "insert or replace into sessions (id, cwd, title, model, mode, status, steps, \
         input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, waiting, in_doubt, \
         started_ms, updated_ms, last_seq, last_hash, epoch, journal_bytes, \
         cache_write_tokens, project, priced) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
         ?19, ?20, ?21, ?22)",
        params![
            summary.session.to_string(),
            summary.cwd,
            summary.title,
            summary.model.to_string(),
            summary.mode.name(),
            summary.status.name(),
            summary.steps,
            clamped(usage.input_tokens),
            clamped(usage.cached_input_tokens),
            clamped(usage.output_tokens),
            clamped(usage.reasoning_tokens),
            summary.waiting,
            summary.in_doubt,
            summary.started_ms,
            summary.updated_ms,
            summary.last.seq.0,
            summary.last.hash.to_hex(),
            summary.epoch.0,
            summary.journal_bytes,
            clamped(usage.cache_write_tokens),
            rows.project,
            rows.is_priced,
        ],
    )?;
    Ok(())
}
