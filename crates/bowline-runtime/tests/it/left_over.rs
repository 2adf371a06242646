//! What an owner claimed over all sessions and never came to do is settled by the next owner.

use bowline_core::amounts::{Amounts, Cap, RateLimits};
use bowline_core::{AttemptId, Mode, SessionId, StopReason};
use bowline_journal::{Claim, ClaimKey, Grant, Owner, Store};
use bowline_runtime::{Rest, Session, Silent};
use serde_json::json;
use uuid::Uuid;

use crate::stage::{Hands, WALL_MS, harness, places, prompted, run, started};

const CAP: u64 = 1_000_000;

#[test]
fn a_claim_that_was_never_recorded_keeps_nobody_from_going_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("state"));
    let owner = Owner {
        pid: std::process::id(),
        since_ms: 0,
        app_version: "0".to_owned(),
        command: "test".to_owned(),
        terminal: String::new(),
    };
    let clock = Hands::default().clock();
    let id = SessionId::from_uuid(Uuid::from_u128(7));
    let scenario = json!({ "version": 1, "steps": [{ "text": "done" }, { "text": "done again" }] });
    let mut harness = harness(&clock, folder.path(), Mode::Edit, &scenario);
    let ledger = store.ledger();
    harness.ledger = Some(ledger.clone());
    let limits = json!({ "limits": {
        "max_steps": 9, "max_tokens": null, "max_output_tokens": null,
        "caps": { "day": { "tokens": CAP } },
    } });
    let owned = store.create(id, &owner).unwrap();
    let begun = started(id, folder.path(), limits);
    let journal = Box::new(owned.journal);
    let mut session = Session::begin(journal, places(folder.path()), clock.clone(), begun);
    prompted(&mut session, "first");
    let rest = run(&mut session, &harness, &mut Silent, || {}).unwrap();
    assert!(matches!(rest, Rest::Ended(StopReason::Done, _)), "{rest:?}");
    drop(session);

    // The next owner ended between its claim and its record.
    let left = Claim {
        key: ClaimKey::Attempt(AttemptId::from_uuid(Uuid::max())),
        session: id,
        project: folder.path().display().to_string(),
        at_ms: WALL_MS,
        amounts: Amounts {
            input_tokens: CAP,
            ..Amounts::ZERO
        },
        project_cap: Cap::default(),
        day_cap: Cap::default(),
        rates: RateLimits::default(),
    };
    assert_eq!(ledger.reserve(&left).unwrap(), Grant::Reserved);

    let owned = store.open(id, &owner).unwrap();
    let journal = Box::new(owned.journal);
    let opened = Session::open(journal, places(folder.path()), clock, "0");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut session = runtime.block_on(opened).unwrap();
    prompted(&mut session, "second");
    let rest = run(&mut session, &harness, &mut Silent, || {}).unwrap();
    assert!(matches!(rest, Rest::Ended(StopReason::Done, _)), "{rest:?}");
    let view = ledger.view().unwrap();
    assert_eq!(view.open().count(), 0);
    let spent = view.day(WALL_MS).spent;
    assert_eq!(spent, view.project(&left.project).spent);
    assert_eq!(spent.steps, 2, "{spent:?}");
}
