//! A face that also records: committed events that matter to the installation become system
//! events before they are shown.

use std::collections::BTreeMap;

use bowline_core::event::{
    AttemptFailed, Decided, DecisionAnswered, Purpose, SettingsChanged, TurnEnded,
};
use bowline_core::state::CallPhase;
use bowline_core::system::{
    BudgetStopped, CallLeftInDoubt, CallRefused, ProviderFailed, ReplyStopped, SandboxDenied,
    SystemSettingsChanged,
};
use bowline_core::{
    CallId, DecisionId, Event, Fact, FailureKind, Settings, State, StopReason, StreamEvent,
    SystemFact, Verdict,
};

use super::RunLog;
use crate::face::Face;

/// Shows what another face shows, and records on the way.
pub struct Watched<'a> {
    face: &'a mut dyn Face,
    log: &'a RunLog,
    /// What was in force before the next change.
    settings: Option<Settings>,
    calls: BTreeMap<CallId, Known>,
    questions: BTreeMap<DecisionId, CallId>,
    failed_tries: u32,
    /// What the model call under way is for.
    asked_for: Purpose,
    /// The last failure, if it is tried again once the conversation is shorter.
    too_long: Option<ProviderFailed>,
}

/// The most of one text that a system event repeats; the journal has it whole.
const TEXT_CHARS_MAX: usize = 1_000;

