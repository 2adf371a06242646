//! The index: derived, rebuildable, and never needed for a right answer.

use bowline_core::decision::Scope;
use bowline_core::event::DecisionAnswered;
use bowline_core::{Epoch, Event, Fact, Mode, StopReason, Verdict};
use bowline_journal::{
    CallRow, DecisionRow, Error, Hit, Journal as _, Status, Store, Summary, UsageRow,
};

use crate::sample::{Script, block_on, finished, owner, session_id};

fn empty() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    (home, store)
}

/// Appends the events of a script from place `from` on.
pub(crate) fn write(store: &Store, number: u64, events: &[Event]) {
    let session = session_id(number);
    let mut owned = match store.open(session, &owner()) {
        Err(Error::NotFound { .. }) => store.create(session, &owner()).unwrap(),
        owned => owned.unwrap(),
    };
    for event in events {
        let epoch = match &event.fact {
            Fact::OwnerChanged(change) => change.epoch,
            _ => owned.journal.epoch(),
        };
        block_on(owned.journal.append(epoch, vec![event.clone()])).unwrap();
    }
}

/// Three sessions: finished, waiting, and one that has not begun.
fn three(store: &Store) -> [Script; 2] {
    let done = finished(session_id(1), "/srv/project", 4);
    let mut waits = Script::begin(session_id(2), "/srv/other", "\n\n  Delete it all  \nplease");
    waits.shell_step("ls", "Makefile\nREADME.md \"quoted\" naïve\n");
    waits.waiting_step("rm -rf build");
    write(store, 1, &done.events);
    write(store, 2, &waits.events);
    drop(store.create(session_id(3), &owner()).unwrap());
    [done, waits]
}

/// Everything a store can be asked.
#[derive(Debug, PartialEq)]
struct Answers {
    summaries: Vec<Summary>,
    of_one_folder: Vec<Summary>,
    decisions: Vec<Vec<DecisionRow>>,
    usage: Vec<Vec<UsageRow>>,
    all_usage: Vec<UsageRow>,
    calls: Vec<CallRow>,
    hits: Vec<Vec<Hit>>,
}

fn ask(store: &Store) -> Answers {
    let view = store.view().unwrap();
    let sessions = [session_id(1), session_id(2), session_id(3)];
    assert_eq!(store.summaries().unwrap(), view.sessions(None));
    Answers {
        summaries: view.sessions(None),
        of_one_folder: view.sessions(Some("/srv/other")),
        decisions: sessions
            .map(|session| view.decisions(session).unwrap())
            .to_vec(),
        usage: sessions
            .map(|session| view.usage(session).unwrap())
            .to_vec(),
        all_usage: view.usage_within(&(0..u64::MAX)).unwrap(),
        calls: view.calls_within(&(0..u64::MAX)).unwrap(),
        hits: [
            "needle",
            "delete please",
            "makefile",
            "\"quoted\" naïve",
            "absent word",
            "it",
        ]
        .map(|words| view.search(words, 50).unwrap())
        .to_vec(),
    }
}

