//! A fact changes the state: pure and total. A fact that fits nowhere is counted, not obeyed.

mod adopt;
mod attempts;
mod budget;
mod compact;
mod waits;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::MAX_ANSWER_REPAIRS;
use super::loops::{self, Ending};
use crate::action::Action;
use crate::amounts::Amounts;
use crate::call::{Effect, Outcome, OutcomeStatus};
use crate::context::{ContextText, Origin, floor_border};
use crate::decision::{DecidedBy, Decision, Scope, Verdict};
use crate::event::{
    AnswerChecked, CallFinished, CallStarted, CompactionCause, Decided, DecisionAnswered, Event,
    Fact, LoopNoticed, PromptAccepted, PromptChanged, QuestionAnswered, TurnEnded,
};
use crate::id::{CallId, TurnId};
use crate::job::{Job, JobChange};
use crate::kept::Kept;
use crate::message::{Exchange, HistoryItem, Input, InputRole, ResultKind, ToolResult};
use crate::settings::{LoopGuard, ModelRef};
use crate::spec::ReplayClass;
use crate::state::{AnswerVerdict, CallPhase, CallState, Gauge, Outside, Shown, State, Turn};

/// The longest line that is kept of what a person decided; an answer may be longer.
const SAID_BYTES_MAX: usize = 2_000;

/// Folds one event into the state. A fact that fits nowhere changes nothing but the count of such
/// facts: one that comes too late, whose command has had its effect, or that an owner of an older
/// epoch would start something with.
#[must_use]
pub fn apply(mut state: State, event: &Event) -> State {
    let key = event.fact.key();
    let is_known = key.is_some_and(|key| state.keys.contains(key));
    let fitted = !is_known && fold(&mut state, event);
    if let (true, Some(sent)) = (fitted, state.sent.as_mut()) {
        sent.happened(&event.fact);
    }
    if let (true, Some(key)) = (fitted, key) {
        state.keys.insert(key.to_owned());
    }
    state.misfits += u32::from(!fitted);
    if fitted {
        match event.fact {
            Fact::AttemptReserved(_) => state.pace.asked(event.at_ms),
            _ => state.pace.happened(event.at_ms),
        }
    }
    state
}

/// Says whether the fact fitted; if not, nothing has changed.
fn fold(state: &mut State, event: &Event) -> bool {
    match &event.fact {
        Fact::SessionStarted(started) => {
            let first = state.begun.is_none();
            state.begun.get_or_insert_with(|| started.as_ref().into());
            first
        }
        Fact::OwnerChanged(owner) => {
            let later = owner.epoch > state.epoch;
            state.epoch = state.epoch.max(owner.epoch);
            later
        }
        Fact::SettingsChanged(change) => change_settings(state, change),
        Fact::SessionAdopted(adopted) => adopt::adopt(state, adopted, event.at_ms),
        Fact::BlocksDropped(dropped) => drop_blocks(state, &dropped.model),
        Fact::PromptAccepted(prompt) => accept_prompt(state, prompt),
        Fact::TurnStarted(started) => start_turn(state, started.turn),
        Fact::NoticeAdded(notice) => {
            Arc::make_mut(&mut state.told).take(&notice.text);
            state.queue.push(notice.text.clone().into());
            true
        }
        Fact::AttemptReserved(reserved) => attempts::reserve(state, reserved),
        Fact::AttemptFailed(failed) => attempts::fail(state, failed, event.at_ms),
        Fact::ModelReplied(replied) => attempts::reply(state, replied),
        Fact::CallRejected(rejected) => {
            let closed = close_failed(state, rejected.call, &rejected.error);
            state.ledger.calls_refused += u32::from(closed);
            closed
        }
        Fact::PolicyRecorded(recorded) => state.policies.insert(recorded.hash),
        Fact::Decided(decided) => decide(state, decided),
        Fact::DecisionAnswered(answer) => take_verdict(state, answer),
        Fact::QuestionAnswered(answer) => take_answer(state, answer),
        Fact::CallStarted(started) => start_call(state, started),
        Fact::CallFinished(finished) => finish_call(state, finished),
        Fact::CallFailed(failed) => close_failed(state, failed.call, &failed.error),
        Fact::CallInDoubt(doubt) => waits::doubt(state, doubt, event.at_ms),
        Fact::CallFoundUnstarted(found) => unstart_call(state, found.call),
        Fact::AnswerChecked(checked) => check_answer(state, checked),
        Fact::CancelRequested(cancel) => ask_to_stop(state, &cancel.by),
        Fact::TurnEnded(ended) => end_turn(state, ended),
        Fact::CallParked(_)
        | Fact::WaitEnded(_)
        | Fact::SignalReceived(_)
        | Fact::CallSettled(_)
        | Fact::DecisionLapsed(_)
        | Fact::SessionPaused(_)
        | Fact::SessionContinued(_) => waits::fold(state, event),
        Fact::UsageOverran(_)
        | Fact::TimeRanOut(_)
        | Fact::ShareGranted(_)
        | Fact::ShareSettled(_)
        | Fact::ShareRaised(_) => budget::fold(state, &event.fact),
        Fact::CompactionBegun(_)
        | Fact::HistoryCompacted(_)
        | Fact::CompactionFailed(_)
        | Fact::CompactionAbandoned(_) => compact::fold(state, &event.fact),
        Fact::PrefixBroken(_) => true,
        Fact::PromptChanged(changed) => change_prompt(state, changed),
        Fact::LoopNoticed(noticed) => notice_loop(state, noticed),
        Fact::ContentKept(content) => {
            keep(state, &content.kept);
            true
        }
    }
}

