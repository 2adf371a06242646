//! What was usual is read from the index, and only from there.

use bowline_core::Fact;
use bowline_core::event::CallFailed;
use bowline_journal::{Error, PastAttempt, PastOf, Store};

use crate::index::write;
use crate::sample::{Script, finished, session_id};

fn of(project: &str) -> PastOf {
    PastOf {
        project: project.to_owned(),
        model: "openai/gpt-5-codex".to_owned(),
        since_ms: 0,
        with_calls: 2,
    }
}

fn kept(store: &Store, number: u64, script: &Script) {
    write(store, number, &script.events);
    store
        .update_index(session_id(number), &script.state)
        .unwrap();
}

fn at(past: &[PastAttempt]) -> Vec<u64> {
    past.iter().map(|one| one.at_ms).collect()
}

#[test]
fn attempts_come_oldest_first_and_the_newest_with_their_calls() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    let script = finished(session_id(1), "/srv/project", 4);
    let model = script.state.settings().unwrap().model.to_string();
    let mut of = of("/srv/project");
    of.model = model;
    assert_eq!(store.past(&of).unwrap(), None, "nothing ran yet");
    kept(&store, 1, &script);
    kept(&store, 2, &finished(session_id(2), "/srv/other", 1));
    let past = store.past(&of).unwrap().unwrap();
    assert_eq!(past.len(), 5);
    assert!(at(&past).is_sorted());
    let asked: Vec<u32> = past.iter().map(|one| one.asked).collect();
    assert_eq!(asked, [1, 1, 1, 1, 0]);
    let calls: Vec<usize> = past.iter().map(|one| one.calls.len()).collect();
    assert_eq!(calls, [0, 0, 0, 1, 0], "the newest two are looked at");
    assert_eq!(past[3].calls[0].tool, "shell");
    assert!(past[3].calls[0].result_bytes > 0 && !past[3].calls[0].failed);
    assert!(past.iter().all(|one| one.is_replied && one.turn == 1));
    assert_eq!(past[0].usage.map(|usage| usage.input_tokens), Some(900));
    of.since_ms = past[2].at_ms;
    assert_eq!(at(&store.past(&of).unwrap().unwrap()), at(&past)[2..]);
}

#[test]
fn a_call_that_failed_is_known_as_one() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    let mut script = Script::begin(session_id(1), "/srv/project", "go");
    script.waiting_step("rm -rf build");
    let call = script.state.waiting().next().unwrap().0.call.id;
    let error = bowline_core::ContextText::notice("no such tool");
    script.push(Fact::CallFailed(CallFailed { call, error }));
    kept(&store, 1, &script);
    let mut of = of("/srv/project");
    of.model = script.state.settings().unwrap().model.to_string();
    let past = store.past(&of).unwrap().unwrap();
    assert!(past[0].calls[0].failed);
}

#[test]
fn an_index_that_is_no_index_is_said_to_be_none() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    kept(&store, 1, &finished(session_id(1), "/srv/project", 1));
    std::fs::write(store.home().join("index.db"), b"no database").unwrap();
    let error = store.past(&of("/srv/project")).unwrap_err();
    assert!(
        matches!(error, Error::Index { broken: true, .. }),
        "{error}"
    );
}
