//! Setting budget aside before a model call, and counting time at work.

use std::time::Duration;

use bowline_core::amounts::{CapScope, Measure};
use bowline_core::engine::{self, NewAsk};
use bowline_core::event::TimeRanOut;
use bowline_core::{AttemptId, Fact, StopReason};

use super::Loop;

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
    /// Sets the worst case of the next model call aside, or ends the turn if the budget does not
    /// allow it. Says whether the state changed.
    pub(super) fn stage_ask(&mut self) -> bool {
        let attempt = AttemptId::from_uuid(self.session.clock().new_id());
        let worked_ms = self.work.ms();
        let ask = NewAsk {
            worked_ms,
            ..NewAsk::of(attempt)
        };
        match engine::reserve(self.session.state(), ask) {
            Ok(fact) => {
                self.session.stage(fact);
                self.work.counted(worked_ms);
                true
            }
            Err(overdrawn) => self.stage_end(StopReason::Budget, Some(overdrawn.to_string())),
        }
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
        let scopes = [CapScope::Turn, CapScope::Session, CapScope::Share];
        let left = scopes.into_iter().filter_map(|scope| {
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
