//! Trust in folders: given, changed, taken back, and never read out of a broken record.

use bowline_core::system::{ProjectTrusted, TrustRevoked};
use bowline_core::{Digest, RunId, SystemEvent, SystemFact};
use bowline_journal::{Store, TrustRecord};
use uuid::Uuid;

fn record(folder: &str, content: &[u8]) -> TrustRecord {
    TrustRecord {
        folder: folder.to_owned(),
        content: Digest::of(content),
        files: Vec::new(),
        at_ms: 5,
        by: "a test".to_owned(),
        revoked_at_ms: None,
    }
}

fn event(fact: SystemFact) -> SystemEvent {
    SystemEvent::new(5, RunId::from_uuid(Uuid::from_u128(7)), None, fact)
}

fn given(record: &TrustRecord) -> SystemEvent {
    event(SystemFact::ProjectTrusted(ProjectTrusted {
        folder: record.folder.clone(),
        content: record.content,
        items: Vec::new(),
        by: record.by.clone(),
    }))
}

fn taken(record: &TrustRecord) -> SystemEvent {
    event(SystemFact::TrustRevoked(TrustRevoked {
        folder: record.folder.clone(),
        content: record.content,
        by: record.by.clone(),
    }))
}

#[test]
fn trust_holds_for_one_folder_and_one_content_until_it_is_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    assert_eq!(store.trust("/srv/app").unwrap(), None);
    assert!(store.trust_records().unwrap().is_empty());
    assert!(!store.home().exists(), "asking makes nothing");
    let app = record("/srv/app", b"one");
    store.give_trust(&app, given(&app)).unwrap();
    let found = store.trust("/srv/app").unwrap().unwrap();
    assert!(found.holds_for(&Digest::of(b"one")));
    assert!(!found.holds_for(&Digest::of(b"two")));
    assert_eq!(store.trust("/srv/ap").unwrap(), None);
    assert_eq!(store.trust("/srv/app/").unwrap(), None);
    let other = record("/srv/a", b"two");
    store.give_trust(&other, given(&other)).unwrap();
    assert_eq!(store.trust_records().unwrap(), [other, app.clone()]);
    store.revoke_trust(&app, 9, taken(&app)).unwrap();
    let found = store.trust("/srv/app").unwrap().unwrap();
    assert_eq!(found.revoked_at_ms, Some(9));
    assert!(!found.holds_for(&Digest::of(b"one")));
    let events = store.installation().read().unwrap().events;
    let kinds: Vec<&str> = events.iter().map(|one| one.event.fact.kind()).collect();
    assert_eq!(kinds, ["ProjectTrusted", "ProjectTrusted", "TrustRevoked"]);
}

#[test]
fn a_record_that_is_broken_or_of_another_folder_is_no_trust() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path());
    let app = record("/srv/app", b"one");
    store.give_trust(&app, given(&app)).unwrap();
    let folder = home.path().join("trust");
    let name = |folder: &str| format!("{}.json", Digest::of(folder.as_bytes()));
    std::fs::copy(
        folder.join(name("/srv/app")),
        folder.join(name("/srv/evil")),
    )
    .unwrap();
    assert_eq!(store.trust("/srv/evil").unwrap(), None);
    for text in ["", "{}", "{\"folder\":\"/srv/app\"}", "\u{1b}[2J"] {
        std::fs::write(folder.join(name("/srv/app")), text).unwrap();
        let error = store.trust("/srv/app").unwrap_err();
        assert!(error.to_string().contains("counts as untrusted"), "{error}");
    }
}
