//! A call is held against the tools that were frozen when its session began.

use bowline_core::{CallId, Event, apply};
use bowline_journal::NoProbe;
use bowline_model::{ScriptedProvider, scenario::Scenario};
use bowline_tools::Toolbox;
use bowline_tools::builtin::{self, BuiltinConfig};
use bowline_tools::confine::Confiner;
use serde_json::json;
use uuid::Uuid;

use super::*;

/// A session that began with tools of these names.
fn begun(frozen: &[&str]) -> State {
    let tools: Vec<Value> = frozen
        .iter()
        .map(|name| json!({ "name": name, "description": "d", "input_schema": {} }))
        .collect();
    let event = json!({ "at_ms": 1, "kind": "SessionStarted", "data": {
        "session": Uuid::from_u128(7), "app_version": "1", "cwd": "/usr", "roots": ["/usr"],
        "prompt": { "system": "s", "tools": tools },
        "settings": { "model": "scripted/x", "base_url": null, "mode": "ask", "on_ask": "park",
            "limits": { "max_steps": 5, "max_tokens": null, "max_output_tokens": null } } } });
    let event: Event = serde_json::from_str(&event.to_string()).expect("an event");
    apply(State::new(), &event)
}

/// A harness with all tools but these.
fn without(names: &[&str]) -> Harness {
    let clock = Clock::system();
    let scenario = Scenario::from_json(r#"{ "version": 1, "steps": [{ "text": "hello" }] }"#);
    let all = builtin::toolbox(BuiltinConfig::new("/usr/bin/bowline".into()));
    let kept = all.specs().list().iter();
    let kept = kept.filter(|spec| !names.contains(&spec.name.as_str()));
    let kept = kept.map(|spec| Arc::clone(all.get(&spec.name).expect("it is there")));
    Harness {
        provider: Arc::new(ScriptedProvider::new(
            scenario.expect("a scenario"),
            clock.id_source(),
        )),
        toolbox: Arc::new(Toolbox::new(kept.collect()).expect("names are unique")),
        policy: Arc::new(Policy::new(Mode::Ask, vec!["/usr".to_owned()])),
        confiner: Confiner::none(),
        masker: Arc::new(bowline_secrets::Masker::new(Vec::new())),
        app_version: "0".to_owned(),
        probe: Arc::new(NoProbe),
        ledger: None,
        while_waiting: crate::WhileWaiting::default(),
        leave: Arc::default(),
        alarms: None,
    }
}

#[test]
fn the_tools_of_a_session_are_those_it_began_with() {
    let frozen = ["read", "grep", "todo"];
    let table: [(&[&str], &str, Result<(), &str>); 5] = [
        (&[], "read", Ok(())),
        (
            &[],
            "list",
            Err(
                "Not run: `list` is not among the tools of this session. Use one of: read, grep, todo.",
            ),
        ),
        (
            &["todo"],
            "todo",
            Err(
                "Not run: the session began with `todo`, and this version of Bowline no longer has \
                 it. Use one of: read, grep.",
            ),
        ),
        (&["todo"], "read", Ok(())),
        (
            &[],
            "reed",
            Err("Not run: There is no tool `reed`. Did you mean `read`?"),
        ),
    ];
    let state = begun(&frozen);
    for (missing, name, expect) in table {
        let call = ToolCall {
            id: CallId::from_uuid(Uuid::from_u128(9)),
            wire_id: "call_0".to_owned(),
            name: name.to_owned(),
            arguments: json!({ "path": "share" }).to_string(),
            fault: None,
            kept: None,
        };
        match (plan(&without(missing), &state, &call), expect) {
            (Ok(_), Ok(())) => {}
            (Err(said), Err(expect)) => assert!(said.starts_with(expect), "{name}: {said}"),
            (got, expect) => panic!("{name}: {:?}, not {expect:?}", got.map(|_| ())),
        }
    }
}
