//! Histories as words: `a` is a call with its usual result, `a1` the same call with another one.

use proptest::prelude::*;

use super::{Found, find};
use crate::Digest;
use crate::id::TurnId;
use crate::settings::LoopGuard;
use crate::state::{Came, Mark, Turn};

/// `a` a reading call, `a1` with another result, `a!` one that may change something, `a~` one that
/// waits, `a?` a failure that passes.
fn mark(word: &str) -> Mark {
    let name = word.trim_end_matches(['!', '~', '?']);
    let action = &name[..1];
    Mark {
        action: Digest::of(action.as_bytes()),
        result: Digest::of(name.as_bytes()),
        words: action.into(),
        may_change: word.ends_with('!'),
        waited: word.ends_with('~'),
        came: if word.ends_with('?') {
            Came::Passing
        } else {
            Came::Fine
        },
    }
}

/// Plays calls as the driver would: the model is told between two steps. Gives after how many calls
/// it was told of something, and after how many the turn ended.
fn play(steps: &[&str]) -> (Vec<usize>, Option<usize>) {
    let mut turn = Turn::new(TurnId(1));
    let (mut calls, mut told) = (0, Vec::new());
    for step in steps {
        for word in step.split('+') {
            turn.trail.push(mark(word));
            calls += 1;
        }
        match find(&turn, LoopGuard::Stop) {
            Some(Found::Tell(noticed)) => {
                turn.trail.tell(noticed.pattern);
                told.push(calls);
                assert!(
                    !matches!(find(&turn, LoopGuard::Stop), Some(Found::Tell(_))),
                    "told twice"
                );
            }
            Some(Found::Stop(_)) => return (told, Some(calls)),
            None => {}
        }
    }
    (told, None)
}

fn check(round: &str, rounds: usize, told: &[usize], stopped: Option<usize>) {
    let round: Vec<&str> = round.split(' ').collect();
    let steps: Vec<&str> = round
        .iter()
        .copied()
        .cycle()
        .take(round.len() * rounds)
        .collect();
    assert_eq!(play(&steps), (told.to_vec(), stopped), "{round:?}");
}

#[test]
fn a_pattern_is_told_once_and_then_stopped() {
    check("a", 20, &[4], Some(7));
    check("a b", 20, &[8], Some(12));
    check("a b c", 20, &[12], Some(18));
    check("a b c d", 20, &[16], Some(24));
    // The first time they may have changed something; from then on they do and undo.
    check("a! b!", 20, &[9], Some(13));
    check("a!", 20, &[4], Some(7));
    // Three at once: told after the second reply, stopped after the third.
    check("a+a+a", 20, &[6], Some(9));
    // Longer rounds are seen by one call of them.
    check("a b c d e", 20, &[21], Some(41));
}

#[test]
fn a_call_among_others_that_change_nothing_is_seen() {
    let steps: Vec<String> = (0..30)
        .flat_map(|n| ["a".to_owned(), format!("b{n}")])
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    assert_eq!(play(&steps), (vec![9], Some(17)));
}

#[test]
fn what_changes_waits_or_passes_is_left_alone() {
    // Something new changes before each run.
    let steps: Vec<String> = (0..30)
        .flat_map(|n| ["a".to_owned(), format!("b{n}!")])
        .collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    assert_eq!(play(&steps), (Vec::new(), None));
    // The result changes.
    let steps: Vec<String> = (0..60).map(|n| format!("a{n}")).collect();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    assert_eq!(play(&steps), (Vec::new(), None));
    // It waits: told of `wait_for` after very long, never stopped.
    check("a~", 19, &[], None);
    check("a~", 100, &[20], None);
    check("a b~", 19, &[], None);
    check("a b~", 100, &[40], None);
    // Passing failures are given more tries.
    check("a?", 7, &[], None);
    check("a?", 100, &[8], Some(24));
}

#[test]
fn no_news_is_told_and_never_stopped() {
    let known = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mixed = ["h", "c", "f", "a", "g", "b", "e", "d"];
    let steps: Vec<&str> = known.iter().chain(&mixed).chain(&known).copied().collect();
    assert_eq!(play(&steps), (vec![24], None));
}

#[test]
fn the_guard_can_be_told_to_tell_only_or_to_rest() {
    for (guard, is_told) in [(LoopGuard::Nudge, true), (LoopGuard::Off, false)] {
        let mut turn = Turn::new(TurnId(1));
        let mut told = false;
        for _ in 0..100 {
            turn.trail.push(mark("a"));
            match find(&turn, guard) {
                Some(Found::Tell(noticed)) => {
                    turn.trail.tell(noticed.pattern);
                    told = true;
                }
                Some(Found::Stop(detail)) => panic!("{guard:?} stopped: {detail}"),
                None => {}
            }
        }
        assert_eq!(told, is_told, "{guard:?}");
    }
}

#[test]
fn words_of_a_person_begin_a_new_count() {
    let mut turn = Turn::new(TurnId(1));
    for _ in 0..3 {
        turn.trail.push(mark("a"));
    }
    turn.trail.interrupt();
    for _ in 0..3 {
        turn.trail.push(mark("a"));
        assert_eq!(find(&turn, LoopGuard::Stop), None);
    }
    turn.trail.push(mark("a"));
    assert!(matches!(find(&turn, LoopGuard::Stop), Some(Found::Tell(_))));
}

proptest! {
    /// Whatever is called in whatever order: where no result comes twice, nothing is stopped.
    #[test]
    fn results_that_all_differ_are_never_stopped(calls in prop::collection::vec((0..6_u8, 0..4_u8), 0..300)) {
        let words: Vec<String> = calls
            .iter()
            .enumerate()
            .map(|(at, (action, kind))| {
                let kind = ["", "!", "~", "?"][usize::from(*kind)];
                format!("{}{at}{kind}", char::from(b'a' + action))
            })
            .collect();
        let steps: Vec<&str> = words.iter().map(String::as_str).collect();
        let (_, stopped) = play(&steps);
        prop_assert_eq!(stopped, None);
    }

    /// The control: any round of one to four calls that only reads is stopped.
    #[test]
    fn any_round_that_only_reads_is_stopped(round in prop::collection::vec(0..6_u8, 1..=4)) {
        let words: Vec<String> = round.iter().map(|action| char::from(b'a' + action).to_string()).collect();
        let steps: Vec<&str> = words.iter().map(String::as_str).cycle().take(80).collect();
        prop_assert!(play(&steps).1.is_some());
    }
}
