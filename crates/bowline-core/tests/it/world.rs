//! A pretend world for the engine: it carries out what is due, with outcomes drawn from a list of
//! numbers, and forgets everything but the events whenever it "crashes".

mod compacting;
mod waits;

use bowline_core::action::Question;
use bowline_core::call::{Effect, Outcome, OutcomeStatus, ReplayPlan};
use bowline_core::command::{Ask, Command};
use bowline_core::decision::{DecidedBy, Judged, Layer, RuleSource, Scope};
use bowline_core::engine::{self, StartFacts};
use bowline_core::event::{
    AnswerChecked, AttemptFailed, CallFailed, CallFinished, CallFoundUnstarted, CallInDoubt,
    CallRejected, Decided, ModelReplied, OwnerChanged, ReplyStop, SessionStarted, TurnStarted,
};
use bowline_core::failure::retry_in_ms;
use bowline_core::job::JobChange;
use bowline_core::message::Opaque;
use bowline_core::plan::{self, Hashes};
use bowline_core::request::FrozenPrompt;
use bowline_core::state::CallPhase;
use bowline_core::*;
use uuid::Uuid;

/// The world: a state, all events so far, and a source of choices.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) events: Vec<Event>,
    choices: std::vec::IntoIter<u8>,
    ids: u128,
    now_ms: u64,
    /// What each started call was, in order.
    pub(crate) starts: Vec<(CallId, ReplayClass)>,
    /// What the process remembers of the blocks it hashed.
    hashes: Hashes,
    /// Whether it records what each request consists of, which costs time.
    pub(crate) records_sent: bool,
}

