//! Judging, without a disk: single limits as tables, then laws over random histories.

use bowline_core::amounts::Measure;
use bowline_core::{AttemptId, SessionId};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::facts::{Entry, LedgerFact, OwnerLost, Reserved, Settled};
use super::super::{ClaimKey, RateLimits};
use super::*;

const AT_MS: u64 = 86_400_000 * 20_000 + 85_800_000;
const MINUTE_MS: u64 = 60_000;

fn key(number: u64) -> ClaimKey {
    ClaimKey::Attempt(AttemptId::from_uuid(Uuid::from_u128(number.into())))
}

fn claim(number: u64, at_ms: u64, need: u64) -> Claim {
    Claim {
        key: key(number),
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        project: "/srv".to_owned(),
        at_ms,
        amounts: Amounts {
            input_tokens: need,
            ..Amounts::ZERO
        },
        project_cap: Cap::default(),
        day_cap: Cap::default(),
        rates: RateLimits::default(),
    }
}

fn reserved(claim: &Claim) -> Entry {
    let fact = LedgerFact::Reserved(Reserved {
        key: claim.key,
        session: claim.session,
        project: claim.project.clone(),
        amounts: claim.amounts,
    });
    Entry::new(claim.at_ms, fact)
}

fn settled(number: u64, at_ms: u64, tokens: u64) -> Entry {
    let amounts = Amounts {
        input_tokens: tokens,
        ..Amounts::ZERO
    };
    let key = key(number);
    Entry::new(at_ms, LedgerFact::Settled(Settled { key, amounts }))
}

fn lost(number: u64, at_ms: u64) -> Entry {
    Entry::new(at_ms, LedgerFact::OwnerLost(OwnerLost { key: key(number) }))
}

fn fold(entries: &[Entry]) -> Fold {
    let mut fold = Fold::default();
    for entry in entries {
        fold.apply(entry.clone());
    }
    fold
}

/// So much of one measure.
fn amounts(measure: Measure, amount: u64) -> Amounts {
    let mut amounts = Amounts::ZERO;
    *match measure {
        Measure::InputTokens | Measure::Tokens => &mut amounts.input_tokens,
        Measure::OutputTokens => &mut amounts.output_tokens,
        Measure::Cost => &mut amounts.cost_micro_usd,
        Measure::Steps => &mut amounts.steps,
        Measure::ToolCalls => &mut amounts.tool_calls,
        Measure::Wall => &mut amounts.wall_ms,
    } = amount;
    amounts
}

#[test]
fn each_measure_is_exact() {
    for measure in Measure::ALL {
        let of = |amount| amounts(measure, amount);
        let first = Claim {
            amounts: of(60),
            ..claim(1, AT_MS, 0)
        };
        let half = of(30);
        let done = LedgerFact::Settled(Settled {
            key: key(2),
            amounts: half,
        });
        let second = Claim {
            amounts: of(90),
            ..claim(2, AT_MS, 0)
        };
        let known = fold(&[reserved(&first), reserved(&second), Entry::new(AT_MS, done)]);
        let mut cap = Cap::default();
        *cap.on_mut(measure) = Some(100);
        for (need, fits) in [(9, true), (10, true), (11, false), (u64::MAX, false)] {
            for scope in [CapScope::Project, CapScope::Day] {
                let mut third = Claim {
                    amounts: of(need),
                    ..claim(3, AT_MS, 0)
                };
                match scope {
                    CapScope::Project => third.project_cap = cap,
                    _ => third.day_cap = cap,
                }
                let judged = judge(&known, &third);
                let expect = if fits {
                    Judged::Fits
                } else {
                    let (taken, cap) = (90, 100);
                    Judged::Refused(Grant::Exceeds {
                        scope,
                        excess: bowline_core::amounts::Excess {
                            measure,
                            cap,
                            taken,
                            need,
                        },
                        set_aside: of(60),
                    })
                };
                assert_eq!(judged, expect, "{measure:?} {need} {scope:?}");
            }
        }
    }
}

