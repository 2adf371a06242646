//! Decisions and answers over all sessions, found by what they are about.
//!
//! What can be asked for is kept as numbered names (a tool, a rule, a path ..) and, for each, the
//! decisions that bear it, in order of time. A question begins with the rarest name that it holds,
//! so that what it reads grows with what it finds.

use std::ops::Range;

use bowline_core::decision::{Layer, Scope};
use bowline_core::spec::Tier;
use bowline_core::{Seq, SessionId, Verdict};
use rusqlite::Row;
use rusqlite::types::Value;
use serde::Serialize;

use super::usage::clamped;
use super::{Index, index_error};
use crate::Error;

/// Of a condition no more rows than this are counted to see which is the rarest.
const COUNTED_MOST: i64 = 200_000;
/// No more rows than this are put in order of time.
const SORTED_MOST: i64 = 20_000;
/// About as many names as a row bears.
const FEW: usize = 8;

/// What a decision or an answer can be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Facet {
    Tool,
    Verdict,
    Rule,
    Tier,
    Path,
    Host,
    Who,
}

impl Facet {
    /// The number that stands for it in the index.
    pub(crate) const fn kind(self) -> i64 {
        match self {
            Self::Tool => 1,
            Self::Verdict => 2,
            Self::Rule => 3,
            Self::Tier => 4,
            Self::Path => 5,
            Self::Host => 6,
            Self::Who => 7,
        }
    }
}

/// Which decisions and answers are asked for: those that fit every part that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// When they were made, in milliseconds since 1970.
    pub when: Range<u64>,
    /// Of this session only.
    pub session: Option<SessionId>,
    /// About calls of this tool.
    pub tool: Option<String>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Where a rule whose text holds this decided about some part of the call.
    pub rule: Option<String>,
    /// Where a rule of this tier decided about some part of the call, or the tool is of it.
    pub tier: Option<Tier>,
    /// Where the call would read or write this absolute path or something below it.
    pub path: Option<String>,
    /// Where the call would reach this host or one below it.
    pub host: Option<String>,
    /// By whom: `policy`, `grant`, or a part of the route by which a person answered.
    pub person: Option<String>,
    /// Of those that fit, the newest so many.
    pub most: Option<usize>,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self {
            when: 0..u64::MAX,
            session: None,
            tool: None,
            verdict: None,
            rule: None,
            tier: None,
            path: None,
            host: None,
            person: None,
            most: None,
        }
    }
}

/// What a row of the audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A decision, by policy or by an earlier grant.
    Decision,
    /// A person's answer to an open decision.
    Answer,
    /// An open decision that nobody answered in time.
    Lapse,
}

/// One decision or answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The session.
    pub session: SessionId,
    /// Where it lies in the session's journal.
    pub seq: Seq,
    /// What it is.
    pub what: What,
    /// The decision's id; an answer bears that of the decision it answers.
    pub decision: String,
    /// The call.
    pub call: String,
    /// `allow`, `ask` or `deny`.
    pub verdict: String,
    /// Who: `policy`, `person, ROUTE`, `grant ID`; of an answer the route; `nobody` of a lapse.
    pub by: String,
    /// How far it reaches: `once`, `session` or `always`.
    pub scope: String,
    /// The mode in force.
    pub mode: String,
    /// The tool.
    pub tool: String,
    /// What the call would do, in a line.
    pub essence: String,
    /// Why, in a line; of an answer the person's note.
    pub reason: String,
    /// The rule that decided.
    pub rule: String,
    /// The layer of that rule.
    pub layer: String,
    /// The tier of that rule.
    pub tier: String,
    /// The file that the rule stands in.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// Absolute paths that the call would read or write.
    pub paths: Vec<String>,
    /// Hosts that the call would reach.
    pub hosts: Vec<String>,
    #[serde(skip)]
    id: i64,
}

impl AuditRow {
    /// What rows are ordered by.
    pub(crate) const fn key(&self) -> (u64, SessionId, Seq) {
        (self.at_ms, self.session, self.seq)
    }
}

/// A condition: the names that fit it, as a query for their numbers.
struct Names {
    sql: &'static str,
    values: Vec<Value>,
}

impl Index {
    /// The newest rows that fit and for whose session `wanted` holds, newest first.
    pub(crate) fn audit(
        &self,
        filter: &AuditFilter,
        wanted: impl Fn(SessionId) -> bool,
    ) -> Result<Vec<AuditRow>, Error> {
        let found = self.find(filter, wanted);
        found.map_err(|error| index_error(&self.path, &error))
    }

    fn find(
        &self,
        filter: &AuditFilter,
        wanted: impl Fn(SessionId) -> bool,
    ) -> rusqlite::Result<Vec<AuditRow>> {
        let Some((sql, values)) = self.question(filter)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let most = filter.most.unwrap_or(usize::MAX);
        let mut found = Vec::new();
        while found.len() < most
            && let Some(row) = rows.next()?
        {
            found.extend(read(row)?.filter(|row| wanted(row.session)));
        }
        for row in &mut found {
            row.paths = self.borne(row.id, Facet::Path)?;
            row.hosts = self.borne(row.id, Facet::Host)?;
        }
        Ok(found)
    }

