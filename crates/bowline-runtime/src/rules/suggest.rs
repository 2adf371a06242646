//! Finds the fewest rules that would have saved the most prompts: only what a person allowed, never
//! what anybody denied.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{Action, Tier, Verdict};
use bowline_policy::{Judgement, Policy, Rule, RuleError};
use serde::Serialize;

use super::exact::{asking, exact_rule, is_known};
use super::lint::{is_many_sided, is_runner};
use super::recorded::{Calls, RecordedCall};

/// The least number of prompts that a rule must save.
const SAVES_MIN: usize = 2;

/// The most words of a command that a prefix keeps.
const PREFIX_WORDS_MAX: usize = 4;

/// Where suggested rules stand while they are tried: no file has this name.
const TRIED: &str = "suggested";

/// Rules that would have saved prompts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Suggested {
    /// The rules, the one that saves most first.
    pub rules: Vec<Suggestion>,
    /// How many recorded calls asked and were allowed by a person.
    pub prompts: usize,
    /// How many of them the rules together would have saved.
    pub saved: usize,
}

/// One rule that would have saved prompts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The rule; it allows.
    pub rule: String,
    /// How many prompts it saves beyond those before it.
    pub saves: usize,
    /// Some of the calls it saves, in a line each.
    pub examples: Vec<String>,
    /// Other recorded calls that it would have allowed: asked and never answered.
    pub also: Vec<String>,
}

/// Most examples of one rule.
const EXAMPLES_MAX: usize = 5;

/// One recorded call under its own policy.
struct Case<'c> {
    call: &'c RecordedCall,
    policy: Policy,
    /// The rules by which each of its asking parts might be allowed.
    parts: Vec<BTreeSet<String>>,
}

/// Finds rules in what was recorded. The same calls give the same rules.
///
/// # Errors
/// [`RuleError`] for a recorded rule that this version does not read.
pub fn suggest(calls: &Calls) -> Result<Suggested, RuleError> {
    let mut prompts = Vec::new();
    let mut denied = Vec::new();
    let mut open = Vec::new();
    for call in &calls.calls {
        let policy = Policy::of_record(&call.policy)?;
        if !call.is_judged_the_same(&policy) {
            continue;
        }
        let case = |parts| Case {
            call,
            policy: policy.clone(),
            parts,
        };
        match (call.was_asked(), call.answer) {
            (true, Some(Verdict::Allow)) => prompts.push(case(candidates(call))),
            (true, None) => open.push(case(Vec::new())),
            (_, Some(_)) => denied.push(case(Vec::new())),
            (false, None) if call.verdict() == Verdict::Deny => denied.push(case(Vec::new())),
            _ => {}
        }
    }
    let safe = safe_rules(&prompts, &denied)?;
    let mut suggested = Suggested {
        prompts: prompts.len(),
        ..Suggested::default()
    };
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut left: Vec<&Case<'_>> = prompts
        .iter()
        .filter(|case| !case.parts.is_empty())
        .collect();
    while let Some((rule, saved)) = best(&left, &safe, &chosen)? {
        chosen.insert(rule.clone());
        let examples: BTreeSet<&str> = saved.iter().map(|at| left[*at].essence()).collect();
        suggested.saved += saved.len();
        suggested.rules.push(Suggestion {
            also: also(&open, &rule)?,
            examples: examples
                .into_iter()
                .take(EXAMPLES_MAX)
                .map(str::to_owned)
                .collect(),
            saves: saved.len(),
            rule,
        });
        let mut at = 0;
        left.retain(|_| {
            at += 1;
            !saved.contains(&(at - 1))
        });
    }
    Ok(suggested)
}

impl Case<'_> {
    fn essence(&self) -> &str {
        &self.call.decision.essence
    }

    /// What comes of it with these rules beside its own.
    fn with<'r>(&self, rules: impl Iterator<Item = &'r String>) -> Result<Judgement, RuleError> {
        let mut policy = self.policy.clone();
        for rule in rules {
            policy.rules.push(tried(rule)?);
        }
        Ok(self.call.judge(&policy))
    }
}

fn tried(rule: &str) -> Result<Rule, RuleError> {
    let source = RuleSource {
        layer: Layer::User,
        tier: Tier::BuiltIn,
        rule: rule.to_owned(),
        file: Some(TRIED.to_owned()),
        line: None,
    };
    Rule::parse(Verdict::Allow, source)
}

