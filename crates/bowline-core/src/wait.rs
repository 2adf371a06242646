//! Waiting as a state: what a parked call waits for, and how a wait ends.

use serde::{Deserialize, Serialize};

use crate::action::PathFact;
use crate::context::{ContextText, Origin, caps};

/// Longest name of a wait, and so of a signal, in bytes: it is typed and listed.
pub const NAME_BYTES_MAX: usize = 100;

/// What a call waits for. Nothing runs and no process is needed while it does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Wait {
    /// Whom or what it waits for, for people: `review`, `the release build`.
    pub name: String,
    /// What that party has to do, if there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What ends the wait.
    pub until: Until,
    /// How long it waits at most, in milliseconds; `None` waits for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "until", rename_all = "snake_case")]
pub enum Until {
    /// `bowline signal SESSION NAME`, by the name of the wait.
    Signal,
    /// Some time passes.
    Elapsed {
        /// How long, in milliseconds.
        pause_ms: u64,
    },
    /// A point in time is reached.
    Time {
        /// Which, in milliseconds since 1970.
        at_ms: u64,
    },
    /// Something lies at a path.
    File {
        /// Where.
        path: PathFact,
    },
    /// A command that is run again and again exits with 0.
    Command {
        /// The text given to the shell.
        command: String,
        /// The pause between two runs, in milliseconds.
        every_ms: u64,
    },
}

/// A call that is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Park {
    /// What it waits for.
    pub wait: Wait,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// When it ends at the latest, in milliseconds since 1970: the time it waits for, or its
    /// time-out; `None` if there is neither.
    pub until_ms: Option<u64>,
    /// How often its command was run.
    pub looks: u32,
    /// What the last run said, in a line.
    pub last: Option<String>,
}

impl Wait {
    /// When a wait that begins at `now_ms` ends at the latest.
    #[must_use]
    pub fn until_ms(&self, now_ms: u64) -> Option<u64> {
        let limit = self.timeout_ms.map(|limit| now_ms.saturating_add(limit));
        let end = match self.until {
            Until::Elapsed { pause_ms } => Some(now_ms.saturating_add(pause_ms)),
            Until::Time { at_ms } => Some(at_ms),
            Until::Signal | Until::File { .. } | Until::Command { .. } => None,
        };
        match (limit, end) {
            (Some(limit), Some(end)) => Some(limit.min(end)),
            (limit, end) => limit.or(end),
        }
    }

    /// The longest a wait that ends after a span can still last, in milliseconds; `None` where a
    /// point in time or nothing bounds it. A clock that was set back cannot make it longer.
    #[must_use]
    pub fn span_ms(&self) -> Option<u64> {
        match self.until {
            Until::Elapsed { pause_ms } => Some(
                self.timeout_ms
                    .map_or(pause_ms, |limit| limit.min(pause_ms)),
            ),
            _ => self.timeout_ms,
        }
    }

    /// How it ends when its time is over.
    #[must_use]
    pub const fn end_of_time(&self, until_ms: u64) -> WaitEnd {
        match self.until {
            Until::Elapsed { .. } => WaitEnd::Arrived,
            Until::Time { at_ms } if until_ms >= at_ms => WaitEnd::Arrived,
            _ => WaitEnd::TimedOut,
        }
    }

    /// What it waits for in a few words, for people.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.until {
            Until::Signal => format!("the signal `{}`", self.name),
            Until::Elapsed { pause_ms } => format!("{} to pass", span(*pause_ms)),
            Until::Time { .. } => "a point in time".to_owned(),
            Until::File { path } => format!("the file {}", path.asked),
            Until::Command { command, .. } => {
                let line = command.lines().next().unwrap_or_default();
                format!("`{line}` to succeed")
            }
        }
    }
}

/// A span of time as people say it: `90 s`, `15 min`, `2 h`.
#[must_use]
pub fn span(span_ms: u64) -> String {
    match span_ms {
        0..1_000 => format!("{span_ms} ms"),
        1_000..120_000 => format!("{} s", span_ms / 1_000),
        120_000..7_200_000 => format!("{} min", span_ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", span_ms / 3_600_000),
        _ => format!("{} days", span_ms / 86_400_000),
    }
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitEnd {
    /// Its signal came.
    Signalled,
    /// Its time came.
    Arrived,
    /// Its file is there.
    Found,
    /// It waited as long as it was to wait at most.
    TimedOut,
    /// A person gave the agent something else to do.
    Superseded,
}

impl WaitEnd {
    /// Whether what was waited for is there.
    #[must_use]
    pub const fn is_met(self) -> bool {
        matches!(self, Self::Signalled | Self::Arrived | Self::Found)
    }
}

/// A signal that came: who sent it, and what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Who sent it, by which route.
    pub by: String,
    /// What it carries, if anything.
    pub payload: Option<ContextText>,
}

/// What the model reads when a wait ended.
pub(crate) fn told(park: &Park, how: WaitEnd, signal: Option<&Signal>) -> ContextText {
    let wait = &park.wait;
    let text = match how {
        WaitEnd::Signalled => {
            let by = signal.map_or("somebody", |signal| signal.by.as_str());
            let payload = signal.and_then(|signal| signal.payload.as_ref());
            match payload {
                Some(payload) => format!(
                    "The signal `{}` came, through {by}. It carries:\n{}",
                    wait.name,
                    payload.text()
                ),
                None => format!("The signal `{}` came, through {by}.", wait.name),
            }
        }
        WaitEnd::Arrived => "The time waited for has come.".to_owned(),
        WaitEnd::Found => match &wait.until {
            Until::File { path } => format!("The file is there: {}.", path.asked),
            _ => "What was waited for is there.".to_owned(),
        },
        WaitEnd::TimedOut => {
            let limit = wait.timeout_ms.map(span).unwrap_or_default();
            let last = park.last.as_ref();
            let last = last.map_or_else(String::new, |last| format!(" The last look said: {last}"));
            format!(
                "Gave up waiting for {} after {limit}: it did not come.{last}",
                wait.words()
            )
        }
        WaitEnd::Superseded => format!(
            "Stopped waiting for {}: a person gave you something else to do.",
            wait.words()
        ),
    };
    let origin = Origin::Tool("wait_for".to_owned());
    ContextText::admit(origin, text, caps::TOOL_RESULT_BYTES, None)
}