/// A person's words wait for the model; they may lead elsewhere than what was done before.
fn accept_prompt(state: &mut State, prompt: &PromptAccepted) -> bool {
    if let Some(turn) = &mut state.turn {
        turn.trail.interrupt();
    }
    state.queue.push(Input {
        text: prompt.text.clone(),
        images: prompt.images.clone(),
        role: InputRole::Words,
    });
    if let Some(schema) = &prompt.output_schema {
        state.next_schema = Some(Arc::new(schema.clone()));
    }
    true
}

/// The first who asks for the turn to stop is remembered.
fn ask_to_stop(state: &mut State, by: &str) -> bool {
    let turn = state.turn.as_mut();
    turn.filter(|turn| turn.cancelled_by.is_none())
        .map(|turn| turn.cancelled_by = Some(by.to_owned()))
        .is_some()
}

/// Answers a call that did not do what it was asked.
fn close_failed(state: &mut State, call: CallId, told: &ContextText) -> bool {
    close(state, call, ResultKind::Error, told.clone())
}

fn change_settings(state: &mut State, change: &crate::event::SettingsChanged) -> bool {
    let model = state.settings().map(|settings| &settings.model);
    if model.is_some_and(|model| *model != change.settings.model) {
        // Another model counts in its own way.
        state.gauge = Gauge::default();
    }
    // Open questions were asked under the old settings: they are asked anew under these. Caps and
    // prices have no say in them.
    let has_a_say = state
        .settings()
        .is_some_and(|before| !before.differs_in_budget_only(&change.settings));
    let steps = state.step.iter_mut().filter(|_| has_a_say);
    for call in steps.flat_map(|step| &mut step.calls) {
        if matches!(
            call.phase,
            CallPhase::Waiting(_) | CallPhase::Allowed(_) | CallPhase::Parked(_)
        ) {
            call.phase = CallPhase::Proposed;
        }
    }
    state
        .begun
        .as_mut()
        .map(|begun| begun.set(&change.settings))
        .is_some()
}

