//! One round of the loop: stage what is due, commit it, start what the receipts permit.

use std::time::Duration;

use bowline_core::commit::Spendable;
use bowline_core::engine::{self, NotStartable, StartFacts};
use bowline_core::event::{AnswerChecked, AttemptFailed, CallFailed, TurnStarted};
use bowline_core::failure::retry_in_ms;
use bowline_core::job::JobChange;
use bowline_core::{
    Action, AttemptId, CallId, ContextText, Fact, FailureKind, Permit, ProviderFailure,
    Reservation, StopReason, StreamEvent, ToolCall, TurnId, Work, due,
};

use bowline_tools::answer::AnswerSchema;

use super::Loop;
use crate::Error;
use crate::confinement::weaker;
use crate::judge;

impl Loop<'_> {
    /// Stages everything that is due and needs no waiting, until nothing more comes of it.
    pub(super) async fn stage_due(&mut self) -> Result<(), Error> {
        self.pause = None;
        loop {
            let mut progressed = false;
            for work in due(self.session.state()) {
                progressed |= self.stage_work(work).await?;
            }
            // Calls that run now keep no other from being asked for.
            self.asks_for_calls();
            if !progressed {
                return Ok(());
            }
        }
    }

    /// Stages one piece of work; says whether the state changed.
    async fn stage_work(&mut self, work: Work) -> Result<bool, Error> {
        match work {
            Work::BeginTurn => {
                let turn = self.next_turn();
                self.session.stage(Fact::TurnStarted(TurnStarted { turn }));
                let today = crate::today(self.session.clock());
                if let Some(notice) = crate::prompt::date_notice(self.session.state(), &today) {
                    self.session.stage(Fact::notice(notice));
                }
            }
            Work::AskModel(ask) => {
                if let Some(until_ms) = ask.not_before_ms
                    && let Some(pause) = self.pause_before(until_ms, ask.pause_ms)
                {
                    self.pause = Some(pause);
                    return Ok(false);
                }
                return self.stage_ask().await;
            }
            Work::ReconcileAttempt { attempt } => self.stage_interrupted(attempt),
            Work::Decide { call } => return Ok(self.stage_decision(call)),
            Work::RunTool { call } => return self.stage_start(call).await,
            Work::Reconcile { call } => {
                if self.reconciling.insert(call) {
                    self.spawn_reconcile(call);
                }
                return Ok(false);
            }
            Work::Nudge(noticed) => self.session.stage(Fact::LoopNoticed(*noticed)),
            Work::Compact => return self.stage_compaction().await,
            Work::CheckAnswer => return Ok(self.stage_answer()),
            Work::Park { call } => return Ok(self.stage_park(call, None)),
            Work::Wait { .. } => return Ok(false),
            Work::SettleShare { child } => return Ok(self.stage_settled(child, None)),
            Work::EndTurn { stop, detail } => {
                if stop == StopReason::Budget && self.asks_for_calls() {
                    return Ok(false);
                }
                let refused = self.refused_calls().filter(|_| stop == StopReason::Budget);
                return Ok(self.stage_end(stop, refused.or(detail)));
            }
        }
        Ok(true)
    }

    /// Stages what the schema in force says to the last reply.
    fn stage_answer(&mut self) -> bool {
        let state = self.session.state();
        let Some((turn, demand)) = state
            .turn()
            .and_then(|turn| Some((turn.id, turn.demand.as_ref()?)))
        else {
            return false;
        };
        let reply = state.last_text().unwrap_or_default();
        let checked = AnswerSchema::compile(&demand.schema)
            .map_err(|error| vec![error.to_string()])
            .and_then(|schema| schema.check(&reply));
        let (problems, answer) = match checked {
            Ok(answer) => (Vec::new(), Some(answer)),
            Err(problems) => (problems, None),
        };
        self.session.stage(Fact::AnswerChecked(AnswerChecked {
            turn,
            problems,
            answer,
        }));
        true
    }

    fn next_turn(&self) -> TurnId {
        self.session.state().last_turn().next()
    }

    /// The end of the pause before the next try, unless it is over. Each pause is turned into one
    /// by the clock of spans when it is first met.
    fn pause_before(&mut self, until_ms: u64, pause_ms: Option<u64>) -> Option<Duration> {
        let clock = self.session.clock().clone();
        let id = uuid::Uuid::from_u64_pair(u64::MAX, until_ms);
        let end = self.deadlines.of(&clock, id, until_ms, pause_ms);
        (end > clock.elapsed()).then_some(end)
    }

    /// Stages the beginning of a wait, or its going on after a look that said `last`.
    pub(super) fn stage_park(&mut self, call: CallId, last: Option<String>) -> bool {
        let now_ms = self.session.clock().now_ms();
        match engine::park(self.session.state(), call, now_ms, last) {
            Ok(facts) => {
                facts.into_iter().for_each(|fact| self.session.stage(fact));
                true
            }
            Err(_) => false,
        }
    }

    fn stage_interrupted(&mut self, attempt: AttemptId) {
        let failure = ProviderFailure::new(
            FailureKind::Interrupted,
            "the process ended while the model was answering; the call is made again",
        );
        self.stage_failure(attempt, failure);
    }

    /// Stages a failed attempt with the pause before the next one.
    pub(super) fn stage_failure(&mut self, attempt: AttemptId, failure: ProviderFailure) {
        let failed_before = self
            .session
            .state()
            .turn()
            .map_or(0, |turn| turn.failed_attempts);
        // Any spread will do: the last bits of a fresh id are random.
        let jitter = u16::try_from(self.session.clock().new_id().as_u128() % 1001).unwrap_or(0);
        let retry_in_ms = retry_in_ms(&failure, failed_before + 1, jitter);
        let failed = AttemptFailed {
            attempt,
            failure,
            retry_in_ms,
            charged: None,
        };
        for fact in engine::failed(self.session.state(), failed) {
            self.session.stage(fact);
        }
    }

    fn open_call(&self, call: CallId) -> Option<ToolCall> {
        self.session
            .state()
            .call(call)
            .map(|open| open.call.clone())
    }

    fn stage_decision(&mut self, call: CallId) -> bool {
        let Some(proposed) = self.open_call(call) else {
            return false;
        };
        let facts = judge::judge(
            self.harness,
            self.session.clock(),
            self.session.state(),
            &proposed,
        );
        self.tell_of_sandbox(&facts);
        for fact in facts {
            self.session.stage(fact);
        }
        true
    }

    /// Says once, before the first shell command, if commands are held less than they should be.
    fn tell_of_sandbox(&mut self, facts: &[Fact]) {
        let runs = facts.iter().any(|fact| match fact {
            Fact::Decided(decided) => {
                let mut actions = decided.decision.actions.iter();
                actions.any(|judged| matches!(judged.action, Action::Run { .. }))
            }
            _ => false,
        });
        let confiner = &self.harness.confiner;
        let settings = self.session.state().settings();
        let mode = settings.map(|settings| settings.mode).unwrap_or_default();
        if runs
            && let Some((backend, lacking)) = weaker(confiner, mode)
            && confiner.is_first_told()
        {
            let event = StreamEvent::Sandbox { backend, lacking };
            self.face.show(&event);
        }
    }

    /// Stages the start of an allowed call: planned anew, so that a decision never covers
    /// something else than what runs.
    pub(super) async fn stage_start(&mut self, call: CallId) -> Result<bool, Error> {
        let Some(allowed) = self.open_call(call) else {
            return Ok(false);
        };
        let tries = self.session.state().call(call).map_or(0, |open| open.tries);
        let planned = match judge::plan(self.harness, self.session.state(), &allowed) {
            Ok(planned) => planned,
            Err(message) => return Ok(self.stage_call_failed(call, message)),
        };
        let checks = match planned
            .tool
            .checks(&planned.input, &planned.plan, &planned.cx)
        {
            Ok(checks) => checks,
            Err(error) => return Ok(self.stage_call_failed(call, error.message)),
        };
        let spool = judge::runs(&planned.plan).then(|| format!("{call}.{}", tries + 1));
        let boot = spool.as_ref().and_then(|_| self.session.clock().boot());
        let facts = StartFacts {
            checks,
            spool,
            boot: boot.map(str::to_owned),
        };
        match engine::start(self.session.state(), call, &planned.request, facts) {
            Ok(fact) => {
                if tries == 0 && !self.claims_call(call).await? {
                    return Ok(false);
                }
                self.session.stage(fact);
                self.forget_answer();
                self.prepared.insert(call, planned);
            }
            Err(NotStartable::Changed(_)) => {
                let facts = judge::decided_again(
                    self.harness,
                    self.session.clock(),
                    self.session.state(),
                    &allowed,
                    &planned,
                );
                for fact in facts {
                    self.session.stage(fact);
                }
            }
            Err(_) => return Ok(false),
        }
        Ok(true)
    }

    fn stage_call_failed(&mut self, call: CallId, message: String) -> bool {
        let message = self.harness.masker.mask(&message).text.into_owned();
        let error = ContextText::notice(message);
        self.session
            .stage(Fact::CallFailed(CallFailed { call, error }));
        true
    }

    /// Makes the batch durable, tells the face, and starts what the receipts permit.
    pub(super) async fn commit_and_start(&mut self) -> Result<(), Error> {
        self.harness.probe.at("loop.staged");
        #[cfg(feature = "broken-ack-before-append")]
        self.tell_too_early();
        let committed = self.session.commit().await?;
        self.announce();
        let mut spendable = Vec::new();
        for event in committed {
            self.show_committed(&event);
            self.settle_claim(event.value());
            self.look_out(event.value());
            match event.spend() {
                Spendable::Nothing(event) => self.after(&event.into_value().fact),
                other => spendable.push(other),
            }
        }
        for proof in spendable {
            match proof {
                Spendable::Call(started) => self.spawn_call(Permit::from(started)),
                Spendable::Attempt(reserved) => self.spawn_ask(Reservation::from(reserved)),
                Spendable::Nothing(_) => {}
            }
        }
        Ok(())
    }

    fn show_committed(&mut self, event: &bowline_core::Committed<bowline_core::Event>) {
        let seq = event.receipt().seq;
        if let Fact::AttemptFailed(failed) = &event.value().fact {
            self.face.show(&StreamEvent::AttemptDiscarded {
                attempt_id: failed.attempt,
                reason: failed.failure.message.clone(),
                retry_in_ms: failed.retry_in_ms,
            });
        }
        self.face.show(&StreamEvent::Event {
            seq,
            event: Box::new(event.value().clone()),
        });
        self.harness.probe.at("loop.told");
    }

    /// The fault that crash tests must catch: telling before it is durable.
    #[cfg(feature = "broken-ack-before-append")]
    fn tell_too_early(&mut self) {
        self.announce();
        let mut seq = self.session.last_seq();
        for event in self.session.staged().to_vec() {
            seq = seq.next();
            self.face.show(&StreamEvent::Event {
                seq,
                event: Box::new(event),
            });
            self.harness.probe.at("loop.told");
        }
    }

    /// Says which session this is, once it is durable that it exists.
    fn announce(&mut self) {
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        let state = self.session.state();
        let Some(settings) = state.settings() else {
            return;
        };
        let event = StreamEvent::Session {
            session_id: self.session.id(),
            resumed: self.session.resumed(),
            cwd: state.cwd().to_owned(),
            model: settings.model.clone(),
            mode: settings.mode,
            version: self.harness.app_version.clone(),
        };
        self.face.show(&event);
    }

    /// Small tidying once a fact is durable.
    fn after(&mut self, fact: &Fact) {
        match fact {
            Fact::CallFinished(finished) => {
                let jobs = &finished.outcome.effect.jobs;
                // The records of a command that runs on are needed as long as it is.
                if !jobs
                    .iter()
                    .any(|job| matches!(job, JobChange::Started { .. }))
                {
                    self.forget_spool(finished.call);
                }
                jobs.iter().for_each(|job| self.forget_job(job));
            }
            // No look is under way: the records of the last one are told.
            Fact::CallParked(parked) if parked.last.is_some() => self.forget_spool(parked.call),
            Fact::WaitEnded(ended) => self.forget_spool(ended.call),
            Fact::TurnEnded(_) => {
                self.stopping = false;
                self.forget_answer();
            }
            _ => {}
        }
    }
}
