//! Each cap on a tree is exact, and every cap leaves the parent its answer.

use bowline_core::StopReason;
use bowline_runtime::Rest;
use serde_json::{Value, json};

use super::team::Work;
use super::{Played, play};

fn capped(measure: &str, limit: u64, work: Work) -> Played {
    let mut cap = serde_json::Map::new();
    cap.insert(measure.to_owned(), Value::from(limit));
    play(json!({ "caps": { "session": cap } }), work)
}

/// Four children of two steps and one call each; the parent has two steps and one call.
#[test]
fn steps_and_calls_of_children_are_counted_to_the_last_one() {
    for (measure, needed) in [("steps", 2 + 4 * 2), ("tool_calls", 1 + 4)] {
        for (limit, found) in [(needed - 1, 3), (needed, 4), (needed + 1, 4)] {
            let played = capped(measure, limit, Work::of(4));
            assert!(played.is_answered(), "{measure} {limit}: {:?}", played.rest);
            assert_eq!(
                played.found(),
                found,
                "{measure} {limit}: {:?}",
                played.texts
            );
            played.check();
            let spent = played.state.ledger().spent;
            let spent = if measure == "steps" {
                spent.steps
            } else {
                spent.tool_calls
            };
            assert_eq!(spent, limit.min(needed), "{measure}");
        }
    }
}

/// Whether a child is done under a cap; the parent answers in any case.
fn is_done(measure: &str, limit: u64) -> bool {
    let played = capped(measure, limit, Work::of(1));
    assert!(played.is_answered(), "{measure} {limit}: {:?}", played.rest);
    played.check();
    played.found() == 1
}

/// Under a cap on any measure of tokens or money there is a least value from which on a child is
/// done, one less is too little, and either way the parent answers. A token costs a millionth here.
#[test]
fn tokens_and_money_of_a_child_are_counted_to_the_last_one() {
    let mut least = 0;
    for (measure, too_little, enough) in [
        ("input_tokens", 6_000, 10_000),
        ("output_tokens", 500, 700),
        ("tokens", 6_000, 10_000),
    ] {
        let (mut too_little, mut enough) = (too_little, enough);
        assert!(is_done(measure, enough), "{measure}");
        assert!(!is_done(measure, too_little), "{measure}");
        while enough - too_little > 1 {
            let middle = u64::midpoint(enough, too_little);
            if is_done(measure, middle) {
                enough = middle;
            } else {
                too_little = middle;
            }
        }
        println!("{measure}: {too_little} is too little, {enough} is enough");
        assert!(is_done(measure, enough + 1), "{measure}");
        least = enough;
    }
    assert!(!is_done("cost_micro_usd", least - 1));
    assert!(is_done("cost_micro_usd", least));
    assert!(is_done("cost_micro_usd", least + 1));
}

/// Time that passes in children passes for their parent: it is stopped, and so are they.
#[test]
fn when_the_parents_time_is_up_its_children_stop() {
    let hangs = json!([{ "fault": { "kind": "hang" } }]);
    let work = Work {
        steps: hangs,
        ..Work::of(3)
    };
    let played = capped("wall_ms", 5_000, work);
    assert!(
        matches!(&played.rest, Rest::Ended(StopReason::Budget, _)),
        "{:?}",
        played.rest
    );
    assert!(played.state.closing().unwrap().starts_with("Stopped: "));
    assert_eq!(played.texts.len(), 3);
    played.check();
}
