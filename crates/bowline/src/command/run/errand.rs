//! An errand: one command carried out on a session that nobody runs, without going on with it.

use bowline_core::{Command, SessionId};
use bowline_runtime::{Face, Rest, Session};

use super::{open, rest_and_tell, run_on, store, watch};
use crate::command::exec::Change;
use crate::failure::Failure;
use crate::places::Places;

/// Takes the session over, gives it the command, drives it until it rests, and lets `tell` say how
/// it came out.
pub fn run_errand(
    places: &Places,
    session: SessionId,
    command: Command,
    face: &mut dyn Face,
    tell: impl FnOnce(&Session, &Rest) -> u8,
) -> Result<u8, Failure> {
    let store = store(places);
    let clock = crate::command::clock();
    let log = watch::log(&store, &clock);
    run_on(&log, async {
        let opener = open::Opener {
            places,
            store: &store,
            clock: &clock,
            log: &log,
        };
        let (mut session, harness) = opener.go_on(session, Change::default()).await?;
        session
            .give(command)
            .map_err(|refusal| Failure::usage(refusal.to_string()))?;
        rest_and_tell(&opener, &mut session, &harness, face, tell).await
    })
}
