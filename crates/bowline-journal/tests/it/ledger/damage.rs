//! A ledger that somebody or something changed, and disks that fail: what is spent is never taken
//! for less without a word.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use bowline_core::SystemFact;
use bowline_journal::{Claim, ClaimKey, Disk, Edges, Error, Grant, Ledger, Store};

use super::evidence::{Recorded, attempt, left};
use super::{NOON_MS, Numbers, claim, input};
use crate::injection::{Failing, Mode, scratch};

/// How many mutations are tried instead of the sample, such as 20000.
const COUNT: &str = "JOURNAL_TEST_LEDGER_MUTATIONS";
const CAP: u64 = 1_000;
const NEED: u64 = 10;

fn asked(number: u128, need: u64, cap: u64) -> Claim {
    claim(attempt(number), 9, NOON_MS, need, cap)
}

/// A ledger with ten claims, some of them settled, in files that were begun anew on the way.
fn filled(home: &Path) -> (Ledger, u64) {
    std::fs::create_dir_all(home).unwrap();
    let ledger = Store::at(home).ledger().rotated_at(2_500);
    for number in 1..=10 {
        let claim = asked(number, NEED, CAP);
        assert_eq!(ledger.reserve(&claim).unwrap(), Grant::Reserved);
        if number % 3 == 0 {
            ledger.settle(claim.key, input(4), NOON_MS + 1).unwrap();
        }
    }
    let taken = taken(&ledger);
    assert_eq!(taken, 3 * 4 + 7 * NEED);
    (ledger, taken)
}

fn taken(ledger: &Ledger) -> u64 {
    ledger.view().unwrap().day(NOON_MS).taken().total_tokens()
}

/// The ways in which files change behind our back.
const KINDS: [&str; 9] = [
    "flip",
    "flips",
    "cut",
    "cut at a border",
    "swap",
    "double",
    "hole",
    "removed",
    "an older copy",
];

fn mutate(kind: &str, bytes: &[u8], older: &[u8], numbers: &mut Numbers) -> Option<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let mut below = |end: usize| usize::try_from(numbers.below(end as u64)).unwrap();
    let (at, other) = (below(lines.len()), below(lines.len()));
    let mut flipped = bytes.to_vec();
    match kind {
        "flip" | "flips" => {
            for _ in 0..if kind == "flip" { 1 } else { 20 } {
                let place = below(bytes.len());
                flipped[place] ^= 1 << below(8);
            }
            return Some(flipped);
        }
        "cut" => return Some(bytes[..below(bytes.len())].to_vec()),
        "cut at a border" => lines.truncate(at),
        "swap" => lines.swap(at, other),
        "double" => lines.insert(other, lines[at].clone()),
        "hole" => drop(lines.remove(at)),
        "removed" => return None,
        _ => return Some(older.to_vec()),
    }
    Some(lines.concat())
}

#[test]
fn whatever_was_changed_spent_is_never_taken_for_less() {
    let count = std::env::var(COUNT).ok().and_then(|text| text.parse().ok());
    let count: u64 = count.unwrap_or(400);
    let whole = scratch();
    let (ledger, before) = filled(whole.path());
    let [bytes, older, head] = ["ledger.jsonl", "ledger.old.jsonl", "ledger.head"]
        .map(|name| std::fs::read(whole.path().join(name)).unwrap());
    drop(ledger);
    let (mut refused, mut harmless) = (0, 0);
    for number in 0..count {
        let mut numbers = Numbers(number * 7_919 + 13);
        let kind = KINDS[usize::try_from(number).unwrap() % KINDS.len()];
        let mutated = mutate(kind, &bytes, &older, &mut numbers);
        let home = scratch();
        let path = |name: &str| home.path().join(name);
        if let Some(mutated) = &mutated {
            std::fs::write(path("ledger.jsonl"), mutated).unwrap();
        }
        std::fs::write(path("ledger.old.jsonl"), &older).unwrap();
        std::fs::write(path("ledger.head"), &head).unwrap();
        let ledger = Store::at(home.path()).ledger();
        let view = ledger.view().unwrap();
        match ledger.reserve(&asked(100, CAP - before + 1, CAP)) {
            Err(Error::Damaged { .. }) => {
                refused += 1;
                assert!(view.damage().is_some(), "{number} {kind}");
                // It is still said by the next process, and one without a cap goes on.
                let next = Store::at(home.path()).ledger();
                let again = next.reserve(&asked(101, 1, CAP)).unwrap_err();
                assert!(again.to_string().contains("usage rebuild"), "{again}");
            }
            // Only what was never synced may be lost without a word: settlements, which leaves
            // their claims counted.
            Ok(Grant::Exceeds { .. }) => {
                harmless += 1;
                assert!(view.damage().is_none(), "{number} {kind}");
                assert!(taken(&ledger) >= before, "{number} {kind}");
            }
            other => panic!("{number} {kind}: {other:?}"),
        }
    }
    println!("{count} mutations: {refused} refused, {harmless} without effect on what is spent");
    assert!(refused > count / 2);
}

