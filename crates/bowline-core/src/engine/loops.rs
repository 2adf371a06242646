//! Telling loops from work, on evidence: what the finished calls of the turn asked, what came back,
//! and what changed in between.
//!
//! The model is told once of each pattern; if it goes on, the turn ends. A call that waits, or whose
//! result changes, is no loop however often it comes; a failure of the kind that passes is given
//! more tries. That nothing changes is reason to tell the model, never to stop it.

mod evidence;
mod volatile;

pub(super) use evidence::{Ending, mark};

use crate::Digest;
use crate::context::ContextText;
use crate::event::LoopNoticed;
use crate::settings::LoopGuard;
use crate::state::{Came, Mark, Trail, Turn};

/// The longest pattern that is looked for, in calls.
const PERIOD_MAX: usize = 4;
/// Rounds of a pattern, with nothing else in between, that the model is told of.
const ROUNDS_TOLD: usize = 4;
/// Repeats of one call among others that the model is told of.
const SCATTERED_TOLD: usize = 5;
/// Tries of what fails in a way that passes by itself that the model is told of.
const TRIES_TOLD: usize = 8;
/// Looks at something outside that the model is told of.
const LOOKS_TOLD: usize = 20;
/// Calls without any news that the model is told of.
const STALE_TOLD: usize = 16;
/// Calls that must be finished before the model is told of another pattern than the last.
const TOLD_APART: usize = 24;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The model is to be told.
    Tell(LoopNoticed),
    /// It was told and went on: one line for people.
    Stop(String),
}

/// A pattern in the calls of a turn.
struct Pattern {
    digest: Digest,
    /// How often it came.
    times: usize,
    /// How often it came since the model was told of it.
    since_told: usize,
    /// How often it must come before the model is told.
    told_at: usize,
    /// How often it must come after that before the turn ends; `None`: it never does.
    stopped_after: Option<usize>,
    /// What was called, how often, what came of it.
    evidence: String,
    /// What the model may do instead.
    advice: &'static str,
}

const OTHER_WAY: &str = "The same call will give the same answer. Go another way: change something \
                         first, look somewhere else, or say what is missing.";
const WAIT: &str = "If something outside has to happen first, wait for it with `wait_for` or a \
                    longer pause instead of looking again and again.";
const NEWS: &str = "Say what you know and what is still missing, then do what gets further.";

/// What the calls of the turn so far say: the gravest finding, if there is one.
pub(super) fn find(turn: &Turn, guard: LoopGuard) -> Option<Found> {
    let trail = &turn.trail;
    if guard == LoopGuard::Off {
        return None;
    }
    let circle = cycle(trail).or_else(|| scattered(trail));
    circle
        .or_else(|| poll(trail))
        .or_else(|| stale(trail))
        .and_then(|mut pattern| {
            pattern.stopped_after.take_if(|_| !guard.is_stop());
            judge(trail, pattern)
        })
}

fn judge(trail: &Trail, pattern: Pattern) -> Option<Found> {
    if trail.since_told(&pattern.digest).is_none() {
        let is_apart = trail
            .since_last_told()
            .is_none_or(|calls| calls >= TOLD_APART);
        if pattern.times < pattern.told_at || !is_apart {
            return None;
        }
        let Pattern {
            digest,
            evidence,
            advice,
            stopped_after,
            ..
        } = pattern;
        let end = if stopped_after.is_some() {
            " If it goes on like this, the turn is stopped."
        } else {
            ""
        };
        return Some(Found::Tell(LoopNoticed {
            pattern: digest,
            told: ContextText::notice(format!("You may be in a loop: {evidence}. {advice}{end}")),
            evidence,
        }));
    }
    let more = pattern.stopped_after?;
    if pattern.times < pattern.told_at + more || pattern.since_told < more {
        return None;
    }
    Some(Found::Stop(format!(
        "{}; the model was told and went on ({} more)",
        pattern.evidence,
        times(pattern.since_told)
    )))
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

const fn outcome(mark: &Mark) -> &'static str {
    match mark.came {
        Came::Fine => "result",
        Came::Failed | Came::Passing => "error",
    }
}

/// The marks of `calls` that came after the model was told of `pattern`.
fn after_told<'a, 'b>(trail: &Trail, pattern: &Digest, calls: &'a [&'b Mark]) -> &'a [&'b Mark] {
    let since = trail.since_told(pattern).unwrap_or(0);
    &calls[calls.len().saturating_sub(since)..]
}

