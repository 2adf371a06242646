//! Whole commands: what they come to, by mode, rules and what lies where they run.

mod cases;
mod corpus;
mod deep;
mod hostile;
mod mutate;
mod mutations;
mod recorded;
mod safeguards;

use bowline_core::{Action, Mode, OnAsk, Risk, Sandbox, Tier, Verdict};

use crate::judge::{Judgement, ToolFacts, decide};
use crate::look::{Described, Look, Surroundings};
use crate::policy::{Catalogue, Policy};
use crate::rule::Rule;

/// Rules of all three kinds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rules<'r> {
    pub(super) allow: &'r [&'r str],
    pub(super) ask: &'r [&'r str],
    pub(super) deny: &'r [&'r str],
}

/// A policy as a corpus record names its mode.
pub(super) fn policy(mode: &str, rules: Rules<'_>, workspace: &str, home: &str) -> Policy {
    let read = |verdict: Verdict, texts: &[&str]| -> Vec<Rule> {
        let texts = texts.iter();
        texts
            .map(|text| Rule::on_command_line(verdict, text).unwrap())
            .collect()
    };
    let (mode, catalogue) = match mode {
        "rules-only" => (Mode::Ask, Catalogue::None),
        "read-only" => (Mode::Ask, Catalogue::ReadOnly),
        "workspace-write" => (Mode::Edit, Catalogue::ReadOnly),
        "auto" => (Mode::Auto, Catalogue::ReadOnly),
        "full" => (Mode::Full, Catalogue::ReadOnly),
        other => panic!("mode {other}"),
    };
    Policy {
        rules: [
            read(Verdict::Allow, rules.allow),
            read(Verdict::Ask, rules.ask),
            read(Verdict::Deny, rules.deny),
        ]
        .concat(),
        home: Some(home.to_owned()),
        sandbox: Sandbox::Namespaces,
        catalogue,
        ..Policy::new(mode, vec![workspace.to_owned()])
    }
}

/// Judges a shell command.
pub(super) fn judged(policy: &Policy, command: &str, cwd: &str, look: &dyn Look) -> Judgement {
    let tool = ToolFacts {
        name: "shell",
        risk: Risk::High,
        tier: Tier::BuiltIn,
    };
    let run = Action::Run {
        command: command.to_owned(),
        understood: false,
    };
    decide(
        policy,
        tool,
        &[run],
        OnAsk::Park,
        &Surroundings::new(cwd, look),
    )
}
