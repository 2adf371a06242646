//! What is read back from disk: journals, configuration, the records of a keeper.

use std::path::PathBuf;
use std::sync::OnceLock;

use bowline_core::decision::Layer;
use bowline_core::{SessionId, State, apply};
use bowline_journal::record::verify;
use bowline_journal::{Anchor, Signer, verify_disclosed};
use bowline_runtime::config::{Layers, NewRule, ProjectTrust, parse, parse_rules, rules_text, with_rules};
use bowline_runtime::rules::import::import;
use bowline_runtime::rules::lint::{Linted, lint};
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

/// A file of rules is read or refused with a place, and what is read can be looked at and written.
pub(crate) fn rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match parse_rules(Layer::User, "rules.toml", text) {
        Ok(rules) => {
            let again: Vec<NewRule> = rules
                .iter()
                .map(|one| NewRule {
                    verdict: one.rule.verdict,
                    rule: one.rule.source.rule.clone(),
                    reason: one.reason.clone(),
                    allows: Vec::new(),
                })
                .collect();
            let written = rules_text(&again);
            let read = parse_rules(Layer::User, "rules.toml", &written).expect("it is as it was");
            assert_eq!(read.len(), rules.len());
            let linted: Vec<Linted> = rules.into_iter().map(Linted::from).collect();
            std::hint::black_box(lint(&linted, &["read", "shell"], ProjectTrust::Untrusted, 1));
        }
        Err(error) => assert!(error.place.starts_with("rules.toml"), "{error}"),
    }
}

/// Other agents' settings are read or refused, and every rule made of them can be read.
pub(crate) fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for folder in [None, Some("/home/ann/app")] {
        let Ok(imported) = import(text, folder) else {
            continue;
        };
        let rules: Vec<NewRule> = imported
            .rules
            .into_iter()
            .map(|one| NewRule {
                verdict: one.verdict,
                rule: one.rule,
                reason: Some(one.entry),
                allows: Vec::new(),
            })
            .filter(|rule| rule.reason.as_ref().is_none_or(|reason| reason.len() < 1_000))
            .collect();
        with_rules("rules.toml", "", &rules).expect("every rule can be read");
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
