//! Acts: a model call, a tool call, a look at what became of one. Each is started by a proof and
//! ends in a fact.

use std::sync::Arc;
use std::time::Instant;

use bowline_core::engine;
use bowline_core::event::{
    CallFailed, CallFinished, CallFoundUnstarted, CallInDoubt, CallStarted, ModelReplied, Purpose,
};
use bowline_core::job::{JobChange, is_spool_name};
use bowline_core::state::CallPhase;
use bowline_core::{
    Action, AttemptId, CallId, Cap, ContextText, Fact, FailureKind, Network, Origin, Permit,
    ProviderFailure, Reservation,
};
use bowline_model::{Delta, Reply};
use bowline_policy::brings_in;
use bowline_tools::{Call, Cancel, Finish, Found};
use tokio::task::JoinError;

use super::Loop;
use super::shares::{CallShares, ShareAsked};
use crate::judge::Planned;
use crate::{Error, admit, judge};

/// A piece of progress that is shown and forgotten.
pub(super) enum Live {
    Text(AttemptId, String),
    Reasoning(AttemptId, String),
    Output(CallId, u64),
    /// What a running call asks for its children; shown to nobody.
    Share(ShareAsked),
}

/// What an act came to.
pub(super) enum Done {
    Asked {
        attempt: AttemptId,
        result: Result<Reply, ProviderFailure>,
    },
    Ran {
        call: CallId,
        tool: String,
        finish: Finish,
        duration_ms: u64,
    },
    Looked {
        call: CallId,
        tool: String,
        found: Found,
    },
    /// What its parent says to a child that needs more.
    Raised(Result<Cap, String>),
}

/// Whether a call's keeper may have lost its records with the power: it ran under another start of
/// the machine than this one, or under one that nobody knows.
fn lost_power(started: &CallStarted, boot: Option<&str>) -> bool {
    started.spool().is_some() && (started.boot().is_none() || started.boot() != boot)
}

/// Records that are missing prove nothing once the power was gone: they were never synced.
fn unproven(found: Found) -> Found {
    match found {
        Found::DidNot { .. } => Found::Unknown {
            why:
                "the machine was started anew since, and what its keeper noted may have gone with \
                  the power"
                    .to_owned(),
            output: Vec::new(),
        },
        other => other,
    }
}

