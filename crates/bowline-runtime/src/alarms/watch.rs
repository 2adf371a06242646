//! Watches one session while it is driven: reads its facts, learns what was usual, and carries out
//! what an alarm does as far as that is no command.

use std::sync::Arc;
use std::time::Duration;

use bowline_core::alarm::{AlarmAction, AlarmRaised};
use bowline_core::plan::differences;
use bowline_core::request::{FrozenPrompt, ToolDeclaration};
use bowline_core::{Digest, Event, Fact, ModelRef, SessionId, State, ToolSpec};
use bowline_journal::{PastAttempt, PastOf};
use bowline_tools::Toolbox;
use serde_json::json;
use tokio::sync::oneshot;

use super::detector::{Alarm, Detector};
use super::seen::{Reader, Seen};
use super::{AlarmRules, Alarms, webhook};

/// Most tools that are named when a prompt and its tools differ.
const TOOLS_MAX: usize = 8;
/// Most of what happens while the past is read; after that, it is not waited for.
const WAITING_MAX: usize = 10_000;

/// What the watch has to say.
pub(crate) enum Said {
    /// An alarm. With the key of the command that puts the session on hold for it.
    Alarm(Box<AlarmRaised>, String),
    /// What was usual cannot be read.
    Unwatched(String),
}

/// What was usual, or why that cannot be read.
type Past = Result<Option<Vec<PastAttempt>>, String>;
/// Where the past comes from.
type Reading = oneshot::Receiver<Past>;

/// Alarms about one session.
pub(crate) struct Watch {
    rules: Arc<AlarmRules>,
    session: SessionId,
    model: ModelRef,
    project: String,
    detector: Detector,
    reader: Reader,
    /// The turn that was not over when the watch began.
    turn: Option<u32>,
    reading: Option<Reading>,
    /// What happened while the past was read.
    waiting: Vec<(u64, Seen)>,
    prompt: Option<FrozenPrompt>,
}

impl Watch {
    /// Begins to watch; the past is read meanwhile. `None` before the session has begun.
    pub(crate) fn begin(
        alarms: &Alarms,
        session: SessionId,
        state: &State,
        now_ms: u64,
    ) -> Option<Self> {
        let model = state.settings()?.model.clone();
        let project = state.roots().first().cloned().unwrap_or_default();
        let rules = Arc::clone(&alarms.rules);
        let mut watch = Self {
            detector: Detector::new(rules.window),
            reader: Reader::default(),
            turn: state.turn().map(|turn| turn.id.0),
            reading: read_past(alarms, &model, &project, now_ms),
            waiting: Vec::new(),
            prompt: state.prompt().map(|prompt| FrozenPrompt::clone(prompt)),
            rules,
            session,
            model,
            project,
        };
        for open in state.step().into_iter().flat_map(|step| &step.calls) {
            watch.reader.know(open.call.id, &open.call.name);
        }
        Some(watch)
    }

    /// Tools of the frozen prompt that are not in the toolbox as the model was told of them.
    pub(crate) fn tools(&mut self, toolbox: &Toolbox, now_ms: u64) -> Vec<Said> {
        let Some(frozen) = self.prompt.clone() else {
            return Vec::new();
        };
        let specs = toolbox.specs().list();
        let found = |tool: &ToolDeclaration| specs.iter().find(|spec| spec.name == tool.name);
        let tools = frozen.tools.iter().filter_map(found).map(declared);
        let now = FrozenPrompt {
            system: frozen.system.clone(),
            tools: tools.collect(),
        };
        self.tools_differ(&frozen, &now, now_ms)
    }

    fn tools_differ(
        &mut self,
        before: &FrozenPrompt,
        after: &FrozenPrompt,
        at_ms: u64,
    ) -> Vec<Said> {
        let mut said = Vec::new();
        for tool in &before.tools {
            let now = after.tools.iter().find(|other| other.name == tool.name);
            let (one, other) = (alone(Some(tool)), alone(now));
            let Some(difference) = differences(&one, &other).into_iter().next() else {
                continue;
            };
            if said.len() == TOOLS_MAX {
                break;
            }
            let alarm = self.detector.tool_differs(&tool.name, &difference.field);
            // A person who lets it go on has seen this difference: it holds nothing again.
            let now = serde_json::to_vec(&now).unwrap_or_default();
            let place = format!("{}/{}", tool.name, difference.field);
            let what = Digest::of_parts(&[place.as_bytes(), &now]).to_hex();
            said.push(self.raise(alarm, at_ms, format!("alarm-tools-{what}")));
        }
        said
    }

