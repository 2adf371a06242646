//! The ledger on a real disk: caps to the last token, several handles, rotation, damage, faults.

use std::fs::File;
use std::io::Write as _;

use bowline_core::amounts::Measure;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOON_MS: u64 = 1_767_268_800_000;
const PROJECT: &str = "/srv/project";

fn open() -> (tempfile::TempDir, Ledger) {
    // In memory, where there is such a place: thousands of real syncs prove nothing.
    let home = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let home = home.unwrap();
    let ledger = Ledger::new(home.path().to_owned(), Edges::default());
    (home, ledger)
}

/// A handle of its own, as another process has it.
fn another(ledger: &Ledger) -> Ledger {
    let mut other = Ledger::new(ledger.file.home().to_owned(), ledger.edges.clone());
    other.most_bytes = ledger.most_bytes;
    other
}

fn key(number: u128) -> ClaimKey {
    ClaimKey::Attempt(AttemptId::from_uuid(Uuid::from_u128(number)))
}

fn tokens(input_tokens: u64) -> Amounts {
    Amounts {
        input_tokens,
        ..Amounts::ZERO
    }
}

fn at_most(tokens: u64) -> Cap {
    Cap {
        tokens: Some(tokens),
        ..Cap::default()
    }
}

fn claim(number: u128, need: u64) -> Claim {
    Claim {
        key: key(number),
        session: SessionId::from_uuid(Uuid::from_u128(7)),
        project: PROJECT.to_owned(),
        at_ms: NOON_MS + u64::try_from(number).unwrap(),
        amounts: tokens(need),
        project_cap: Cap::default(),
        day_cap: Cap::default(),
        rates: RateLimits::default(),
    }
}

fn under_day(number: u128, need: u64, cap: u64) -> Claim {
    Claim {
        day_cap: at_most(cap),
        ..claim(number, need)
    }
}

fn taken(ledger: &Ledger) -> (u64, u64) {
    let view = ledger.view().unwrap();
    let (day, project) = (view.day(NOON_MS), view.project(PROJECT));
    assert_eq!(day, project, "one project, one day");
    (day.spent.total_tokens(), day.set_aside.total_tokens())
}

#[test]
fn making_and_reading_touch_nothing() {
    let (home, ledger) = open();
    assert_eq!(taken(&ledger), (0, 0));
    assert!(ledger.view().unwrap().damage().is_none());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    assert!(!ledger.settle(key(1), tokens(1), 1).unwrap());
}

#[test]
fn a_cap_holds_to_the_last_token_over_every_handle() {
    let (_home, ledger) = open();
    let other = another(&ledger);
    assert_eq!(
        ledger.reserve(&under_day(1, 60, 100)).unwrap(),
        Grant::Reserved
    );
    // 41 more is one too many, 40 is not.
    let refused = other.reserve(&under_day(2, 41, 100)).unwrap();
    let excess = Excess {
        measure: Measure::Tokens,
        cap: 100,
        taken: 60,
        need: 41,
    };
    let expect = Grant::Exceeds {
        scope: CapScope::Day,
        excess,
        set_aside: tokens(60),
    };
    assert_eq!(refused, expect);
    assert_eq!(
        other.reserve(&under_day(3, 40, 100)).unwrap(),
        Grant::Reserved
    );
    assert_eq!(taken(&ledger), (0, 100));
    assert!(matches!(
        ledger.reserve(&under_day(4, 1, 100)).unwrap(),
        Grant::Exceeds { .. }
    ));
    // What was not needed comes back.
    assert!(ledger.settle(key(3), tokens(10), NOON_MS + 9).unwrap());
    assert!(!other.settle(key(3), tokens(10), NOON_MS + 9).unwrap());
    assert_eq!(taken(&other), (10, 60));
    assert!(matches!(
        other.reserve(&under_day(5, 31, 100)).unwrap(),
        Grant::Exceeds { .. }
    ));
    assert_eq!(
        other.reserve(&under_day(6, 30, 100)).unwrap(),
        Grant::Reserved
    );
    // A claim without a cap is counted by the caps of others.
    assert_eq!(ledger.reserve(&claim(7, 1_000)).unwrap(), Grant::Reserved);
    assert_eq!(taken(&other), (10, 1_090));
}

