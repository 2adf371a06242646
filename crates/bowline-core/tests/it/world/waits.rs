//! What happens to a world that waits, is put on hold, or is told what became of something.

use bowline_core::action::PathKind;
use bowline_core::command::{Ask, Command};
use bowline_core::engine::{self, StartFacts};
use bowline_core::event::DecisionLapsed;
use bowline_core::wait::{Until, Wait, WaitEnd};
use bowline_core::{Action, CallId, ContextText, Fact, Origin, PathFact};

use super::{World, request};

fn by() -> String {
    "test".to_owned()
}

impl World {
    fn ask(&mut self, ask: Ask) {
        let key = format!("ask-{}", self.id());
        let command = Command {
            key,
            at_ms: None,
            ask,
        };
        self.give(command.clone());
        // Whoever is not sure that it arrived sends it again.
        self.give(command);
    }

    /// Something to wait for.
    pub(super) fn wait(&mut self) -> Action {
        let until = match self.choose(6) {
            Some(0) => Until::Elapsed { pause_ms: 50 },
            Some(1) => Until::Time { at_ms: 2_000 },
            Some(2) => {
                let path = "/w/file".to_owned();
                let path = PathFact {
                    asked: path.clone(),
                    resolved: path.clone(),
                    by_name: path,
                    kind: PathKind::Missing,
                    links: 0,
                };
                Until::File { path }
            }
            Some(3 | 4) => Until::Command {
                command: "test -e x".to_owned(),
                every_ms: 1_000,
            },
            _ => Until::Signal,
        };
        let wait = Wait {
            name: self.name(),
            instructions: None,
            until,
            timeout_ms: (self.choose(2) == Some(0)).then_some(60_000),
        };
        Action::AwaitParty { wait }
    }

    fn name(&mut self) -> String {
        format!("s{}", self.choose(2).unwrap_or(0))
    }

    /// Whether a call waits by running a command.
    pub(super) fn looks(&self, call: CallId) -> bool {
        let park = self.state.call(call).and_then(|open| open.park.as_ref());
        park.is_some_and(|park| matches!(park.wait.until, Until::Command { .. }))
    }

    pub(super) fn park(&mut self, call: CallId, last: Option<&str>) {
        let last = last.map(str::to_owned);
        let facts = engine::park(&self.state, call, self.now_ms, last).expect("it may wait");
        facts.into_iter().for_each(|fact| self.put(fact));
    }

    pub(super) fn end_wait(&mut self, call: CallId) {
        let how = match self.choose(3) {
            Some(0) => WaitEnd::TimedOut,
            Some(1) => WaitEnd::Found,
            _ => WaitEnd::Arrived,
        };
        let ended = engine::end_wait(&self.state, call, how).expect("it is parked");
        self.put(ended);
    }

    pub(super) fn signal(&mut self) {
        let name = self.name();
        let payload = ContextText::admit(Origin::Person, "all is well".to_owned(), 100, None);
        let payload = (self.choose(2) == Some(0)).then_some(payload);
        let by = by();
        self.ask(Ask::Signal { name, payload, by });
    }

    pub(super) fn supersede(&mut self) {
        let text = ContextText::admit(Origin::Person, "rather this".to_owned(), 100, None);
        self.ask(Ask::Prompt {
            text,
            images: Vec::new(),
            output_schema: None,
            supersede: true,
        });
    }

    /// On hold if it is not, else on again.
    pub(super) fn hold_or_go_on(&mut self) {
        match self.state.paused_by() {
            Some(_) => self.ask(Ask::Continue { by: by() }),
            None => self.ask(Ask::Pause { by: by() }),
        }
    }

    /// A session on hold goes on again; false if it is not on hold.
    pub(super) fn wake(&mut self) -> bool {
        let is_held = self.state.paused_by().is_some();
        if is_held {
            self.hold_or_go_on();
        }
        is_held
    }

    pub(super) fn settle(&mut self) {
        let Some(call) = self.state.in_doubt().first().map(|doubt| doubt.call) else {
            return;
        };
        let happened = self.choose(2) == Some(0);
        let note = (self.choose(2) == Some(0)).then(|| "I looked.".to_owned());
        let by = by();
        self.ask(Ask::Settle {
            call,
            happened,
            note,
            by,
        });
    }

    pub(super) fn lapse(&mut self) {
        let decision = {
            let mut asked = self.state.waiting().map(|(_, decision)| decision);
            asked
                .find(|decision| decision.expires_at_ms.is_some())
                .map(|decision| decision.id)
        };
        if let Some(decision) = decision {
            self.put(Fact::DecisionLapsed(DecisionLapsed { decision }));
        }
    }

    /// Runs the command that a parked call waits by.
    pub(super) fn look(&mut self) {
        let parked: Vec<CallId> = self.state.parked().map(|(call, ..)| call).collect();
        let Some(call) = parked.into_iter().find(|call| self.looks(*call)) else {
            return;
        };
        let is_cancelled = self
            .state
            .turn()
            .is_some_and(|turn| turn.cancelled_by.is_some());
        if is_cancelled || self.state.paused_by().is_some() {
            return;
        }
        let fact = engine::start(&self.state, call, &request(), StartFacts::default())
            .expect("a parked call may look");
        self.started(fact);
    }
}
