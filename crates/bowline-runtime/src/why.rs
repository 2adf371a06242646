//! Why a session ended, waits or broke: a fold of its journal and of the system log.
//!
//! Pure: everything that is looked at comes in as [`Evidence`]. Every statement names the records
//! that it rests on, and what should be recorded and is not is said, too.

mod cause;
mod next;
mod outstanding;
mod story;
#[cfg(test)]
mod tests;

use bowline_core::{CallId, Seq, SessionId, State, SystemFact};
use bowline_journal::{Held, Recorded, SystemLog, SystemRecorded};
use serde::Serialize;

use story::Story;

/// Everything that is known about a session from outside.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The session.
    pub session: SessionId,
    /// The intact events of its journal.
    pub events: &'a [Recorded],
    /// What is wrong with its journal, if something is.
    pub damage: Option<String>,
    /// The last record that is known to be synced; 0 when nothing vouches for any.
    pub synced_seq: Seq,
    /// Bytes at its end that were never acknowledged.
    pub torn_bytes: u64,
    /// Who owns it right now.
    pub owner: Option<Held>,
    /// Whether commands wait in its mailbox.
    pub has_letters: bool,
    /// The system log.
    pub system: &'a SystemLog,
    /// Why the state folder cannot be written, if it cannot.
    pub folder: Option<String>,
    /// The call that was asked about, if one was.
    pub call: Option<CallId>,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A process drives it right now.
    Running,
    /// It waits for a person, or for something outside.
    Waiting,
    /// A person put it on hold.
    Paused,
    /// Its last turn ended; the process said so.
    Ended,
    /// Its process ended without a word.
    Killed,
    /// A part of Bowline broke.
    Crashed,
    /// State could not be written or read.
    StorageFailed,
    /// Its journal is damaged.
    Damaged,
    /// A turn was left unfinished.
    Unfinished,
    /// No turn has run yet.
    New,
}

impl Standing {
    /// The name in JSON and on the page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Killed => "killed",
            Self::Crashed => "crashed",
            Self::StorageFailed => "storage_failed",
            Self::Damaged => "damaged",
            Self::Unfinished => "unfinished",
            Self::New => "new",
        }
    }
}

/// A sentence or two, and the records that they rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What is stated.
    pub text: String,
    /// Such as `journal #12 AttemptFailed`, `system log #3 ProviderFailed`, `lock`.
    pub sources: Vec<String>,
}

/// The last event that is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastEvent {
    /// Its place in the journal.
    pub seq: Seq,
    /// Its kind.
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The first 12 digits of the chain's hash up to and including it.
    pub hash: String,
}

/// What a person can do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextStep {
    /// What it is good for.
    pub text: String,
    /// The command, exactly; `None` when it is no command of Bowline.
    pub command: Option<String>,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The session.
    pub session: SessionId,
    /// Where it stands.
    pub standing: Standing,
    /// Why its last turn ended, as recorded; `None` while it is not over.
    pub stop_reason: Option<bowline_core::StopReason>,
    /// The absolute folder it works in.
    pub cwd: String,
    /// The model in force.
    pub model: Option<String>,
    /// The mode in force.
    pub mode: Option<bowline_core::Mode>,
    /// What it was doing.
    pub doing: Vec<Statement>,
    /// Why it stands where it stands.
    pub cause: Vec<Statement>,
    /// The last durable event.
    pub last_event: Option<LastEvent>,
    /// What its next owner would have to do, in order.
    pub outstanding: Vec<String>,
    /// What to do next.
    pub next: Vec<NextStep>,
    /// What should be recorded and is not.
    pub missing: Vec<String>,
    /// The call that was asked about, step by step.
    pub call: Vec<Statement>,
    /// What the system log says about its last run.
    pub system: Vec<SystemLine>,
}

/// A system event on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemLine {
    /// Its place in the system log.
    pub seq: Seq,
    /// The event.
    pub event: bowline_core::SystemEvent,
}

