//! `bowline tools list|show|call`.

use std::path::PathBuf;

use bowline_core::message::ResultKind;
use bowline_core::{HistoryItem, Registry, ToolSpec};
use bowline_runtime::{Rest, resolve_folders};
use serde_json::json;

use super::run::{self, Quiet};
use crate::args::{Force, Output, ToolCall, Tools};
use crate::failure::Failure;
use crate::places::Places;
use crate::{print, wire};

/// Runs the command.
pub fn run(args: Tools) -> Result<u8, Failure> {
    match args {
        Tools::List { json } => list(&specs(), json),
        Tools::Show { name, json } => show(&specs(), &name, json)?,
        Tools::Call(args) => return call(&args),
    }
    Ok(0)
}

/// The registry of tools: data only.
fn specs() -> Registry<ToolSpec> {
    #[expect(
        clippy::expect_used,
        reason = "a fixed list; a test holds its names unique"
    )]
    Registry::new(bowline_tools::builtin::specs()).expect("built-in names are unique")
}

fn list(specs: &Registry<ToolSpec>, json: bool) {
    if json {
        print::line(&serde_json::to_string(specs.list()).unwrap_or_default());
        return;
    }
    let width = specs
        .list()
        .iter()
        .map(|spec| spec.name.len())
        .max()
        .unwrap_or(0);
    for spec in specs.list() {
        print::line(&format!("{:width$}  {}", spec.name, spec.title));
    }
}

fn show(specs: &Registry<ToolSpec>, name: &str, json: bool) -> Result<(), Failure> {
    let spec = specs.find(name).ok_or_else(|| unknown(specs, name))?;
    if json {
        print::line(&serde_json::to_string(spec).unwrap_or_default());
        return Ok(());
    }
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('_', " ");
    let actions: Vec<String> = spec
        .actions
        .iter()
        .map(|action| word(json!(action)))
        .collect();
    print::line(&format!(
        "{} — {}\n\n{}\n\nrisk: {}\ntier: {}\nafter a crash, at most: {}\nactions: {}\norigin: {}\n\ninput: {}",
        spec.name,
        spec.title,
        spec.description,
        word(json!(spec.risk)),
        word(json!(spec.tier)),
        word(json!(spec.replay_ceiling)),
        actions.join(", "),
        spec.origin,
        serde_json::to_string_pretty(&spec.input_schema).unwrap_or_default(),
    ));
    Ok(())
}

fn unknown(specs: &Registry<ToolSpec>, name: &str) -> Failure {
    let names: Vec<&str> = specs.list().iter().map(|spec| spec.name.as_str()).collect();
    Failure::usage(format!(
        "there is no tool `{name}`. Tools: {}",
        names.join(", ")
    ))
}

/// Runs one tool as a session of one call, judged and recorded like any other.
fn call(args: &ToolCall) -> Result<u8, Failure> {
    let registry = specs();
    if registry.find(&args.name).is_none() {
        return Err(unknown(&registry, &args.name));
    }
    let places = Places::find()?;
    let (cwd, roots) = resolve_folders(&PathBuf::from("."), &args.add_dir)?;
    let force = Force {
        model: Some(format!("scripted/{}", wire::ONE_CALL)),
        mode: args.mode.clone(),
        ..Force::default()
    };
    let config = wire::configure(&places, &cwd, &force)?;
    let rules = wire::rules_by_hand(&args.allow, &args.deny)?;
    let settings = wire::scripted_settings(&config, &places)?;
    let quiet = Quiet {
        config: &config,
        settings,
        cwd,
        roots,
        rules,
        scenario: wire::one_call(&args.name, &args.input)?,
        prompt: format!("Call the tool {} once.", args.name),
    };
    run::quietly(&places, quiet, |session, rest| tell(args, session, rest))
}

/// Prints how the call came out and gives the exit code.
fn tell(args: &ToolCall, session: &bowline_runtime::Session, rest: &Rest) -> u8 {
    let (code, text, waiting) = match rest {
        Rest::Waiting(waiting) => {
            let text = waiting
                .first()
                .map(|item| item.reason.clone())
                .unwrap_or_default();
            (3, format!("waits for a person: {text}"), waiting.as_slice())
        }
        _ => {
            let (code, text) = result(session);
            (code, text, &[][..])
        }
    };
    if args.output == Output::Text {
        if code == 0 {
            print::line(print::clean(&text).trim_end());
        } else {
            print::err_line(print::clean(&text).trim_end());
            for item in waiting {
                print::err_line(&format!(
                    "  answer with `bowline approve {}`, then `bowline exec --resume {}`",
                    item.decision_id.short(),
                    session.id().short()
                ));
            }
        }
    } else {
        let object = json!({
            "session_id": session.id(),
            "tool": args.name,
            "result": text,
            "exit_code": code,
            "waiting": waiting,
        });
        print::line(&object.to_string());
    }
    code
}

/// The result of the one call: its exit code and what a model would read.
fn result(session: &bowline_runtime::Session) -> (u8, String) {
    let state = session.state();
    let exchange = state.history().iter().find_map(|item| match item.as_ref() {
        HistoryItem::Exchange(exchange) => exchange.results().first(),
        HistoryItem::Input(_) => None,
    });
    let Some(result) = exchange else {
        let detail = state
            .last_stop()
            .and_then(|(_, detail)| detail)
            .unwrap_or("no result");
        return (1, detail.to_owned());
    };
    let text = result.content.text().to_owned();
    let code = match result.kind {
        ResultKind::Ok => 0,
        ResultKind::Error if state.ledger().calls_denied > 0 => 5,
        ResultKind::Error => 1,
    };
    (code, text)
}
