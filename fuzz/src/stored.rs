//! What is read back from disk: journals, configuration, the records of a keeper.

use std::path::PathBuf;
use std::sync::OnceLock;

use bowline_core::decision::Layer;
use bowline_core::{SessionId, State, apply};
use bowline_journal::record::verify;
use bowline_journal::{Anchor, Signer, verify_disclosed};
use bowline_runtime::config::{Layers, parse};
use bowline_tools::keeper::{record, spool};

/// The intact part of a journal is found, and is intact by itself.
pub(crate) fn journal(data: &[u8]) {
    // The session of the seed, so that a mutated journal can still hold true records.
    let session: SessionId = "01900000-0000-7000-8000-00000000002a"
        .parse()
        .expect("an id");
    let read = verify(session, data, None);
    assert!(read.intact_bytes <= data.len());
    let mut state = State::default();
    for found in &read.records {
        if let Ok(event) = found.event() {
            state = apply(state, &event);
        }
    }
    let again = verify(session, &data[..read.intact_bytes], None);
    assert_eq!(again.records.len(), read.records.len());
    assert_eq!(again.intact_bytes, read.intact_bytes);
}

/// An anchor or an export is read or refused in words; what is read is written the same again.
pub(crate) fn proofs(data: &[u8]) {
    if let Ok(anchor) = Anchor::read(data) {
        let file = anchor.file().expect("it is JSON");
        assert_eq!(Anchor::read(file.as_bytes()), Ok(anchor));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        std::hint::black_box(Signer::read(text).is_ok());
    }
    let mut input = data;
    match verify_disclosed(&mut input, None) {
        Ok(chains) => assert!(chains.iter().all(|it| it.disclosed <= it.records)),
        Err(error) => assert!(error.line > 0 && !error.why.is_empty()),
    }
}

/// A file of any layer is read or refused with a place.
pub(crate) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for layer in [Layer::User, Layer::Project] {
        match parse(layer, "config.toml", text) {
            Ok(entries) => {
                let mut layers = Layers::default();
                layers.add(entries);
                let effective = layers.resolve();
                std::hint::black_box((effective.mode(), effective.limits(), effective.model()));
            }
            Err(error) => assert!(error.place.starts_with("config.toml:"), "{error}"),
        }
    }
}

/// The records of an attempt, and its spool, are read whatever they hold.
pub(crate) fn keeper(data: &[u8]) {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("bowline-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    });
    for name in ["claim", "exit.json"] {
        std::fs::write(folder.join(name), data).expect("a file");
    }
    std::hint::black_box((record::read_claim(folder), record::read_exit(folder)));
    std::hint::black_box(spool::read(folder));
}
