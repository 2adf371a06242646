//! What must hold of a session that was killed, killed again in recovery, and finished.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::play::{Arena, Ended, Run};
use super::scenario::MARKS;

/// Everything that is wrong; empty when nothing is.
pub(super) fn faults(
    arena: &Arena,
    session: &str,
    killed: &[Run],
    last: &Run,
) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let events = match arena.events(session) {
        Ok(events) => events,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    for run in killed {
        lost_events(&run.told, &events, &mut faults);
    }
    lost_events(&last.told, &events, &mut faults);
    calls_run_again(&events, &mut faults);
    let ended_before = killed
        .iter()
        .any(|run| matches!(run.ended, Ended::Exited { code: Some(0), .. }));
    finished(last, ended_before, &events, &mut faults);
    marks(arena, &events, &mut faults);
    Ok(faults)
}

/// Every event that was told must be in the journal, at its place, unchanged.
fn lost_events(told: &[Value], journal: &[Value], faults: &mut Vec<String>) {
    for line in told.iter().filter(|line| line["type"] == "event") {
        let seq = line["seq"].as_u64().unwrap_or(0);
        let index = usize::try_from(seq).unwrap_or(0).wrapping_sub(1);
        let recorded = journal.get(index).map(|record| &record["event"]);
        if recorded != Some(&line["event"]) {
            faults.push(format!(
                "event {seq} ({}) was told and is lost",
                line["event"]["kind"]
            ));
        }
    }
}

/// A call that finished never starts or finishes again.
fn calls_run_again(journal: &[Value], faults: &mut Vec<String>) {
    let mut closed: BTreeMap<&str, &str> = BTreeMap::new();
    for record in journal {
        let event = &record["event"];
        let kind = event["kind"].as_str().unwrap_or_default();
        let Some(call) = event["data"]["call"].as_str() else {
            continue;
        };
        let over = matches!(kind, "CallFinished" | "CallFailed" | "CallInDoubt");
        if (over || kind == "CallStarted")
            && let Some(before) = closed.get(call)
        {
            faults.push(format!("call {call}: {kind} after {before}"));
        }
        if over {
            closed.insert(call, kind);
        }
    }
}

/// The last run must bring the session to its end, unless an earlier one did.
fn finished(last: &Run, ended_before: bool, journal: &[Value], faults: &mut Vec<String>) {
    let done = journal.iter().any(|record| {
        record["event"]["kind"] == "TurnEnded" && record["event"]["data"]["stop"] == "done"
    });
    if done {
        return;
    }
    match &last.ended {
        Ended::Exited { code, said } => faults.push(format!(
            "the turn did not end (an earlier run ended: {ended_before}; exit {code:?}): {}",
            said.lines().last().unwrap_or_default()
        )),
        Ended::Killed { point } => {
            faults.push(format!("stopped at {point} without being asked to"))
        }
    }
}

/// Every mark stands exactly once; a missing one only for a call whose outcome is unknown.
fn marks(arena: &Arena, journal: &[Value], faults: &mut Vec<String>) {
    let text = std::fs::read_to_string(arena.work().join("marks.txt")).unwrap_or_default();
    let in_doubt = journal
        .iter()
        .filter(|record| record["event"]["kind"] == "CallInDoubt")
        .count();
    let mut missing = 0;
    for mark in 1..=MARKS {
        match text
            .lines()
            .filter(|line| *line == mark.to_string())
            .count()
        {
            0 => missing += 1,
            1 => {}
            times => faults.push(format!(
                "mark {mark} stands {times} times: a finished act ran again"
            )),
        }
    }
    if missing > in_doubt {
        faults.push(format!(
            "{missing} marks are missing, but only {in_doubt} calls are in doubt"
        ));
    }
}
