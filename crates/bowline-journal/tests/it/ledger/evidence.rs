//! What becomes of claims whose owner is gone: the journal tells, and nothing else does.

use bowline_core::amounts::{Amounts, Cap, RateLimits};
use bowline_core::event::{AttemptFailed, OwnerChanged};
use bowline_core::failure::{FailureKind, ProviderFailure};
use bowline_core::{AttemptId, Block, Epoch, Fact, Usage};
use bowline_journal::{Claim, ClaimKey, Grant, Journal as _, Ledger, Reconciled, Store};
use uuid::Uuid;

use super::{NOON_MS, claim, input};
use crate::sample::{Script, block_on, owner, session_id};

const HOUR_MS: u64 = 3_600_000;
const NEED: u64 = 100;

pub(super) fn attempt(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

/// What the journal of a session says of its attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    Nothing,
    Start,
    Reply,
    Failure,
    Charged,
}

/// A session that nobody owns, with one claim.
pub(super) fn left(store: &Store, ledger: &Ledger, number: u64, recorded: Recorded) -> ClaimKey {
    let session = session_id(number);
    let mut script = Script::begin(session, "/srv/project-0", "go");
    let mut attempt = attempt(number.into());
    if recorded != Recorded::Nothing {
        attempt = script.attempt();
    }
    match recorded {
        Recorded::Nothing | Recorded::Start => {}
        Recorded::Reply => {
            let usage = Usage {
                input_tokens: 7,
                output_tokens: 5,
                ..Usage::default()
            };
            let text = "done".to_owned();
            script.replied(attempt, vec![Block::Text { text }], usage);
        }
        Recorded::Failure => script.push(failure(attempt, None)),
        Recorded::Charged => script.push(failure(attempt, Some(input(33)))),
    }
    let mut journal = store.create(session, &owner()).unwrap().journal;
    let claim = claim(attempt, number, NOON_MS, NEED, u64::MAX);
    assert_eq!(ledger.reserve(&claim).unwrap(), Grant::Reserved);
    block_on(journal.append(Epoch(1), script.events)).unwrap();
    claim.key
}

fn open() -> (tempfile::TempDir, Store, Ledger) {
    let home = crate::injection::scratch();
    let store = Store::at(home.path().join("state"));
    let ledger = store.ledger();
    (home, store, ledger)
}

/// What is spent and what is set aside.
fn taken(ledger: &Ledger) -> (u64, u64) {
    let total = ledger.view().unwrap().day(NOON_MS);
    (total.spent.total_tokens(), total.set_aside.total_tokens())
}

fn found(settled: usize, ended: usize) -> Reconciled {
    Reconciled { settled, ended }
}

#[test]
fn a_claim_is_settled_by_what_its_journal_says() {
    for (recorded, expect, reconciled) in [
        (Recorded::Nothing, (0, 0), found(1, 0)),
        (Recorded::Start, (0, NEED), found(0, 1)),
        (Recorded::Reply, (12, 0), found(1, 0)),
        (Recorded::Failure, (NEED, 0), found(1, 0)),
        (Recorded::Charged, (33, 0), found(1, 0)),
    ] {
        let (_home, store, ledger) = open();
        left(&store, &ledger, 1, recorded);
        assert_eq!(taken(&ledger), (0, NEED));
        // While somebody owns the session nothing is known.
        let owned = store.open(session_id(1), &owner()).unwrap();
        assert_eq!(ledger.reconcile(NOON_MS + 1).unwrap(), found(0, 0));
        assert_eq!(taken(&ledger), (0, NEED), "{recorded:?}");
        drop(owned);
        assert_eq!(ledger.reconcile(NOON_MS + 2).unwrap(), reconciled);
        assert_eq!(taken(&ledger), expect, "{recorded:?}");
        assert_eq!(ledger.reconcile(NOON_MS + 3).unwrap(), found(0, 0));
        assert_eq!(taken(&store.ledger()), expect, "{recorded:?}");
    }
}

#[test]
fn the_owner_itself_settles_what_earlier_owners_left() {
    let (_home, store, ledger) = open();
    left(&store, &ledger, 1, Recorded::Nothing);
    let _owned = store.open(session_id(1), &owner()).unwrap();
    let reconciled = ledger.reconcile_owned(session_id(1), NOON_MS + 1).unwrap();
    assert_eq!((reconciled, taken(&ledger)), (found(1, 0), (0, 0)));
}

#[test]
fn a_later_owner_may_still_tell() {
    let (_home, store, ledger) = open();
    let key = left(&store, &ledger, 1, Recorded::Start);
    assert_eq!(ledger.reconcile(NOON_MS + 1).unwrap(), found(0, 1));
    let mut owned = store.open(session_id(1), &owner()).unwrap();
    let ClaimKey::Attempt(attempt) = key else {
        panic!("{key:?}");
    };
    let taken_over = Fact::OwnerChanged(OwnerChanged {
        epoch: Epoch(2),
        pid: 1,
        app_version: "0".to_owned(),
    });
    let facts = vec![taken_over, failure(attempt, None)];
    let events = facts
        .into_iter()
        .map(|fact| bowline_core::Event::new(NOON_MS, fact));
    block_on(owned.journal.append(Epoch(2), events.collect())).unwrap();
    drop(owned);
    assert_eq!(ledger.reconcile(NOON_MS + 2).unwrap(), found(1, 0));
    assert_eq!(taken(&ledger), (NEED, 0));
}

