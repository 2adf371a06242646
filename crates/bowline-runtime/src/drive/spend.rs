//! Setting budget aside before a model call, and counting time at work.

use std::sync::Arc;
use std::time::Duration;

use bowline_core::amounts::{Amounts, CapScope, Measure, grouped};
use bowline_core::engine::{self, NewAsk};
use bowline_core::event::TimeRanOut;
use bowline_core::state::CallPhase;
use bowline_core::{AttemptId, CallId, Epoch, Event, Fact, Kept, StopReason, StreamEvent};
use bowline_journal::{Claim, ClaimKey, Grant, WAIT_POLL_MS};

use super::Loop;
use crate::{Error, keep};

/// How long a call that does not fit now waits for what other sessions have set aside.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(120);

/// One call, as it is claimed.
const ONE_CALL: Amounts = Amounts {
    tool_calls: 1,
    ..Amounts::ZERO
};

/// The answer to a claim over all sessions.
pub(super) enum Claimed {
    /// It is set aside.
    SetAside,
    /// It is to be made again at that time, in milliseconds since 1970.
    Later { at_ms: u64, reason: String },
    /// It will not fit; why, for people.
    Never(String),
}

/// Does something that waits for a disk or a lock where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, bowline_journal::Error> + Send + 'static,
) -> Result<T, bowline_journal::Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(broken) => Err(bowline_journal::Error::Invalid {
            what: format!("the ledger broke while it was asked: {broken}"),
            next: "Report it with what `bowline log` says".to_owned(),
        }),
    }
}

/// Time at work that no event has counted yet.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    uncounted: Duration,
}

impl Stopwatch {
    pub(super) fn add(&mut self, span: Duration) {
        self.uncounted += span;
    }

    /// Whole milliseconds that were not counted yet.
    fn ms(&self) -> u64 {
        u64::try_from(self.uncounted.as_millis()).unwrap_or(u64::MAX)
    }

    /// They are counted from now on.
    fn counted(&mut self, ms: u64) {
        self.uncounted = self.uncounted.saturating_sub(Duration::from_millis(ms));
    }
}

