//! Every error of this crate is provoked, and nothing is done after it: no fact is told, no file
//! is written, no model is asked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_core::command::Ask;
use bowline_core::decision::{Layer, Scope};
use bowline_core::{
    BoxFuture, Command, Mode, ProviderFailure, Request, Reservation, SessionId, Verdict,
};
use bowline_journal::{Disk, Edges, MemoryJournal, Owner, Store};
use bowline_model::{Deltas, Provider, Reply, RequestSize};
use bowline_runtime::{Error, Next, Rest, Session, config, resolve_folders};
use serde_json::json;
use uuid::Uuid;

use crate::stage::{Hands, Watcher, harness, in_memory, places, prompted, run, started};
use crate::variants::{name, variants};

/// A disk that fails from the write with this number on.
struct Failing {
    writes_left: AtomicUsize,
}

impl Disk for Failing {
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let left = self.writes_left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(io::Error::from_raw_os_error(28));
        }
        self.writes_left.store(left - 1, Ordering::SeqCst);
        file.write_all_at(bytes, offset)
    }
}

/// Passes every request on and counts it.
struct Counting {
    inner: Arc<dyn Provider>,
    asked: Arc<AtomicUsize>,
}

impl Provider for Counting {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn size(&self, session: SessionId, request: &Request) -> RequestSize {
        self.inner.size(session, request)
    }

    fn ask(
        &self,
        reservation: Reservation,
        request: Request,
        deltas: Deltas,
    ) -> BoxFuture<'static, Result<Reply, ProviderFailure>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.ask(reservation, request, deltas)
    }
}

/// What was done and told in a session whose disk takes so many writes.
struct Outcome {
    rest: Result<Rest, Error>,
    asked: usize,
    written: usize,
    told: Vec<&'static str>,
    durable: Vec<&'static str>,
}

/// Two files are written in two steps, on a disk that takes `writes`.
fn write_two_files(writes: usize) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let hands = Hands::default();
    let clock = hands.clock();
    let id = SessionId::from_uuid(Uuid::from_u128(7));
    let owner = Owner {
        pid: 1,
        since_ms: 0,
        app_version: "0".to_owned(),
        command: String::new(),
        terminal: String::new(),
    };
    let real = Store::at(folder.path().join("state"));
    drop(real.create(id, &owner).unwrap());
    let disk = Arc::new(Failing {
        writes_left: AtomicUsize::new(writes),
    });
    let edges = Edges {
        disk,
        ..Edges::default()
    };
    let owned = real.clone().with_edges(edges).open(id, &owner).unwrap();

    let call = |path: &str| json!([{ "tool": "write", "input": { "path": path, "content": "x" } }]);
    let scenario = json!({ "version": 1, "steps": [
        { "calls": call("one") }, { "calls": call("two") }, { "text": "done" },
    ] });
    let mut harness = harness(&clock, &work, Mode::Edit, &scenario);
    let asked = Arc::new(AtomicUsize::new(0));
    harness.provider = Arc::new(Counting {
        inner: harness.provider,
        asked: Arc::clone(&asked),
    });
    let started = started(id, &work, json!({}));
    let mut session = Session::begin(
        Box::new(owned.journal),
        places(folder.path()),
        clock,
        started,
    );
    prompted(&mut session, "prompt");
    let mut watcher = Watcher {
        hands,
        told: Vec::new(),
        on_event: &mut |_, _| {},
    };
    let rest = run(&mut session, &harness, &mut watcher, || {});
    drop(session);
    let kept = real.read_only(id).unwrap().read_intact().unwrap();
    Outcome {
        rest,
        asked: asked.load(Ordering::SeqCst),
        written: ["one", "two"]
            .iter()
            .filter(|name| work.join(name).exists())
            .count(),
        told: watcher
            .told
            .iter()
            .map(|told| told.event.fact.kind())
            .collect(),
        durable: kept
            .events
            .iter()
            .map(|kept| kept.event.fact.kind())
            .collect(),
    }
}

/// Whatever write fails: what was done is what a durable fact allowed, and what was told is
/// durable.
#[test]
fn after_a_write_that_fails_nothing_is_done_or_told() {
    let mut failed = 0;
    for writes in 0.. {
        let Outcome {
            rest,
            asked,
            written,
            told,
            durable,
        } = write_two_files(writes);
        let count = |kind: &str| durable.iter().filter(|one| **one == kind).count();
        assert!(
            asked <= count("AttemptReserved"),
            "{writes}: {asked} of {durable:?}"
        );
        assert!(
            written <= count("CallStarted"),
            "{writes}: {written} of {durable:?}"
        );
        assert!(
            durable.starts_with(&told),
            "{writes}: {told:?} but {durable:?}"
        );
        match rest {
            Ok(_) => {
                assert_eq!((asked, written), (3, 2));
                break;
            }
            Err(error) => {
                assert_eq!(error.next(), Next::Stop);
                assert!(matches!(error, Error::Storage(_)), "{writes}: {error}");
                failed += 1;
            }
        }
    }
    println!("{failed} writes failed, one after the other");
    assert!(failed >= 6, "{failed}");
}

fn storage() -> Error {
    write_two_files(0).rest.expect_err("no write is taken")
}

fn wrong_configuration(_folder: &Path) -> Error {
    let read = config::parse(Layer::User, "config.toml", "mode = 7");
    read.map_err(Error::from).expect_err("7 is no mode")
}

fn no_folder(folder: &Path) -> Error {
    resolve_folders(&folder.join("nowhere"), &[]).expect_err("it is not there")
}

fn not_begun(folder: &Path) -> Error {
    let id = SessionId::from_uuid(Uuid::from_u128(8));
    let journal = Box::new(MemoryJournal::new(id, folder.to_owned()));
    let clock = Hands::default().clock();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let opened = runtime.block_on(Session::open(journal, places(folder), clock, "0"));
    opened.err().expect("it is empty")
}

fn refused(folder: &Path) -> Error {
    let mut session = in_memory(Hands::default().clock(), folder, json!({}));
    let before = session.state().clone();
    let ask = Ask::Answer {
        decision: bowline_core::DecisionId::from_uuid(Uuid::from_u128(9)),
        verdict: Verdict::Allow,
        scope: Scope::Once,
        by: "test".to_owned(),
        note: None,
    };
    let answer = Command {
        key: "k".to_owned(),
        at_ms: None,
        ask,
    };
    let refusal = session.give(answer).expect_err("nothing was asked");
    assert_eq!(*session.state(), before);
    refusal.into()
}

/// Every variant, through real parts; none of those but a failing disk leaves a file behind.
#[test]
fn every_error_is_provoked_and_nothing_is_done_after_it() {
    let table = [wrong_configuration, no_folder, not_begun, refused];
    let mut provoked = BTreeSet::from([name(&storage())]);
    for provoke in table {
        let folder = tempfile::tempdir().unwrap();
        let error = provoke(folder.path());
        assert_eq!(error.next(), Next::Fix, "{error}");
        assert!(!error.to_string().is_empty());
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{error}"
        );
        provoked.insert(name(&error));
    }
    let all = variants(include_str!("../../src/error.rs"), "Error");
    println!("{} of {} variants: {provoked:?}", provoked.len(), all.len());
    assert_eq!(provoked, all);
}
