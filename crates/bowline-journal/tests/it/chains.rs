//! Every chain checked at once: whatever is done to any one record is found and named; what only an
//! anchor can see is seen by it.

use std::path::{Path, PathBuf};

use bowline_core::amounts::{Amounts, Cap, RateLimits};
use bowline_core::system::Crashed;
use bowline_core::{AttemptId, Epoch, Event, Fact, RunId, Seq, SystemEvent, SystemFact};
use bowline_journal::record::{Line, commitment};
use bowline_journal::{
    Anchor, AnchorHeld, ChainReport, Claim, ClaimKey, DamageKind, Grant, Journal as _, Signer,
    Store, Stream,
};
use uuid::Uuid;

use crate::sample::{block_on, finished, journal_of, owner, session_id};

/// Set it to have every record of every chain mutated.
const ALL: &str = "BOWLINE_ALL_MUTATIONS";

/// A state folder whose three chains have more than a hundred records each.
fn three_chains() -> (tempfile::TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    let script = finished(session_id(1), "/srv/project", 19);
    let mut owned = store.create(session_id(1), &owner()).unwrap();
    let (before, after) = script.events.split_at(1);
    block_on(owned.journal.append(Epoch(0), before.to_vec())).unwrap();
    block_on(owned.journal.append(Epoch(1), after.to_vec())).unwrap();
    drop(owned);
    store.update_index(session_id(1), &script.state).unwrap();
    let events = (0..101).map(crash);
    store.installation().append(events.collect()).unwrap();
    let ledger = store.ledger();
    for number in 0..51 {
        let claim = claim(number, 1);
        assert_eq!(ledger.reserve(&claim).unwrap(), Grant::Reserved);
        assert!(ledger.settle(claim.key, Amounts::ZERO, 1_000).unwrap());
    }
    // A settlement is not synced, so the head file would not name it: the last one is a claim.
    let _granted = ledger.reserve(&claim(51, 1)).unwrap();
    (home, store)
}

/// A claim of nothing under a cap of `cap_micro_usd`, so that it is durable.
fn claim(number: u128, cap_micro_usd: u64) -> Claim {
    Claim {
        key: ClaimKey::Attempt(AttemptId::from_uuid(Uuid::from_u128(number))),
        session: session_id(1),
        project: "/srv/project".to_owned(),
        at_ms: 1_000,
        amounts: Amounts::ZERO,
        project_cap: Cap::default(),
        day_cap: Cap {
            cost_micro_usd: Some(cap_micro_usd),
            ..Cap::default()
        },
        rates: RateLimits::default(),
    }
}

fn crash(number: u64) -> SystemEvent {
    let fact = SystemFact::Crashed(Crashed {
        message: format!("crash {number}"),
        location: String::new(),
        backtrace: String::new(),
    });
    SystemEvent::new(number, RunId::from_uuid(Uuid::nil()), None, fact)
}

type Mutate = fn(&mut Vec<Vec<u8>>, usize);

/// What can be done to one record, and what the file is then.
const MUTATIONS: [(&str, Mutate); 9] = [
    ("flip", |lines, at| {
        let middle = lines[at].len() / 2;
        lines[at][middle] ^= 1;
    }),
    ("drop", |lines, at| {
        lines.remove(at);
    }),
    ("swap", |lines, at| {
        let other = if at == 0 { 1 } else { at - 1 };
        lines.swap(at, other);
    }),
    ("cut within", |lines, at| {
        lines.truncate(at + 1);
        let half = lines[at].len() / 2;
        lines[at].truncate(half);
    }),
    ("cut before", |lines, at| lines.truncate(at)),
    ("insert", |lines, at| {
        let one_more = lines[at].clone();
        lines.insert((at + 7) % lines.len(), one_more);
    }),
    ("duplicate", |lines, at| {
        let again = lines[at].clone();
        lines.insert(at, again);
    }),
    ("edit", |lines, at| {
        lines[at] = edited(&lines[at], false);
    }),
    ("edit and hash anew", |lines, at| {
        lines[at] = edited(&lines[at], true);
    }),
];

