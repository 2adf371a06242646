//! Every error of the journal is provoked through real files, and nothing is changed after it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::{Epoch, Seq};
use bowline_journal::record::{Fault, Head, Line, Tail, commitment, seed, verify};
use bowline_journal::{Disk, Edges, Error, Journal as _, MemoryJournal, Store};

use crate::sample::{block_on, notice, owner, session_id};
use crate::variants::{name, variants};

/// Everything below a folder, with its content and rights.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = std::fs::symlink_metadata(&path).unwrap();
            let content = if about.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                std::fs::read(&path).unwrap()
            };
            found.insert(path, (about.permissions().mode(), content));
        }
    }
    found
}

/// A store with two sessions of two notices each.
fn store(home: &Path) -> Store {
    let store = Store::at(home.join("state"));
    for number in [1, 2] {
        let mut owned = store.create(session_id(number), &owner()).unwrap();
        let batch = vec![notice("one"), notice("two")];
        block_on(owned.journal.append(Epoch(0), batch)).unwrap();
    }
    store
}

/// Prepares what makes an operation fail.
type Prepare = fn(&Store);
/// An operation that fails.
type Fails = fn(&Store) -> Error;

fn opened(store: &Store) -> Error {
    store.open(session_id(1), &owner()).unwrap_err()
}

fn change(store: &Store, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let path = store.session_dir(session_id(1)).journal();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, change(bytes)).unwrap();
}

/// A record that holds in the chain and tells of something that this version does not know.
fn foreseen(store: &Store) {
    let session = session_id(1);
    let dir = store.session_dir(session);
    let body = br#"{"at_ms":1,"kind":"DreamHad","data":{}}"#;
    let salt = [7; 16];
    let line = Line {
        seq: Seq(1),
        epoch: Epoch(0),
        prev: seed(session),
        commitment: commitment(&salt, body),
        salt,
        body,
    };
    let mut bytes = Vec::new();
    line.render(&mut bytes);
    let head = Head {
        seq: Seq(1),
        hash: line.hash(session),
    };
    std::fs::write(dir.journal(), bytes).unwrap();
    std::fs::write(dir.head(), head.render(session)).unwrap();
}

fn no_preparation(_store: &Store) {}

fn table() -> Vec<(&'static str, Prepare, Fails)> {
    vec![
        (
            "Damaged",
            |store| {
                change(store, |mut bytes| {
                    bytes[300] ^= 1;
                    bytes
                })
            },
            opened,
        ),
        ("Unreadable", foreseen, opened),
        ("Owned", no_preparation, |store| {
            let _held = store.open(session_id(1), &owner()).unwrap();
            opened(store)
        }),
        ("NotFound", no_preparation, |store| {
            store.open(session_id(9), &owner()).unwrap_err()
        }),
        ("Ambiguous", no_preparation, |store| {
            store.resolve("0190").unwrap_err()
        }),
        ("Exists", no_preparation, |store| {
            store.create(session_id(1), &owner()).unwrap_err()
        }),
        (
            "StateFolder",
            |store| {
                std::fs::write(store.home().join("version"), "2\n").unwrap();
            },
            opened,
        ),
        ("Invalid", no_preparation, |store| {
            store
                .read_only(session_id(1))
                .unwrap()
                .find_blob("x")
                .unwrap_err()
        }),
        (
            "Index",
            |store| {
                std::fs::create_dir_all(store.home().join("index.db-wal/kept")).unwrap();
            },
            |store| {
                let state = bowline_core::State::new();
                store.update_index(session_id(1), &state).unwrap_err()
            },
        ),
        (
            "Io",
            |store| {
                let journal = store.session_dir(session_id(1)).journal();
                std::fs::remove_file(&journal).unwrap();
                std::fs::create_dir(&journal).unwrap();
            },
            opened,
        ),
    ]
}

/// A disk that syncs nothing any more.
struct Unsynced;

impl Disk for Unsynced {
    fn sync(&self, _file: &File) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(5))
    }
}

/// After the first failure a journal takes nothing more, and writes nothing more.
fn stopped(home: &Path) -> Error {
    let store = store(home);
    let edges = Edges {
        disk: Arc::new(Unsynced),
        ..Edges::default()
    };
    let mut owned = store
        .clone()
        .with_edges(edges)
        .open(session_id(1), &owner())
        .unwrap();
    let error = block_on(owned.journal.append(Epoch(0), vec![notice("lost")])).unwrap_err();
    let after = tree(home);
    for _ in 0..2 {
        let again = block_on(owned.journal.append(Epoch(0), vec![notice("more")])).unwrap_err();
        assert_eq!(name(&again), "Stopped");
    }
    assert_eq!(tree(home), after, "nothing is written after the stop");
    error
}