/// The same one to four calls with the same results, round after round up to now.
fn cycle(trail: &Trail) -> Option<Pattern> {
    let quiet = trail.quiet();
    let (period, length) = (1..=PERIOD_MAX).find_map(|period| {
        let length = run_of(&quiet, period);
        (length / period >= ROUNDS_TOLD).then_some((period, length))
    })?;
    let run = &quiet[quiet.len() - length..];
    let round = &run[run.len() - period..];
    let digest = digest_of_round(round);
    let passing = round.iter().any(|mark| mark.came == Came::Passing);
    let rounds = length / period;
    let since_told = after_told(trail, &digest, run).len() / period;
    let last = run.last()?;
    let evidence = if period == 1 {
        format!(
            "{} was called {} in a row with the same {}, and nothing changed in between",
            last.words,
            times(rounds),
            outcome(last)
        )
    } else {
        let calls: Vec<&str> = run[..period].iter().map(|mark| &*mark.words).collect();
        format!(
            "the calls {} came {} in turn, each with the same result every time, and nothing new \
             changed in between",
            calls.join(", "),
            times(rounds)
        )
    };
    let (told_at, more) = match (passing, period) {
        (true, _) => (TRIES_TOLD, TRIES_TOLD * 2),
        (false, 1) => (ROUNDS_TOLD, 3),
        (false, _) => (ROUNDS_TOLD, 2),
    };
    Some(Pattern {
        digest,
        times: rounds,
        since_told,
        told_at,
        stopped_after: Some(more),
        evidence,
        advice: if passing { WAIT } else { OTHER_WAY },
    })
}

/// How many of the last calls are those that came `period` calls before, the first round included;
/// 0 if there is no such run.
fn run_of(quiet: &[&Mark], period: usize) -> usize {
    let pairs = quiet.iter().rev().zip(quiet.iter().rev().skip(period));
    let repeated = pairs
        .take_while(|(later, earlier)| later.is_same(earlier))
        .count();
    if repeated == 0 { 0 } else { repeated + period }
}

/// The same digest wherever in the round one begins.
fn digest_of_round(round: &[&Mark]) -> Digest {
    let rotations = (0..round.len()).map(|start| {
        let (end, begin) = round.split_at(start);
        let marks = begin.iter().chain(end);
        let parts: Vec<&[u8]> = marks
            .flat_map(|mark| [&mark.action.as_bytes()[..], &mark.result.as_bytes()[..]])
            .collect();
        Digest::of_parts(&parts)
    });
    rotations.min().unwrap_or_default()
}

/// The last call with the same result as before, among others that changed nothing.
fn scattered(trail: &Trail) -> Option<Pattern> {
    let quiet = trail.quiet();
    let last = *quiet.last()?;
    let same = |marks: &[&Mark]| marks.iter().filter(|mark| mark.is_same(last)).count();
    let count = same(&quiet);
    let digest = digest_of_round(&[last]);
    let passing = last.came == Came::Passing;
    let (told_at, more) = if passing {
        (TRIES_TOLD, TRIES_TOLD * 2)
    } else {
        (SCATTERED_TOLD, 4)
    };
    (count >= told_at).then(|| Pattern {
        digest,
        times: count,
        since_told: same(after_told(trail, &digest, &quiet)),
        told_at,
        stopped_after: Some(more),
        evidence: format!(
            "{} was called {} with the same {}, and the {} other calls in between changed nothing",
            last.words,
            times(count),
            outcome(last),
            quiet.len() - count
        ),
        advice: if passing { WAIT } else { OTHER_WAY },
    })
}

/// The same look at something outside for very long. It may be right, so it never stops the turn.
fn poll(trail: &Trail) -> Option<Pattern> {
    let last = trail.marks().next_back().filter(|mark| mark.waited)?;
    let looks = trail
        .marks()
        .rev()
        .take_while(|mark| mark.action == last.action || !mark.may_change)
        .filter(|mark| mark.action == last.action)
        .count();
    (looks >= LOOKS_TOLD).then(|| Pattern {
        digest: Digest::of_parts(&[b"poll", last.action.as_bytes()]),
        times: looks,
        since_told: 0,
        told_at: LOOKS_TOLD,
        stopped_after: None,
        evidence: format!("{} was called {}", last.words, times(looks)),
        advice: WAIT,
    })
}

/// Many calls whose results are all known. That alone never stops the turn.
fn stale(trail: &Trail) -> Option<Pattern> {
    let quiet = trail.quiet();
    let known = |at: &usize| quiet[..*at].iter().any(|mark| mark.is_same(quiet[*at]));
    let calls = (0..quiet.len()).rev().take_while(known).count();
    (calls >= STALE_TOLD).then(|| Pattern {
        digest: Digest::of(b"no news"),
        times: calls,
        since_told: 0,
        told_at: STALE_TOLD,
        stopped_after: None,
        evidence: format!(
            "the last {calls} calls brought nothing that earlier calls of this turn had not \
             brought, and nothing changed in between"
        ),
        advice: NEWS,
    })
}

#[cfg(test)]
mod tests;