    /// Takes in an event that is durable; gives what is to be said.
    pub(crate) fn see(&mut self, event: &Event) -> Vec<Said> {
        let mut said = Vec::new();
        match &event.fact {
            Fact::SettingsChanged(change) if change.settings.model != self.model => {
                // What is usual for another model is learned from here on.
                self.model = change.settings.model.clone();
                self.detector = Detector::new(self.rules.window);
                self.reading = None;
                self.waiting.clear();
            }
            Fact::PromptChanged(change) => {
                if let Some(before) = self.prompt.replace(change.prompt.clone()) {
                    said.extend(self.tools_differ(&before, &change.prompt, event.at_ms));
                }
            }
            _ => {}
        }
        let seen = self.reader.read(event);
        said.extend(self.read_to_its_end());
        if let Some(seen) = seen {
            if self.reading.is_some() && self.waiting.len() < WAITING_MAX {
                self.waiting.push((event.at_ms, seen));
            } else {
                said.extend(self.judge(event.at_ms, &seen));
            }
        }
        said
    }

    fn judge(&mut self, at_ms: u64, seen: &Seen) -> Vec<Said> {
        let alarms = self.detector.see(at_ms, self.session, seen);
        let raise = |alarm: Alarm| {
            let key = format!("alarm-{}-{at_ms}", alarm.metric.name());
            self.raise(alarm, at_ms, key)
        };
        alarms.into_iter().map(raise).collect()
    }

    /// Learns the past once it is there, then judges what happened meanwhile.
    fn read_to_its_end(&mut self) -> Vec<Said> {
        let Some(reading) = &mut self.reading else {
            return Vec::new();
        };
        let read = match reading.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => return Vec::new(),
            Err(oneshot::error::TryRecvError::Closed) => Ok(None),
            Ok(read) => read,
        };
        self.learn(read)
    }

    /// The same for a session that rests, which may wait a little.
    pub(crate) async fn read_within(&mut self, span: Duration) -> Vec<Said> {
        let Some(reading) = &mut self.reading else {
            return Vec::new();
        };
        match tokio::time::timeout(span, reading).await {
            Err(_) => Vec::new(),
            Ok(read) => self.learn(read.unwrap_or(Ok(None))),
        }
    }

    fn learn(&mut self, read: Past) -> Vec<Said> {
        self.reading = None;
        let mut said = Vec::new();
        match read {
            Ok(past) => {
                let past = past.unwrap_or_default();
                self.detector.learn(&past, self.session, self.turn);
            }
            Err(reason) => said.push(Said::Unwatched(reason)),
        }
        for (at_ms, seen) in std::mem::take(&mut self.waiting) {
            said.extend(self.judge(at_ms, &seen));
        }
        said
    }

    fn raise(&self, alarm: Alarm, at_ms: u64, key: String) -> Said {
        let Alarm {
            metric,
            figure,
            baseline,
            spread,
            limit,
            window,
            cause,
        } = alarm;
        let mut raised = AlarmRaised {
            metric,
            figure,
            baseline,
            spread,
            limit,
            window,
            model: self.model.clone(),
            project: self.project.clone(),
            cause,
            action: self.rules.action(metric),
            failed: None,
        };
        if raised.action == AlarmAction::WebhookFile {
            raised.failed = self.write(&raised, at_ms).err();
        }
        Said::Alarm(Box::new(raised), key)
    }

    fn write(&self, alarm: &AlarmRaised, at_ms: u64) -> Result<(), String> {
        let path = self.rules.webhook_file.as_deref();
        let path = path.ok_or("no file is configured: set alarms.webhook_file")?;
        let line = json!({
            "at_ms": at_ms, "session": self.session, "line": alarm.line(), "alarm": alarm,
        });
        webhook::append(path, &line.to_string())
    }
}

/// Reads what was usual, on a thread of its own: the loop never waits for it.
fn read_past(alarms: &Alarms, model: &ModelRef, project: &str, now_ms: u64) -> Option<Reading> {
    let store = alarms.past.clone()?;
    let window = alarms.rules.window;
    let of = PastOf {
        project: project.to_owned(),
        model: model.to_string(),
        since_ms: now_ms.saturating_sub(window.span_ms()),
        with_calls: window.steps,
    };
    let (sender, reading) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let _gone = sender.send(store.past(&of).map_err(|error| error.to_string()));
    });
    Some(reading)
}

fn declared(spec: &ToolSpec) -> ToolDeclaration {
    ToolDeclaration {
        name: spec.name.clone(),
        description: spec.description.clone(),
        input_schema: spec.input_schema.clone(),
    }
}

/// A prompt of one tool, or of none.
fn alone(tool: Option<&ToolDeclaration>) -> FrozenPrompt {
    FrozenPrompt {
        system: String::new(),
        tools: tool.into_iter().cloned().collect(),
    }
}
