//! Alarms while a session is driven: one changed byte of a tool, what holds a session, an index
//! that cannot be read.

use std::path::Path;
use std::sync::Arc;

use bowline_core::alarm::{AlarmAction, AlarmCause, AlarmRaised, Metric};
use bowline_core::command::Ask;
use bowline_core::event::CallStarted;
use bowline_core::{
    BoxFuture, Command, Fact, Mode, Permit, SessionId, StopReason, StreamEvent, ToolSpec,
};
use bowline_journal::{Owner, Store};
use bowline_runtime::alarms::{AlarmRules, Alarms};
use bowline_runtime::{Harness, Recorder, Rest, Session, Silent, drive};
use bowline_tools::builtin::{BuiltinConfig, toolbox};
use bowline_tools::tool::{Call, Confinable, Finish, Found, InputError, Plan, PlanCx, Tool};
use bowline_tools::{Toolbox, tool};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::stage::{Hands, harness, places, prompted, run, started};

/// A tool that acts as another one and is described otherwise.
struct Described {
    tool: Arc<dyn Tool>,
    spec: ToolSpec,
}

impl Tool for Described {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, cx: &PlanCx) -> Result<Plan, InputError> {
        self.tool.plan(input, cx)
    }

    fn confinable(&self, input: &Value, cx: &PlanCx) -> Confinable {
        self.tool.confinable(input, cx)
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        self.tool.call(permit, call)
    }

    fn reconcile(&self, started: CallStarted, call: Call) -> BoxFuture<'static, Found> {
        self.tool.reconcile(started, call)
    }
}

/// The built-in tools, with the specification of one changed, or without it.
fn with_other(name: &str, change: impl Fn(&mut ToolSpec) -> bool) -> Toolbox {
    let all = toolbox(BuiltinConfig::new("no-keeper".into()));
    let mut tools: Vec<Arc<dyn tool::Tool>> = Vec::new();
    for spec in all.specs().list() {
        let tool = Arc::clone(all.find(&spec.name).expect("a tool"));
        let mut spec = spec.clone();
        if spec.name == name && !change(&mut spec) {
            continue;
        }
        tools.push(Arc::new(Described { tool, spec }));
    }
    Toolbox::new(tools).expect("names are unique")
}

/// A session on disk that has had its first turn.
struct Begun {
    folder: tempfile::TempDir,
    store: Store,
    hands: Hands,
    id: SessionId,
    actions: Vec<(Metric, AlarmAction)>,
}

fn owner() -> Owner {
    Owner {
        pid: std::process::id(),
        since_ms: 0,
        app_version: "0".to_owned(),
        command: "test".to_owned(),
        terminal: String::new(),
    }
}

