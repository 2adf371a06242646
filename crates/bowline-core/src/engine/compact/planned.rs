//! One compaction, worked out: what it takes out, what stands there instead, how large the next
//! request is then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::card::card;
use super::outline::outline;
use crate::Digest;
use crate::call::BlobRef;
use crate::context::{ContextText, Origin, caps};
use crate::event::{CompactionCause, Folded, HistoryCompacted, Place, Shortened, Strategy};
use crate::id::{CallId, StepId};
use crate::message::{Exchange, HistoryItem, InputRole, ToolCall, ToolResult};
use crate::recap::Recap;
use crate::request::RequestSize;
use crate::state::State;

/// A compaction that is not in force yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The way that loses most of those it goes.
    pub strategy: Strategy,
    /// The event.
    pub fact: HistoryCompacted,
    /// Bodies to be stored first.
    pub bodies: Vec<Body>,
}

/// A text that is to be stored beside the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its text.
    pub text: String,
    /// What it is stored as.
    pub blob: BlobRef,
}

pub(super) fn stored(text: String) -> Body {
    let blob = BlobRef {
        digest: Digest::of(text.as_bytes()),
        bytes: text.len() as u64,
    };
    Body { text, blob }
}

/// Results shorter than this are left as they are, in bytes.
const SMALL_RESULT_BYTES: usize = 400;
/// What a large result is cut to, in bytes: its head and its tail.
const TRIMMED_BYTES: usize = 1_200;
/// Results over this are large.
const LARGE_RESULT_BYTES: usize = 2 * TRIMMED_BYTES;
/// The part of the threshold, in hundredths, that the newest exchanges keep untouched.
const RECENT_PERCENT: u64 = 20;
/// The part of the window, in hundredths, that a person's words and the project's instructions may
/// take before the longest of them are trimmed.
const PINNED_PERCENT: u64 = 25;

/// Works out a compaction that goes every way up to `strategy`; `recap` is the model's summary,
/// where there is one. `None` when the next request would not be smaller.
///
/// The newest results are left whole, as the model has not seen them; only where the request would
/// still be over the threshold they are trimmed, too.
#[must_use]
pub fn planned(
    state: &State,
    size: RequestSize,
    strategy: Strategy,
    recap: Option<Recap>,
) -> Option<Planned> {
    let cut = Cut::of(state, size, strategy)?;
    let threshold = state.compact_at_tokens();
    let gentle = planned_at(state, size, strategy, recap.clone(), &cut);
    let fits = |plan: &Planned| threshold.is_none_or(|most| plan.fact.after_tokens <= most);
    if strategy == Strategy::Superseded || gentle.as_ref().is_some_and(fits) {
        return gentle;
    }
    let rough = Cut {
        recent: state.history.len() - cut.folded,
        is_tight: true,
        ..cut
    };
    planned_at(state, size, strategy, recap, &rough).or(gentle)
}

fn planned_at(
    state: &State,
    size: RequestSize,
    strategy: Strategy,
    recap: Option<Recap>,
    cut: &Cut,
) -> Option<Planned> {
    let mut strategies = vec![strategy];
    let (mut bodies, mut cuts) = (Vec::new(), Vec::new());
    let kept = &state.history[cut.folded..];
    let mut shortened = superseded(state, kept, cut.recent);
    if !shortened.is_empty() {
        strategies.push(Strategy::Superseded);
    }
    if strategy > Strategy::Superseded && (cut.folded == 0 || cut.is_tight) {
        let known: BTreeSet<CallId> = shortened.iter().filter_map(call_of).collect();
        let trimmed = trimmed(kept, cut.recent, &known);
        if !trimmed.is_empty() {
            strategies.push(Strategy::Trimmed);
        }
        cuts.extend(trimmed);
    }
    cuts.extend(words_trimmed(state, size));
    for (one, body) in cuts {
        shortened.push(one);
        bodies.push(body);
    }
    strategies.sort_unstable();
    strategies.dedup();
    let recap = match (cut.folded, strategy) {
        (0, _) => None,
        (_, Strategy::ModelSummary) => Some(told(state, recap?)),
        _ => Some(outlined(state, cut.folded)),
    };
    let summary = recap.as_ref().map(|recap| {
        let text = recap.text();
        let over = text.len() > caps::RECAP_BYTES;
        let body = over.then(|| stored(text.clone()));
        let handle = body.as_ref().map(|body| body.blob.handle());
        bodies.extend(body);
        ContextText::admit(Origin::Harness, text, caps::RECAP_BYTES, handle.as_deref())
    });
    let (card, of_card) = card(state);
    bodies.extend(of_card);
    let fact = HistoryCompacted {
        strategies,
        shortened,
        folded: cut.fact(state),
        recap: recap.map(Box::new),
        summary,
        state: card,
        before_tokens: state.next_tokens(size),
        after_tokens: 0,
    };
    let fact = measured(state, size, fact)?;
    Some(Planned {
        strategy,
        fact,
        bodies,
    })
}

