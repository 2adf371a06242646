//! Folding what makes a conversation shorter.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::call::{TodoItem, TodoStatus};
use crate::context::{ContextText, Origin};
use crate::engine::compact::CLOSE_STEPS;
use crate::event::{CompactionBegun, CompactionCause, Fact, HistoryCompacted, Place, Strategy};
use crate::failure::{FailureKind, ProviderFailure};
use crate::id::CallId;
use crate::message::{HistoryItem, Input, InputRole};
use crate::state::{Compaction, State};

pub(super) fn fold(state: &mut State, fact: &Fact) -> bool {
    match fact {
        Fact::CompactionBegun(begun) => begin(state, begun),
        Fact::HistoryCompacted(compacted) => compact(state, compacted),
        Fact::CompactionFailed(failed) => fail(state, failed.strategy),
        Fact::CompactionAbandoned(_) => {
            count(state);
            // A request that is too long and stays so is not made again.
            if let Some(turn) = state.turn.as_mut()
                && turn.failure.as_ref().is_some_and(is_too_long)
            {
                turn.gave_up = true;
            }
            state.compaction.take().is_some()
        }
        _ => false,
    }
}

fn is_too_long(failure: &ProviderFailure) -> bool {
    failure.kind == FailureKind::TooLong
}

fn begin(state: &mut State, begun: &CompactionBegun) -> bool {
    if state.compaction.is_some() {
        return false;
    }
    state.compaction = Some(Box::new(Compaction {
        cause: begun.cause.clone(),
        focus: begun.focus.clone(),
        failed: Vec::new(),
        asked: 0,
        summary: None,
    }));
    true
}

fn fail(state: &mut State, strategy: Strategy) -> bool {
    let Some(open) = &mut state.compaction else {
        return false;
    };
    open.failed.push(strategy);
    open.summary = None;
    true
}

/// A compaction that was not asked for counts towards those that are needed again at once.
fn count(state: &mut State) {
    let is_asked = state
        .compaction
        .as_ref()
        .is_none_or(|open| matches!(open.cause, CompactionCause::Asked { .. }));
    let last_step = state.last_step;
    let counted = &mut state.compacted;
    counted.all += 1;
    if !is_asked {
        let since = last_step.0.saturating_sub(counted.last_step.0);
        let again = counted.in_a_row > 0 && since <= CLOSE_STEPS;
        counted.in_a_row = if again { counted.in_a_row + 1 } else { 1 };
    }
    counted.last_step = last_step;
}

fn compact(state: &mut State, fact: &HistoryCompacted) -> bool {
    let Some(history) = shorter(&state.history, fact) else {
        return false;
    };
    state.history = history;
    state.history_bytes = state.history.iter().map(|item| item.weight_bytes()).sum();
    state.gauge.forget_prefix();
    if let Some(recap) = &fact.recap {
        state.recap = Some(Arc::new(recap.as_ref().clone()));
    }
    forget_what_is_gone(state);
    count(state);
    state.compaction = None;
    // A request that was too long is another one now.
    if let Some(turn) = &mut state.turn {
        turn.failure.take_if(|failure| is_too_long(failure));
    }
    true
}

/// What results showed is of no more use once they are gone or shortened.
fn forget_what_is_gone(state: &mut State) {
    let there: BTreeSet<CallId> = state
        .history
        .iter()
        .filter_map(|item| match item.as_ref() {
            HistoryItem::Exchange(exchange) => Some(exchange.results()),
            HistoryItem::Input(_) => None,
        })
        .flatten()
        .map(|result| result.call)
        .chain(
            state
                .step
                .iter()
                .flat_map(|step| &step.calls)
                .map(|open| open.call.id),
        )
        .collect();
    state.shown.retain(|shown| there.contains(&shown.call));
}