impl Loop<'_> {
    /// Sets the worst case of the next model call aside, here and over all sessions, or ends the
    /// turn if a budget does not allow it. Says whether the state changed.
    pub(super) async fn stage_ask(&mut self) -> Result<bool, Error> {
        let attempt = AttemptId::from_uuid(self.session.clock().new_id());
        let state = self.session.state();
        let Some(request) = state.next_request() else {
            return Ok(false);
        };
        if let Some(why) = self.withheld() {
            return Ok(self.stage_end(StopReason::Denied, Some(why)));
        }
        let session = self.session.id();
        let provider = Arc::clone(&self.harness.provider);
        let size = provider.size(session, &request);
        if self.stage_shorter(size) {
            return Ok(true);
        }
        let mut ask = NewAsk {
            size: Some(size),
            worked_ms: self.work.ms(),
            ..NewAsk::of(attempt)
        };
        if self.asks_for(&ask) {
            return Ok(false);
        }
        let mut reserved = engine::reserve(self.session.state(), ask);
        if let Err(overdrawn) = &reserved
            && overdrawn.is_about_tokens()
            && let Some(counted) = provider.count(session, &request).await
        {
            ask.counted_tokens = Some(counted.input_tokens);
            reserved = engine::reserve(self.session.state(), ask);
        }
        let fact = match reserved {
            Ok(fact) => fact,
            Err(overdrawn) => {
                let refused = self.refused_by_parent().filter(|_| overdrawn.is_of_share());
                let detail = refused.unwrap_or_else(|| overdrawn.to_string());
                return Ok(self.stage_end(StopReason::Budget, Some(detail)));
            }
        };
        let Fact::AttemptReserved(reserved) = fact else {
            return Ok(false);
        };
        let amounts = Amounts {
            steps: 1,
            // There must be some time left, as for the caps of this session.
            wall_ms: self.work_over_all.ms() + 1,
            ..reserved.worst()
        };
        match self.claim(ClaimKey::Attempt(attempt), amounts).await? {
            Claimed::SetAside => {
                self.stage_reserved(reserved, &request);
                self.forget_answer();
                self.work.counted(ask.worked_ms);
                Ok(true)
            }
            Claimed::Later { at_ms, reason } => {
                self.hold_up(at_ms, reason);
                Ok(false)
            }
            Claimed::Never(detail) => Ok(self.stage_end(StopReason::Budget, Some(detail))),
        }
    }

    /// Why what the session holds may not be sent to its model, nor counted there; `None` where it may.
    pub(super) fn withheld(&self) -> Option<String> {
        let policy = self.harness.policy.at(self.session.clock().now_ms());
        keep::withheld(&policy, self.session.state(), &*self.harness.provider)
    }

    /// All that the session holds which rules keep to local models.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let policy = self.harness.policy.at(self.session.clock().now_ms());
        let state = self.session.state();
        let recorded = state.kept().cloned();
        recorded.chain(keep::held(&policy, state)).collect()
    }

    /// Pauses for what all sessions together may use now, and says so once.
    fn hold_up(&mut self, at_ms: u64, reason: String) {
        let until = self.until(at_ms);
        self.pause = Some(self.pause.map_or(until, |pause| pause.min(until)));
        if self.throttled_by.as_ref() != Some(&reason) {
            self.face.show(&StreamEvent::Throttled {
                reason: reason.clone(),
                until_ms: at_ms,
            });
            self.throttled_by = Some(reason);
        }
    }

    /// Claims an amount over all sessions. Where nothing limits them, a ledger that cannot be
    /// written stops nobody.
    pub(super) async fn claim(
        &mut self,
        key: ClaimKey,
        amounts: Amounts,
    ) -> Result<Claimed, Error> {
        let Some(ledger) = self.harness.ledger.clone() else {
            return Ok(Claimed::SetAside);
        };
        let state = self.session.state();
        let limits = state.settings().map(|settings| settings.limits.clone());
        let limits = limits.unwrap_or_default();
        let claim = Claim {
            key,
            session: self.session.id(),
            project: state.roots().first().cloned().unwrap_or_default(),
            at_ms: self.session.clock().now_ms(),
            amounts,
            project_cap: limits.caps.project,
            day_cap: limits.caps.day,
            rates: limits.rates,
        };
        let is_limited = claim.is_limited();
        let at_ms = claim.at_ms;
        // Unlimited, it is an append that nobody waits for to be durable: quicker than a thread.
        let granted = if is_limited {
            blocking(move || ledger.reserve(&claim)).await
        } else {
            ledger.reserve(&claim)
        };
        match granted {
            Ok(Grant::Reserved) => Ok(Claimed::SetAside),
            Ok(Grant::Wait(wait)) => Ok(Claimed::Later {
                at_ms: wait.until_ms,
                reason: format!(
                    "waiting: all sessions may use {} tokens a {}, and this call may need {}",
                    grouped(wait.limit),
                    wait.span.name(),
                    grouped(wait.need)
                ),
            }),
            Ok(Grant::Exceeds {
                scope,
                excess,
                set_aside,
            }) => {
                // What others have set aside comes back in part when their calls are over.
                let without = excess.taken.saturating_sub(set_aside.of(excess.measure));
                if without.saturating_add(excess.need) <= excess.cap && self.may_wait_for_others() {
                    return Ok(Claimed::Later {
                        at_ms: at_ms.saturating_add(WAIT_POLL_MS),
                        reason: format!(
                            "waiting: other sessions have set aside what is left of the {} budget",
                            scope.name()
                        ),
                    });
                }
                Ok(Claimed::Never(excess.sentence(scope)))
            }
            Ok(Grant::NeverFits(never)) => Ok(Claimed::Never(never.to_string())),
            Err(error) if is_limited => Err(error.into()),
            Err(_) => Ok(Claimed::SetAside),
        }
    }

    /// Whether it is worth waiting for what others have set aside: for a while, then the turn ends.
    fn may_wait_for_others(&mut self) -> bool {
        let now = self.session.clock().elapsed();
        let since = *self.waits_for_others.get_or_insert(now);
        now.saturating_sub(since) < WAIT_FOR_OTHERS
    }

    /// The time on the clock of spans at which a time of day is reached.
    fn until(&self, at_ms: u64) -> Duration {
        let clock = self.session.clock();
        let left_ms = at_ms.saturating_sub(clock.now_ms()).max(1);
        clock.elapsed() + Duration::from_millis(left_ms)
    }

    /// Settles by evidence what earlier owners of the session claimed and did not settle, before
    /// anything is claimed anew. What fails here stays counted.
    pub(super) async fn settle_left_over(&mut self) {
        let has_had_owners = self.session.state().epoch() > Epoch(1);
        let Some(ledger) = self.harness.ledger.clone().filter(|_| has_had_owners) else {
            return;
        };
        let (session, at_ms) = (self.session.id(), self.session.clock().now_ms());
        let _stays_counted = blocking(move || ledger.reconcile_owned(session, at_ms)).await;
    }

    /// Claims a call that is to start, where a cap over all sessions counts calls; says whether it
    /// may start now. With no room left the turn ends as soon as nothing of it runs.
    pub(super) async fn claims_call(&mut self, call: CallId) -> Result<bool, Error> {
        if !self.counts_calls_over_all() {
            return Ok(true);
        }
        match self.claim(ClaimKey::Call(call), ONE_CALL).await? {
            Claimed::SetAside => Ok(true),
            Claimed::Later { at_ms, reason } => {
                self.hold_up(at_ms, reason);
                Ok(false)
            }
            Claimed::Never(detail) => {
                if !self.runs_calls() {
                    self.stage_end(StopReason::Budget, Some(detail));
                }
                Ok(false)
            }
        }
    }

    fn counts_calls_over_all(&self) -> bool {
        let settings = self.session.state().settings();
        let caps = settings.map(|settings| settings.limits.caps);
        self.harness.ledger.is_some()
            && caps.is_some_and(|caps| {
                caps.project.tool_calls.is_some() || caps.day.tool_calls.is_some()
            })
    }

    fn runs_calls(&self) -> bool {
        let step = self.session.state().step();
        let mut calls = step.into_iter().flat_map(|step| &step.calls);
        calls.any(|open| matches!(open.phase, CallPhase::Started(..)))
    }

    /// Settles the claim of a model call whose outcome is durable, and of a tool call that is
    /// started. What fails here stays counted whole until evidence settles it.
    ///
    /// Time at work is charged here, after it has passed: no other session is stopped in the middle
    /// of something by it, and what passes after the last reply of a turn counts with the next one.
    pub(super) fn settle_claim(&mut self, event: &Event) {
        let (key, charged) = match &event.fact {
            Fact::AttemptReserved(_) => {
                self.waits_for_others = None;
                self.throttled_by = None;
                return;
            }
            Fact::ModelReplied(replied) => (ClaimKey::Attempt(replied.attempt), replied.charged),
            Fact::AttemptFailed(failed) => (ClaimKey::Attempt(failed.attempt), failed.charged),
            Fact::CallStarted(started) if self.counts_calls_over_all() => {
                self.waits_for_others = None;
                self.throttled_by = None;
                (ClaimKey::Call(started.call()), Some(ONE_CALL))
            }
            _ => return,
        };
        let (Some(ledger), Some(mut charged)) = (self.harness.ledger.clone(), charged) else {
            return;
        };
        if matches!(key, ClaimKey::Attempt(_)) {
            charged.wall_ms = self.work_over_all.ms();
            self.work_over_all.counted(charged.wall_ms);
        }
        let at_ms = event.at_ms;
        // An append that nobody waits for to be durable: quicker than a thread.
        let _stays_counted = ledger.settle(key, charged, at_ms);
    }

    /// Ends the turn; says whether there was one.
    pub(super) fn stage_end(&mut self, stop: StopReason, detail: Option<String>) -> bool {
        let state = self.session.state();
        let Some(turn) = state.turn().map(|turn| turn.id) else {
            return false;
        };
        let worked_ms = self.work.ms();
        let ended = engine::end_turn(state, turn, stop, detail, worked_ms);
        self.session.stage(ended);
        self.work = Stopwatch::default();
        true
    }

    /// The time at work that the caps still allow.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let (_, left_ms) = self.tightest_time()?;
        Some(Duration::from_millis(left_ms).saturating_sub(self.work.uncounted))
    }

    /// The scope whose cap on time is reached first, and what it leaves beside what is counted.
    fn tightest_time(&self) -> Option<(CapScope, u64)> {
        let state = self.session.state();
        let limits = &state.settings()?.limits;
        let left = CapScope::OWN.into_iter().filter_map(|scope| {
            let left = limits.cap(scope).left(Measure::Wall, &state.taken(scope))?;
            Some((scope, left))
        });
        left.min_by_key(|(_, left)| *left)
    }

    /// When the time is used up while something is under way, that is stopped and the turn ends.
    pub(super) fn stage_time_out(&mut self) {
        let works = !self.acts.is_empty() || self.pause.is_some();
        if !works || self.time_left() != Some(Duration::ZERO) {
            return;
        }
        let state = self.session.state();
        let Some(turn) = state.turn().filter(|turn| turn.out_of_time.is_none()) else {
            return;
        };
        let Some((scope, _)) = self.tightest_time() else {
            return;
        };
        let limits = state.settings().map(|settings| settings.limits.cap(scope));
        let cap = limits.and_then(|cap| cap.wall_ms).unwrap_or_default();
        let detail = format!(
            "the {} budget of {} at work is used up; to go on, raise budget.{}.time",
            scope.name(),
            Measure::Wall.show(cap),
            scope.name()
        );
        let out = TimeRanOut {
            turn: turn.id,
            detail,
        };
        self.session.stage(Fact::TimeRanOut(out));
    }
}