#[test]
fn a_damaged_ledger_is_set_aside_said_and_counted_again_from_the_journals() {
    let home = scratch();
    let store = Store::at(home.path().join("state"));
    let ledger = store.ledger();
    // One settled, one under way, one whose record is lost.
    let settled = left(&store, &ledger, 1, Recorded::Reply);
    left(&store, &ledger, 2, Recorded::Start);
    let lost = left(&store, &ledger, 3, Recorded::Start);
    assert!(ledger.settle(settled, input(12), NOON_MS + 5).unwrap());
    assert_eq!(taken(&ledger), 212);
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    let ClaimKey::Attempt(id) = lost else {
        panic!("{lost:?}");
    };
    let changed = text.replace(&id.to_string(), &attempt(77).to_string());
    assert_ne!(text, changed);
    std::fs::write(ledger.path(), changed).unwrap();

    let ledger = store.ledger();
    // A claim without a cap is none of the ledger's business to refuse.
    let free = Claim {
        project_cap: bowline_core::amounts::Cap::default(),
        day_cap: bowline_core::amounts::Cap::default(),
        ..asked(50, 1, 0)
    };
    assert_eq!(ledger.reserve(&free).unwrap(), Grant::Reserved);
    assert_eq!(taken(&ledger), 113, "what can be read is kept");
    assert!(store.home().join("ledger.damaged.jsonl").exists());
    let log = store.installation().read().unwrap();
    let said = log
        .events
        .iter()
        .any(|recorded| match &recorded.event.fact {
            SystemFact::LogDamaged(damaged) => damaged.kept_as == "ledger.damaged.jsonl",
            _ => false,
        });
    assert!(said, "{:?}", log.events);
    let refused = ledger.reserve(&asked(51, 1, CAP)).unwrap_err();
    assert!(matches!(refused, Error::Damaged { .. }), "{refused}");

    let rebuilt = ledger.rebuild(NOON_MS + 9).unwrap();
    assert_eq!(
        (rebuilt.sessions, rebuilt.found_open, rebuilt.in_part.len()),
        (3, 1, 0)
    );
    let ledger = store.ledger();
    assert!(ledger.view().unwrap().damage().is_none());
    let open = ledger.view().unwrap();
    assert!(open.open().any(|claim| claim.key == lost));
    assert_eq!(
        ledger.reserve(&asked(52, 1, u64::MAX)).unwrap(),
        Grant::Reserved
    );
    // Counting again changes nothing.
    let before = taken(&ledger);
    ledger.rebuild(NOON_MS + 10).unwrap();
    assert_eq!(taken(&ledger), before);
}

/// A life of a ledger: what is granted must be there afterwards.
pub(super) fn live(ledger: &Ledger, granted: &mut Vec<ClaimKey>) -> Result<(), Error> {
    for number in 1..=12 {
        let claim = asked(number, NEED, CAP);
        if ledger.reserve(&claim)? == Grant::Reserved {
            granted.push(claim.key);
        }
        if number % 2 == 0 {
            ledger.settle(claim.key, input(NEED), NOON_MS + 1)?;
        }
    }
    Ok(())
}

