//! A session is carried elsewhere and back unchanged; what was changed on the way is refused.

use std::collections::BTreeMap;
use std::path::Path;

use bowline_core::call::BlobRef;
use bowline_core::event::{OwnerChanged, PromptAccepted};
use bowline_core::{ContextText, Digest, Epoch, Event, Fact, ImageRef, Origin, SessionId};
use bowline_journal::record::Chain;
use bowline_journal::{Error, Journal as _, Store};
use serde_json::{Value, json};

use crate::sample::{block_on, finished, notice, owner, session_id};

/// A prompt with images.
fn shown(blobs: &[BlobRef]) -> Event {
    let image = |blob: &BlobRef| ImageRef {
        blob: *blob,
        media_type: "image/png".to_owned(),
    };
    let text = ContextText::admit(
        Origin::Person,
        "look: \u{1f41a} \"1.0\"".to_owned(),
        99,
        None,
    );
    Event::new(
        7,
        Fact::PromptAccepted(PromptAccepted {
            key: "images".to_owned(),
            text,
            images: blobs.iter().map(image).collect(),
            output_schema: Some(json!({ "a": 1.5e300, "b": [0.1, -0.0] })),
        }),
    )
}

/// A store with one session that refers to two stored bodies.
fn store(home: &Path) -> Store {
    let store = Store::at(home.join("from"));
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    let journal = &mut owned.journal;
    let bodies = [vec![7; 100_000], Vec::new()];
    let blobs = bodies.map(|body| block_on(journal.put_blob(body)).unwrap());
    block_on(journal.put_blob(b"nobody refers to it".to_vec())).unwrap();
    let script = finished(session_id(1), "/srv/project", 3);
    let epoch = script.state.epoch();
    block_on(journal.append(epoch, script.events)).unwrap();
    block_on(journal.append(epoch, vec![shown(&blobs)])).unwrap();
    store
}

fn export(store: &Store, session: SessionId) -> Vec<u8> {
    let mut out = Vec::new();
    store.read_only(session).unwrap().export(&mut out).unwrap();
    out
}

fn import(store: &Store, bytes: &[u8]) -> Result<bowline_journal::Imported, Error> {
    store.import(|| Ok(bytes), &owner())
}

/// The files of a session folder that make the session what it is.
fn files(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let dir = store.session_dir(session_id(1));
    let mut files = BTreeMap::new();
    for path in [dir.journal(), dir.head()] {
        files.insert(path.display().to_string(), std::fs::read(&path).unwrap());
    }
    files
}

#[test]
fn exported_imported_and_exported_again_it_is_the_same_byte_for_byte() {
    let home = tempfile::tempdir().unwrap();
    let from = store(home.path());
    let exported = export(&from, session_id(1));
    let to = Store::at(home.path().join("to"));
    let imported = import(&to, &exported).unwrap();
    assert_eq!((imported.session, imported.blobs), (session_id(1), 2));
    assert!(imported.missing.is_empty());
    assert_eq!(export(&to, session_id(1)), exported);
    let contents = |store| files(store).into_values().collect::<Vec<_>>();
    assert_eq!(contents(&from), contents(&to));

    assert!(to.is_imported(session_id(1)) && !from.is_imported(session_id(1)));
    assert_eq!(to.owner(session_id(1)).unwrap(), None);
    let mut owned = to.open(session_id(1), &owner()).unwrap();
    assert_eq!(owned.opened.last_seq, imported.last_seq);
    block_on(
        owned
            .journal
            .append(owned.journal.epoch(), vec![notice("x")]),
    )
    .unwrap();
    to.taken_on(session_id(1)).unwrap();
    assert!(!to.is_imported(session_id(1)));
}

#[test]
fn laid_out_anew_by_another_program_it_is_still_proven() {
    let home = tempfile::tempdir().unwrap();
    let exported = export(&store(home.path()), session_id(1));
    let value: Value = serde_json::from_slice(&exported).unwrap();
    let pretty = serde_json::to_vec_pretty(&value).unwrap();
    let to = Store::at(home.path().join("to"));
    import(&to, &pretty).unwrap();
    assert_eq!(export(&to, session_id(1)), exported);
}

