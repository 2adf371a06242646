//! What rules keep to local models, where nobody chose another one: a fallback, a child.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bowline_core::engine::ShareNeed;
use bowline_core::{
    Amounts, BoxFuture, Cap, Kept, Mode, ModelPlace, ProviderFailure, Request, Reservation,
    SessionId, StopReason, Verdict,
};
use bowline_model::{Counted, Deltas, Provider, Reply, RequestSize};
use bowline_policy::{Policy, Rule};
use bowline_runtime::{Harness, Rest, Session, child};
use bowline_tools::{Cancel, Shares};
use serde_json::{Value, json};

use crate::stage::{Hands, Watcher, harness, in_memory, prompted, run};

const CANARY: &str = "canary-0d5c";
const RULE: &str = "send(vault/**)";

/// A provider that is asked elsewhere, and all that it was sent.
struct Elsewhere {
    inner: Arc<dyn Provider>,
    sent: Arc<Mutex<String>>,
    counted: Arc<AtomicUsize>,
}

impl Provider for Elsewhere {
    fn name(&self) -> &str {
        "far"
    }

    fn place(&self) -> ModelPlace {
        ModelPlace::Elsewhere("far.example".to_owned())
    }

    fn size(&self, session: SessionId, request: &Request) -> RequestSize {
        self.inner.size(session, request)
    }

    fn count(&self, session: SessionId, request: &Request) -> BoxFuture<'static, Option<Counted>> {
        self.counted.fetch_add(1, Ordering::SeqCst);
        self.inner.count(session, request)
    }

    fn ask(
        &self,
        reservation: Reservation,
        request: Request,
        deltas: Deltas,
    ) -> BoxFuture<'static, Result<Reply, ProviderFailure>> {
        let mut sent = self.sent.lock().unwrap();
        sent.push_str(&format!("{request:?}"));
        drop(sent);
        self.inner.ask(reservation, request, deltas)
    }
}

struct World {
    folder: tempfile::TempDir,
    hands: Hands,
    sent: Arc<Mutex<String>>,
    counted: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vault")).unwrap();
        std::fs::write(folder.path().join("vault/key"), CANARY).unwrap();
        Self {
            folder,
            hands: Hands::default(),
            sent: Arc::default(),
            counted: Arc::default(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn local(&self, is_ruled: bool) -> Harness {
        let read = json!({ "tool": "read", "input": { "path": "vault/key" } });
        let steps = json!([{ "calls": [read] }, { "text": "a" }, { "text": "b" }, { "text": "c" }]);
        let scenario = json!({ "version": 1, "steps": steps });
        let mut harness = harness(&self.hands.clock(), self.path(), Mode::Full, &scenario);
        let rules = is_ruled.then(|| Rule::on_command_line(Verdict::Deny, RULE).unwrap());
        harness.policy = Arc::new(Policy {
            rules: rules.into_iter().collect(),
            ..Policy::clone(&harness.policy)
        });
        harness
    }

    fn elsewhere(&self, is_ruled: bool) -> Harness {
        let local = self.local(is_ruled);
        let provider = Elsewhere {
            inner: Arc::clone(&local.provider),
            sent: Arc::clone(&self.sent),
            counted: Arc::clone(&self.counted),
        };
        Harness {
            provider: Arc::new(provider),
            ..local
        }
    }

    fn session(&self, settings: Value) -> Session {
        in_memory(self.hands.clock(), self.path(), settings)
    }

    fn drive(&self, session: &mut Session, harness: &Harness) -> Rest {
        let mut watcher = Watcher {
            hands: self.hands.clone(),
            told: Vec::new(),
            on_event: &mut |_, _| {},
        };
        run(session, harness, &mut watcher, || {}).unwrap()
    }
}

#[test]
fn a_fallback_elsewhere_is_sent_nothing_and_counts_nothing() {
    for is_ruled in [true, false] {
        let world = World::new();
        let mut session = world.session(json!({ "mode": "full" }));
        world.drive(&mut session, &world.local(is_ruled));
        prompted(&mut session, "more");
        let rest = world.drive(&mut session, &world.elsewhere(is_ruled));
        let sent = world.sent.lock().unwrap().clone();
        if !is_ruled {
            assert!(sent.contains(CANARY), "the control sends it");
            continue;
        }
        let Rest::Ended(StopReason::Denied, Some(why)) = rest else {
            panic!("{rest:?}");
        };
        assert!(why.contains(RULE) && why.contains("vault/key") && why.contains("far.example"));
        assert_eq!(sent, "");
        assert_eq!(world.counted.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn for_a_model_elsewhere_the_read_itself_is_refused() {
    let world = World::new();
    let mut session = world.session(json!({ "mode": "full" }));
    let rest = world.drive(&mut session, &world.elsewhere(true));
    assert_eq!(rest, Rest::Ended(StopReason::Done, None));
    let sent = world.sent.lock().unwrap().clone();
    assert!(!sent.contains(CANARY) && sent.contains(RULE), "{sent}");
}

/// The budget of a parent that holds something.
struct Holding(Vec<Kept>);

impl Shares for Holding {
    fn grant(&self, _: SessionId, _: ShareNeed) -> BoxFuture<'static, Result<Cap, String>> {
        Box::pin(std::future::ready(Ok(Cap::default())))
    }

    fn kept(&self) -> Vec<Kept> {
        self.0.clone()
    }

    fn left(&self) -> BoxFuture<'static, Vec<SessionId>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    fn settle(&self, _: SessionId, _: Option<Amounts>) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[test]
fn a_child_holds_what_its_parent_held() {
    let check = |kept: Vec<Kept>, expect: StopReason| {
        let world = World::new();
        let mut session = world.session(json!({ "mode": "full" }));
        let harness = world.elsewhere(true);
        let mut watcher = Watcher {
            hands: world.hands.clone(),
            told: Vec::new(),
            on_event: &mut |_, _| {},
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().build().unwrap();
        let ended = runtime.block_on(child::run(child::Child {
            session: &mut session,
            harness: &harness,
            face: &mut watcher,
            shares: Arc::new(Holding(kept)),
            cancel: Cancel::never(),
        }));
        let Rest::Ended(stop, _) = ended.unwrap().rest else {
            panic!("it ends");
        };
        assert_eq!(stop, expect);
        let is_asked = !world.sent.lock().unwrap().is_empty();
        assert_eq!(is_asked, expect == StopReason::Done);
    };
    let kept = Kept {
        rule: RULE.to_owned(),
        what: "vault/key".to_owned(),
    };
    check(vec![kept], StopReason::Denied);
    check(Vec::new(), StopReason::Done);
}