    /// The names of one kind that a row bears.
    fn borne(&self, row: i64, facet: Facet) -> rusqlite::Result<Vec<String>> {
        let mut select = self.db.prepare_cached(
            "select value from facets join names on names.id = facets.name \
             where facets.decision = ?1 and names.kind = ?2 order by value",
        )?;
        let values = select.query_map([row, facet.kind()], |row| row.get(0))?;
        values.collect()
    }

    /// The rarest condition leads; every other one is looked up for each of its rows. One that
    /// stands for many names and many rows never leads: its rows would have to be put in order
    /// first, while the newest rows there are hold enough of it.
    fn question(&self, filter: &AuditFilter) -> rusqlite::Result<Option<(String, Vec<Value>)>> {
        let mut conditions = Vec::new();
        for names in conditions_of(filter) {
            let names = self.resolve(&names)?;
            if names.is_empty() {
                return Ok(None);
            }
            conditions.push((self.count(&names)?, names));
        }
        conditions.sort_by_key(|(count, _)| *count);
        let leads = |(count, names): &(i64, Vec<i64>)| names.len() == 1 || *count < SORTED_MOST;
        let mut lead = conditions.iter().position(leads);
        if let (Some(session), Some(at)) = (filter.session, lead)
            && self.count_session(session)? <= conditions[at].0
        {
            lead = None;
        }
        let lead = lead.map(|at| conditions.remove(at).1);
        let mut sql = format!("select {COLUMNS} from ");
        sql.push_str(&match (&lead, filter.session) {
            (Some(names), _) => format!(
                "{} f cross join decisions d on d.id = f.decision where f.at_ms >= ? \
                 and f.at_ms < ?",
                rows_of(names)
            ),
            (None, Some(_)) => "decisions d where d.at_ms >= ? and d.at_ms < ?".to_owned(),
            (None, None) => "decisions d indexed by decisions_by_time where d.at_ms >= ? \
                             and d.at_ms < ?"
                .to_owned(),
        });
        let when = [clamped(filter.when.start), clamped(filter.when.end)];
        let mut values: Vec<Value> = when.map(Value::Integer).to_vec();
        if let Some(session) = filter.session {
            sql.push_str(" and d.session = ?");
            values.push(Value::Text(session.to_string()));
        }
        for (_, names) in conditions {
            // Few names are looked for among those of the row; else those of the row among many.
            let looked_up = if names.len() <= FEW { "" } else { "+" };
            sql.push_str(&format!(
                " and exists (select 1 from facets x indexed by facets_by_decision \
                 where x.decision = d.id and {looked_up}x.name in ({}))",
                listed(&names)
            ));
        }
        sql.push_str(match lead {
            Some(_) => " order by f.at_ms desc, f.decision desc",
            None => " order by d.at_ms desc, d.id desc",
        });
        Ok(Some((sql, values)))
    }

    /// The numbers of the names that fit a condition.
    fn resolve(&self, names: &Names) -> rusqlite::Result<Vec<i64>> {
        let mut select = self.db.prepare_cached(names.sql)?;
        let values = rusqlite::params_from_iter(&names.values);
        let numbers = select.query_map(values, |row| row.get(0))?;
        numbers.collect()
    }

    /// How many rows bear one of these names, counted no further than needed.
    fn count(&self, names: &[i64]) -> rusqlite::Result<i64> {
        let sql = format!(
            "select count(*) from (select 1 from facets where name in ({}) limit {COUNTED_MOST})",
            listed(names)
        );
        self.db.query_row(&sql, [], |row| row.get(0))
    }

    fn count_session(&self, session: SessionId) -> rusqlite::Result<i64> {
        let sql = format!(
            "select count(*) from (select 1 from decisions where session = ?1 limit {COUNTED_MOST})"
        );
        self.db
            .query_row(&sql, [session.to_string()], |row| row.get(0))
    }

    /// How SQLite would answer: a line a step. For tests: a question must not read a whole table.
    #[cfg(test)]
    pub(crate) fn plan(&self, filter: &AuditFilter) -> rusqlite::Result<Vec<String>> {
        let Some((sql, values)) = self.question(filter)? else {
            return Ok(Vec::new());
        };
        let mut statement = self.db.prepare(&format!("explain query plan {sql}"))?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3))?;
        rows.collect()
    }

    /// Decisions whose id, without hyphens, begins or ends with `text`: each with its session and
    /// the place of its record.
    pub(crate) fn decisions_called(
        &self,
        text: &str,
    ) -> Result<Vec<(SessionId, Seq, String)>, Error> {
        let by_tail = "substr(decision, -8) = substr(?1, -8) and ";
        let lead = if text.len() >= 8 { by_tail } else { "" };
        let fits = "replace(decision, '-', '') like '%' || ?1";
        let sql = |lead: &str, fits: &str| {
            format!(
                "select session, seq, decision from decisions where {lead}what = 'decision' \
                 and {fits}"
            )
        };
        let read = |row: &Row<'_>| {
            let session = row.get::<_, String>(0)?.parse().ok();
            Ok(session.map(|session| (session, row.get(1).map(Seq), row.get(2))))
        };
        let mut found = self.all(&sql(lead, fits), [text], read)?;
        if found.is_empty() {
            let fits = "replace(decision, '-', '') like ?1 || '%'";
            found = self.all(&sql("", fits), [text], read)?;
        }
        let found = found.into_iter().flatten();
        let rows: rusqlite::Result<Vec<_>> = found
            .map(|(session, seq, id)| Ok((session, seq?, id?)))
            .collect();
        rows.map_err(|error| index_error(&self.path, &error))
    }
}

