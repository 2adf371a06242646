//! Beginnings that find bad ends, and facts that become system events.

use std::path::Path;

use bowline_core::system::{ConfigFile, Crashed, EndedHow, OwnerEnded, Stopped};
use bowline_core::{Digest, Event, SessionId, State, StreamEvent, SystemFact};
use bowline_journal::{Owner, Store};
use uuid::Uuid;

use super::*;
use crate::Silent;
use crate::face::Face;

fn session(number: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(number))
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::at(folder.path());
    (folder, store)
}

fn log(store: &Store) -> RunLog {
    RunLog::new(store.installation(), Clock::system())
}

fn beginning(number: u128) -> Beginning {
    Beginning {
        session: session(number),
        command: "exec".to_owned(),
        version: "1".to_owned(),
        program: "/proc/self/exe".into(),
        config_files: Vec::new(),
        cwd: "/work".to_owned(),
    }
}

fn stopped() -> SystemFact {
    SystemFact::Stopped(Stopped {
        exit_code: 0,
        stop_reason: None,
        detail: None,
    })
}

fn kinds(store: &Store) -> Vec<String> {
    let log = store.installation().read().expect("it is read");
    assert!(log.damage.is_empty(), "{:?}", log.damage);
    let kind = |one: &bowline_journal::SystemRecorded| one.event.fact.kind().to_owned();
    log.events.iter().map(kind).collect()
}

#[test]
fn a_run_that_ended_without_a_word_is_found_once() {
    let (_folder, store) = store();
    assert!(log(&store).begin(&store, beginning(1)).is_empty());
    let second = log(&store);
    let found = second.begin(&store, beginning(2));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].ended_session, Some(session(1)));
    assert_eq!(found[0].how, EndedHow::Silently);
    second.record(stopped());
    assert!(log(&store).begin(&store, beginning(3)).is_empty());
    assert_eq!(
        kinds(&store),
        ["Started", "EndFound", "Started", "Stopped", "Started"]
    );
}

#[test]
fn a_run_at_work_is_proven_by_the_lock_of_its_session() {
    let (_folder, store) = store();
    let owner = Owner {
        pid: 1,
        since_ms: 0,
        app_version: "1".to_owned(),
        command: "exec".to_owned(),
        terminal: String::new(),
    };
    let owned = store.create(session(1), &owner).expect("it is made");
    log(&store).begin(&store, beginning(1));
    let second = log(&store);
    assert!(second.begin(&store, beginning(2)).is_empty());
    second.record(stopped());
    drop(owned);
    let found = log(&store).begin(&store, beginning(3));
    assert_eq!(found[0].ended_session, Some(session(1)));
}

#[test]
fn a_run_that_a_person_ended_to_take_its_session_over_is_no_riddle() {
    let (_folder, store) = store();
    log(&store).begin(&store, beginning(1));
    log(&store).record_about(
        Some(session(1)),
        SystemFact::OwnerEnded(OwnerEnded {
            pid: std::process::id(),
            since_ms: None,
            by_force: true,
            took_ms: 5,
        }),
    );
    assert!(log(&store).begin(&store, beginning(2)).is_empty());
    assert_eq!(kinds(&store), ["Started", "OwnerEnded", "Started"]);
}

#[test]
fn a_crash_is_reported_by_the_next_run_even_if_the_rest_went_on() {
    let (_folder, store) = store();
    let first = log(&store);
    first.begin(&store, beginning(1));
    first.record(SystemFact::Crashed(Crashed {
        message: "boom".to_owned(),
        location: String::new(),
        backtrace: String::new(),
    }));
    first.record(stopped());
    let found = log(&store).begin(&store, beginning(2));
    assert_eq!(found[0].how, EndedHow::Crashed);
}

#[test]
fn configuration_is_compared_with_the_last_run_in_the_same_folder() {
    let (_folder, store) = store();
    let file = |text: &str| ConfigFile {
        path: "/c/config.toml".to_owned(),
        sha256: Digest::of(text.as_bytes()),
    };
    let table = [
        ("/a", vec![file("1")], false),
        ("/b", vec![file("2")], false),
        ("/a", vec![file("1")], false),
        ("/a", vec![file("2")], true),
        ("/a", vec![], true),
        ("/b", vec![file("2")], false),
    ];
    for (cwd, config_files, changed) in table {
        let before = kinds(&store).len();
        let run = log(&store);
        run.begin(
            &store,
            Beginning {
                cwd: cwd.to_owned(),
                config_files,
                ..beginning(1)
            },
        );
        run.record(stopped());
        let said = kinds(&store)[before..].contains(&"ConfigChanged".to_owned());
        assert_eq!(said, changed, "{cwd}");
    }
}

