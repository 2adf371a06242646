//! `bowline resume`: lets one session go on, or all that can.

use std::path::Path;

use bowline_core::state::Workflow;
use bowline_core::wait::Until;
use bowline_core::{SessionId, State};
use bowline_journal::{Store, mailbox};
use bowline_runtime::Clock;
use bowline_runtime::why::taken_over;

use super::answer::refuse_under_a_keeper;
use super::exec::Change;
use super::run::{self, Start, Task};
use crate::args::{Output, Resume};
use crate::face::Asker;
use crate::failure::Failure;
use crate::places::Places;
use crate::{print, terminal};

/// Runs the command.
pub fn run(args: &Resume) -> Result<u8, Failure> {
    // To let a session on hold go on, or to drive one that was answered, is a person's doing.
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    match &args.id {
        Some(id) => {
            let session = store.resolve(id)?;
            let asker = if terminal::is_there(args.output) && !args.wait {
                Asker::Terminal
            } else {
                Asker::Face
            };
            go_on(&places, session, args, asker)
        }
        None => all_ready(&places, &store, args),
    }
}

fn go_on(places: &Places, session: SessionId, args: &Resume, asker: Asker) -> Result<u8, Failure> {
    run::run(
        places,
        Task {
            start: Start::GoOn {
                session,
                change: Change::default(),
            },
            prompt: None,
            output: args.output,
            asker,
            stay: args.wait,
            supersede: false,
        },
    )
}

/// Runs every session that can go on, one after the other; one that fails does not keep the next
/// from it.
fn all_ready(places: &Places, store: &Store, args: &Resume) -> Result<u8, Failure> {
    let mut summaries = store.summaries()?;
    summaries.sort_by_key(|summary| (summary.updated_ms, summary.session));
    let mut ran = 0;
    let mut failed = 0;
    for summary in summaries {
        let session = summary.session;
        if summary.damage.is_some() || store.owner(session)?.is_some() {
            continue;
        }
        match is_ready(store, session) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(failure) => {
                failed += 1;
                tell(session, &failure);
                continue;
            }
        }
        ran += 1;
        match go_on(places, session, args, Asker::Face) {
            // What failed said so itself.
            Ok(1 | 2) => failed += 1,
            Ok(_) => {}
            Err(failure) => {
                failed += 1;
                tell(session, &failure);
            }
        }
    }
    if ran == 0 && failed == 0 && args.output == Output::Text {
        print::err_line("nothing can go on: `bowline inbox` shows what waits");
    }
    Ok(u8::from(failed > 0))
}

fn tell(session: SessionId, failure: &Failure) {
    if failure.message().is_empty() {
        return;
    }
    let line = format!(
        "bowline: session {}: {}",
        session.short(),
        failure.message()
    );
    print::err_line(&print::clean(&line));
}

/// Whether driving the session now would do something. Changes nothing.
fn is_ready(store: &Store, session: SessionId) -> Result<bool, Failure> {
    let state = store.read_only(session)?.state()?;
    if state.session().is_none() || state.paused_by().is_some() {
        return Ok(false);
    }
    if !mailbox::is_empty(&store.session_dir(session).mailbox())? {
        return Ok(true);
    }
    let now_ms = Clock::system().now_ms();
    Ok(match taken_over(&state).workflow() {
        Workflow::Running => true,
        Workflow::AwaitingDecision { .. } => {
            has_lapsed(&state, now_ms) || is_something_there(&state, now_ms)
        }
        Workflow::AwaitingParty { .. } => is_something_there(&state, now_ms),
        Workflow::Paused { .. } | Workflow::Ended { .. } => false,
    })
}

fn has_lapsed(state: &State, now_ms: u64) -> bool {
    state.waiting().any(|(_, asked)| asked.has_lapsed(now_ms))
}

/// Whether a wait is over by now, or its command is worth a look.
fn is_something_there(state: &State, now_ms: u64) -> bool {
    state.parked().any(|(_, _, park)| {
        let is_over = park.until_ms.is_some_and(|until_ms| until_ms <= now_ms);
        let is_there = match &park.wait.until {
            Until::File { path } => Path::new(&path.resolved).exists(),
            Until::Command { .. } => true,
            Until::Signal => state.holds_signal(&park.wait.name),
            Until::Elapsed { .. } | Until::Time { .. } => false,
        };
        is_over || is_there
    })
}
