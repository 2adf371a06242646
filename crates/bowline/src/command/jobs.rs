//! `bowline jobs list|stop`: commands that agents run in the background.
//!
//! Stopping one goes through its keeper, not through the session: whoever owns that learns of the
//! end as of any other.

use bowline_core::SessionId;
use bowline_core::protocol::RunningJob;
use bowline_journal::Store;
use bowline_runtime::running_jobs;
use bowline_tools::keeper::control::{Word, tell};
use serde_json::json;

use crate::args::Jobs;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};

/// Runs the command.
pub fn run(args: &Jobs) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    match args {
        Jobs::List { json } => list(&store, *json),
        Jobs::Stop { job } => stop(&store, job),
    }
}

/// Every job that runs, with its session.
fn running(store: &Store) -> Result<Vec<(SessionId, RunningJob)>, Failure> {
    let mut all = Vec::new();
    for session in store.list()? {
        let state = store.read_only(session)?.read_intact()?.state();
        let jobs = running_jobs(&state, &store.session_dir(session).spool());
        all.extend(jobs.into_iter().map(|job| (session, job)));
    }
    Ok(all)
}

fn list(store: &Store, json: bool) -> Result<u8, Failure> {
    let all = running(store)?;
    if json {
        let rows: Vec<_> = all
            .iter()
            .map(|(session, job)| {
                json!({ "id": job.job, "session_id": session, "command": job.command })
            })
            .collect();
        print::line(&json!(rows).to_string());
        return Ok(0);
    }
    let look = Look::of_stderr();
    for (session, job) in all {
        let line = format!("{}  session {}  {}", job.job, session.short(), job.command);
        print::line(&look.fit(&line, 0));
    }
    Ok(0)
}

fn stop(store: &Store, wanted: &str) -> Result<u8, Failure> {
    let digits = wanted.strip_prefix("bg:").unwrap_or(wanted);
    let mut all = running(store)?;
    all.retain(|(_, job)| !digits.is_empty() && job.job.ends_with(digits));
    let (session, job) = match all.len() {
        0 => {
            return Err(Failure::usage(format!(
                "nothing runs under `{wanted}`: `bowline jobs list` shows what does"
            )));
        }
        1 => all.remove(0),
        _ => {
            return Err(Failure::usage(format!(
                "`{wanted}` fits several: give more digits"
            )));
        }
    };
    let state = store.read_only(session)?.read_intact()?.state();
    let folder = state.jobs().get(&job.job).map(|known| known.spool.clone());
    let folder = store
        .session_dir(session)
        .spool()
        .join(folder.unwrap_or_default());
    match tell(&folder, &Word::Stop) {
        Ok(()) => {}
        // It ended by itself meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::NotConnected => {}
        Err(error) => {
            return Err(Failure::stopped(format!(
                "{} was not told: {error}",
                job.job
            )));
        }
    }
    print::line(&print::clean(&format!(
        "stopping: {}  {}",
        job.job, job.command
    )));
    Ok(0)
}
