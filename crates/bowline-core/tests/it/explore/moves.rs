//! Everything that can happen next in a state.

use std::sync::Arc;

use bowline_core::action::PathKind;
use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::engine::{self, StartFacts};
use bowline_core::event::{
    AttemptFailed, CallFailed, CallFinished, CallFoundUnstarted, CallInDoubt, CallSettled, Decided,
    DecisionLapsed, ModelReplied, OwnerChanged, ReplyStop, TurnStarted,
};
use bowline_core::failure::retry_in_ms;
use bowline_core::wait::{Until, Wait, WaitEnd};
use bowline_core::*;
use uuid::Uuid;

use super::laws::Book;
use super::{Engine, Node, Small};
use crate::world::{decision, request, started};

/// The name of the signal that calls wait for.
pub(super) const SIGNAL: &str = "go";
/// The machine's clock stands still: what depends on time is a move of its own.
const NOW_MS: u64 = 1_000;

/// What a call is: its replay class, or what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Free,
    Checkable,
    Once,
    Signal,
    Command,
}

pub(super) const KINDS: [Kind; 5] = [
    Kind::Free,
    Kind::Checkable,
    Kind::Once,
    Kind::Signal,
    Kind::Command,
];

/// One thing that can happen, and where it leads.
pub(super) struct Move {
    pub(super) how: &'static str,
    pub(super) node: Node,
    pub(super) events: Vec<Arc<Event>>,
}

/// A call's kind and its step are part of its id, so that the same call has one id on every way.
fn call_id(step: u32, index: usize, kind: Kind) -> CallId {
    let kind = KINDS.iter().position(|one| *one == kind).unwrap_or(0);
    let number = u128::from(step) * 100 + index as u128 * 10 + kind as u128;
    CallId::from_uuid(Uuid::from_u128(number))
}

fn kind(call: CallId) -> Kind {
    KINDS[usize::try_from(call.uuid().as_u128() % 10).unwrap_or(0)]
}

pub(super) fn class(call: CallId) -> ReplayClass {
    match kind(call) {
        Kind::Free | Kind::Signal => ReplayClass::Free,
        Kind::Checkable | Kind::Command => ReplayClass::Checkable,
        Kind::Once => ReplayClass::Once,
    }
}

fn judged(call: CallId, state: &State, verdict: Verdict) -> Decision {
    // A call is decided upon anew at most once an epoch here.
    let id = DecisionId::from_uuid(Uuid::from_u128(
        call.uuid().as_u128() + 10_000 * u128::from(state.epoch().0),
    ));
    let mut decision = decision(id, verdict, class(call), "/w/a");
    decision.expires_at_ms = (verdict == Verdict::Ask).then_some(NOW_MS + 1);
    let until = match kind(call) {
        Kind::Signal => Until::Signal,
        Kind::Command => Until::Command {
            command: "true".to_owned(),
            every_ms: 1_000,
        },
        _ => {
            let action = &mut decision.actions[0].action;
            if let (Kind::Free, Action::WritePath { path }) = (kind(call), &*action) {
                let mut path = path.clone();
                path.kind = PathKind::Missing;
                *action = Action::ReadPath { path };
            }
            return decision;
        }
    };
    let name = SIGNAL.to_owned();
    let (instructions, timeout_ms) = (None, Some(60_000));
    decision.actions[0].action = Action::AwaitParty {
        wait: Wait {
            name,
            instructions,
            until,
            timeout_ms,
        },
    };
    decision
}

pub(super) fn outcome() -> Outcome {
    Outcome {
        status: OutcomeStatus::Ok,
        content: ContextText::notice("out"),
        summary: "ok".to_owned(),
        blob: None,
        effect: Effect::default(),
        exit_code: None,
        sandbox_denied: false,
        denied: Vec::new(),
        duration_ms: 1,
    }
}

/// The moves of one state while they are gathered.
struct Gather<'a> {
    engine: Engine,
    node: &'a Node,
    small: &'a Small<'a>,
    moves: Vec<Move>,
}

impl Gather<'_> {
    fn put(&mut self, how: &'static str, facts: Vec<Fact>) -> Result<(), String> {
        let node = self.node.clone();
        self.put_on(how, node, facts)
    }

    fn put_on(
        &mut self,
        how: &'static str,
        mut node: Node,
        facts: Vec<Fact>,
    ) -> Result<(), String> {
        let events =
            fold_in(self.engine, &mut node, facts).map_err(|law| format!("{law} ({how})"))?;
        self.moves.push(Move { how, node, events });
        Ok(())
    }

    fn put_one(&mut self, how: &'static str, fact: Fact) -> Result<(), String> {
        self.put(how, vec![fact])
    }
}