#[test]
fn a_claim_counts_in_its_own_day_and_in_its_project_for_ever() {
    let (_home, ledger) = open();
    let late = Claim {
        at_ms: 86_400_000 * 2 - 1,
        ..under_day(1, 10, 10)
    };
    assert_eq!(ledger.reserve(&late).unwrap(), Grant::Reserved);
    let next = |number, project: &str, at_ms| Claim {
        project: project.to_owned(),
        project_cap: at_most(12),
        at_ms,
        ..under_day(number, 3, 10)
    };
    let day_2 = 86_400_000 * 2;
    // Settled on the next day, it counts in its own.
    assert!(ledger.settle(key(1), tokens(10), day_2 + 5).unwrap());
    let scope = |claim: &Claim| match ledger.reserve(claim).unwrap() {
        Grant::Exceeds { scope, .. } => Some(scope),
        Grant::Reserved => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(scope(&next(2, "/other", day_2 - 1)), Some(CapScope::Day));
    assert_eq!(scope(&next(3, PROJECT, day_2)), Some(CapScope::Project));
    assert_eq!(scope(&next(4, "/other", day_2)), None);
    // A clock that is set back counts where it says.
    assert_eq!(scope(&next(5, "/third", day_2 - 1)), Some(CapScope::Day));
}

#[test]
fn the_same_claim_is_granted_again_and_another_under_its_key_is_not() {
    let (_home, ledger) = open();
    assert_eq!(
        ledger.reserve(&under_day(1, 60, 100)).unwrap(),
        Grant::Reserved
    );
    assert_eq!(
        another(&ledger).reserve(&under_day(1, 60, 100)).unwrap(),
        Grant::Reserved
    );
    assert_eq!(taken(&ledger), (0, 60));
    let error = ledger.reserve(&under_day(1, 30, 100)).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert_eq!(taken(&ledger), (0, 60));
}

#[test]
fn a_full_file_goes_on_in_a_new_one_and_nothing_is_forgotten() {
    let (home, mut ledger) = open();
    ledger.most_bytes = 4_000;
    let other = another(&ledger);
    for number in 0..200 {
        let at = if number % 2 == 0 { &ledger } else { &other };
        assert_eq!(
            at.reserve(&under_day(number, 7, 100_000)).unwrap(),
            Grant::Reserved
        );
        if number % 5 > 0 {
            assert!(at.settle(key(number), tokens(5), NOON_MS + 300).unwrap());
        }
    }
    assert_eq!(taken(&ledger), (800, 280));
    assert_eq!(ledger.view().unwrap().open().count(), 40);
    let bytes = std::fs::metadata(ledger.path()).unwrap().len();
    assert!(bytes < 40_000, "{bytes}");
    assert!(home.path().join("ledger.old.jsonl").exists());
    assert_eq!(taken(&another(&ledger)), (800, 280));
    assert!(matches!(
        other.reserve(&under_day(500, 21, 1_100)).unwrap(),
        Grant::Exceeds { .. }
    ));
    assert_eq!(
        other.reserve(&under_day(500, 20, 1_100)).unwrap(),
        Grant::Reserved
    );
}

#[test]
fn what_was_torn_is_written_over() {
    for torn in [&b"{\"seq\":3,"[..], &[0; 3000], b"\n\n"] {
        let (_home, ledger) = open();
        assert_eq!(
            ledger.reserve(&under_day(1, 60, 100)).unwrap(),
            Grant::Reserved
        );
        let mut file = File::options().append(true).open(ledger.path()).unwrap();
        file.write_all(torn).unwrap();
        assert_eq!(taken(&ledger), (0, 60));
        assert_eq!(
            ledger.reserve(&under_day(2, 40, 100)).unwrap(),
            Grant::Reserved
        );
        assert_eq!(taken(&another(&ledger)), (0, 100));
        assert!(ledger.view().unwrap().damage().is_none());
    }
}

#[test]
fn days_that_are_kept_no_longer_are_refused_under_a_cap() {
    let (_home, mut ledger) = open();
    ledger.most_bytes = 2_000;
    let on_day = |day: u128, cap| Claim {
        at_ms: u64::try_from(day).unwrap() * 86_400_000,
        ..under_day(day, 10, cap)
    };
    for day in 1..=100 {
        assert_eq!(ledger.reserve(&on_day(day, 10)).unwrap(), Grant::Reserved);
        assert!(ledger.settle(key(day), tokens(10), 1).unwrap());
    }
    // What is kept is exact, what is not is refused; without a cap it goes on.
    let again = |day: u128, cap| {
        let mut claim = on_day(day, cap);
        claim.key = key(day + 1_000);
        ledger.reserve(&claim)
    };
    assert!(matches!(again(60, 19).unwrap(), Grant::Exceeds { .. }));
    assert_eq!(again(60, 20).unwrap(), Grant::Reserved);
    let error = again(20, 1_000).unwrap_err();
    assert!(error.to_string().contains("Set the clock"), "{error}");
    let mut free = on_day(20, 0);
    (free.key, free.day_cap) = (key(3_000), Cap::default());
    assert_eq!(ledger.reserve(&free).unwrap(), Grant::Reserved);
}

#[test]
fn many_spans_are_put_together_and_never_count_for_less() {
    let (_home, mut ledger) = open();
    ledger.most_bytes = 20_000;
    for number in 0..3_000 {
        let at = Claim {
            at_ms: NOON_MS + u64::try_from(number).unwrap() * 1_000,
            ..claim(number, 1)
        };
        assert_eq!(ledger.reserve(&at).unwrap(), Grant::Reserved);
        assert!(ledger.settle(key(number), tokens(1), at.at_ms).unwrap());
    }
    let bytes = std::fs::metadata(ledger.path()).unwrap().len();
    assert!(bytes < 150_000, "{bytes}");
    let asked = |number, limit| Claim {
        at_ms: NOON_MS + 3_000_000,
        rates: RateLimits {
            tokens_per_minute: None,
            tokens_per_hour: Some(limit),
        },
        ..claim(number, 1)
    };
    assert!(matches!(
        ledger.reserve(&asked(5_000, 3_000)).unwrap(),
        Grant::Wait(_)
    ));
    assert_eq!(
        ledger.reserve(&asked(5_000, 3_001)).unwrap(),
        Grant::Reserved
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_files_never_panic_and_are_never_taken_for_an_empty_ledger(
        bytes in proptest::collection::vec(any::<u8>(), 1..400),
        entry in "\\{\"at_ms\":[0-9]{1,3},\"kind\":\"(Reserved|Settled|Carried)\",\"data\":.{0,60}\\}",
    ) {
        let _read = facts::Entry::read(&bytes);
        let _read = facts::Entry::read(entry.as_bytes());
        let (_home, ledger) = open();
        let granted = ledger.reserve(&under_day(1, 1, 10)).unwrap();
        prop_assert_eq!(granted, Grant::Reserved);
        std::fs::write(ledger.path(), &bytes).unwrap();
        prop_assert!(ledger.view().unwrap().damage().is_some());
        let error = another(&ledger).reserve(&under_day(2, 1, 10)).unwrap_err();
        let is_damaged = matches!(error, Error::Damaged { .. });
        prop_assert!(is_damaged);
    }
}
