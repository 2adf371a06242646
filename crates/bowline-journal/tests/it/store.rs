//! The state folder: made when needed, listed without a trace, refused when it cannot serve.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use bowline_core::{Epoch, Seq, SessionId};
use bowline_journal::{Error, Journal as _, Store};

use crate::sample::{block_on, notice, owner, session_id};

fn empty() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("a/b/state"));
    (home, store)
}

/// Every file below a folder with its size, to compare before and after.
fn tree(path: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            found.push((entry.path().display().to_string(), meta.len()));
            if meta.is_dir() {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn asking_an_absent_store_makes_nothing() {
    let (home, store) = empty();
    assert!(store.list().unwrap().is_empty());
    assert!(store.summaries().unwrap().is_empty());
    assert!(store.view().unwrap().sessions(None).is_empty());
    assert!(
        store
            .view()
            .unwrap()
            .search("needle", 10)
            .unwrap()
            .is_empty()
    );
    assert!(matches!(store.resolve("0190"), Err(Error::NotFound { .. })));
    assert!(matches!(
        store.read_only(session_id(1)),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        store.open(session_id(1), &owner()),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        store.delete(session_id(1), &owner()),
        Err(Error::NotFound { .. })
    ));
    assert_eq!(store.owner(session_id(1)).unwrap(), None);
    assert_eq!(store.rebuild_index().unwrap(), 0);
    assert_eq!(tree(home.path()), Vec::new());
}

#[test]
fn asking_a_store_changes_nothing() {
    let (home, store) = empty();
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    block_on(owned.journal.append(Epoch(0), vec![notice("hello")])).unwrap();
    let before = tree(home.path());
    assert_eq!(store.list().unwrap(), [session_id(1)]);
    store.summaries().unwrap();
    store.view().unwrap().search("hello", 10).unwrap();
    let reader = store.read_only(session_id(1)).unwrap();
    assert_eq!(reader.read_intact().unwrap().events.len(), 1);
    assert_eq!(reader.follow().poll().unwrap().len(), 1);
    assert!(store.owner(session_id(1)).unwrap().is_some());
    assert_eq!(tree(home.path()), before);
}

#[test]
fn what_is_made_is_for_its_owner_only() {
    let (_home, store) = empty();
    drop(store.create(session_id(1), &owner()).unwrap());
    for (path, size) in tree(store.home()) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path} ({size} bytes) has mode {mode:o}");
    }
    let mode = std::fs::metadata(store.home())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(
        std::fs::read_to_string(store.home().join("version")).unwrap(),
        "1\n"
    );
}