/// Folds facts, each also as it would be read back, and writes them into the book.
fn fold_in(engine: Engine, node: &mut Node, facts: Vec<Fact>) -> Result<Vec<Arc<Event>>, String> {
    let mut events = Vec::new();
    for fact in facts {
        let event = Event::new(NOW_MS, fact);
        let text = serde_json::to_string(&event).map_err(|error| error.to_string())?;
        let read: Event = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if read != event {
            return Err(format!("I3: it reads back as something else: {text}"));
        }
        node.book.note(&event.fact)?;
        node.state = (engine.apply)(std::mem::take(&mut node.state), &read);
        events.push(Arc::new(event));
    }
    Ok(events)
}

/// The first state: a session with one prompt.
pub(super) fn begin(engine: Engine, small: &Small<'_>) -> (Node, Vec<Arc<Event>>) {
    let mut node = Node {
        state: State::new(),
        book: Book::default(),
    };
    let session = SessionId::from_uuid(Uuid::from_u128(1));
    let facts = vec![
        owner(Epoch(1)),
        Fact::SessionStarted(Box::new(started(session, small.cap))),
    ];
    let mut events = fold_in(engine, &mut node, facts).expect("a session begins");
    let facts = accept(&node.state, prompt("first", false)).expect("it takes a prompt");
    events.extend(fold_in(engine, &mut node, facts).expect("a prompt fits"));
    (node, events)
}

fn owner(epoch: Epoch) -> Fact {
    Fact::OwnerChanged(OwnerChanged {
        epoch,
        pid: 1,
        app_version: "test".to_owned(),
    })
}

fn command(key: &str, ask: Ask) -> Command {
    Command {
        key: key.to_owned(),
        at_ms: Some(NOW_MS),
        ask,
    }
}

fn prompt(key: &str, supersede: bool) -> Command {
    let text = ContextText::admit(Origin::Person, "do".to_owned(), 100, None);
    let ask = Ask::Prompt {
        text,
        images: Vec::new(),
        output_schema: None,
        supersede,
    };
    command(key, ask)
}

/// Everything that can happen next.
///
/// # Errors
/// The law that one of them breaks.
pub(super) fn moves(
    engine: Engine,
    node: &Node,
    small: &Small<'_>,
    refold: &dyn Fn() -> State,
) -> Result<Vec<Move>, String> {
    let mut gather = Gather {
        engine,
        node,
        small,
        moves: Vec::new(),
    };
    for work in (engine.due)(&node.state) {
        gather.work(work)?;
    }
    gather.waits()?;
    gather.outcomes()?;
    if node.book.commands < small.bound.commands {
        gather.commands()?;
    }
    if node.book.crashes < small.bound.crashes {
        gather.crash(refold())?;
    }
    Ok(gather.moves)
}

