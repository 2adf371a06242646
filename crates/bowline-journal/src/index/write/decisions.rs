//! Decisions and answers become rows, and what they can be found by.

use bowline_core::decision::{DecidedBy, Judged};
use bowline_core::event::Decided;
use bowline_core::{Action, Decision, Event, Fact, Receipt, Verdict};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::Rows;
use crate::index::audit::{Facet, layer_name, scope_name, tier_name};

/// A decision that an answer is about: its row, its call and what it can be found by.
struct Answered {
    row: i64,
    call: String,
}

/// How a decision was answered.
struct Answer<'a> {
    what: &'static str,
    decision: String,
    verdict: &'static str,
    by: &'a str,
    scope: &'static str,
    reason: &'a str,
}

impl Rows<'_> {
    pub(super) fn add_decision(
        &mut self,
        receipt: &Receipt,
        at_ms: u64,
        decided: &Decided,
    ) -> rusqlite::Result<()> {
        let Decided { call, decision } = decided;
        let tool = self.tool(*call)?;
        let rule = deciding(decision).map(|judged| &judged.rule);
        let mut insert = self.db.prepare_cached(
            "insert into decisions (session, seq, what, call, decision, verdict, decided_by, \
             tool, essence, reason, at_ms, mode, scope, rule, layer, tier, file, line) values \
             (?1, ?2, 'decision', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
             ?17)",
        )?;
        let row = insert.insert(params![
            self.session,
            receipt.seq.0,
            call.to_string(),
            decision.id.to_string(),
            decision.verdict.name(),
            decided_by(&decision.by),
            tool,
            decision.essence,
            decision.reason,
            at_ms,
            decision.mode.name(),
            scope_name(decision.scope),
            rule.map_or("", |rule| &rule.rule),
            rule.map_or("", |rule| layer_name(rule.layer)),
            rule.map_or("", |rule| tier_name(rule.tier)),
            rule.and_then(|rule| rule.file.as_deref()),
            rule.and_then(|rule| rule.line),
        ])?;
        let who = match &decision.by {
            DecidedBy::Policy => "policy",
            DecidedBy::Person(route) => route,
            DecidedBy::Grant(_) => "grant",
        };
        self.add_facet(Facet::Tool, &tool, at_ms, row)?;
        self.add_facet(Facet::Verdict, decision.verdict.name(), at_ms, row)?;
        self.add_facet(Facet::Who, who, at_ms, row)?;
        if let Some(tool) = &decision.tool {
            self.add_facet(Facet::Tier, tier_name(tool.tier), at_ms, row)?;
        }
        for judged in &decision.actions {
            self.add_facet(Facet::Rule, &judged.rule.rule, at_ms, row)?;
            self.add_facet(Facet::Tier, tier_name(judged.rule.tier), at_ms, row)?;
            match &judged.action {
                Action::ReadPath { path } | Action::WritePath { path } => {
                    self.add_facet(Facet::Path, &path.resolved, at_ms, row)?;
                    self.add_facet(Facet::Path, &path.by_name, at_ms, row)?;
                }
                Action::Reach { host, .. } => self.add_facet(Facet::Host, host, at_ms, row)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// An answer is a row of its own, found by all that its decision is found by.
    pub(super) fn add_answer(&mut self, receipt: &Receipt, event: &Event) -> rusqlite::Result<()> {
        let Some(answer) = answer(&event.fact) else {
            return Ok(());
        };
        let Some(Answered { row: about, call }) = self.answered(&answer.decision)? else {
            return Ok(());
        };
        let at_ms = event.at_ms;
        self.db.execute(
            "update decisions set answer = ?2, answered_by = ?3, answered_ms = ?4 where id = ?1",
            params![about, answer.verdict, answer.by, at_ms],
        )?;
        let mut insert = self.db.prepare_cached(
            "insert into decisions (session, seq, what, call, decision, verdict, decided_by, \
             tool, essence, reason, at_ms, mode, scope, rule, layer, tier, file, line) \
             select session, ?2, ?3, ?4, decision, ?5, ?6, tool, essence, ?7, ?8, mode, ?9, rule, \
             layer, tier, file, line from decisions where id = ?1",
        )?;
        let row = insert.insert(params![
            about,
            receipt.seq.0,
            answer.what,
            call,
            answer.verdict,
            answer.by,
            answer.reason,
            at_ms,
            answer.scope,
        ])?;
        let mut copy = self.db.prepare_cached(
            "insert or ignore into facets (name, at_ms, decision) select facets.name, ?2, ?3 \
             from facets join names on names.id = facets.name \
             where facets.decision = ?1 and names.kind not in (?4, ?5)",
        )?;
        let own = [Facet::Verdict.kind(), Facet::Who.kind()];
        copy.execute(params![about, at_ms, row, own[0], own[1]])?;
        self.add_facet(Facet::Verdict, answer.verdict, at_ms, row)?;
        self.add_facet(Facet::Who, answer.by, at_ms, row)
    }

    fn answered(&self, decision: &str) -> rusqlite::Result<Option<Answered>> {
        let sql = "select id, call from decisions where substr(decision, -8) = substr(?2, -8) \
                   and decision = ?2 and session = ?1 and what = 'decision'";
        let read = |row: &Row<'_>| {
            Ok(Answered {
                row: row.get(0)?,
                call: row.get(1)?,
            })
        };
        let mut select = self.db.prepare_cached(sql)?;
        select
            .query_row(params![self.session, decision], read)
            .optional()
    }

    fn add_facet(
        &mut self,
        facet: Facet,
        value: &str,
        at_ms: u64,
        row: i64,
    ) -> rusqlite::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        let name = self.name(facet, value)?;
        let mut insert = self.db.prepare_cached(
            "insert or ignore into facets (name, at_ms, decision) values (?1, ?2, ?3)",
        )?;
        insert.execute(params![name, at_ms, row])?;
        Ok(())
    }

    /// The number of a name, which it is given if it has none.
    fn name(&mut self, facet: Facet, value: &str) -> rusqlite::Result<i64> {
        if let Some(name) = self.names.get(&(facet, value.to_owned())) {
            return Ok(*name);
        }
        let key = params![facet.kind(), value];
        let mut select = self
            .db
            .prepare_cached("select id from names where kind = ?1 and value = ?2")?;
        let name = match select.query_row(key, |row| row.get(0)).optional()? {
            Some(name) => name,
            None => self
                .db
                .prepare_cached("insert into names (kind, value) values (?1, ?2)")?
                .insert(key)?,
        };
        self.names.insert((facet, value.to_owned()), name);
        Ok(name)
    }
}

