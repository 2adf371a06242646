//! Limits on rates over twenty sessions at once.

use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_core::AttemptId;
use bowline_core::amounts::{Cap, RateLimits};
use bowline_journal::{Claim, Grant, Store};
use uuid::Uuid;

use super::{MOST_NEED, NOON_MS, Numbers, claim, input};
use crate::injection::scratch;
use crate::sample::{owner, session_id};

/// Twenty sessions on one clock that they set on themselves; each waits as long as it is told.
fn play_rates(limits: RateLimits) -> Vec<(u64, u64, u64)> {
    const RUNS: u64 = 8;
    let home = scratch();
    let store = Store::at(home.path());
    let clock = AtomicU64::new(NOON_MS);
    // The clock jumps only while nobody is between reading it and claiming.
    let jump = RwLock::new(());
    let one = &|number: u64| {
        // A handle of its own, as another process has it.
        let ledger = store.ledger().rotated_at(20_000);
        let _owned = store.create(session_id(number), &owner()).unwrap();
        let mut numbers = Numbers(number * 6_700_417);
        let mut runs = Vec::new();
        for place in 0..RUNS {
            let attempt = AttemptId::from_uuid(Uuid::from_u128((number * 100 + place).into()));
            let need = 1 + numbers.below(MOST_NEED);
            let mut claim = Claim {
                project_cap: Cap::default(),
                day_cap: Cap::default(),
                rates: limits,
                ..claim(attempt, number, 0, need, 0)
            };
            loop {
                let reading = jump.read().unwrap();
                claim.at_ms = clock.load(Ordering::SeqCst);
                let grant = ledger.reserve(&claim).unwrap();
                drop(reading);
                let Grant::Wait(wait) = grant else {
                    assert_eq!(grant, Grant::Reserved);
                    break;
                };
                let _nobody = jump.write().unwrap();
                clock.fetch_max(wait.until_ms, Ordering::SeqCst);
            }
            let took = numbers.below(need + 1);
            let end_ms = clock.fetch_add(numbers.below(3_000), Ordering::SeqCst);
            assert!(ledger.settle(claim.key, input(took), end_ms).unwrap());
            runs.push((claim.at_ms, end_ms.max(claim.at_ms), took));
        }
        runs
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=20)
            .map(|number| scope.spawn(move || one(number)))
            .collect();
        let runs = threads.into_iter().map(|thread| thread.join().unwrap());
        runs.flatten().collect()
    })
}

/// The most tokens in any span of so many milliseconds.
fn worst(runs: &[(u64, u64, u64)], span_ms: u64) -> u64 {
    let sums = runs.iter().map(|(at_ms, _, _)| {
        let counts = runs
            .iter()
            .filter(|(from_ms, to_ms, _)| from_ms <= at_ms && to_ms + span_ms > *at_ms);
        counts.map(|(_, _, tokens)| tokens).sum()
    });
    sums.max().unwrap()
}

#[test]
fn twenty_sessions_never_pass_a_limit_on_the_rate() {
    let limits = RateLimits {
        tokens_per_minute: Some(300),
        tokens_per_hour: Some(2_000),
    };
    for (limits, holds) in [(limits, true), (RateLimits::default(), false)] {
        let runs = play_rates(limits);
        let (minute, hour) = (worst(&runs, 60_000), worst(&runs, 3_600_000));
        println!(
            "{} runs; most in a minute {minute}, in an hour {hour}",
            runs.len()
        );
        assert_eq!((minute <= 300, hour <= 2_000), (holds, holds));
        assert_eq!(runs.len(), 160);
    }
}
