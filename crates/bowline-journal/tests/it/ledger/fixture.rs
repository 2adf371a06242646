//! A ledger of the first version is still read, and still written the same way.

use std::path::PathBuf;

use bowline_core::CallId;
use bowline_core::amounts::Amounts;
use bowline_journal::{Claim, ClaimKey, Edges, Grant, Salts, Store};
use uuid::Uuid;

use super::evidence::attempt;
use super::{NOON_MS, claim, input};
use crate::injection::scratch;

/// Set it to write the fixture anew, which is right only before its version is released.
const WRITE: &str = "JOURNAL_TEST_WRITE_FIXTURE";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/ledger/v1")
}

/// Every kind of record there is, the same bytes every time.
fn write(store: &Store) {
    let edges = Edges {
        salts: Salts::Derived(1),
        ..Edges::default()
    };
    let store = store.clone().with_edges(edges);
    // The file is begun anew before the last claim.
    let ledger = |number| match number {
        4 => store.ledger().rotated_at(10),
        _ => store.ledger(),
    };
    let money = Amounts {
        output_tokens: 5,
        cost_micro_usd: 1_234,
        steps: 1,
        ..input(100)
    };
    let call = Claim {
        key: ClaimKey::Call(CallId::from_uuid(Uuid::from_u128(9))),
        amounts: Amounts {
            tool_calls: 1,
            wall_ms: 2_000,
            ..Amounts::ZERO
        },
        ..claim(attempt(9), 1, NOON_MS, 0, 900)
    };
    assert_eq!(ledger(0).reserve(&call).unwrap(), Grant::Reserved);
    for number in 1..=4 {
        let asked = Claim {
            amounts: money,
            ..claim(attempt(number), 1, NOON_MS + 5, 0, 900)
        };
        assert_eq!(ledger(number).reserve(&asked).unwrap(), Grant::Reserved);
        if number % 2 == 0 {
            assert!(
                ledger(number)
                    .settle(asked.key, input(60), NOON_MS + 9)
                    .unwrap()
            );
        }
    }
    let found = ledger(0).reconcile(NOON_MS + 3_600_100).unwrap();
    assert_eq!((found.settled, found.ended), (0, 3));
}

#[test]
fn version_1_of_the_ledger_is_still_read_and_written() {
    let home = scratch();
    let store = Store::at(home.path());
    write(&store);
    let written = std::fs::read(store.ledger().path()).unwrap();
    let path = folder().join("ledger.jsonl");
    if std::env::var_os(WRITE).is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, &written).unwrap();
    }
    let fixture = std::fs::read(&path).unwrap();
    assert_eq!(
        String::from_utf8(fixture.clone()).unwrap(),
        String::from_utf8(written).unwrap()
    );
    let text = String::from_utf8(fixture.clone()).unwrap();
    for kind in ["Reserved", "Settled", "OwnerLost", "Carried"] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
    let read = scratch();
    std::fs::write(read.path().join("ledger.jsonl"), fixture).unwrap();
    let view = Store::at(read.path()).ledger().view().unwrap();
    assert!(view.damage().is_none());
    let day = view.day(NOON_MS);
    assert_eq!(day.spent, input(120));
    let open = (day.set_aside.total_tokens(), day.set_aside.cost_micro_usd);
    assert_eq!((open, day.set_aside.tool_calls), ((210, 2_468), 1));
    assert_eq!(view.project("/srv/project-1"), day);
}