/// Forgets the decisions of a session, and every name that nothing else bears.
pub(super) fn forget(db: &Transaction<'_>, session: &str) -> rusqlite::Result<()> {
    let mine = "select id from decisions where session = ?1";
    let names: Vec<i64> = db
        .prepare_cached(&format!(
            "select distinct name from facets where decision in ({mine})"
        ))?
        .query_map([session], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    db.execute(
        &format!("delete from facets where decision in ({mine})"),
        [session],
    )?;
    db.execute("delete from decisions where session = ?1", [session])?;
    let mut unused = db.prepare_cached(
        "delete from names where id = ?1 and not exists (select 1 from facets where name = ?1)",
    )?;
    for name in names {
        unused.execute([name])?;
    }
    Ok(())
}

/// The judgement that made the verdict: the first of the strictest.
fn deciding(decision: &Decision) -> Option<&Judged> {
    let strictest = decision.actions.iter().map(|judged| judged.verdict).max()?;
    let mut actions = decision.actions.iter();
    actions.find(|judged| judged.verdict == strictest)
}

fn answer(fact: &Fact) -> Option<Answer<'_>> {
    Some(match fact {
        Fact::DecisionAnswered(it) => Answer {
            what: "answer",
            decision: it.decision.to_string(),
            verdict: it.verdict.name(),
            by: &it.by,
            scope: scope_name(it.scope),
            reason: it.note.as_deref().unwrap_or_default(),
        },
        Fact::QuestionAnswered(it) => Answer {
            what: "answer",
            decision: it.decision.to_string(),
            verdict: Verdict::Allow.name(),
            by: &it.by,
            scope: "once",
            reason: it.answer.text(),
        },
        Fact::DecisionLapsed(it) => Answer {
            what: "lapse",
            decision: it.decision.to_string(),
            verdict: Verdict::Deny.name(),
            by: "nobody",
            scope: "once",
            reason: "nobody answered in time",
        },
        _ => return None,
    })
}

fn decided_by(by: &DecidedBy) -> String {
    match by {
        DecidedBy::Policy => "policy".to_owned(),
        DecidedBy::Person(route) => format!("person, {route}"),
        DecidedBy::Grant(decision) => format!("grant {decision}"),
    }
}