/// The rules by which each asking part of a call might be allowed; none at all when one of them
/// must go on asking.
fn candidates(call: &RecordedCall) -> Vec<BTreeSet<String>> {
    let of_part = |judged: &bowline_core::decision::Judged| {
        if !is_ordinary(&judged.rule) {
            return None;
        }
        let exact = exact_rule(&call.tool.name, &judged.action).ok()?;
        let mut rules = BTreeSet::from([exact]);
        if let Action::RunWords { words } = &judged.action {
            let program = words.first()?.as_str();
            if is_runner(program) {
                return None;
            }
            let known = words
                .iter()
                .take_while(|word| is_known(word) && !word.starts_with('-'));
            let known = known.count().min(PREFIX_WORDS_MAX);
            let least = if is_many_sided(program) { 2 } else { 1 };
            rules.extend((least..=known).map(|length| format!("{} *", words[..length].join(" "))));
        }
        Some(rules)
    };
    let parts: Option<Vec<_>> = asking(&call.decision).map(of_part).collect();
    parts.unwrap_or_default()
}

/// Whether what asks is only that nobody allowed it yet: no rule, nothing protected or published,
/// nothing that is not understood.
fn is_ordinary(asks: &bowline_core::decision::RuleSource) -> bool {
    let ordinary = ["command-rule", "write", "network", "undeclared"];
    let name = asks.rule.as_str();
    asks.layer == Layer::BuiltIn && (name.starts_with("mode:") || ordinary.contains(&name))
}

/// The candidates that have no say in any call that was denied.
fn safe_rules(prompts: &[Case<'_>], denied: &[Case<'_>]) -> Result<BTreeSet<String>, RuleError> {
    let all: BTreeSet<&String> = prompts
        .iter()
        .flat_map(|case| &case.parts)
        .flatten()
        .collect();
    let mut safe = BTreeSet::new();
    'rules: for rule in all {
        for case in denied {
            let judged = case.with([rule].into_iter())?;
            if has_say(&judged) {
                continue 'rules;
            }
        }
        safe.insert(rule.clone());
    }
    Ok(safe)
}

/// Whether a tried rule decided something, or would have but for a stricter one.
fn has_say(judged: &Judgement) -> bool {
    let is_tried =
        |source: &bowline_core::decision::RuleSource| source.file.as_deref() == Some(TRIED);
    let mut parts = judged.judged.iter();
    parts.any(|one| is_tried(&one.rule) || one.runner_up.iter().any(is_tried))
}

/// The rule that saves most prompts beside those that are chosen, with the places in `left` of the
/// calls it saves. Of equal ones the narrower, then the first by its text.
fn best(
    left: &[&Case<'_>],
    safe: &BTreeSet<String>,
    chosen: &BTreeSet<String>,
) -> Result<Option<(String, BTreeSet<usize>)>, RuleError> {
    let mut may_save: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
    for (at, case) in left.iter().enumerate() {
        let open = case.parts.iter().filter(|part| part.is_disjoint(chosen));
        let mut open = open.peekable();
        let Some(first) = open.next() else {
            continue;
        };
        // What is left to be allowed must be allowed by one rule.
        let mut rules: BTreeSet<&String> = first.iter().collect();
        for part in open {
            rules.retain(|rule| part.contains(*rule));
        }
        for rule in rules.into_iter().filter(|rule| safe.contains(*rule)) {
            may_save.entry(rule).or_default().push(at);
        }
    }
    let mut ranked: Vec<(&String, Vec<usize>)> = may_save.into_iter().collect();
    ranked.sort_by(|(one, saves), (other, others)| {
        let most = others.len().cmp(&saves.len());
        let narrow = |rule: &str| (rule.ends_with(" *"), usize::MAX - rule.split(' ').count());
        most.then_with(|| narrow(one).cmp(&narrow(other)))
            .then_with(|| one.cmp(other))
    });
    let mut found: Option<(String, BTreeSet<usize>)> = None;
    for (rule, places) in ranked {
        let most = found
            .as_ref()
            .map_or(SAVES_MIN, |(_, saved)| saved.len() + 1);
        if places.len() < most {
            break;
        }
        let mut saved = BTreeSet::new();
        for at in places {
            let rules = chosen.iter().chain([rule]);
            if left[at].with(rules)?.verdict == Verdict::Allow {
                saved.insert(at);
            }
        }
        if saved.len() >= most {
            found = Some((rule.clone(), saved));
        }
    }
    Ok(found)
}

/// What a rule would also have allowed of what nobody answered.
fn also(open: &[Case<'_>], rule: &String) -> Result<Vec<String>, RuleError> {
    let mut also = BTreeSet::new();
    for case in open {
        if case.with([rule].into_iter())?.verdict == Verdict::Allow {
            also.insert(case.essence().to_owned());
        }
    }
    Ok(also.into_iter().collect())
}

#[cfg(test)]
mod tests;
