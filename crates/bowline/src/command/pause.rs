//! `bowline pause SESSION`: puts a session on hold, through its mailbox.

use bowline_core::Command;
use bowline_core::command::Ask;
use bowline_journal::{Store, mailbox};
use bowline_runtime::{Clock, moment};

use super::answer::{ROUTE, how_to_go_on, refuse_under_a_keeper};
use crate::args::Pause;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Runs the command.
pub fn run(args: &Pause) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let store = Store::at(&Places::find()?.state);
    let session = store.resolve(&args.session)?;
    let short = session.short();
    let intact = store.read_only(session)?.read_intact()?;
    if let Some(by) = intact.state().paused_by() {
        return Err(Failure::usage(format!(
            "session {short} is on hold already, by {by}: `bowline resume {short}` lets it go on"
        )));
    }
    let clock = Clock::system();
    let dir = store.session_dir(session);
    let waiting = mailbox::waiting(&dir.mailbox())?;
    let asked = waiting.iter().find_map(|letter| match letter.ask {
        Ask::Pause { .. } => letter.at_ms,
        _ => None,
    });
    if let Some(at_ms) = asked {
        return Err(Failure::usage(format!(
            "session {short} was asked to pause before, at {}, and nobody has taken that yet. {}",
            moment(at_ms),
            how_to_go_on(&store, session)?
        )));
    }
    let command = Command {
        key: format!("pause-{}", clock.new_id()),
        at_ms: Some(clock.now_ms()),
        ask: Ask::Pause {
            by: ROUTE.to_owned(),
        },
    };
    mailbox::put(&dir.mailbox(), clock.now_ms(), &command)?;
    let when = match store.owner(session)? {
        Some(_) => {
            let who = how_to_go_on(&store, session)?;
            format!("{who} What runs comes to its end, nothing new is begun")
        }
        None => "Nobody runs it now: it is on hold as soon as somebody does".to_owned(),
    };
    print::line(&format!(
        "pausing session {short}. {when}; `bowline resume {short}` lets it go on."
    ));
    Ok(0)
}
