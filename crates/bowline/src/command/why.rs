//! `bowline why [ID]`: why a session ended, waits or broke, on one page.

use std::path::Path;

use bowline_core::{CallId, Fact, SessionId};
use bowline_journal::{Error, Store, mailbox};
use bowline_runtime::moment;
use bowline_runtime::why::{Evidence, NextStep, Statement, Why, why};

use super::log;
use crate::args;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// Runs the command.
pub fn run(args: &args::Why) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let (session, call) = match &args.id {
        Some(id) => find(&store, id)?,
        None => (newest(&store)?, None),
    };
    // Asked first: what its owner recorded before it left is still read below.
    let owner = store.owner(session)?;
    let intact = store.read_only(session)?.read_intact()?;
    let system = store.installation().read()?;
    let evidence = Evidence {
        session,
        events: &intact.events,
        damage: intact.finding.as_ref().map(ToString::to_string),
        synced_seq: intact.synced_seq,
        torn_bytes: intact.torn_bytes,
        owner,
        has_letters: !mailbox::is_empty(&store.session_dir(session).mailbox())?,
        system: &system,
        folder: unwritable(store.home()),
        call,
    };
    let page = why(&evidence);
    if args.json {
        let text = serde_json::to_string(&page).map_err(anyhow::Error::from)?;
        print::line(&text);
    } else {
        show(&page);
    }
    Ok(0)
}

/// The session, or the session with the call, whose id begins or ends with `text`.
fn find(store: &Store, text: &str) -> Result<(SessionId, Option<CallId>), Failure> {
    let missing = match store.resolve(text) {
        Ok(session) => return Ok((session, None)),
        Err(error @ Error::NotFound { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    let wanted = text.replace('-', "").to_lowercase();
    let mut found = Vec::new();
    for session in store.list()? {
        for recorded in store.read_only(session)?.read_intact()?.events {
            let Fact::ModelReplied(replied) = &recorded.event.fact else {
                continue;
            };
            let fits = |call: &CallId| {
                let id = call.uuid().simple().to_string();
                !wanted.is_empty() && (id.starts_with(&wanted) || id.ends_with(&wanted))
            };
            let calls = replied.message.calls().map(|call| call.id).filter(fits);
            found.extend(calls.map(|call| (session, Some(call))));
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(missing.into()),
        _ => Err(Failure::usage(format!(
            "`{text}` fits several calls: give more digits"
        ))),
    }
}

/// The newest session of this folder, else the newest of all.
fn newest(store: &Store) -> Result<SessionId, Failure> {
    let here = std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .map_or(String::new(), |folder| folder.display().to_string());
    let summaries = store.summaries()?;
    let of_here = summaries.iter().find(|summary| summary.cwd == here);
    of_here
        .or(summaries.first())
        .map(|summary| summary.session)
        // One that has no durable event yet is in no list, and may be just what is asked about.
        .or(store.list()?.last().copied())
        .ok_or_else(|| Failure::usage("no sessions yet: `bowline demo` makes one"))
}

/// Why the state folder cannot be written, asked without writing.
fn unwritable(home: &Path) -> Option<String> {
    let asked = rustix::fs::access(home, rustix::fs::Access::WRITE_OK);
    asked
        .err()
        .map(|error| format!("{}: {}", home.display(), std::io::Error::from(error)))
}

fn show(page: &Why) {
    let look = Look::of_stdout();
    print::line(&look.paint(
        Colour::Bold,
        &format!(
            "session {} · {}",
            page.session,
            page.standing.name().replace('_', " ")
        ),
    ));
    if let (Some(model), Some(mode)) = (&page.model, &page.mode) {
        print::line(&look.fit(&format!("{model} · mode {mode} · {}", page.cwd), 0));
    }
    statements(&look, "What it was doing", &page.doing);
    statements(&look, "The call", &page.call);
    statements(&look, "Why", &page.cause);
    if let Some(last) = &page.last_event {
        heading(&look, "Last durable event");
        print::line(&format!(
            "  #{} {} at {} (hash {})",
            last.seq,
            last.kind,
            moment(last.at_ms),
            last.hash
        ));
    }
    heading(&look, "Outstanding");
    if page.outstanding.is_empty() {
        print::line("  nothing");
    }
    for line in &page.outstanding {
        paragraph(&look, line);
    }
    heading(&look, "What to do next");
    page.next.iter().for_each(|step| next_step(&look, step));
    if !page.missing.is_empty() {
        heading(&look, "Missing");
        for line in &page.missing {
            paragraph(&look, line);
        }
    }
    if !page.system.is_empty() {
        heading(&look, "Its last run in the system log");
        for line in &page.system {
            print::line(&format!(
                "  #{} {}",
                line.seq,
                log::line(&look, &line.event)
            ));
        }
    }
}

fn heading(look: &Look, text: &str) {
    print::line(&format!("\n{}", look.paint(Colour::Bold, text)));
}

fn statements(look: &Look, title: &str, statements: &[Statement]) {
    if statements.is_empty() {
        return;
    }
    heading(look, title);
    for statement in statements {
        paragraph(look, &statement.text);
        if !statement.sources.is_empty() {
            let sources = format!("    [{}]", statement.sources.join(", "));
            print::line(&look.paint(Colour::Dim, &look.fit(&sources, 0)));
        }
    }
}

fn next_step(look: &Look, step: &NextStep) {
    paragraph(look, &step.text);
    if let Some(command) = &step.command {
        print::line(&format!(
            "      {}",
            look.paint(Colour::Green, &print::clean(command))
        ));
    }
}

/// A text folded at the width, indented; its first line a little less.
fn paragraph(look: &Look, text: &str) {
    let room = look.width.saturating_sub(4).max(20);
    let mut line = String::new();
    let mut indent = "  ";
    for word in print::clean(text).split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            print::line(&format!("{indent}{line}"));
            line.clear();
            indent = "    ";
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    print::line(&format!("{indent}{line}"));
}
