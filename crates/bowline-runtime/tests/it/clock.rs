//! The machine's clock may be set at any moment, by years, forwards and backwards: no pause and no
//! time-out becomes longer or shorter by it, and no event changes its place. Only who waits for a
//! point in time is told by it.

use bowline_core::wait::WaitEnd;
use bowline_core::{Event, Fact, Mode};
use bowline_runtime::{Clock, Rest};
use serde_json::{Value, json};

use crate::stage::{Hands, Told, Watcher, harness, in_memory, run};

const YEARS_MS: i64 = 10 * 365 * 86_400_000;
/// How late something may be that is due by the clock of spans: a few looks at it.
const LATE_MS: u64 = 500;

/// How the machine's clock is set while a session runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    Never,
    /// Once, when the span that is measured has begun.
    Once(i64),
    /// At every fact, and between any two looks, by turns.
    Always,
}

const SETTINGS: [Setting; 4] = [
    Setting::Never,
    Setting::Once(YEARS_MS),
    Setting::Once(-YEARS_MS),
    Setting::Always,
];

/// What is played, and the two facts between which time is measured.
struct Piece {
    scenario: Value,
    settings: Value,
    from: (&'static str, usize),
    to: (&'static str, usize),
}

impl Piece {
    fn of(scenario: Value, from: &'static str, to: (&'static str, usize)) -> Self {
        let settings = json!({});
        let from = (from, 0);
        Self {
            scenario,
            settings,
            from,
            to,
        }
    }

    fn took_ms(&self, told: &[Told]) -> u64 {
        at(told, self.to.0, self.to.1) - at(told, self.from.0, self.from.1)
    }
}

fn play(piece: &Piece, clock: fn(&Hands) -> Clock, setting: Setting) -> (Rest, Vec<Told>) {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::default();
    let clock = clock(&hands);
    let settings = piece.settings.clone();
    let mut session = in_memory(clock.clone(), folder.path(), settings);
    let harness = harness(&clock, folder.path(), Mode::Edit, &piece.scenario);
    let mut turn = 0_i64;
    let mut on_event = |event: &Event, hands: &Hands| match setting {
        Setting::Once(ms) if event.fact.kind() == piece.from.0 => hands.set_by(ms),
        Setting::Never | Setting::Once(_) => {}
        Setting::Always => {
            turn += 1;
            hands.set_by((turn % 3 - 1) * YEARS_MS);
        }
    };
    let mut watcher = Watcher {
        hands: hands.clone(),
        told: Vec::new(),
        on_event: &mut on_event,
    };
    let mut knocks = 0_i64;
    let rest = run(&mut session, &harness, &mut watcher, || {
        knocks += 1;
        if setting == Setting::Always {
            hands.set_by((knocks % 3 - 1) * YEARS_MS);
        }
    });
    assert_eq!(session.state().misfits(), 0);
    (rest.unwrap(), watcher.told)
}

fn at(told: &[Told], kind: &str, nth: usize) -> u64 {
    let mut of_kind = told.iter().filter(|told| told.event.fact.kind() == kind);
    let found = of_kind.nth(nth);
    found
        .unwrap_or_else(|| panic!("no {kind} in {:?}", facts(told)))
        .span_ms
}

fn facts(told: &[Told]) -> Vec<&Fact> {
    told.iter().map(|told| &told.event.fact).collect()
}

fn kinds(told: &[Told]) -> Vec<&'static str> {
    told.iter().map(|told| told.event.fact.kind()).collect()
}

/// Plays under every setting of the clock: the same facts in the same order each time, and the
/// same span between the two that are named.
fn check(piece: &Piece, span_ms: u64) {
    let mut order = None;
    for setting in SETTINGS {
        let (rest, told) = play(piece, Hands::clock, setting);
        assert!(matches!(rest, Rest::Ended(..)), "{setting:?}: {rest:?}");
        let took = piece.took_ms(&told);
        assert!(
            took.abs_diff(span_ms) < LATE_MS,
            "{setting:?}: {took} ms instead of {span_ms}"
        );
        let order = order.get_or_insert_with(|| kinds(&told));
        assert_eq!(*order, kinds(&told), "{setting:?}");
        if setting == Setting::Always {
            let falls = told
                .windows(2)
                .any(|two| two[1].event.at_ms < two[0].event.at_ms);
            assert!(falls, "the clock was not set between two facts");
        }
    }
}