/// Takes out of the conversation what only another model than `model` understands. The journal
/// keeps it; it does not come back when that model does, for then it would lack its neighbours.
fn drop_blocks(state: &mut State, model: &ModelRef) -> bool {
    let mut dropped = 0;
    for item in &mut state.history {
        let HistoryItem::Exchange(exchange) = item.as_ref() else {
            continue;
        };
        if exchange.message().foreign(model) == 0 {
            continue;
        }
        let mut exchange = exchange.clone();
        dropped += exchange.message_mut().keep_only(model);
        *item = Arc::new(HistoryItem::Exchange(exchange));
    }
    if let Some(step) = &mut state.step {
        dropped += step.message.keep_only(model);
        for open in &mut step.calls {
            open.call.kept.take_if(|kept| !kept.is_from(model));
        }
    }
    state.history_bytes = state.history.iter().map(|item| item.weight_bytes()).sum();
    state.gauge.forget_prefix();
    dropped > 0
}

/// Puts other system text and tools in force.
fn change_prompt(state: &mut State, changed: &PromptChanged) -> bool {
    let Some(begun) = &mut state.begun else {
        return false;
    };
    begun.prompt = Arc::new(changed.prompt.clone());
    begun.prompt_bytes = changed.prompt.weight_bytes();
    state.gauge.forget_prefix();
    true
}

/// Tells the model, once for each pattern and turn, that it seems to go round in circles.
fn notice_loop(state: &mut State, noticed: &LoopNoticed) -> bool {
    let Some(turn) = &mut state.turn else {
        return false;
    };
    if turn.trail.since_told(&noticed.pattern).is_some() {
        return false;
    }
    turn.trail.tell(noticed.pattern);
    state.queue.push(noticed.told.clone().into());
    true
}

fn start_turn(state: &mut State, turn: TurnId) -> bool {
    if state.turn.is_some() || turn != state.last_turn.next() {
        return false;
    }
    state.turn = Some(Turn::new(turn));
    state.ledger.turn = Amounts::ZERO;
    state.last_turn = turn;
    state.last_stop = None;
    state.closing = None;
    state.answer = None;
    true
}

fn remember(state: &mut State, item: HistoryItem) {
    state.history_bytes += item.weight_bytes();
    state.history.push(Arc::new(item));
}

fn place_words(state: &mut State) {
    for input in std::mem::take(&mut state.queue) {
        remember(state, HistoryItem::Input(input));
    }
}

/// Moves a step whose calls are all answered into the history.
fn close_step_if_complete(state: &mut State) {
    let complete = |call: &CallState| matches!(call.phase, CallPhase::Closed(_));
    let Some(step) = state.step.take_if(|step| step.calls.iter().all(complete)) else {
        return;
    };
    let mut results = Vec::with_capacity(step.calls.len());
    for call in step.calls {
        if let (Some(turn), Some(mark)) = (&mut state.turn, call.mark) {
            turn.trail.push(*mark);
        }
        if let CallPhase::Closed(result) = call.phase {
            results.push(result);
        }
    }
    match Exchange::new(step.id, step.message, results) {
        Some(exchange) => remember(state, HistoryItem::Exchange(exchange)),
        None => state.misfits += 1,
    }
}

fn open_call(state: &mut State, call: CallId) -> Option<&mut CallState> {
    let calls = &mut state.step.as_mut()?.calls;
    calls.iter_mut().find(|open| open.call.id == call)
}

fn close(state: &mut State, call: CallId, kind: ResultKind, content: ContextText) -> bool {
    close_with(state, call, kind, content, None)
}

/// Answers an open call; `outcome` is what its tool says, if it ran to its end.
fn close_with(
    state: &mut State,
    call: CallId,
    kind: ResultKind,
    content: ContextText,
    outcome: Option<&Outcome>,
) -> bool {
    let ending = Ending {
        kind,
        content: &content,
        outcome,
    };
    let remembered = match state.call(call) {
        Some(open) if !matches!(open.phase, CallPhase::Closed(_)) => {
            let is_watched = state.limits().loops != LoopGuard::Off;
            is_watched.then(|| Box::new(loops::mark(state, open, &ending)))
        }
        _ => return false,
    };
    let Some(open) = open_call(state, call) else {
        return false;
    };
    open.mark = remembered;
    let origin = content.origin().clone();
    open.phase = CallPhase::Closed(ToolResult {
        call,
        kind,
        content,
    });
    mark(state, origin);
    close_step_if_complete(state);
    true
}

