//! A session with everything that it needs, and a clock that the test sets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bowline_core::command::Ask;
use bowline_core::event::SessionStarted;
use bowline_core::{Command, Event, Mode, SessionId, StreamEvent};
use bowline_journal::{Journal, MemoryJournal, NoProbe};
use bowline_model::{ScriptedProvider, scenario::Scenario};
use bowline_policy::Policy;
use bowline_runtime::prompt::Surroundings;
use bowline_runtime::{
    Clock, Error, Face, Harness, Places, Rest, Session, WhileWaiting, drive, prompt,
};
use bowline_tools::builtin::{BuiltinConfig, specs, toolbox};
use bowline_tools::confine::Confiner;
use bowline_tools::tool::NoBlobs;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

/// The machine's clock before anybody sets it: in January 2027.
pub(crate) const WALL_MS: u64 = 1_800_000_000_000;
/// How much time passes with each look at a clock, in milliseconds.
pub(crate) const TICK_MS: u64 = 10;

/// Two clocks: one of spans, which only grows, and the machine's, which can be set.
#[derive(Clone, Default)]
pub(crate) struct Hands {
    span_ms: Arc<AtomicU64>,
    set_by_ms: Arc<AtomicI64>,
    ids: Arc<AtomicU64>,
}

impl Hands {
    /// The two clocks as a session takes them.
    pub(crate) fn clock(&self) -> Clock {
        let span = self.clone();
        self.one_clock()
            .with_elapsed(move || Duration::from_millis(span.tick()))
    }

    /// The machine's clock alone, which spans are measured by too: what must not be.
    pub(crate) fn one_clock(&self) -> Clock {
        let (wall, ids) = (self.clone(), self.clone());
        Clock::custom(
            move || {
                wall.tick();
                wall.wall_ms()
            },
            move || Uuid::from_u128(u128::from(ids.ids.fetch_add(1, Ordering::SeqCst) + 1)),
        )
    }

    fn tick(&self) -> u64 {
        self.span_ms.fetch_add(TICK_MS, Ordering::SeqCst)
    }

    /// The time by the clock of spans, without letting any pass.
    pub(crate) fn span_ms(&self) -> u64 {
        self.span_ms.load(Ordering::SeqCst)
    }

    pub(crate) fn wall_ms(&self) -> u64 {
        (WALL_MS + self.span_ms()).saturating_add_signed(self.set_by_ms.load(Ordering::SeqCst))
    }

    /// Sets the machine's clock to so much before or after what it would say.
    pub(crate) fn set_by(&self, ms: i64) {
        self.set_by_ms.store(ms, Ordering::SeqCst);
    }
}

/// An event as it was told, and when by the clock of spans.
pub(crate) struct Told {
    pub(crate) span_ms: u64,
    pub(crate) event: Event,
}

/// Somebody who sees the facts of a session and sets the clock at each.
pub(crate) struct Watcher<'a> {
    pub(crate) hands: Hands,
    pub(crate) told: Vec<Told>,
    pub(crate) on_event: &'a mut (dyn FnMut(&Event, &Hands) + Send),
}

impl Face for Watcher<'_> {
    fn show(&mut self, event: &StreamEvent) {
        if let StreamEvent::Event { event, .. } = event {
            (self.on_event)(event, &self.hands);
            self.told.push(Told {
                span_ms: self.hands.span_ms(),
                event: event.as_ref().clone(),
            });
        }
    }
}

pub(crate) fn started(session: SessionId, cwd: &Path, settings: Value) -> SessionStarted {
    let cwd = cwd.display().to_string();
    let surroundings = Surroundings {
        cwd: cwd.clone(),
        added: Vec::new(),
        in_git: false,
        os: "test".to_owned(),
        date: "today".to_owned(),
        append: None,
    };
    let mut all = json!({
        "model": "scripted/x", "base_url": null, "mode": "edit", "on_ask": "park",
        "limits": { "max_steps": 9, "max_tokens": null, "max_output_tokens": null },
    });
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), settings) {
        all.extend(more);
    }
    serde_json::from_value(json!({
        "session": session, "app_version": "0", "cwd": cwd, "roots": [cwd],
        "settings": all, "prompt": prompt::freeze(&surroundings, &specs()),
    }))
    .expect("a beginning")
}

pub(crate) fn harness(clock: &Clock, cwd: &Path, mode: Mode, scenario: &Value) -> Harness {
    let scenario = Scenario::from_json(&scenario.to_string()).expect("a scenario");
    Harness {
        provider: Arc::new(ScriptedProvider::new(scenario, clock.id_source())),
        toolbox: Arc::new(toolbox(BuiltinConfig::new("no-keeper".into()))),
        policy: Arc::new(Policy::new(mode, vec![cwd.display().to_string()])),
        confiner: Confiner::none(),
        masker: Arc::new(bowline_secrets::Masker::new(Vec::new())),
        app_version: "0".to_owned(),
        probe: Arc::new(NoProbe),
        ledger: None,
        while_waiting: WhileWaiting::Stay,
        leave: Arc::default(),
        alarms: None,
    }
}

pub(crate) fn places(folder: &Path) -> Places {
    Places {
        spool: folder.join("spool"),
        mailbox: None,
        blobs: Arc::new(NoBlobs),
    }
}

pub(crate) fn prompted(session: &mut Session, key: &str) {
    let ask = Ask::Prompt {
        text: prompt::person("go".to_owned()),
        images: Vec::new(),
        output_schema: None,
        supersede: false,
    };
    let key = key.to_owned();
    let at_ms = None;
    session
        .give(Command { key, at_ms, ask })
        .expect("it is taken");
}

/// Drives a session until it rests. Meanwhile somebody asks again and again for what is refused:
/// the loop never sleeps, and all time that passes is that of the test's clock.
pub(crate) fn run(
    session: &mut Session,
    harness: &Harness,
    face: &mut dyn Face,
    mut meanwhile: impl FnMut(),
) -> Result<Rest, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let (commands, mut taken) = mpsc::unbounded_channel();
    let knock = async move {
        loop {
            meanwhile();
            let by = "nobody".to_owned();
            let knock = Command {
                key: "knock".to_owned(),
                at_ms: None,
                ask: Ask::Continue { by },
            };
            let _gone = commands.send(knock);
            tokio::task::yield_now().await;
        }
    };
    runtime.block_on(async {
        tokio::select! {
            biased;
            rest = drive(session, harness, face, &mut taken) => rest,
            () = knock => unreachable!("it never ends"),
        }
    })
}

/// A session in memory that was given a prompt.
pub(crate) fn in_memory(clock: Clock, folder: &Path, settings: Value) -> Session {
    let id = SessionId::from_uuid(clock.new_id());
    let journal: Box<dyn Journal> = Box::new(MemoryJournal::new(id, folder.join("blobs")));
    let started = started(id, folder, settings);
    let mut session = Session::begin(journal, places(folder), clock, started);
    prompted(&mut session, "prompt");
    session
}