#[test]
fn what_cannot_tell_leaves_a_claim_counted() {
    // A session that is gone, at once and after an hour; a damaged journal; a repaired one.
    let (_home, store, ledger) = open();
    left(&store, &ledger, 1, Recorded::Reply);
    store.delete(session_id(1), &owner()).unwrap();
    assert_eq!(ledger.reconcile(NOON_MS + 1).unwrap(), found(0, 0));
    assert_eq!(ledger.reconcile(NOON_MS + HOUR_MS).unwrap(), found(0, 1));
    assert_eq!(taken(&ledger), (0, NEED));

    let (_home, store, ledger) = open();
    left(&store, &ledger, 1, Recorded::Nothing);
    let path = store.session_dir(session_id(1)).journal();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("You work in", "You play in")).unwrap();
    assert_eq!(ledger.reconcile(NOON_MS + 1).unwrap(), found(0, 1));
    assert_eq!(taken(&ledger), (0, NEED));

    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    std::fs::write(&path, cut).unwrap();
    let told = |_: &_, _: &_| Vec::new();
    store
        .repair(session_id(1), &owner(), &told)
        .unwrap()
        .unwrap();
    assert_eq!(ledger.reconcile(NOON_MS + 2).unwrap(), found(0, 0));
    assert_eq!(taken(&ledger), (0, NEED));
}

#[test]
fn a_claim_that_would_not_fit_looks_for_evidence_first() {
    let (_home, store, ledger) = open();
    left(&store, &ledger, 1, Recorded::Reply);
    left(&store, &ledger, 2, Recorded::Nothing);
    let next = |number, need, cap| claim(attempt(number), 9, NOON_MS + 1, need, cap);
    // 12 are spent by evidence; 88 are left, to the last one.
    let refused = ledger.reserve(&next(100, 89, 100)).unwrap();
    assert!(matches!(refused, Grant::Exceeds { .. }), "{refused:?}");
    assert_eq!(
        ledger.reserve(&next(101, 88, 100)).unwrap(),
        Grant::Reserved
    );
}

#[test]
fn an_owner_that_is_gone_leaves_the_rate_when_it_is_found() {
    let (_home, store, ledger) = open();
    left(&store, &ledger, 1, Recorded::Start);
    let next = |number, at_ms| Claim {
        project_cap: Cap::default(),
        day_cap: Cap::default(),
        rates: RateLimits {
            tokens_per_minute: Some(NEED),
            tokens_per_hour: None,
        },
        ..claim(attempt(number), 9, at_ms, 1, 0)
    };
    let Grant::Wait(wait) = ledger.reserve(&next(100, NOON_MS + HOUR_MS)).unwrap() else {
        panic!("it counts whole until its end is found");
    };
    assert_eq!(wait.until_ms, NOON_MS + HOUR_MS + 60_000);
    let late = ledger.reserve(&next(101, wait.until_ms)).unwrap();
    assert_eq!(late, Grant::Reserved);
    // Under a cap it stays counted whole.
    assert_eq!(taken(&ledger), (0, NEED + 1));
}

#[test]
fn tool_calls_are_told_too() {
    let (_home, store, ledger) = open();
    let session = session_id(1);
    let mut journal = store.create(session, &owner()).unwrap().journal;
    let mut script = Script::begin(session, "/srv/project-0", "go");
    script.shell_step("true", "");
    let call = script.events.iter().find_map(|event| match &event.fact {
        Fact::CallStarted(started) => Some(started.call()),
        _ => None,
    });
    for (number, call) in [
        call.unwrap(),
        bowline_core::CallId::from_uuid(Uuid::from_u128(3)),
    ]
    .into_iter()
    .enumerate()
    {
        let asked = Claim {
            key: ClaimKey::Call(call),
            amounts: Amounts {
                tool_calls: 1,
                wall_ms: 1_000,
                ..Amounts::ZERO
            },
            ..claim(attempt(1), 1, NOON_MS + number as u64, 0, 10)
        };
        assert_eq!(ledger.reserve(&asked).unwrap(), Grant::Reserved);
    }
    block_on(journal.append(Epoch(1), script.events)).unwrap();
    drop(journal);
    assert_eq!(ledger.reconcile(NOON_MS + 9).unwrap(), found(2, 0));
    let spent = ledger.view().unwrap().day(NOON_MS).spent;
    assert_eq!((spent.tool_calls, spent.wall_ms), (1, 12));
}

fn failure(attempt: AttemptId, charged: Option<Amounts>) -> Fact {
    Fact::AttemptFailed(AttemptFailed {
        attempt,
        failure: ProviderFailure::new(FailureKind::Cut, "gone"),
        retry_in_ms: None,
        charged,
    })
}
