//! Waiting: parked calls are looked at, questions lapse, doubts are settled by what is found late.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bowline_core::call::Outcome;
use bowline_core::engine;
use bowline_core::event::{CallSettled, DecisionLapsed};
use bowline_core::job::is_spool_name;
use bowline_core::state::Doubt;
use bowline_core::wait::{Park, Until, WaitEnd};
use bowline_core::{CallId, DecisionId, Effect, Fact, Origin, OutcomeStatus, StreamEvent};
use bowline_tools::keeper::recover::{Look, look};
use bowline_tools::keeper::{Ended, Exit, spool};

use super::{Loop, Rest};
use crate::{Clock, Error, admit};

/// What the driver does when everything outstanding waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhileWaiting {
    /// It rests: the process may exit, and another goes on later.
    #[default]
    Rest,
    /// It stays for what comes from outside by itself, and rests for people.
    StayForParties,
    /// It stays until all that waits is over.
    Stay,
}

/// A wait that ends by itself within this time is not worth leaving for.
const WORTH_STAYING: Duration = Duration::from_secs(60);

/// Ends of spans by a clock that nobody can set. A point in time that was recorded is turned into
/// one when it is first seen, and never lies further away than its whole span.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeMap<uuid::Uuid, Duration>);

impl Deadlines {
    /// When `until_ms` is reached, counted from when it was first asked for.
    pub(super) fn of(
        &mut self,
        clock: &Clock,
        id: uuid::Uuid,
        until_ms: u64,
        span_ms: Option<u64>,
    ) -> Duration {
        *self.0.entry(id).or_insert_with(|| {
            let left = until_ms.saturating_sub(clock.now_ms());
            let left = span_ms.map_or(left, |span| span.min(left));
            clock.elapsed() + Duration::from_millis(left)
        })
    }
}

/// What a look at a parked call comes to.
enum Seen {
    Over(WaitEnd),
    /// Its command has to be run.
    Run,
    /// Not yet; the next look is worth it at this time, if one is known.
    NotYet(Option<Duration>),
}

