//! What must hold: an onlooker keeps a book of every fact and act, and holds the engine against it.
//! The book is written from facts alone; nothing of it is read from the engine's state.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::event::{CallFinished, CallFoundUnstarted, CallInDoubt, TurnEnded, WaitEnded};
use bowline_core::state::CallPhase;
use bowline_core::wait::WaitEnd;
use bowline_core::{
    AttemptId, CallId, Command, ContextText, DecisionId, Digest, Event, Fact, Refusal, ReplayClass,
    State, StopReason, TurnId, Verdict, Work,
};

use super::moves::{class, outcome};
use super::{Engine, Node, Small};

/// What an onlooker knows.
#[derive(Clone, Default)]
pub(crate) struct Book {
    pub(crate) crashes: u8,
    pub(crate) commands: u8,
    pub(crate) failures: u8,
    /// Acts under way in the process that lives now.
    pub(crate) running: BTreeSet<CallId>,
    pub(crate) asking: Option<AttemptId>,
    /// Calls with a recorded allow.
    allowed: BTreeSet<CallId>,
    /// Open questions and the calls that they are about.
    asked: BTreeMap<DecisionId, CallId>,
    /// How often a call was started since it was last proven that it runs no more.
    pub(crate) starts: BTreeMap<CallId, u8>,
    /// Calls that are over, and those of them whose wait ended.
    closed: BTreeSet<CallId>,
    pub(crate) ended: BTreeSet<CallId>,
    /// Requests that a person allowed for the session.
    granted: BTreeSet<Digest>,
    /// The last command that had an effect.
    pub(crate) last: Option<Command>,
    turn: Option<TurnId>,
    /// Whether words came that no turn was begun for yet.
    words: bool,
    asked_in_turn: bool,
}