impl Gather<'_> {
    fn work(&mut self, work: Work) -> Result<(), String> {
        let state = &self.node.state;
        match work {
            Work::BeginTurn => {
                let turn = state.last_turn().next();
                self.put_one("begin turn", Fact::TurnStarted(TurnStarted { turn }))
            }
            Work::AskModel(_) => {
                match (self.engine.reserve)(state, attempt_id(state)) {
                    Ok(fact) => self.put_one("ask model", fact),
                    // What cannot be paid ends the turn.
                    Err(why) => self.end_turn(StopReason::Budget, Some(why.to_string())),
                }
            }
            // No move begins a compaction: its own tests do.
            Work::Compact => Ok(()),
            Work::ReconcileAttempt { attempt } => {
                self.fail_attempt("interrupted", attempt, FailureKind::Interrupted)
            }
            Work::Decide { call } => {
                for (how, verdict) in [
                    ("decide: allow", Verdict::Allow),
                    ("decide: ask", Verdict::Ask),
                    ("decide: deny", Verdict::Deny),
                ] {
                    let decision = judged(call, state, verdict);
                    self.put_one(how, Fact::Decided(Box::new(Decided { call, decision })))?;
                }
                Ok(())
            }
            Work::RunTool { call } => self.start("start", call),
            Work::Reconcile { call } => self.reconcile(call),
            Work::Nudge(noticed) => self.put_one("nudge", Fact::LoopNoticed(*noticed)),
            Work::CheckAnswer | Work::Wait { .. } => Ok(()),
            Work::SettleShare { child } => {
                let settled = engine::settle_share(state, child, None);
                self.put_one("settle share", settled.expect("due offers it"))
            }
            Work::Park { call } => {
                let facts = engine::park(state, call, NOW_MS, None);
                self.put("park", facts.map_err(|why| format!("due offers: {why}"))?)
            }
            Work::EndTurn { stop, detail } => self.end_turn(stop, detail),
        }
    }

    fn end_turn(&mut self, stop: StopReason, detail: Option<String>) -> Result<(), String> {
        let state = &self.node.state;
        let turn = state.turn().expect("a turn to end").id;
        let ended = engine::end_turn(state, turn, stop, detail, 0);
        self.put_one("end turn", ended)
    }

    fn start(&mut self, how: &'static str, call: CallId) -> Result<(), String> {
        let mut changed = request();
        changed.arguments.push(' ');
        let state = &self.node.state;
        if engine::start(state, call, &changed, StartFacts::default()).is_ok() {
            return Err(format!("I4: {call} starts although it changed"));
        }
        let fact = engine::start(state, call, &request(), StartFacts::default());
        self.put_one(how, fact.map_err(|why| format!("due offers: {why}"))?)?;
        let error = ContextText::notice("it cannot be planned any more");
        self.put_one(
            "fail before the start",
            Fact::CallFailed(CallFailed { call, error }),
        )
    }

    fn reconcile(&mut self, call: CallId) -> Result<(), String> {
        let proof = "its claim was revoked".to_owned();
        let fact = Fact::CallFoundUnstarted(CallFoundUnstarted { call, proof });
        self.put_one("found unstarted", fact)?;
        self.over(call, true)
    }

    /// How a started call can come out.
    fn over(&mut self, call: CallId, found: bool) -> Result<(), String> {
        let finished = CallFinished {
            call,
            outcome: outcome(),
            found,
        };
        self.put_one("finish", Fact::CallFinished(Box::new(finished)))?;
        let (why, told) = ("lost".to_owned(), ContextText::notice("unknown"));
        self.put_one(
            "in doubt",
            Fact::CallInDoubt(CallInDoubt { call, why, told }),
        )?;
        if kind(call) == Kind::Command {
            let facts = engine::park(&self.node.state, call, NOW_MS, Some("exit 1".to_owned()));
            self.put("not yet", facts.map_err(|why| why.to_string())?)?;
        }
        Ok(())
    }

    /// What comes of waiting: looks, ends, lapses.
    fn waits(&mut self) -> Result<(), String> {
        let state = &self.node.state;
        let asked: Vec<DecisionId> = state.waiting().map(|(_, asked)| asked.id).collect();
        for decision in asked {
            self.put_one("lapse", Fact::DecisionLapsed(DecisionLapsed { decision }))?;
        }
        let is_cancelled = state.turn().is_some_and(|turn| turn.cancelled_by.is_some());
        if state.paused_by().is_some() || is_cancelled {
            return Ok(());
        }
        let parked: Vec<CallId> = state.parked().map(|(call, ..)| call).collect();
        for call in parked {
            let ended = engine::end_wait(&self.node.state, call, WaitEnd::TimedOut);
            self.put("time is over", ended.into_iter().collect())?;
            if kind(call) == Kind::Command {
                self.start("look", call)?;
            }
        }
        Ok(())
    }

    fn outcomes(&mut self) -> Result<(), String> {
        for call in self.node.book.running.clone() {
            self.over(call, false)?;
            let error = ContextText::notice("no such file");
            self.put_one("fail", Fact::CallFailed(CallFailed { call, error }))?;
        }
        let Some(attempt) = self.node.book.asking else {
            return Ok(());
        };
        if self.node.book.failures < self.small.bound.failures {
            self.fail_attempt("cut", attempt, FailureKind::Cut)?;
            self.fail_attempt("give up", attempt, FailureKind::Auth)?;
        }
        self.reply("answer", attempt, &[])?;
        let steps = self.node.state.steps();
        if steps < self.small.bound.steps {
            let calls = if steps == 0 {
                self.small.calls
            } else {
                &[Kind::Once]
            };
            self.reply("reply with calls", attempt, calls)?;
        }
        Ok(())
    }

    fn reply(
        &mut self,
        how: &'static str,
        attempt: AttemptId,
        calls: &[Kind],
    ) -> Result<(), String> {
        let step = self.node.state.steps() + 1;
        let text = Block::Text {
            text: "words".to_owned(),
        };
        let calls = calls.iter().enumerate().map(|(index, kind)| {
            Block::Call(ToolCall {
                id: call_id(step, index, *kind),
                wire_id: format!("w{index}"),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
                fault: None,
                kept: None,
            })
        });
        let message = AssistantMessage {
            blocks: std::iter::once(text).chain(calls).collect(),
            ..AssistantMessage::default()
        };
        let replied = ModelReplied {
            attempt,
            message,
            stop: ReplyStop::Finished,
            usage: None,
            request_id: None,
            charged: None,
        };
        self.put(how, engine::replied(&self.node.state, replied))
    }

    fn fail_attempt(
        &mut self,
        how: &'static str,
        attempt: AttemptId,
        kind: FailureKind,
    ) -> Result<(), String> {
        let failure = ProviderFailure::new(kind, "no");
        let failed = self
            .node
            .state
            .turn()
            .map_or(0, |turn| turn.failed_attempts);
        let retry_in_ms = retry_in_ms(&failure, failed + 1, 500);
        let mut node = self.node.clone();
        node.book.failures += u8::from(kind != FailureKind::Interrupted);
        let failed = AttemptFailed {
            attempt,
            failure,
            retry_in_ms,
            charged: None,
        };
        let facts = engine::failed(&self.node.state, failed);
        self.put_on(how, node, facts)
    }

    /// Every command that somebody may give; a refused one changes nothing.
    fn commands(&mut self) -> Result<(), String> {
        let found = self.node.state.in_doubt().first().map(|doubt| doubt.call);
        let key = format!("command-{}", self.node.book.commands);
        for (how, ask) in asks(&self.node.state) {
            let command = command(&key, ask);
            let Ok(facts) = (self.engine.accept)(&self.node.state, command.clone()) else {
                continue;
            };
            let mut node = self.node.clone();
            node.book.commands += 1;
            node.book.last = Some(command);
            self.put_on(how, node, facts)?;
        }
        if let Some(call) = found {
            let settled = CallSettled {
                key: format!("found-{call}"),
                call,
                happened: true,
                note: None,
                by: "the records of its keeper".to_owned(),
                outcome: Some(Box::new(outcome())),
            };
            self.put_one("late finding", Fact::CallSettled(Box::new(settled)))?;
        }
        Ok(())
    }

    /// The process dies; another reads the journal and takes over. What the dead one would have
    /// started next fits nowhere any more.
    fn crash(&mut self, folded: State) -> Result<(), String> {
        if folded != self.node.state {
            return Err("I3: the journal folds to another state than the live run's".to_owned());
        }
        if (self.engine.due)(&folded) != (self.engine.due)(&self.node.state) {
            return Err("I3: other work is due after a fold than in the live run".to_owned());
        }
        let epoch = folded.epoch().next();
        let mut node = Node {
            state: folded,
            book: self.node.book.clone(),
        };
        node.book.crash();
        self.put_on("crash", node, vec![owner(epoch)])?;
        let Some(Move { node: after, .. }) = self.moves.last() else {
            return Ok(());
        };
        for work in (self.engine.due)(&self.node.state) {
            let fact = match work {
                Work::RunTool { call } => {
                    engine::start(&self.node.state, call, &request(), StartFacts::default()).ok()
                }
                Work::AskModel(_) => {
                    (self.engine.reserve)(&self.node.state, attempt_id(&self.node.state)).ok()
                }
                _ => None,
            };
            let Some(fact) = fact else { continue };
            let kind = fact.kind();
            let late = (self.engine.apply)(after.state.clone(), &Event::new(NOW_MS, fact));
            if late.misfits() != after.state.misfits() + 1
                || late.call_phases() != after.state.call_phases()
                || late.attempt() != after.state.attempt()
            {
                return Err(format!("take-over: a {kind} of an older owner has effect"));
            }
        }
        Ok(())
    }
}