impl Begun {
    fn new(actions: &[(Metric, AlarmAction)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let begun = Self {
            store: Store::at(folder.path().join("state")),
            hands: Hands::default(),
            id: SessionId::from_uuid(Uuid::from_u128(7)),
            actions: actions.to_vec(),
            folder,
        };
        let owned = begun.store.create(begun.id, &owner()).unwrap();
        let first = started(begun.id, begun.path(), json!({}));
        let journal = Box::new(owned.journal);
        let mut session = Session::begin(journal, places(begun.path()), begun.hands.clock(), first);
        prompted(&mut session, "first");
        let rest = run(&mut session, &begun.harness(None), &mut Silent, || {}).unwrap();
        assert!(matches!(rest, Rest::Ended(StopReason::Done, _)), "{rest:?}");
        begun
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn harness(&self, tools: Option<Toolbox>) -> Harness {
        let call = json!({ "tool": "glob", "input": { "pattern": "*" } });
        let scenario = json!({ "version": 1, "steps": [{ "text": "done" }, { "calls": [call] },
            { "text": "done again" }] });
        let clock = self.hands.clock();
        let mut harness = harness(&clock, self.path(), Mode::Edit, &scenario);
        harness.while_waiting = bowline_runtime::WhileWaiting::Rest;
        let rules = AlarmRules {
            actions: self.actions.iter().copied().collect(),
            ..AlarmRules::default()
        };
        harness.alarms = Some(Alarms {
            rules: Arc::new(rules),
            past: Some(self.store.clone()),
        });
        if let Some(tools) = tools {
            harness.toolbox = Arc::new(tools);
        }
        harness
    }

    fn open(&self) -> Session {
        let owned = self.store.open(self.id, &owner()).unwrap();
        let journal = Box::new(owned.journal);
        let opened = Session::open(journal, places(self.path()), self.hands.clock(), "0");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(opened).unwrap()
    }

    /// Goes on with another prompt and other tools.
    fn go_on(&self, tools: Option<Toolbox>, key: &str) -> (Rest, Vec<StreamEvent>) {
        let mut session = self.open();
        if session.state().paused_by().is_some() {
            let by = "a person".to_owned();
            let key = format!("continue-{key}");
            let ask = Ask::Continue { by };
            let at_ms = None;
            session.give(Command { key, at_ms, ask }).unwrap();
        } else {
            prompted(&mut session, key);
        }
        let mut face = Recorder::default();
        let (_keep, mut commands) = mpsc::unbounded_channel();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time();
        let harness = self.harness(tools);
        let driven = drive(&mut session, &harness, &mut face, &mut commands);
        let rest = runtime.build().unwrap().block_on(driven).unwrap();
        (rest, face.events)
    }
}

fn alarms(events: &[StreamEvent]) -> Vec<AlarmRaised> {
    let alarm = |event: &StreamEvent| match event {
        StreamEvent::Alarm { alarm } => Some(alarm.as_ref().clone()),
        _ => None,
    };
    events.iter().filter_map(alarm).collect()
}

/// How many replies came before the first alarm.
fn replies_before(events: &[StreamEvent]) -> usize {
    let alarm = events
        .iter()
        .position(|event| matches!(event, StreamEvent::Alarm { .. }));
    let before = &events[..alarm.unwrap_or(events.len())];
    let is_reply = |event: &&StreamEvent| {
        matches!(event, StreamEvent::Event { event, .. }
            if matches!(event.fact, Fact::ModelReplied(_)))
    };
    before.iter().filter(is_reply).count()
}

fn one_byte(spec: &mut ToolSpec) -> bool {
    let last = spec.description.pop();
    spec.description
        .push(if last == Some('!') { '.' } else { '!' });
    true
}

#[test]
fn one_changed_byte_of_a_tool_is_told_within_a_step() {
    type Change = fn(&mut ToolSpec) -> bool;
    let table: [(&str, Change, Option<&str>); 5] = [
        ("grep", one_byte, Some("description")),
        (
            "read",
            |spec| {
                spec.input_schema["properties"]["path"]["description"] = json!("Another path.");
                true
            },
            Some("input_schema/properties/path/description"),
        ),
        ("todo", |_| false, Some("removed")),
        // What people read is not sent.
        (
            "edit",
            |spec| {
                spec.title.push('!');
                true
            },
            None,
        ),
        ("write", |_| true, None),
    ];
    for (tool, change, expected) in table {
        let begun = Begun::new(&[]);
        let (rest, events) = begun.go_on(Some(with_other(tool, change)), "second");
        assert!(matches!(rest, Rest::Ended(StopReason::Done, _)), "{rest:?}");
        let causes: Vec<_> = alarms(&events).into_iter().map(|one| one.cause).collect();
        let expected = expected.map(|field| AlarmCause::Tool {
            tool: tool.to_owned(),
            field: field.to_owned(),
        });
        assert_eq!(causes, Vec::from_iter(expected.clone()), "{tool}");
        if expected.is_some() {
            assert_eq!(replies_before(&events), 0, "{tool}");
        }
    }
}

#[test]
fn a_session_that_is_held_for_a_tool_asks_no_model_and_is_held_once() {
    for (action, begins) in [
        (AlarmAction::Pause, "an alarm: "),
        (AlarmAction::Ask, "an alarm that asks whether it goes on: "),
    ] {
        let begun = Begun::new(&[(Metric::Tools, action)]);
        let other = || Some(with_other("grep", one_byte));
        let (rest, events) = begun.go_on(other(), "second");
        let Rest::Paused(by) = rest else {
            panic!("{rest:?}")
        };
        assert!(by.starts_with(begins) && by.contains("`grep`"), "{by}");
        let kinds = events.iter().filter_map(|event| match event {
            StreamEvent::Event { event, .. } => Some(event.fact.kind()),
            _ => None,
        });
        let kinds: Vec<_> = kinds.collect();
        assert_eq!(kinds, ["OwnerChanged", "PromptAccepted", "SessionPaused"]);
        assert_eq!(alarms(&events)[0].action, action);
        // A person lets it go on: the same difference is said and holds nothing.
        let (rest, events) = begun.go_on(other(), "third");
        assert!(matches!(rest, Rest::Ended(StopReason::Done, _)), "{rest:?}");
        assert_eq!(alarms(&events)[0].action, AlarmAction::Note);
        // Another difference of the same tool does.
        let another = with_other("grep", |spec| {
            spec.description.push('?');
            true
        });
        let (rest, _) = begun.go_on(Some(another), "fourth");
        assert!(matches!(rest, Rest::Paused(_)), "{rest:?}");
    }
}

#[test]
fn an_index_that_cannot_be_read_is_said_once_and_the_session_goes_on() {
    for (index, expected) in [(None, 0), (Some("no database"), 1)] {
        let begun = Begun::new(&[]);
        if let Some(text) = index {
            std::fs::write(begun.store.home().join("index.db"), text).unwrap();
        }
        let (rest, events) = begun.go_on(None, "second");
        assert!(matches!(rest, Rest::Ended(StopReason::Done, _)), "{rest:?}");
        let is_said = |event: &&StreamEvent| matches!(event, StreamEvent::Unwatched { .. });
        let said = events.iter().filter(is_said).count();
        assert_eq!(said, expected, "{index:?}");
    }
}
