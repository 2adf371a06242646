//! One session as a conversation.

use bowline_core::message::ResultKind;
use bowline_core::{Block, HistoryItem, Input, Origin, SessionId, State, due};
use bowline_journal::Store;
use bowline_runtime::waiting;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::print::{self, Colour, Look};

/// Lines of a result that are shown to a person.
const RESULT_LINES: usize = 8;

/// Shows a session.
pub fn show(store: &Store, id: SessionId, json: bool) -> Result<(), Failure> {
    let intact = store.read_only(id)?.read_intact()?;
    let state = intact.state();
    if json {
        print::line(&as_json(id, &state, intact.finding.as_ref()).to_string());
    } else {
        text(id, &state);
    }
    match intact.finding {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn text(id: SessionId, state: &State) {
    let look = Look::of_stderr();
    print::line(&format!("session {id}"));
    if let Some(settings) = state.settings() {
        print::line(&print::clean(&format!(
            "{} · mode {} · {}",
            settings.model,
            settings.mode,
            state.cwd()
        )));
    }
    for item in state.history() {
        match item.as_ref() {
            HistoryItem::Input(input) => said(&look, input),
            HistoryItem::Exchange(exchange) => {
                for block in &exchange.message().blocks {
                    if let Block::Text { text } = block
                        && !text.trim().is_empty()
                    {
                        print::line(&format!("\n{}", print::clean(text).trim_end()));
                    }
                }
                for (call, result) in exchange.message().calls().zip(exchange.results()) {
                    let sign = if result.kind == ResultKind::Ok {
                        "✓"
                    } else {
                        "✗"
                    };
                    let line = format!("{} {}", call.name, call.arguments);
                    print::line(&format!("\n▸ {}", look.fit(&line, 2)));
                    result_lines(&look, sign, &result.content);
                }
            }
        }
    }
    standing(state);
}

fn said(look: &Look, input: &Input) {
    let who = match input.text.origin() {
        Origin::Person => "you".to_owned(),
        Origin::Harness => "bowline".to_owned(),
        Origin::Tool(name) => format!("tool {name}"),
        Origin::File(path) => format!("file {path}"),
        Origin::Outside { tool, from } => format!("{tool}, from {from}"),
    };
    let who = look.paint(Colour::Bold, &format!("{who}:"));
    print::line(&format!(
        "\n{who} {}",
        print::clean(input.text.text()).trim_end()
    ));
}

fn result_lines(look: &Look, sign: &str, content: &bowline_core::ContextText) {
    let lines: Vec<&str> = content.text().lines().collect();
    for (index, line) in lines.iter().take(RESULT_LINES).enumerate() {
        let lead = if index == 0 { sign } else { " " };
        print::line(&format!("  {lead} {}", look.fit(line, 4)));
    }
    if lines.len() > RESULT_LINES {
        print::line(&format!(
            "    ... {} more lines",
            lines.len() - RESULT_LINES
        ));
    }
}

fn standing(state: &State) {
    let ledger = state.ledger();
    let stop = match state.last_stop() {
        Some((stop, Some(detail))) => format!("{} ({detail})", stop.name()),
        Some((stop, None)) => stop.name().to_owned(),
        None if state.turn().is_some() => "unfinished".to_owned(),
        None => "new".to_owned(),
    };
    if let Some(by) = state.paused_by() {
        print::line(&print::clean(&format!("\non hold, by {by}")));
    }
    print::line(&print::clean(&format!(
        "\n{stop} · {} steps · {} tokens · {} calls run, {} refused",
        state.steps(),
        print::grouped(ledger.usage.total_tokens()),
        ledger.calls_run,
        ledger.calls_refused
    )));
    for item in waiting(state) {
        print::line(&print::clean(&format!(
            "waits: {}  {}",
            item.decision_id.short(),
            item.essence
        )));
        for (number, choice) in crate::face::choices(item.question.as_ref()) {
            print::line(&print::clean(&format!("  {number}. {choice}")));
        }
    }
    for party in state.parties() {
        let what = party.line();
        let call = party.call_id.short();
        print::line(&print::clean(&format!("waits: {call}  {what}")));
        if let Some(instructions) = &party.instructions {
            print::line(&print::clean(&format!("  {instructions}")));
        }
    }
    for doubt in state.in_doubt() {
        let call = doubt.call.short();
        print::line(&print::clean(&format!(
            "in doubt: {call}  {} ({})",
            doubt.essence, doubt.why
        )));
    }
}

fn as_json(id: SessionId, state: &State, damage: Option<&bowline_journal::Error>) -> Value {
    let history: Vec<Value> = state
        .history()
        .iter()
        .map(|item| match item.as_ref() {
            HistoryItem::Input(input) => json!({ "type": "input", "input": input }),
            HistoryItem::Exchange(exchange) => json!({
                "type": "exchange",
                "step": exchange.step(),
                "message": exchange.message(),
                "results": exchange.results(),
            }),
        })
        .collect();
    json!({
        "id": id,
        "cwd": state.cwd(),
        "settings": state.settings(),
        "history": history,
        "queued": state.queued(),
        "todo": state.todo(),
        "steps": state.steps(),
        "usage": state.ledger().usage,
        "charged_tokens": state.ledger().spent.total_tokens(),
        "spent": state.ledger().spent,
        "reserved": state.reserved(),
        "cost_micro_usd": state.cost_micro_usd(),
        "stop_reason": state.last_stop().map(|(stop, _)| stop),
        "outstanding": due(state).iter().map(|work| format!("{work:?}")).collect::<Vec<_>>(),
        "workflow": state.workflow(),
        "parties": state.parties().collect::<Vec<_>>(),
        "in_doubt": state.in_doubt(),
        "waiting": waiting(state),
        "damage": damage.map(ToString::to_string),
    })
}
