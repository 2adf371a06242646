//! `bowline usage`: what was used and what it cost. Listing writes nothing.

mod open;
mod rebuild;
mod reconcile;
mod risk;
mod settle;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::ops::Range;

use bowline_core::SessionId;
use bowline_journal::{CallRow, Store, Summary, UsageRow};
use bowline_runtime::Clock;
use bowline_runtime::usage::accuracy::accuracy;
use bowline_runtime::usage::{By, End, Report, point};
use serde_json::{Value, json};

use self::open::Open;
use crate::args::{Usage, UsageBy, UsageCommand};
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};

/// Runs the command.
pub fn run(args: &Usage) -> Result<u8, Failure> {
    let store = Store::at(&Places::find()?.state);
    match &args.command {
        Some(UsageCommand::Reconcile(args)) => return reconcile::run(&store, args),
        Some(UsageCommand::Settle(args)) => return settle::run(&store, args),
        Some(UsageCommand::Rebuild) => return rebuild::run(&store),
        None => {}
    }
    let found = Found::gather(&store, args)?;
    for text in &found.damage {
        print::err_line(&print::clean(&format!("bowline: {text}")));
    }
    if args.risk {
        return risk::run(&store, args, &found);
    }
    if args.open {
        found.show_open(args);
    } else if args.accuracy {
        found.show_accuracy(args);
    } else {
        found.show_sums(args);
    }
    Ok(0)
}

/// What the command line asks for, as sums are taken.
const fn by(by: UsageBy) -> By {
    match by {
        UsageBy::Session => By::Session,
        UsageBy::Day => By::Day,
        UsageBy::Model => By::Model,
        UsageBy::Tool => By::Tool,
        UsageBy::Project => By::Project,
    }
}

/// All that is asked about.
struct Found {
    /// The only session that is asked about, if one is.
    session: Option<SessionId>,
    when: Range<u64>,
    now_ms: u64,
    rows: Vec<UsageRow>,
    calls: Vec<CallRow>,
    open: Vec<Open>,
    /// The titles of sessions.
    titles: BTreeMap<String, String>,
    damaged: Vec<SessionId>,
    /// What may be missing, a sentence each.
    damage: Vec<String>,
}

impl Found {
    fn gather(store: &Store, args: &Usage) -> Result<Self, Failure> {
        let now_ms = Clock::system().now_ms();
        let end = |text: &Option<String>, end, name: &str, otherwise| match text {
            Some(text) => {
                point(text, end, now_ms).map_err(|why| Failure::usage(format!("{name}: {why}")))
            }
            None => Ok(otherwise),
        };
        let when = Range {
            start: end(&args.since, End::Since, "--since", 0)?,
            end: end(&args.until, End::Until, "--until", u64::MAX)?,
        };
        let session = args.session.as_deref().map(|id| store.resolve(id));
        let session = session.transpose()?;
        let is_wanted = |of: SessionId| session.is_none_or(|wanted| wanted == of);
        let view = store.view()?;
        let mut rows = view.usage_within(&when)?;
        rows.retain(|row| is_wanted(row.session));
        let mut calls = view.calls_within(&when)?;
        calls.retain(|call| is_wanted(call.session));
        let (mut open, ledger_damage) = open::gather(store, &rows)?;
        open.retain(|open| is_wanted(open.session) && when.contains(&open.at_ms));
        let summaries = view.sessions(None);
        let wanted = summaries
            .iter()
            .filter(|summary| is_wanted(summary.session));
        let damaged: Vec<&Summary> = wanted.filter(|it| it.damage.is_some()).collect();
        let mut damage: Vec<String> = damaged.iter().map(|summary| told(summary)).collect();
        damage.extend(ledger_damage.map(|what| {
            format!("the ledger lost records ({what}): `bowline usage rebuild` counts again")
        }));
        Ok(Self {
            session,
            when,
            now_ms,
            rows,
            calls,
            open,
            titles: summaries.iter().map(titled).collect(),
            damaged: damaged.iter().map(|summary| summary.session).collect(),
            damage,
        })
    }

    /// Whether a session is asked about.
    fn is_wanted(&self, session: SessionId) -> bool {
        self.session.is_none_or(|wanted| wanted == session)
    }

    fn show_sums(&self, args: &Usage) {
        let report = Report::of(&self.rows, &self.calls, by(args.by));
        if args.json {
            print::line(&self.as_json(&report).to_string());
        } else if args.csv {
            print::text(&table::sums(&report));
        } else if report.groups.is_empty() && self.open.is_empty() {
            print::err_line("no model was called then");
        } else {
            let look = Look::of_stdout();
            for line in text::sums(&look, &report, &self.titles, &self.open) {
                print::line(&line);
            }
        }
    }

    fn as_json(&self, report: &Report) -> Value {
        let until_ms = (self.when.end < u64::MAX).then_some(self.when.end);
        let open: Vec<Value> = self.open.iter().map(Open::as_json).collect();
        json!({
            "by": report.by,
            "since_ms": self.when.start,
            "until_ms": until_ms,
            "groups": report.groups,
            "total": report.total,
            "open": open,
            "damaged": self.damaged,
        })
    }

    fn show_accuracy(&self, args: &Usage) {
        let found = accuracy(&self.rows);
        if args.json {
            print::line(&json!(found).to_string());
        } else if args.csv {
            print::text(&table::accuracy(&found));
        } else if found.is_empty() {
            print::err_line("no call has told what it used yet");
        } else {
            for line in text::accuracy(&Look::of_stdout(), &found) {
                print::line(&line);
            }
        }
    }

    fn show_open(&self, args: &Usage) {
        if args.json {
            let all = self.open.iter().map(Open::as_json).collect();
            print::line(&Value::Array(all).to_string());
        } else if args.csv {
            print::text(&table::open(&self.open));
        } else if self.open.is_empty() {
            print::err_line("nothing is set aside");
        } else {
            for line in text::open(&Look::of_stdout(), &self.open, self.now_ms) {
                print::line(&line);
            }
        }
    }
}

fn titled(summary: &Summary) -> (String, String) {
    (summary.session.to_string(), summary.title.clone())
}

fn told(summary: &Summary) -> String {
    format!(
        "session {} is damaged, only what is intact is counted: {}",
        summary.session.short(),
        summary.damage.as_deref().unwrap_or_default()
    )
}
