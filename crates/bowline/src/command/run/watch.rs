//! What the process itself says to the system log: that it began, how it ended, that it broke.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::Arc;

use bowline_core::state::Party;
use bowline_core::system::{ConfigFile, Crashed, EndFound, EndedHow, Stopped, StorageFailed};
use bowline_core::{Digest, StopReason, SystemFact};
use bowline_journal::Store;
use bowline_runtime::system::Beginning;
use bowline_runtime::{Clock, Rest, RunLog, Session, date_and_time};

use super::VERSION;
use crate::places::{Places, project_config};
use crate::print;

/// The log of this run. From now on whatever breaks is recorded, too.
pub fn log(store: &Store, clock: &Clock) -> Arc<RunLog> {
    let log = Arc::new(RunLog::new(store.installation(), clock.clone()));
    let hook_log = Arc::clone(&log);
    std::panic::set_hook(Box::new(move |info| broke(&hook_log, info)));
    log
}

/// Records that the run began; tells a person which earlier runs ended badly.
pub fn begun(log: &RunLog, store: &Store, places: &Places, session: &Session) {
    let cwd = session.state().cwd().to_owned();
    let found = log.begin(
        store,
        Beginning {
            session: session.id(),
            // The parser has accepted it, and nothing can stand before it.
            command: std::env::args().nth(1).unwrap_or_default(),
            version: VERSION.to_owned(),
            program: std::env::current_exe().unwrap_or_default(),
            config_files: config_files(places, &cwd),
            cwd,
        },
    );
    for end in &found {
        print::err_line(&format!("bowline: {}", end_line(end)));
    }
}

/// How a session came to rest, with a line for people; a failed journal is recorded at once.
pub fn rested(
    log: &RunLog,
    rest: &Result<Rest, bowline_runtime::Error>,
) -> (StopReason, Option<String>) {
    match rest {
        Ok(Rest::Ended(stop, detail)) => (*stop, detail.clone()),
        Ok(Rest::Waiting(waiting)) => {
            let ids = waiting.iter().map(|item| item.decision_id.short());
            let ids: Vec<String> = ids.collect();
            (StopReason::Waiting, Some(format!("for {}", ids.join(", "))))
        }
        Ok(Rest::Awaiting(parties)) => {
            let what: Vec<String> = parties.iter().map(Party::line).collect();
            (
                StopReason::Waiting,
                Some(format!("for {}", what.join("; "))),
            )
        }
        Ok(Rest::Paused(by)) => (StopReason::Waiting, Some(format!("on hold, by {by}"))),
        Ok(Rest::Idle) => (StopReason::Done, None),
        Err(error) => {
            log.record(SystemFact::StorageFailed(StorageFailed {
                message: error.to_string(),
                safe: "everything up to the last durable event".to_owned(),
            }));
            (StopReason::StorageFailed, None)
        }
    }
}

/// Records that the run ended, and says if the log could not be written.
pub fn ended(log: &RunLog, (stop, detail): (StopReason, Option<String>), exit_code: u8) {
    log.record(SystemFact::Stopped(Stopped {
        exit_code,
        stop_reason: Some(stop),
        detail,
    }));
    if let Some(why) = log.failure() {
        print::err_line(&print::clean(&format!(
            "bowline: the system log is not complete ({why}); the session is not affected"
        )));
    }
}

/// Records an end that is no rest: a crash, or a person who would not wait.
pub fn quit(log: &RunLog, exit_code: u8, stop_reason: Option<StopReason>, detail: &str) {
    log.record(SystemFact::Stopped(Stopped {
        exit_code,
        stop_reason,
        detail: Some(detail.to_owned()),
    }));
}

/// The configuration files that are there, by their bytes.
fn config_files(places: &Places, cwd: &str) -> Vec<ConfigFile> {
    let cwd = Path::new(cwd);
    let rules = places.rule_files(cwd).map(|(_, path)| path);
    [places.user_config(), project_config(cwd)]
        .iter()
        .chain(&rules)
        .filter_map(|path| {
            let bytes = std::fs::read(path).ok()?;
            Some(ConfigFile {
                path: path.display().to_string(),
                sha256: Digest::of(&bytes),
            })
        })
        .collect()
}

fn end_line(end: &EndFound) -> String {
    let since = date_and_time(end.since_ms);
    let (session, id) = match end.ended_session {
        Some(session) => (
            format!("session {}, since {since}", session.short()),
            session.short(),
        ),
        None => (format!("since {since}"), String::new()),
    };
    let how = match end.how {
        EndedHow::Silently => "ended without a word: killed or power lost",
        EndedHow::Crashed => "crashed",
    };
    format!("an earlier run ({session}) {how}; `bowline why {id}` tells more")
}

/// The most of a panic's message and of its frames that is recorded.
const MESSAGE_CHARS_MAX: usize = 1_000;
const BACKTRACE_CHARS_MAX: usize = 8_000;

/// Records that a part of Bowline broke, and says so in one line.
fn broke(log: &RunLog, info: &PanicHookInfo<'_>) {
    let masker = crate::wire::masker();
    let text = info.payload_as_str().unwrap_or("a fault without words");
    let message = bounded(&masker.mask(text).text, MESSAGE_CHARS_MAX);
    let location = info
        .location()
        .map_or(String::new(), |place| place.to_string());
    let backtrace = Backtrace::force_capture().to_string();
    let backtrace = frames(&backtrace);
    let line = format!("bowline: a part of Bowline broke: {message} ({location})");
    log.record(SystemFact::Crashed(Crashed {
        message,
        location,
        backtrace: bounded(&masker.mask(backtrace).text, BACKTRACE_CHARS_MAX),
    }));
    let id = log.session().map_or(String::new(), |id| id.short());
    print::err_line(&print::clean(&format!(
        "{line}. The journal is intact; `bowline why {id}` tells more"
    )));
}

/// The frames from the place that broke on: what lies above them is how a fault is reported.
fn frames(backtrace: &str) -> &str {
    const REPORTING: [&str; 2] = ["core::panicking::", "rust_begin_unwind"];
    let last = REPORTING.iter().filter_map(|name| backtrace.rfind(name));
    let Some(at) = last.max() else {
        return backtrace;
    };
    let rest = &backtrace[at..];
    // The line with the name, and the one below it with its place.
    rest.splitn(3, '\n').nth(2).unwrap_or(rest)
}

fn bounded(text: &str, most_chars: usize) -> String {
    text.chars().take(most_chars).collect()
}
