//! A finished call becomes evidence: what it asked, what came back, what it may have changed.

use std::sync::Arc;

use serde_json::Value;

use super::volatile;
use crate::Digest;
use crate::action::Action;
use crate::call::{Effect, Outcome};
use crate::context::ContextText;
use crate::decision::Decision;
use crate::digest::Digester;
use crate::job::JobChange;
use crate::message::{ResultKind, ToolCall};
use crate::spec::ReplayClass;
use crate::state::{CallPhase, CallState, Came, Mark, State};

/// Characters of a call's arguments that people and the model are shown.
const ARGUMENTS_SHOWN: usize = 120;
/// A call that took this long, in ms, let time pass: what it looks at may be another by then.
const LONG_MS: u64 = 30_000;
/// What `timeout` exits with when it was time.
const TIMED_OUT: i32 = 124;
/// Bytes at each end of a result that are searched for words of a passing failure.
const ENDS_BYTES: usize = 2 << 10;

/// Programs that wait.
const WAITERS: [&str; 5] = ["sleep", "usleep", "wait", "inotifywait", "watch"];

/// The built-in rule of the policy for commands that only read.
const READ_ONLY_RULE: &str = "read-only-command";

/// Programs that only read and print, whatever they are given.
const READERS: [&str; 22] = [
    ":", "[", "cat", "cd", "date", "echo", "egrep", "false", "fgrep", "file", "grep", "head", "id",
    "ls", "printf", "pwd", "stat", "tail", "test", "true", "wc", "which",
];

/// What a failure says that may be gone the next time.
const PASSING: [&str; 14] = [
    "too many requests",
    "rate limit",
    "http 429",
    "try again later",
    "temporarily unavailable",
    "service unavailable",
    "connection refused",
    "connection reset",
    "connection timed out",
    "bad gateway",
    "gateway timeout",
    "temporary failure in name resolution",
    "could not get lock",
    "resource busy",
];

/// How a call came to its end.
pub(in crate::engine) struct Ending<'a> {
    pub(in crate::engine) kind: ResultKind,
    pub(in crate::engine) content: &'a ContextText,
    /// What its tool says, if it ran to its end.
    pub(in crate::engine) outcome: Option<&'a Outcome>,
}

/// What is remembered of a call that ends now; `open` is as it was before.
pub(in crate::engine) fn mark(state: &State, open: &CallState, ending: &Ending<'_>) -> Mark {
    let decision = match &open.phase {
        CallPhase::Proposed | CallPhase::Closed(_) => None,
        CallPhase::Waiting(decision)
        | CallPhase::Allowed(decision)
        | CallPhase::Parked(decision)
        | CallPhase::Started(decision, _) => Some(decision.as_ref()),
    };
    let failed = ending.kind == ResultKind::Error;
    let waited = decision.is_some_and(|decision| waits(decision, ending.outcome));
    let runs = decision.is_some_and(goes_out);
    Mark {
        action: action(&open.call),
        result: result(failed, ending.content.text()),
        words: words(&open.call),
        may_change: ending
            .outcome
            .is_some_and(|outcome| changes(state, decision, outcome)),
        waited,
        came: match failed {
            _ if runs && is_passing(ending.content.text()) => Came::Passing,
            true => Came::Failed,
            false => Came::Fine,
        },
    }
}

/// Tool and arguments, whatever the order of the keys.
fn action(call: &ToolCall) -> Digest {
    let mut canonical = String::with_capacity(call.arguments.len());
    match serde_json::from_str(&call.arguments) {
        Ok(value) => write(&value, &mut canonical),
        Err(_) => canonical.push_str(call.arguments.trim()),
    }
    Digest::of_parts(&[call.name.as_bytes(), canonical.as_bytes()])
}

/// Writes a value with sorted keys. Its depth is bounded by the reader of JSON.
fn write(value: &Value, into: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            into.push('{');
            for (name, value) in fields {
                into.push_str(&Value::from(name.as_str()).to_string());
                into.push(':');
                write(value, into);
                into.push(',');
            }
            into.push('}');
        }
        Value::Array(items) => {
            into.push('[');
            for item in items {
                write(item, into);
                into.push(',');
            }
            into.push(']');
        }
        other => into.push_str(&other.to_string()),
    }
}

