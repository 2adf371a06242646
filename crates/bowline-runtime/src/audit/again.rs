//! A decision taken again from its record: the recorded policy, the planned actions, what was
//! looked at then. The disk, the clock and today's configuration have no say.

use bowline_core::decision::{DecidedBy, Judged, RuleSource};
use bowline_core::{Action, Decision, PolicyRecord, Verdict};
use bowline_policy::{
    ANALYSER_VERSION, Judgement, Policy, Recorded, Surroundings, ToolFacts, decide, policy_hash,
    settle,
};
use serde::Serialize;

use super::Case;
use crate::keep;

/// What came of taking a decision again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// The same verdict, and for every action the same rule.
    Same,
    /// Something differs.
    Different,
    /// The record does not hold what is needed.
    NotRecorded,
}

/// One way in which a decision taken again differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs: `verdict`, `rule`, `action`, `call`, `policy`.
    pub what: &'static str,
    /// What about, in a few words.
    pub of: String,
    /// As recorded.
    pub recorded: String,
    /// As it is decided now.
    pub now: String,
}

/// A decision taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reevaluated {
    /// Whether it is the same.
    pub again: Again,
    /// Why it cannot be taken again, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The recorded verdict.
    pub recorded_verdict: Verdict,
    /// The verdict now; `None` where it cannot be taken again.
    pub verdict: Option<Verdict>,
    /// The reason now.
    pub reason: Option<String>,
    /// Each action as it is judged now.
    pub judged: Vec<Judged>,
    /// The version of the code that judged then.
    pub recorded_analyser: u32,
    /// The version of the code that judges now.
    pub analyser: u32,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Takes a recorded decision again.
#[must_use]
pub fn reevaluate(case: &Case) -> Reevaluated {
    let decision = &case.decision;
    let mut found = Reevaluated {
        again: Again::NotRecorded,
        why: None,
        recorded_verdict: decision.verdict,
        verdict: None,
        reason: None,
        judged: Vec::new(),
        recorded_analyser: decision.analyser_version,
        analyser: ANALYSER_VERSION,
        differences: Vec::new(),
    };
    let judgement = match judge_again(case, &mut found.differences) {
        Ok(judgement) => judgement,
        Err(why) => {
            found.why = Some(why);
            return found;
        }
    };
    let (verdict, reason) = settled(decision, &judgement);
    if verdict != decision.verdict {
        found.differences.push(Difference {
            what: "verdict",
            of: decision.essence.clone(),
            recorded: decision.verdict.name().to_owned(),
            now: verdict.name().to_owned(),
        });
    }
    compare(&decision.actions, &judgement.judged, &mut found.differences);
    found.again = match found.differences.as_slice() {
        [] => Again::Same,
        _ => Again::Different,
    };
    found.verdict = Some(verdict);
    found.reason = Some(reason);
    found.judged = judgement.judged;
    found
}

/// Judges the recorded call under the recorded policy.
fn judge_again(case: &Case, differences: &mut Vec<Difference>) -> Result<Judgement, String> {
    let decision = &case.decision;
    let early = "it was recorded by an earlier version, which did not keep";
    let Some(tool) = &decision.tool else {
        return Err(format!("{early} what it knew of the tool"));
    };
    let Some(record) = &case.policy else {
        return Err(format!("{early} the policy in force"));
    };
    let policy = policy_of(record, decision, differences)?;
    differences.extend(other_call(case, &tool.name));
    let facts = ToolFacts {
        name: &tool.name,
        risk: tool.risk,
        tier: tool.tier,
    };
    // What a shell command was found to consist of is found again.
    let planned = decision.actions.iter();
    let planned = planned.filter(|judged| judged.segment.is_none());
    let planned: Vec<Action> = planned.map(|judged| judged.action.clone()).collect();
    let looked = Recorded(&decision.looked);
    let cx = Surroundings {
        outside: decision.outside.as_deref(),
        recipient: keep::recorded(decision),
        ..Surroundings::new(&case.cwd, &looked)
    };
    let judgement = decide(&policy, facts, &planned, decision.on_ask, &cx);
    // A tool that declares nothing is judged by its risk, and recorded as taking a note.
    if planned == [Action::Note] && judgement.judged != decision.actions {
        let undeclared = decide(&policy, facts, &[], decision.on_ask, &cx);
        if undeclared.judged == decision.actions {
            return Ok(undeclared);
        }
    }
    Ok(judgement)
}

