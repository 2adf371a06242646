//! Large bodies: found by hash, checked on reading.

use bowline_journal::{Error, Journal as _, Store, verify_blob};

use crate::sample::{block_on, owner, session_id};

fn store() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    (home, store)
}

#[test]
fn a_body_is_stored_once_under_its_hash() {
    let (_home, store) = store();
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    let blob = block_on(owned.journal.put_blob(b"body".to_vec())).unwrap();
    let path = owned.dir.blobs().join(blob.digest.to_hex());
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(
        block_on(owned.journal.put_blob(b"body".to_vec())).unwrap(),
        blob
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().modified().unwrap(),
        before
    );
    assert_eq!(std::fs::read_dir(owned.dir.blobs()).unwrap().count(), 1);
    let reader = store.read_only(session_id(1)).unwrap();
    assert_eq!(
        reader.find_blob(&blob.digest.to_hex()).unwrap(),
        Some((path, blob))
    );
}

#[test]
fn a_changed_body_is_found_on_reading() {
    let (_home, store) = store();
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    let blob = block_on(owned.journal.put_blob(vec![7; 200_000])).unwrap();
    let (path, _) = owned
        .journal
        .find_blob(&blob.digest.to_hex()[..8])
        .unwrap()
        .unwrap();
    verify_blob(&path, &blob).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[150_000] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = verify_blob(&path, &blob).unwrap_err();
    assert!(matches!(&error, Error::Invalid { .. }), "{error}");
    assert!(error.to_string().contains(&path.display().to_string()));
}

#[test]
fn a_body_cut_short_by_a_crash_is_stored_anew() {
    let (_home, store) = store();
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    let blob = block_on(owned.journal.put_blob(b"whole body".to_vec())).unwrap();
    let path = owned.dir.blobs().join(blob.digest.to_hex());
    std::fs::write(&path, b"whole").unwrap();
    assert_eq!(
        block_on(owned.journal.put_blob(b"whole body".to_vec())).unwrap(),
        blob
    );
    verify_blob(&path, &blob).unwrap();
}

#[test]
fn several_bodies_with_one_beginning_are_told_apart() {
    let (_home, store) = store();
    let owned = store.create(session_id(1), &owner()).unwrap();
    let name = |last: char| format!("{}{last}", "a".repeat(63));
    for last in ['1', '2'] {
        std::fs::write(owned.dir.blobs().join(name(last)), "").unwrap();
    }
    std::fs::write(owned.dir.blobs().join(format!("{}.tmp", name('1'))), "").unwrap();
    match owned.journal.find_blob("aaaaaaaa").unwrap_err() {
        Error::Ambiguous { candidates, .. } => assert_eq!(candidates, [name('1'), name('2')]),
        other => panic!("{other}"),
    }
    assert!(owned.journal.find_blob(&name('2')).unwrap().is_some());
}
