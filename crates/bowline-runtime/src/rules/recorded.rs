//! Calls as they were judged, from the journals: what other rules would have said of them.

use std::collections::HashMap;
use std::rc::Rc;

use bowline_core::decision::{DecidedBy, Judged, JudgedTool};
use bowline_core::{Action, Decision, DecisionId, Digest, Fact, PolicyRecord, SessionId, Verdict};
use bowline_journal::Recorded;
use bowline_policy::{
    ANALYSER_VERSION, Judgement, Policy, Recorded as Looked, Surroundings, ToolFacts, decide,
};

use crate::keep;

/// One call that was judged, with everything that judges it again.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    /// The session it was made in.
    pub session: SessionId,
    /// When it was judged, in milliseconds since 1970.
    pub at_ms: u64,
    /// The decision as recorded.
    pub decision: Box<Decision>,
    /// The policy of then.
    pub policy: Rc<PolicyRecord>,
    /// The tool as it was known then.
    pub tool: JudgedTool,
    /// The folder that the session works in.
    pub cwd: Rc<str>,
    /// What a person answered, if it was asked and answered.
    pub answer: Option<Verdict>,
}

/// One decision that cannot be judged again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Which.
    pub decision: DecisionId,
    /// What the call would have done, in a line.
    pub essence: String,
    /// Why.
    pub why: UnknownWhy,
}

/// Why a decision cannot be judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWhy {
    /// The version that took it did not record what judges it again.
    NotRecorded,
    /// Another version of the analysis took it, and this one reads the same call otherwise.
    ReadOtherwise,
}

impl UnknownWhy {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotRecorded => "recorded by an earlier version, without what judges it again",
            Self::ReadOtherwise => "judged otherwise by this version even under the rules of then",
        }
    }
}

/// What the journals hold of judged calls.
#[derive(Debug, Default)]
pub struct Calls {
    /// Those that can be judged again, in the order read.
    pub calls: Vec<RecordedCall>,
    /// Those that cannot.
    pub unknown: Vec<Unknown>,
}

impl Calls {
    /// Takes in the events of a session, of which decisions from `since_ms` on count.
    pub fn add(&mut self, session: SessionId, events: &[Recorded], since_ms: u64) {
        let mut policies: HashMap<Digest, Rc<PolicyRecord>> = HashMap::new();
        let mut places: HashMap<DecisionId, usize> = HashMap::new();
        let mut cwd: Rc<str> = Rc::from("");
        for recorded in events {
            match &recorded.event.fact {
                Fact::SessionStarted(started) => cwd = Rc::from(started.cwd.as_str()),
                Fact::SessionAdopted(adopted) => cwd = Rc::from(adopted.cwd.as_str()),
                Fact::PolicyRecorded(recorded) => {
                    let policy = Rc::new(recorded.policy.clone());
                    policies.insert(recorded.hash, policy);
                }
                Fact::Decided(decided) if recorded.event.at_ms >= since_ms => {
                    let decision = &decided.decision;
                    let found = known(decision, &policies);
                    let Some((policy, tool)) = found else {
                        self.unknown.push(Unknown {
                            decision: decision.id,
                            essence: decision.essence.clone(),
                            why: UnknownWhy::NotRecorded,
                        });
                        continue;
                    };
                    places.insert(decision.id, self.calls.len());
                    self.calls.push(RecordedCall {
                        session,
                        at_ms: recorded.event.at_ms,
                        decision: Box::new(decision.clone()),
                        policy,
                        tool,
                        cwd: Rc::clone(&cwd),
                        answer: None,
                    });
                }
                Fact::DecisionAnswered(answered) => {
                    let place = places.get(&answered.decision);
                    if let Some(call) = place.and_then(|at| self.calls.get_mut(*at)) {
                        call.answer = Some(answered.verdict);
                    }
                }
                _ => {}
            }
        }
    }
}

fn known(
    decision: &Decision,
    policies: &HashMap<Digest, Rc<PolicyRecord>>,
) -> Option<(Rc<PolicyRecord>, JudgedTool)> {
    let policy = policies.get(&decision.policy_hash)?;
    Some((Rc::clone(policy), decision.tool.clone()?))
}

impl RecordedCall {
    /// What rules and mode said of it then: the strictest of its actions. An answer, a grant or a
    /// call in doubt may have made something else of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.decision.actions.iter().map(|one| one.verdict);
        verdicts.max().unwrap_or(self.decision.verdict)
    }

    /// Whether a person was asked about it.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        self.decision.verdict == Verdict::Ask && self.decision.by == DecidedBy::Policy
    }

    /// Judges it again, under another policy, by what was recorded alone.
    #[must_use]
    pub fn judge(&self, policy: &Policy) -> Judgement {
        judge_again(policy, &self.tool, &self.decision, &self.cwd)
    }

    /// Whether this version judges it under the policy of then as it was judged then.
    #[must_use]
    pub fn is_judged_the_same(&self, then: &Policy) -> bool {
        self.decision.analyser_version == ANALYSER_VERSION
            && self.judge(then).verdict == self.verdict()
    }
}

/// Judges a recorded decision again, under another policy, by what was recorded alone. `cwd` is the
/// absolute folder that its session works in.
#[must_use]
pub fn judge_again(
    policy: &Policy,
    tool: &JudgedTool,
    decision: &Decision,
    cwd: &str,
) -> Judgement {
    let facts = ToolFacts {
        name: &tool.name,
        risk: tool.risk,
        tier: tool.tier,
    };
    let looked = Looked(&decision.looked);
    let cx = Surroundings {
        outside: decision.outside.as_deref(),
        recipient: keep::recorded(decision),
        ..Surroundings::new(cwd, &looked)
    };
    decide(policy, facts, &planned(decision), decision.on_ask, &cx)
}

/// What a call was planned to do: the parts of a shell command are found again.
fn planned(decision: &Decision) -> Vec<Action> {
    let whole = decision.actions.iter().filter(|one| one.segment.is_none());
    let whole: Vec<&Judged> = whole.collect();
    // A call that declares nothing is recorded as taking a note.
    if let [one] = whole.as_slice()
        && one.action == Action::Note
    {
        let mut sources = one.runner_up.iter().chain([&one.rule]);
        let is_undeclared = sources.any(|source| source.rule == "undeclared");
        if is_undeclared {
            return Vec::new();
        }
    }
    whole.into_iter().map(|one| one.action.clone()).collect()
}
