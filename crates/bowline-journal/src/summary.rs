//! What a list shows of one session.

use bowline_core::apply;
use bowline_core::{
    Epoch, Event, Fact, Mode, ModelRef, Origin, SessionId, State, StopReason, Usage,
};
use serde::Serialize;

use crate::read::{Intact, Recorded};
use crate::record::{Chain, Head};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No turn has run yet.
    New,
    /// A turn is running, or was left unfinished.
    Unfinished,
    /// Something waits for a person, or for something outside.
    Waiting,
    /// A person put it on hold.
    Paused,
    /// The last turn ended.
    #[serde(untagged)]
    Ended(StopReason),
}

impl Status {
    /// The name used in lists and in the index.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unfinished => "unfinished",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Ended(stop) => stop.name(),
        }
    }

    /// Reads a name; `None` for an unknown one.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "new" => Some(Self::New),
            "unfinished" => Some(Self::Unfinished),
            "waiting" => Some(Self::Waiting),
            "paused" => Some(Self::Paused),
            other => {
                let stop = serde_json::Value::String(other.to_owned());
                serde_json::from_value(stop).ok().map(Self::Ended)
            }
        }
    }

    fn of(state: &State) -> Self {
        if state.paused_by().is_some() {
            return Self::Paused;
        }
        if state.waiting().next().is_some() || state.parked().next().is_some() {
            return Self::Waiting;
        }
        match (state.turn(), state.last_stop()) {
            (Some(_), _) => Self::Unfinished,
            (None, Some((stop, _))) => Self::Ended(stop),
            (None, None) => Self::New,
        }
    }
}

/// One session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub session: SessionId,
    /// The absolute folder it works in.
    pub cwd: String,
    /// The first line of its first prompt, at most 80 characters; empty before there is one.
    pub title: String,
    /// The model in force.
    pub model: ModelRef,
    /// The mode in force.
    pub mode: Mode,
    /// Where it stands.
    pub status: Status,
    /// Model calls it has had.
    pub steps: u32,
    /// Tokens it has used.
    pub usage: Usage,
    /// Open questions, and what is waited for outside.
    pub waiting: u32,
    /// Calls whose outcome is unknown.
    pub in_doubt: u32,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// When its last event happened, in milliseconds since 1970.
    pub updated_ms: u64,
    /// Its last record.
    pub last: Head,
    /// The epoch in force.
    pub epoch: Epoch,
    /// The size of its journal.
    pub journal_bytes: u64,
    /// Why it cannot be opened, if its journal is damaged; the rest speaks of what is intact.
    pub damage: Option<String>,
}

/// What a summary needs of events and the state does not keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) started_ms: u64,
    pub(crate) updated_ms: u64,
    pub(crate) title: String,
}

impl Notes {
    /// Takes note of one event.
    pub(crate) fn note(&mut self, event: &Event) {
        self.updated_ms = event.at_ms;
        match &event.fact {
            Fact::SessionStarted(_) => self.started_ms = event.at_ms,
            Fact::PromptAccepted(prompt)
                if self.title.is_empty() && *prompt.text.origin() == Origin::Person =>
            {
                self.title = title(prompt.text.text());
            }
            _ => {}
        }
    }
}

/// The first line that says something, cut to what fits a list.
fn title(text: &str) -> String {
    const MOST_CHARS: usize = 80;
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let mut title: String = line.chars().take(MOST_CHARS).collect();
    if line.chars().nth(MOST_CHARS).is_some() {
        title.pop();
        title.push('…');
    }
    title
}

impl Summary {
    /// Sums up a session that has begun; `None` for one that has not.
    pub(crate) fn of(
        state: &State,
        notes: &Notes,
        end: &Chain,
        journal_bytes: u64,
    ) -> Option<Self> {
        let settings = state.settings()?;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Self {
            session: end.session,
            cwd: state.cwd().to_owned(),
            title: notes.title.clone(),
            model: settings.model.clone(),
            mode: settings.mode,
            status: Status::of(state),
            steps: state.steps(),
            usage: state.ledger().usage,
            waiting: count(state.waiting().count() + state.parked().count()),
            in_doubt: count(state.in_doubt().len()),
            started_ms: notes.started_ms,
            updated_ms: notes.updated_ms,
            last: Head {
                seq: end.seq,
                hash: end.hash,
            },
            epoch: end.epoch,
            journal_bytes,
            damage: None,
        })
    }

    /// Sums up a whole journal.
    pub(crate) fn of_journal(intact: &Intact) -> Option<Self> {
        let mut notes = Notes::default();
        let fold = |state, recorded: &Recorded| {
            notes.note(&recorded.event);
            apply(state, &recorded.event)
        };
        let state = intact.events.iter().fold(State::new(), fold);
        let mut summary = Self::of(&state, &notes, &intact.end, intact.end_bytes)?;
        summary.damage = intact.finding.as_ref().map(ToString::to_string);
        Some(summary)
    }
}