impl Book {
    /// Writes down a fact that is about to be folded.
    ///
    /// # Errors
    /// The law that it breaks.
    pub(crate) fn note(&mut self, fact: &Fact) -> Result<(), String> {
        match fact {
            Fact::Decided(decided) => {
                let call = decided.call;
                self.allowed.remove(&call);
                match decided.decision.verdict {
                    Verdict::Allow => drop(self.allowed.insert(call)),
                    Verdict::Ask => drop(self.asked.insert(decided.decision.id, call)),
                    Verdict::Deny => drop(self.closed.insert(call)),
                }
            }
            Fact::DecisionAnswered(answer) => {
                let Some(call) = self.asked.remove(&answer.decision) else {
                    return Err("a question was answered twice".to_owned());
                };
                if answer.verdict == Verdict::Allow {
                    self.allowed.insert(call);
                    if answer.scope != bowline_core::decision::Scope::Once {
                        self.granted.insert(crate::world::request().digest());
                    }
                } else {
                    self.closed.insert(call);
                }
            }
            Fact::DecisionLapsed(lapsed) => {
                let call = self.asked.remove(&lapsed.decision);
                self.closed.extend(call);
            }
            Fact::CallStarted(started) => self.note_start(started.call())?,
            Fact::CallParked(parked) => {
                self.running.remove(&parked.call);
                self.starts.remove(&parked.call);
            }
            Fact::CallFoundUnstarted(found) => drop(self.starts.remove(&found.call)),
            Fact::WaitEnded(ended) => {
                if !self.ended.insert(ended.call) {
                    return Err("termination: a wait ended twice".to_owned());
                }
                self.closed.insert(ended.call);
            }
            Fact::CallFinished(finished) => self.close(finished.call),
            Fact::CallFailed(failed) => self.close(failed.call),
            Fact::CallInDoubt(doubt) => self.close(doubt.call),
            Fact::AttemptReserved(reserved) => {
                if self.asking.replace(reserved.attempt()).is_some() {
                    return Err("two model calls at a time".to_owned());
                }
                self.words = false;
                self.asked_in_turn = true;
            }
            Fact::PromptAccepted(_) => self.words = true,
            Fact::AttemptFailed(_) | Fact::ModelReplied(_) => self.asking = None,
            Fact::TurnStarted(started) => {
                self.turn = Some(started.turn);
                self.asked_in_turn = false;
            }
            Fact::TurnEnded(_) => {
                self.turn = None;
                self.words &= self.asked_in_turn;
                self.asked.clear();
                if !self.running.is_empty() || self.asking.is_some() {
                    return Err("the turn ended while something was under way".to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What of the book counts when two are compared; a faulty engine's state may say otherwise.
    pub(super) fn form(&self) -> [u8; 7] {
        let count = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
        [
            count(self.allowed.len()),
            count(self.asked.len()),
            count(self.closed.len()),
            count(self.granted.len()),
            u8::from(self.turn.is_some()),
            u8::from(self.words),
            u8::from(self.asked_in_turn),
        ]
    }

    fn close(&mut self, call: CallId) {
        self.running.remove(&call);
        self.closed.insert(call);
    }

    fn note_start(&mut self, call: CallId) -> Result<(), String> {
        self.may_start(call)?;
        self.running.insert(call);
        *self.starts.entry(call).or_insert(0) += 1;
        Ok(())
    }

    /// I4 and I5: allowed, not under way, and not started before unless it only reads.
    fn may_start(&self, call: CallId) -> Result<(), String> {
        if !self.allowed.contains(&call) {
            return Err(format!("I4: {call} runs without a recorded allow"));
        }
        if self.closed.contains(&call) || self.running.contains(&call) {
            return Err(format!("I5: {call} runs although it is over or under way"));
        }
        let started = self.starts.get(&call).copied().unwrap_or(0);
        if started > 0 && class(call) != ReplayClass::Free {
            return Err(format!(
                "I5: {call} was started and is not proven unstarted"
            ));
        }
        Ok(())
    }

    /// The process is gone, and all that it did with it.
    pub(crate) fn crash(&mut self) {
        self.crashes += 1;
        self.running.clear();
        self.asking = None;
    }
}

/// Holds every law against one state.
///
/// # Errors
/// The law that it breaks.
pub(super) fn check(engine: Engine, node: &Node, small: &Small<'_>) -> Result<(), String> {
    let Node { state, book } = node;
    if state.misfits() != 0 {
        return Err("a legal fact fitted nowhere".to_owned());
    }
    let spent = state.ledger().spent.total_tokens() + state.reserved().total_tokens();
    if small.cap.is_some_and(|cap| spent > cap) {
        return Err(format!("I10: {spent} of {:?}", small.cap));
    }
    if book
        .granted
        .iter()
        .any(|digest| state.grant(digest).is_none())
    {
        return Err("a grant for the session is forgotten".to_owned());
    }
    check_work(engine, state, book)?;
    check_once(engine, state, book)?;
    check_late(engine, state, book)
}

fn check_work(engine: Engine, state: &State, book: &Book) -> Result<(), String> {
    let work = (engine.due)(state);
    if (engine.due)(state) != work {
        return Err("I3: due is no function of the state".to_owned());
    }
    for one in &work {
        match one {
            Work::BeginTurn if !book.words => {
                return Err("livelock: a turn is begun again for the same words".to_owned());
            }
            Work::RunTool { call } => book.may_start(*call)?,
            Work::Reconcile { call } if book.running.contains(call) => {
                return Err(format!("{call} is looked for while it runs"));
            }
            Work::ReconcileAttempt { .. } | Work::AskModel(_) if book.asking.is_some() => {
                return Err("a model call is offered while one is under way".to_owned());
            }
            Work::Wait { decisions, parked } if decisions.is_empty() && parked.is_empty() => {
                return Err("deadlock: it waits for nothing".to_owned());
            }
            _ => {}
        }
    }
    let busy = !book.running.is_empty() || book.asking.is_some();
    if book.turn.is_some() && !busy && state.paused_by().is_none() && work.is_empty() {
        return Err("deadlock: a turn is open and nothing is due or under way".to_owned());
    }
    if book.turn.is_none() && (state.step().is_some() || state.attempt().is_some()) {
        return Err("the turn is over and something of it is open".to_owned());
    }
    if state.paused_by().is_some() && !work.is_empty() {
        return Err("something is due while the session is on hold".to_owned());
    }
    Ok(())
}

/// The last command, given again, has no effect.
fn check_once(engine: Engine, state: &State, book: &Book) -> Result<(), String> {
    let Some(command) = &book.last else {
        return Ok(());
    };
    match (engine.accept)(state, command.clone()) {
        Err(Refusal::AlreadyAccepted { .. }) => Ok(()),
        other => Err(format!("a command has effect twice: {other:?}")),
    }
}

/// Facts that come too late fit nowhere and change nothing but the count of such facts.
fn check_late(engine: Engine, state: &State, book: &Book) -> Result<(), String> {
    let again = state.session().map(|id| crate::world::started(id, None));
    let Some(again) = again else {
        return Ok(());
    };
    let put = |fact| (engine.apply)(state.clone(), &Event::new(1, fact));
    let counted = put(Fact::SessionStarted(Box::new(again)));
    for fact in late(state, book) {
        let kind = fact.kind();
        if put(fact) != counted {
            return Err(format!("a {kind} that comes too late changes something"));
        }
    }
    Ok(())
}

fn late(state: &State, book: &Book) -> Vec<Fact> {
    let calls = state.step().into_iter().flat_map(|step| &step.calls);
    let mut late = Vec::new();
    for open in calls {
        let call = open.call.id;
        let told = ContextText::notice("late");
        if matches!(open.phase, CallPhase::Closed(_)) {
            let error = told.clone();
            late.push(Fact::CallFailed(bowline_core::event::CallFailed {
                call,
                error,
            }));
        }
        if !matches!(open.phase, CallPhase::Started(..)) {
            late.push(Fact::CallFinished(Box::new(CallFinished {
                call,
                outcome: outcome(),
                found: false,
            })));
            let why = "late".to_owned();
            let told = told.clone();
            late.push(Fact::CallInDoubt(CallInDoubt { call, why, told }));
        }
        if !matches!(open.phase, CallPhase::Parked(_)) {
            let how = WaitEnd::Signalled;
            late.push(Fact::WaitEnded(WaitEnded { call, how, told }));
        }
        if book.running.contains(&call) || !matches!(open.phase, CallPhase::Started(..)) {
            let proof = "late".to_owned();
            late.push(Fact::CallFoundUnstarted(CallFoundUnstarted { call, proof }));
        }
    }
    if let (Some(turn), true) = (book.turn, !book.running.is_empty() || book.asking.is_some()) {
        let (stop, detail) = (StopReason::Done, None);
        late.push(Fact::TurnEnded(TurnEnded {
            turn,
            stop,
            detail,
            summary: None,
            worked_ms: 0,
        }));
    }
    late
}