/// After whatever happened all that was granted is counted, and at most one claim more; and it goes
/// on, to the last token.
pub(super) fn check(home: &Path, granted: usize, note: &str) {
    let ledger = Store::at(home).ledger();
    let view = ledger.view().unwrap();
    assert!(view.damage().is_none(), "{note}: {:?}", view.damage());
    let counted = taken(&ledger) / NEED;
    assert!(counted >= granted as u64, "{note}: {counted} of {granted}");
    assert!(
        counted <= granted as u64 + 1,
        "{note}: {counted} of {granted}"
    );
    let left = CAP - counted * NEED;
    let more = ledger.reserve(&asked(99, left + 1, CAP)).unwrap();
    assert!(matches!(more, Grant::Exceeds { .. }), "{note}: {more:?}");
    let rest = ledger.reserve(&asked(99, left, CAP)).unwrap();
    assert_eq!(rest, Grant::Reserved, "{note}");
}

#[test]
fn a_fault_at_every_operation_grants_nothing_that_is_not_counted() {
    let faults = [
        (28, "the disk is full"),
        (5, "the disk failed"),
        (30, "read-only"),
        (122, "quota is used up"),
    ];
    let mut points = 0;
    for mode in [Mode::Once, Mode::FromThenOn] {
        for at in 0.. {
            let (errno, words) = faults[at as usize % faults.len()];
            let home = scratch();
            let disk = Failing::new(at, mode, errno);
            let edges = Edges {
                disk: Arc::clone(&disk) as Arc<dyn Disk>,
                ..Edges::default()
            };
            let faulty = Store::at(home.path()).with_edges(edges);
            let mut granted = Vec::new();
            let outcome = live(&faulty.ledger().rotated_at(2_500), &mut granted);
            if !disk.failed() {
                outcome.unwrap();
                break;
            }
            let note = format!("{mode:?} at operation {at}: {outcome:?}");
            match &outcome {
                Err(error) => assert!(error.to_string().contains(words), "{note}"),
                // The head is a witness: without it nothing is lost.
                Ok(()) => assert_eq!(mode, Mode::Once, "{note}"),
            }
            check(home.path(), granted.len(), &note);
            points += 1;
        }
    }
    println!("{points} faults");
    assert!(points > 60, "only {points} points");
}

/// A lock that is not given up.
#[test]
fn a_lock_that_cannot_be_had_is_an_error() {
    struct NotHad;
    impl Disk for NotHad {
        fn try_lock(&self, _file: &File) -> std::io::Result<bool> {
            Err(std::io::Error::from_raw_os_error(37))
        }
    }
    let home = scratch();
    let edges = Edges {
        disk: Arc::new(NotHad),
        ..Edges::default()
    };
    let ledger = Store::at(home.path()).with_edges(edges).ledger();
    let error = ledger.reserve(&asked(1, 1, CAP)).unwrap_err();
    assert!(error.to_string().contains("lies on a network"), "{error}");
    let gone = Store::at(home.path().join("nowhere")).ledger();
    let error = gone.reserve(&asked(1, 1, CAP)).unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
}

#[test]
fn a_record_of_a_newer_version_is_refused_and_stays() {
    let home = scratch();
    let (ledger, _) = filled(home.path());
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    // A chain of its own that holds, with a kind that nobody knows yet.
    let mut chain = bowline_journal::record::Chain::start(bowline_core::SessionId::from_uuid(
        uuid::Uuid::from_bytes(*b"spending--ledger"),
    ));
    let mut bytes = Vec::new();
    let event = bowline_core::Event::new(1, bowline_core::Fact::notice("what is this"));
    chain.extend(&event, [0; 16], &mut bytes).unwrap();
    std::fs::remove_file(home.path().join("ledger.head")).unwrap();
    let mut file = File::create(ledger.path()).unwrap();
    file.write_all(&bytes).unwrap();
    assert_ne!(text.as_bytes(), bytes);
    let error = Store::at(home.path()).ledger().reserve(&asked(50, 1, CAP));
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert_eq!(std::fs::read(ledger.path()).unwrap(), bytes);
}