impl Loop<'_> {
    pub(super) fn spawn_ask(&mut self, reservation: Reservation) {
        let attempt = reservation.attempt();
        if let Some(why) = self.withheld() {
            // Whatever the request is for: this is the one place where a model is asked.
            let failure = ProviderFailure::new(FailureKind::Withheld, why);
            return self.stage_failure(attempt, failure);
        }
        let state = self.session.state();
        let Some(mut request) = state.request() else {
            return;
        };
        // A summary is no answer to anybody.
        let is_shown = state
            .attempt()
            .is_some_and(|open| open.reserved.purpose() == Purpose::Step);
        request.images = self.session.images();
        let live = self.live.clone();
        let deltas = Arc::new(move |delta| {
            let live_event = match delta {
                Delta::Text(text) => Live::Text(attempt, text),
                Delta::Reasoning(text) => Live::Reasoning(attempt, text),
                Delta::CallBegun { .. } => return,
            };
            if !is_shown {
                return;
            }
            let _closed = live.send(live_event);
        });
        self.harness.probe.at("act.ask");
        let asked = self.harness.provider.ask(reservation, request, deltas);
        let handle = self.acts.spawn(async move {
            Done::Asked {
                attempt,
                result: asked.await,
            }
        });
        self.asking = Some((attempt, handle));
    }

    pub(super) fn spawn_call(&mut self, permit: Permit) {
        let call = permit.call();
        let Some(planned) = self.prepared.remove(&call) else {
            return;
        };
        let spool = permit
            .started()
            .spool()
            .map(|name| self.session.spool_for(name));
        let (stop, cancel) = Cancel::channel();
        self.stops.insert(call, stop);
        let tool = planned.tool.clone();
        let name = planned.request.tool.clone();
        let body = self.body(call, planned, spool, cancel);
        let probe = Arc::clone(&self.harness.probe);
        self.acts.spawn(async move {
            probe.at("act.begin");
            let began = Instant::now();
            let finish = tool.call(permit, body).await;
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            probe.at("act.end");
            Done::Ran {
                call,
                tool: name,
                finish,
                duration_ms,
            }
        });
    }

    fn body(
        &self,
        call: CallId,
        planned: Planned,
        spool: Option<std::path::PathBuf>,
        cancel: Cancel,
    ) -> Call {
        let live = self.live.clone();
        Call {
            request: planned.request,
            input: planned.input,
            cx: planned.cx,
            spool,
            spools: self.session.places().spool.clone(),
            blobs: Arc::clone(&self.session.places().blobs),
            progress: Arc::new(move |total| {
                let _closed = live.send(Live::Output(call, total));
            }),
            cancel,
            shares: Some(Arc::new(CallShares::new(
                call,
                self.live.clone(),
                self.kept(),
            ))),
        }
    }

    /// Starts looking for what became of a call that an earlier owner started.
    pub(super) fn spawn_reconcile(&mut self, call: CallId) {
        let Some(open) = self.session.state().call(call) else {
            return;
        };
        let CallPhase::Started(_, started) = &open.phase else {
            return;
        };
        let (started, proposed) = (started.clone(), open.call.clone());
        let spool = started.spool().map(|name| self.session.spool_for(name));
        let name = proposed.name.clone();
        match judge::plan(self.harness, self.session.state(), &proposed) {
            Ok(planned) => {
                let (stop, cancel) = Cancel::channel();
                // A turn that was cancelled before the restart has nothing left to wait for.
                if self.stopping {
                    stop.send_replace(true);
                }
                self.stops.insert(call, stop);
                let tool = planned.tool.clone();
                let body = self.body(call, planned, spool, cancel);
                let lost_power = lost_power(&started, self.session.clock().boot());
                self.acts.spawn(async move {
                    let found = tool.reconcile(started, body).await;
                    let found = if lost_power { unproven(found) } else { found };
                    Done::Looked {
                        call,
                        tool: name,
                        found,
                    }
                });
            }
            Err(why) => {
                let why = format!("it can no longer be planned: {why}");
                let found = Found::Unknown {
                    why,
                    output: Vec::new(),
                };
                self.acts.spawn(async move {
                    Done::Looked {
                        call,
                        tool: name,
                        found,
                    }
                });
            }
        }
    }

    /// Stages what an act came to.
    pub(super) async fn take(&mut self, done: Result<Done, JoinError>) -> Result<(), Error> {
        match done {
            Ok(Done::Asked { attempt, result }) => self.take_reply(attempt, result),
            Ok(Done::Ran {
                call,
                tool,
                finish,
                duration_ms,
            }) => {
                self.stops.remove(&call);
                self.take_finish(call, &tool, finish, duration_ms, false)
                    .await?;
            }
            Ok(Done::Looked { call, tool, found }) => {
                self.stops.remove(&call);
                self.reconciling.remove(&call);
                self.take_found(call, &tool, found).await?;
            }
            Ok(Done::Raised(answer)) => self.take_raised(answer),
            Err(_ended) => self.take_lost(),
        }
        Ok(())
    }

    fn take_reply(&mut self, attempt: AttemptId, result: Result<Reply, ProviderFailure>) {
        self.asking = None;
        match result {
            Ok(Reply {
                message,
                stop,
                usage,
                request_id,
            }) => {
                let replied = ModelReplied {
                    attempt,
                    message,
                    stop,
                    usage,
                    request_id,
                    charged: None,
                };
                for fact in engine::replied(self.session.state(), replied) {
                    self.session.stage(fact);
                }
            }
            Err(mut failure) => {
                failure.message = self.harness.masker.mask(&failure.message).text.into_owned();
                self.stage_failure(attempt, failure);
            }
        }
    }

    /// A model call or a question to the parent was aborted (cancel), or a task broke: nothing is
    /// left without an outcome.
    fn take_lost(&mut self) {
        if self.take_broken_off() {
            return;
        }
        let gone = self.asking.take_if(|(_, handle)| handle.is_finished());
        if let Some((attempt, _)) = gone {
            let failure = ProviderFailure::new(FailureKind::Cancelled, "the turn was stopped");
            self.stage_failure(attempt, failure);
            return;
        }
        let broken: Vec<CallId> = self
            .stops
            .iter()
            .filter(|(_, stop)| stop.is_closed())
            .map(|(call, _)| *call)
            .collect();
        for call in broken {
            self.stops.remove(&call);
            let why = "the tool broke while it ran".to_owned();
            self.stage_doubt(call, why, ContextText::notice(""));
        }
    }

    async fn take_finish(
        &mut self,
        call: CallId,
        tool: &str,
        finish: Finish,
        duration_ms: u64,
        found: bool,
    ) -> Result<(), Error> {
        if let Some(last) = finish.not_yet {
            let last = self.harness.masker.mask(&last).text.into_owned();
            self.stage_park(call, Some(last));
            return Ok(());
        }
        if finish.failed_before_effect {
            let masked = self.harness.masker.mask(&finish.text).text.into_owned();
            let error = ContextText::notice(masked);
            self.session
                .stage(Fact::CallFailed(CallFailed { call, error }));
            return Ok(());
        }
        let origin = self.origin(call, tool, &finish);
        if let Some(why) = finish.in_doubt {
            let masker = Arc::clone(&self.harness.masker);
            let (output, _) =
                admit::admit(self.session, &masker, origin, &finish.text, None).await?;
            self.stage_doubt(call, why, output);
            return Ok(());
        }
        let touched = self.touched(call, &finish);
        let masker = Arc::clone(&self.harness.masker);
        let outcome = admit::outcome(self.session, &masker, origin, finish, duration_ms).await?;
        self.session
            .stage(Fact::CallFinished(Box::new(CallFinished {
                call,
                outcome,
                found,
            })));
        self.tell_nested(&touched);
        Ok(())
    }

    /// Who brought what a call gave back: from outside, if the tool says so, if it reached anybody,
    /// or if that is what was decided about.
    fn origin(&self, call: CallId, tool: &str, finish: &Finish) -> Origin {
        let state = self.session.state();
        let reached = finish.effect.connections.iter();
        let reached = reached.filter(|one| one.refused.is_none());
        let decided = || {
            let open = state.call(call)?;
            let CallPhase::Started(decision, _) = &open.phase else {
                return None;
            };
            // Held to named hosts or to none, whom it reached stands in its connections, if its end
            // is known.
            let is_known = finish.in_doubt.is_none() && !finish.failed_before_effect;
            let confinement = decision.confinement.as_ref().filter(|_| is_known);
            let is_told = confinement.is_some_and(|it| it.profile.network != Network::Open);
            let actions = decision.actions.iter().map(|judged| &judged.action);
            let mut counted =
                actions.filter(|action| !(is_told && matches!(action, Action::Reach { .. })));
            counted.find_map(|action| brings_in(state.roots(), action))
        };
        let from = finish.outside.clone();
        let from = from
            .or_else(|| reached.map(|one| one.host.clone()).next())
            .or_else(decided);
        let tool = tool.to_owned();
        match from {
            Some(from) => Origin::Outside { tool, from },
            None => Origin::Tool(tool),
        }
    }

    async fn take_found(&mut self, call: CallId, tool: &str, found: Found) -> Result<(), Error> {
        match found {
            Found::Happened(finish) => {
                let duration_ms = finish.duration_ms.unwrap_or_default();
                self.take_finish(call, tool, *finish, duration_ms, true)
                    .await
            }
            Found::DidNot { proof } => {
                self.session
                    .stage(Fact::CallFoundUnstarted(CallFoundUnstarted { call, proof }));
                Ok(())
            }
            Found::Unknown { why, output } => {
                let text = String::from_utf8_lossy(&output).into_owned();
                let masker = Arc::clone(&self.harness.masker);
                let origin = self.origin(call, tool, &Finish::failed(String::new()));
                let (output, _) = admit::admit(self.session, &masker, origin, &text, None).await?;
                self.stage_doubt(call, why, output);
                Ok(())
            }
        }
    }

    /// Stages a call whose outcome cannot be known, with the plain words the model is told.
    fn stage_doubt(&mut self, call: CallId, why: String, output: ContextText) {
        let mut text = format!(
            "Outcome unknown: this call was started, and Bowline cannot know how it ended: {why}. \
             It may have happened, in part or wholly. Look at its effects before you repeat it."
        );
        let so_far = output.text().trim_end();
        if so_far.is_empty() {
            text.push_str(" No output was recorded.");
        } else {
            text.push_str(" Output so far:\n");
            text.push_str(so_far);
        }
        let told = ContextText::admit(
            output.origin().clone(),
            text,
            bowline_core::context::caps::TOOL_RESULT_BYTES,
            None,
        );
        self.session
            .stage(Fact::CallInDoubt(CallInDoubt { call, why, told }));
    }

    /// Removes the records of a job whose end was told.
    pub(super) fn forget_job(&self, change: &JobChange) {
        let JobChange::Ended { job, .. } = change else {
            return;
        };
        if let Some(job) = self.session.state().jobs().get(job)
            && is_spool_name(&job.spool)
        {
            // Left behind it only takes space; retention finds it later.
            let _left = std::fs::remove_dir_all(self.session.spool_for(&job.spool));
        }
    }

    /// Removes the keeper's records of a call whose outcome is durable.
    pub(super) fn forget_spool(&self, call: CallId) {
        let folder = self.session.places().spool.clone();
        let prefix = format!("{call}.");
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                // Left behind it only takes space; retention finds it later.
                let _left = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}