fn bounded(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// What is known of a call.
#[derive(Default)]
struct Known {
    tool: Option<String>,
    essence: String,
}

impl<'a> Watched<'a> {
    /// Watches a session that is about to be driven. `before` is what was in force when it was
    /// opened, before this run changed anything; `state` is how it stands.
    pub fn new(
        face: &'a mut dyn Face,
        log: &'a RunLog,
        before: Option<Settings>,
        state: &State,
    ) -> Self {
        let mut watched = Self {
            face,
            log,
            settings: before,
            calls: BTreeMap::new(),
            questions: BTreeMap::new(),
            failed_tries: state.turn().map_or(0, |turn| turn.failed_attempts),
            asked_for: Purpose::Step,
            too_long: None,
        };
        for open in state.step().into_iter().flat_map(|step| &step.calls) {
            let mut known = Known {
                tool: Some(open.call.name.clone()),
                essence: String::new(),
            };
            if let CallPhase::Waiting(decision)
            | CallPhase::Allowed(decision)
            | CallPhase::Parked(decision)
            | CallPhase::Started(decision, _) = &open.phase
            {
                known.essence = bounded(&decision.essence);
                watched.questions.insert(decision.id, open.call.id);
            }
            watched.calls.insert(open.call.id, known);
        }
        watched
    }

    fn watch(&mut self, event: &Event) {
        let fact = match &event.fact {
            Fact::SessionStarted(started) => {
                self.settings = Some(started.settings.clone());
                None
            }
            Fact::SettingsChanged(change) => Some(self.settings_changed(change)),
            Fact::AttemptReserved(reserved) => {
                self.asked_for = reserved.purpose();
                None
            }
            // A summary may be asked for while calls are open.
            Fact::ModelReplied(_) if !self.asked_for.is_step() => None,
            Fact::ModelReplied(replied) => {
                self.failed_tries = 0;
                self.too_long = None;
                // A reply comes when every earlier call is closed: nothing more is heard of them.
                self.calls.clear();
                self.questions.clear();
                for call in replied.message.calls() {
                    self.calls.entry(call.id).or_default().tool = Some(call.name.clone());
                }
                None
            }
            Fact::AttemptFailed(failed) => self.attempt_failed(failed),
            Fact::Decided(decided) => self.decided(decided),
            Fact::DecisionAnswered(answer) => self.answered(answer),
            Fact::CallInDoubt(doubt) => Some(SystemFact::CallLeftInDoubt(CallLeftInDoubt {
                call: doubt.call,
                essence: self.essence(doubt.call),
                why: bounded(&doubt.why),
            })),
            Fact::CallFinished(finished) if finished.outcome.sandbox_denied => {
                let essence = self.essence(finished.call);
                Some(SystemFact::SandboxDenied(SandboxDenied {
                    call: finished.call,
                    what: format!("{essence}: {}", finished.outcome.summary),
                }))
            }
            Fact::TurnEnded(ended) => self
                .too_long
                .take()
                .filter(|_| ended.stop == StopReason::ProviderFailed)
                .map(SystemFact::ProviderFailed)
                .or_else(|| turn_ended(ended)),
            _ => None,
        };
        if let Some(fact) = fact {
            self.log.record(fact);
        }
    }

    fn essence(&self, call: CallId) -> String {
        self.calls
            .get(&call)
            .map_or(String::new(), |known| known.essence.clone())
    }

    fn settings_changed(&mut self, change: &SettingsChanged) -> SystemFact {
        let before = self.settings.replace(change.settings.clone());
        SystemFact::SettingsChanged(SystemSettingsChanged {
            mode_before: before.as_ref().map(|before| before.mode),
            mode: change.settings.mode,
            model_before: before.map(|before| before.model),
            model: change.settings.model.clone(),
            by: change.by.clone(),
        })
    }

    fn attempt_failed(&mut self, failed: &AttemptFailed) -> Option<SystemFact> {
        self.failed_tries += 1;
        let failure = &failed.failure;
        let is_last = failed.retry_in_ms.is_none();
        let is_too_long = failure.kind == FailureKind::TooLong;
        if failure.kind == FailureKind::Cancelled || !(is_last || is_too_long) {
            return None;
        }
        let settings = self.settings.as_ref();
        let fact = ProviderFailed {
            kind: failure.kind,
            status: failure.status,
            message: bounded(&failure.message),
            model: settings.map(|settings| settings.model.clone()),
            endpoint: settings.and_then(|settings| settings.base_url.clone()),
            tries: self.failed_tries,
        };
        if !is_last {
            // Whether it was for good is seen when the turn ends.
            self.too_long = Some(fact);
            return None;
        }
        self.failed_tries = 0;
        Some(SystemFact::ProviderFailed(fact))
    }

    fn decided(&mut self, decided: &Decided) -> Option<SystemFact> {
        let decision = &decided.decision;
        let known = self.calls.entry(decided.call).or_default();
        known.essence = bounded(&decision.essence);
        match decision.verdict {
            Verdict::Allow => None,
            Verdict::Ask => {
                self.questions.insert(decision.id, decided.call);
                None
            }
            Verdict::Deny => {
                let judged = decision.actions.iter();
                let strictest = judged.max_by_key(|judged| judged.verdict);
                Some(SystemFact::CallRefused(CallRefused {
                    call: decided.call,
                    tool: known.tool.clone(),
                    essence: known.essence.clone(),
                    reason: bounded(&decision.reason),
                    rule: strictest.map(|judged| judged.rule.clone()),
                    by: None,
                }))
            }
        }
    }

    fn answered(&self, answer: &DecisionAnswered) -> Option<SystemFact> {
        if answer.verdict != Verdict::Deny {
            return None;
        }
        let call = *self.questions.get(&answer.decision)?;
        let note = bounded(answer.note.as_deref().unwrap_or("without a note"));
        Some(SystemFact::CallRefused(CallRefused {
            call,
            tool: self.calls.get(&call).and_then(|known| known.tool.clone()),
            essence: self.essence(call),
            reason: format!("denied by a person, {note}"),
            rule: None,
            by: Some(answer.by.clone()),
        }))
    }
}

fn turn_ended(ended: &TurnEnded) -> Option<SystemFact> {
    let (turn, stop) = (ended.turn, ended.stop);
    let detail = ended.detail.as_deref().map(bounded);
    match stop {
        StopReason::Budget
        | StopReason::StepLimit
        | StopReason::LoopDetected
        | StopReason::ContextFull => Some(SystemFact::BudgetStopped(BudgetStopped {
            turn,
            stop,
            detail,
        })),
        StopReason::Length | StopReason::Refused | StopReason::AnswerInvalid => {
            Some(SystemFact::ReplyStopped(ReplyStopped {
                turn,
                stop,
                detail,
            }))
        }
        // Said by the failed attempt, by the refused call, or by the end of the run.
        StopReason::Done
        | StopReason::ProviderFailed
        | StopReason::StorageFailed
        | StopReason::Waiting
        | StopReason::Denied
        | StopReason::Cancelled => None,
    }
}

impl Face for Watched<'_> {
    fn show(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Event { event, .. } => self.watch(event),
            StreamEvent::Alarm { alarm } => {
                self.log.record(SystemFact::AlarmRaised(alarm.clone()));
            }
            _ => {}
        }
        self.face.show(event);
    }
}
