//! The public corpora: shell commands with a policy and a decision, and calls of ordinary days.

use std::collections::BTreeMap;

use bowline_core::Verdict;
use serde_json::Value;

use super::{Described, Rules, judged, policy};

pub(super) const SHELL: &str =
    include_str!("../../../../../fixtures/corpora/shell-permission.jsonl");
pub(super) const DAY: &str = include_str!("../../../../../fixtures/corpora/day.jsonl");

const OWN_SHELL: &str = include_str!("../../../../../fixtures/corpora/own-shell.jsonl");
const OWN_DAY: &str = include_str!("../../../../../fixtures/corpora/own-day.jsonl");

/// Cases of a family: all, agreed, false prompts, over-denials.
type Tally = BTreeMap<String, [usize; 4]>;

pub(super) fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

pub(super) fn described(record: &Value) -> Described {
    let cx = &record["cwd_context"];
    let entries: Vec<(&str, &str)> = cx["fs"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(path, what)| (path.as_str(), what.as_str().unwrap()))
        .collect();
    Described::new(cx["workspace"].as_str().unwrap(), &entries)
}

fn name(verdict: Verdict, words: [&'static str; 3]) -> &'static str {
    words[match verdict {
        Verdict::Allow => 0,
        Verdict::Ask => 1,
        Verdict::Deny => 2,
    }]
}

/// Acceptance: nothing unsafe is allowed, nothing denied only asks, at most two false prompts.
#[test]
fn the_public_shell_cases_come_out() {
    let (_, false_prompts) = shell_cases(SHELL);
    assert!(false_prompts <= 2);
}

/// The same for cases written from the semantics alone: at most 1 % false prompts.
#[test]
fn our_own_shell_cases_come_out() {
    let (all, false_prompts) = shell_cases(OWN_SHELL);
    assert!(false_prompts * 100 <= all, "{false_prompts} of {all}");
}

/// Judges cases and prints agreement by family; how many should run unasked, and how many do not.
fn shell_cases(cases: &str) -> (usize, usize) {
    let mut allows = 0;
    let (mut unsafe_allows, mut deny_misses, mut false_prompts) = (vec![], vec![], vec![]);
    let mut tally = Tally::new();
    for line in cases.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| record[key].as_str().unwrap();
        let cx = &record["cwd_context"];
        let of = |key: &str| texts(&record["policy"][key]);
        let rules = Rules {
            allow: &of("allow"),
            ask: &of("ask"),
            deny: &of("deny"),
        };
        let mode = record["policy"]["mode"].as_str().unwrap();
        let place = |key: &str| cx[key].as_str().unwrap();
        let policy = policy(mode, rules, place("workspace"), place("home"));
        let judgement = judged(&policy, text("command"), place("cwd"), &described(&record));
        let found = name(judgement.verdict, ["allow", "ask", "deny"]);
        let also = texts(&record["also_ok"]);
        let expected = text("expected");
        allows += usize::from(expected == "allow");
        let counts = tally.entry(text("family").to_owned()).or_default();
        counts[0] += 1;
        if found == expected || also.contains(&found) {
            counts[1] += 1;
            continue;
        }
        let line = format!(
            "{}: {expected}, found {found}: {:?}: {}",
            text("id"),
            text("command"),
            judgement.reason
        );
        match (expected, found) {
            (_, "allow") => unsafe_allows.push(line),
            ("allow", _) => {
                counts[2] += 1;
                false_prompts.push(line);
            }
            ("deny", "ask") => deny_misses.push(line),
            _ => counts[3] += 1,
        }
    }
    for (family, [all, agreed, prompts, over]) in &tally {
        println!("{family:24} {agreed:3} of {all:3}; false prompts {prompts}, over-denials {over}");
    }
    for (what, lines) in [
        ("unsafe allow", &unsafe_allows),
        ("deny miss", &deny_misses),
        ("false prompt", &false_prompts),
    ] {
        for line in lines {
            println!("{what}: {line}");
        }
    }
    assert_eq!((unsafe_allows.len(), deny_misses.len()), (0, 0));
    (allows, false_prompts.len())
}

/// Acceptance: of the shell calls of ordinary days at most 3 % ask, and no planted one runs.
#[test]
fn the_ordinary_days_run_and_nothing_planted_does() {
    day_cases(DAY);
}

/// The same for days of our own.
#[test]
fn our_own_days_run_and_nothing_planted_does() {
    day_cases(OWN_DAY);
}

/// Judges the shell calls of days.
fn day_cases(cases: &str) {
    let (mut asked, mut planted, mut others, mut all) = (vec![], vec![], vec![], 0);
    for line in cases.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        if record["tool"] != "shell" {
            continue;
        }
        let place = |key: &str| record["cwd_context"][key].as_str().unwrap();
        let policy = policy("auto", Rules::default(), place("workspace"), place("home"));
        let command = record["input"]["command"].as_str().unwrap();
        let judgement = judged(&policy, command, place("cwd"), &described(&record));
        let found = name(judgement.verdict, ["run", "ask", "refuse"]);
        let also = texts(&record["also_ok"]);
        let expected = record["expected"].as_str().unwrap();
        all += usize::from(expected == "run");
        if found == expected || also.contains(&found) || (expected == "ask" && found == "refuse") {
            continue;
        }
        let line = format!(
            "{}: {expected}, found {found}: {command:?}: {}",
            record["id"], judgement.reason
        );
        if record["planted"] == true && found == "run" {
            planted.push(line);
        } else if expected == "run" {
            asked.push(line);
        } else {
            others.push(line);
        }
    }
    for (what, lines) in [
        ("asks", &asked),
        ("planted runs", &planted),
        ("asked runs", &others),
    ] {
        for line in lines {
            println!("{what}: {line}");
        }
    }
    println!("{} of {all} ask", asked.len());
    assert!(planted.is_empty() && others.is_empty());
    assert!(asked.len() * 100 <= all * 3, "{} of {all}", asked.len());
}
