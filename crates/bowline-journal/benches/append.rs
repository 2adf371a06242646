//! What durability costs: appends at 1, 8 and 32 sessions, opening, large bodies, the index.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a bench that cannot set itself up has nothing to measure"
)]

#[path = "../tests/it/sample.rs"]
#[expect(
    dead_code,
    reason = "written for the tests; the benches use a part of it"
)]
mod sample;

use bowline_core::{Epoch, Event, Seq};
use bowline_journal::record::verify;
use bowline_journal::{FileJournal, Journal as _, Store};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use tempfile::TempDir;
use tokio::task::LocalSet;

use sample::{finished, journal_of, notice, owner, session_id};

fn main() {
    divan::main();
}

fn store() -> (TempDir, Store) {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let store = Store::at(home.path().join("state"));
    (home, store)
}

fn create(store: &Store, number: u64) -> FileJournal {
    store
        .create(session_id(number), &owner())
        .expect("the folder is empty")
        .journal
}

/// Two events of about 700 bytes each: the batch of a shell turn.
fn batch() -> Vec<Event> {
    vec![notice(&"x".repeat(600)), notice(&"y".repeat(600))]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts")
}

/// One batch on each of so many sessions at once, on one async thread.
#[divan::bench(args = [1, 8, 32], sample_count = 200)]
fn append_two_events(bencher: Bencher, sessions: usize) {
    let (_home, store) = store();
    let runtime = runtime();
    let mut journals: Vec<_> = (0..sessions as u64)
        .map(|number| create(&store, number))
        .collect();
    bencher.counter(ItemsCount::new(sessions)).bench_local(|| {
        let local = LocalSet::new();
        let tasks: Vec<_> = journals
            .drain(..)
            .map(|mut journal| {
                local.spawn_local(async move {
                    journal
                        .append(Epoch(0), batch())
                        .await
                        .expect("the disk works");
                    journal
                })
            })
            .collect();
        journals = runtime.block_on(local.run_until(async {
            let mut back = Vec::new();
            for task in tasks {
                back.push(task.await.expect("no append panics"));
            }
            back
        }));
    });
}

/// The same on the calling thread: what handing the batch over costs is the difference.
#[divan::bench(sample_count = 200)]
fn append_two_events_directly(bencher: Bencher) {
    let (_home, store) = store();
    let mut journal = create(&store, 1);
    bencher.bench_local(|| {
        let append = std::pin::pin!(journal.append(Epoch(0), batch()));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(
            append.poll(&mut cx).is_ready(),
            "without a runtime it never waits"
        );
    });
}

/// The floor: the same bytes written and synced by hand.
#[divan::bench(sample_count = 200)]
fn write_and_sync_floor(bencher: Bencher) {
    use std::io::Write as _;
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut file = std::fs::File::create(home.path().join("file")).expect("it can be made");
    let bytes = vec![b'x'; 1_800];
    bencher.bench_local(|| {
        file.write_all(&bytes).expect("the disk works");
        file.sync_data().expect("the disk works");
    });
}

/// Steps of five events each that make so many events.
const STEPS: [usize; 2] = [2_000, 20_000];

/// Opening a session: reads, verifies and parses every event.
#[divan::bench(args = STEPS, sample_count = 10)]
fn open(bencher: Bencher, steps: usize) {
    let (_home, store) = store();
    let script = finished(session_id(1), "/srv/project", steps);
    let whole = journal_of(session_id(1), &script.events);
    drop(create(&store, 1));
    let dir = store.session_dir(session_id(1));
    let head = whole
        .synced()
        .expect("it is not empty")
        .render(session_id(1));
    std::fs::write(dir.head(), head).expect("the disk works");
    std::fs::write(dir.journal(), whole.bytes()).expect("the disk works");
    let events = ItemsCount::new(script.events.len());
    bencher
        .counter(events)
        .counter(BytesCount::of_slice(whole.bytes()))
        .bench_local(|| {
            let owned = store.open(session_id(1), &owner()).expect("it is intact");
            assert_eq!(owned.journal.head().0, Seq(script.events.len() as u64));
        });
}

/// Verifying alone.
#[divan::bench(args = STEPS, sample_count = 10)]
fn verify_only(bencher: Bencher, steps: usize) {
    let whole = journal_of(
        session_id(1),
        &finished(session_id(1), "/srv", steps).events,
    );
    bencher
        .counter(BytesCount::of_slice(whole.bytes()))
        .bench_local(|| verify(session_id(1), whole.bytes(), whole.synced()).intact_bytes);
}

/// A body of 256 KiB: temporary file, sync, rename, sync of the folder.
#[divan::bench(sample_count = 50)]
fn put_blob(bencher: Bencher) {
    let (_home, store) = store();
    let runtime = runtime();
    let mut journal = create(&store, 1);
    let mut number = 0_u64;
    bencher
        .with_inputs(|| {
            number += 1;
            let mut body = vec![b'x'; 256 << 10];
            body[..8].copy_from_slice(&number.to_be_bytes());
            body
        })
        .bench_local_values(|body| {
            runtime
                .block_on(journal.put_blob(body))
                .expect("the disk works")
        });
}

/// A new session in a state folder that exists.
#[divan::bench(sample_count = 50)]
fn create_session(bencher: Bencher) {
    let (_home, store) = store();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        create(&store, number)
    });
}

/// The end of a one-turn run: opens the index and adds a session of 12 events.
#[divan::bench(sample_count = 50)]
fn update_index(bencher: Bencher) {
    let (_home, store) = store();
    let runtime = runtime();
    let mut number = 0;
    bencher
        .with_inputs(|| {
            number += 1;
            let script = finished(session_id(number), "/srv/project", 1);
            let mut journal = create(&store, number);
            runtime
                .block_on(journal.append(Epoch(1), script.events.clone()))
                .expect("the disk works");
            (number, script)
        })
        .bench_local_values(|(number, script)| {
            store
                .update_index(session_id(number), &script.state)
                .expect("the disk works");
        });
}
