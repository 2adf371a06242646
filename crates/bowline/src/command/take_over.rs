//! `bowline take-over SESSION`: ends the process that owns a session and takes the session over.

use std::time::Duration;

use bowline_core::system::OwnerEnded;
use bowline_core::{SessionId, SystemFact};
use bowline_journal::{EndedBy, Store};
use bowline_runtime::{Clock, RunLog, Session};

use super::answer::refuse_under_a_keeper;
use super::run::{self, VERSION, block_on, owner, split};
use crate::args::TakeOver;
use crate::failure::{Failure, named};
use crate::places::Places;
use crate::print;

/// How long an owner has to hang up before it is ended by force.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the command.
pub fn run(args: &TakeOver) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = run::store(&places);
    let id = store.resolve(&args.session)?;
    if !end_owner(&store, id)? {
        return Err(Failure::usage(format!(
            "nobody owns session {0}: `bowline exec --resume {0}` goes on with it",
            id.short()
        )));
    }
    let epoch = block_on(begin_epoch(&store, id))?;
    print::line(&format!(
        "session {0} is free, epoch {epoch} has begun; `bowline exec --resume {0}` goes on with it",
        id.short()
    ));
    Ok(0)
}

/// Ends the process that owns a session, once it is proven that it does; says so and records it.
/// False when nobody owns it.
pub fn end_owner(store: &Store, id: SessionId) -> Result<bool, Failure> {
    // An agent that could end its own harness would escape whatever that watches over.
    refuse_under_a_keeper()?;
    let Some(holder) = store.holder(id)? else {
        return Ok(false);
    };
    let since_ms = holder.owner().map(|owner| owner.since_ms);
    let who = match holder.owner() {
        Some(owner) => named(owner),
        None => format!("process {}", holder.pid()),
    };
    let ended = holder.end(PATIENCE)?;
    let took_ms = u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX);
    let by_force = ended.by == EndedBy::Force;
    let log = RunLog::new(store.installation(), Clock::system());
    log.record_about(
        Some(id),
        SystemFact::OwnerEnded(OwnerEnded {
            pid: ended.pid,
            since_ms,
            by_force,
            took_ms,
        }),
    );
    let how = match by_force {
        true => "did not hang up and was ended by force",
        false => "was told to hang up and did",
    };
    print::err_line(&print::clean(&format!(
        "bowline: {who} {how}, after {}; its shell commands go on",
        print::duration(took_ms)
    )));
    Ok(true)
}

/// Takes the session over and makes that durable: nothing that comes of an earlier owner counts
/// from now on.
async fn begin_epoch(store: &Store, id: SessionId) -> Result<bowline_core::Epoch, Failure> {
    let clock = Clock::system();
    let owned = store.open(id, &owner(&clock))?;
    let (journal, places) = split(store, owned)?;
    let mut session = Session::open(journal, places, clock, VERSION).await?;
    session.keep().await?;
    Ok(session.state().epoch())
}