#[test]
fn answers_are_right() {
    let (_home, store) = empty();
    let [done, waits] = three(&store);
    let answers = ask(&store);
    let [first, second] = answers.summaries.try_into().unwrap();
    assert_eq!(
        (first.session, second.session),
        (session_id(1), session_id(2))
    );
    assert!(
        first.updated_ms > second.updated_ms,
        "the one last changed comes first"
    );
    assert_eq!(first.title, "Find the fault.");
    assert_eq!(second.title, "Delete it all");
    assert_eq!(
        (first.status, second.status),
        (Status::Ended(StopReason::Done), Status::Waiting)
    );
    assert_eq!((first.steps, second.steps), (5, 2));
    assert_eq!((first.waiting, second.waiting), (0, 1));
    assert_eq!(first.usage.input_tokens, 5 * 900);
    assert_eq!(
        (first.mode, first.model.to_string()),
        (Mode::Full, "scripted/sample.json".into())
    );
    assert_eq!(first.last.seq.0, done.events.len() as u64);
    assert_eq!(first.started_ms, done.events[0].at_ms);
    assert_eq!(second.updated_ms, waits.events.last().unwrap().at_ms);
    let journal = store.session_dir(session_id(1)).journal();
    assert_eq!(
        first.journal_bytes,
        std::fs::metadata(journal).unwrap().len()
    );
    assert_eq!(answers.of_one_folder, [second]);

    assert_eq!(answers.decisions[0].len(), 4);
    let question = answers.decisions[1].last().unwrap();
    assert_eq!(
        (question.verdict.as_str(), question.tool.as_str()),
        ("ask", "shell")
    );
    assert!(question.essence.contains("rm -rf build") && question.answer.is_none());
    assert_eq!(answers.usage[0].len(), 5);
    assert_eq!(answers.usage[0][4].step, 5);
    assert!(answers.usage[0].iter().all(|row| row.outcome == "replied"));
    assert_eq!(answers.all_usage, answers.usage.concat());
    let row = &answers.all_usage[0];
    assert_eq!(row.project, "/srv/project");
    assert_eq!((row.evidence.as_str(), row.is_priced), ("weight", false));
    assert_eq!(row.charged.total_tokens(), 940, "as the provider reported");
    assert_eq!(row.reserved.output_tokens, 0, "older records tell the sum");
    assert_eq!(row.reserved.input_tokens, row.reserved_tokens);
    let tools: Vec<_> = answers.calls.iter().map(|call| &call.tool).collect();
    assert_eq!(tools, ["shell"; 6]);
    assert_eq!(answers.calls[4].result_bytes, 35);
    assert_eq!(answers.calls[5].result_bytes, 0, "it waits");

    let [needle, delete, makefile, quoted, absent, _it] = answers.hits.try_into().unwrap();
    assert_eq!(needle.len(), 5, "four results and the answer");
    assert!(
        needle[0].snippet.contains("It was the needle."),
        "newest first"
    );
    assert_eq!((delete[0].kind.as_str(), delete[0].seq.0), ("prompt", 3));
    assert_eq!(makefile[0].session, session_id(2));
    assert_eq!(quoted[0].kind, "result");
    assert!(absent.is_empty());
}

#[test]
fn answers_are_equal_with_without_and_after_rebuilding_the_index() {
    let (_home, store) = empty();
    let [done, waits] = three(&store);
    let path = store.home().join("index.db");
    let without = ask(&store);
    assert!(!path.exists());

    store.update_index(session_id(1), &done.state).unwrap();
    assert_eq!(
        ask(&store),
        without,
        "one session indexed, one read from its journal"
    );
    store.update_index(session_id(2), &waits.state).unwrap();
    assert_eq!(ask(&store), without, "both indexed");

    std::fs::remove_file(&path).unwrap();
    assert_eq!(ask(&store), without, "the index is gone");
    assert_eq!(store.rebuild_index().unwrap(), 2);
    assert!(path.exists());
    assert_eq!(ask(&store), without, "the index was built anew");
}

#[test]
fn an_index_is_brought_up_to_date_piece_by_piece() {
    let (_home, store) = empty();
    let mut script = Script::begin(session_id(1), "/srv/project", "First");
    script.shell_step("ls", "apple\n");
    let decision = script.waiting_step("rm x");
    write(&store, 1, &script.events);
    store.update_index(session_id(1), &script.state).unwrap();

    let before = script.events.len();
    script.own(Epoch(2));
    script.push(Fact::DecisionAnswered(DecisionAnswered {
        key: "answer".to_owned(),
        decision,
        verdict: Verdict::Deny,
        scope: Scope::Once,
        by: "command line".to_owned(),
        note: None,
    }));
    script.shell_step("cat pear", "pear\n");
    script.finish("Done with the banana.");
    write(&store, 1, &script.events[before..]);
    let stale = ask(&store);
    store.update_index(session_id(1), &script.state).unwrap();
    let brought_up = ask(&store);
    assert_eq!(brought_up, stale);
    store.rebuild_index().unwrap();
    assert_eq!(ask(&store), brought_up);
    let answered = &brought_up.decisions[0][1];
    assert_eq!(answered.answer.as_deref(), Some("deny"));
    assert_eq!(answered.answered_by.as_deref(), Some("command line"));
    let view = store.view().unwrap();
    for word in ["apple", "pear", "banana"] {
        assert_eq!(view.search(word, 10).unwrap().len(), 1, "{word}");
    }
    // Nothing new: nothing changes.
    store.update_index(session_id(1), &script.state).unwrap();
    assert_eq!(ask(&store), brought_up);
}

