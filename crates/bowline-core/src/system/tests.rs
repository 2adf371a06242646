//! System events are read back as written, and kept when they are not understood.

use uuid::Uuid;

use super::*;
use crate::id::Seq;
use crate::usage::StopReason;

fn event(fact: SystemFact) -> SystemEvent {
    let run = RunId::from_uuid(Uuid::from_u128(7));
    SystemEvent::new(5, run, Some(SessionId::from_uuid(Uuid::from_u128(9))), fact)
}

#[test]
fn what_is_written_is_read_back() {
    let facts = [
        SystemFact::Stopped(Stopped {
            exit_code: 130,
            stop_reason: Some(StopReason::Cancelled),
            detail: None,
        }),
        SystemFact::Crashed(Crashed {
            message: "boom".to_owned(),
            location: "src/a.rs:1:2".to_owned(),
            backtrace: String::new(),
        }),
        SystemFact::LogRotated(LogRotated {
            before_seq: Seq(4),
            kept_as: "old".to_owned(),
        }),
        SystemFact::JournalRepaired(JournalRepaired {
            what: "it was cut".to_owned(),
            kept_seq: Seq(4),
            dropped_bytes: 0,
            lost_records: 3,
            kept_as: "journal.jsonl.damaged-1".to_owned(),
        }),
        SystemFact::SessionPruned(SessionPruned {
            part: "blobs".to_owned(),
            bytes: 7,
            why: "too old".to_owned(),
        }),
        SystemFact::ProjectTrusted(ProjectTrusted {
            folder: "/srv/app".to_owned(),
            content: crate::Digest::of(b"content"),
            items: vec!["mode = full (.bowline/config.toml:1)".to_owned()],
            by: "the command line".to_owned(),
        }),
        SystemFact::TrustRevoked(TrustRevoked {
            folder: "/srv/app".to_owned(),
            content: crate::Digest::of(b"content"),
            by: "the command line".to_owned(),
        }),
        SystemFact::Other {
            kind: "MoonRose".to_owned(),
            data: serde_json::json!({ "full": true }),
        },
    ];
    for fact in facts {
        let written = serde_json::to_string(&event(fact.clone())).unwrap();
        let read: SystemEvent = serde_json::from_str(&written).unwrap();
        assert_eq!(read, event(fact), "{written}");
        assert!(!read.fact.line().is_empty(), "{written}");
    }
}

#[test]
fn kinds_and_forms_of_other_versions_stay_readable() {
    let run = Uuid::from_u128(7);
    let table = [
        ("MoonRose", "loud", "{\"full\":true}"),
        ("Stopped", "info", "{\"code\":[1]}"),
    ];
    for (kind, level, data) in table {
        let text = format!(
            "{{\"at_ms\":1,\"run\":\"{run}\",\"level\":\"{level}\",\"kind\":\"{kind}\",\"data\":{data}}}"
        );
        let read: SystemEvent = serde_json::from_str(&text).unwrap();
        assert_eq!(read.fact.kind(), kind);
        assert!(matches!(read.fact, SystemFact::Other { .. }), "{read:?}");
        assert_eq!(read.fact.line(), data);
    }
}

#[test]
fn every_name_of_the_catalogue_is_read_and_stands_once() {
    let mut names: Vec<&str> = CATALOGUE.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CATALOGUE.len());
}
