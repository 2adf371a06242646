//! Examples that stand beside a rule and say what it does: held against the rule by the judging
//! code itself, so that a rule that means something else is found before it is in force.

use bowline_core::action::PathKind;
use bowline_core::decision::Layer;
use bowline_core::{Action, Mode, OnAsk, PathFact, Risk, Tier, Verdict};

use crate::judge::{Judgement, ToolFacts, decide};
use crate::look::{NoLook, Surroundings};
use crate::policy::Policy;
use crate::rule::{Pattern, Rule};

/// The workspace that examples lie in: relative paths are below it.
pub const EXAMPLE_ROOT: &str = "/workspace";
/// What `~` means in examples.
pub const EXAMPLE_HOME: &str = "/home/you";

/// What an example of a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Example {
    /// Runs a shell command.
    Shell(String),
    /// Reads a path.
    Read(String),
    /// Writes a path.
    Write(String),
    /// Calls a tool that does not say what it does.
    Tool(String),
    /// Reaches a host.
    Host(String),
    /// Calls a tool of an MCP server.
    Mcp(String, String),
}

/// What a rule's example is expected to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// One of `allows`: an allow rule has it run unasked; an ask or deny rule has no say in it.
    Allowed,
    /// One of `denies`: an allow rule does not have it run unasked; an ask or deny rule names it.
    Denied,
}

impl Example {
    /// Reads an example of `rules`: `read PATH`, `write PATH`, `tool NAME`, `host NAME`,
    /// `mcp SERVER/TOOL`, or else a shell command. Words that begin a rule for a shell command begin
    /// a shell command here, too.
    #[must_use]
    pub fn read(text: &str, rules: &[Rule]) -> Self {
        let shell = || Self::Shell(text.to_owned());
        let Some((kind, rest)) = text.split_once(' ') else {
            return shell();
        };
        let is_command = rules.iter().any(|rule| match &rule.pattern {
            Pattern::Argv(words) => words.first().is_some_and(|word| word == kind),
            _ => false,
        });
        let rest = rest.trim();
        if is_command || rest.is_empty() {
            return shell();
        }
        match kind {
            "read" => Self::Read(rest.to_owned()),
            "write" => Self::Write(rest.to_owned()),
            "tool" => Self::Tool(rest.to_owned()),
            "host" => Self::Host(rest.to_owned()),
            "mcp" => match rest.split_once('/') {
                Some((server, tool)) => Self::Mcp(server.to_owned(), tool.to_owned()),
                None => shell(),
            },
            _ => shell(),
        }
    }

    fn action(&self) -> Option<Action> {
        Some(match self {
            Self::Shell(command) => Action::Run {
                command: command.clone(),
                understood: false,
            },
            Self::Read(path) => Action::ReadPath { path: file(path) },
            Self::Write(path) => Action::WritePath { path: file(path) },
            Self::Tool(_) => return None,
            Self::Host(host) => Action::reach(host),
            Self::Mcp(server, tool) => Action::CallMcp {
                server: server.clone(),
                tool: tool.clone(),
            },
        })
    }

    /// The tool that would do it.
    fn tool(&self) -> ToolFacts<'_> {
        let (name, risk) = match self {
            Self::Shell(_) => ("shell", Risk::High),
            Self::Read(_) => ("read", Risk::Low),
            Self::Write(_) => ("write", Risk::Medium),
            Self::Tool(name) => (name.as_str(), Risk::High),
            Self::Host(_) => ("fetch", Risk::High),
            Self::Mcp(_, tool) => (tool.as_str(), Risk::High),
        };
        ToolFacts {
            name,
            risk,
            tier: Tier::BuiltIn,
        }
    }
}

/// Holds an example against the rules that it stands beside, and against nothing else: an ordinary
/// workspace at [`EXAMPLE_ROOT`], no other rule.
///
/// # Errors
/// What it came to instead, as the end of a sentence.
pub fn check_example(rules: &[Rule], example: &Example, expected: Expected) -> Result<(), String> {
    let own: Vec<Rule> = rules.iter().map(by_hand).collect();
    let loosens = own.iter().any(|rule| rule.verdict == Verdict::Allow);
    // What is built in asks in mode `ask`, so only the rule can allow; and allows in mode `full`,
    // so only the rule can ask or deny.
    let mode = if loosens { Mode::Ask } else { Mode::Full };
    let policy = Policy {
        rules: own,
        home: Some(EXAMPLE_HOME.to_owned()),
        ..Policy::new(mode, vec![EXAMPLE_ROOT.to_owned()])
    };
    let actions: Vec<Action> = example.action().into_iter().collect();
    let found = decide(
        &policy,
        example.tool(),
        &actions,
        OnAsk::Park,
        &Surroundings::new(EXAMPLE_ROOT, &NoLook),
    );
    let by_rule = found
        .judged
        .iter()
        .any(|judged| judged.rule.layer == Layer::CommandLine && judged.verdict == found.verdict);
    let strictest = policy.rules.iter().map(|rule| rule.verdict).max();
    let comes_out = match (expected, loosens) {
        (Expected::Allowed, true) => found.verdict == Verdict::Allow && by_rule,
        (Expected::Denied, true) => found.verdict != Verdict::Allow,
        (Expected::Allowed, false) => !by_rule,
        (Expected::Denied, false) => by_rule && Some(found.verdict) == strictest,
    };
    if comes_out {
        return Ok(());
    }
    Err(told(&found))
}

/// A rule as if it were given by hand: examples are about what it names, wherever it stands.
fn by_hand(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    rule.source.layer = Layer::CommandLine;
    rule.source.tier = Tier::BuiltIn;
    rule.source.file = None;
    rule.source.line = None;
    rule
}

fn told(found: &Judgement) -> String {
    let word = found.verdict.name();
    format!("`{word}` ({})", found.reason.trim_end_matches('.'))
}

/// An ordinary file.
fn file(path: &str) -> PathFact {
    let absolute = match path.strip_prefix("~/") {
        Some(rest) => format!("{EXAMPLE_HOME}/{rest}"),
        None if path.starts_with('/') => path.to_owned(),
        None => format!("{EXAMPLE_ROOT}/{}", path.strip_prefix("./").unwrap_or(path)),
    };
    PathFact {
        asked: path.to_owned(),
        resolved: absolute.clone(),
        by_name: absolute,
        kind: PathKind::File,
        links: 1,
    }
}

#[cfg(test)]
mod tests;