/// Makes the page.
#[must_use]
pub fn why(evidence: &Evidence<'_>) -> Why {
    let story = Story::of(evidence.events);
    let run = Run::last(evidence);
    let state = &story.state;
    let verdict = cause::find(evidence, &story, &run);
    let settings = state.settings();
    Why {
        session: evidence.session,
        standing: verdict.standing,
        stop_reason: state.last_stop().map(|(stop, _)| stop),
        cwd: state.cwd().to_owned(),
        model: settings.map(|settings| settings.model.to_string()),
        mode: settings.map(|settings| settings.mode),
        doing: story.doing(),
        last_event: last_durable(evidence).map(|recorded| LastEvent {
            seq: recorded.receipt.seq,
            kind: recorded.event.fact.kind(),
            at_ms: recorded.event.at_ms,
            hash: recorded.receipt.hash.to_hex()[..12].to_owned(),
        }),
        outstanding: outstanding::of(evidence, &story),
        next: next::steps(evidence, &story, &run, &verdict),
        cause: verdict.cause,
        missing: verdict.missing,
        call: evidence.call.map_or(Vec::new(), |call| story.of_call(call)),
        system: run
            .events
            .iter()
            .map(|recorded| SystemLine {
                seq: recorded.receipt.seq,
                event: recorded.event.clone(),
            })
            .collect(),
    }
}

/// The last event that is known to be durable; the last one if nothing is known.
fn last_durable<'a>(evidence: &Evidence<'a>) -> Option<&'a Recorded> {
    let known = |recorded: &&Recorded| {
        evidence.synced_seq == Seq(0) || recorded.receipt.seq <= evidence.synced_seq
    };
    evidence.events.iter().rev().find(known)
}

/// The last run of the session, as the system log knows it.
struct Run<'a> {
    events: Vec<&'a SystemRecorded>,
    /// An earlier run of the session that was found to have ended badly, by whichever run.
    ends: Vec<&'a SystemRecorded>,
}

impl<'a> Run<'a> {
    fn last(evidence: &Evidence<'a>) -> Self {
        let about = |one: &&SystemRecorded| one.event.session == Some(evidence.session);
        let is_end = |one: &&SystemRecorded| matches!(one.event.fact, SystemFact::EndFound(_));
        let all: Vec<&SystemRecorded> = evidence.system.events.iter().filter(about).collect();
        let ends = all.iter().copied().filter(is_end).collect();
        let last = all.iter().rev().find(|one| !is_end(one));
        let run = last.map(|one| one.event.run);
        let events = all
            .iter()
            .copied()
            .filter(|one| Some(one.event.run) == run && !is_end(one))
            .collect();
        Self { events, ends }
    }

    /// The last event of the run for which `take` gives something.
    fn find<T>(
        &self,
        take: impl Fn(&'a SystemFact) -> Option<T>,
    ) -> Option<(&'a SystemRecorded, T)> {
        self.events
            .iter()
            .rev()
            .find_map(|one| Some((*one, take(&one.event.fact)?)))
    }
}

/// How a system event is named as a source.
fn system_source(recorded: &SystemRecorded) -> String {
    format!(
        "system log #{} {}",
        recorded.receipt.seq,
        recorded.event.fact.kind()
    )
}

/// How an event of the journal is named as a source.
fn journal_source(recorded: &Recorded) -> String {
    format!(
        "journal #{} {}",
        recorded.receipt.seq,
        recorded.event.fact.kind()
    )
}

/// The state as its next owner would find it, having just taken over.
#[must_use]
pub fn taken_over(state: &State) -> State {
    use bowline_core::event::OwnerChanged;
    let owner = OwnerChanged {
        epoch: state.epoch().next(),
        pid: 0,
        app_version: String::new(),
    };
    let event = bowline_core::Event::new(0, bowline_core::Fact::OwnerChanged(owner));
    bowline_core::apply(state.clone(), &event)
}
