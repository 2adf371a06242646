//! What other rules would have said of recorded calls.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bowline_core::decision::Layer;
use bowline_core::{PolicyRecord, RuleInForce, SessionId, Verdict};
use bowline_policy::{Policy, RuleError};
use serde::Serialize;

use super::recorded::{Calls, RecordedCall, UnknownWhy};
use crate::config::FileRule;

/// What becomes of the rules of then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The new ones stand in place of those of the user's file of rules.
    Replace,
    /// The new ones are added.
    Add,
}

/// Rules to be tried.
#[derive(Debug, Clone)]
pub struct Trial {
    rules: Vec<RuleInForce>,
    change: Change,
    /// The user's file of rules, by its path.
    file: String,
}

/// What rules would have made of recorded calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Backtest {
    /// How many calls were judged again.
    pub calls: usize,
    /// How many of them come out the same.
    pub same: usize,
    /// Those that would run unasked and did not.
    pub newly_allowed: Difference,
    /// Those that would ask and did not.
    pub newly_asked: Difference,
    /// Those that would be refused and were not.
    pub newly_denied: Difference,
    /// How many calls could not be judged again, by the reason.
    pub unknown: BTreeMap<UnknownWhy, usize>,
    /// Some of those, by what they would have done.
    pub unknown_examples: Vec<String>,
}

/// Calls that come out otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// How many.
    pub count: usize,
    /// The same calls together, those that are made most often first.
    pub groups: Vec<Group>,
}

/// The same call, however often it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What it would do, in a line.
    pub essence: String,
    /// How often it was made.
    pub count: usize,
    /// What rules and mode said of it.
    pub was: Verdict,
    /// What decides now: the rule and where it stands.
    pub by: String,
    /// What a person answered when asked: how often allowed, how often denied.
    pub answered: (usize, usize),
    /// One of the sessions.
    pub session: SessionId,
}

/// Most examples of calls that cannot be judged again.
const EXAMPLES_MAX: usize = 5;

impl Trial {
    /// Tries `rules`, as they are at `now_ms`. `file` is the path of the user's file of rules.
    #[must_use]
    pub fn new(rules: &[FileRule], change: Change, file: &str, now_ms: u64) -> Self {
        let in_force = rules.iter().filter(|one| !one.is_expired(now_ms));
        Self {
            rules: in_force.cloned().map(RuleInForce::from).collect(),
            change,
            file: file.to_owned(),
        }
    }

    /// The policy of then with these rules.
    ///
    /// # Errors
    /// [`RuleError`] for a rule of then that this version does not read.
    pub fn policy(&self, then: &PolicyRecord) -> Result<Policy, RuleError> {
        let stays = |rule: &&RuleInForce| {
            let source = &rule.source;
            let is_replaced =
                source.layer == Layer::User && source.file.as_ref() == Some(&self.file);
            self.change == Change::Add || !is_replaced
        };
        let mut rules: Vec<RuleInForce> = then.rules.iter().filter(stays).cloned().collect();
        rules.extend(self.rules.iter().cloned());
        Policy::of_record(&PolicyRecord {
            rules,
            ..then.clone()
        })
    }
}

/// Judges recorded calls under the policy of then and under the one with the rules of `trial`.
///
/// # Errors
/// [`RuleError`] for a recorded rule that this version does not read.
pub fn backtest(calls: &Calls, trial: &Trial) -> Result<Backtest, RuleError> {
    let mut found = Backtest::default();
    let mut groups: [HashMap<String, Group>; 3] = Default::default();
    let mut policies: HashMap<*const PolicyRecord, (Policy, Policy)> = HashMap::new();
    for unknown in &calls.unknown {
        found.does_not_know(unknown.why, &unknown.essence);
    }
    for call in &calls.calls {
        let key = Rc::as_ptr(&call.policy);
        let (then, now) = match policies.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                let then = Policy::of_record(&call.policy)?;
                let now = trial.policy(&call.policy)?;
                free.insert((then, now))
            }
        };
        if !call.is_judged_the_same(then) {
            found.does_not_know(UnknownWhy::ReadOtherwise, &call.decision.essence);
            continue;
        }
        found.calls += 1;
        let judged = call.judge(now);
        if judged.verdict == call.verdict() {
            found.same += 1;
            continue;
        }
        let decides = judged
            .judged
            .iter()
            .find(|one| one.verdict == judged.verdict);
        let by = decides.map(|one| one.rule.place()).unwrap_or_default();
        let group = match judged.verdict {
            Verdict::Allow => &mut groups[0],
            Verdict::Ask => &mut groups[1],
            Verdict::Deny => &mut groups[2],
        };
        count(group, call, by);
    }
    let [allowed, asked, denied] = groups.map(difference);
    found.newly_allowed = allowed;
    found.newly_asked = asked;
    found.newly_denied = denied;
    Ok(found)
}

impl Backtest {
    fn does_not_know(&mut self, why: UnknownWhy, essence: &str) {
        *self.unknown.entry(why).or_default() += 1;
        if self.unknown_examples.len() < EXAMPLES_MAX {
            self.unknown_examples.push(essence.to_owned());
        }
    }
}

fn count(groups: &mut HashMap<String, Group>, call: &RecordedCall, by: String) {
    let essence = &call.decision.essence;
    let group = groups.entry(essence.clone()).or_insert_with(|| Group {
        essence: essence.clone(),
        count: 0,
        was: call.verdict(),
        by,
        answered: (0, 0),
        session: call.session,
    });
    group.count += 1;
    match call.answer {
        Some(Verdict::Allow) => group.answered.0 += 1,
        Some(_) => group.answered.1 += 1,
        None => {}
    }
}

fn difference(groups: HashMap<String, Group>) -> Difference {
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|one, other| {
        let most = other.count.cmp(&one.count);
        most.then_with(|| one.essence.cmp(&other.essence))
    });
    Difference {
        count: groups.iter().map(|group| group.count).sum(),
        groups,
    }
}

#[cfg(test)]
mod tests;
