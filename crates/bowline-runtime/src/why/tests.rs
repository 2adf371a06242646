//! Pages over little evidence: what is not known is said, not guessed.

use bowline_core::{Event, Fact, Receipt, Seq};
use bowline_journal::{Recorded, SystemLog};
use uuid::Uuid;

use super::*;

fn events(facts: &[(&str, serde_json::Value)]) -> Vec<Recorded> {
    let recorded = facts.iter().zip(1..).map(|((kind, data), seq)| {
        let event = serde_json::json!({ "at_ms": seq, "kind": kind, "data": data });
        let event: Event = serde_json::from_str(&event.to_string()).expect(kind);
        Recorded {
            receipt: Receipt {
                session: session(),
                seq: Seq(seq),
                epoch: bowline_core::Epoch(1),
                hash: bowline_core::Digest::of(b"x"),
            },
            event,
            offset_bytes: 0,
            line_bytes: 0,
        }
    });
    recorded.collect()
}

fn session() -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(7))
}

fn begun() -> Vec<(&'static str, serde_json::Value)> {
    vec![
        (
            "OwnerChanged",
            serde_json::json!({ "epoch": 1, "pid": 3, "app_version": "1" }),
        ),
        (
            "SessionStarted",
            serde_json::json!({ "session": session(), "app_version": "1", "cwd": "/w",
                "roots": ["/w"], "prompt": { "system": "s", "tools": [] },
                "settings": { "model": "scripted/x", "base_url": null, "mode": "ask",
                    "on_ask": "park", "limits": { "max_steps": 5, "max_tokens": null,
                    "max_output_tokens": null } } }),
        ),
        ("TurnStarted", serde_json::json!({ "turn": 1 })),
    ]
}

fn page(facts: &[(&str, serde_json::Value)], damage: Option<&str>) -> Why {
    let events = events(facts);
    let system = SystemLog::default();
    why(&Evidence {
        session: session(),
        events: &events,
        damage: damage.map(str::to_owned),
        synced_seq: Seq(0),
        torn_bytes: 0,
        owner: None,
        has_letters: false,
        system: &system,
        folder: None,
        call: None,
    })
}

#[test]
fn a_session_without_events_is_new() {
    let page = page(&[], None);
    assert_eq!(page.standing, Standing::New);
    assert_eq!(page.last_event, None);
    assert!(
        page.next[0]
            .command
            .as_deref()
            .is_some_and(|c| c.contains("--resume"))
    );
}

#[test]
fn an_unfinished_turn_without_a_system_log_is_not_called_killed() {
    let page = page(&begun(), None);
    assert_eq!(page.standing, Standing::Unfinished);
    assert!(
        page.missing[0].contains("cannot be told"),
        "{:?}",
        page.missing
    );
    assert_eq!(page.last_event.map(|last| last.kind), Some("TurnStarted"));
}

#[test]
fn damage_comes_first() {
    let page = page(&begun(), Some("record 4 is damaged"));
    assert_eq!(page.standing, Standing::Damaged);
    assert!(page.cause[0].text.contains("record 4"));
}

#[test]
fn a_failure_without_its_system_event_is_stated_and_the_gap_named() {
    let mut facts = begun();
    facts.push((
        "TurnEnded",
        serde_json::json!({ "turn": 1, "stop": "step_limit", "detail": "5 steps taken" }),
    ));
    let page = page(&facts, None);
    assert_eq!(page.standing, Standing::Ended);
    assert!(page.cause[0].text.contains("5 steps taken"));
    assert_eq!(page.cause[0].sources, ["journal #4 TurnEnded"]);
    assert!(
        page.missing
            .iter()
            .any(|line| line.contains("BudgetStopped"))
    );
    let Some(Fact::TurnEnded(_)) = events(&facts).pop().map(|last| last.event.fact) else {
        panic!("the last fact is the end of the turn");
    };
}