fn result(failed: bool, text: &str) -> Digest {
    let mut digester = Digester::default();
    digester.update(&[u8::from(failed)]);
    volatile::steady(text, |piece| digester.update(piece.as_bytes()));
    digester.finish()
}

fn words(call: &ToolCall) -> Arc<str> {
    let one_line: String = call
        .arguments
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let end = one_line.char_indices().nth(ARGUMENTS_SHOWN);
    let shown = end.map_or_else(
        || one_line.clone(),
        |(end, _)| format!("{} …", &one_line[..end]),
    );
    format!("`{} {shown}`", call.name).into()
}

/// Whether a call that ran may have changed what later calls find.
fn changes(state: &State, decision: Option<&Decision>, outcome: &Outcome) -> bool {
    let Effect {
        files, todo, jobs, ..
    } = &outcome.effect;
    let files = files.iter().any(|file| file.before != Some(file.after));
    let todo = todo.as_ref().is_some_and(|todo| *todo != state.todo);
    let jobs = jobs
        .iter()
        .any(|job| !matches!(job, JobChange::Read { .. }));
    let opaque = decision.is_some_and(|decision| match decision.replay.class {
        ReplayClass::Free => false,
        ReplayClass::Once => !only_reads(decision),
        ReplayClass::Keyed | ReplayClass::Checkable => goes_out(decision) && !only_reads(decision),
    });
    files || todo || jobs || opaque
}

/// Whether a shell command is known to read only: the policy found so, or every part of it runs a
/// program that does nothing else, and nothing is redirected to a file. Mode `full` does not look.
fn only_reads(decision: &Decision) -> bool {
    let mut understood = false;
    let reads = decision.actions.iter().all(|judged| match &judged.action {
        Action::Run {
            understood: true, ..
        } => {
            understood = true;
            true
        }
        Action::RunWords { words } => {
            judged.rule.rule == READ_ONLY_RULE
                || words
                    .first()
                    .is_some_and(|word| READERS.contains(&word.as_str()))
        }
        Action::ReadPath { .. } | Action::Note => true,
        _ => false,
    });
    understood && reads
}

/// Whether a call reaches what the session does not know the state of.
fn goes_out(decision: &Decision) -> bool {
    decision.actions.iter().any(|judged| {
        matches!(
            judged.action,
            Action::Run { .. } | Action::CallMcp { .. } | Action::Reach { .. }
        )
    })
}

/// Whether a call waits for something outside by its nature, or let time pass.
fn waits(decision: &Decision, outcome: Option<&Outcome>) -> bool {
    if decision.wait().is_some() || decision.question().is_some() {
        return true;
    }
    let Some(outcome) = outcome else {
        return false;
    };
    let jobs = &outcome.effect.jobs;
    let reads = jobs.iter().any(|job| matches!(job, JobChange::Read { .. }));
    let ended = jobs
        .iter()
        .any(|job| matches!(job, JobChange::Ended { .. }));
    outcome.duration_ms >= LONG_MS
        || outcome.exit_code == Some(TIMED_OUT)
        || (reads && !ended)
        || decision.actions.iter().any(|judged| pauses(&judged.action))
}

/// Whether a shell command, or a part of one, waits. What was not understood is searched for words.
fn pauses(action: &Action) -> bool {
    let is_waiter = |word: &str| WAITERS.contains(&word.rsplit('/').next().unwrap_or(word));
    match action {
        Action::RunWords { words } => {
            words.first().is_some_and(|word| is_waiter(word))
                || words.iter().any(|word| word.contains("sleep("))
        }
        Action::Run {
            command,
            understood: false,
        } => command
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
            .any(is_waiter),
        _ => false,
    }
}

fn is_passing(text: &str) -> bool {
    let says = |part: &[u8]| {
        let part = String::from_utf8_lossy(part).to_lowercase();
        PASSING.iter().any(|words| part.contains(words))
    };
    let bytes = text.as_bytes();
    if bytes.len() <= 2 * ENDS_BYTES {
        return says(bytes);
    }
    says(&bytes[..ENDS_BYTES]) || says(&bytes[bytes.len() - ENDS_BYTES..])
}