/// The conversation after a compaction; `None` if it does not fit to the one before.
fn shorter(history: &[Arc<HistoryItem>], fact: &HistoryCompacted) -> Option<Vec<Arc<HistoryItem>>> {
    let cut = match &fact.folded {
        None => 0,
        Some(folded) => {
            1 + history.iter().position(|item| match item.as_ref() {
                HistoryItem::Exchange(exchange) => exchange.step() == folded.through,
                HistoryItem::Input(_) => false,
            })?
        }
    };
    let mut used = 0;
    let mut kept = Vec::with_capacity(history.len() + 2);
    for (at, item) in history.iter().enumerate() {
        if at == cut {
            push_summary(&mut kept, fact);
        }
        let item = match item.as_ref() {
            HistoryItem::Input(input)
                if stays(input, at < cut, &history[at + 1..cut.max(at + 1)]) =>
            {
                match words_at(fact, at) {
                    Some(content) => {
                        used += 1;
                        let mut input = input.clone();
                        input.text = content.clone();
                        Arc::new(HistoryItem::Input(input))
                    }
                    None => Arc::clone(item),
                }
            }
            HistoryItem::Exchange(_) if at >= cut => shortened(item, fact, &mut used),
            _ => continue,
        };
        kept.push(item);
    }
    if cut == history.len() {
        push_summary(&mut kept, fact);
    }
    let card = Input::new(fact.state.clone(), InputRole::StateCard);
    kept.push(Arc::new(HistoryItem::Input(card)));
    (used == fact.shortened.len()).then_some(kept)
}

fn push_summary(kept: &mut Vec<Arc<HistoryItem>>, fact: &HistoryCompacted) {
    if let Some(summary) = &fact.summary {
        let input = Input::new(summary.clone(), InputRole::Recap);
        kept.push(Arc::new(HistoryItem::Input(input)));
    }
}

/// Whether words stay. Among exchanges that are taken out, a person's words and the last state of
/// each file of instructions do; what Bowline said then is part of the session's state.
fn stays(input: &Input, is_folded: bool, later: &[Arc<HistoryItem>]) -> bool {
    match (input.role, is_folded, input.text.origin()) {
        (InputRole::StateCard, ..) => false,
        (_, false, _) => true,
        (InputRole::Recap, true, _) => false,
        (_, true, Origin::Person) => true,
        (_, true, Origin::File(file)) => !later.iter().any(|item| is_of_file(item, file)),
        (_, true, Origin::Harness) => false,
        (_, true, Origin::Tool(_) | Origin::Outside { .. }) => false,
    }
}

fn is_of_file(item: &HistoryItem, file: &str) -> bool {
    match item {
        HistoryItem::Input(input) => {
            matches!(input.text.origin(), Origin::File(other) if other == file)
        }
        HistoryItem::Exchange(_) => false,
    }
}

fn words_at(fact: &HistoryCompacted, at: usize) -> Option<&ContextText> {
    fact.shortened.iter().find_map(|one| match one.place {
        Place::Words(place) if place as usize == at => Some(&one.content),
        _ => None,
    })
}

fn shortened(
    item: &Arc<HistoryItem>,
    fact: &HistoryCompacted,
    used: &mut usize,
) -> Arc<HistoryItem> {
    let HistoryItem::Exchange(exchange) = item.as_ref() else {
        return Arc::clone(item);
    };
    let is_of_it = |call: CallId| exchange.results().iter().any(|result| result.call == call);
    let changes: Vec<_> = fact
        .shortened
        .iter()
        .filter_map(|one| match one.place {
            Place::Result(call) if is_of_it(call) => Some((call, &one.content)),
            _ => None,
        })
        .collect();
    if changes.is_empty() {
        return Arc::clone(item);
    }
    let mut exchange = exchange.clone();
    for (call, content) in changes {
        *used += usize::from(exchange.put_result(call, content));
    }
    Arc::new(HistoryItem::Exchange(exchange))
}

/// Whether an entry is done that was not.
pub(super) fn has_finished_one(before: &[TodoItem], after: &[TodoItem]) -> bool {
    let done = |items: &[TodoItem]| {
        let done = items.iter().filter(|item| item.status == TodoStatus::Done);
        done.count()
    };
    done(after) > done(before)
}
