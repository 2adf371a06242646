//! Tests of `mask_key`.

use bowline_core::SessionId;
use uuid::Uuid;

use crate::{Owner, Store};

fn owner() -> Owner {
    Owner {
        pid: 1,
        since_ms: 0,
        app_version: "0".to_owned(),
        command: "test".to_owned(),
        terminal: String::new(),
    }
}

fn id(number: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(number))
}

#[test]
fn a_session_keeps_its_key_and_shares_it_with_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let key = store.create(id(1), &owner()).unwrap().mask_key;
    assert_ne!(key, store.create(id(2), &owner()).unwrap().mask_key);
    assert_eq!(store.mask_key(id(1)), Some(key));
    assert_eq!(store.mask_key(id(3)), None);
}

#[test]
fn a_key_that_is_missing_or_broken_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let key = store.create(id(1), &owner()).unwrap().mask_key;
    let dir = store.session_dir(id(1));
    for broken in [&b"short"[..], &[0; 32], &[1; 33]] {
        std::fs::write(dir.mask_key(), broken).unwrap();
        std::fs::write(super::unfinished(&dir), b"left").unwrap();
        assert_eq!(store.mask_key(id(1)), None);
        let made = super::of_existing(&dir, store.edges()).unwrap();
        assert_ne!(made, key);
        assert_eq!(store.mask_key(id(1)), Some(made));
    }
}