#[test]
fn a_broken_foreign_or_newer_index_is_replaced() {
    let (_home, store) = empty();
    let [done, waits] = three(&store);
    let right = ask(&store);
    let path = store.home().join("index.db");
    let database = |sql: &str| {
        let _absent = std::fs::remove_file(&path);
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        std::fs::read(&path).unwrap()
    };
    store.rebuild_index().unwrap();
    let mut cut = std::fs::read(&path).unwrap();
    cut.truncate(cut.len() / 2);
    let foreign = database("create table sessions (id)");
    let newer = database(
        "pragma application_id = 1112495948; pragma user_version = 99; create table t (x)",
    );
    for bytes in [
        b"not a database".repeat(500),
        Vec::new(),
        cut,
        foreign,
        newer,
    ] {
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(ask(&store), right, "asked over a broken index");
        assert_eq!(
            std::fs::read(&path).unwrap(),
            bytes,
            "asking changes nothing"
        );
        store.update_index(session_id(1), &done.state).unwrap();
        store.update_index(session_id(2), &waits.state).unwrap();
        assert_eq!(ask(&store), right, "asked after it was replaced");
        assert_eq!(&std::fs::read(&path).unwrap()[..6], b"SQLite");
    }
}

#[test]
fn a_damaged_session_is_listed_with_its_intact_part() {
    let (_home, store) = empty();
    three(&store);
    store.rebuild_index().unwrap();
    let path = store.session_dir(session_id(1)).journal();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1_000]).unwrap();
    let summaries = store.summaries().unwrap();
    let damaged = summaries
        .iter()
        .find(|summary| summary.session == session_id(1))
        .unwrap();
    assert!(
        damaged.damage.as_ref().unwrap().contains("is damaged"),
        "{:?}",
        damaged.damage
    );
    assert_eq!(damaged.title, "Find the fault.");
    assert_eq!(summaries.len(), 2, "the other one is listed too");
}

/// The second witness: a journal and its head cut back together.
#[test]
fn a_journal_shorter_than_the_index_has_seen_is_not_opened() {
    let (_home, store) = empty();
    let script = finished(session_id(1), "/srv/project", 2);
    write(&store, 1, &script.events[..10]);
    let dir = store.session_dir(session_id(1));
    let earlier = (
        std::fs::read(dir.journal()).unwrap(),
        std::fs::read(dir.head()).unwrap(),
    );
    write(&store, 1, &script.events[10..]);
    store.update_index(session_id(1), &script.state).unwrap();
    drop(store.open(session_id(1), &owner()).unwrap());
    std::fs::write(dir.journal(), &earlier.0).unwrap();
    std::fs::write(dir.head(), &earlier.1).unwrap();
    let error = store.open(session_id(1), &owner()).unwrap_err();
    let Error::Damaged { at_seq, next, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(at_seq.0, 11);
    assert!(next.contains("index.db"), "{next}");
    std::fs::remove_file(store.home().join("index.db")).unwrap();
    assert_eq!(
        store
            .open(session_id(1), &owner())
            .unwrap()
            .opened
            .last_seq
            .0,
        10
    );
}

#[test]
fn a_deleted_session_is_in_no_answer() {
    let (_home, store) = empty();
    three(&store);
    store.rebuild_index().unwrap();
    store.delete(session_id(1), &owner()).unwrap();
    let view = store.view().unwrap();
    assert_eq!(view.sessions(None).len(), 1);
    assert!(view.search("needle", 10).unwrap().is_empty());
    assert!(view.decisions(session_id(1)).unwrap().is_empty());
}

#[test]
fn a_search_needs_a_word_and_takes_any() {
    let (_home, store) = empty();
    three(&store);
    store.rebuild_index().unwrap();
    let view = store.view().unwrap();
    for nothing in ["", "  ", "\"", "-- *"] {
        assert!(
            matches!(view.search(nothing, 10), Err(Error::Invalid { .. })),
            "{nothing:?}"
        );
    }
    for odd in [
        "needle AND",
        "needle*",
        "text:needle",
        "NEAR(needle)",
        "\"needle",
        "a\"b",
        "{x}",
    ] {
        view.search(odd, 10)
            .unwrap_or_else(|error| panic!("{odd}: {error}"));
    }
    assert_eq!(view.search("needle", 2).unwrap().len(), 2);
}
