//! Alarms about what is far from usual: rolling baselines per model and project, robust against odd
//! samples, and what an alarm does.
//!
//! The detector is pure and cheap: it sees the facts of a session as they become durable, and holds
//! figures against the median and the scaled median deviation of a window. What was usual before
//! comes from the index; where there is none, it learns. An alarm never changes a session by itself:
//! holding it is a command like a person's. The loop never waits for any of this.

mod detector;
mod evidence;
mod hours;
mod rule;
mod seen;
mod series;
mod watch;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bowline_core::alarm::{AlarmAction, Metric};
use bowline_journal::Store;

pub use detector::{Alarm, Detector};
pub use seen::Seen;
pub(crate) use watch::{Said, Watch};

/// How many of the last samples say how things are now.
const LATELY_STEPS: usize = 8;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// What begins the words of a hold by an alarm that asks, as the session records them.
pub const ASKS: &str = "an alarm that asks whether it goes on: ";
/// What begins the words of a hold by any other alarm.
pub const HOLDS: &str = "an alarm: ";

/// How far back a baseline reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Most samples.
    pub steps: usize,
    /// Days, at most.
    pub days: u64,
    /// Fewest samples of steps that make a baseline. Turns and hours need two fifths of that.
    pub warm_up: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            steps: 200,
            days: 14,
            warm_up: 30,
        }
    }
}

impl Window {
    pub(crate) const fn span_ms(&self) -> u64 {
        self.days.saturating_mul(DAY_MS)
    }
}

/// What alarms do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmRules {
    /// The action of each metric; those that are missing are noted.
    pub actions: BTreeMap<Metric, AlarmAction>,
    /// The absolute file that lines are added to.
    pub webhook_file: Option<PathBuf>,
    /// How far back baselines reach.
    pub window: Window,
}

impl AlarmRules {
    /// What an alarm of a metric does.
    #[must_use]
    pub fn action(&self, metric: Metric) -> AlarmAction {
        self.actions.get(&metric).copied().unwrap_or_default()
    }
}

/// Alarms of a driver.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    /// What they do.
    pub rules: Arc<AlarmRules>,
    /// Where it is known what was usual; `None` where nothing was kept, so that it is learned.
    pub past: Option<Store>,
}