#[test]
fn the_programs_hash_is_taken_from_the_log_while_the_file_is_the_same() {
    let (folder, store) = store();
    let program = folder.path().join("program");
    let hash_of_last = |program: &Path| {
        let run = log(&store);
        let beginning = Beginning {
            program: program.to_owned(),
            ..beginning(1)
        };
        run.begin(&store, beginning);
        run.record(stopped());
        let log = store.installation().read().expect("it is read");
        let last = log
            .events
            .iter()
            .rev()
            .find_map(|one| match &one.event.fact {
                SystemFact::Started(started) => Some(started.as_ref().clone()),
                _ => None,
            });
        last.expect("a start")
    };
    std::fs::write(&program, "one").expect("written");
    let first = hash_of_last(&program);
    assert_eq!(first.binary_sha256, Some(Digest::of(b"one")));
    assert_eq!(hash_of_last(&program).binary_sha256, first.binary_sha256);
    std::fs::write(&program, "other").expect("written");
    assert_eq!(
        hash_of_last(&program).binary_sha256,
        Some(Digest::of(b"other"))
    );
    let missing = hash_of_last(&folder.path().join("missing"));
    assert_eq!(missing.binary_sha256, None);
}

#[test]
fn a_log_that_cannot_be_written_stops_nobody_and_says_so_once() {
    let store = Store::at("/proc/nowhere");
    let run = log(&store);
    assert!(run.begin(&store, beginning(1)).is_empty());
    run.record(stopped());
    assert!(run.failure().expect("a reason").contains("/proc/nowhere"));
    assert_eq!(run.failure(), None);
}

/// The kinds that a watched face records of these facts, each as `kind` and `data`.
fn watched(facts: &[(&str, serde_json::Value)]) -> Vec<String> {
    let (_folder, store) = store();
    let run = log(&store);
    let mut silent = Silent;
    let mut face = Watched::new(&mut silent, &run, None, &State::new());
    for (kind, data) in facts {
        let event = serde_json::json!({ "at_ms": 1, "kind": kind, "data": data });
        let event: Event = serde_json::from_str(&event.to_string()).expect(kind);
        face.show(&StreamEvent::Event {
            seq: bowline_core::Seq(1),
            event: Box::new(event),
        });
    }
    if !store.installation().path().exists() {
        return Vec::new();
    }
    kinds(&store)
}

#[test]
fn facts_that_matter_to_the_installation_are_recorded() {
    let id = Uuid::from_u128(5);
    let failed = |retry: Option<u64>, kind: &str| {
        serde_json::json!({ "attempt": id, "retry_in_ms": retry, "failure": {
            "kind": kind, "message": "m", "status": null, "retry_after_ms": null, "usage": null } })
    };
    let ended = |stop: &str| serde_json::json!({ "turn": 1, "stop": stop });
    let doubt = serde_json::json!({ "call": id, "why": "w",
        "told": { "text": "t", "origin": "harness" } });
    let finished = |sandbox_denied: bool| {
        serde_json::json!({ "call": id, "outcome": { "status": "error", "summary": "exit 1",
            "content": { "text": "t", "origin": "harness" }, "duration_ms": 1,
            "sandbox_denied": sandbox_denied } })
    };
    let table: [(&str, serde_json::Value, &[&str]); 11] = [
        ("AttemptFailed", failed(None, "auth"), &["ProviderFailed"]),
        ("AttemptFailed", failed(Some(5), "cut"), &[]),
        ("AttemptFailed", failed(None, "cancelled"), &[]),
        ("TurnEnded", ended("budget"), &["BudgetStopped"]),
        ("TurnEnded", ended("step_limit"), &["BudgetStopped"]),
        ("TurnEnded", ended("length"), &["ReplyStopped"]),
        ("TurnEnded", ended("refused"), &["ReplyStopped"]),
        ("TurnEnded", ended("done"), &[]),
        ("CallInDoubt", doubt, &["CallLeftInDoubt"]),
        ("CallFinished", finished(true), &["SandboxDenied"]),
        ("CallFinished", finished(false), &[]),
    ];
    for (kind, data, expected) in table {
        assert_eq!(watched(&[(kind, data.clone())]), expected, "{kind} {data}");
    }
}