/// What a filter asks for beside time and session.
fn conditions_of(filter: &AuditFilter) -> Vec<Names> {
    let exact = |facet: Facet, value: &str| Names {
        sql: "select id from names where kind = ? and value = ?",
        values: vec![facet.kind().into(), value.to_owned().into()],
    };
    let holding = |facet: Facet, value: &str| Names {
        sql: "select id from names where kind = ? and instr(value, ?) > 0",
        values: vec![facet.kind().into(), value.to_owned().into()],
    };
    let mut all = Vec::new();
    all.extend(filter.path.as_deref().map(below));
    all.extend(filter.host.as_deref().map(|host| Names {
        sql: "select id from names where kind = ? and (value = ? or value like '%.' || ?)",
        values: vec![
            Facet::Host.kind().into(),
            host.to_owned().into(),
            host.to_owned().into(),
        ],
    }));
    let rule = filter.rule.as_deref();
    all.extend(rule.map(|rule| holding(Facet::Rule, rule)));
    let person = filter.person.as_deref();
    all.extend(person.map(|who| holding(Facet::Who, who)));
    let tool = filter.tool.as_deref();
    all.extend(tool.map(|tool| exact(Facet::Tool, tool)));
    let tier = filter.tier.map(tier_name);
    all.extend(tier.map(|tier| exact(Facet::Tier, tier)));
    let verdict = filter.verdict.map(Verdict::name);
    all.extend(verdict.map(|verdict| exact(Facet::Verdict, verdict)));
    all
}

/// A path and everything below it: `0` is the character after `/`.
fn below(path: &str) -> Names {
    let folder = path.trim_end_matches('/');
    Names {
        sql: "select id from names where kind = ? and (value = ? or value >= ? and value < ?)",
        values: vec![
            Facet::Path.kind().into(),
            path.to_owned().into(),
            format!("{folder}/").into(),
            format!("{folder}0").into(),
        ],
    }
}

/// The rows that bear one of these names, each once.
fn rows_of(names: &[i64]) -> String {
    match names {
        [name] => format!("(select decision, at_ms from facets where name = {name})"),
        names => format!(
            "(select distinct decision, at_ms from facets where name in ({}))",
            listed(names)
        ),
    }
}

fn listed(numbers: &[i64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    numbers.join(",")
}

const COLUMNS: &str = "d.id, d.session, d.seq, d.what, d.call, d.decision, d.verdict, \
                       d.decided_by, d.tool, d.essence, d.reason, d.at_ms, d.mode, d.scope, \
                       d.rule, d.layer, d.tier, d.file, d.line";

/// A row of `decisions`; `None` when it holds something that we never write.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<AuditRow>> {
    let Ok(session) = row.get::<_, String>(1)?.parse() else {
        return Ok(None);
    };
    let what = match row.get::<_, String>(3)?.as_str() {
        "decision" => What::Decision,
        "answer" => What::Answer,
        "lapse" => What::Lapse,
        _ => return Ok(None),
    };
    Ok(Some(AuditRow {
        id: row.get(0)?,
        session,
        seq: Seq(row.get(2)?),
        what,
        call: row.get(4)?,
        decision: row.get(5)?,
        verdict: row.get(6)?,
        by: row.get(7)?,
        tool: row.get(8)?,
        essence: row.get(9)?,
        reason: row.get(10)?,
        at_ms: row.get(11)?,
        mode: row.get(12)?,
        scope: row.get(13)?,
        rule: row.get(14)?,
        layer: row.get(15)?,
        tier: row.get(16)?,
        file: row.get(17)?,
        line: row.get(18)?,
        paths: Vec::new(),
        hosts: Vec::new(),
    }))
}

pub(crate) const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Once => "once",
        Scope::Session => "session",
        Scope::Always => "always",
    }
}

pub(crate) const fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::BuiltIn => "built_in",
        Tier::PlugIn => "plug_in",
        Tier::UserSkill => "user_skill",
    }
}

pub(crate) const fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::BuiltIn => "built_in",
        Layer::Managed => "managed",
        Layer::CommandLine => "command_line",
        Layer::User => "user",
        Layer::Project => "project",
    }
}

#[cfg(test)]
mod tests;