impl World {
    pub(crate) fn new(choices: Vec<u8>, cap: Option<u64>) -> Self {
        let mut world = Self {
            state: State::new(),
            events: Vec::new(),
            choices: choices.into_iter(),
            ids: 0,
            now_ms: 1_000,
            starts: Vec::new(),
            hashes: Hashes::default(),
            records_sent: false,
        };
        world.put(Fact::OwnerChanged(OwnerChanged {
            epoch: Epoch(1),
            pid: 1,
            app_version: "test".to_owned(),
        }));
        let session = SessionId::from_uuid(world.id());
        world.put(Fact::SessionStarted(Box::new(started(session, cap))));
        world.prompt("do it");
        world
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// The next choice below `n`; `None` when the source is empty.
    fn choose(&mut self, n: u8) -> Option<u8> {
        self.choices.next().map(|byte| byte % n)
    }

    pub(crate) fn put(&mut self, fact: Fact) {
        self.now_ms += 7;
        let event = Event::new(self.now_ms, fact);
        self.state = apply(std::mem::take(&mut self.state), &event);
        self.events.push(event);
    }

    pub(crate) fn prompt(&mut self, text: &str) {
        let key = format!("prompt-{}", self.id());
        let text = ContextText::admit(Origin::Person, text.to_owned(), 1 << 16, None);
        self.give(Command {
            key,
            at_ms: None,
            ask: Ask::Prompt {
                text,
                images: Vec::new(),
                output_schema: None,
                supersede: false,
            },
        });
    }

    /// A prompt whose answer must fit a schema.
    pub(crate) fn demand(&mut self, text: &str) {
        let key = format!("prompt-{}", self.id());
        let text = ContextText::admit(Origin::Person, text.to_owned(), 1 << 16, None);
        self.give(Command {
            key,
            at_ms: None,
            ask: Ask::Prompt {
                text,
                images: Vec::new(),
                output_schema: Some(serde_json::json!({ "type": "object" })),
                supersede: false,
            },
        });
    }

    pub(crate) fn give(&mut self, command: Command) {
        for fact in accept(&self.state, command).unwrap_or_default() {
            self.put(fact);
        }
    }

    /// Does one thing; false when the choices are used up or nothing is left to do.
    pub(crate) fn step(&mut self) -> bool {
        let Some(what) = self.choose(24) else {
            return false;
        };
        match what {
            0 => self.crash(),
            1 => match self.choose(2) {
                Some(0) => self.demand("and this as JSON"),
                _ => self.prompt("and this"),
            },
            2 => {
                let key = format!("cancel-{}", self.id());
                self.give(Command {
                    key,
                    at_ms: None,
                    ask: Ask::Cancel {
                        by: "test".to_owned(),
                    },
                });
            }
            3..=5 => return self.finish_something() || self.go_on(),
            15 => self.change_model(),
            16 => self.signal(),
            17 => self.supersede(),
            18 => self.hold_or_go_on(),
            19 => self.settle(),
            20 => self.lapse(),
            21 => self.ask_for_compaction(),
            22 => self.look(),
            _ => return self.go_on(),
        }
        true
    }

    /// Forgets everything but the events, as they would be read from disk.
    pub(crate) fn crash(&mut self) {
        let epoch = self.state.epoch().next();
        self.state = fold(&self.events);
        self.hashes = Hashes::default();
        self.put(Fact::OwnerChanged(OwnerChanged {
            epoch,
            pid: 2,
            app_version: "test".to_owned(),
        }));
    }

    /// Goes over to the other model, unless a reply of this one is still under way.
    pub(crate) fn change_model(&mut self) {
        let epoch = self.state.epoch();
        let under_way = self.state.attempt();
        if under_way.is_some_and(|open| open.reserved.epoch() == epoch) {
            return;
        }
        let mut settings = self.state.settings().expect("a begun session").clone();
        let other = if settings.model.provider() == "scripted" {
            "other/y"
        } else {
            "scripted/x"
        };
        settings.model = other.parse().expect("a model");
        let key = format!("change-{}", self.id());
        self.give(Command {
            key,
            at_ms: None,
            ask: Ask::Change {
                settings: Box::new(settings),
                by: "test".to_owned(),
            },
        });
    }

    /// A piece that only the model in force understands.
    fn opaque(&self, field: &str) -> Opaque {
        let model = &self.state.settings().expect("a begun session").model;
        Opaque {
            provider: model.provider().to_owned(),
            model: model.model().to_owned(),
            field: field.to_owned(),
            value: serde_json::json!({"id": field}),
        }
    }

    fn go_on(&mut self) -> bool {
        self.begin_something() || self.finish_something() || self.wake()
    }

    fn begin_something(&mut self) -> bool {
        let work = due(&self.state);
        let Some(first) = work.into_iter().next() else {
            return false;
        };
        match first {
            Work::BeginTurn => {
                let turn = self.state.last_turn().next();
                self.put(Fact::TurnStarted(TurnStarted { turn }));
            }
            Work::AskModel(_) => {
                let attempt = AttemptId::from_uuid(self.id());
                match engine::reserve(&self.state, engine::NewAsk::of(attempt)) {
                    Ok(fact) => self.ask_model(fact),
                    Err(why) => self.end_turn(StopReason::Budget, Some(why.to_string())),
                }
            }
            Work::Compact => self.compact(),
            Work::ReconcileAttempt { attempt } => {
                self.fail_attempt(attempt, FailureKind::Interrupted);
            }
            Work::Decide { call } => self.decide(call),
            Work::RunTool { call } => self.start(call),
            Work::Reconcile { call } => self.reconcile(call),
            Work::Nudge(noticed) => self.put(Fact::LoopNoticed(*noticed)),
            Work::CheckAnswer => self.check_answer(),
            Work::Park { call } => self.park(call, None),
            Work::Wait { decisions, parked } => match decisions.first() {
                Some(decision) => return self.answer(*decision),
                None => self.end_wait(parked[0]),
            },
            Work::SettleShare { child } => {
                let settled = engine::settle_share(&self.state, child, None);
                self.put(settled.expect("due offered it"));
            }
            Work::EndTurn { stop, detail } => self.end_turn(stop, detail),
        }
        true
    }

    /// As the drive loop does: a prefix that breaks is a fact before the request that breaks it.
    fn ask_model(&mut self, fact: Fact) {
        let Fact::AttemptReserved(reserved) = fact else {
            return self.put(fact);
        };
        if !self.records_sent {
            return self.put(Fact::AttemptReserved(reserved));
        }
        let request = self.state.next_request().expect("a begun session");
        self.hashes.take_in(&request);
        let broken = plan::broken(&self.state, &request, &self.hashes, None);
        let sent = plan::to_record(self.state.sent(), &self.hashes, None);
        if let Some(broken) = broken {
            self.put(Fact::PrefixBroken(broken));
        }
        self.put(Fact::AttemptReserved(reserved.with_sent(sent)));
    }

    fn end_turn(&mut self, stop: StopReason, detail: Option<String>) {
        let turn = self.state.turn().expect("a turn to end").id;
        self.put(engine::end_turn(&self.state, turn, stop, detail, 0));
        self.prompt("next");
    }

    /// Brings the outcome of something that is under way in this epoch.
    fn finish_something(&mut self) -> bool {
        if let Some(attempt) = self.state.attempt().map(|open| open.reserved.clone()) {
            if attempt.epoch() == self.state.epoch() {
                if !attempt.purpose().is_step() {
                    self.sum_up(attempt.attempt());
                    return true;
                }
                self.reply(attempt.attempt(), attempt.worst());
                return true;
            }
            return false;
        }
        let epoch = self.state.epoch();
        let running = self
            .state
            .step()
            .into_iter()
            .flat_map(|step| &step.calls)
            .find_map(|open| match &open.phase {
                CallPhase::Started(_, started) if started.epoch() == epoch => Some(open.call.id),
                _ => None,
            });
        let Some(call) = running else { return false };
        match self.choose(6) {
            Some(0) => {
                let error = ContextText::notice("broken");
                self.put(Fact::CallFailed(CallFailed { call, error }));
            }
            Some(1) => self.doubt(call),
            Some(2..=3) if self.looks(call) => self.park(call, Some("exit 1")),
            _ => self.finish(call),
        }
        true
    }

    fn finish(&mut self, call: CallId) {
        let outcome = Outcome {
            status: OutcomeStatus::Ok,
            content: ContextText::admit(Origin::Tool("t".into()), "out".into(), 100, None),
            summary: "ok".to_owned(),
            blob: None,
            effect: Effect {
                jobs: self.job_changes(),
                ..Effect::default()
            },
            exit_code: None,
            sandbox_denied: false,
            denied: Vec::new(),
            duration_ms: 1,
        };
        self.put(Fact::CallFinished(Box::new(CallFinished {
            call,
            outcome,
            found: false,
        })));
    }

    /// What a call might do to jobs, some of them unknown.
    fn job_changes(&mut self) -> Vec<JobChange> {
        let job = format!("bg:{}", self.choose(2).unwrap_or(0));
        let offset = u64::from(self.choose(100).unwrap_or(0));
        match self.choose(8) {
            Some(0) => vec![JobChange::Started {
                job,
                command: "serve".to_owned(),
                spool: "c.1".to_owned(),
                offset,
                confined: false,
            }],
            Some(1) => vec![JobChange::Read { job, offset }],
            Some(2) => vec![JobChange::Ended {
                job,
                how: "exit 0".to_owned(),
            }],
            _ => Vec::new(),
        }
    }

    fn doubt(&mut self, call: CallId) {
        let told = ContextText::notice("unknown");
        self.put(Fact::CallInDoubt(CallInDoubt {
            call,
            why: "lost".to_owned(),
            told,
        }));
    }

    fn fail_attempt(&mut self, attempt: AttemptId, kind: FailureKind) {
        let failure = ProviderFailure::new(kind, "no");
        let failed = self.state.turn().map_or(0, |turn| turn.failed_attempts);
        let retry_in_ms = retry_in_ms(&failure, failed + 1, 500);
        let failed = AttemptFailed {
            attempt,
            failure,
            retry_in_ms,
            charged: None,
        };
        for fact in engine::failed(&self.state, failed) {
            self.put(fact);
        }
    }

    fn reply(&mut self, attempt: AttemptId, reserved: Amounts) {
        match self.choose(8) {
            Some(0) => return self.fail_attempt(attempt, FailureKind::Cut),
            Some(1) => return self.fail_attempt(attempt, FailureKind::Auth),
            _ => {}
        }
        let calls = self.choose(5).unwrap_or(0);
        let stop = if self.choose(12) == Some(0) {
            ReplyStop::Length
        } else {
            ReplyStop::Finished
        };
        let mut blocks = vec![Block::Text {
            text: "words".to_owned(),
        }];
        if calls != 1 {
            blocks.insert(0, Block::Opaque(self.opaque("reasoning")));
        }
        for index in 0..calls {
            blocks.push(Block::Call(ToolCall {
                id: CallId::from_uuid(self.id()),
                wire_id: format!("w{index}"),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
                fault: None,
                kept: (index == 0).then(|| self.opaque("function_call")),
            }));
        }
        // A provider never uses more than was set aside for the call.
        let usage = Usage {
            input_tokens: reserved.input_tokens / 2,
            output_tokens: if stop == ReplyStop::Length {
                reserved.output_tokens
            } else {
                3
            },
            ..Usage::default()
        };
        let replied = ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks,
                ..AssistantMessage::default()
            },
            stop,
            usage: (calls != 3).then_some(usage),
            request_id: None,
            charged: None,
        };
        for fact in engine::replied(&self.state, replied) {
            self.put(fact);
        }
    }

    fn check_answer(&mut self) {
        let turn = self
            .state
            .turn()
            .expect("a turn whose answer is checked")
            .id;
        let fits = self.choose(3) == Some(0);
        let problems = if fits {
            Vec::new()
        } else {
            vec!["/a: is missing".to_owned()]
        };
        self.put(Fact::AnswerChecked(AnswerChecked {
            turn,
            problems,
            answer: fits.then(|| serde_json::json!({})),
        }));
    }

    fn decide(&mut self, call: CallId) {
        let kind = self.choose(8).unwrap_or(7);
        if kind == 0 {
            let error = ContextText::notice("unknown tool");
            self.put(Fact::CallRejected(CallRejected { call, error }));
            return;
        }
        let verdict = match kind {
            1 => Verdict::Deny,
            2 => Verdict::Ask,
            _ => Verdict::Allow,
        };
        let class = [
            ReplayClass::Free,
            ReplayClass::Keyed,
            ReplayClass::Checkable,
            ReplayClass::Once,
        ][usize::from(self.choose(4).unwrap_or(0))];
        let path = format!("/w/{}", self.choose(3).unwrap_or(0));
        let mut decision = decision(DecisionId::from_uuid(self.id()), verdict, class, &path);
        match self.choose(4) {
            Some(0) if verdict == Verdict::Ask => decision.actions[0].action = question(),
            Some(1 | 2) => decision.actions[0].action = self.wait(),
            _ => {}
        }
        if verdict == Verdict::Ask && self.choose(2) == Some(0) {
            decision.expires_at_ms = Some(self.now_ms + 100);
        }
        self.put(Fact::Decided(Box::new(Decided { call, decision })));
    }

    fn start(&mut self, call: CallId) {
        let fact = engine::start(&self.state, call, &request(), StartFacts::default())
            .expect("due offered it");
        self.started(fact);
    }

    fn started(&mut self, fact: Fact) {
        let Fact::CallStarted(started) = &fact else {
            unreachable!("start makes a start")
        };
        self.starts.push((started.call(), started.class()));
        self.put(fact);
    }

    fn reconcile(&mut self, call: CallId) {
        match self.choose(4) {
            Some(0) => self.put(Fact::CallFoundUnstarted(CallFoundUnstarted {
                call,
                proof: "revoked".to_owned(),
            })),
            Some(1) => self.finish(call),
            Some(2) if self.looks(call) => self.park(call, Some("exit 1")),
            _ => self.doubt(call),
        }
    }

    fn answer(&mut self, decision: DecisionId) -> bool {
        let verdict = if self.choose(2) == Some(0) {
            Verdict::Allow
        } else {
            Verdict::Deny
        };
        let scope = match self.choose(3) {
            Some(0) => Scope::Session,
            _ => Scope::Once,
        };
        let key = format!("answer-{}", self.id());
        let asked = self.state.waiting().find(|(_, open)| open.id == decision);
        let wants_words = asked.is_some_and(|(_, open)| open.question().is_some());
        if wants_words && verdict == Verdict::Allow {
            let text = ContextText::admit(Origin::Person, "this one".to_owned(), 100, None);
            let by = "test".to_owned();
            let ask = Ask::Reply { decision, text, by };
            self.give(Command {
                key,
                at_ms: None,
                ask,
            });
            return true;
        }
        self.give(Command {
            key,
            at_ms: None,
            ask: Ask::Answer {
                decision,
                verdict,
                scope,
                by: "test".to_owned(),
                note: None,
            },
        });
        true
    }
}