#[test]
fn a_session_that_is_owned_is_exported_as_far_as_it_is_durable() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    let before = export(&store, session_id(1));
    let owned = store.open(session_id(1), &owner()).unwrap();
    // A batch that is being written: it is there, and the head does not name it yet.
    let path = store.session_dir(session_id(1)).journal();
    let bytes = std::fs::read(&path).unwrap();
    let mut chain = Chain::start(session_id(1));
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        chain.follow(line).unwrap();
    }
    let mut more = bytes.clone();
    chain
        .extend(&notice("not yet"), [0; 16], &mut more)
        .unwrap();
    more.extend_from_slice(b"{\"seq\":");
    std::fs::write(&path, &more).unwrap();
    assert_eq!(export(&store, session_id(1)), before);
    std::fs::write(&path, &bytes).unwrap();
    drop(owned);
    assert_eq!(export(&store, session_id(1)), before);
}

#[test]
fn what_is_damaged_is_not_exported_and_a_body_that_is_lost_is_named() {
    let home = tempfile::tempdir().unwrap();
    let store = store(home.path());
    let dir = store.session_dir(session_id(1));
    let whole = Digest::of(&vec![7; 100_000]);
    std::fs::write(dir.blobs().join(whole.to_hex()), b"other").unwrap();
    let mut out = Vec::new();
    let exported = store.read_only(session_id(1)).unwrap().export(&mut out);
    assert_eq!(exported.unwrap().left_out, [whole]);
    let to = Store::at(home.path().join("to"));
    assert_eq!(import(&to, &out).unwrap().missing, [whole]);

    let path = dir.journal();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let mut out = Vec::new();
    let error = store.read_only(session_id(1)).unwrap().export(&mut out);
    assert!(matches!(error, Err(Error::Damaged { .. })), "{error:?}");
    assert!(out.is_empty(), "nothing is written before it was checked");
}

/// Changes the export as JSON.
fn changed(exported: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(exported).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

fn list<'v>(value: &'v mut Value, name: &str) -> &'v mut Vec<Value> {
    value[name].as_array_mut().unwrap()
}

#[test]
fn what_was_changed_on_the_way_is_refused_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let good = export(&store(home.path()), session_id(1));
    let with = |change: fn(&mut Value)| changed(&good, change);
    let table = [
        (b"".to_vec(), "cannot be read"),
        (b"[]".to_vec(), "cannot be read"),
        (good[..good.len() - 2].to_vec(), "cannot be read"),
        (good[..good.len() / 2].to_vec(), "cannot be read"),
        ([&good[..], b"{}"].concat(), "cannot be read"),
        (with(|v| v["format"] = json!("other")), "format is not"),
        (with(|v| v["version"] = json!(3)), "use a newer one"),
        (with(|v| v["version"] = json!(1)), "does not hold all"),
        (with(|v| v["more"] = json!(1)), "`more` is not known"),
        (with(|v| v["events"] = json!([])), "no event"),
        (with(|v| v["id"] = json!(session_id(2))), "event 1:"),
        (with(|v| drop(list(v, "events").remove(4))), "event 6:"),
        (with(|v| list(v, "events").swap(4, 5)), "event 6:"),
        (
            with(|v| v["events"][3]["event"]["at_ms"] = json!(1)),
            "event 4: it does not match its commitment",
        ),
        (
            with(|v| v["events"][3]["salt"] = json!("00".repeat(16))),
            "event 4: it does not match its commitment",
        ),
        (
            with(|v| v["events"][3]["salt"] = json!("0")),
            "its salt is none",
        ),
        (
            with(|v| v["events"][3]["hash"] = v["events"][2]["hash"].clone()),
            "event 4: it does not follow",
        ),
        (with(|v| v["events"][3]["epoch"] = json!(9)), "event 4:"),
        (
            with(|v| v["blobs"][0]["base64"] = json!("AAAA")),
            "it was changed",
        ),
        (with(|v| v["blobs"][1]["base64"] = json!("!")), "not base64"),
        (
            with(|v| {
                let first = v["blobs"][0].clone();
                list(v, "blobs").push(first);
            }),
            "twice",
        ),
        (
            with(|v| {
                let digest = Digest::of(b"");
                let empty = json!({ "digest": digest, "bytes": 0, "base64": "" });
                list(v, "events").pop();
                v["blobs"] = json!([empty]);
            }),
            "no event refers to it",
        ),
    ];
    let to = Store::at(home.path().join("to"));
    for (bytes, expect) in &table {
        let error = import(&to, bytes).unwrap_err().to_string();
        assert!(error.contains(expect), "{expect}: {error}");
        assert!(!to.home().exists(), "{expect}");
    }
    import(&to, &good).unwrap();
    let again = import(&to, &good).unwrap_err();
    assert!(matches!(again, Error::Exists { .. }), "{again}");
    assert_eq!(
        export(&to, session_id(1)),
        good,
        "the one that is there is left alone"
    );
}