/// Everything that can be asked.
fn asks(state: &State) -> Vec<(&'static str, Ask)> {
    let by = || "test".to_owned();
    let signal = Ask::Signal {
        name: SIGNAL.to_owned(),
        payload: None,
        by: by(),
    };
    let mut asks = vec![
        ("cancel", Ask::Cancel { by: by() }),
        ("pause", Ask::Pause { by: by() }),
        ("continue", Ask::Continue { by: by() }),
        ("signal", signal),
        ("prompt", prompt("", false).ask),
        ("supersede", prompt("", true).ask),
    ];
    for (_, asked) in state.waiting() {
        for (how, verdict, scope) in [
            ("allow once", Verdict::Allow, Scope::Once),
            ("allow for the session", Verdict::Allow, Scope::Session),
            ("say no", Verdict::Deny, Scope::Once),
        ] {
            let answer = Ask::Answer {
                decision: asked.id,
                verdict,
                scope,
                by: by(),
                note: None,
            };
            asks.push((how, answer));
        }
    }
    for doubt in state.in_doubt() {
        let settle = Ask::Settle {
            call: doubt.call,
            happened: false,
            note: None,
            by: by(),
        };
        asks.push(("settle", settle));
    }
    asks
}

/// What of a state a start would change.
trait Phases {
    fn call_phases(&self) -> Vec<&bowline_core::state::CallPhase>;
}

impl Phases for State {
    fn call_phases(&self) -> Vec<&bowline_core::state::CallPhase> {
        let calls = self.step().into_iter().flat_map(|step| &step.calls);
        calls.map(|open| &open.phase).collect()
    }
}

fn attempt_id(state: &State) -> AttemptId {
    let tries = state.turn().map_or(0, |turn| turn.failed_attempts);
    let number = u128::from(state.steps()) * 100 + u128::from(tries) * 10;
    AttemptId::from_uuid(Uuid::from_u128(
        number + 1_000_000 * u128::from(state.epoch().0),
    ))
}
