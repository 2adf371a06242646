//! A steady week raises nothing; what is planted into it is caught, with its cause.

mod week;

use bowline_core::alarm::AlarmCause;
use uuid::Uuid;

use super::*;
use week::{HOUR_MS, Told, Week, Work};

/// How many weeks are played, each from a seed of its own, or which seeds (`1000..1200`); 6 unless
/// said otherwise.
const WEEKS: &str = "BOWLINE_ALARM_WEEKS";

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var(WEEKS).unwrap_or_default();
    let number = |text: &str| text.parse::<u64>().ok();
    match asked.split_once("..") {
        Some((from, to)) => number(from).unwrap_or(0)..number(to).unwrap_or(0),
        None => 0..number(&asked).unwrap_or(6),
    }
}

/// A detector that has seen a steady week, and that week.
fn after_a_week(seed: u64) -> (Detector, Week) {
    let mut detector = Detector::new(Window::default());
    let mut week = Week::new(seed);
    week.play(&mut detector, &Work::default(), 2_000);
    (detector, week)
}

#[test]
fn a_steady_week_of_2000_steps_raises_none() {
    let (mut steps, mut hours, mut raised) = (0, 0, Vec::new());
    for seed in seeds() {
        let mut week = Week::new(seed);
        let mut detector = Detector::new(Window::default());
        let told = week.play(&mut detector, &Work::default(), 2_000);
        raised.extend(told.into_iter().map(|one| (seed, one)));
        steps += week.steps();
        hours += week.hours();
    }
    let weeks = seeds().end - seeds().start;
    println!(
        "{} alarms in {steps} steps, {hours} hours, {weeks} weeks",
        raised.len()
    );
    assert!(raised.is_empty(), "{raised:#?}");
    assert_eq!(steps, 2_000 * weeks);
}

/// How a spend grows by a factor.
type Grows = fn(f64) -> Work;

/// The least growth by which the next hour of a week costs five times what an hour usually costs.
fn fivefold(week: &Week, usual_micro_usd: u64, grows: Grows) -> Work {
    let mut times = 1.0;
    loop {
        let mut ahead = week.clone();
        let mut nobody = Detector::new(Window::default());
        ahead.play_for(&mut nobody, &grows(times), HOUR_MS);
        let spent = ahead.spent_micro_usd(week.now_ms());
        if spent >= 5 * usual_micro_usd {
            return grows(times);
        }
        times *= 1.2;
        assert!(times < 1e4, "it does not grow");
    }
}

#[test]
fn a_fivefold_spend_is_caught_within_an_hour() {
    let table: [(&str, Grows); 4] = [
        ("price", |price| Work {
            price,
            ..Work::default()
        }),
        ("output", |output| Work {
            output,
            ..Work::default()
        }),
        ("results", |results| Work {
            results,
            ..Work::default()
        }),
        ("pace", |pace| Work {
            pace,
            ..Work::default()
        }),
    ];
    for (name, grows) in table {
        let (mut slowest_ms, mut of_money) = (0, 0);
        for seed in seeds() {
            let (mut detector, mut week) = after_a_week(seed);
            week.next_morning();
            let (_, usual, _) = detector
                .standing(Metric::UsdPerHour, week.now_ms())
                .expect("a baseline");
            let work = fivefold(&week, whole(usual.median), grows);
            let told = week.play_for(&mut detector, &work, HOUR_MS);
            let first = told.first().map(|one| one.after_ms);
            let first = first.unwrap_or_else(|| panic!("{name}, seed {seed}: {work:?}, {usual:?}"));
            slowest_ms = slowest_ms.max(first);
            let is_money = |one: &Told| one.alarm.metric == Metric::UsdPerHour;
            of_money += u64::from(told.iter().any(is_money));
        }
        let (weeks, minutes) = (seeds().end - seeds().start, slowest_ms / 60_000);
        println!("{name}: caught in {weeks} of {weeks} weeks, after {minutes} minutes at most");
        assert_eq!(of_money, weeks, "{name}: by money per hour");
    }
}

/// The first alarm of a metric after a steady week.
fn first(metric: Metric, work: &Work) -> Told {
    let (mut detector, mut week) = after_a_week(1);
    week.next_morning();
    let told = week.play_for(&mut detector, work, 2 * HOUR_MS);
    let of_metric = |one: &&Told| one.alarm.metric == metric;
    let found = told.iter().find(of_metric);
    found
        .unwrap_or_else(|| panic!("no {metric:?}: {told:?}"))
        .clone()
}