#[test]
fn a_session_is_created_once() {
    let (_home, store) = empty();
    drop(store.create(session_id(1), &owner()).unwrap());
    let error = store.create(session_id(1), &owner()).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_serve_is_refused_with_its_name_and_a_way_out() {
    let home = tempfile::tempdir().unwrap();
    let check = |path: &Path, what: &str| {
        let store = Store::at(path);
        for error in [
            store.create(session_id(1), &owner()).unwrap_err(),
            store.list().unwrap_err(),
            store.summaries().unwrap_err(),
            store.open(session_id(1), &owner()).unwrap_err(),
        ] {
            assert!(matches!(error, Error::StateFolder { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
            assert!(
                text.contains(what) && text.contains("BOWLINE_HOME"),
                "{text}"
            );
        }
    };
    let file = home.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    check(&file, "not a folder");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");

    let newer = home.path().join("newer");
    std::fs::create_dir(&newer).unwrap();
    std::fs::write(newer.join("version"), "2\n").unwrap();
    check(&newer, "version is 2");

    let odd = home.path().join("odd");
    std::fs::create_dir(&odd).unwrap();
    std::fs::write(odd.join("version"), "one").unwrap();
    check(&odd, "no version number");
    assert_eq!(tree(&odd).len(), 1, "nothing was made in a refused folder");

    let loops = home.path().join("loop");
    std::os::unix::fs::symlink(&loops, &loops).unwrap();
    check(&loops, "cannot be read");
}

#[test]
fn an_older_version_is_accepted() {
    let (_home, store) = empty();
    std::fs::create_dir_all(store.home()).unwrap();
    std::fs::write(store.home().join("version"), "0\n").unwrap();
    store.create(session_id(1), &owner()).unwrap();
}

#[test]
fn strange_names_in_the_folder_are_no_sessions() {
    let (_home, store) = empty();
    drop(store.create(session_id(1), &owner()).unwrap());
    let sessions = store.home().join("sessions");
    for name in [
        "notes",
        ".deleted-01900000-0000-7000-8000-000000000002",
        "01900000-0000-7000-8000-000000000003",
        "01900000000070008000000000000001",
    ] {
        std::fs::create_dir(sessions.join(name)).unwrap();
    }
    std::fs::write(sessions.join("01900000-0000-7000-8000-000000000004"), "").unwrap();
    assert_eq!(store.list().unwrap(), [session_id(1)]);
}

#[test]
fn a_session_is_found_by_the_start_or_end_of_its_id() {
    let (_home, store) = empty();
    let ids = [
        "01900000-0000-7000-8000-0000000000a1",
        "01900000-0000-7000-8000-0000000000b1",
    ];
    for id in ids {
        drop(store.create(id.parse().unwrap(), &owner()).unwrap());
    }
    let other: SessionId = "01911111-0000-7000-8000-0000000000b2".parse().unwrap();
    drop(store.create(other, &owner()).unwrap());
    let check = |asked: &str, expected: &str| {
        assert_eq!(
            store.resolve(asked).unwrap().to_string(),
            expected,
            "{asked}"
        );
    };
    check("a1", ids[0]);
    check("000000B1", ids[1]);
    check("00-0000000000b1", ids[1]);
    check("0191", &other.to_string());
    check(ids[0], ids[0]);
    check(&ids[0].replace('-', ""), ids[0]);
    for (asked, candidates) in [("0190", 2), ("1", 2), ("019", 3)] {
        match store.resolve(asked).unwrap_err() {
            Error::Ambiguous {
                candidates: found, ..
            } => assert_eq!(found.len(), candidates),
            other => panic!("{asked}: {other}"),
        }
    }
    for asked in ["", "-", "zz", "c1", "../a1"] {
        let error = store.resolve(asked).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{asked}: {error}");
        assert!(error.to_string().contains("sessions list"));
    }
}

#[test]
fn what_a_creation_or_deletion_cut_short_left_is_no_session() {
    let (_home, store) = empty();
    drop(store.create(session_id(1), &owner()).unwrap());
    let unfinished = store.session_dir(session_id(2));
    std::fs::create_dir_all(unfinished.mailbox()).unwrap();
    let half_gone = store
        .home()
        .join("sessions/.deleted-01900000-0000-7000-8000-000000000009");
    std::fs::create_dir_all(half_gone.join("blobs")).unwrap();
    assert_eq!(store.list().unwrap(), [session_id(1)]);
    assert!(matches!(
        store.open(session_id(2), &owner()),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        store.read_only(session_id(2)),
        Err(Error::NotFound { .. })
    ));
    store.delete(session_id(1), &owner()).unwrap();
    assert!(!half_gone.exists(), "the next deletion finishes it");
}

#[test]
fn a_deleted_session_is_gone() {
    let (_home, store) = empty();
    drop(store.create(session_id(1), &owner()).unwrap());
    let owned = store.create(session_id(2), &owner()).unwrap();
    assert!(matches!(
        store.delete(session_id(2), &owner()),
        Err(Error::Owned { .. })
    ));
    store.delete(session_id(1), &owner()).unwrap();
    assert_eq!(store.list().unwrap(), [session_id(2)]);
    assert!(!store.session_dir(session_id(1)).path().exists());
    drop(owned);
    store.delete(session_id(2), &owner()).unwrap();
    assert_eq!(
        std::fs::read_dir(store.home().join("sessions"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_follower_sees_what_was_synced_piece_by_piece() {
    let (_home, store) = empty();
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    let mut follower = store.read_only(session_id(1)).unwrap().follow();
    assert!(follower.poll().unwrap().is_empty());
    for seq in [1, 3, 5] {
        let batch = vec![notice("a"), notice("b")];
        let committed = block_on(owned.journal.append(Epoch(0), batch)).unwrap();
        let seen = follower.poll().unwrap();
        assert_eq!(
            seen.iter()
                .map(|event| event.receipt.seq.0)
                .collect::<Vec<_>>(),
            [seq, seq + 1]
        );
        assert_eq!(&seen[0].event, committed[0].value());
        assert_eq!(seen[0].receipt, *committed[0].receipt());
        assert!(follower.poll().unwrap().is_empty());
    }
    // Bytes that are written but not yet named by the head are nobody's business.
    let path = owned.dir.journal();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"seq\":7");
    std::fs::write(&path, &bytes).unwrap();
    assert!(follower.poll().unwrap().is_empty());
    assert_eq!(
        store
            .read_only(session_id(1))
            .unwrap()
            .follow()
            .poll()
            .unwrap()
            .len(),
        6
    );
    assert_eq!(owned.journal.head().0, Seq(6));
}