/// Content from outside marks the session for good: what it told the model cannot be taken back.
fn mark(state: &mut State, origin: Origin) {
    if let (None, Origin::Outside { from, .. }) = (&state.outside, origin) {
        let earlier = state.grants.values().copied().collect();
        state.outside = Some(Outside { from, earlier });
    }
}

fn check_answer(state: &mut State, checked: &AnswerChecked) -> bool {
    let turn = state.turn.as_mut().filter(|turn| turn.id == checked.turn);
    let Some(demand) = turn.and_then(|turn| turn.demand.as_mut()) else {
        return false;
    };
    if demand.verdict != AnswerVerdict::Unchecked {
        return false;
    }
    let Some(first) = checked.problems.first() else {
        demand.verdict = AnswerVerdict::Fits;
        state.answer.clone_from(&checked.answer);
        return true;
    };
    if demand.repairs == MAX_ANSWER_REPAIRS {
        let why = format!("the answer does not fit the schema: {first}");
        demand.verdict = AnswerVerdict::GaveUp(why);
        return true;
    }
    demand.repairs += 1;
    demand.verdict = AnswerVerdict::AskAgain;
    let text = format!(
        "The answer does not fit the schema:\n- {}\nAnswer again with one JSON value that fits it, \
         whole, and nothing else.",
        checked.problems.join("\n- ")
    );
    state.queue.push(ContextText::notice(text).into());
    true
}

fn refuse(state: &mut State, call: CallId, decision: &Decision) -> bool {
    state.ledger.calls_refused += 1;
    state.ledger.calls_denied += 1;
    close(
        state,
        call,
        ResultKind::Error,
        ContextText::notice(decision.refusal_text()),
    )
}

fn decide(state: &mut State, decided: &Decided) -> bool {
    let decision = &decided.decision;
    let Some(open) = open_call(state, decided.call) else {
        return false;
    };
    if !matches!(
        open.phase,
        CallPhase::Proposed | CallPhase::Allowed(_) | CallPhase::Parked(_)
    ) {
        return false;
    }
    // What it waited for before is forgotten if it is to wait for something else, or not at all.
    open.park
        .take_if(|park| decision.wait() != Some(&park.wait));
    match decision.verdict {
        Verdict::Allow => open.phase = CallPhase::Allowed(Box::new(decision.clone())),
        Verdict::Ask => open.phase = CallPhase::Waiting(Box::new(decision.clone())),
        Verdict::Deny => return refuse(state, decided.call, decision),
    }
    true
}

fn take_verdict(state: &mut State, answer: &DecisionAnswered) -> bool {
    let calls = state.step.iter_mut().flat_map(|step| &mut step.calls);
    let found = calls.into_iter().find_map(|open| match &open.phase {
        CallPhase::Waiting(asked) if asked.id == answer.decision => {
            let mut decision = asked.as_ref().clone();
            // A question is never allowed to run: it is answered or declined.
            if decision.question().is_some() && answer.verdict == Verdict::Allow {
                return None;
            }
            decision.verdict = answer.verdict;
            decision.by = DecidedBy::Person(answer.by.clone());
            decision.scope = answer.scope;
            Some((open, decision))
        }
        _ => None,
    });
    let Some((open, mut decision)) = found else {
        return false;
    };
    if answer.verdict == Verdict::Allow {
        let grant = (decision.digest, decision.id);
        let essence = decision.essence.clone();
        open.phase = CallPhase::Allowed(Box::new(decision));
        if answer.scope != Scope::Once {
            state.grants.insert(grant.0, grant.1);
            keep_said(state, format!("allowed from then on: {essence}"));
        }
        return true;
    }
    let no = if decision.question().is_some() {
        "A person declined to answer"
    } else {
        "A person said no"
    };
    decision.reason = match &answer.note {
        Some(note) => format!("{no}: {note}"),
        None => format!("{no}."),
    };
    let call = open.call.id;
    let essence = decision.essence.clone();
    keep_said(state, format!("denied: {essence}. {}", decision.reason));
    refuse(state, call, &decision)
}

