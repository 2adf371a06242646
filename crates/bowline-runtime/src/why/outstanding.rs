//! What the session's next owner would have to do, in words.

use bowline_core::{CallId, DecisionId, Work, due};

use super::story::{Story, shown};
use super::{Evidence, taken_over};

pub(super) fn of(evidence: &Evidence<'_>, story: &Story<'_>) -> Vec<String> {
    let state = taken_over(&story.state);
    let mut lines: Vec<String> = due(&state)
        .into_iter()
        .flat_map(|work| words(work, story))
        .collect();
    if evidence.has_letters {
        lines.push("take the answers and prompts that wait in its mailbox".to_owned());
    }
    for input in state.queued() {
        let text = input.text.text();
        if *input.text.origin() == bowline_core::Origin::Person {
            lines.push(format!("show the model a queued prompt: {}", shown(text)));
        }
    }
    let last = story.last.map_or(0, |recorded| recorded.receipt.seq.0);
    if evidence.synced_seq.0 > 0 && last > evidence.synced_seq.0 {
        lines.push(format!(
            "make records {} to {last} durable: they were written and never acknowledged",
            evidence.synced_seq.0 + 1
        ));
    }
    if evidence.torn_bytes > 0 {
        lines.push(format!(
            "drop {} bytes at the end of its journal that were never acknowledged",
            evidence.torn_bytes
        ));
    }
    for doubt in state.in_doubt() {
        lines.push(format!(
            "in doubt: {} ({}) may have happened, in part or wholly",
            story.essence(doubt.call),
            doubt.call.short()
        ));
    }
    lines
}

fn words(work: Work, story: &Story<'_>) -> Vec<String> {
    let named = |call: CallId| format!("{} ({})", story.essence(call), call.short());
    vec![match work {
        Work::BeginTurn => "begin a turn for the prompt that waits".to_owned(),
        Work::AskModel(ask) => format!("ask the model (try {})", ask.try_number),
        Work::ReconcileAttempt { .. } => {
            "make the interrupted model call again; what it may have cost is counted".to_owned()
        }
        Work::Compact => "make the conversation shorter".to_owned(),
        Work::Nudge(noticed) => format!("tell the model of a loop: {}", noticed.evidence),
        Work::CheckAnswer => "hold the final answer against the schema in force".to_owned(),
        Work::Decide { call } => format!("decide about {}", named(call)),
        Work::RunTool { call } => format!("run {}", named(call)),
        Work::Reconcile { call } => format!("find out what became of {}", named(call)),
        Work::Park { call } => format!("begin to wait for what {} waits for", named(call)),
        Work::Wait { decisions, parked } => return waits(&decisions, &parked, story),
        Work::SettleShare { child } => format!(
            "count all that was set aside for the session {} as spent: its call is over",
            child.short()
        ),
        Work::EndTurn { stop, .. } => format!("end the turn ({})", stop.name()),
    }]
}

fn waits(decisions: &[DecisionId], parked: &[CallId], story: &Story<'_>) -> Vec<String> {
    let parties = story.state.parties();
    let parties = parties.filter(|party| parked.contains(&party.call_id));
    let parties = parties.map(|party| format!("wait for {}: {}", party.waits_for, party.name));
    let waiting = story.state.waiting();
    waiting
        .filter(|(_, decision)| decisions.contains(&decision.id))
        .map(|(_, decision)| {
            format!(
                "wait for an answer to {}: {}",
                decision.id.short(),
                shown(&decision.essence)
            )
        })
        .chain(parties)
        .collect()
}
