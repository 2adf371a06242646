//! The end of a turn. One that a cap ended says what was done, what is open, what was spent and
//! what it takes to go on, all from the state.

use std::fmt::Write as _;

use crate::State;
use crate::amounts::{Measure, grouped};
use crate::event::{Fact, TurnEnded};
use crate::id::TurnId;
use crate::usage::StopReason;

/// Files that are named at most.
const FILES_SHOWN: usize = 12;
/// Characters of the last words that are shown.
const WORDS_SHOWN: usize = 600;

/// The fact that ends a turn.
#[must_use]
pub fn end_turn(
    state: &State,
    turn: TurnId,
    stop: StopReason,
    detail: Option<String>,
    worked_ms: u64,
) -> Fact {
    let summary = matches!(stop, StopReason::Budget).then(|| summary(state, detail.as_deref()));
    Fact::TurnEnded(TurnEnded {
        turn,
        stop,
        detail,
        summary,
        worked_ms,
    })
}

fn summary(state: &State, detail: Option<&str>) -> String {
    let mut text = "Stopped".to_owned();
    if let Some(detail) = detail {
        let _infallible = write!(text, ": {detail}");
    }
    text.push('.');
    for line in [
        done(state),
        Some(spent(state)),
        open(state),
        last_words(state),
    ]
    .into_iter()
    .flatten()
    {
        text.push('\n');
        text.push_str(&line);
    }
    text
}

/// A count with its word: `1 step`, `2 steps`.
pub(super) fn counted(count: u64, one: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{} {one}{many}", grouped(count))
}

fn done(state: &State) -> Option<String> {
    let turn = state.turn()?;
    if turn.steps == 0 {
        return Some("Done in this turn: nothing; the model was not asked.".to_owned());
    }
    let mut line = format!(
        "Done in this turn: {}, {}",
        counted(u64::from(turn.steps), "step"),
        counted(state.ledger().turn.tool_calls, "tool call")
    );
    if !turn.changed.is_empty() {
        let names: Vec<&str> = turn
            .changed
            .iter()
            .take(FILES_SHOWN)
            .map(String::as_str)
            .collect();
        let _infallible = write!(line, "; files changed: {}", names.join(", "));
        if turn.changed.len() > FILES_SHOWN {
            let _infallible = write!(line, " and {} more", turn.changed.len() - FILES_SHOWN);
        }
    }
    line.push('.');
    Some(line)
}

fn spent(state: &State) -> String {
    let of = |amounts: &crate::Amounts| {
        let mut words = format!(
            "{} tokens in, {} out",
            grouped(amounts.input_tokens),
            grouped(amounts.output_tokens)
        );
        if state.price().is_some() {
            let _infallible = write!(words, ", {}", Measure::Cost.show(amounts.cost_micro_usd));
        }
        words
    };
    let ledger = state.ledger();
    format!(
        "Spent in this turn: {}; in the session: {}.",
        of(&ledger.turn),
        of(&ledger.spent)
    )
}

fn open(state: &State) -> Option<String> {
    use crate::call::TodoStatus;
    let mut parts = Vec::new();
    let todo: Vec<&str> = state
        .todo()
        .iter()
        .filter(|item| item.status != TodoStatus::Done)
        .map(|item| item.text.as_str())
        .collect();
    if let Some(first) = todo.first() {
        parts.push(format!(
            "{} of the todo list, next: {first}",
            counted(todo.len() as u64, "item")
        ));
    }
    let untried = state
        .step()
        .into_iter()
        .flat_map(|step| &step.calls)
        .filter(|call| call.is_untried())
        .count();
    if untried > 0 {
        parts.push(format!("{} not run", counted(untried as u64, "call")));
    }
    let doubts = state.in_doubt().len();
    if doubts > 0 {
        parts.push(format!("{} in doubt", counted(doubts as u64, "call")));
    }
    (!parts.is_empty()).then(|| format!("Open: {}.", parts.join("; ")))
}

fn last_words(state: &State) -> Option<String> {
    let turn = state.turn()?;
    let of_step = state.step().map(|step| step.message.text());
    let text = of_step.or_else(|| state.last_text())?;
    let text = text.trim();
    if turn.steps == 0 || text.is_empty() {
        return None;
    }
    let end = text.char_indices().nth(WORDS_SHOWN);
    let shown = end.map_or_else(
        || text.to_owned(),
        |(end, _)| format!("{} …", text[..end].trim_end()),
    );
    Some(format!("The model's last words: {shown}"))
}