fn policy_of(
    record: &PolicyRecord,
    decision: &Decision,
    differences: &mut Vec<Difference>,
) -> Result<Policy, String> {
    let policy = Policy::of_record(record)
        .map_err(|error| format!("a rule of its policy is not understood any more: {error}"))?;
    let hash = policy_hash(&policy);
    if hash != decision.policy_hash {
        differences.push(Difference {
            what: "policy",
            of: "the hash of the policy".to_owned(),
            recorded: decision.policy_hash.to_hex(),
            now: hash.to_hex(),
        });
    }
    Ok(policy)
}

/// Whether the journal's call is another than the one that was decided about.
fn other_call(case: &Case, tool: &str) -> Option<Difference> {
    let other = |of: &str, recorded: &str, now: &str| Difference {
        what: "call",
        of: of.to_owned(),
        recorded: recorded.to_owned(),
        now: now.to_owned(),
    };
    if case.tool != tool {
        return Some(other("the tool that was called", tool, &case.tool));
    }
    let arguments: serde_json::Value = serde_json::from_str(&case.arguments).unwrap_or_default();
    case.decision.actions.iter().find_map(|judged| {
        let Action::Run { command, .. } = &judged.action else {
            return None;
        };
        let mut given = arguments.as_object()?.values();
        let is_given = given.any(|value| value.as_str() == Some(command));
        (!is_given).then(|| other("the command that was given", command, &case.arguments))
    })
}

/// What an earlier grant and a call in doubt made of a verdict.
fn settled(decision: &Decision, judgement: &Judgement) -> (Verdict, String) {
    let mut verdict = judgement.verdict;
    if verdict == Verdict::Ask && matches!(decision.by, DecidedBy::Grant(_)) {
        verdict = Verdict::Allow;
    }
    let first = judgement.judged.first().map(|judged| &judged.action);
    match (decision.repeats, first) {
        (Some(_), Some(action)) if verdict == Verdict::Allow => settle(
            decision.mode,
            decision.on_ask,
            action,
            Verdict::Ask,
            decision.reason.clone(),
        ),
        _ => (verdict, judgement.reason.clone()),
    }
}

fn compare(recorded: &[Judged], now: &[Judged], differences: &mut Vec<Difference>) {
    for (then, now) in recorded.iter().zip(now) {
        if then.action != now.action || then.segment != now.segment {
            differences.push(Difference {
                what: "action",
                of: "a part of the call".to_owned(),
                recorded: told(&then.action),
                now: told(&now.action),
            });
            continue;
        }
        if then.verdict != now.verdict {
            differences.push(Difference {
                what: "verdict",
                of: told(&then.action),
                recorded: then.verdict.name().to_owned(),
                now: now.verdict.name().to_owned(),
            });
        }
        if then.rule != now.rule {
            differences.push(Difference {
                what: "rule",
                of: told(&then.action),
                recorded: RuleSource::place(&then.rule),
                now: RuleSource::place(&now.rule),
            });
        }
    }
    if recorded.len() != now.len() {
        differences.push(Difference {
            what: "action",
            of: "how many parts the call has".to_owned(),
            recorded: recorded.len().to_string(),
            now: now.len().to_string(),
        });
    }
}

/// An action in a few words.
#[must_use]
pub fn told(action: &Action) -> String {
    match action {
        Action::ReadPath { path } => format!("read {}", path.resolved),
        Action::WritePath { path } => format!("write {}", path.resolved),
        Action::Run { command, .. } => format!("run {command}"),
        Action::RunWords { words } => format!("run {}", words.join(" ")),
        Action::Reach { host, sends: false } => format!("reach {host}"),
        Action::Reach { host, sends: true } => format!("send to {host}"),
        Action::CallMcp { server, tool } => format!("call {server}/{tool}"),
        Action::Note => "note".to_owned(),
        Action::AskPerson { question } => format!("ask: {}", question.text),
        Action::AwaitParty { .. } => "wait".to_owned(),
    }
}
