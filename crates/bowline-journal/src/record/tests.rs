//! The line format: one spelling, nothing else.

use bowline_core::{Digest, Epoch, Event, Fact, Seq, SessionId};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Chain, Fault, Head, Line, commitment, verify};

fn session() -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(7))
}

fn line(body: &[u8]) -> Vec<u8> {
    let salt = [0xAB; 16];
    let line = Line {
        seq: Seq(1),
        epoch: Epoch(0),
        prev: Digest::of(b"before"),
        commitment: commitment(&salt, body),
        salt,
        body,
    };
    let mut out = Vec::new();
    line.render(&mut out);
    out
}

#[test]
fn a_line_is_read_in_its_own_spelling_only() {
    let good = String::from_utf8(line(b"{}")).unwrap();
    let good = good.trim_end();
    assert!(Line::parse(good.as_bytes()).unwrap().commitment_holds());
    let check = |from: &str, to: &str| {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        let fault = Line::parse(changed.as_bytes());
        assert!(
            matches!(fault, Err(Fault::Format(_))),
            "{changed}: {fault:?}"
        );
    };
    check("{\"seq\"", "{ \"seq\"");
    check("\"seq\":1", "\"seq\":01");
    check("\"seq\":1", "\"seq\":-1");
    check("\"seq\":1", "\"seq\":+1");
    check("\"seq\":1", "\"seq\":18446744073709551616");
    check("\"seq\":1", "\"seq\":");
    check("\"epoch\":0", "\"epoch\":0.0");
    check("\"epoch\":0,", "\"epoch\":0, ");
    check("abab", "ABAB");
    check("abab", "ab");
    check("\"body\":{}}", "\"body\":{}} ");
    let spaced = good.replace("\"body\":", "\"body\": ");
    assert!(
        !Line::parse(spaced.as_bytes()).unwrap().commitment_holds(),
        "a body is any bytes"
    );
    let endless = good.replace("{}}", "");
    let fault = Line::parse(endless.as_bytes());
    assert!(matches!(fault, Err(Fault::Format(_))));
}

#[test]
fn the_epoch_changes_only_with_its_owner() {
    let owner = |epoch| {
        Fact::OwnerChanged(bowline_core::event::OwnerChanged {
            epoch: Epoch(epoch),
            pid: 1,
            app_version: "1".to_owned(),
        })
    };
    let mut chain = Chain::start(session());
    let mut out = Vec::new();
    let receipt = chain
        .extend(&Event::new(1, owner(3)), [0; 16], &mut out)
        .unwrap();
    assert_eq!(receipt.epoch, Epoch(3));
    let good = verify(session(), &out, None);
    assert_eq!(good.end, chain);

    // The same record under an epoch that is not the one its body names.
    let text = String::from_utf8(out.clone())
        .unwrap()
        .replace("\"epoch\":3,\"prev\"", "\"epoch\":0,\"prev\"");
    let fault = Chain::start(session())
        .follow(text.trim_end().as_bytes())
        .unwrap_err();
    assert_eq!(
        fault,
        Fault::Epoch {
            found: Epoch(0),
            expected: Epoch(3)
        }
    );

    // A notice under an epoch that nobody began.
    let mut out = Vec::new();
    Chain::start(session())
        .extend(&Event::new(1, Fact::notice("x")), [0; 16], &mut out)
        .unwrap();
    let text = String::from_utf8(out)
        .unwrap()
        .replace("\"epoch\":0", "\"epoch\":1");
    let fault = Chain::start(session())
        .follow(text.trim_end().as_bytes())
        .unwrap_err();
    assert_eq!(
        fault,
        Fault::Epoch {
            found: Epoch(1),
            expected: Epoch(0)
        }
    );

    // An owner of an earlier epoch.
    let mut out = Vec::new();
    let mut later = Chain {
        epoch: Epoch(5),
        ..Chain::start(session())
    };
    later
        .extend(&Event::new(1, owner(3)), [0; 16], &mut out)
        .unwrap();
    let mut later = Chain {
        epoch: Epoch(5),
        ..Chain::start(session())
    };
    let fault = later.follow(&out[..out.len() - 1]).unwrap_err();
    assert!(matches!(fault, Fault::Epoch { .. }), "{fault}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _read = Line::parse(&bytes);
        let _followed = Chain::start(session()).follow(&bytes);
        let _head = Head::parse(session(), &bytes);
        let found = verify(session(), &bytes, None);
        prop_assert!(found.records.is_empty());
    }

    #[test]
    fn a_line_with_any_bytes_replaced_never_panics_and_reads_back_as_itself(
        at in 0_usize..300,
        bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut changed = line(b"{\"at_ms\":1,\"kind\":\"NoticeAdded\",\"data\":{}}");
        changed.pop();
        let at = at.min(changed.len());
        let end = (at + bytes.len()).min(changed.len());
        changed.splice(at..end, bytes);
        if let Ok(read) = Line::parse(&changed) {
            let mut again = Vec::new();
            read.render(&mut again);
            prop_assert_eq!(&again[..again.len() - 1], &changed[..]);
        }
        let _followed = Chain::start(session()).follow(&changed);
    }

    #[test]
    fn any_text_survives(text in "\\PC{0,200}", number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let mut chain = Chain::start(session());
        let mut out = Vec::new();
        let data = serde_json::json!({
            "at_ms": 5, "kind": "ModelReplied", "data": {
                "attempt": Uuid::from_u128(9),
                "message": {"blocks": [{"type": "opaque", "provider": "p", "model": "m",
                    "field": text, "value": {"n": number, "t": text}}]},
                "stop": "finished", "usage": null,
            }
        });
        let event: Event = serde_json::from_str(&data.to_string()).unwrap();
        chain.extend(&event, [1; 16], &mut out).unwrap();
        let found = verify(session(), &out, None);
        prop_assert_eq!(found.records.len(), 1);
        prop_assert_eq!(found.records[0].event().unwrap(), event);
    }
}
