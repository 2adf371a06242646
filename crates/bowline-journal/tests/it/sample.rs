//! Sessions made of valid events, the same bytes every time.

use std::path::PathBuf;

use bowline_core::call::ReplayPlan;
use bowline_core::decision::{DecidedBy, Decision, Scope};
use bowline_core::engine::{NewAsk, StartFacts, reserve, start};
use bowline_core::event::{
    CallFinished, Decided, ModelReplied, OwnerChanged, PromptAccepted, ReplyStop, SessionStarted,
    TurnEnded, TurnStarted,
};
use bowline_core::message::AssistantMessage;
use bowline_core::permit::CallRequest;
use bowline_core::request::{FrozenPrompt, ToolDeclaration};
use bowline_core::{
    AttemptId, Block, CallId, Command, ContextText, DecisionId, Digest, Effect, Epoch, Event, Fact,
    Limits, Mode, OnAsk, Origin, Outcome, OutcomeStatus, ReplayClass, SessionId, Settings, State,
    StopReason, ToolCall, TurnId, Usage, Verdict, apply,
};
use bowline_journal::{Journal, MemoryJournal, Owner, Salts};
use uuid::Uuid;

/// 2026-01-01 in milliseconds: where the clock of every sample starts.
const START_MS: u64 = 1_767_225_600_000;

/// The session with this number.
pub(crate) fn session_id(number: u64) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(number),
    ))
}

/// An owner for tests.
pub(crate) fn owner() -> Owner {
    Owner {
        pid: std::process::id(),
        since_ms: START_MS,
        app_version: "0.0.0".to_owned(),
        command: "test".to_owned(),
        terminal: String::new(),
    }
}

/// A notice: the smallest event.
pub(crate) fn notice(text: &str) -> Event {
    Event::new(START_MS, Fact::notice(text))
}

/// A prompt as a command.
pub(crate) fn prompt(key: &str, text: &str) -> Command {
    let text = ContextText::admit(Origin::Person, text.to_owned(), 1 << 20, None);
    Command {
        key: key.to_owned(),
        at_ms: None,
        ask: bowline_core::command::Ask::Prompt {
            text,
            images: Vec::new(),
            output_schema: None,
            supersede: false,
        },
    }
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// Writes a session event by event, as the engine would have it.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) state: State,
    pub(crate) events: Vec<Event>,
    session: SessionId,
    ids: u128,
}

impl Script {
    /// A session that has begun, has an owner and a prompt, and runs its first turn.
    pub(crate) fn begin(session: SessionId, cwd: &str, prompt: &str) -> Self {
        let mut script = Self {
            state: State::new(),
            events: Vec::new(),
            session,
            ids: 0,
        };
        script.push(Fact::SessionStarted(Box::new(SessionStarted {
            session,
            app_version: "0.1.0".to_owned(),
            cwd: cwd.to_owned(),
            roots: vec![cwd.to_owned()],
            settings: settings(),
            prompt: FrozenPrompt {
                system: "You work in a repository.".to_owned(),
                tools: vec![ToolDeclaration {
                    name: "shell".to_owned(),
                    description: "Runs a command.".to_owned(),
                    input_schema: serde_json::json!({"type": "object", "maximum": 0.1}),
                }],
            },
        })));
        script.own(Epoch(1));
        script.ask("prompt-1", prompt);
        script.push(Fact::TurnStarted(TurnStarted { turn: TurnId(1) }));
        script
    }

    /// A take-over.
    pub(crate) fn own(&mut self, epoch: Epoch) {
        let app_version = "0.1.0".to_owned();
        self.push(Fact::OwnerChanged(OwnerChanged {
            epoch,
            pid: 4_711,
            app_version,
        }));
    }

    /// A prompt by a person.
    pub(crate) fn ask(&mut self, key: &str, text: &str) {
        let text = ContextText::admit(Origin::Person, text.to_owned(), 1 << 20, None);
        self.push(Fact::PromptAccepted(PromptAccepted {
            key: key.to_owned(),
            text,
            images: Vec::new(),
            output_schema: None,
        }));
    }

    /// A step with one shell call that runs and prints `output`: five events.
    pub(crate) fn shell_step(&mut self, command: &str, output: &str) {
        let call = self.asked(command);
        let request = request(command);
        self.decide(call, Verdict::Allow, &request);
        let facts = StartFacts {
            checks: Vec::new(),
            spool: Some(format!("{call}")),
            boot: None,
        };
        self.push(start(&self.state, call, &request, facts).unwrap());
        let content = ContextText::admit(
            Origin::Tool("shell".to_owned()),
            output.to_owned(),
            32 << 10,
            None,
        );
        self.push(Fact::CallFinished(Box::new(CallFinished {
            call,
            outcome: Outcome {
                status: OutcomeStatus::Ok,
                content,
                summary: "exit 0".to_owned(),
                blob: None,
                effect: Effect::default(),
                exit_code: Some(0),
                sandbox_denied: false,
                denied: Vec::new(),
                duration_ms: 12,
            },
            found: false,
        })));
    }

    /// A step with one shell call that waits for a person: three events.
    pub(crate) fn waiting_step(&mut self, command: &str) -> DecisionId {
        let call = self.asked(command);
        self.decide(call, Verdict::Ask, &request(command))
    }

    /// The last answer and the end of the turn: three events.
    pub(crate) fn finish(&mut self, answer: &str) {
        self.reply(vec![Block::Text {
            text: answer.to_owned(),
        }]);
        self.end();
    }

