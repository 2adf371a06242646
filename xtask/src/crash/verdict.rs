//! What must hold of a session that was killed, killed again in recovery, and finished.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::play::{Arena, Ended, Run};
use super::scenario::{FILES, MARKS, TOLD_MARK, is_background, mark_of};

/// What may be missing, because something was really cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut {
    /// Calls whose keeper was killed, or lost its records with the power.
    pub(super) keepers: BTreeSet<String>,
}

/// Everything that is wrong; empty when nothing is.
pub(super) fn faults(arena: &Arena, session: &str, runs: &[Run], cut: &Cut) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let events = match arena.events(session) {
        Ok(events) => events,
        Err(error) => return Ok(vec![format!("the session does not open: {error}")]),
    };
    for run in runs {
        lost_events(&run.told, &events, &mut faults);
    }
    let fates = fates(&events, &mut faults);
    finished(runs, &events, &mut faults);
    for (call, fate) in &fates {
        doubts(call, fate, cut, &mut faults);
    }
    listed_doubts(arena, session, &fates, &mut faults)?;
    marks(arena, &fates, cut, &mut faults);
    files(arena, &fates, &mut faults)?;
    Ok(faults)
}

/// Every event that was told must be in the journal, at its place, unchanged.
pub(super) fn lost_events(told: &[Value], journal: &[Value], faults: &mut Vec<String>) {
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

/// What the journal says of one call.
#[derive(Debug, Default)]
struct Fate {
    tool: String,
    arguments: String,
    /// How often it was started, less what was proven not to have begun.
    starts: i32,
    /// Whether another owner came while it was open.
    was_orphaned: bool,
    /// The event that closed it.
    closed: Option<String>,
    /// Why its outcome is unknown.
    why: String,
}

/// Follows every call through the journal; one that is closed must never start or close again.
fn fates(journal: &[Value], faults: &mut Vec<String>) -> BTreeMap<String, Fate> {
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    for record in journal {
        let event = &record["event"];
        let (kind, data) = (event["kind"].as_str().unwrap_or_default(), &event["data"]);
        match kind {
            "ModelReplied" => {
                let blocks = data["message"]["blocks"].as_array().into_iter().flatten();
                for block in blocks.filter(|block| block["type"] == "call") {
                    let text = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
                    let fate = fates.entry(text("id")).or_default();
                    (fate.tool, fate.arguments) = (text("name"), text("arguments"));
                }
            }
            "OwnerChanged" => {
                let open = fates.values_mut().filter(|fate| fate.closed.is_none());
                open.filter(|fate| fate.starts > 0)
                    .for_each(|fate| fate.was_orphaned = true);
            }
            "CallStarted" | "CallFoundUnstarted" | "CallFinished" | "CallFailed"
            | "CallInDoubt" => {
                let call = data["call"].as_str().unwrap_or_default();
                let fate = fates.entry(call.to_owned()).or_default();
                step(call, kind, fate, faults);
                fate.why = data["why"].as_str().unwrap_or_default().to_owned();
            }
            _ => {}
        }
    }
    fates
}

fn step(call: &str, kind: &str, fate: &mut Fate, faults: &mut Vec<String>) {
    if let Some(before) = &fate.closed {
        faults.push(format!("call {call}: {kind} after {before}"));
    }
    match kind {
        "CallStarted" => fate.starts += 1,
        "CallFoundUnstarted" => fate.starts -= 1,
        over => fate.closed = Some(over.to_owned()),
    }
    if fate.starts > 1 {
        faults.push(format!(
            "call {call} was started again, though it may have happened"
        ));
    }
}

/// The session must come to its end, in one run or another.
fn finished(runs: &[Run], journal: &[Value], faults: &mut Vec<String>) {
    let done = journal.iter().any(|record| {
        record["event"]["kind"] == "TurnEnded" && record["event"]["data"]["stop"] == "done"
    });
    if done {
        return;
    }
    let last = runs.last().map(|run| &run.ended);
    let said = match last {
        Some(Ended::Exited { code, said }) => {
            format!("exit {code:?}: {}", said.lines().last().unwrap_or_default())
        }
        _ => "the last run was killed".to_owned(),
    };
    faults.push(format!("the turn did not end ({said})"));
}

/// A call is in doubt only if something was really cut: the harness while the call ran and nothing
/// else could know its outcome, or its keeper.
fn doubts(call: &str, fate: &Fate, cut: &Cut, faults: &mut Vec<String>) {
    if fate.closed.as_deref() != Some("CallInDoubt") {
        return;
    }
    let keeper_cut = cut.keepers.contains(call);
    let can_be_told = matches!(fate.tool.as_str(), "shell" | "write" | "edit");
    if !keeper_cut && (can_be_told || !fate.was_orphaned) {
        faults.push(format!(
            "call {call} ({}) is in doubt, though nothing of it was cut: {}",
            fate.tool, fate.why
        ));
    }
}

/// The session lists exactly the calls whose outcome its journal calls unknown.
fn listed_doubts(
    arena: &Arena,
    session: &str,
    fates: &BTreeMap<String, Fate>,
    faults: &mut Vec<String>,
) -> Result<()> {
    let listed: BTreeSet<String> = arena.in_doubt(session)?.into_iter().collect();
    let recorded: BTreeSet<String> = fates
        .iter()
        .filter(|(_, fate)| fate.closed.as_deref() == Some("CallInDoubt"))
        .map(|(call, _)| call.clone())
        .collect();
    if listed != recorded {
        faults.push(format!(
            "in doubt are {recorded:?}, but listed are {listed:?}"
        ));
    }
    Ok(())
}

/// Each mark stands once if its call is told to have happened, once or not at all if that is
/// unknown, and never without its call.
fn marks(arena: &Arena, fates: &BTreeMap<String, Fate>, cut: &Cut, faults: &mut Vec<String>) {
    // Its command lives on after its call: cut then, it does not hear what it is told.
    let background_cut = fates
        .iter()
        .any(|(call, fate)| is_background(&fate.arguments) && cut.keepers.contains(call));
    let text = std::fs::read_to_string(arena.work().join("marks.txt")).unwrap_or_default();
    for mark in 1..=MARKS {
        let name = mark.to_string();
        let times = text.lines().filter(|line| *line == name).count();
        let told = fates
            .values()
            .find(|fate| mark_of(&fate.tool, &fate.arguments) == Some(mark))
            .and_then(|fate| fate.closed.as_deref());
        let is_right = match told {
            Some("CallFinished") if mark == TOLD_MARK && background_cut => times <= 1,
            Some("CallFinished") => times == 1,
            Some("CallInDoubt") => times <= 1,
            _ => times == 0,
        };
        if !is_right {
            faults.push(format!(
                "mark {mark} stands {times} times, and its call is told as {}",
                told.unwrap_or("not closed")
            ));
        }
    }
}

/// Files hold what the finished calls wrote, and nothing half-written lies beside them.
fn files(arena: &Arena, fates: &BTreeMap<String, Fate>, faults: &mut Vec<String>) -> Result<()> {
    for (name, content, tool) in FILES {
        let is_done = fates.values().any(|fate| {
            fate.tool == tool
                && fate.arguments.contains(name)
                && fate.closed.as_deref() == Some("CallFinished")
        });
        let found = std::fs::read_to_string(arena.work().join(name)).ok();
        if is_done && found.as_deref() != Some(content) {
            faults.push(format!(
                "{name} holds {found:?}, though its call is told as finished"
            ));
        }
    }
    for entry in std::fs::read_dir(arena.work())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(".bowline-") {
            faults.push(format!("{name} was left in the workspace"));
        }
    }
    Ok(())
}
