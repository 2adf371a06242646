//! The same calls without a process each: planned, judged, recorded and made as a session does it,
//! for races of many thousand rounds.

use std::path::PathBuf;
use std::sync::Arc;

use bowline_core::call::BlobRef;
use bowline_core::commit::Spendable;
use bowline_core::event::CallStarted;
use bowline_core::{
    CallRequest, Committed, Epoch, Event, Fact, Mode, OnAsk, OutcomeStatus, Permit, SessionId,
    Verdict,
};
use bowline_journal::{Journal as _, MemoryJournal};
use bowline_policy::{NoLook, Policy, Surroundings, ToolFacts, decide};
use bowline_tools::builtin::{self, BuiltinConfig};
use bowline_tools::masks::NoMasks;
use bowline_tools::tool::Blobs;
use bowline_tools::{Call, Cancel, PlanCx, Toolbox};
use serde_json::{Value, json};

use super::actor::Answer;
use super::ground::Ground;

/// One id for all: every call has a journal of its own.
const ID: &str = "01900000-0000-7000-8000-000000000001";

/// Tools and a policy for the workspace of one ground.
pub(super) struct Within {
    toolbox: Toolbox,
    policy: Policy,
    cx: PlanCx,
    scratch: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Within {
    pub(super) fn new(ground: &Ground) -> Self {
        let root = std::fs::canonicalize(ground.workspace()).expect("a workspace");
        let shown = |path: PathBuf| path.display().to_string();
        let mut policy = Policy::new(Mode::Edit, vec![shown(root.clone())]);
        policy.home = Some(shown(ground.at("home")));
        policy.private = vec![shown(ground.at("state"))];
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self {
            toolbox: builtin::toolbox(BuiltinConfig::new(env!("CARGO_BIN_EXE_bowline").into())),
            policy,
            cx: PlanCx {
                cwd: root.clone(),
                roots: vec![root],
                seen: Arc::default(),
                jobs: Arc::default(),
                masks: Arc::new(NoMasks),
            },
            scratch: ground.at("state"),
            runtime: runtime.expect("a runtime"),
        }
    }

    pub(super) fn call(&self, name: &str, input: Value) -> Answer {
        self.try_call(name, input).unwrap_or_else(|told| Answer {
            told,
            ..Answer::default()
        })
    }

    fn try_call(&self, name: &str, input: Value) -> Result<Answer, String> {
        let tool = self.toolbox.get(name).map_err(|error| error.message)?;
        let plan = tool.plan(&input, &self.cx).map_err(|error| error.message)?;
        let facts = ToolFacts::from(tool.spec());
        let cx = Surroundings {
            cwd: "/",
            look: &NoLook,
            outside: None,
            recipient: bowline_policy::Recipient::default(),
        };
        let judged = decide(&self.policy, facts, &plan.actions, OnAsk::Park, &cx);
        if judged.verdict != Verdict::Allow {
            return Ok(Answer {
                asked: judged.verdict == Verdict::Ask,
                told: judged.reason,
                ..Answer::default()
            });
        }
        let checks = tool.checks(&input, &plan, &self.cx);
        let request = CallRequest {
            tool: name.to_owned(),
            arguments: input.to_string(),
            cwd: self.cx.cwd.display().to_string(),
            resolved: plan.resolved.clone(),
            confinement: None,
            executes: plan.executes.clone(),
        };
        let started = json!({
            "call": ID,
            "try_number": 1,
            "epoch": 0,
            "digest": request.digest(),
            "class": plan.replay.class,
            "checks": checks.map_err(|error| error.message)?,
        });
        let call = Call {
            request,
            input,
            cx: self.cx.clone(),
            spool: None,
            spools: self.scratch.clone(),
            blobs: Arc::new(NoBlobs),
            progress: Arc::new(|_| {}),
            cancel: Cancel::never(),
            shares: None,
        };
        let finish = self.runtime.block_on(tool.call(self.permit(started), call));
        Ok(Answer {
            done: finish.status == OutcomeStatus::Ok,
            told: finish.text,
            ..Answer::default()
        })
    }

    /// Records the start of an allowed call; the fact is read from its form on disk.
    fn permit(&self, started: Value) -> Permit {
        let started: CallStarted = serde_json::from_value(started).expect("a start");
        let session: SessionId = serde_json::from_value(json!(ID)).expect("an id");
        let mut journal = MemoryJournal::new(session, self.scratch.join("blobs"));
        let batch = vec![Event::new(1_000, Fact::CallStarted(started))];
        let appended = self.runtime.block_on(journal.append(Epoch(0), batch));
        match appended.expect("a receipt").pop().map(Committed::spend) {
            Some(Spendable::Call(committed)) => Permit::from(committed),
            other => panic!("{other:?}"),
        }
    }
}

/// There are no bodies.
struct NoBlobs;

impl Blobs for NoBlobs {
    fn find(&self, handle: &str) -> Result<(PathBuf, BlobRef), String> {
        Err(format!("there is no `{handle}`"))
    }
}
