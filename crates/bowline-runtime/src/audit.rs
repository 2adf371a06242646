//! Decisions as objects: what was decided, under which policy, what it led to, and whether it would
//! be decided so again.
//!
//! Pure: everything comes from the events of a journal. Nothing is looked at, so that a record says
//! the same on every machine and on every day.

mod again;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use bowline_core::{
    CallId, Decision, DecisionId, Digest, Fact, PolicyRecord, Seq, SessionId, ToolCall, Verdict,
};
use bowline_journal::Recorded;
use serde::Serialize;

pub use again::{Again, Difference, Reevaluated, reevaluate, told};

/// One recorded decision with everything that the journal knows of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// The session.
    pub session: SessionId,
    /// Where the decision lies in its journal.
    pub seq: Seq,
    /// When it was taken, in milliseconds since 1970.
    pub at_ms: u64,
    /// The call that it is about.
    pub call: CallId,
    /// The tool that was called.
    pub tool: String,
    /// What it was called with, as the model wrote it.
    pub arguments: String,
    /// The folder that the session works in.
    pub cwd: String,
    /// The decision as recorded.
    pub decision: Decision,
    /// The policy it was taken under; `None` where the journal does not hold it, as in those of
    /// earlier versions.
    pub policy: Option<PolicyRecord>,
    /// What became of it, in order.
    pub led_to: Vec<LedTo>,
}

/// Something that a decision led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedTo {
    /// Where it is recorded.
    pub seq: Seq,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The kind of event.
    pub event: &'static str,
    /// It in a few words.
    pub what: String,
}

/// Every decision of a journal, in order.
#[must_use]
pub fn cases(events: &[Recorded]) -> Vec<Case> {
    let mut reader = Reader::default();
    for recorded in events {
        reader.take(recorded);
    }
    reader.cases
}

/// The decision with this id.
#[must_use]
pub fn case(events: &[Recorded], id: DecisionId) -> Option<Case> {
    let mut all = cases(events).into_iter();
    all.find(|case| case.decision.id == id)
}

/// What is read of a journal on the way.
#[derive(Default)]
struct Reader {
    cases: Vec<Case>,
    cwd: String,
    calls: HashMap<CallId, ToolCall>,
    policies: BTreeMap<Digest, PolicyRecord>,
    /// The last decision about each call.
    of_call: HashMap<CallId, usize>,
    of_decision: HashMap<DecisionId, usize>,
}

impl Reader {
    fn take(&mut self, recorded: &Recorded) {
        match &recorded.event.fact {
            Fact::SessionStarted(started) => self.cwd.clone_from(&started.cwd),
            Fact::SessionAdopted(adopted) => self.cwd.clone_from(&adopted.cwd),
            Fact::ModelReplied(replied) => {
                let calls = replied.message.calls();
                self.calls.extend(calls.map(|call| (call.id, call.clone())));
            }
            Fact::PolicyRecorded(policy) => {
                self.policies.insert(policy.hash, policy.policy.clone());
            }
            Fact::Decided(decided) => {
                let id = decided.decision.id;
                let what = format!("it was judged again, as {}", id.short());
                self.note_call(decided.call, recorded, what);
                self.of_call.insert(decided.call, self.cases.len());
                self.of_decision.insert(id, self.cases.len());
                let call = self.calls.get(&decided.call);
                self.cases.push(Case {
                    session: recorded.receipt.session,
                    seq: recorded.receipt.seq,
                    at_ms: recorded.event.at_ms,
                    call: decided.call,
                    tool: call.map(|call| call.name.clone()).unwrap_or_default(),
                    arguments: call.map(|call| call.arguments.clone()).unwrap_or_default(),
                    cwd: self.cwd.clone(),
                    policy: self.policies.get(&decided.decision.policy_hash).cloned(),
                    decision: decided.decision.clone(),
                    led_to: Vec::new(),
                });
            }
            fact => self.follow(fact, recorded),
        }
    }

    /// What an event says about a decision or a call that was decided about.
    fn follow(&mut self, fact: &Fact, recorded: &Recorded) {
        match fact {
            Fact::DecisionAnswered(it) => {
                let word = match it.verdict {
                    Verdict::Allow => "allowed",
                    Verdict::Ask | Verdict::Deny => "denied",
                };
                let note = it.note.as_ref().map(|note| format!(": {note}"));
                let what = format!("{word} by {}{}", it.by, note.unwrap_or_default());
                self.note_decision(it.decision, recorded, what);
            }
            Fact::QuestionAnswered(it) => {
                let what = format!("answered by {}: {}", it.by, it.answer.text());
                self.note_decision(it.decision, recorded, what);
            }
            Fact::DecisionLapsed(it) => {
                let what = "lapsed: nobody answered in time".to_owned();
                self.note_decision(it.decision, recorded, what);
            }
            Fact::CallStarted(it) => {
                let what = format!("started, try {}", it.try_number());
                self.note_call(it.call(), recorded, what);
            }
            Fact::CallFinished(it) => {
                let found = if it.found {
                    ", found after a crash"
                } else {
                    ""
                };
                let what = format!("ended: {}{found}", it.outcome.summary);
                self.note_call(it.call, recorded, what);
                for connection in &it.outcome.effect.connections {
                    self.note_call(it.call, recorded, connection.words());
                }
            }
            Fact::CallFailed(it) => {
                let what = format!("failed: {}", it.error.text());
                self.note_call(it.call, recorded, what);
            }
            Fact::CallInDoubt(it) => {
                let what = format!("in doubt: {}", it.why);
                self.note_call(it.call, recorded, what);
            }
            Fact::CallFoundUnstarted(it) => {
                let what = format!("found never to have begun: {}", it.proof);
                self.note_call(it.call, recorded, what);
            }
            Fact::CallParked(it) => self.note_call(it.call, recorded, "waits".to_owned()),
            Fact::WaitEnded(it) => {
                self.note_call(it.call, recorded, it.told.text().to_owned());
            }
            Fact::CallSettled(it) => {
                self.note_call(it.call, recorded, "settled by a person".to_owned());
            }
            _ => {}
        }
    }

    fn note_call(&mut self, call: CallId, recorded: &Recorded, what: String) {
        if let Some(at) = self.of_call.get(&call) {
            self.note(*at, recorded, what);
        }
    }

    fn note_decision(&mut self, id: DecisionId, recorded: &Recorded, what: String) {
        if let Some(at) = self.of_decision.get(&id) {
            self.note(*at, recorded, what);
        }
    }

    fn note(&mut self, at: usize, recorded: &Recorded, what: String) {
        let what = what.lines().next().unwrap_or_default().to_owned();
        if let Some(case) = self.cases.get_mut(at) {
            case.led_to.push(LedTo {
                seq: recorded.receipt.seq,
                at_ms: recorded.event.at_ms,
                event: recorded.event.fact.kind(),
                what,
            });
        }
    }
}
