//! Laws that hold over every history: I3, I5, I10, I14.

use std::collections::BTreeMap;

use bowline_core::engine::MAX_ANSWER_REPAIRS;
use bowline_core::state::AnswerVerdict;
use bowline_core::{HistoryItem, ReplayClass, State, StopReason, Work, due};
use proptest::prelude::*;

use crate::world::{World, fold};

pub(crate) fn play(choices: Vec<u8>, cap: Option<u64>, mut check: impl FnMut(&World)) -> World {
    let mut world = World::new(choices, cap);
    while world.step() {
        check(&world);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// I3: folding any prefix of the journal gives the state, and so the work, of the live run.
    #[test]
    fn i3_any_prefix_gives_the_outstanding_work_of_the_live_run(
        choices in prop::collection::vec(any::<u8>(), 0..160)
    ) {
        let mut live: BTreeMap<usize, (State, Vec<bowline_core::Work>)> = BTreeMap::new();
        let world = play(choices, None, |world| {
            live.insert(world.events.len(), (world.state.clone(), due(&world.state)));
        });
        prop_assert_eq!(world.state.misfits(), 0, "every event fitted");
        for (length, (state, work)) in live {
            let folded = fold(&world.events[..length]);
            prop_assert_eq!(due(&folded), work, "work after {} events", length);
            prop_assert_eq!(folded, state, "state after {} events", length);
        }
    }

    /// I5: a call of class Once starts at most once, whatever crashes when; any other starts again
    /// only after a crash or a proof that it had not begun.
    #[test]
    fn i5_a_once_call_starts_at_most_once(
        choices in prop::collection::vec(any::<u8>(), 0..240)
    ) {
        let world = play(choices, None, |_| {});
        let mut starts = BTreeMap::new();
        for (call, class) in &world.starts {
            *starts.entry((*call, *class == ReplayClass::Once)).or_insert(0) += 1;
        }
        let proven = world.events.iter().filter_map(|event| match &event.fact {
            bowline_core::Fact::CallFoundUnstarted(found) => Some(found.call),
            // A look is over, and its outcome known, when its call is parked again.
            bowline_core::Fact::CallParked(parked) if parked.last.is_some() => Some(parked.call),
            _ => None,
        });
        let mut proofs: BTreeMap<_, i32> = BTreeMap::new();
        for call in proven {
            *proofs.entry(call).or_insert(0) += 1;
        }
        for ((call, once), count) in starts {
            if once {
                let proofs = proofs.get(&call).copied().unwrap_or(0);
                prop_assert!(count <= 1 + proofs, "{call} started {count} times, {proofs} proofs");
            }
        }
    }

    /// I10: spent plus reserved never exceeds the cap, after every event.
    #[test]
    fn i10_spent_and_reserved_stay_within_the_cap(
        choices in prop::collection::vec(any::<u8>(), 0..240),
        cap in 300_u64..60_000,
    ) {
        play(choices, Some(cap), |world| {
            let state = &world.state;
            let total = state.ledger().spent.total_tokens() + state.reserved().total_tokens();
            assert!(total <= cap, "{total} of {cap}");
        });
    }

    /// However answers come out, the model is asked again for one that fits a bounded number of
    /// times in a turn, and a turn that must fit something is done only when it does.
    #[test]
    fn answers_are_repaired_a_bounded_number_of_times(
        choices in prop::collection::vec(any::<u8>(), 0..240)
    ) {
        play(choices, None, |world| {
            let demand = world.state.turn().and_then(|turn| turn.demand.as_ref());
            let Some(demand) = demand else { return };
            assert!(demand.repairs <= MAX_ANSWER_REPAIRS, "{demand:?}");
            let done = due(&world.state)
                .iter()
                .any(|work| matches!(work, Work::EndTurn { stop: StopReason::Done, .. }));
            assert!(!done || demand.verdict == AnswerVerdict::Fits, "{demand:?}");
        });
    }

    /// I14: what would be sent holds complete exchanges only.
    #[test]
    fn i14_history_holds_every_result_of_every_call(
        choices in prop::collection::vec(any::<u8>(), 0..200)
    ) {
        play(choices, None, |world| {
            for item in world.state.history() {
                if let HistoryItem::Exchange(exchange) = item.as_ref() {
                    let asked: Vec<_> = exchange.message().calls().map(|call| call.id).collect();
                    let answered: Vec<_> =
                        exchange.results().iter().map(|result| result.call).collect();
                    assert_eq!(asked, answered);
                }
            }
        });
    }
}

/// What a wait may end with, and how often.
fn ends(world: &World) -> BTreeMap<bowline_core::CallId, u32> {
    let mut ends = BTreeMap::new();
    for event in &world.events {
        if let bowline_core::Fact::WaitEnded(ended) = &event.fact {
            *ends.entry(ended.call).or_insert(0) += 1;
        }
    }
    ends
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A wait ends at most once, whatever signals, time-outs, looks and prompts meet it; and a
    /// session that is on hold has nothing to do.
    #[test]
    fn a_wait_ends_once_and_nothing_is_due_on_hold(
        choices in prop::collection::vec(any::<u8>(), 0..240)
    ) {
        let world = play(choices, None, |world| {
            assert!(world.state.paused_by().is_none() || due(&world.state).is_empty());
        });
        prop_assert!(ends(&world).values().all(|count| *count == 1));
        prop_assert_eq!(world.state.misfits(), 0, "every event fitted");
    }
}

/// The laws above say something only if the histories are rich: most kinds of event must occur.
#[test]
fn random_histories_reach_most_kinds_of_event() {
    let mut kinds = std::collections::BTreeSet::new();
    let mut byte = 1_u32;
    for _ in 0..60 {
        let choices: Vec<u8> = (0..300)
            .map(|_| {
                byte = byte.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (byte >> 24) as u8
            })
            .collect();
        let world = play(choices, None, |_| {});
        kinds.extend(world.events.iter().map(|event| event.fact.kind()));
    }
    assert!(kinds.len() >= 26, "only {kinds:?}");
    assert!(kinds.contains("BlocksDropped"), "no switch: {kinds:?}");
}
