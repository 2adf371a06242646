//! What claims cost: in one process, beside others, under a cap; and reading the ledger at a start.
#![expect(
    clippy::expect_used,
    reason = "a bench that cannot set itself up has nothing to measure"
)]

use bowline_core::amounts::{Amounts, Cap, RateLimits};
use bowline_core::{AttemptId, SessionId};
use bowline_journal::{Claim, ClaimKey, Grant, Ledger, Store};
use divan::Bencher;
use tempfile::TempDir;
use uuid::Uuid;

fn main() {
    divan::main();
}

const AT_MS: u64 = 1_767_225_600_000;

fn open() -> (TempDir, Store, Ledger) {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let store = Store::at(home.path());
    let ledger = store.ledger();
    (home, store, ledger)
}

fn claim(number: u128, limit: Option<u64>) -> Claim {
    Claim {
        key: ClaimKey::Attempt(AttemptId::from_uuid(Uuid::from_u128(number))),
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        project: "/srv/work/project".to_owned(),
        at_ms: AT_MS,
        amounts: Amounts {
            input_tokens: 10_000,
            output_tokens: 8_000,
            cost_micro_usd: 54_321,
            ..Amounts::ZERO
        },
        project_cap: Cap::default(),
        day_cap: Cap {
            tokens: limit,
            ..Cap::default()
        },
        rates: RateLimits {
            tokens_per_minute: None,
            tokens_per_hour: limit,
        },
    }
}

fn spend(ledger: &Ledger, number: u128, limit: Option<u64>) {
    let claim = claim(number, limit);
    let granted = ledger.reserve(&claim).expect("the disk works");
    assert_eq!(granted, Grant::Reserved);
    let settled = ledger.settle(claim.key, claim.amounts, AT_MS);
    assert!(settled.expect("the disk works"));
}

/// A claim and its settlement without a cap: nothing is synced but what begins a new file.
#[divan::bench(sample_count = 2_000, sample_size = 1)]
fn reserve_and_settle(bencher: Bencher) {
    let (_home, _store, ledger) = open();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        spend(&ledger, number, None);
    });
}

/// The same under a cap and a limit, synced once.
#[divan::bench(sample_count = 500, sample_size = 1)]
fn reserve_and_settle_under_a_cap(bencher: Bencher) {
    let (_home, _store, ledger) = open();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        spend(&ledger, number, Some(u64::MAX));
    });
}

/// The same when another process has written in between.
#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn reserve_and_settle_beside_another(bencher: Bencher) {
    let (_home, store, ledger) = open();
    let other = store.ledger();
    let mut number = 0;
    bencher
        .with_inputs(|| {
            number += 1;
            spend(&other, number, None);
            number += 1;
            number
        })
        .bench_local_values(|number| spend(&ledger, number, None));
}

/// The first claim of a process: reads a file that is about to be begun anew, after so many claims
/// of the last hour.
#[divan::bench(args = [0, 130, 10_000], sample_count = 200, sample_size = 1)]
fn first_claim(bencher: Bencher, before: u128) {
    let (_home, store, ledger) = open();
    for number in 0..before {
        spend(&ledger, number, None);
    }
    let mut number = before;
    bencher
        .with_inputs(|| store.ledger())
        .bench_local_values(|ledger| {
            number += 1;
            spend(&ledger, number, None);
        });
}