    /// The end of the turn: one event.
    pub(crate) fn end(&mut self) {
        let turn = self.state.turn().unwrap().id;
        self.push(Fact::TurnEnded(TurnEnded {
            turn,
            stop: StopReason::Done,
            detail: None,
            summary: None,
            worked_ms: 0,
        }));
    }

    /// Adds any fact.
    pub(crate) fn push(&mut self, fact: Fact) {
        let event = Event::new(START_MS + self.events.len() as u64, fact);
        self.state = apply(std::mem::take(&mut self.state), &event);
        assert_eq!(self.state.misfits(), 0, "{event:?} does not fit");
        self.events.push(event);
    }

    fn asked(&mut self, command: &str) -> CallId {
        let id = CallId::from_uuid(self.next_id());
        self.reply(vec![
            Block::Text {
                text: "Let me look.".to_owned(),
            },
            Block::Call(ToolCall {
                id,
                wire_id: format!("call_{}", self.ids),
                name: "shell".to_owned(),
                arguments: serde_json::json!({"command": command}).to_string(),
                fault: None,
                kept: None,
            }),
        ]);
        id
    }

    /// An attempt that is under way: one event.
    pub(crate) fn attempt(&mut self) -> AttemptId {
        let attempt = AttemptId::from_uuid(self.next_id());
        let reserved = self.reserved_as_in_version_1(attempt);
        self.push(reserved);
        attempt
    }

    /// Its reply: one event.
    pub(crate) fn replied(&mut self, attempt: AttemptId, blocks: Vec<Block>, usage: Usage) {
        self.push(Fact::ModelReplied(Box::new(ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks,
                ..AssistantMessage::default()
            },
            stop: ReplyStop::Finished,
            usage: Some(usage),
            request_id: None,
            charged: None,
        })));
    }

    fn reply(&mut self, blocks: Vec<Block>) {
        let attempt = self.attempt();
        let usage = Usage {
            input_tokens: 900,
            output_tokens: 40,
            ..Usage::default()
        };
        self.replied(attempt, blocks, usage);
    }

    /// A reservation as records of the first version have it: tokens alone.
    fn reserved_as_in_version_1(&self, attempt: AttemptId) -> Fact {
        let reserved = match reserve(&self.state, NewAsk::of(attempt)).unwrap() {
            Fact::AttemptReserved(reserved) => Some(reserved),
            _ => None,
        };
        let reserved = reserved.unwrap();
        let prompt_tokens = self.state.size_by_weight().tokens_bound;
        let then = serde_json::json!({
            "attempt": attempt,
            "step": reserved.step(),
            "try_number": reserved.try_number(),
            "epoch": reserved.epoch(),
            "reserved_tokens": prompt_tokens + 8_192,
            "max_output_tokens": null,
        });
        Fact::AttemptReserved(serde_json::from_value(then).unwrap())
    }

    fn decide(&mut self, call: CallId, verdict: Verdict, request: &CallRequest) -> DecisionId {
        let id = DecisionId::from_uuid(self.next_id());
        self.push(Fact::Decided(Box::new(Decided {
            call,
            decision: Decision {
                id,
                verdict,
                by: DecidedBy::Policy,
                reason: "The mode allows it.".to_owned(),
                digest: request.digest(),
                essence: request.arguments.clone(),
                actions: Vec::new(),
                replay: ReplayPlan {
                    class: ReplayClass::Once,
                },
                mode: Mode::Full,
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
            },
        })));
        id
    }

    fn next_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.session.uuid().as_u128() ^ (self.ids << 64))
    }
}

/// A finished session of `steps` shell calls: 7 + 5 * `steps` events.
pub(crate) fn finished(session: SessionId, cwd: &str, steps: usize) -> Script {
    let mut script = Script::begin(session, cwd, "Find the fault.\nThen mend it.");
    for step in 0..steps {
        script.shell_step(
            &format!("grep -n needle{step} src/lib.rs"),
            "12: let needle = 3;\n",
        );
    }
    script.finish("It was the needle.");
    script
}

/// The records of a session as a journal would hold them, with salts that are always the same.
pub(crate) fn journal_of(session: SessionId, events: &[Event]) -> MemoryJournal {
    let salts = Salts::Derived(1);
    let mut journal = MemoryJournal::new(session, PathBuf::from("unused")).with_salts(salts);
    block_on(async {
        for event in events {
            let epoch = match &event.fact {
                Fact::OwnerChanged(owner) => owner.epoch,
                _ => journal.epoch(),
            };
            journal.append(epoch, vec![event.clone()]).await.unwrap();
        }
    });
    journal
}

fn request(command: &str) -> CallRequest {
    CallRequest {
        tool: "shell".to_owned(),
        arguments: serde_json::json!({"command": command}).to_string(),
        cwd: "/srv/project".to_owned(),
        resolved: Vec::new(),
        confinement: None,
        executes: Vec::new(),
    }
}

fn settings() -> Settings {
    Settings {
        model: "scripted/sample.json".parse().unwrap(),
        base_url: None,
        reasoning: None,
        mode: Mode::Full,
        on_ask: OnAsk::Park,
        ask_expires_ms: None,
        limits: Limits::default(),
        context: bowline_core::ContextSettings::default(),
        model_facts: None,
        configured: None,
    }
}
