//! How long it takes to read a hundred thousand rules, to look for bad ones, to judge by them.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

use bowline_core::Mode;
use bowline_core::decision::Layer;
use bowline_policy::{Policy, may_search, policy_hash};
use bowline_runtime::config::{FileRule, ProjectTrust, RULES_MAX, parse_rules};
use bowline_runtime::rules::lint::{Linted, lint};

fn main() {
    divan::main();
}

/// A file of rules of several kinds, each another.
fn text(count: usize) -> String {
    (0..count)
        .map(|number| match number % 4 {
            0 => format!("[[rule]]\nallow = \"npm run task-{number} *\"\n"),
            1 => format!("[[rule]]\ndeny = \"read(vault-{number}/**/*.key)\"\n"),
            2 => format!("[[rule]]\nask = \"host(*.{number}.example)\"\n"),
            _ => format!(
                "[[rule]]\nallow = \"write(out-{number}/**)\"\nallows = \"write out-{number}/a\"\n"
            ),
        })
        .collect()
}

fn rules(count: usize) -> Vec<FileRule> {
    parse_rules(Layer::User, "rules.toml", &text(count)).expect("rules")
}

fn policy(count: usize) -> Policy {
    Policy {
        rules: rules(count).into_iter().map(|one| one.rule).collect(),
        ..Policy::new(Mode::Ask, vec!["/w".to_owned()])
    }
}

#[divan::bench(args = [1_000, RULES_MAX], sample_count = 10)]
fn read(bencher: divan::Bencher<'_, '_>, count: usize) {
    let text = text(count);
    bencher.bench(|| parse_rules(Layer::User, "rules.toml", &text).expect("rules"));
}

#[divan::bench(args = [1_000, RULES_MAX], sample_count = 10)]
fn look_for_bad_ones(bencher: divan::Bencher<'_, '_>, count: usize) {
    let rules: Vec<Linted> = rules(count).into_iter().map(Linted::from).collect();
    bencher.bench(|| {
        lint(
            &rules,
            &["read", "write", "shell"],
            ProjectTrust::Untrusted,
            1,
        )
    });
}

#[divan::bench(args = [1_000, RULES_MAX], sample_count = 10)]
fn hash(bencher: divan::Bencher<'_, '_>, count: usize) {
    let policy = policy(count);
    bencher.bench(|| policy_hash(&policy));
}

/// What a search asks of each file: every rule about reading is held against its path.
#[divan::bench(args = [1_000, RULES_MAX], sample_count = 10)]
fn hold_a_path_against(bencher: divan::Bencher<'_, '_>, count: usize) {
    let policy = policy(count);
    bencher.bench(|| may_search(&policy, "/w/src/main.rs"));
}
