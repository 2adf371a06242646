//! Keys of alarms: what each does, how far back a baseline reaches.

use std::path::PathBuf;

use bowline_core::alarm::Metric;

use super::keys::{KeySpec, Kind, ProjectUse};
use super::layers::Effective;
use crate::alarms::{AlarmRules, Window};

/// Actions, the strictest first.
const ACTIONS: &[&str] = &["pause", "ask", "webhook_file", "note"];

/// The key of what an alarm does: a project's file can only make it stricter.
pub(super) const fn action(name: &'static str, help: &'static str) -> KeySpec {
    choice(name, ACTIONS, "note", help)
}

/// The key that switches alarms on and off.
pub(super) const fn switch(name: &'static str, help: &'static str) -> KeySpec {
    choice(name, &["true", "false"], "true", help)
}

const fn choice(
    name: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    help: &'static str,
) -> KeySpec {
    KeySpec {
        name,
        kind: Kind::Choice(words),
        default: Some(default),
        project: ProjectUse::OnlyTightens,
        help,
    }
}

/// The key of a number of samples or days.
pub(super) const fn window(
    name: &'static str,
    (min, max): (u64, u64),
    default: &'static str,
    help: &'static str,
) -> KeySpec {
    KeySpec {
        name,
        kind: Kind::Whole { min, max },
        default: Some(default),
        project: ProjectUse::Never,
        help,
    }
}

impl Effective {
    /// What alarms do; `None` where they are switched off.
    ///
    /// # Errors
    /// What is wrong with them together, in one line.
    pub fn alarms(&self) -> Result<Option<AlarmRules>, String> {
        if self.text("alarms.enabled") == Some("false") {
            return Ok(None);
        }
        let mut rules = AlarmRules::default();
        for metric in Metric::ALL {
            let key = format!("alarms.{}", metric.name());
            if let Some(text) = self.text(&key) {
                rules.actions.insert(metric, text.parse()?);
            }
        }
        rules.webhook_file = self.text("alarms.webhook_file").map(PathBuf::from);
        match &rules.webhook_file {
            Some(path) if !path.is_absolute() => {
                let path = path.display();
                return Err(format!(
                    "alarms.webhook_file is {path}: give an absolute path"
                ));
            }
            _ => {}
        }
        let usual = Window::default();
        let whole = |key| self.whole(key);
        rules.window = Window {
            steps: whole("alarms.window_steps")
                .and_then(|steps| usize::try_from(steps).ok())
                .unwrap_or(usual.steps),
            days: whole("alarms.window_days").unwrap_or(usual.days),
            warm_up: whole("alarms.warm_up").unwrap_or(usual.warm_up),
        };
        Ok(Some(rules))
    }
}
