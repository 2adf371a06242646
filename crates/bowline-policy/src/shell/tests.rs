//! Whole commands: what they come to, by mode, rules and what lies where they run.

mod cases;
mod corpus;
mod deep;
mod hostile;
mod mutate;
mod mutations;
mod recorded;
mod safeguards;

use std::collections::BTreeMap;

use bowline_core::look::Seen;
use bowline_core::{Action, Mode, OnAsk, Risk, Sandbox, Tier, Verdict};

use super::expand::name_fits;
use crate::judge::{Judgement, ToolFacts, decide};
use crate::look::{Look, Surroundings};
use crate::policy::{Catalogue, Policy};
use crate::rule::Rule;

/// A folder as a record's `fs` describes it: paths relative to the workspace. What it does not
/// mention is an ordinary file.
#[derive(Debug, Clone, Default)]
pub(super) struct Described {
    workspace: String,
    entries: BTreeMap<String, String>,
}

impl Described {
    pub(super) fn new(workspace: &str, entries: &[(&str, &str)]) -> Self {
        let entries = entries.iter();
        Self {
            workspace: workspace.to_owned(),
            entries: entries
                .map(|(path, what)| ((*path).to_owned(), (*what).to_owned()))
                .collect(),
        }
    }

    fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        crate::place::below(path, &self.workspace)
    }
}

impl Look for Described {
    fn at(&self, path: &str) -> Seen {
        let Some(inside) = self.inside(path) else {
            return Seen::File;
        };
        match self.entries.get(inside).map(String::as_str) {
            Some("dir") => Seen::Folder,
            Some(what) => match what.strip_prefix("symlink -> ") {
                Some(target) => Seen::Link(target.to_owned()),
                None => Seen::File,
            },
            None => Seen::File,
        }
    }

    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>> {
        let Some(inside) = self.inside(folder) else {
            return Some(Vec::new());
        };
        let mut names: Vec<String> = self
            .entries
            .keys()
            .filter_map(|path| {
                crate::place::below(path, inside).or_else(|| inside.is_empty().then_some(path))
            })
            .filter_map(|rest| rest.split('/').next())
            .filter(|name| !name.is_empty() && name_fits(pattern, name))
            .map(str::to_owned)
            .collect();
        names.dedup();
        Some(names)
    }

    fn content(&self, path: &str) -> Option<String> {
        let what = self.entries.get(self.inside(path)?)?;
        what.strip_prefix("file: ").map(str::to_owned)
    }
}

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
        &Surroundings { cwd, look },
    )
}
