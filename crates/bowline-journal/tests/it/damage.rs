//! Every cut, flip, swap and hole is found, and the intact prefix stays readable.

use std::ops::Range;

use bowline_core::{Digest, Seq, SessionId};
use bowline_journal::record::{
    Chain, Fault, Head, Line, Tail, Verified, seed, verify, verify_from,
};
use bowline_journal::{Error, Store};

use crate::sample::{finished, journal_of, owner, session_id};

/// A journal of 200 records, its head, and where each line lies.
struct Whole {
    session: SessionId,
    bytes: Vec<u8>,
    head: Head,
    lines: Vec<Range<usize>>,
    /// The chain before each line, and after the last.
    chains: Vec<Chain>,
}

impl Whole {
    fn new() -> Self {
        let session = session_id(7);
        let mut script = finished(session, "/srv/project", 38);
        script.own(bowline_core::Epoch(2));
        script.ask("prompt-2", "Once more.");
        script.ask("prompt-3", "And again.");
        assert_eq!(script.events.len(), 200);
        let journal = journal_of(session, &script.events);
        let (bytes, head) = (journal.bytes().to_vec(), journal.synced().unwrap());
        let mut lines = Vec::new();
        let mut chains = vec![Chain::start(session)];
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let start = lines.last().map_or(0, |last: &Range<usize>| last.end);
            lines.push(start..start + line.len());
            let mut chain = *chains.last().unwrap();
            chain.follow(&line[..line.len() - 1]).unwrap();
            chains.push(chain);
        }
        Self {
            session,
            bytes,
            head,
            lines,
            chains,
        }
    }

    fn line_at(&self, byte: usize) -> usize {
        self.lines.partition_point(|line| line.end <= byte)
    }

    /// The lines in another order, or others.
    fn with_lines(&self, order: impl IntoIterator<Item = usize>) -> Vec<u8> {
        order
            .into_iter()
            .flat_map(|at| self.bytes[self.lines[at].clone()].to_vec())
            .collect()
    }

    fn check(&self, bytes: &[u8], head: Option<Head>) -> (Tail, usize) {
        let Verified { records, tail, .. } = verify(self.session, bytes, head);
        (tail, records.len())
    }
}

/// The positive control: nothing is found where nothing is wrong.
#[test]
fn an_untouched_journal_verifies() {
    let whole = Whole::new();
    for head in [Some(whole.head), None] {
        assert_eq!(whole.check(&whole.bytes, head), (Tail::Clean, 200));
    }
}

/// Checking from the line that holds the flip is the same fold as checking from the start: that
/// is what makes a million flips affordable.
#[test]
fn every_flipped_bit_is_found_and_what_precedes_it_is_intact() {
    let whole = Whole::new();
    let mut bytes = whole.bytes.clone();
    for at in 0..bytes.len() {
        let line = whole.line_at(at);
        let (chain, start) = (whole.chains[line], whole.lines[line].start);
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let found = verify_from(chain, &bytes[start..], Some(whole.head));
            let (tail, intact) = (found.tail, found.records.len());
            bytes[at] ^= 1 << bit;
            let Tail::Damaged(finding) = tail else {
                panic!("flip of bit {bit} at byte {at} (line {line}) not found");
            };
            assert_eq!(
                finding.at_seq,
                Seq(line as u64 + 1),
                "bit {bit} at byte {at}"
            );
            assert_eq!(intact, 0);
        }
    }
}

#[test]
fn a_flip_checked_from_the_start_leaves_the_same_prefix() {
    let whole = Whole::new();
    for at in (0..whole.bytes.len()).step_by(997) {
        let mut bytes = whole.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let (tail, intact) = whole.check(&bytes, Some(whole.head));
        assert!(matches!(tail, Tail::Damaged(_)), "byte {at}");
        assert_eq!(intact, whole.line_at(at));
    }
}

/// Without a head file a flip is still found; one in the last line looks like a torn batch.
#[test]
fn flips_are_found_without_a_head_too() {
    let whole = Whole::new();
    for at in (0..whole.bytes.len()).step_by(41) {
        let mut bytes = whole.bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        let (tail, intact) = whole.check(&bytes, None);
        assert_ne!(tail, Tail::Clean, "byte {at}");
        assert_eq!(intact, whole.line_at(at));
    }
}

#[test]
fn every_cut_is_found_and_what_precedes_it_is_intact() {
    let whole = Whole::new();
    for cut in 0..whole.bytes.len() {
        let line = whole.line_at(cut);
        let (chain, start) = (whole.chains[line], whole.lines[line].start);
        let found = verify_from(chain, &whole.bytes[start..cut], Some(whole.head));
        let Tail::Damaged(finding) = found.tail else {
            panic!("cut at byte {cut} not found")
        };
        assert_eq!(finding.at_seq, Seq(line as u64 + 1), "cut at byte {cut}");
    }
}