/// What an operation that failed has left: a lock file names the last who tried, nothing else.
fn but_locks(mut tree: BTreeMap<PathBuf, (u32, Vec<u8>)>) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    tree.retain(|path, _| !path.ends_with("lock"));
    tree
}

#[test]
fn every_error_is_provoked_and_nothing_is_changed_after_it() {
    let home = tempfile::tempdir().unwrap();
    let mut provoked = BTreeSet::from([name(&stopped(home.path()))]);
    for (expected, prepare, fails) in table() {
        let home = tempfile::tempdir().unwrap();
        let store = store(home.path());
        prepare(&store);
        let before = but_locks(tree(home.path()));
        let error = fails(&store);
        assert_eq!(name(&error), expected, "{error}");
        assert!(!error.to_string().is_empty());
        let after = but_locks(tree(home.path()));
        if expected == "Index" {
            // The index is derived: an attempt to open it may make the file.
            assert!(
                before
                    .iter()
                    .all(|(path, one)| after.get(path) == Some(one))
            );
        } else {
            assert_eq!(before, after, "{error}");
        }
        provoked.insert(name(&error));
    }
    let all = variants(include_str!("../../src/error.rs"), "Error");
    println!("{} of {} errors: {provoked:?}", provoked.len(), all.len());
    assert_eq!(provoked, all);
}

/// Three records of one session, as lines.
fn three() -> Vec<Vec<u8>> {
    let mut journal = MemoryJournal::new(session_id(1), std::env::temp_dir());
    for text in ["one", "two", "three"] {
        block_on(journal.append(Epoch(0), vec![notice(text)])).unwrap();
    }
    let lines = journal.bytes().split_inclusive(|&byte| byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

/// Changes the second of three records and makes the change hold within it.
fn forged(change: impl FnOnce(&mut Line<'_>)) -> Vec<u8> {
    let lines = three();
    let second = lines[1].strip_suffix(b"\n").unwrap();
    let mut line = Line::parse(second).unwrap();
    change(&mut line);
    let mut bytes = lines[0].clone();
    line.render(&mut bytes);
    bytes.extend(&lines[2]);
    bytes
}

/// The head of three records as they are.
fn head() -> Head {
    let lines = three();
    let last = lines[2].strip_suffix(b"\n").unwrap();
    let hash = Line::parse(last).unwrap().hash(session_id(1));
    Head { seq: Seq(3), hash }
}

#[test]
fn every_fault_of_a_record_is_provoked_and_nothing_after_it_is_trusted() {
    let lines = three();
    let whole = lines.concat();
    let mut unspelled = whole.clone();
    unspelled[lines[0].len()] = b'[';
    let mut other_head = head();
    other_head.hash = seed(session_id(1));
    let table: Vec<(&str, Vec<u8>, Head, usize)> = vec![
        ("Format", unspelled, head(), 1),
        (
            "Seq",
            [lines[0].clone(), lines[2].clone()].concat(),
            head(),
            1,
        ),
        (
            "Prev",
            forged(|line| line.prev = seed(session_id(2))),
            head(),
            1,
        ),
        ("Commitment", forged(|line| line.salt[0] ^= 1), head(), 1),
        ("Epoch", forged(|line| line.epoch = Epoch(3)), head(), 1),
        ("Head", whole.clone(), other_head, 2),
        ("Cut", lines[..2].concat(), head(), 2),
    ];
    let mut provoked = BTreeSet::new();
    for (expected, bytes, head, intact) in table {
        let verified = verify(session_id(1), &bytes, Some(head));
        let Tail::Damaged(finding) = verified.tail else {
            panic!("{expected}: {:?}", verified.tail);
        };
        let fault: Fault = finding.fault;
        assert_eq!(name(&fault), expected, "{fault}");
        assert_eq!(verified.records.len(), intact, "{fault}");
        provoked.insert(name(&fault));
    }
    let all = variants(include_str!("../../src/record.rs"), "Fault");
    println!("{} of {} faults: {provoked:?}", provoked.len(), all.len());
    assert_eq!(provoked, all);
}
