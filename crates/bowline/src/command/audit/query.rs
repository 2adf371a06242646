//! `bowline audit query`: rows that fit, for people and for programs.

use std::path::Path;

use bowline_core::spec::Tier;
use bowline_core::{SessionId, Verdict};
use bowline_journal::{AuditFilter, AuditRow, Store, What};
use bowline_runtime::date_and_time;
use serde_json::json;

use super::{sarif, span, table};
use crate::args::{AuditQuery, AuditTier, AuditVerdict};
use crate::failure::Failure;
use crate::print::{self, Colour, Look, clean};

/// So many rows are shown where people read them and do not say how many they want.
const SHOWN: usize = 50;
/// From this many columns on a row says which rule decided.
const WIDE: usize = 110;
/// Room for the rule there.
const RULE_COLUMNS: usize = 30;

pub fn run(store: &Store, args: &AuditQuery) -> Result<u8, Failure> {
    let mut filter = filter(store, args)?;
    let is_text = !(args.json || args.csv || args.sarif);
    let most = args.limit.or(is_text.then_some(SHOWN));
    // One more tells whether there are more.
    filter.most = most.map(|most| most.saturating_add(1));
    let view = store.view()?;
    let mut rows = view.audit(&filter)?;
    let has_more = most.is_some_and(|most| rows.len() > most);
    if has_more {
        rows.remove(0);
    }
    for summary in view.sessions(None) {
        let is_asked = filter.session.is_none_or(|asked| asked == summary.session);
        if let Some(damage) = summary.damage.filter(|_| is_asked) {
            let session = summary.session.short();
            print::err_line(&clean(&format!(
                "bowline: session {session} is damaged, only what is intact is shown: {damage}"
            )));
        }
    }
    if args.json {
        print::line(&json!(rows).to_string());
    } else if args.csv {
        print::text(&table::rows(&rows));
    } else if args.sarif {
        print::line(&sarif::log(&rows).to_string());
    } else if rows.is_empty() {
        print::err_line("nothing was decided that fits");
    } else {
        let look = Look::of_stdout();
        for line in lines(&look, &rows) {
            print::line(&line);
        }
        if has_more {
            let more = format!(
                "only the newest {} are shown: --limit N shows more",
                rows.len()
            );
            print::err_line(&more);
        }
    }
    Ok(0)
}

fn filter(store: &Store, args: &AuditQuery) -> Result<AuditFilter, Failure> {
    let session: Option<SessionId> = match &args.session {
        Some(id) => Some(store.resolve(id)?),
        None => None,
    };
    Ok(AuditFilter {
        when: span(args.since.as_deref(), args.until.as_deref())?,
        session,
        tool: args.tool.clone(),
        verdict: args.verdict.map(|verdict| match verdict {
            AuditVerdict::Allow => Verdict::Allow,
            AuditVerdict::Ask => Verdict::Ask,
            AuditVerdict::Deny => Verdict::Deny,
        }),
        rule: args.rule.clone(),
        tier: args.tier.map(|tier| match tier {
            AuditTier::BuiltIn => Tier::BuiltIn,
            AuditTier::PlugIn => Tier::PlugIn,
            AuditTier::UserSkill => Tier::UserSkill,
        }),
        path: args.path.as_deref().map(absolute).transpose()?,
        host: args.host.clone(),
        person: args.person.clone(),
        most: None,
    })
}

/// A path as decisions name it: absolute, and through links where it is still there.
fn absolute(path: &Path) -> Result<String, Failure> {
    let known = path.canonicalize().or_else(|_| std::path::absolute(path));
    let known = known.map_err(|error| {
        Failure::usage(format!("{} is no usable path: {error}", path.display()))
    })?;
    Ok(known.to_string_lossy().into_owned())
}

/// Columns that fit: when, verdict, id, tool, who, what; the rule where there is room.
pub(super) fn lines(look: &Look, rows: &[AuditRow]) -> Vec<String> {
    let tool = rows.iter().map(|row| row.tool.chars().count()).max();
    let tool = tool.unwrap_or(0).clamp(4, 10);
    let is_wide = look.width >= WIDE;
    let head = format!(
        "{:<16} {:<7} {:<8} {:<tool$} {:<7} ",
        "when", "verdict", "id", "tool", "who"
    );
    let rule = if is_wide { RULE_COLUMNS + 1 } else { 0 };
    let longest = rows.iter().map(|row| row.essence.chars().count()).max();
    let room = look
        .width
        .saturating_sub(head.chars().count() + rule)
        .max(12);
    let room = room.min(longest.unwrap_or(0).max(4));
    let mut first = format!("{head}{:<room$}", "what");
    if is_wide {
        first.push_str(" rule");
    }
    let mut lines = vec![look.paint(Colour::Bold, first.trim_end())];
    for row in rows {
        let line = format!(
            "{:<16} {} {:<8} {:<tool$} {:<7} {:<room$}",
            date_and_time(row.at_ms),
            verdict(look, row),
            tail(&row.decision),
            cut(&row.tool, tool),
            who(row),
            cut(&row.essence, room),
        );
        let line = match is_wide {
            true => format!("{line} {}", cut(&row.rule, RULE_COLUMNS)),
            false => line,
        };
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn verdict(look: &Look, row: &AuditRow) -> String {
    let colour = match row.verdict.as_str() {
        "allow" => Colour::Green,
        "ask" => Colour::Yellow,
        _ => Colour::Red,
    };
    let name = if row.what == What::Lapse {
        "lapsed"
    } else {
        &row.verdict
    };
    look.paint(colour, &format!("{name:<7}"))
}

/// Who, in one word; `audit show` says it whole.
fn who(row: &AuditRow) -> &'static str {
    match row.what {
        What::Answer => "person",
        What::Lapse => "nobody",
        What::Decision if row.by.starts_with("grant ") => "grant",
        What::Decision if row.by.starts_with("person, ") => "person",
        What::Decision => "policy",
    }
}

fn tail(id: &str) -> &str {
    &id[id.len().saturating_sub(8)..]
}

/// One line that fits, without what would move the cursor.
fn cut(text: &str, room: usize) -> String {
    let flat = clean(text).replace(['\n', '\t'], " ");
    if flat.chars().count() <= room {
        return flat;
    }
    let mut cut: String = flat.chars().take(room.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