/// The record with another time in its body, and perhaps the commitment to it.
fn edited(line: &[u8], hashed: bool) -> Vec<u8> {
    let mut record = Line::parse(&line[..line.len() - 1]).unwrap();
    let body = String::from_utf8(record.body.to_vec()).unwrap();
    let body = body.replacen("\"at_ms\":", "\"at_ms\":1", 1);
    record.body = body.as_bytes();
    if hashed {
        record.commitment = commitment(&record.salt, record.body);
    }
    let mut out = Vec::new();
    record.render(&mut out);
    out
}

fn report(store: &Store, stream: Stream, anchor: Option<&Anchor>) -> ChainReport {
    let mut reports = store.verify_chains(Some(stream), anchor).unwrap();
    reports.pop().unwrap()
}

#[test]
fn whatever_is_done_to_any_record_of_any_chain_is_found_and_named() {
    let (_home, store) = three_chains();
    let session = Stream::Session(session_id(1));
    let chains = [
        (session, store.session_dir(session_id(1)).journal(), 102),
        (Stream::Installation, store.installation().path(), 101),
        (Stream::Ledger, store.ledger().path(), 103),
    ];
    for (stream, path, count) in chains {
        let whole = std::fs::read(&path).unwrap();
        let clean = report(&store, stream, None);
        assert!(clean.is_sound() && clean.witnesses.head, "{clean:?}");
        assert_eq!(clean.records, count, "{stream}");
        let lines: Vec<Vec<u8>> = whole
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        for at in 0..lines.len() {
            // The other two are checked by the same code: a sample of them in CI.
            let is_of_sample = stream == session || at % 8 == 0 || at + 3 > lines.len();
            if !is_of_sample && std::env::var_os(ALL).is_none() {
                continue;
            }
            for (name, mutate) in MUTATIONS {
                let mut mutated = lines.clone();
                mutate(&mut mutated, at);
                std::fs::write(&path, mutated.concat()).unwrap();
                let found = report(&store, stream, None);
                let first = found.findings.first();
                let first = first.unwrap_or_else(|| panic!("{stream} {at} {name}: nothing found"));
                assert_eq!(first.file, path, "{stream} {at} {name}");
                assert_eq!(first.line, first.seq.0, "{stream} {at} {name}");
                // Where it was inserted or swapped, or the record after one that was hashed anew.
                let near = [at, at + 1, at + 2, (at + 7) % lines.len() + 1];
                let line = usize::try_from(first.line).unwrap();
                assert!(near.contains(&line), "{stream} {at} {name}: {first:?}");
            }
        }
        std::fs::write(&path, whole).unwrap();
        assert!(report(&store, stream, None).is_sound());
    }
}

/// Where every chain stands now, signed.
fn anchored(store: &Store) -> Anchor {
    let reports = store.verify_chains(None, None).unwrap();
    let heads = reports.iter().filter_map(|it| Some((it.stream, it.end?)));
    let signer = Signer::fresh().unwrap();
    let anchor = Anchor::sign(heads.collect(), 5, &signer);
    Anchor::read(anchor.file().unwrap().as_bytes()).unwrap()
}

/// Writes a whole journal anew, with everything beside it that vouches for it.
fn write_anew(store: &Store, events: &[Event]) {
    let session = session_id(1);
    let journal = journal_of(session, events);
    let dir = store.session_dir(session);
    std::fs::write(dir.journal(), journal.bytes()).unwrap();
    let head = journal.synced().unwrap().render(session);
    std::fs::write(dir.head(), head).unwrap();
    std::fs::remove_file(store.home().join("index.db")).unwrap();
    store.rebuild_index().unwrap();
}

#[test]
fn a_chain_that_was_written_anew_is_seen_by_an_anchor_only() {
    let (_home, store) = three_chains();
    let anchor = anchored(&store);
    let session = Stream::Session(session_id(1));
    assert_eq!(anchor.heads().len(), 3);
    for report in store.verify_chains(None, Some(&anchor)).unwrap() {
        assert_eq!(report.anchored, Some(AnchorHeld::Holds), "{report:?}");
    }

    let mut other = finished(session_id(1), "/srv/project", 19).events;
    if let Fact::Decided(decided) = &mut other[6].fact {
        decided.decision.reason = "A person allowed it.".to_owned();
    } else {
        panic!("the seventh event is a decision: {:?}", other[6]);
    }
    write_anew(&store, &other);
    let unseen = report(&store, session, None);
    assert!(
        unseen.is_sound() && unseen.findings.is_empty(),
        "{unseen:?}"
    );
    assert!(unseen.witnesses.head && unseen.witnesses.index);
    let seen = report(&store, session, Some(&anchor));
    assert_eq!(seen.anchored, Some(AnchorHeld::Rewritten));
    assert!(!seen.is_sound());
}