/// Without a head the bytes alone show a cut inside a line; at a border only a witness tells.
#[test]
fn a_cut_at_a_border_needs_the_head() {
    let whole = Whole::new();
    for (at, line) in whole.lines.iter().enumerate() {
        let synced = whole.head.seq;
        let (tail, intact) = whole.check(&whole.bytes[..line.start], Some(whole.head));
        let Tail::Damaged(finding) = tail else {
            panic!("cut before line {at} not found")
        };
        assert_eq!(finding.fault, Fault::Cut { synced });
        assert_eq!(intact, at);
        assert_eq!(
            whole.check(&whole.bytes[..line.start], None),
            (Tail::Clean, at)
        );
        let inside = &whole.bytes[..line.end - 1];
        assert!(matches!(whole.check(inside, None), (Tail::Torn { .. }, n) if n == at));
    }
}

/// A power loss may keep a later sector of a batch and not an earlier one. Beyond the last synced
/// record that is a torn batch, whole records after the hole or not; before it, it is damage.
#[test]
fn a_missing_sector_is_torn_beyond_the_head_and_damage_before_it() {
    const SECTOR_BYTES: usize = 512;
    let whole = Whole::new();
    let check = |from: usize, bytes: usize, is_torn: bool| {
        let mut left = whole.bytes.clone();
        left[from..from + bytes].fill(0);
        let line = whole.line_at(from);
        let head = |line: usize| {
            let chain = whole.chains[line];
            let (seq, hash) = (chain.seq, chain.hash);
            (seq > Seq(0)).then_some(Head { seq, hash })
        };
        let (tail, intact) = whole.check(&left, head(line));
        assert_eq!(
            matches!(tail, Tail::Torn { .. }),
            is_torn,
            "{bytes} from {from}: {tail:?}"
        );
        assert_eq!(intact, line);
        let (tail, _) = whole.check(&left, Some(whole.head));
        assert!(
            matches!(tail, Tail::Damaged(_)),
            "{bytes} from {from}: {tail:?}"
        );
    };
    for sector in (0..whole.bytes.len() / SECTOR_BYTES).step_by(7) {
        check(sector * SECTOR_BYTES, SECTOR_BYTES, true);
    }
    // The first sector of a batch begins where the batch does.
    check(whole.lines[50].start, 10, true);
    // Anything shorter is no sector.
    check(whole.lines[50].start + 20, 10, false);
}

#[test]
fn swapped_removed_and_doubled_records_are_found() {
    let whole = Whole::new();
    for at in 0..199 {
        let swapped = (0..200).map(|line| match line {
            _ if line == at => at + 1,
            _ if line == at + 1 => at,
            _ => line,
        });
        let removed = (0..200).filter(|line| *line != at);
        let doubled = (0..200).flat_map(|line| vec![line; 1 + usize::from(line == at)]);
        let rewound = (0..200).chain([at]);
        for (bytes, intact_lines) in [
            (whole.with_lines(swapped), at),
            (whole.with_lines(removed), at),
            (whole.with_lines(doubled), at + 1),
            (whole.with_lines(rewound), 200),
        ] {
            // Whole records after the fault tell as much as the head, so one of ten will do.
            let heads = [Some(whole.head), None];
            for head in heads.into_iter().take(1 + usize::from(at % 10 == 0)) {
                let (tail, intact) = whole.check(&bytes, head);
                assert!(matches!(tail, Tail::Damaged(_)), "line {at}");
                assert_eq!(intact, intact_lines);
            }
        }
    }
}

#[test]
fn a_record_of_another_session_does_not_fit() {
    let whole = Whole::new();
    let (tail, intact) = {
        let found = verify(session_id(8), &whole.bytes, None);
        (found.tail, found.records.len())
    };
    assert!(matches!(tail, Tail::Damaged(_)));
    assert_eq!(intact, 0);
}

#[test]
fn a_whole_other_history_is_found_by_the_head() {
    let whole = Whole::new();
    let mut script = finished(whole.session, "/srv/project", 38);
    script.own(bowline_core::Epoch(2));
    script.ask("prompt-2", "Once more.");
    script.ask("prompt-3", "Something else.");
    let other = journal_of(whole.session, &script.events);
    let (tail, intact) = whole.check(other.bytes(), Some(whole.head));
    let Tail::Damaged(finding) = tail else {
        panic!("not found")
    };
    assert_eq!((finding.fault, intact), (Fault::Head, 199));
}

/// A large journal is checked in parts at once: the outcome is that of one pass.
#[test]
fn a_large_journal_is_checked_in_parts_with_the_same_outcome() {
    let session = session_id(9);
    let journal = journal_of(session, &finished(session, "/srv/project", 600).events);
    let (bytes, head) = (journal.bytes(), journal.synced());
    assert!(bytes.len() > 3 << 19, "it is large enough to be parted");
    let check = |bytes: &[u8], note: &str| {
        let parted = verify(session, bytes, head);
        let one_pass = verify_from(Chain::start(session), bytes, head);
        assert_eq!(parted.records, one_pass.records, "{note}");
        assert_eq!(
            (parted.end, parted.tail),
            (one_pass.end, one_pass.tail),
            "{note}"
        );
        assert_eq!(parted.intact_bytes, one_pass.intact_bytes, "{note}");
    };
    check(bytes, "untouched");
    for at in (0..bytes.len()).step_by(bytes.len() / 9) {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        check(&flipped, &format!("flip at byte {at}"));
        check(
            &bytes[..bytes.len() - at / 3],
            &format!("cut of {} bytes", at / 3),
        );
    }
    let middle = bytes.len() / 2;
    let border = middle
        + bytes[middle..]
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap()
        + 1;
    let doubled = [&bytes[..border], &bytes[border..], &bytes[border..]].concat();
    check(&doubled, "its second half twice");
    check(&bytes[border..], "its first half missing");
}

