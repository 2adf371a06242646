//! `bowline watch SESSION`: what another process does with a session, as it becomes durable.

use std::time::{Duration, Instant};

use bowline_core::protocol::RunResult;
use bowline_core::state::{Party, Workflow};
use bowline_core::{Fact, SessionId, State, StopReason, StreamEvent, apply, due};
use bowline_journal::{Recorded, Store};
use bowline_runtime::{Face, running_jobs, waiting};

use super::VERSION;
use super::run::block_on;
use crate::args::Watch;
use crate::face::{self, Asker};
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// How often the journal is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &Watch) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let id = store.resolve(&args.session)?;
    if store.owner(id)?.is_none() {
        return Err(Failure::usage(format!(
            "nobody drives session {0}, so there is nothing to watch: `bowline sessions show {0}` \
             shows it, `bowline exec --resume {0}` goes on with it",
            id.short()
        )));
    }
    let (mut face, outlet) = face::make(args.output, Asker::Face, &State::new())?;
    let seen = watch(&store, id, face.as_mut());
    drop(face);
    block_on(async {
        face::settle(outlet).await;
        Ok(())
    })?;
    seen
}

/// Shows the running turn from its beginning until it ends or nobody drives it any more.
fn watch(store: &Store, id: SessionId, face: &mut dyn Face) -> Result<u8, Failure> {
    let began = Instant::now();
    let mut follower = store.read_only(id)?.follow();
    let mut state = State::new();
    let (mut looked, mut opened, mut ended) = (false, false, false);
    loop {
        // Asked first: what was written before the owner left is still read below.
        let owned = store.owner(id)?.is_some();
        let events = follower.poll()?;
        let fold = |state, recorded: &Recorded| apply(state, &recorded.event);
        state = events.iter().fold(state, fold);
        // Of what was there before: the turn that runs, nothing of earlier ones.
        let from = match std::mem::replace(&mut looked, true) {
            false => turn_begins(&events),
            true => 0,
        };
        for recorded in &events[from..] {
            if !opened && let Some(opening) = opening(id, &state) {
                face.show(&opening);
                opened = true;
            }
            ended = matches!(recorded.event.fact, Fact::TurnEnded(_));
            face.show(&StreamEvent::Event {
                seq: recorded.receipt.seq,
                event: Box::new(recorded.event.clone()),
            });
        }
        if !owned || (ended && due(&state).is_empty()) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let Some((stop, text)) = rest(&state) else {
        print::err_line(&format!(
            "bowline: the owner of session {0} is gone in the middle of a turn: `bowline why {0}` \
             tells more, `bowline exec --resume {0}` goes on",
            id.short()
        ));
        return Ok(1);
    };
    face.show(&StreamEvent::Result(RunResult {
        session_id: id,
        stop_reason: stop,
        result: text,
        usage: state.ledger().usage,
        cost_micro_usd: state.cost_micro_usd(),
        exit_code: stop.exit_code(),
        steps: state.steps(),
        refused_calls: state.ledger().calls_refused,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        waiting: waiting(&state),
        parties: state.parties().collect(),
        in_doubt: state.in_doubt().to_vec(),
        running: running_jobs(&state, &store.session_dir(id).spool()),
    }));
    Ok(0)
}

/// Where the last turn begins, if it still runs; else the end.
fn turn_begins(events: &[Recorded]) -> usize {
    let last = events.iter().rposition(|recorded| {
        let fact = &recorded.event.fact;
        matches!(fact, Fact::TurnStarted(_) | Fact::TurnEnded(_))
    });
    match last {
        Some(index) if matches!(events[index].event.fact, Fact::TurnStarted(_)) => index,
        // A session that has just begun has no turn yet.
        _ => events.len(),
    }
}

/// The first line; `None` before the session has begun.
fn opening(id: SessionId, state: &State) -> Option<StreamEvent> {
    let settings = state.settings()?;
    Some(StreamEvent::Session {
        session_id: id,
        resumed: true,
        cwd: state.cwd().to_owned(),
        model: settings.model.clone(),
        mode: settings.mode,
        version: VERSION.to_owned(),
    })
}

/// Why the session rests, and its final answer or the line that says why there is none; `None`
/// while a turn is open that waits for nothing.
fn rest(state: &State) -> Option<(StopReason, String)> {
    let waits = |text: String| Some((StopReason::Waiting, text));
    match state.workflow() {
        Workflow::AwaitingDecision { .. } => {
            let what: Vec<String> = waiting(state)
                .into_iter()
                .map(|item| item.essence)
                .collect();
            return waits(format!("waits for a person: {}", what.join("; ")));
        }
        Workflow::AwaitingParty { parties } => {
            let what: Vec<String> = parties.iter().map(Party::line).collect();
            return waits(format!("waits for {}", what.join("; ")));
        }
        Workflow::Paused { by } => return waits(format!("on hold, by {by}")),
        Workflow::Running => return None,
        Workflow::Ended { .. } => {}
    }
    let answer = || {
        let answer = state.answer().map(ToString::to_string);
        answer.or_else(|| state.last_text()).unwrap_or_default()
    };
    Some(match state.last_stop() {
        None | Some((StopReason::Done, _)) => (StopReason::Done, answer()),
        Some((stop, detail)) => (stop, detail.map_or_else(answer, str::to_owned)),
    })
}