/// Folds events as they would be read back from disk: through their JSON.
pub(crate) fn fold(events: &[Event]) -> State {
    events.iter().fold(State::new(), |state, event| {
        let text = serde_json::to_string(event).expect("an event is JSON");
        let read: Event = serde_json::from_str(&text).expect("and reads back");
        apply(state, &read)
    })
}

pub(crate) fn request() -> CallRequest {
    CallRequest {
        tool: "t".to_owned(),
        arguments: "{}".to_owned(),
        cwd: "/w".to_owned(),
        resolved: Vec::new(),
        confinement: None,
        executes: Vec::new(),
    }
}

pub(crate) fn question() -> Action {
    Action::AskPerson {
        question: Question {
            text: "Which one?".to_owned(),
            choices: Vec::new(),
            multiple: false,
        },
    }
}

pub(crate) fn decision(
    id: DecisionId,
    verdict: Verdict,
    class: ReplayClass,
    path: &str,
) -> Decision {
    let fact = PathFact {
        asked: path.to_owned(),
        resolved: path.to_owned(),
        by_name: path.to_owned(),
        kind: bowline_core::action::PathKind::File,
        links: 1,
    };
    let rule = RuleSource {
        layer: Layer::BuiltIn,
        tier: Tier::BuiltIn,
        rule: "test".to_owned(),
        file: None,
        line: None,
    };
    Decision {
        id,
        verdict,
        by: DecidedBy::Policy,
        reason: "test".to_owned(),
        digest: request().digest(),
        essence: "t".to_owned(),
        actions: vec![Judged {
            action: Action::WritePath { path: fact },
            verdict,
            reason: "test".to_owned(),
            rule,
            segment: None,
            runner_up: Vec::new(),
        }],
        replay: ReplayPlan { class },
        mode: Mode::Edit,
        confinement: None,
        executes: Vec::new(),
        tool: None,
        preview: None,
        looked: Vec::new(),
        trust: None,
        outside: None,
        keeping: None,
        repeats: None,
        on_ask: bowline_core::OnAsk::Park,
        scope: Scope::Once,
        expires_at_ms: None,
        policy_hash: Digest::default(),
        analyser_version: 1,
    }
}

pub(crate) fn started(session: SessionId, cap: Option<u64>) -> SessionStarted {
    SessionStarted {
        session,
        app_version: "test".to_owned(),
        cwd: "/w".to_owned(),
        roots: vec!["/w".to_owned()],
        settings: Settings {
            model: "scripted/x".parse().expect("a model"),
            base_url: None,
            reasoning: None,
            mode: Mode::Edit,
            on_ask: OnAsk::Park,
            ask_expires_ms: None,
            limits: Limits {
                max_steps: 12,
                max_tokens: cap,
                ..Limits::default()
            },
            context: bowline_core::ContextSettings::default(),
            model_facts: None,
            configured: None,
        },
        prompt: FrozenPrompt {
            system: "system".to_owned(),
            tools: Vec::new(),
        },
    }
}