/// The positive control of the flips: a verifier that does not hold bodies against their
/// commitments misses flips in bodies and salts, and only there.
#[test]
fn a_verifier_without_commitments_misses_flips() {
    let whole = Whole::new();
    let weak = |bytes: &[u8]| -> bool {
        let mut hash: Digest = seed(whole.session);
        let mut lines = 0;
        for line in bytes
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let Ok(line) = Line::parse(line) else {
                return false;
            };
            lines += 1;
            if line.prev != hash || line.seq != Seq(lines) {
                return false;
            }
            hash = line.hash(whole.session);
        }
        lines == 200 && hash == whole.head.hash
    };
    assert!(weak(&whole.bytes), "it accepts an untouched journal");
    let (mut missed, mut tried) = (0, 0);
    for at in (0..whole.bytes.len()).step_by(97) {
        let mut bytes = whole.bytes.clone();
        bytes[at] ^= 1;
        tried += 1;
        missed += usize::from(weak(&bytes));
    }
    assert!(
        missed > tried / 4,
        "the weak verifier missed only {missed} of {tried} flips"
    );
}

/// A head file is read only in the one spelling that we write: a flip there is not taken for
/// damage of the journal.
#[test]
fn every_flip_of_a_head_makes_it_unreadable() {
    let whole = Whole::new();
    let bytes = whole.head.render(whole.session);
    assert_eq!(bytes.len(), Head::BYTES);
    assert_eq!(Head::parse(whole.session, &bytes), Some(whole.head));
    assert_eq!(Head::parse(session_id(8), &bytes), None);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert_eq!(
                Head::parse(whole.session, &flipped),
                None,
                "bit {bit} at byte {at}"
            );
        }
        assert_eq!(Head::parse(whole.session, &bytes[..at]), None);
    }
}

/// The same on real files, sampled: opening refuses, reading gives the intact prefix.
#[test]
fn damaged_files_are_refused_for_writing_and_readable_up_to_the_damage() {
    let whole = Whole::new();
    let home = tempfile::tempdir().unwrap();
    let store = Store::at(home.path());
    drop(store.create(whole.session, &owner()).unwrap());
    let dir = store.session_dir(whole.session);
    std::fs::write(dir.head(), whole.head.render(whole.session)).unwrap();
    let check = |bytes: &[u8], intact: usize, note: &str| {
        std::fs::write(dir.journal(), bytes).unwrap();
        let error = store.open(whole.session, &owner()).unwrap_err();
        let Error::Damaged {
            path,
            at_seq,
            intact_seq,
            what,
            next,
        } = &error
        else {
            panic!("{note}: {error}");
        };
        assert_eq!(path, &dir.journal());
        assert_eq!(
            (at_seq.0, intact_seq.0),
            (intact as u64 + 1, intact as u64),
            "{note}"
        );
        assert!(!what.is_empty() && next.contains("bowline events"));
        let read = store
            .read_only(whole.session)
            .unwrap()
            .read_intact()
            .unwrap();
        assert_eq!(read.events.len(), intact, "{note}");
        assert!(
            matches!(read.finding, Some(Error::Damaged { .. })),
            "{note}"
        );
        assert_eq!(
            std::fs::read(dir.journal()).unwrap(),
            bytes,
            "{note}: nothing was changed"
        );
    };
    for at in (0..whole.bytes.len()).step_by(6_007) {
        let line = whole.line_at(at);
        check(&whole.bytes[..at], line, &format!("cut at byte {at}"));
        check(
            &whole.bytes[..whole.lines[line].start],
            line,
            &format!("cut before line {line}"),
        );
        let mut flipped = whole.bytes.clone();
        flipped[at] ^= 4;
        check(&flipped, line, &format!("flip at byte {at}"));
    }
    std::fs::write(dir.journal(), &whole.bytes).unwrap();
    assert_eq!(
        store.open(whole.session, &owner()).unwrap().opened.last_seq,
        Seq(200)
    );
    std::fs::remove_file(dir.journal()).unwrap();
    let error = store.open(whole.session, &owner()).unwrap_err();
    assert!(
        matches!(&error, Error::Damaged { what, .. } if what.contains("missing")),
        "{error}"
    );
    assert!(
        !dir.journal().exists(),
        "a lost journal is not replaced by an empty one"
    );
}
