//! `bowline compact SESSION`: makes a session's conversation shorter now.

use bowline_core::amounts::grouped;
use bowline_core::command::Ask;
use bowline_core::event::HistoryCompacted;
use bowline_core::state::Workflow;
use bowline_core::{Command, Fact, SessionId, StreamEvent};
use bowline_journal::{Store, mailbox};
use bowline_runtime::why::taken_over;
use bowline_runtime::{Clock, Face};
use serde_json::json;

use super::answer::{ROUTE, how_to_go_on, refuse_under_a_keeper};
use super::run::run_errand;
use crate::args::Compact;
use crate::face::shorter;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// The longest focus, in bytes: it is put to the model as it stands.
const FOCUS_BYTES_MAX: usize = 2_000;

/// Runs the command.
pub fn run(args: &Compact) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let session = store.resolve(&args.session)?;
    let focus = focus(args, &places, session)?;
    let clock = Clock::system();
    let command = Command {
        key: format!("compact-{}", clock.new_id()),
        at_ms: Some(clock.now_ms()),
        ask: Ask::Compact {
            focus,
            by: ROUTE.to_owned(),
        },
    };
    let state = store.read_only(session)?.read_intact()?.state();
    if let Some(by) = state.paused_by() {
        return Err(Failure::usage(format!(
            "session {0} is on hold, by {by}: `bowline resume {0}` lets it go on first",
            session.short()
        )));
    }
    let is_unfinished = matches!(taken_over(&state).workflow(), Workflow::Running);
    if is_unfinished || store.owner(session)?.is_some() {
        let dir = store.session_dir(session);
        mailbox::put(&dir.mailbox(), clock.now_ms(), &command)?;
        let who = how_to_go_on(&store, session)?;
        let text = "its conversation is made shorter when what runs now is over";
        print::line(&format!("session {}: {text}. {who}", session.short()));
        return Ok(0);
    }
    let mut told = Told::default();
    let code = run_errand(&places, session, command, &mut told, |_, _| 0)?;
    Ok(told.tell(session, args.json).max(code))
}

fn focus(args: &Compact, places: &Places, session: SessionId) -> Result<Option<String>, Failure> {
    let Some(focus) = args.focus.as_deref().map(str::trim) else {
        return Ok(None);
    };
    if focus.is_empty() || focus.len() > FOCUS_BYTES_MAX {
        return Err(Failure::usage(format!(
            "--focus takes 1 to {FOCUS_BYTES_MAX} bytes: say in a line what the summary should keep"
        )));
    }
    let masker = crate::wire::masker_of(places, session)?;
    Ok(Some(masker.mask(focus).text.into_owned()))
}

/// What came of it.
#[derive(Default)]
struct Told {
    compacted: Option<Box<HistoryCompacted>>,
    /// What did not do, and why.
    failed: Vec<(String, String)>,
}

impl Face for Told {
    fn show(&mut self, event: &StreamEvent) {
        let StreamEvent::Event { event, .. } = event else {
            return;
        };
        match &event.fact {
            Fact::HistoryCompacted(compacted) => self.compacted = Some(compacted.clone()),
            Fact::CompactionFailed(failed) => {
                let name = failed.strategy.name().to_owned();
                self.failed.push((name, failed.why.clone()));
            }
            Fact::CompactionAbandoned(abandoned) => {
                self.failed
                    .push(("compaction".to_owned(), abandoned.why.clone()));
            }
            _ => return,
        }
        if let (Some(line), true) = (shorter::line(&event.fact), self.compacted.is_none()) {
            print::err_line(&format!("bowline: {line}"));
        }
    }
}

impl Told {
    /// Prints it and gives the exit code: 0 when the conversation is shorter, else 1.
    fn tell(&self, session: SessionId, as_json: bool) -> u8 {
        let code = u8::from(self.compacted.is_none());
        if as_json {
            let failed = self.failed.iter();
            let failed = failed.map(|(what, why)| json!({ "what": what, "why": why }));
            let one = self.compacted.as_deref();
            let value = json!({
                "session_id": session,
                "compacted": one.is_some(),
                "strategies": one.map(|one| &one.strategies),
                "before_tokens": one.map(|one| one.before_tokens),
                "after_tokens": one.map(|one| one.after_tokens),
                "exchanges_taken_out": one.and_then(|one| one.folded).map(|folded| folded.exchanges),
                "failed": failed.collect::<Vec<_>>(),
            });
            print::line(&value.to_string());
            return code;
        }
        match self.compacted.as_deref() {
            Some(one) => {
                let exchanges = one.folded.map_or(0, |folded| folded.exchanges);
                let how: Vec<&str> = one.strategies.iter().map(|one| one.name()).collect();
                print::line(&format!(
                    "session {}: about {} tokens instead of {}; {exchanges} exchanges taken out, {} \
                     results made shorter ({}). The journal keeps the whole: `bowline transcript {0}`.",
                    session.short(),
                    grouped(one.after_tokens),
                    grouped(one.before_tokens),
                    one.shortened.len(),
                    how.join(", ")
                ));
            }
            None => print::line(&format!(
                "session {}: the conversation stays as it is.",
                session.short()
            )),
        }
        code
    }
}
