//! Anchors: what is signed holds, what is changed does not.

use super::*;

fn signer() -> Signer {
    Signer::read(&format!("{KEY_TAG} {}\n", "11".repeat(32))).unwrap()
}

fn anchor() -> Anchor {
    let heads = [
        (Stream::Ledger, Seq(7)),
        (Stream::Installation, Seq(900)),
        (
            Stream::Session(bowline_core::SessionId::from_uuid(uuid::Uuid::from_u128(5))),
            Seq(12),
        ),
    ];
    let heads = heads.map(|(stream, seq)| {
        let hash = Digest::of(stream.to_string().as_bytes());
        (stream, Head { seq, hash })
    });
    Anchor::sign(heads.into(), 1_767_225_600_000, &signer())
}

#[test]
fn an_anchor_reads_back_as_it_was_signed() {
    let text = anchor().file().unwrap();
    assert_eq!(Anchor::read(text.as_bytes()).unwrap(), anchor());
    let compact: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        Anchor::read(compact.to_string().as_bytes()).unwrap(),
        anchor()
    );
    let fresh = Signer::fresh().unwrap();
    assert_ne!(fresh.public(), signer().public());
    assert_eq!(
        Signer::read(&fresh.file()).unwrap().public(),
        fresh.public()
    );
    assert!(!format!("{fresh:?}").contains(&fresh.file()[KEY_TAG.len() + 1..][..64]));
}

#[test]
fn any_changed_character_is_found() {
    let text = anchor().file().unwrap();
    for at in 0..text.len() {
        for with in [b'0', b'"'] {
            let mut bytes = text.clone().into_bytes();
            if bytes[at] == with || bytes[at].is_ascii_whitespace() {
                continue;
            }
            bytes[at] = with;
            assert!(
                Anchor::read(&bytes).is_err(),
                "{at}: {}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

#[test]
fn what_is_no_anchor_or_no_key_is_refused_in_words() {
    let twice = anchor().file().unwrap().replace("installation", "ledger");
    let other = anchor()
        .file()
        .unwrap()
        .replace("\"bowline_anchor\": 1", "\"bowline_anchor\": 2");
    let more = anchor().file().unwrap().replacen('{', "{\"by\": 1,", 1);
    let cases = [
        ("", "EOF"),
        ("[]", "invalid"),
        (&twice, "twice"),
        (&other, "version 2"),
        (&more, "unknown field"),
    ];
    for (text, part) in cases {
        let error = Anchor::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    for text in [
        "",
        KEY_TAG,
        "bowline-anchor-key-1 zz",
        "bowline-anchor-key-2 00",
    ] {
        assert!(
            Signer::read(text)
                .unwrap_err()
                .to_string()
                .contains("a key"),
            "{text}"
        );
    }
}