impl Loop<'_> {
    /// Looks at everything that waits; says whether something came of it.
    pub(super) async fn stage_waits(&mut self) -> Result<bool, Error> {
        self.wake = self.pause;
        let mut progressed = self.stage_lapses();
        let state = self.session.state();
        if state.paused_by().is_some() || self.stopping {
            return Ok(progressed);
        }
        let parked = state.parked().map(|(call, _, park)| (call, park.clone()));
        let parked: Vec<(CallId, Park)> = parked.collect();
        for (call, park) in parked {
            match self.see(call, &park) {
                Seen::Over(how) => {
                    if let Some(fact) = engine::end_wait(self.session.state(), call, how) {
                        self.session.stage(fact);
                        progressed = true;
                    }
                }
                Seen::Run => progressed |= self.stage_start(call).await?,
                Seen::NotYet(next) => self.wake = earlier(self.wake, next),
            }
        }
        Ok(progressed)
    }

    fn see(&mut self, call: CallId, park: &Park) -> Seen {
        let clock = self.session.clock().clone();
        let now = clock.elapsed();
        let mut next = None;
        match &park.wait.until {
            Until::File { path } => {
                // What cannot be looked at is not there yet.
                if std::fs::metadata(&path.resolved).is_ok() {
                    return Seen::Over(WaitEnd::Found);
                }
            }
            Until::Command { every_ms, .. } => {
                let look = self.looks.get(&call).copied().unwrap_or_default();
                if look <= now {
                    let pause = Duration::from_millis(*every_ms);
                    self.looks.insert(call, now + pause);
                    return Seen::Run;
                }
                next = Some(look);
            }
            Until::Time { at_ms } => {
                // A point in time is what the machine's clock says it is.
                let left = at_ms.saturating_sub(clock.now_ms());
                if left == 0 {
                    return Seen::Over(WaitEnd::Arrived);
                }
                next = Some(now + Duration::from_millis(left));
            }
            Until::Signal | Until::Elapsed { .. } => {}
        }
        let span_ms = park.wait.span_ms();
        let (Some(until_ms), Some(_)) = (park.until_ms, span_ms) else {
            return Seen::NotYet(next);
        };
        let deadline = self.deadlines.of(&clock, call.uuid(), until_ms, span_ms);
        if deadline <= now {
            return Seen::Over(park.wait.end_of_time(until_ms));
        }
        Seen::NotYet(earlier(next, Some(deadline)))
    }

    /// Refuses what nobody answered in time.
    fn stage_lapses(&mut self) -> bool {
        let state = self.session.state();
        let span_ms = state
            .settings()
            .and_then(|settings| settings.ask_expires_ms);
        let open: Vec<(DecisionId, u64)> = state
            .waiting()
            .filter_map(|(_, asked)| Some((asked.id, asked.expires_at_ms?)))
            .collect();
        let clock = self.session.clock().clone();
        let mut lapsed = false;
        for (decision, expires_ms) in open {
            let deadline = self
                .deadlines
                .of(&clock, decision.uuid(), expires_ms, span_ms);
            if deadline < clock.elapsed() {
                self.session
                    .stage(Fact::DecisionLapsed(DecisionLapsed { decision }));
                lapsed = true;
            } else {
                self.wake = earlier(self.wake, Some(deadline));
            }
        }
        lapsed
    }

    /// Whether the driver stays although everything outstanding waits.
    pub(super) fn stays(&self, rest: &Rest) -> bool {
        if self.harness.leave.load(Ordering::SeqCst) {
            return false;
        }
        match (rest, self.harness.while_waiting) {
            (Rest::Waiting(_), WhileWaiting::Stay) => true,
            (Rest::Awaiting(_), WhileWaiting::Stay | WhileWaiting::StayForParties) => true,
            (Rest::Awaiting(_), WhileWaiting::Rest) => {
                let now = self.session.clock().elapsed();
                self.ends_by_itself(now + WORTH_STAYING)
            }
            _ => false,
        }
    }

    /// Says what is waited for, once for each change of it.
    pub(super) fn show_waiting(&mut self, rest: Rest) {
        if self.stays_for.as_ref() == Some(&rest) {
            return;
        }
        let (waiting, parties) = match &rest {
            Rest::Waiting(waiting) => (waiting.clone(), self.session.state().parties().collect()),
            Rest::Awaiting(parties) => (Vec::new(), parties.clone()),
            _ => return,
        };
        self.face.show(&StreamEvent::Waiting { waiting, parties });
        self.stays_for = Some(rest);
    }

    /// Whether a wait for time alone ends before `by`.
    fn ends_by_itself(&self, by: Duration) -> bool {
        let mut parked = self.session.state().parked();
        let is_time = parked.any(|(_, _, park)| {
            matches!(park.wait.until, Until::Elapsed { .. } | Until::Time { .. })
        });
        is_time && self.wake.is_some_and(|wake| wake <= by)
    }

    /// Settles calls in doubt whose keeper has left its record since.
    pub(super) async fn stage_late_findings(&mut self) -> Result<(), Error> {
        let doubts: Vec<Doubt> = self.session.state().in_doubt().to_vec();
        for doubt in doubts {
            let Some(folder) = doubt.spool.as_deref().filter(|name| is_spool_name(name)) else {
                continue;
            };
            let folder = self.session.spool_for(folder);
            if let Look::Ended(exit) = look(&folder) {
                let outcome = self.outcome_of(&exit, &spool::read(&folder)).await?;
                self.session.stage(Fact::CallSettled(Box::new(CallSettled {
                    key: format!("found-{}", doubt.call),
                    call: doubt.call,
                    happened: exit.ended_by != Ended::NotStarted,
                    note: None,
                    by: "the records of its keeper".to_owned(),
                    outcome: Some(Box::new(outcome)),
                })));
            }
        }
        Ok(())
    }

    async fn outcome_of(&mut self, exit: &Exit, output: &spool::Spooled) -> Result<Outcome, Error> {
        let end = match (exit.code, exit.signal) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        let mut text = format!("[{end}]\n");
        text.push_str(&String::from_utf8_lossy(&output.head));
        if output.dropped_bytes > 0 {
            text.push_str("\n[...]\n");
        }
        text.push_str(&String::from_utf8_lossy(&output.tail));
        let masker = std::sync::Arc::clone(&self.harness.masker);
        let origin = Origin::Tool("shell".to_owned());
        let (content, blob) = admit::admit(self.session, &masker, origin, &text, None).await?;
        Ok(Outcome {
            status: if exit.code == Some(0) {
                OutcomeStatus::Ok
            } else {
                OutcomeStatus::Error
            },
            content,
            summary: end,
            blob,
            effect: Effect::default(),
            exit_code: exit.code,
            sandbox_denied: false,
            denied: Vec::new(),
            duration_ms: exit.duration_ms,
        })
    }
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
