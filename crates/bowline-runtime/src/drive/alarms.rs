//! Alarms while a session is driven: what they say, and holding the session for them.

use std::time::Duration;

use bowline_core::alarm::{AlarmAction, AlarmRaised};
use bowline_core::command::Ask;
use bowline_core::{Command, Event, Refusal, StreamEvent};

use super::Loop;
use crate::alarms::{ASKS, HOLDS, Said, Watch};

/// How long a session that rests waits for what was usual.
const PAST: Duration = Duration::from_millis(250);

/// Why a session is not held.
const RESTS: &str = "nothing is under way any more";

impl Loop<'_> {
    /// Begins to watch, and looks at the tools at once: a session that is to be held for one that
    /// changed is held before the model is asked.
    pub(super) fn watch_for_alarms(&mut self) {
        let Some(alarms) = &self.harness.alarms else {
            return;
        };
        let now_ms = self.session.clock().now_ms();
        self.watch = Watch::begin(alarms, self.session.id(), self.session.state(), now_ms);
        let Some(watch) = &mut self.watch else {
            return;
        };
        let said = watch.tools(&self.harness.toolbox, now_ms);
        for one in said {
            let held = self.hold_for(one);
            self.alarmed.push(held);
        }
    }

    /// Looks at an event that is durable.
    pub(super) fn look_out(&mut self, event: &Event) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        let mut said = std::mem::take(&mut self.alarmed);
        for one in watch.see(event) {
            said.push(self.hold_for(one));
        }
        self.say(said);
    }

    /// Judges what was too short for the past to be read meanwhile. Waits for it a little: the
    /// session rests.
    pub(super) async fn look_back(&mut self) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        let said = watch.read_within(PAST).await;
        let said = said.into_iter().map(|mut one| {
            if let Said::Alarm(alarm, _) = &mut one
                && alarm.action.holds()
            {
                alarm.failed = Some(RESTS.to_owned());
            }
            one
        });
        let said = said.collect();
        self.say(said);
    }

    fn say(&mut self, said: Vec<Said>) {
        for one in said {
            self.face.show(&match one {
                Said::Alarm(alarm, _) => StreamEvent::Alarm { alarm },
                Said::Unwatched(reason) => StreamEvent::Unwatched { reason },
            });
        }
    }

    /// Puts the session on hold, if that is what an alarm does.
    fn hold_for(&mut self, said: Said) -> Said {
        let Said::Alarm(mut alarm, key) = said else {
            return said;
        };
        if alarm.action.holds() {
            self.hold(&mut alarm, &key);
        }
        Said::Alarm(alarm, key)
    }

    fn hold(&mut self, alarm: &mut AlarmRaised, key: &str) {
        let state = self.session.state();
        if state.turn().is_none() && bowline_core::due(state).is_empty() {
            alarm.failed = Some(RESTS.to_owned());
            return;
        }
        let begins = match alarm.action {
            AlarmAction::Ask => ASKS,
            _ => HOLDS,
        };
        let by = format!("{begins}{}", alarm.what());
        let given = self.session.give(Command {
            key: key.to_owned(),
            at_ms: None,
            ask: Ask::Pause { by },
        });
        match given {
            // Held already is held.
            Ok(()) | Err(Refusal::PausedAlready { .. }) => {}
            // It was held for this before, and somebody let it go on.
            Err(_) => alarm.action = AlarmAction::Note,
        }
    }
}