/// Where a conversation is cut.
struct Cut {
    /// Items before this one are folded.
    folded: usize,
    /// Among the items after it, those from here on are the newest and stay as they are.
    recent: usize,
    /// Whether what stays is large, too.
    is_tight: bool,
}

impl Cut {
    fn of(state: &State, size: RequestSize, strategy: Strategy) -> Option<Self> {
        let threshold = state.compact_at_tokens();
        let threshold = threshold.unwrap_or_else(|| state.next_tokens(size) / 2);
        let cause = state.compaction.as_ref().map(|open| &open.cause);
        let recent_bytes = match cause {
            // Whoever asks for it by hand wants all of it short that can be.
            Some(CompactionCause::Asked { .. }) => 0,
            _ => state.bytes_of(size, threshold * RECENT_PERCENT / 100),
        };
        let recent = recent(&state.history, recent_bytes);
        let folded = match strategy {
            Strategy::Superseded | Strategy::Trimmed => 0,
            Strategy::FinishedWork => finished(state).min(recent),
            Strategy::ModelSummary | Strategy::Outline => recent,
        };
        let has_exchange = state.history[..folded].iter().any(|item| is_exchange(item));
        if strategy >= Strategy::FinishedWork && !has_exchange {
            return None;
        }
        let left: u64 = state.history[folded..]
            .iter()
            .map(|item| item.weight_bytes())
            .sum();
        Some(Self {
            folded,
            recent: recent - folded,
            is_tight: left > state.bytes_of(size, threshold / 3),
        })
    }

    fn fact(&self, state: &State) -> Option<Folded> {
        let exchanges =
            state.history[..self.folded]
                .iter()
                .filter_map(|item| match item.as_ref() {
                    HistoryItem::Exchange(exchange) => Some(exchange.step()),
                    HistoryItem::Input(_) => None,
                });
        let steps: Vec<StepId> = exchanges.collect();
        Some(Folded {
            through: *steps.last()?,
            exchanges: u32::try_from(steps.len()).unwrap_or(u32::MAX),
        })
    }
}

fn is_exchange(item: &HistoryItem) -> bool {
    matches!(item, HistoryItem::Exchange(_))
}

/// The place from which on the newest exchanges begin: as many as weigh so much, and the last one
/// always, as the model has not seen its results.
fn recent(history: &[Arc<HistoryItem>], bytes: u64) -> usize {
    let mut from = history.len();
    let mut left = bytes;
    for (at, item) in history.iter().enumerate().rev() {
        let weight = item.weight_bytes();
        let is_last =
            from == history.len() || !history[from..].iter().any(|item| is_exchange(item));
        if weight > left && !is_last {
            break;
        }
        left = left.saturating_sub(weight);
        from = at;
    }
    // It begins with an exchange: words before it belong to what is folded, where they stay.
    let first = history[from..].iter().position(|item| is_exchange(item));
    from + first.unwrap_or(0)
}