#[track_caller]
fn rate_of(entries: &[Entry], at_ms: u64, need: u64, expect: Result<Option<u64>, ()>) {
    let asked = Claim {
        rates: RateLimits {
            tokens_per_minute: Some(100),
            tokens_per_hour: Some(250),
        },
        ..claim(99, at_ms, need)
    };
    let found = match judge(&fold(entries), &asked) {
        Judged::Fits => Ok(None),
        Judged::Refused(Grant::Wait(wait)) => Ok(Some(wait.until_ms - at_ms)),
        Judged::Refused(Grant::NeverFits(_)) => Err(()),
        other => panic!("{other:?}"),
    };
    assert_eq!(found, expect);
}

#[test]
fn a_limit_on_the_rate_is_exact_and_says_when() {
    let run = |number, from_ms, to_ms, tokens| {
        [
            reserved(&claim(number, from_ms, 100)),
            settled(number, to_ms, tokens),
        ]
    };
    // Nothing before.
    rate_of(&[], AT_MS, 100, Ok(None));
    rate_of(&[], AT_MS, 101, Err(()));
    rate_of(&[], AT_MS, 0, Ok(None));
    // One that ended a second ago leaves the minute in 59.
    let one = run(1, AT_MS - 5_000, AT_MS - 1_000, 60);
    rate_of(&one, AT_MS, 40, Ok(None));
    rate_of(&one, AT_MS, 41, Ok(Some(59_000)));
    rate_of(&one, AT_MS + 58_999, 41, Ok(Some(1)));
    rate_of(&one, AT_MS + 59_000, 41, Ok(None));
    // Of several the latest that must leave is waited for, no later one.
    let several = [
        run(1, AT_MS - 30_000, AT_MS - 20_000, 30),
        run(2, AT_MS - 30_000, AT_MS - 10_000, 30),
        run(3, AT_MS - 30_000, AT_MS - 1_000, 30),
    ]
    .concat();
    rate_of(&several, AT_MS, 10, Ok(None));
    rate_of(&several, AT_MS, 11, Ok(Some(40_000)));
    rate_of(&several, AT_MS, 40, Ok(Some(40_000)));
    rate_of(&several, AT_MS, 41, Ok(Some(50_000)));
    rate_of(&several, AT_MS, 71, Ok(Some(59_000)));
    // One under way counts whole; when it must end first, that is looked at again soon.
    let open = [reserved(&claim(1, AT_MS - 90_000, 80))];
    rate_of(&open, AT_MS, 20, Ok(None));
    rate_of(&open, AT_MS, 21, Ok(Some(WAIT_POLL_MS)));
    // Its owner is gone: it has ended then, at the latest.
    let gone = [open[0].clone(), lost(1, AT_MS - 50_000)];
    rate_of(&gone, AT_MS, 21, Ok(Some(10_000)));
    rate_of(&gone, AT_MS + 10_000, 21, Ok(None));
    // The longer wait of both limits holds.
    let hour = [
        run(1, AT_MS - 600_000, AT_MS - 500_000, 90),
        run(2, AT_MS - 400_000, AT_MS - 300_000, 90),
        run(3, AT_MS - 30_000, AT_MS - 10_000, 60),
    ]
    .concat();
    rate_of(&hour, AT_MS, 10, Ok(None));
    rate_of(&hour, AT_MS, 11, Ok(Some(3_600_000 - 500_000)));
    // A clock that was set back: what lies a little ahead counts, what lies far ahead does not.
    rate_of(&one, AT_MS - 30_000, 41, Ok(Some(89_000)));
    rate_of(
        &one,
        AT_MS - 5_000 - MINUTE_MS,
        41,
        Ok(Some(60_000 + 64_000)),
    );
    rate_of(&one, AT_MS - 5_001 - MINUTE_MS, 41, Ok(None));
}

