//! Where a session stands apart from its conversation.

use serde::Serialize;

use super::{CallPhase, State};
use crate::action::Action;
use crate::decision::{Decision, Judged};
use crate::id::{CallId, DecisionId};
use crate::usage::StopReason;
use crate::wait::Park;

/// Where a session stands: what it does or waits for, whoever drives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Workflow {
    /// There is work, or a prompt that waits for its turn. Without a living owner it was left
    /// unfinished.
    Running,
    /// A person must decide or answer before anything else can be done.
    AwaitingDecision {
        /// The open questions, in the order of their calls.
        decisions: Vec<DecisionId>,
    },
    /// Something outside must happen before anything else can be done.
    AwaitingParty {
        /// What is waited for, in the order of the calls.
        parties: Vec<Party>,
    },
    /// A person put it on hold.
    Paused {
        /// Who, by which route.
        by: String,
    },
    /// The last turn ended.
    Ended {
        /// Why; `None` when no turn has run yet.
        stop: Option<StopReason>,
    },
}

/// What a parked call waits for, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// The parked call.
    pub call_id: CallId,
    /// Whom or what it waits for.
    pub name: String,
    /// What ends the wait, in a few words.
    pub waits_for: String,
    /// What that party has to do, if there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// When it ends at the latest, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// A call whose outcome is unknown and not yet settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// Which.
    pub call: CallId,
    /// What it would do, in a line.
    pub essence: String,
    /// Why its outcome cannot be known.
    pub why: String,
    /// When that was recorded, in milliseconds since 1970.
    pub at_ms: u64,
    /// The keeper's records of its last attempt, relative to the session's spool folder.
    #[serde(skip)]
    pub spool: Option<String>,
    #[serde(skip)]
    pub(crate) actions: Vec<Judged>,
}

impl Doubt {
    /// Whether a call with these actions would do again what may have happened already. Shell text
    /// is compared with its white space drawn together.
    #[must_use]
    pub fn is_repeated_by<'a>(&self, actions: impl IntoIterator<Item = &'a Action>) -> bool {
        let mine: Vec<Likeness<'_>> = self
            .actions
            .iter()
            .filter_map(|j| likeness(&j.action))
            .collect();
        let theirs: Vec<Likeness<'_>> = actions.into_iter().filter_map(likeness).collect();
        !mine.is_empty() && mine == theirs
    }
}

#[derive(PartialEq, Eq)]
enum Likeness<'a> {
    Run(Vec<&'a str>),
    Other(&'a Action),
}

/// What of an action counts when a repeat is looked for; reading repeats nothing.
fn likeness(action: &Action) -> Option<Likeness<'_>> {
    match action {
        Action::Run { command, .. } => Some(Likeness::Run(command.split_whitespace().collect())),
        Action::ReadPath { .. }
        | Action::Note
        | Action::AskPerson { .. }
        | Action::AwaitParty { .. } => None,
        other => Some(Likeness::Other(other)),
    }
}

impl Party {
    /// What is waited for, in a line.
    #[must_use]
    pub fn line(&self) -> String {
        if self.name == self.waits_for {
            self.name.clone()
        } else {
            format!("{} ({})", self.name, self.waits_for)
        }
    }

    fn of(call: CallId, park: &Park) -> Self {
        Self {
            call_id: call,
            name: park.wait.name.clone(),
            waits_for: park.wait.words(),
            instructions: park.wait.instructions.clone(),
            since_ms: park.since_ms,
            until_ms: park.until_ms,
        }
    }
}

impl State {
    /// Where the session stands.
    #[must_use]
    pub fn workflow(&self) -> Workflow {
        if let Some(by) = &self.paused_by {
            return Workflow::Paused { by: by.clone() };
        }
        let work = crate::due(self);
        if let [crate::Work::Wait { decisions, parked }] = &work[..] {
            return if decisions.is_empty() {
                let parties = self
                    .parties()
                    .filter(|party| parked.contains(&party.call_id));
                Workflow::AwaitingParty {
                    parties: parties.collect(),
                }
            } else {
                Workflow::AwaitingDecision {
                    decisions: decisions.clone(),
                }
            };
        }
        if self.turn.is_some() || !work.is_empty() {
            return Workflow::Running;
        }
        Workflow::Ended {
            stop: self.last_stop.as_ref().map(|(stop, _)| *stop),
        }
    }

    /// What parked calls wait for, in the order of the calls.
    pub fn parties(&self) -> impl Iterator<Item = Party> {
        self.parked().map(|(call, _, park)| Party::of(call, park))
    }

    /// Parked calls with what allowed them and what they wait for, in order.
    pub fn parked(&self) -> impl Iterator<Item = (CallId, &Decision, &Park)> {
        let calls = self.step.iter().flat_map(|step| &step.calls);
        calls.filter_map(|open| match (&open.phase, &open.park) {
            (CallPhase::Parked(decision), Some(park)) => {
                Some((open.call.id, decision.as_ref(), park.as_ref()))
            }
            _ => None,
        })
    }

    /// Who put the session on hold, if somebody did.
    #[must_use]
    pub fn paused_by(&self) -> Option<&str> {
        self.paused_by.as_deref()
    }

    /// Whether a signal of this name came that no wait has taken yet.
    #[must_use]
    pub fn holds_signal(&self, name: &str) -> bool {
        self.signals.contains_key(name)
    }

    /// The unsettled call that a call with these actions would repeat.
    pub fn repeated<'a>(
        &self,
        actions: impl IntoIterator<Item = &'a Action> + Clone,
    ) -> Option<&Doubt> {
        self.in_doubt
            .iter()
            .find(|doubt| doubt.is_repeated_by(actions.clone()))
    }
}