/// The place up to which work is finished: turns that ended, and steps up to the one with which an
/// entry of the todo list was done.
fn finished(state: &State) -> usize {
    let turn_begins = state.history.iter().rposition(|item| {
        matches!(item.as_ref(), HistoryItem::Input(input)
            if input.role == InputRole::Words && *input.text.origin() == Origin::Person)
    });
    let milestone = state.milestone.and_then(|step| {
        state.history.iter().rposition(|item| {
            matches!(item.as_ref(), HistoryItem::Exchange(exchange) if exchange.step() <= step)
        })
    });
    let after = milestone.map(|at| at + 1);
    turn_begins.into_iter().chain(after).max().unwrap_or(0)
}

fn told(state: &State, mut recap: Recap) -> Recap {
    for file in &mut recap.files {
        let is_known = state.seen.keys().any(|path| {
            path == &file.path
                || path.ends_with(&format!("/{}", file.path.trim_start_matches("./")))
        });
        if !is_known {
            file.note.push_str(" (Bowline saw no such file)");
        }
    }
    state.recap().cloned().unwrap_or_default().and_then(recap)
}

fn outlined(state: &State, folded: usize) -> Recap {
    let earlier = state.recap().cloned().unwrap_or_default();
    let later = Recap {
        done: outline(&state.history[..folded]),
        open_questions: earlier.open_questions.clone(),
        next_step: earlier.next_step.clone(),
        ..Recap::default()
    };
    earlier.and_then(later)
}

const fn call_of(one: &Shortened) -> Option<CallId> {
    match one.place {
        Place::Result(call) => Some(call),
        Place::Words(_) => None,
    }
}

/// Every call of these items with its result and step, but for those of the newest.
fn results(items: &[Arc<HistoryItem>]) -> impl Iterator<Item = (StepId, &ToolCall, &ToolResult)> {
    let exchanges = items.iter().filter_map(|item| match item.as_ref() {
        HistoryItem::Exchange(exchange) => Some(exchange),
        HistoryItem::Input(_) => None,
    });
    exchanges.flat_map(|exchange: &Exchange| {
        let calls = exchange.message().calls().zip(exchange.results());
        calls.map(|(call, result)| (exchange.step(), call, result))
    })
}

/// Results that a later one takes the place of: a file that was shown again, by the same call or
/// after it changed, and the very same result of the very same call.
fn superseded(state: &State, kept: &[Arc<HistoryItem>], recent: usize) -> Vec<Shortened> {
    let mut last_shown: BTreeMap<&str, (usize, CallId, Digest)> = BTreeMap::new();
    for (at, shown) in state.shown.iter().enumerate() {
        last_shown.insert(&shown.path, (at, shown.call, shown.content));
    }
    let all: BTreeMap<CallId, (StepId, &ToolCall, &ToolResult)> = results(kept)
        .map(|(step, call, result)| (call.id, (step, call, result)))
        .collect();
    let mut last_same: BTreeMap<(&str, &str, &str), StepId> = BTreeMap::new();
    for (step, call, result) in all.values() {
        let key = (
            call.name.as_str(),
            call.arguments.as_str(),
            result.content.text(),
        );
        let last = last_same.entry(key).or_insert(*step);
        *last = (*last).max(*step);
    }
    let is_same_call = |one: CallId, other: CallId| match (all.get(&one), all.get(&other)) {
        (Some((_, one, _)), Some((_, other, _))) => {
            one.name == other.name && one.arguments == other.arguments
        }
        _ => false,
    };
    let read_again = |call: CallId| {
        let shown = state.shown.iter().filter(|shown| shown.call == call);
        let mut again = None;
        for shown in shown {
            let (_, last, content) = last_shown.get(shown.path.as_str())?;
            let is_later = *last != call && all.contains_key(last);
            if !is_later || !(content != &shown.content || is_same_call(call, *last)) {
                return None;
            }
            let (step, ..) = all.get(last)?;
            again = Some((shown.path.clone(), *step));
        }
        again
    };
    let old = results(&kept[..recent]);
    old.filter(|(_, _, result)| result.content.text().len() > SMALL_RESULT_BYTES)
        .filter_map(|(step, call, result)| {
            let key = (
                call.name.as_str(),
                call.arguments.as_str(),
                result.content.text(),
            );
            let why = match (read_again(call.id), last_same.get(&key)) {
                (Some((path, later)), _) => {
                    format!("[Taken out: {path} was read again in step {}.]", later.0)
                }
                (None, Some(later)) if *later > step => {
                    format!(
                        "[Taken out: the same call gave the same in step {}.]",
                        later.0
                    )
                }
                _ => return None,
            };
            let cap = caps::TOOL_RESULT_BYTES;
            let content = ContextText::admit(result.content.origin().clone(), why, cap, None);
            Some(Shortened {
                place: Place::Result(call.id),
                content,
                blob: None,
            })
        })
        .collect()
}

