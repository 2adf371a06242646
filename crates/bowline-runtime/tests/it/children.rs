//! Children on shares of their parent's budget: a tool that begins some and drives them in
//! parallel, a parent that goes on and answers whatever becomes of them.

mod caps;
mod crash;
mod team;

use bowline_core::amounts::{Amounts, CapScope, Measure};
use bowline_core::{Event, Fact, Mode, SessionId, State, StopReason, apply};
use bowline_journal::MemoryJournal;
use bowline_runtime::{Rest, Session};
use bowline_tools::Toolbox;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::stage::{Hands, Watcher, harness, places, prompted, run};
use team::{Team, Work};

/// What became of a parent and its children.
pub(super) struct Played {
    rest: Rest,
    events: Vec<Event>,
    state: State,
    /// The text that each child ended with, in order.
    texts: Vec<String>,
    /// What each child has recorded.
    children: Vec<(SessionId, Vec<Event>)>,
}

impl Played {
    fn is_answered(&self) -> bool {
        self.rest == Rest::Ended(StopReason::Done, None)
            && self.state.last_text().as_deref() == Some("the answer")
    }

    fn found(&self) -> usize {
        self.texts.iter().filter(|text| *text == "found it").count()
    }

    /// What is wrong with the sums, at any event of the parent and at the end of each child.
    fn check(&self) {
        let mut state = State::new();
        for event in &self.events {
            state = apply(state, event);
            let limits = state.settings().map(|settings| settings.limits.clone());
            for scope in [CapScope::Turn, CapScope::Session] {
                let cap = limits.as_ref().map(|limits| limits.cap(scope));
                for measure in Measure::ALL.into_iter().filter(|one| *one != Measure::Wall) {
                    let limit = cap.and_then(|cap| cap.on(measure));
                    let taken = state.taken(scope).of(measure);
                    assert!(
                        limit.is_none_or(|limit| taken <= limit),
                        "{measure:?} {taken}"
                    );
                }
            }
        }
        assert_eq!(state.misfits(), 0);
        assert!(state.shares().is_empty(), "every share is settled");
        let mut spent = Amounts::ZERO;
        for (child, events) in &self.children {
            let state = events.iter().fold(State::new(), apply);
            assert_eq!(state.misfits(), 0, "{child}");
            spent = spent.plus(&state.taken(CapScope::Session));
        }
        let settled = self.events.iter().filter_map(|event| match &event.fact {
            Fact::ShareSettled(settled) => Some(settled.spent),
            _ => None,
        });
        let settled = settled.fold(Amounts::ZERO, |sum, spent| sum.plus(&spent));
        let timeless = |amounts: Amounts| Amounts {
            wall_ms: 0,
            ..amounts
        };
        assert_eq!(timeless(settled), timeless(spent));
    }
}

/// A parent under limits that gives its team so much work, and then its answer.
pub(super) fn play(limits: Value, work: Work) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::default();
    let clock = hands.clock();
    let mut all = json!({ "max_steps": 99, "max_tokens": null, "max_output_tokens": null });
    merge(&mut all, limits);
    let settings = json!({ "limits": all, "model_facts": team::prices() });
    let id = SessionId::from_uuid(clock.new_id());
    let journal = Box::new(MemoryJournal::new(id, folder.path().join("blobs")));
    let begun = team::started_with(id, folder.path(), settings);
    let mut session = Session::begin(journal, places(folder.path()), clock.clone(), begun);
    prompted(&mut session, "prompt");
    let usage = json!({ "input_tokens": 400, "output_tokens": 20 });
    let input = json!({ "count": work.count });
    let scenario = json!({ "version": 1, "usage": usage, "steps": [
        { "calls": [{ "tool": "team", "input": input }] },
        { "text": "the answer" },
    ] });
    let mut harness = harness(&clock, folder.path(), Mode::Edit, &scenario);
    let team = Arc::new(Team::new(&hands, folder.path(), &work));
    harness.toolbox = Arc::new(Toolbox::new(vec![Arc::clone(&team) as _]).unwrap());
    let mut watcher = Watcher {
        hands,
        told: Vec::new(),
        on_event: &mut |_, _| {},
    };
    let rest = run(&mut session, &harness, &mut watcher, || {}).unwrap();
    let told = watcher.told.into_iter();
    Played {
        rest,
        events: told.map(|told| told.event).collect(),
        state: session.state().clone(),
        texts: team.texts(),
        children: team.journals(),
    }
}

fn merge(all: &mut Value, more: Value) {
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
}

/// Twenty children whose worst cases are far more than there is together: they wait for each other
/// and all come to their end, and the parent answers.
#[test]
fn twenty_children_share_one_budget() {
    for cap in [60_000, 400_000] {
        let played = play(json!({ "max_tokens": cap }), Work::of(20));
        assert!(played.is_answered(), "{cap}: {:?}", played.rest);
        assert_eq!(played.found(), 20, "{cap}: {:?}", played.texts);
        played.check();
        let spent = played.state.ledger().spent;
        assert_eq!(spent.total_tokens(), 42 * 420, "{cap}");
    }
}

/// Whatever a budget allows the children: each ends with a text, the parent with its answer.
#[test]
fn a_cap_reached_in_a_child_still_yields_the_parents_answer() {
    let mut counts = std::collections::BTreeMap::new();
    for cap in (6_000..16_000).step_by(1_400) {
        let played = play(json!({ "max_tokens": cap }), Work::of(6));
        assert!(
            played.is_answered(),
            "{cap}: {:?} {:?}",
            played.rest,
            played.texts
        );
        assert_eq!(played.texts.len(), 6);
        for text in &played.texts {
            assert!(text == "found it" || text.starts_with("Stopped:"), "{text}");
        }
        played.check();
        *counts.entry(played.found()).or_insert(0) += 1;
    }
    assert!(counts.len() > 1, "not only {counts:?}");
}

/// A child of a child asks its parent, which asks its own.
#[test]
fn children_of_children_live_on_the_roots_budget() {
    for cap in [20_000, 60_000] {
        let work = Work {
            grandchildren: 3,
            ..Work::of(3)
        };
        let played = play(json!({ "max_tokens": cap }), work);
        assert!(
            played.is_answered(),
            "{cap}: {:?} {:?}",
            played.rest,
            played.texts
        );
        let spent = played.state.ledger().spent;
        assert!(spent.total_tokens() <= cap);
        let states = played.children.iter().map(|(_, events)| events);
        for events in states {
            let state = events.iter().fold(State::new(), apply);
            assert!(state.shares().is_empty());
            assert_eq!(state.misfits(), 0);
        }
        if cap == 60_000 {
            // Each of the 12 has two steps, as has the root.
            assert_eq!(spent.total_tokens(), 26 * 420);
        }
    }
}
