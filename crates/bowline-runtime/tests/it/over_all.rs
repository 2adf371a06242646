//! Caps over a day and a project hold over sessions, through the ledger of the installation: each
//! measure at one less than is needed, at what is needed, at one more.

use std::path::Path;

use bowline_core::amounts::Amounts;
use bowline_core::{Fact, Mode, StopReason};
use bowline_journal::{Ledger, Store};
use bowline_runtime::{Harness, Rest};
use serde_json::{Value, json};

use crate::stage::{Hands, TICK_MS, Watcher, harness, in_memory, run};

/// What became of one session.
struct Played {
    rest: Rest,
    told: Vec<Fact>,
}

impl Played {
    fn count(&self, kind: &str) -> usize {
        self.told.iter().filter(|fact| fact.kind() == kind).count()
    }

    fn is_done(&self) -> bool {
        self.rest == Rest::Ended(StopReason::Done, None)
    }

    fn is_spent(&self) -> bool {
        matches!(self.rest, Rest::Ended(StopReason::Budget, _))
    }
}

/// A session of three calls in one reply and then its answer.
fn play(folder: &Path, hands: &Hands, ledger: &Ledger, caps: &Value) -> Played {
    let clock = hands.clock();
    let limits = json!({
        "max_steps": 9, "max_tokens": null, "max_output_tokens": null, "caps": caps,
    });
    let facts = json!({ "price": {
        "input_micro_usd_per_mtok": 1_000_000, "output_micro_usd_per_mtok": 1_000_000,
        "cache_read_micro_usd_per_mtok": 0, "cache_write_micro_usd_per_mtok": 0,
    } });
    let settings = json!({ "limits": limits, "model_facts": facts });
    let mut session = in_memory(clock.clone(), folder, settings);
    let call = json!({ "tool": "glob", "input": { "pattern": "*" } });
    let usage = json!({ "input_tokens": 400, "output_tokens": 20 });
    let scenario = json!({ "version": 1, "usage": usage, "steps": [
        { "calls": [call, call, call] }, { "text": "done" },
    ] });
    let harness = Harness {
        ledger: Some(ledger.clone()),
        ..harness(&clock, folder, Mode::Edit, &scenario)
    };
    let mut watcher = Watcher {
        hands: hands.clone(),
        told: Vec::new(),
        on_event: &mut |_, _| {},
    };
    let rest = run(&mut session, &harness, &mut watcher, || {}).unwrap();
    assert_eq!(session.state().misfits(), 0);
    let told = watcher.told.into_iter().map(|told| told.event.fact);
    Played {
        rest,
        told: told.collect(),
    }
}

/// Two sessions under one cap over both; what they did, and what is counted in the end.
fn two(scope: &str, measure: &str, limit: u64) -> ([Played; 2], Amounts) {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::default();
    let ledger = Store::at(folder.path().join("state")).ledger();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    let mut cap = serde_json::Map::new();
    cap.insert(measure.to_owned(), Value::from(limit));
    let mut caps = serde_json::Map::new();
    caps.insert(scope.to_owned(), Value::Object(cap));
    let caps = Value::Object(caps);
    let both = [(); 2].map(|()| play(&work, &hands, &ledger, &caps));
    let view = ledger.view().unwrap();
    let total = match scope {
        "day" => view.day(hands.wall_ms()),
        _ => view.project(&work.display().to_string()),
    };
    assert_eq!(view.open().count(), 0, "every claim is settled");
    (both, total.taken())
}

#[test]
fn calls_over_all_sessions_are_counted_to_the_last_one() {
    for scope in ["day", "project"] {
        for (limit, calls, done) in [(5, 5, false), (6, 6, true), (7, 6, true)] {
            let ([first, second], total) = two(scope, "tool_calls", limit);
            assert!(first.is_done(), "{scope} {limit}: {:?}", first.rest);
            let started = first.count("CallStarted") + second.count("CallStarted");
            assert_eq!(started, calls, "{scope} {limit}");
            assert_eq!(second.is_done(), done, "{scope} {limit}: {:?}", second.rest);
            assert_eq!(
                second.is_spent(),
                !done,
                "{scope} {limit}: {:?}",
                second.rest
            );
            assert_eq!(total.tool_calls, calls as u64);
        }
    }
}

#[test]
fn steps_over_all_sessions_are_counted_to_the_last_one() {
    for scope in ["day", "project"] {
        for (limit, steps, done) in [(3, 3, false), (4, 4, true), (5, 4, true)] {
            let ([first, second], total) = two(scope, "steps", limit);
            assert!(first.is_done(), "{scope} {limit}: {:?}", first.rest);
            let replies = first.count("ModelReplied") + second.count("ModelReplied");
            assert_eq!(replies, steps, "{scope} {limit}");
            assert_eq!(second.is_done(), done, "{scope} {limit}: {:?}", second.rest);
            assert_eq!(total.steps, steps as u64);
        }
    }
}

/// What the second session's first call sets aside fits exactly, or that call is not made; later
/// ones set aside less.
#[test]
fn tokens_and_money_over_all_sessions_are_counted_to_the_last_one() {
    let ([_, second], _) = two("day", "tokens", 1_000_000);
    let first_call = second.told.iter().find_map(|fact| match fact {
        Fact::AttemptReserved(reserved) => Some(reserved.worst()),
        _ => None,
    });
    let worst = first_call.unwrap();
    for (measure, need) in [
        ("input_tokens", 2 * 400 + worst.input_tokens),
        ("output_tokens", 2 * 20 + worst.output_tokens),
        ("tokens", 2 * 420 + worst.total_tokens()),
        ("cost_micro_usd", 2 * 420 + worst.total_tokens()),
    ] {
        for (scope, limit) in [
            ("day", need - 1),
            ("day", need),
            ("day", need + 1),
            ("project", need - 1),
            ("project", need),
        ] {
            let ([first, second], total) = two(scope, measure, limit);
            assert!(
                first.is_done(),
                "{scope} {measure} {limit}: {:?}",
                first.rest
            );
            let fits = limit >= need;
            assert_eq!(second.is_done(), fits, "{scope} {measure} {limit}");
            assert_eq!(second.count("AttemptReserved"), if fits { 2 } else { 0 });
            assert_eq!(total.total_tokens(), if fits { 4 * 420 } else { 2 * 420 });
        }
    }
}

/// Time is charged after it has passed: the next call is made as long as some is left.
#[test]
fn time_over_all_sessions_is_charged_when_it_has_passed() {
    for scope in ["day", "project"] {
        let ([first, second], total) = two(scope, "wall_ms", 1_000_000);
        assert!(first.is_done() && second.is_done());
        assert!(
            total.wall_ms > 0 && total.wall_ms % TICK_MS == 0,
            "{total:?}"
        );
        // The same time passes again, however much may: the clock is the test's.
        let ([first, _], total) = two(scope, "wall_ms", 1);
        assert_eq!(first.count("ModelReplied"), 1, "{scope}");
        assert!(first.is_spent(), "{scope}: {:?}", first.rest);
        assert!(total.wall_ms > 1);
        let ([first, _], total) = two(scope, "wall_ms", 0);
        assert_eq!(first.count("AttemptReserved"), 0, "{scope}");
        assert!(first.is_spent());
        assert_eq!(total, Amounts::ZERO);
    }
}