/// Large results down to head, tail and handle.
fn trimmed(
    kept: &[Arc<HistoryItem>],
    recent: usize,
    known: &BTreeSet<CallId>,
) -> Vec<(Shortened, Body)> {
    results(&kept[..recent])
        .filter(|(_, call, result)| {
            !known.contains(&call.id) && result.content.text().len() > LARGE_RESULT_BYTES
        })
        .map(|(_, call, result)| {
            let (content, body) = trim(&result.content, TRIMMED_BYTES);
            let one = Shortened {
                place: Place::Result(call.id),
                content,
                blob: Some(body.blob),
            };
            (one, body)
        })
        .collect()
}

fn trim(content: &ContextText, bytes: usize) -> (ContextText, Body) {
    let body = stored(content.text().to_owned());
    let handle = body.blob.handle();
    let text = content.text().to_owned();
    let short = ContextText::admit(content.origin().clone(), text, bytes, Some(&handle));
    (short, body)
}

/// The longest of a person's words, where all of them together take too much of the window. The
/// newest stay longest.
fn words_trimmed(state: &State, size: RequestSize) -> Vec<(Shortened, Body)> {
    let window = state.window_tokens();
    let Some(window) = window else {
        return Vec::new();
    };
    let most = state.bytes_of(size, window * PINNED_PERCENT / 100);
    let pinned = state.history.iter().enumerate();
    let pinned = pinned.filter_map(|(at, item)| match item.as_ref() {
        HistoryItem::Input(input)
            if input.role == InputRole::Words
                && matches!(input.text.origin(), Origin::Person | Origin::File(_)) =>
        {
            Some((at, input))
        }
        _ => None,
    });
    let pinned: Vec<_> = pinned.collect();
    let mut total: u64 = pinned.iter().map(|(_, input)| input.weight_bytes()).sum();
    let mut cut = Vec::new();
    for (at, input) in pinned {
        let bytes = input.text.text().len();
        if total <= most || bytes <= 2 * LARGE_RESULT_BYTES {
            continue;
        }
        let (content, body) = trim(&input.text, LARGE_RESULT_BYTES);
        total = total.saturating_sub((bytes - content.text().len()) as u64);
        let place = Place::Words(u32::try_from(at).unwrap_or(u32::MAX));
        let blob = Some(body.blob);
        cut.push((
            Shortened {
                place,
                content,
                blob,
            },
            body,
        ));
    }
    cut
}

/// The fact with the size of the next request under it; `None` when that is no smaller.
fn measured(
    state: &State,
    size: RequestSize,
    mut fact: HistoryCompacted,
) -> Option<HistoryCompacted> {
    let event = crate::Event::new(0, crate::Fact::HistoryCompacted(Box::new(fact.clone())));
    let after = crate::apply(state.clone(), &event);
    if after.misfits() != state.misfits() {
        return None;
    }
    let before_bytes = state.history_bytes;
    let bytes = size
        .bytes
        .saturating_sub(before_bytes)
        .saturating_add(after.history_bytes);
    fact.after_tokens = state.tokens_of(size, bytes);
    (after.history_bytes < before_bytes && fact.after_tokens < fact.before_tokens).then_some(fact)
}

impl State {
    /// About how many bytes so many tokens of this conversation are.
    fn bytes_of(&self, size: RequestSize, tokens: u64) -> u64 {
        let now = self.next_tokens(size).max(1);
        tokens.saturating_mul(size.bytes.max(1)) / now
    }

    /// About how many tokens so many bytes of it are.
    fn tokens_of(&self, size: RequestSize, bytes: u64) -> u64 {
        self.next_tokens(size).saturating_mul(bytes) / size.bytes.max(1)
    }
}