fn retrying() -> Piece {
    let fault = json!({ "kind": "status", "status": 429, "retry_after_s": 60 });
    let scenario = json!({ "version": 1, "steps": [{ "fault": fault }, { "text": "done" }] });
    Piece::of(scenario, "AttemptFailed", ("AttemptReserved", 1))
}

/// The check catches a driver that measures spans by the machine's clock.
#[test]
fn spans_by_a_clock_that_can_be_set_are_caught() {
    let piece = retrying();
    let (_, told) = play(&piece, Hands::one_clock, Setting::Once(YEARS_MS));
    assert!(piece.took_ms(&told) < 60_000 - LATE_MS);
}

#[test]
fn a_clock_that_is_set_changes_no_pause_before_a_retry() {
    check(&retrying(), 60_000);
}

fn waiting(input: &Value) -> Piece {
    let scenario = json!({ "version": 1, "steps": [
        { "calls": [{ "tool": "wait_for", "input": input }] },
        { "text": "done" },
    ] });
    Piece::of(scenario, "CallParked", ("WaitEnded", 0))
}

#[test]
fn a_clock_that_is_set_changes_no_time_out_of_a_wait() {
    let input = json!({ "name": "review", "timeout_ms": 120_000 });
    check(&waiting(&input), 120_000);
}

#[test]
fn a_clock_that_is_set_changes_no_pause_that_is_waited_for() {
    let input = json!({ "name": "a while", "pause_ms": 90_000 });
    check(&waiting(&input), 90_000);
}

#[test]
fn a_clock_that_is_set_changes_no_time_that_a_question_stays_open() {
    let ask = json!({ "question": "Which one?" });
    let scenario = json!({ "version": 1, "steps": [
        { "calls": [{ "tool": "ask_user", "input": ask }] },
        { "text": "done" },
    ] });
    let mut piece = Piece::of(scenario, "Decided", ("DecisionLapsed", 0));
    piece.settings = json!({ "ask_expires_ms": 60_000 });
    check(&piece, 60_000);
}

/// A wait for a point in time ends when the machine's clock says so, however long that takes.
#[test]
fn a_point_in_time_is_what_the_machines_clock_says() {
    // An hour after the beginning by the machine's clock.
    let piece = waiting(&json!({ "name": "evening", "at": "2027-01-15T09:00:00Z" }));
    for is_set_back in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let hands = Hands::default();
        let clock = hands.clock();
        let mut session = in_memory(clock.clone(), folder.path(), json!({}));
        let harness = harness(&clock, folder.path(), Mode::Edit, &piece.scenario);
        let mut parked_ms = None;
        let mut on_event = |event: &Event, hands: &Hands| {
            if event.fact.kind() == "CallParked" {
                hands.set_by(if is_set_back { -YEARS_MS } else { 3_600_000 });
            }
        };
        let mut watcher = Watcher {
            hands: hands.clone(),
            told: Vec::new(),
            on_event: &mut on_event,
        };
        let rest = run(&mut session, &harness, &mut watcher, || {
            // Set back, it would be years; some minutes later it is put right.
            let from = *parked_ms.get_or_insert(hands.span_ms());
            if is_set_back && hands.span_ms() > from + 300_000 {
                hands.set_by(3_600_000);
            }
        });
        assert!(matches!(rest.unwrap(), Rest::Ended(..)));
        let ended = watcher.told.iter().find_map(|told| match &told.event.fact {
            Fact::WaitEnded(ended) => Some(ended.how),
            _ => None,
        });
        assert_eq!(ended, Some(WaitEnd::Arrived));
        let took = piece.took_ms(&watcher.told);
        if is_set_back {
            assert!(took >= 299_000, "{took} ms");
        } else {
            assert!(took < LATE_MS, "{took} ms");
        }
    }
}
