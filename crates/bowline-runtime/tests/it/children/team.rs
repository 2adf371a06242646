//! A tool that begins children and drives them in parallel.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bowline_core::call::ReplayPlan;
use bowline_core::event::{CallStarted, SessionStarted};
use bowline_core::request::ToolDeclaration;
use bowline_core::spec::{ActionKind, ToolLimits};
use bowline_core::{
    Action, BoxFuture, Event, Mode, Permit, ReplayClass, Risk, SessionId, StreamEvent, Tier,
    ToolSpec,
};
use bowline_journal::{Owner, Store};
use bowline_runtime::{Clock, Face, Harness, Session, child};
use bowline_tools::{Call, Finish, Found, InputError, Plan, PlanCx, Shares, Tool, Toolbox};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stage::{Hands, harness, places, prompted, started};

/// How much work a team is given.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) count: u64,
    /// Children that each child begins itself.
    pub(crate) grandchildren: u64,
    /// What each child's model says.
    pub(crate) steps: Value,
    /// Told whenever a child has made a fact durable.
    pub(crate) on_event: Arc<dyn Fn(&Event) + Send + Sync>,
}

impl Work {
    pub(crate) fn of(count: u64) -> Self {
        let todo = json!({ "items": [{ "text": "look", "status": "done" }] });
        Self {
            count,
            grandchildren: 0,
            steps: json!([
                { "calls": [{ "tool": "todo", "input": todo }] },
                { "text": "found it" },
            ]),
            on_event: Arc::new(|_| {}),
        }
    }
}

/// A price for each token, so that a millionth of a dollar is one.
pub(crate) fn prices() -> Value {
    json!({ "price": {
        "input_micro_usd_per_mtok": 1_000_000, "output_micro_usd_per_mtok": 1_000_000,
        "cache_read_micro_usd_per_mtok": 0, "cache_write_micro_usd_per_mtok": 0,
    } })
}

pub(crate) fn owner() -> Owner {
    Owner {
        pid: 1,
        since_ms: 0,
        app_version: "0".to_owned(),
        command: String::new(),
        terminal: String::new(),
    }
}

/// The beginning of a session that may begin children.
pub(crate) fn started_with(id: SessionId, folder: &Path, settings: Value) -> SessionStarted {
    let mut begun = started(id, folder, settings);
    let ToolSpec {
        name,
        description,
        input_schema,
        ..
    } = spec();
    begun.prompt.tools.push(ToolDeclaration {
        name,
        description,
        input_schema,
    });
    begun
}

struct Seen(Arc<dyn Fn(&Event) + Send + Sync>);

impl Face for Seen {
    fn show(&mut self, event: &StreamEvent) {
        if let StreamEvent::Event { event, .. } = event {
            (self.0)(event);
        }
    }
}

/// What a team begins its children with.
struct Base {
    harness: Harness,
    clock: Clock,
    folder: PathBuf,
    store: Store,
    on_event: Arc<dyn Fn(&Event) + Send + Sync>,
    texts: Mutex<Vec<String>>,
}

pub(crate) struct Team {
    spec: ToolSpec,
    base: Arc<Base>,
}

