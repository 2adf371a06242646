//! `bowline sessions ...`: what can be done with sessions as a whole.

mod export;
mod import;
mod prune;
mod repair;
mod show;

use std::path::Path;

use bowline_core::SessionId;
use bowline_journal::{Store, Summary};
use bowline_runtime::{Clock, date_and_time, running_jobs};
use serde_json::{Value, json};

use super::run::owner;
use crate::args::{Force, Sessions};
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};
use crate::wire;

/// Runs the command.
pub fn run(args: Sessions) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    match args {
        Sessions::List { json } => list(&store, json)?,
        Sessions::Show { id, json } => {
            let id = store.resolve(&id)?;
            show::show(&store, id, json)?;
        }
        Sessions::Export { id, .. } => export::export(&store, &id)?,
        Sessions::Import { file } => import::import(&store, &file)?,
        Sessions::Delete { id, yes } => return delete(&store, &id, yes),
        Sessions::Repair { id, dry_run, yes } => return repair::run(&store, &id, dry_run, yes),
        Sessions::Prune(args) => {
            let here = Path::new(".");
            let config = wire::configure(&places, here, &Force::default())?;
            return prune::run(&store, &config, &args);
        }
        Sessions::Reindex => {
            let count = store.rebuild_index()?;
            print::line(&format!("{count} sessions indexed"));
        }
    }
    Ok(0)
}

fn list(store: &Store, json: bool) -> Result<(), Failure> {
    let mut summaries = store.summaries()?;
    summaries.sort_by_key(|summary| std::cmp::Reverse((summary.updated_ms, summary.session)));
    if json {
        let all: Vec<Value> = summaries.iter().map(as_json).collect();
        print::line(&Value::Array(all).to_string());
        return Ok(());
    }
    if summaries.is_empty() {
        print::err_line("no sessions yet: `bowline demo` makes one");
        return Ok(());
    }
    let look = Look::of_stderr();
    for summary in &summaries {
        let count = |count: u32, word: &str| match count {
            0 => String::new(),
            count => format!(" [{count} {word}]"),
        };
        let waiting = count(summary.waiting, "waiting") + &count(summary.in_doubt, "in doubt");
        let line = format!(
            "{}  {}  {:<15}  {:>4} steps  {}{waiting}  {}",
            summary.session.short(),
            date_and_time(summary.updated_ms),
            summary.status.name(),
            summary.steps,
            summary.title,
            summary.cwd,
        );
        print::line(&look.fit(&line, 0));
    }
    Ok(())
}

/// A session in lists, as JSON.
pub fn as_json(summary: &Summary) -> Value {
    json!({
        "id": summary.session,
        "cwd": summary.cwd,
        "title": summary.title,
        "model": summary.model,
        "mode": summary.mode,
        "status": summary.status.name(),
        "steps": summary.steps,
        "usage": summary.usage,
        "waiting": summary.waiting,
        "in_doubt": summary.in_doubt,
        "started_ms": summary.started_ms,
        "updated_ms": summary.updated_ms,
        "last_seq": summary.last.seq,
        "journal_bytes": summary.journal_bytes,
        "damage": summary.damage,
    })
}

fn delete(store: &Store, id: &str, yes: bool) -> Result<u8, Failure> {
    let id: SessionId = store.resolve(id)?;
    if !yes && !confirmed(&format!("Delete session {id} for good?"), "deleting")? {
        print::err_line("nothing was deleted");
        return Ok(1);
    }
    // A damaged session can be deleted too: what cannot be read has no jobs that are known.
    if let Ok(intact) = store.read_only(id).and_then(|reader| reader.read_intact())
        && let Some(running) = running_jobs(&intact.state(), &store.session_dir(id).spool()).first()
    {
        return Err(Failure::usage(format!(
            "{} of this session still runs: stop it first with `bowline jobs stop {}`",
            running.job, running.job
        )));
    }
    store.delete(id, &owner(&Clock::system()))?;
    print::line(&format!("session {id} is deleted"));
    Ok(0)
}

/// Asks the person at the terminal for a yes; `doing` is what needs one.
fn confirmed(question: &str, doing: &str) -> Result<bool, Failure> {
    use std::io::IsTerminal as _;
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{doing} needs a yes: nobody is at the terminal, so give --yes"
        )));
    }
    print::err_line(&format!("{question} Type yes:"));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::usage(format!("no answer could be read: {error}")))?;
    Ok(answer.trim() == "yes")
}
