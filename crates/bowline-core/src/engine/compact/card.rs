//! The session's state in words: what must be known whatever was taken out.

use std::fmt::Write as _;

use super::planned::{Body, stored};
use crate::amounts::{CapScope, Measure, grouped};
use crate::call::TodoStatus;
use crate::context::{ContextText, Origin, caps};
use crate::recap::list;
use crate::state::State;

/// Bytes of the list of files; the whole list is stored when it is longer.
const FILES_BYTES: usize = 10 << 10;
/// Digits of a hash that are shown.
pub(super) const HASH_DIGITS: usize = 12;

/// The card, and the bodies that it names.
pub(super) fn card(state: &State) -> (ContextText, Vec<Body>) {
    let mut text = String::from(
        "[State of this session, kept by Bowline and true now; it goes before what was said \
         earlier.]",
    );
    let mut bodies = Vec::new();
    if let Some(settings) = state.settings() {
        let _infallible = write!(
            text,
            "\nMode: {}. Folder: {}. Budget: {}.",
            settings.mode,
            state.cwd(),
            budget(state)
        );
    }
    list(&mut text, "Todo list", todo(state));
    list(&mut text, "A person decided", state.said.iter().cloned());
    let open = state.waiting();
    let open = open.map(|(_, decision)| decision.essence.clone());
    list(&mut text, "Waits for a person's answer", open);
    let waits = state.parties().map(|party| party.line());
    list(&mut text, "Waits for something outside", waits);
    let jobs = state.jobs.iter().filter(|(_, job)| job.ended.is_none());
    let jobs = jobs.map(|(handle, job)| format!("{handle}: {}", job.command));
    list(&mut text, "Commands in the background", jobs);
    let doubts = state.in_doubt.iter();
    let doubts = doubts.map(|doubt| format!("{} ({})", doubt.essence, doubt.why));
    list(
        &mut text,
        "Outcome unknown: look before you repeat it",
        doubts,
    );
    let files = files(state);
    let long = files.join("\n");
    if long.len() > FILES_BYTES {
        let body = stored(long);
        let shown = files_shown(state, &files);
        let name = format!(
            "Files as you last saw them, with the start of their SHA-256 ({} of {}; all are at {}, \
             which `read` pages)",
            shown.len(),
            files.len(),
            body.blob.handle()
        );
        list(&mut text, &name, shown.into_iter());
        bodies.push(body);
    } else {
        let name = "Files as you last saw them, with the start of their SHA-256";
        list(&mut text, name, files.into_iter());
    }
    if text.len() > caps::STATE_CARD_BYTES {
        let body = stored(text.clone());
        let handle = body.blob.handle();
        bodies.push(body);
        let cap = caps::STATE_CARD_BYTES;
        return (
            ContextText::admit(Origin::Harness, text, cap, Some(&handle)),
            bodies,
        );
    }
    let card = ContextText::admit(Origin::Harness, text, caps::STATE_CARD_BYTES, None);
    (card, bodies)
}

fn todo(state: &State) -> impl Iterator<Item = String> {
    state.todo.iter().map(|item| {
        let status = match item.status {
            TodoStatus::Pending => "to do",
            TodoStatus::InProgress => "in progress",
            TodoStatus::Done => "done",
        };
        format!("{status}: {}", item.text)
    })
}

/// Every file whose content the model saw or wrote, with how its hash begins.
pub(super) fn files(state: &State) -> Vec<String> {
    let seen = state.seen.iter();
    seen.map(|(path, hash)| format!("{path} {}", &hash.to_hex()[..HASH_DIGITS]))
        .collect()
}

/// Those that are named where not all can be: the ones changed in this turn first.
fn files_shown(state: &State, files: &[String]) -> Vec<String> {
    let changed = state.turn.as_ref().map(|turn| &turn.changed);
    let is_changed = |line: &str| {
        let path = line.rsplit_once(' ').map_or(line, |(path, _)| path);
        changed.is_some_and(|changed| changed.contains(path))
    };
    let (first, rest): (Vec<&String>, Vec<&String>) =
        files.iter().partition(|line| is_changed(line));
    let mut left = FILES_BYTES;
    first
        .into_iter()
        .chain(rest)
        .take_while(|line| {
            let fits = line.len() < left;
            left = left.saturating_sub(line.len() + 3);
            fits
        })
        .cloned()
        .collect()
}

fn budget(state: &State) -> String {
    let ledger = state.ledger();
    let mut text = format!(
        "{} tokens used",
        grouped(ledger.spent.input_tokens + ledger.spent.output_tokens)
    );
    if state.price().is_some() {
        let _infallible = write!(
            text,
            ", {}",
            Measure::Cost.show(ledger.spent.cost_micro_usd)
        );
    }
    let limits = state.settings().map(|settings| &settings.limits);
    let caps = limits.into_iter().flat_map(|limits| {
        [CapScope::Turn, CapScope::Session]
            .into_iter()
            .flat_map(move |scope| {
                let cap = limits.cap(scope);
                Measure::ALL.into_iter().filter_map(move |measure| {
                    let left = cap.left(measure, &state.taken(scope))?;
                    Some(format!("{} left of {}", measure.show(left), scope.name()))
                })
            })
    });
    for cap in caps {
        let _infallible = write!(text, ", {cap}");
    }
    text
}
