//! What must be in the next request whatever was taken out, looked for there before a compaction is
//! recorded.

use super::card;
use super::planned::Planned;
use crate::context::Origin;
use crate::event::{Event, Fact};
use crate::message::{HistoryItem, InputRole};
use crate::state::State;

/// What would be lost by a compaction, each in a few words; empty when nothing is. It is looked for
/// in the words that the model would be sent, and in stored bodies that those name.
#[must_use]
pub fn lost(state: &State, plan: &Planned) -> Vec<String> {
    let fact = Fact::HistoryCompacted(Box::new(plan.fact.clone()));
    let before = state.misfits();
    let after = crate::apply(state.clone(), &Event::new(0, fact));
    if after.misfits() != before {
        return vec!["the conversation, which it does not fit".to_owned()];
    }
    let mut there = words(&after);
    let bodies: Vec<&str> = plan
        .bodies
        .iter()
        .filter(|body| there.contains(&body.blob.handle()))
        .map(|body| body.text.as_str())
        .collect();
    for body in bodies {
        there.push_str(body);
        there.push('\n');
    }
    let needed = needed(state, plan);
    needed
        .into_iter()
        .filter(|(_, text)| !there.contains(text.as_str()))
        .map(|(what, text)| format!("{what} `{}`", super::outline::short(&text, 80)))
        .collect()
}

/// All words of the conversation.
fn words(state: &State) -> String {
    let mut all = String::new();
    for item in &state.history {
        match item.as_ref() {
            HistoryItem::Input(input) => {
                all.push_str(input.text.text());
                all.push('\n');
            }
            HistoryItem::Exchange(exchange) => {
                for result in exchange.results() {
                    all.push_str(result.content.text());
                    all.push('\n');
                }
            }
        }
    }
    all
}

/// What must survive, with what it is.
fn needed(state: &State, plan: &Planned) -> Vec<(&'static str, String)> {
    let mut needed = Vec::new();
    let inputs = state.history.iter().filter_map(|item| match item.as_ref() {
        HistoryItem::Input(input) => Some(input),
        HistoryItem::Exchange(_) => None,
    });
    let inputs: Vec<_> = inputs.collect();
    for (at, input) in inputs.iter().enumerate() {
        let text = || input.text.text().to_owned();
        match (input.role, input.text.origin()) {
            (InputRole::Words, Origin::Person) => needed.push(("a person's words", text())),
            (InputRole::Words, Origin::File(_)) => {
                let is_of_it =
                    |later: &&&crate::Input| *later.text.origin() == *input.text.origin();
                if inputs[at + 1..].iter().all(|later| !is_of_it(&later)) {
                    needed.push(("the project's instructions", text()));
                }
            }
            _ => {}
        }
    }
    needed.extend(
        state
            .todo
            .iter()
            .map(|item| ("the plan", item.text.clone())),
    );
    needed.extend(
        state
            .said
            .iter()
            .map(|said| ("a person's decision", said.clone())),
    );
    let waiting = state.waiting();
    needed.extend(waiting.map(|(_, decision)| ("an open question", decision.essence.clone())));
    needed.extend(state.parties().map(|party| ("a wait", party.name)));
    let doubts = state.in_doubt.iter();
    needed.extend(doubts.map(|doubt| ("an unknown outcome", doubt.essence.clone())));
    let jobs = state.jobs.iter().filter(|(_, job)| job.ended.is_none());
    needed.extend(jobs.map(|(handle, _)| ("a command in the background", handle.clone())));
    needed.extend(
        card::files(state)
            .into_iter()
            .map(|line| ("a file's hash", line)),
    );
    for recap in [state.recap(), plan.fact.recap.as_deref()]
        .into_iter()
        .flatten()
    {
        needed.extend(
            recap
                .pinned()
                .map(|fact| ("a pinned fact", fact.to_owned())),
        );
    }
    needed
}