/// Remembers what a person decided, in a line: it holds on when its exchange is gone.
fn keep_said(state: &mut State, mut line: String) {
    if line.len() > SAID_BYTES_MAX {
        line.truncate(floor_border(&line, SAID_BYTES_MAX));
        line.push_str("..");
    }
    if !state.said.contains(&line) {
        state.said.push(line);
    }
}

/// A person's answer is the result of the call that asked for it.
fn take_answer(state: &mut State, answer: &QuestionAnswered) -> bool {
    let asked = state.waiting().find_map(|(open, decision)| {
        let is_it = decision.id == answer.decision && decision.question().is_some();
        is_it.then(|| (open.call.id, decision.essence.clone()))
    });
    let Some((call, question)) = asked else {
        return false;
    };
    keep_said(
        state,
        format!("asked: {question} Answered: {}", answer.answer.text()),
    );
    close(state, call, ResultKind::Ok, answer.answer.clone())
}

/// Only the owner of now starts something, and only what was decided upon.
fn start_call(state: &mut State, started: &CallStarted) -> bool {
    if started.epoch() != state.epoch {
        return false;
    }
    let Some(open) = open_call(state, started.call()) else {
        return false;
    };
    let decision = match &open.phase {
        CallPhase::Allowed(decision) => decision.clone(),
        CallPhase::Parked(decision) if open.park.is_some() => decision.clone(),
        CallPhase::Started(decision, earlier)
            if earlier.class() == ReplayClass::Free && earlier.epoch() < started.epoch() =>
        {
            decision.clone()
        }
        _ => return false,
    };
    if decision.digest != started.digest() {
        return false;
    }
    let is_first = open.tries == 0;
    open.tries = started.try_number();
    open.phase = CallPhase::Started(decision.clone(), started.clone());
    remember_reads(state, &decision);
    if is_first {
        state.ledger.charge(&Amounts {
            tool_calls: 1,
            ..Amounts::ZERO
        });
    }
    true
}

/// Remembers what a call reads when it starts: what comes of it may be told before its end is known.
fn remember_reads(state: &mut State, decision: &Decision) {
    for judged in &decision.actions {
        if let Action::ReadPath { path } = &judged.action {
            let reads = Arc::make_mut(&mut state.reads);
            for name in [&path.resolved, &path.by_name] {
                if !reads.contains(name) {
                    reads.insert(name.clone());
                }
            }
        }
    }
    for kept in decision.keeping.iter().flat_map(|keeping| &keeping.brings) {
        keep(state, kept);
    }
}

/// Of each rule the first is remembered.
fn keep(state: &mut State, kept: &Kept) {
    let known = state.kept.entry(kept.rule.clone());
    known.or_insert_with(|| kept.clone());
}

fn unstart_call(state: &mut State, call: CallId) -> bool {
    let epoch = state.epoch;
    let Some(open) = open_call(state, call) else {
        return false;
    };
    let decision = match &open.phase {
        // What this owner started is under way, whatever anybody finds.
        CallPhase::Started(decision, started) if started.epoch() < epoch => decision,
        _ => return false,
    };
    // A wait whose command did not run goes on as it was.
    open.phase = match open.park {
        Some(_) => CallPhase::Parked(decision.clone()),
        None => CallPhase::Allowed(decision.clone()),
    };
    true
}

/// Whether a call was started and nothing is known yet of what became of it.
fn is_started(state: &State, call: CallId) -> bool {
    let open = state.call(call);
    open.is_some_and(|open| matches!(open.phase, CallPhase::Started(..)))
}

