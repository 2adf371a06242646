//! `bowline settle CALL`: a person's word on what became of a call in doubt, left in the session's
//! mailbox.

use bowline_core::command::Ask;
use bowline_core::state::Doubt;
use bowline_core::{Command, Fact, SessionId};
use bowline_journal::mailbox::Put;
use bowline_journal::{Store, Summary, mailbox};
use bowline_runtime::{Clock, moment};

use super::answer::{ROUTE, how_to_go_on, masked, refuse_under_a_keeper};
use super::find::{fits, states};
use crate::args::Settle;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Runs the command.
pub fn run(args: &Settle) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let (session, doubt) = find(&store, &args.call)?;
    let clock = Clock::system();
    let note = args.note.as_deref();
    let note = note
        .map(|note| masked(note, &places, session))
        .transpose()?;
    let command = Command {
        // The key is derived, so settling the same call twice has effect once.
        key: format!("settle-{}", doubt.call),
        at_ms: Some(clock.now_ms()),
        ask: Ask::Settle {
            call: doubt.call,
            happened: args.happened,
            note,
            by: ROUTE.to_owned(),
        },
    };
    let mailbox = store.session_dir(session).mailbox();
    let next = how_to_go_on(&store, session)?;
    if mailbox::put(&mailbox, clock.now_ms(), &command)? == Put::Already {
        let letters = mailbox::waiting(&mailbox)?;
        let first = letters.iter().find(|letter| letter.key == command.key);
        let first = match first.map(|letter| &letter.ask) {
            Some(Ask::Settle { happened, .. }) => word(*happened),
            _ => "settled",
        };
        return Err(Failure::usage(format!(
            "`{}` was settled before ({first}), and that is not taken yet: the first word counts. \
             {next}",
            doubt.essence
        )));
    }
    print::line(&print::clean(&format!(
        "settled: {} ({})\n{next}",
        doubt.essence,
        word(args.happened)
    )));
    Ok(0)
}

/// The call in doubt whose id begins or ends with `text`, over all sessions.
fn find(store: &Store, text: &str) -> Result<(SessionId, Doubt), Failure> {
    let has_doubts = |summary: &Summary| summary.in_doubt > 0;
    let mut found = Vec::new();
    for (session, state) in states(store, has_doubts)? {
        let doubts = state.in_doubt().iter();
        let mine = doubts.filter(|doubt| fits(text, doubt.call.uuid()));
        found.extend(mine.map(|doubt| (session, doubt.clone())));
    }
    match found.len() {
        0 => Err(settled(store, text)?),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::usage(format!(
            "`{text}` fits several calls in doubt: give more digits"
        ))),
    }
}

/// What became of a call, as a person said.
const fn word(happened: bool) -> &'static str {
    if happened {
        "it happened"
    } else {
        "it did not happen"
    }
}

/// Why no call in doubt fits `text`.
fn settled(store: &Store, text: &str) -> Result<Failure, Failure> {
    for session in store.list()? {
        for recorded in store.read_only(session)?.read_intact()?.events {
            if let Fact::CallSettled(settled) = &recorded.event.fact
                && fits(text, settled.call.uuid())
            {
                return Ok(Failure::usage(format!(
                    "call {} was settled already, by {} at {}: {}",
                    settled.call.short(),
                    settled.by,
                    moment(recorded.event.at_ms),
                    word(settled.happened)
                )));
            }
        }
    }
    Ok(Failure::usage(format!(
        "no call in doubt fits `{text}`: `bowline inbox` lists them"
    )))
}
