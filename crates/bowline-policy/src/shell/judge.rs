//! The judgement of one shell command: its text, then its parts.

use bowline_core::decision::{Judged, Segment};
use bowline_core::{Action, OnAsk, Verdict};

use super::parse::{TEXT_BYTES_MAX, parse};
use super::scope::Scope;
use super::verdict::Judge;
use super::walk::Walk;
use crate::judge::ToolFacts;
use crate::judge::standing::first_line;
use crate::look::{Eyes, Surroundings};
use crate::policy::Policy;
use crate::safeguard::{Safeguard, is_on};

/// Most parts that are recorded; of what is allowed the last ones are left out first.
const PARTS_MAX: usize = 200;

/// Judges a shell command that would run in the surroundings `at.0`: the whole first, then its
/// parts.
pub(crate) fn judge<'a>(
    policy: &'a Policy,
    tool: ToolFacts<'a>,
    command: &str,
    on_ask: OnAsk,
    at: (&'a Surroundings<'_>, Eyes<'a>),
) -> (Vec<Judged>, Eyes<'a>) {
    let (cx, eyes) = at;
    let mut walk = Walk::new(Judge::new(policy, tool, on_ask, cx.outside), eyes);
    let is_understood = text(&mut walk, command, cx.cwd);
    let Walk {
        mut parts,
        eyes,
        judge: walk_judge,
        ..
    } = walk;
    let strictest = parts.iter().map(|part| part.verdict).max();
    let strictest = strictest.unwrap_or(Verdict::Allow);
    let first = parts.iter().position(|part| part.verdict == strictest);
    let line = first_line(command);
    let nothing = walk_judge.nothing();
    let of = first.and_then(|first| parts.get(first)).unwrap_or(&nothing);
    let reason = if strictest == Verdict::Allow {
        format!("Running `{line}`: every part of it may run; {}", of.reason)
    } else {
        of.reason.clone()
    };
    let whole = Judged {
        action: Action::Run {
            command: command.to_owned(),
            understood: is_understood,
        },
        verdict: strictest,
        reason,
        rule: of.rule.clone(),
        segment: None,
        runner_up: of.runner_up.clone(),
    };
    if parts.len() > PARTS_MAX {
        parts.sort_by_key(|part| std::cmp::Reverse(part.verdict));
        parts.truncate(PARTS_MAX);
        parts.sort_by_key(|part| part.segment.map(|Segment { start, .. }| start));
    }
    parts.insert(0, whole);
    (parts, eyes)
}

/// Parses and walks the text; whether it was understood.
fn text(walk: &mut Walk<'_>, command: &str, cwd: &str) -> bool {
    if command.len() <= TEXT_BYTES_MAX
        && is_on(Safeguard::Invisible)
        && let Some((_, character)) = super::invisible::invisible(command)
    {
        let why = format!(
            "it holds a character that is not shown as it is (U+{:04X}); write it as an escape",
            character as u32
        );
        walk.refuse("The command", &why, command.len());
    }
    match parse(command) {
        Ok(script) if script.lists.is_empty() => {
            walk.refuse("The command", "there is nothing in it", command.len());
            true
        }
        Ok(script) => {
            let mut scope = Scope::new(cwd);
            walk.whole(&script, &mut scope);
            true
        }
        Err(_) if !is_on(Safeguard::NotUnderstood) => false,
        Err(error) => {
            let why = format!(
                "it is not understood ({error}), so nobody knows what it would do; write it another way"
            );
            walk.refuse("The command", &why, command.len());
            false
        }
    }
}