/// Whatever byte is changed: it is refused, or nothing that counts was changed.
#[test]
fn no_changed_byte_makes_another_session() {
    let home = tempfile::tempdir().unwrap();
    let good = export(&store(home.path()), session_id(1));
    let events = good.len() - 134_000;
    for at in (0..events).step_by(events / 400) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 7);
        let to = Store::at(home.path().join(format!("to-{at}")));
        if import(&to, &bytes).is_ok() {
            assert_eq!(export(&to, session_id(1)), good, "byte {at}");
        } else {
            assert!(!to.home().exists(), "byte {at}");
        }
    }
}

/// A chain is no proof of who made it: one that a stranger made well is still refused what no
/// session of ours says.
#[test]
fn a_well_made_chain_with_a_hostile_body_is_refused() {
    let session = session_id(1);
    let own = |epoch| {
        let owner = OwnerChanged {
            epoch: Epoch(epoch),
            pid: 1,
            app_version: "1".to_owned(),
        };
        serde_json::to_string(&Event::new(1, Fact::OwnerChanged(owner))).unwrap()
    };
    let started = |spool: &str| {
        format!(
            "{{\"at_ms\":1,\"kind\":\"CallStarted\",\"data\":{{\"call\":\"{session}\",\
             \"try_number\":1,\"epoch\":0,\"digest\":\"{}\",\"class\":\"once\",\"spool\":\"{spool}\"}}}}",
            Digest::of(b"")
        )
    };
    let other = finished(session_id(2), "/x", 1).events;
    let beginning = other
        .iter()
        .find(|event| matches!(event.fact, Fact::SessionStarted(_)));
    let unknown = "{\"at_ms\":1,\"kind\":\"MoonRose\",\"data\":{}}".to_owned();
    let table = [
        (started("../../../etc"), "outside of its session"),
        (started(".."), "outside of its session"),
        (
            serde_json::to_string(beginning.unwrap()).unwrap(),
            "another session",
        ),
        (unknown, "use a newer one"),
        ("{\"at_ms\":1,\n\"kind\":\"x\"}".to_owned(), "commitment"),
        (format!("{}\n{}", own(1), own(2)), "cannot be read"),
    ];
    let home = tempfile::tempdir().unwrap();
    let to = Store::at(home.path().join("to"));
    for (body, expect) in table {
        let made = made(session, &body);
        let error = import(&to, &made).unwrap_err().to_string();
        assert!(error.contains(expect), "{body}: {error}");
        assert!(!to.home().exists());
    }
    import(&to, &made(session, &started("1.1"))).unwrap();
}

/// An export of one record with this body, whose chain holds.
fn made(session: SessionId, body: &str) -> Vec<u8> {
    use bowline_journal::record::{Line, commitment, seed};
    let line = Line {
        seq: bowline_core::Seq(1),
        epoch: Epoch(0),
        prev: seed(session),
        commitment: commitment(&[0; 16], body.as_bytes()),
        salt: [0; 16],
        body: body.as_bytes(),
    };
    format!(
        "{{\"format\":\"bowline-session\",\"version\":2,\"id\":\"{session}\",\"events\":[{{\
         \"seq\":1,\"epoch\":0,\"commitment\":\"{}\",\"salt\":\"{}\",\"hash\":\"{}\",\
         \"event\":{body}}}],\"blobs\":[]}}",
        line.commitment,
        "00".repeat(16),
        line.hash(session)
    )
    .into_bytes()
}

/// An import that was cut short leaves no session, and the next one sweeps up after it.
#[test]
fn what_an_import_left_that_was_cut_short_is_swept_away() {
    let home = tempfile::tempdir().unwrap();
    let good = export(&store(home.path()), session_id(1));
    let to = Store::at(home.path().join("to"));
    let left = to
        .home()
        .join("sessions")
        .join(format!(".importing-{}.1", session_id(1)));
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("journal.jsonl"), "half").unwrap();
    assert!(to.list().unwrap().is_empty());
    import(&to, &good).unwrap();
    assert!(!left.exists());
    assert_eq!(to.list().unwrap(), [session_id(1)]);
}