fn finish_call(state: &mut State, finished: &CallFinished) -> bool {
    let outcome = &finished.outcome;
    let kind = match outcome.status {
        OutcomeStatus::Ok => ResultKind::Ok,
        OutcomeStatus::Error => ResultKind::Error,
    };
    if !is_started(state, finished.call)
        || !close_with(
            state,
            finished.call,
            kind,
            outcome.content.clone(),
            Some(outcome),
        )
    {
        return false;
    }
    state.ledger.calls_run += 1;
    let Effect {
        files,
        seen,
        todo,
        jobs,
        connections: _,
    } = &outcome.effect;
    for change in jobs {
        change_job(Arc::make_mut(&mut state.jobs), change);
    }
    for change in files {
        Arc::make_mut(&mut state.seen).insert(change.path.clone(), change.after);
        if let Some(turn) = &mut state.turn {
            turn.changed.insert(change.path.clone());
        }
    }
    for seen in seen {
        Arc::make_mut(&mut state.seen).insert(seen.path.clone(), seen.content);
        state.shown.push(Shown {
            call: finished.call,
            path: seen.path.clone(),
            content: seen.content,
        });
    }
    if let Some(todo) = todo {
        if compact::has_finished_one(&state.todo, todo) {
            state.milestone = Some(state.last_step);
        }
        state.todo.clone_from(todo);
    }
    true
}

/// A change of a job that is not known is passed over: it says nothing that is needed.
fn change_job(jobs: &mut BTreeMap<String, Job>, change: &JobChange) {
    match change {
        JobChange::Started {
            job,
            command,
            spool,
            offset,
            confined,
        } => {
            let started = Job {
                command: command.clone(),
                spool: spool.clone(),
                offset: *offset,
                confined: *confined,
                ended: None,
            };
            jobs.insert(job.clone(), started);
        }
        JobChange::Read { job, offset } => {
            if let Some(job) = jobs.get_mut(job) {
                job.offset = job.offset.max(*offset);
            }
        }
        JobChange::Ended { job, how } => {
            if let Some(job) = jobs.get_mut(job) {
                job.ended = Some(how.clone());
            }
        }
    }
}

/// Time at work as an amount.
const fn worked(wall_ms: u64) -> Amounts {
    Amounts {
        wall_ms,
        ..Amounts::ZERO
    }
}

fn end_turn(state: &mut State, ended: &TurnEnded) -> bool {
    let is_other = state.turn.as_ref().is_none_or(|turn| turn.id != ended.turn);
    let calls = state.step.iter().flat_map(|step| &step.calls);
    let mut phases = calls.map(|open| &open.phase);
    // What is under way has an outcome first: it must not be told that it was not run.
    let is_busy =
        state.attempt.is_some() || phases.any(|phase| matches!(phase, CallPhase::Started(..)));
    if is_other || is_busy {
        return false;
    }
    let open: Vec<(CallId, bool)> = state
        .step
        .iter()
        .flat_map(|step| &step.calls)
        .filter(|call| !matches!(call.phase, CallPhase::Closed(_)))
        .map(|call| (call.call.id, matches!(call.phase, CallPhase::Parked(_))))
        .collect();
    let stop = ended.stop.name();
    for (call, parked) in open {
        let text = if parked {
            format!("Stopped waiting: the turn ended first ({stop}).")
        } else {
            format!("Not run: the turn ended first ({stop}). Nothing was changed by this call.")
        };
        close(state, call, ResultKind::Error, ContextText::notice(text));
    }
    state.ledger.charge(&worked(ended.worked_ms));
    // A turn that ends before the model was asked is not begun for the same words again.
    if state.turn.take().is_some_and(|turn| !turn.asked) {
        place_words(state);
        state.next_schema = None;
    }
    // What was begun for the next request of the turn is of no use now; what a person asked for is.
    state
        .compaction
        .take_if(|open| !matches!(open.cause, CompactionCause::Asked { .. }));
    state.last_stop = Some((ended.stop, ended.detail.clone()));
    state.closing.clone_from(&ended.summary);
    true
}
