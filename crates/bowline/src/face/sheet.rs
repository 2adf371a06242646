//! What a question shows the person who is to answer it: what the call would do, why it asks, and
//! which answers there are.

use bowline_core::decision::Judged;
use bowline_core::{Action, Decision, PathFact, Verdict};

use crate::print::{Colour, Look};

/// Most things named in one line; the rest is counted.
const NAMED_MAX: usize = 6;

/// Most lines of a diff that are shown.
const DIFF_LINES_MAX: usize = 40;

/// What is shown of one question.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What it would do, a line each: `writes src/main.rs`.
    pub does: Vec<String>,
    /// Why it asks, a line for each part that does.
    pub why: Vec<String>,
    /// What it would change.
    pub diff: Option<String>,
}

impl Sheet {
    /// The sheet of a decision about a call in the folder `cwd`.
    pub fn of(decision: &Decision, cwd: &str) -> Self {
        Self {
            does: does(decision, cwd),
            why: why(decision),
            diff: decision.preview.clone(),
        }
    }

    /// The sheet in lines that fit, set in by four.
    pub fn lines(&self, look: &Look) -> Vec<String> {
        let mut lines = Vec::new();
        for text in &self.does {
            lines.push(format!("    {}", look.fit(text, 4)));
        }
        for text in &self.why {
            let wrapped = look.wrap(text, 6);
            for (number, part) in wrapped.iter().enumerate() {
                let lead = if number == 0 { "    ! " } else { "      " };
                lines.push(look.paint(Colour::Dim, &format!("{lead}{part}")));
            }
        }
        if let Some(diff) = &self.diff {
            let all = diff.lines().count();
            for line in diff.lines().take(DIFF_LINES_MAX) {
                let text = format!("    {}", look.fit(line, 4));
                lines.push(match line.chars().next() {
                    Some('+') => look.paint(Colour::Green, &text),
                    Some('-') => look.paint(Colour::Red, &text),
                    _ => text,
                });
            }
            if all > DIFF_LINES_MAX {
                lines.push(format!("    … {} more lines", all - DIFF_LINES_MAX));
            }
        }
        lines
    }
}

/// What the call would do, by kind.
fn does(decision: &Decision, cwd: &str) -> Vec<String> {
    let mut programs: Vec<String> = Vec::new();
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    let (mut hosts, mut servers) = (Vec::new(), Vec::new());
    for judged in &decision.actions {
        match &judged.action {
            Action::RunWords { words } => programs.extend(words.first().cloned()),
            Action::ReadPath { path } => reads.push(shown(path, cwd)),
            Action::WritePath { path } => writes.push(shown(path, cwd)),
            Action::Reach { host, .. } => hosts.push(host.clone()),
            Action::CallMcp { server, tool } => servers.push(format!("{tool} of {server}")),
            Action::Run { .. }
            | Action::Note
            | Action::AskPerson { .. }
            | Action::AwaitParty { .. } => {}
        }
    }
    let mut lines: Vec<String> = [
        ("runs", programs),
        ("writes", writes),
        ("reads", reads),
        ("reaches", hosts),
        ("calls", servers),
    ]
    .into_iter()
    .filter_map(|(verb, names)| line(verb, names))
    .collect();
    if let Some(confinement) = &decision.confinement {
        lines.push(format!(
            "within a sandbox ({}, {})",
            confinement.backend.name(),
            confinement.profile.network.words()
        ));
    }
    lines
}

/// `reads a, b and 3 more`; nothing if there is nothing.
fn line(verb: &str, mut names: Vec<String>) -> Option<String> {
    let mut known = std::collections::BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    if names.is_empty() {
        return None;
    }
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    let list = names.join(", ");
    Some(if more > 0 {
        format!("{verb} {list} and {more} more")
    } else {
        format!("{verb} {list}")
    })
}

/// A path as it is best known: relative below the working folder, and where it really leads if that
/// is elsewhere.
fn shown(path: &PathFact, cwd: &str) -> String {
    let short = |path: &str| {
        let below = path
            .strip_prefix(cwd)
            .and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(path).to_owned()
    };
    let (named, real) = (short(&path.by_name), short(&path.resolved));
    if named == real {
        named
    } else {
        format!("{named} (really {real})")
    }
}

/// The reason of each part that asks, with its rule.
fn why(decision: &Decision) -> Vec<String> {
    let asks = |judged: &&Judged| judged.verdict == Verdict::Ask;
    let has_parts = |judged: &&Judged| judged.segment.is_some();
    let parts: Vec<&Judged> = decision
        .actions
        .iter()
        .filter(asks)
        .filter(has_parts)
        .collect();
    let asking = if parts.is_empty() {
        decision.actions.iter().filter(asks).collect()
    } else {
        parts
    };
    let mut lines: Vec<String> = Vec::new();
    for judged in asking {
        let line = match &judged.rule.file {
            Some(_) => format!("{} Rule {}.", judged.reason, judged.rule.place()),
            None => judged.reason.clone(),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    // What asks for a reason that is no action's own.
    if lines.is_empty() || decision.repeats.is_some() {
        lines.insert(0, decision.reason.clone());
    }
    lines
}