impl Team {
    pub(crate) fn new(hands: &Hands, folder: &Path, work: &Work) -> Self {
        let clock = hands.clock();
        let usage = json!({ "input_tokens": 400, "output_tokens": 20 });
        let mut steps = work.steps.clone();
        if work.grandchildren > 0 {
            let input = json!({ "count": work.grandchildren });
            steps[0] = json!({ "calls": [{ "tool": "team", "input": input }] });
        }
        let scenario = json!({ "version": 1, "usage": usage, "steps": steps });
        let mut harness = harness(&clock, folder, Mode::Edit, &scenario);
        if work.grandchildren > 0 {
            let below = Work {
                grandchildren: 0,
                ..work.clone()
            };
            let below = Arc::new(Self::new(hands, folder, &below));
            harness.toolbox = Arc::new(Toolbox::new(vec![below as _]).unwrap());
        }
        Self {
            spec: spec(),
            base: Arc::new(Base {
                harness,
                clock,
                folder: folder.to_owned(),
                store: Store::at(folder.join("state")),
                on_event: Arc::clone(&work.on_event),
                texts: Mutex::default(),
            }),
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.base.texts.lock().unwrap().clone()
    }

    /// What every child of every generation has recorded.
    pub(crate) fn journals(&self) -> Vec<(SessionId, Vec<Event>)> {
        let store = &self.base.store;
        let children = store.list().unwrap_or_default().into_iter();
        children
            .map(|id| {
                let kept = store.read_only(id).unwrap().read_intact().unwrap();
                let events = kept.events.into_iter().map(|kept| kept.event);
                (id, events.collect())
            })
            .collect()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.base.store
    }

    pub(crate) fn harness(&self) -> &Harness {
        &self.base.harness
    }
}

fn spec() -> ToolSpec {
    ToolSpec {
        name: "team".to_owned(),
        title: "Team".to_owned(),
        description: "Begins children.".to_owned(),
        input_schema: json!({ "type": "object" }),
        output_schema: json!({ "type": "object" }),
        risk: Risk::None,
        tier: Tier::BuiltIn,
        replay_ceiling: ReplayClass::Once,
        actions: vec![ActionKind::Note],
        limits: ToolLimits {
            timeout_ms: None,
            result_bytes: 1 << 16,
            input_bytes: 1 << 16,
        },
        origin: "test".to_owned(),
    }
}

impl Tool for Team {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, _input: &Value, _cx: &PlanCx) -> Result<Plan, InputError> {
        Ok(Plan {
            actions: vec![Action::Note],
            replay: ReplayPlan {
                class: ReplayClass::Once,
            },
            essence: "team".to_owned(),
            resolved: Vec::new(),
            executes: Vec::new(),
        })
    }

    fn call(&self, _permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let base = Arc::clone(&self.base);
        let count = call.input["count"].as_u64().unwrap();
        Box::pin(async move {
            let shares = call.shares.unwrap();
            let mut children = JoinSet::new();
            for number in 0..count {
                let (base, shares) = (Arc::clone(&base), Arc::clone(&shares));
                let cancel = call.cancel.clone();
                children.spawn(async move {
                    let text = one(&base, shares, cancel).await;
                    (number, text.unwrap_or_else(|why| why))
                });
            }
            let mut texts = children.join_all().await;
            texts.sort();
            let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
            base.texts.lock().unwrap().clone_from(&texts);
            Finish::ok(texts.join("\n"), "the team is done")
        })
    }

    fn reconcile(&self, _started: CallStarted, call: Call) -> BoxFuture<'static, Found> {
        let base = Arc::clone(&self.base);
        Box::pin(async move {
            let shares = call.shares.unwrap();
            for id in shares.left().await {
                // What cannot be opened says nothing, and is counted whole.
                let Ok(owned) = base.store.open(id, &owner()) else {
                    continue;
                };
                let places = places(&base.folder);
                let clock = base.clock.clone();
                let opened = Session::open(Box::new(owned.journal), places, clock, "0").await;
                if let Ok(mut left) = opened {
                    let _spent = child::settle_left(&mut left, shares.as_ref()).await;
                }
            }
            Found::Unknown {
                why: "the team was interrupted".to_owned(),
                output: Vec::new(),
            }
        })
    }
}

async fn one(
    base: &Base,
    shares: Arc<dyn Shares>,
    cancel: bowline_tools::Cancel,
) -> Result<String, String> {
    let id = SessionId::from_uuid(base.clock.new_id());
    let share = child::known(shares.as_ref(), id).await?;
    let limits = json!({
        "max_steps": 9, "max_tokens": null, "max_output_tokens": null, "share": share,
    });
    let settings = json!({ "limits": limits, "model_facts": prices() });
    let owned = base
        .store
        .create(id, &owner())
        .map_err(|error| error.to_string())?;
    let begun = started_with(id, &base.folder, settings);
    let places = places(&base.folder);
    let mut session = Session::begin(Box::new(owned.journal), places, base.clock.clone(), begun);
    prompted(&mut session, "prompt");
    let mut face = Seen(Arc::clone(&base.on_event));
    let ended = child::run(child::Child {
        session: &mut session,
        harness: &base.harness,
        face: &mut face,
        shares,
        cancel,
    });
    ended
        .await
        .map(|end| end.text)
        .map_err(|error| error.to_string())
}