/// One thing that happens in a random history.
#[derive(Debug, Clone)]
enum Step {
    Claim { at: u64, need: u64, project: u8 },
    Settle { which: usize, at: u64, part: u64 },
    Lose { which: usize, at: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    // Times are how far the clock goes on; those who read it early write late.
    let at = prop_oneof![4 => 0_u64..20_000, 1 => 0_u64..400_000];
    prop_oneof![
        5 => (at.clone(), 0_u64..60, 0_u8..2)
            .prop_map(|(at, need, project)| Step::Claim { at, need, project }),
        4 => (any::<usize>(), at.clone(), 0_u64..=100)
            .prop_map(|(which, at, part)| Step::Settle { which, at, part }),
        1 => (any::<usize>(), at).prop_map(|(which, at)| Step::Lose { which, at }),
    ]
}

/// The history of a ledger with limits, as whoever looks on would write it down: each claim with
/// its time, its end if it has one, and what counts.
#[derive(Debug, Clone)]
struct Run {
    project: String,
    from_ms: u64,
    to_ms: Option<u64>,
    tokens: u64,
    is_settled: bool,
}

struct Played {
    fold: Fold,
    runs: Vec<Run>,
}

const DAY_CAP: u64 = 1_500;
const PROJECT_CAP: u64 = 1_000;
const PER_MINUTE: u64 = 100;
const PER_HOUR: u64 = 700;

fn limited(number: u64, at_ms: u64, need: u64, project: u8) -> Claim {
    let most = |tokens| Cap {
        tokens: Some(tokens),
        ..Cap::default()
    };
    Claim {
        project: format!("/{project}"),
        project_cap: most(PROJECT_CAP),
        day_cap: most(DAY_CAP),
        rates: RateLimits {
            tokens_per_minute: Some(PER_MINUTE),
            tokens_per_hour: Some(PER_HOUR),
        },
        ..claim(number, at_ms, need)
    }
}

/// Plays a history; `carries` says before which steps a new file is begun.
fn play(steps: &[Step], carries: impl Fn(usize) -> bool) -> Played {
    let mut played = Played {
        fold: Fold::default(),
        runs: Vec::new(),
    };
    let mut now_ms = AT_MS;
    for (place, step) in steps.iter().enumerate() {
        if carries(place) {
            let carried = played.fold.carry(now_ms);
            let text = serde_json::to_string(&carried).unwrap();
            assert_eq!(
                serde_json::from_str::<super::super::facts::Carried>(&text).unwrap(),
                carried
            );
            let entry = Entry::new(now_ms, LedgerFact::Carried(Box::new(carried)));
            played.fold.apply(entry);
        }
        let open: Vec<usize> = (0..played.runs.len())
            .filter(|run| !played.runs[*run].is_settled)
            .collect();
        match *step {
            Step::Claim { at, need, project } => {
                now_ms += at;
                // Up to three seconds early.
                let at_ms = now_ms - (need * 7_919) % 3_000;
                let number = played.runs.len() as u64;
                let asked = limited(number, at_ms, need, project);
                if judge(&played.fold, &asked) == Judged::Fits {
                    played.fold.apply(reserved(&asked));
                    played.runs.push(Run {
                        project: asked.project,
                        from_ms: at_ms,
                        to_ms: None,
                        tokens: need,
                        is_settled: false,
                    });
                }
            }
            Step::Settle { which, at, part } if !open.is_empty() => {
                now_ms += at;
                let number = open[which % open.len()];
                let run = &mut played.runs[number];
                let took = run.tokens * part / 100;
                played.fold.apply(settled(number as u64, now_ms, took));
                run.to_ms = run.to_ms.or(Some(now_ms.max(run.from_ms)));
                run.tokens = took;
                run.is_settled = true;
            }
            Step::Lose { which, at } if !open.is_empty() => {
                now_ms += at;
                let number = open[which % open.len()];
                played.fold.apply(lost(number as u64, now_ms));
                let run = &mut played.runs[number];
                run.to_ms = run.to_ms.or(Some(now_ms.max(run.from_ms)));
            }
            Step::Settle { .. } | Step::Lose { .. } => {}
        }
        check_caps(&played.runs);
    }
    played
}

fn check_caps(runs: &[Run]) {
    let sum = |counts: &dyn Fn(&&Run) -> bool| -> u64 {
        runs.iter().filter(counts).map(|run| run.tokens).sum()
    };
    for project in ["/0", "/1"] {
        assert!(sum(&|run| run.project == project) <= PROJECT_CAP);
    }
    let days: std::collections::BTreeSet<u64> =
        runs.iter().map(|run| day_of(run.from_ms)).collect();
    for day in days {
        assert!(sum(&|run| day_of(run.from_ms) == day) <= DAY_CAP);
    }
}

/// The most tokens in any span of so many milliseconds, at the end of a history.
fn worst(runs: &[Run], span_ms: u64) -> u64 {
    let ends = runs.iter().flat_map(|run| {
        [
            Some(run.from_ms),
            run.to_ms.map(|to_ms| to_ms + span_ms - 1),
        ]
    });
    let sums = ends.flatten().map(|at_ms| {
        let counts = runs.iter().filter(|run| {
            run.from_ms <= at_ms && run.to_ms.is_none_or(|to_ms| to_ms + span_ms > at_ms)
        });
        counts.map(|run| run.tokens).sum()
    });
    sums.max().unwrap_or(0)
}

/// What every limit says about a claim now and later.
fn verdicts(fold: &Fold) -> Vec<String> {
    let mut said = Vec::new();
    for at in [0, 1_000, 59_000, 600_000, 3_000_000] {
        for need in [1, 20, 99, 500] {
            for project in 0..2 {
                let asked = limited(u64::MAX, AT_MS + 2_000_000 + at, need, project);
                said.push(format!("{:?}", judge(fold, &asked)));
            }
        }
    }
    said
}

proptest! {
    #[test]
    fn no_history_passes_a_cap_or_a_limit(steps in proptest::collection::vec(step(), 0..80)) {
        let played = play(&steps, |_| false);
        prop_assert!(worst(&played.runs, RateSpan::Minute.ms()) <= PER_MINUTE);
        prop_assert!(worst(&played.runs, RateSpan::Hour.ms()) <= PER_HOUR);
    }

    #[test]
    fn a_new_file_changes_no_judgement(
        steps in proptest::collection::vec(step(), 0..80),
        carries in proptest::collection::vec(any::<bool>(), 80),
    ) {
        let whole = play(&steps, |_| false);
        let carried = play(&steps, |place| carries[place]);
        prop_assert_eq!(verdicts(&whole.fold), verdicts(&carried.fold));
        prop_assert_eq!(&whole.fold.days, &carried.fold.days);
        prop_assert_eq!(&whole.fold.projects, &carried.fold.projects);
        prop_assert_eq!(&whole.fold.open, &carried.fold.open);
        let again = Fold::from(carried.fold.carry(AT_MS));
        prop_assert_eq!(again.carry(AT_MS), carried.fold.carry(AT_MS));
    }

    #[test]
    fn a_wait_is_as_long_as_it_must_be(
        steps in proptest::collection::vec(step(), 0..80),
        need in 1_u64..100,
        later in 0_u64..200_000,
    ) {
        let played = play(&steps, |_| false);
        let last = played.runs.iter().flat_map(|run| [Some(run.from_ms), run.to_ms]);
        let now_ms = last.flatten().max().unwrap_or(AT_MS) + later;
        let mut asked = limited(u64::MAX, now_ms, need, 9);
        asked.day_cap = Cap::default();
        let Judged::Refused(Grant::Wait(wait)) = judge(&played.fold, &asked) else {
            return Ok(());
        };
        prop_assert!(wait.until_ms > now_ms);
        let is_poll = wait.until_ms == now_ms + WAIT_POLL_MS;
        asked.at_ms = wait.until_ms;
        prop_assert!(is_poll || judge(&played.fold, &asked) == Judged::Fits);
        asked.at_ms -= 1;
        prop_assert!(is_poll || judge(&played.fold, &asked) != Judged::Fits);
    }
}

/// The positive control of the first law: limits that judge each claim by itself are passed.
#[test]
fn without_what_others_have_set_aside_a_limit_is_passed() {
    let mut runs = Vec::new();
    for number in 0..5 {
        let asked = limited(number, AT_MS, 60, 0);
        assert_eq!(judge(&Fold::default(), &asked), Judged::Fits);
        runs.push(Run {
            project: asked.project,
            from_ms: AT_MS,
            to_ms: None,
            tokens: 60,
            is_settled: false,
        });
    }
    assert!(worst(&runs, RateSpan::Minute.ms()) > PER_MINUTE);
}
