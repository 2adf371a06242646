//! Making the conversation shorter: when it is begun, and one step of it after the other. What may
//! go and what must stay is core's to say; here bodies are stored and the model is asked.

use std::sync::Arc;

use bowline_core::engine::{self, NewAsk, NextCut, Planned};
use bowline_core::event::{
    CompactionAbandoned, CompactionBegun, CompactionFailed, Purpose, Strategy,
};
use bowline_core::{Amounts, AttemptId, Fact, RequestSize, StopReason};
use bowline_journal::ClaimKey;

use super::Loop;
use super::spend::Claimed;
use crate::Error;

impl Loop<'_> {
    /// Before a request of this size is paid for: begins to make the conversation shorter where that
    /// is due, or ends the turn where it is of no use any more. Says whether it did.
    pub(super) fn stage_shorter(&mut self, size: RequestSize) -> bool {
        let state = self.session.state();
        if let Some(why) = engine::stuck(state, size) {
            return self.stage_end(StopReason::ContextFull, Some(why));
        }
        let Some(cause) = engine::begin_compaction(state, size) else {
            return false;
        };
        let next_tokens = state.next_tokens(size);
        self.session.stage(Fact::CompactionBegun(CompactionBegun {
            key: String::new(),
            cause,
            focus: None,
            next_tokens,
        }));
        true
    }

    /// Takes the next step in making the conversation shorter; says whether the state changed.
    pub(super) async fn stage_compaction(&mut self) -> Result<bool, Error> {
        let state = self.session.state();
        let Some(request) = state.next_request() else {
            return Ok(false);
        };
        let size = self.harness.provider.size(self.session.id(), &request);
        match engine::next_cut(self.session.state(), size) {
            NextCut::Try(plan) => self.try_cut(*plan).await?,
            NextCut::AskForSummary => self.stage_summary().await?,
            NextCut::Failed(failed) => self.session.stage(Fact::CompactionFailed(failed)),
            NextCut::Abandon(why) => {
                let abandoned = CompactionAbandoned { why };
                self.session.stage(Fact::CompactionAbandoned(abandoned));
            }
        }
        Ok(true)
    }

    /// Records a plan under which nothing is lost; what it names is stored first.
    async fn try_cut(&mut self, plan: Planned) -> Result<(), Error> {
        match engine::checked(self.session.state(), &plan) {
            Ok(fact) => {
                for body in plan.bodies {
                    let bytes = body.text.into_bytes();
                    self.session.journal_mut().put_blob(bytes).await?;
                }
                self.session.stage(Fact::HistoryCompacted(Box::new(fact)));
            }
            Err(failed) => self.session.stage(Fact::CompactionFailed(failed)),
        }
        Ok(())
    }

    /// Sets budget aside for a summary. Where there is none left, the next way is tried.
    async fn stage_summary(&mut self) -> Result<(), Error> {
        let staged = self.reserve_summary().await?;
        if let Err(why) = staged {
            self.session.stage(Fact::CompactionFailed(CompactionFailed {
                strategy: Strategy::ModelSummary,
                why,
            }));
        }
        Ok(())
    }

    async fn reserve_summary(&mut self) -> Result<Result<(), String>, Error> {
        if let Some(why) = self.withheld() {
            return Ok(Err(why));
        }
        let attempt = AttemptId::from_uuid(self.session.clock().new_id());
        let state = self.session.state();
        let Some(request) = state.summary_request() else {
            return Ok(Err("there is nothing to sum up".to_owned()));
        };
        let provider = Arc::clone(&self.harness.provider);
        let size = provider.size(self.session.id(), &request);
        let tokens = state.next_tokens(size);
        if let Some(window) = state.window_tokens().filter(|window| tokens > *window) {
            return Ok(Err(format!(
                "what is to be summed up has about {tokens} tokens and the model takes {window}"
            )));
        }
        let ask = NewAsk {
            size: Some(size),
            purpose: Purpose::Summary,
            ..NewAsk::of(attempt)
        };
        let fact = match engine::reserve(state, ask) {
            Ok(fact) => fact,
            Err(overdrawn) => return Ok(Err(overdrawn.to_string())),
        };
        let Fact::AttemptReserved(reserved) = &fact else {
            return Ok(Err("nothing was set aside".to_owned()));
        };
        let amounts = Amounts {
            steps: 1,
            ..reserved.worst()
        };
        Ok(
            match self.claim(ClaimKey::Attempt(attempt), amounts).await? {
                Claimed::SetAside => {
                    self.session.stage(fact);
                    Ok(())
                }
                Claimed::Later { reason, .. } => Err(reason),
                Claimed::Never(detail) => Err(detail),
            },
        )
    }
}
