//! What a call was allowed that the usual profile does not: the sandbox must let it, too.

use bowline_core::decision::Judged;
use bowline_core::{Action, Mode, OnAsk, Sandbox, Verdict};

use crate::judge::{Judgement, ToolFacts, decide};
use crate::look::Surroundings;
use crate::place::is_within;
use crate::policy::{Catalogue, Policy};
use crate::shell::is_loopback;

/// The name of the built-in rule about commands that need a network.
const NETWORK_RULE: &str = "network";

/// How the names of built-in rules about protected paths begin.
const PROTECTED_RULE: &str = "protected-write:";

/// Commands of the catalogue that show processes: in a sandbox they would show its own only.
const OF_THE_MACHINE: [&str; 1] = ["ps"];

/// Most parts of a command that are surely all listed.
const LISTED_MAX: usize = 200;

/// How much a shell command does, whatever the rules in force say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It only reads, and what it reads is the same in a sandbox.
    Reads,
    /// It also writes ordinary paths of the workspace, and only by what its text says.
    Writes,
    /// More, or nobody knows.
    Unknown,
}

/// How much a shell command does that would run in `cx`.
#[must_use]
pub fn extent(policy: &Policy, command: &str, cx: &Surroundings<'_>) -> Extent {
    let action = [Action::Run {
        command: command.to_owned(),
        understood: false,
    }];
    // What mode `edit` lets run beyond mode `ask` is writing, and nothing else.
    let Judgement {
        verdict, judged, ..
    } = bare(policy, Mode::Edit, &action, cx);
    if verdict != Verdict::Allow || judged.len() > LISTED_MAX || judged.iter().any(is_of_machine) {
        return Extent::Unknown;
    }
    let is_write = |one: &Judged| matches!(one.action, Action::WritePath { .. });
    if judged.iter().any(is_write) {
        Extent::Writes
    } else {
        Extent::Reads
    }
}

/// Whether it is about a command that only reads, but reads what a sandbox shows otherwise.
fn is_of_machine(judged: &Judged) -> bool {
    let Action::RunWords { words } = &judged.action else {
        return false;
    };
    let name = words.first().and_then(|word| word.rsplit('/').next());
    name.is_some_and(|name| OF_THE_MACHINE.contains(&name))
}

/// What is built in says of `actions` in `mode`, without any rule.
fn bare(policy: &Policy, mode: Mode, actions: &[Action], cx: &Surroundings<'_>) -> Judgement {
    let bare = Policy {
        private: policy.private.clone(),
        home: policy.home.clone(),
        catalogue: Catalogue::ReadOnly,
        sandbox: Sandbox::Namespaces,
        ..Policy::new(mode, policy.roots.clone())
    };
    decide(&bare, ToolFacts::unknown("shell"), actions, OnAsk::Park, cx)
}

/// What a call needs beyond the usual profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Widening {
    /// Paths that it writes outside the workspace or over what is protected in it, sorted.
    pub writes: Vec<String>,
    /// Hosts that it names, sorted.
    pub hosts: Vec<String>,
    /// Whether it needs a network without saying whom it reaches.
    pub network: bool,
}

/// What the actions of a call come to beyond the usual profile of the workspace. It is granted with
/// the call: each of these is allowed by a rule or by a person, or the call does not run.
#[must_use]
pub fn widening(policy: &Policy, actions: &[Action], cx: &Surroundings<'_>) -> Widening {
    let mut wide = Widening::default();
    let judged = bare(policy, Mode::Auto, actions, cx).judged;
    let names_host = |segment| {
        let mut reached = judged.iter().filter(|one| one.segment == segment);
        reached.any(|one| matches!(one.action, Action::Reach { .. }))
    };
    for one in &judged {
        match &one.action {
            Action::WritePath { path } => {
                let mut roots = policy.roots.iter();
                let is_inside = roots.any(|root| is_within(&path.resolved, root));
                if !is_inside || one.rule.rule.starts_with(PROTECTED_RULE) {
                    wide.writes.push(path.resolved.clone());
                }
            }
            Action::Reach { host, .. } if !is_loopback(host) => wide.hosts.push(host.clone()),
            Action::RunWords { .. } => {
                wide.network |= one.rule.rule == NETWORK_RULE && !names_host(one.segment);
            }
            _ => {}
        }
    }
    // Hosts that are asked for by name are all that is granted.
    wide.network &= !actions
        .iter()
        .any(|action| matches!(action, Action::Reach { .. }));
    for list in [&mut wide.writes, &mut wide.hosts] {
        list.sort();
        list.dedup();
    }
    wide
}

#[cfg(test)]
mod tests;
