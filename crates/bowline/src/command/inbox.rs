//! `bowline inbox`: all that waits, over all sessions. Writes nothing, starts nothing.

mod gather;

use bowline_core::wait::span;
use bowline_journal::Store;
use bowline_runtime::Clock;
use serde_json::Value;

use self::gather::{Entry, Kind};
use crate::args::Inbox;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// What ends within this time comes first, in milliseconds.
const SOON_MS: u64 = 86_400_000;

/// Runs the command.
pub fn run(args: &Inbox) -> Result<u8, Failure> {
    let store = Store::at(&Places::find()?.state);
    let now_ms = Clock::system().now_ms();
    let mut entries = gather::all(&store, now_ms)?;
    entries.sort_by_key(|entry| urgency(entry, now_ms));
    if args.json {
        let all = entries.iter().map(Entry::as_json).collect();
        print::line(&Value::Array(all).to_string());
        return Ok(0);
    }
    if entries.is_empty() {
        print::err_line("nothing waits");
        return Ok(0);
    }
    let look = Look::of_stdout();
    for entry in &entries {
        show(&look, entry, now_ms);
    }
    Ok(0)
}

/// What ends soon comes first, the soonest before the others; then the newest.
fn urgency(entry: &Entry, now_ms: u64) -> (bool, u64) {
    match entry.ends_ms {
        Some(ends_ms) if ends_ms <= now_ms.saturating_add(SOON_MS) => (false, ends_ms),
        _ => (true, u64::MAX - entry.since_ms),
    }
}

fn show(look: &Look, entry: &Entry, now_ms: u64) {
    let head = format!("{:<10}  ", entry.kind.name());
    let colour = match entry.kind {
        Kind::Doubt | Kind::Unfinished => Colour::Red,
        _ => Colour::Yellow,
    };
    let line = format!("{}  {}", entry.short(), entry.what);
    print::line(&format!(
        "{}{}",
        look.paint(colour, &head),
        look.fit(&line, 12)
    ));
    match &entry.sheet {
        Some(sheet) => {
            for line in sheet.lines(look) {
                print::line(&line);
            }
        }
        None => {
            if let Some(why) = &entry.why {
                print::line(&format!("    {}", look.fit(why, 4)));
            }
        }
    }
    if let Some(words) = &entry.instructions {
        print::line(&format!("    {}", look.fit(words, 4)));
    }
    for (number, choice) in crate::face::choices(entry.question.as_ref()) {
        print::line(&format!(
            "    {}",
            look.fit(&format!("{number}. {choice}"), 4)
        ));
    }
    let place = format!(
        "{} · session {} {} · {}",
        ages(entry, now_ms),
        entry.session.short(),
        entry.title,
        entry.cwd
    );
    print::line(&look.paint(Colour::Dim, &format!("    {}", look.fit(&place, 4))));
    for command in &entry.how {
        for (number, part) in look.wrap(command, 8).iter().enumerate() {
            let lead = if number == 0 { "    → " } else { "      " };
            print::line(&format!("{lead}{}", look.paint(Colour::Green, part)));
        }
    }
}

/// Since when it waits and for how long it will.
fn ages(entry: &Entry, now_ms: u64) -> String {
    let since = format!("{} ago", span(now_ms.saturating_sub(entry.since_ms)));
    let Some(ends_ms) = entry.ends_ms else {
        return since;
    };
    let end = match (entry.kind, ends_ms.checked_sub(now_ms)) {
        (Kind::Party, Some(left)) => format!("until {} from now", span(left)),
        (Kind::Party, None) => "its time is over".to_owned(),
        (_, Some(left)) => format!("lapses in {}", span(left)),
        (_, None) => "lapsed".to_owned(),
    };
    format!("{since}, {end}")
}