#[test]
fn a_cut_at_a_record_is_seen_by_head_or_index_and_without_both_by_an_anchor() {
    let (_home, store) = three_chains();
    let anchor = anchored(&store);
    let session = Stream::Session(session_id(1));
    let dir = store.session_dir(session_id(1));
    let whole = std::fs::read(dir.journal()).unwrap();
    let end = whole[..whole.len() - 1].iter().rposition(|it| *it == b'\n');
    std::fs::write(dir.journal(), &whole[..=end.unwrap()]).unwrap();

    let cut = |without: &[PathBuf]| {
        for file in without {
            std::fs::remove_file(file).unwrap();
        }
        let found = report(&store, session, Some(&anchor));
        assert_eq!(found.anchored, Some(AnchorHeld::Cut));
        found.findings.first().map(|it| (it.kind, it.seq))
    };
    let expect = Some((DamageKind::Cut, Seq(102)));
    assert_eq!(cut(&[]), expect, "by the head file");
    assert_eq!(cut(&[dir.head()]), expect, "by the index");
    assert_eq!(cut(&[store.home().join("index.db")]), None);
}

#[test]
fn a_chain_that_has_grown_holds_and_one_that_is_gone_is_named() {
    let (_home, store) = three_chains();
    let anchor = anchored(&store);
    let mut owned = store.open(session_id(1), &owner()).unwrap();
    let epoch = owned.journal.epoch();
    let more = vec![Event::new(9, Fact::notice("more"))];
    block_on(owned.journal.append(epoch, more)).unwrap();
    drop(owned);
    store.installation().append(vec![crash(999)]).unwrap();
    for report in store.verify_chains(None, Some(&anchor)).unwrap() {
        assert_eq!(report.anchored, Some(AnchorHeld::Holds), "{report:?}");
    }
    store.delete(session_id(1), &owner()).unwrap();
    let reports = store.verify_chains(None, Some(&anchor)).unwrap();
    let gone: Vec<Stream> = reports
        .iter()
        .filter(|report| !report.is_sound())
        .map(|report| report.stream)
        .collect();
    assert_eq!(gone, [Stream::Session(session_id(1))]);
}

#[test]
fn a_stream_that_was_rotated_past_the_anchor_proves_nothing_and_says_so() {
    let (_home, store) = three_chains();
    let anchor = anchored(&store);
    let ledger = store.ledger().rotated_at(1);
    for number in 1_000..1_004 {
        assert_eq!(ledger.reserve(&claim(number, 1)).unwrap(), Grant::Reserved);
    }
    let found = report(&store, Stream::Ledger, Some(&anchor));
    assert_eq!(found.anchored, Some(AnchorHeld::KeptNoLonger), "{found:?}");
    assert!(found.is_sound(), "{found:?}");
}

#[test]
fn what_is_missing_of_a_stream_in_files_is_named() {
    let (_home, store) = three_chains();
    let path = store.installation().path();
    let head = path.with_extension("head");
    std::fs::remove_file(&path).unwrap();
    let found = report(&store, Stream::Installation, None);
    assert_eq!(found.findings[0].kind, DamageKind::Missing, "{found:?}");
    std::fs::remove_file(&head).unwrap();
    let reports = store.verify_chains(None, None).unwrap();
    assert!(reports.iter().all(|it| it.stream != Stream::Installation));
}

#[test]
fn checking_an_absent_folder_makes_none() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path().join("state"));
    assert_eq!(store.verify_chains(None, None).unwrap(), []);
    assert!(!Path::new(store.home()).exists());
    let none = Stream::Session(session_id(9));
    assert!(store.verify_chains(Some(none), None).is_err());
}
