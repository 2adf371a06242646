//! `--scope always`: an approval that later sessions know, as a rule in the user's file of rules.

use std::path::{Path, PathBuf};

use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{DecisionId, RuleInForce, Tier, Verdict};
use bowline_runtime::config::{FileRule, NewRule, parse_rules, rules_text};
use bowline_runtime::rules::backtest::{Change, Trial, backtest};
use bowline_runtime::rules::recorded::judge_again;
use bowline_runtime::rules::{asking, exact_rule};

use crate::args::Force;
use crate::command::find::Open;
use crate::command::policy::{add_rules, recorded};
use crate::failure::Failure;
use crate::places::Places;
use crate::print;
use crate::wire::{self, in_force};

/// Most recorded calls that are named.
const NAMED_MAX: usize = 5;

/// The rules that have this very request run unasked from now on: one for each part that asks.
///
/// # Errors
/// When no rule says just that, or when another rule would still ask.
pub fn rules(places: &Places, open: &Open) -> Result<Vec<String>, Failure> {
    let id = open.decision.id.short();
    let cannot = |why: &str| {
        Failure::usage(format!(
            "this cannot be allowed for always: {why}. Allow it for this session with `bowline \
             approve {id} --scope session`"
        ))
    };
    let mut rules = Vec::new();
    for judged in asking(&open.decision) {
        let rule = exact_rule(&open.tool, &judged.action).map_err(|why| cannot(&why))?;
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if rules.is_empty() {
        return Err(cannot("it asks for another reason than a rule or the mode"));
    }
    would_allow(places, open, &rules)
        .and_then(|why| why.map_or(Ok(()), |why| Err(cannot(&why))))
        .map(|()| rules)
}

/// Why the request would not run unasked with these rules in the user's file; `None` when it would.
fn would_allow(places: &Places, open: &Open, rules: &[String]) -> Result<Option<String>, Failure> {
    let Some(settings) = open.state.settings() else {
        return Ok(Some("its session has no settings".to_owned()));
    };
    let Some(tool) = &open.decision.tool else {
        let why = "an earlier version asked, which did not record what it knew of the tool";
        return Ok(Some(why.to_owned()));
    };
    let file = places.user_rules().display().to_string();
    let in_force = |rule: &String| RuleInForce {
        verdict: Verdict::Allow,
        source: RuleSource {
            layer: Layer::User,
            tier: Tier::BuiltIn,
            rule: rule.clone(),
            file: Some(file.clone()),
            line: None,
        },
        reason: None,
        expires_at_ms: None,
    };
    let rules = rules.iter().map(in_force).collect();
    let cwd = Path::new(open.state.cwd());
    let config = wire::configure(places, cwd, &Force::default())?;
    let configured = in_force::configured(&config, places, &settings.model, rules);
    let roots: Vec<PathBuf> = open.state.roots().iter().map(PathBuf::from).collect();
    let policy = wire::policy(&configured, open.decision.mode, &roots)?;
    let judgement = judge_again(&policy, tool, &open.decision, open.state.cwd());
    let still = judgement.verdict != Verdict::Allow;
    Ok(still.then(|| judgement.reason.trim_end_matches('.').to_owned()))
}

/// The recorded calls but for `open` that rules would also have allowed: a line each, those made most
/// often first.
pub fn also_allowed(
    places: &Places,
    open: DecisionId,
    rules: &[String],
) -> Result<Vec<String>, Failure> {
    let file = places.user_rules().display().to_string();
    let new: Vec<NewRule> = rules.iter().map(|rule| new_rule(rule, None)).collect();
    let new: Vec<FileRule> = parse_rules(Layer::User, &file, &rules_text(&new))?;
    let now_ms = crate::command::clock().now_ms();
    let trial = Trial::new(&new, Change::Add, &file, now_ms);
    let mut calls = recorded(places, None)?;
    calls.calls.retain(|call| call.decision.id != open);
    let found = backtest(&calls, &trial).map_err(|error| {
        Failure::stopped(format!(
            "a recorded rule is not read by this version: {error}"
        ))
    })?;
    let groups = found.newly_allowed.groups.into_iter();
    Ok(groups
        .map(|group| match group.count {
            1 => group.essence,
            count => format!("{} ({count} times)", group.essence),
        })
        .collect())
}

/// Says which rules are about to be written, and what they would also have allowed.
pub fn announce(places: &Places, open: DecisionId, rules: &[String]) -> Result<(), Failure> {
    for rule in rules {
        print::line(&print::clean(&format!("rule: allow {rule}")));
    }
    let also = also_allowed(places, open, rules)?;
    if also.is_empty() {
        print::line("  it would have allowed no other recorded call");
        return Ok(());
    }
    print::line(&format!(
        "  recorded calls that it would have allowed: {}",
        also.len()
    ));
    for call in also.iter().take(NAMED_MAX) {
        print::line(&print::clean(&format!("    {}", call.replace('\n', " "))));
    }
    if also.len() > NAMED_MAX {
        print::line(&format!("    and {} more", also.len() - NAMED_MAX));
    }
    Ok(())
}

fn new_rule(rule: &str, example: Option<String>) -> NewRule {
    NewRule {
        verdict: Verdict::Allow,
        rule: rule.to_owned(),
        reason: Some("allowed for always when it was asked".to_owned()),
        allows: example.into_iter().collect(),
    }
}

/// A rule's own words as its example: `read(PATH)` allows `read PATH`, a command itself.
fn example(rule: &str) -> String {
    match rule.strip_suffix(')').and_then(|rule| rule.split_once('(')) {
        Some((kind, inside)) if !kind.contains(' ') => format!("{kind} {inside}"),
        _ => rule.to_owned(),
    }
}

/// Writes the rules to the user's file of rules and says where they stand.
///
/// # Errors
/// When the file cannot be read, changed or written; it is as it was then.
pub fn remember(places: &Places, rules: &[String]) -> Result<(), Failure> {
    let file = places.user_rules();
    for rule in rules {
        let with_example = new_rule(rule, Some(example(rule)));
        // What is built in may say more of an example's own places than of the real ones.
        let with = add_rules(&file, &[with_example])
            .or_else(|_| add_rules(&file, &[new_rule(rule, None)]))
            .map_err(|failure| {
                Failure::stopped(format!(
                    "the call is allowed for this session, but the rule `{rule}` was not written: \
                     {}. Add it to {} by hand",
                    failure.message(),
                    file.display()
                ))
            })?;
        let word = match &with.text {
            Some(_) => "added",
            None => "there already",
        };
        let line = with.lines.first().copied().flatten();
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        print::line(&print::clean(&format!(
            "rule {word}: {rule}  ({}{line}). Sessions begun from now on do not ask about it",
            file.display()
        )));
    }
    Ok(())
}