#[test]
fn each_metric_alarms_with_its_likely_cause() {
    let steady = Work::default;
    type IsRight = fn(&AlarmCause) -> bool;
    let table: [(Metric, Work, IsRight); 7] = [
        (
            Metric::TokensPerStep,
            Work {
                results: 25.0,
                ..steady()
            },
            |cause| matches!(cause, AlarmCause::ToolOutput { tool, .. } if tool == "shell"),
        ),
        (
            Metric::TokensPerStep,
            Work {
                output: 30.0,
                ..steady()
            },
            |cause| matches!(cause, AlarmCause::ModelOutput { .. }),
        ),
        (
            Metric::UsdPerHour,
            Work {
                price: 9.0,
                ..steady()
            },
            |cause| matches!(cause, AlarmCause::Price { .. }),
        ),
        (
            Metric::CacheHits,
            Work {
                breaks: true,
                ..steady()
            },
            |cause| matches!(cause, AlarmCause::Prefix { block, .. } if block == "system"),
        ),
        (
            Metric::CallsPerTurn,
            Work {
                turns: 60.0,
                ..steady()
            },
            |cause| *cause == AlarmCause::Unknown,
        ),
        (
            Metric::Errors,
            Work {
                tool_errors: 0.8,
                ..steady()
            },
            |cause| matches!(cause, AlarmCause::ToolFailures { tool, .. } if tool == "shell"),
        ),
        (
            Metric::Errors,
            Work {
                provider_errors: 0.8,
                ..steady()
            },
            |cause| matches!(cause, AlarmCause::Provider { .. }),
        ),
    ];
    for (metric, work, is_right) in table {
        let told = first(metric, &work);
        assert!(is_right(&told.alarm.cause), "{metric:?}: {told:?}");
        println!(
            "{metric:?} after {} minutes: {:?}",
            told.after_ms / 60_000,
            told.alarm
        );
    }
}

fn session(number: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(number))
}

fn replied(tokens: u64) -> Seen {
    Seen::Replied {
        usage: Some(Usage {
            input_tokens: tokens,
            ..Usage::default()
        }),
        cost_micro_usd: 0,
        asked: 1,
    }
}

/// The metrics told while steps of so many tokens are seen.
fn told(detector: &mut Detector, from_ms: u64, steps: &[(u64, usize)]) -> Vec<Metric> {
    let steps = steps
        .iter()
        .flat_map(|(tokens, times)| vec![*tokens; *times]);
    let mut told = Vec::new();
    for (at, tokens) in steps.enumerate() {
        let at_ms = from_ms + at as u64 * 1_000;
        let alarms = detector.see(at_ms, session(1), &replied(tokens));
        told.extend(alarms.into_iter().map(|alarm| alarm.metric));
    }
    told
}

#[test]
fn one_alarm_until_it_is_back_to_normal() {
    let tokens = [Metric::TokensPerStep];
    let table: [(&[(u64, usize)], usize); 6] = [
        // Too little was seen.
        (&[(1_000, 20), (90_000, 9)], 0),
        // One odd step, or three, are none.
        (&[(1_000, 60), (90_000, 3), (1_000, 20)], 0),
        (&[(1_000, 60), (90_000, 20)], 1),
        (&[(1_000, 60), (90_000, 9), (1_000, 9), (90_000, 9)], 2),
        // Large by the factor, small as an amount.
        (&[(100, 60), (1_000, 20)], 0),
        // What goes on is usual in the end.
        (&[(1_000, 60), (90_000, 300), (1_000, 20), (90_000, 20)], 1),
    ];
    for (steps, expected) in table {
        let mut detector = Detector::new(Window::default());
        let told = told(&mut detector, 0, steps);
        assert_eq!(told, tokens.repeat(expected), "{steps:?}");
    }
}

fn past(number: u128, at: u64, tokens: u64) -> PastAttempt {
    PastAttempt {
        session: session(number),
        turn: 1,
        at_ms: at * 1_000,
        is_replied: true,
        usage: Some(Usage {
            input_tokens: tokens,
            ..Usage::default()
        }),
        cost_micro_usd: 0,
        asked: 0,
        calls: Vec::new(),
    }
}

#[test]
fn what_was_said_before_a_restart_is_not_said_again() {
    for (number, expected) in [(1, 0), (2, 1)] {
        let usual = (0..100).map(|at| past(3, at, 1_000));
        let odd = (100..110).map(|at| past(number, at, 90_000));
        let all: Vec<_> = usual.chain(odd).collect();
        let mut detector = Detector::new(Window::default());
        detector.learn(&all, session(1), None);
        let told = told(&mut detector, 111_000, &[(90_000, 9)]);
        assert_eq!(told.len(), expected, "of session {number}");
    }
}

#[test]
fn what_is_never_usual_needs_no_baseline() {
    let mut detector = Detector::new(Window::default());
    let mut broke = |is_explained| {
        let seen = Seen::Broke {
            block: "tool `read`".to_owned(),
            field: "description".to_owned(),
            lost_tokens: 9,
            is_explained,
        };
        detector.see(1, session(1), &seen).len()
    };
    assert_eq!((broke(true), broke(false)), (0, 1));
    let alarm = detector.tool_differs("read", "description");
    assert_eq!(alarm.metric, Metric::Tools);
}
