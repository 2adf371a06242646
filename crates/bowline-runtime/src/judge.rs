//! Turns a proposed call into a recorded decision, or into an exact error for the model.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::call::ReplayPlan;
use bowline_core::decision::{DecidedBy, Judged, JudgedTool, Scope};
use bowline_core::event::{CallRejected, Decided, PolicyRecorded};
use bowline_core::message::CallFault;
use bowline_core::spec::ActionKind;
use bowline_core::state::{CallPhase, Doubt};
use bowline_core::{
    Action, CallId, CallRequest, ContextText, Decision, DecisionId, Digest, Executed, Fact,
    Keeping, Mode, OnAsk, State, ToolCall, Verdict,
};
use bowline_policy::{
    Policy, Sandbox, Surroundings, ToolFacts, brings, carries_out, policy_hash, settle,
};
use bowline_tools::tool::display_path;
use bowline_tools::{Confinable, InputError, Plan, PlanCx, Tool};
use serde_json::Value;

use crate::confinement::{begun, confinement, sandbox};
use crate::keep;
use crate::look::Disk;
use crate::masks::SessionMasks;
use crate::{Clock, Harness};

/// The most of a diff that a question shows, in bytes.
const PREVIEW_BYTES_MAX: usize = 8 << 10;

/// A call that can be run as it stands: its tool, its parsed input, what it would do.
pub(crate) struct Planned {
    pub(crate) tool: Arc<dyn Tool>,
    pub(crate) input: Value,
    pub(crate) plan: Plan,
    pub(crate) request: CallRequest,
    pub(crate) cx: PlanCx,
}

/// What planning may look at, from the state.
pub(crate) fn plan_cx(harness: &Harness, state: &State) -> PlanCx {
    PlanCx {
        cwd: PathBuf::from(state.cwd()),
        roots: state.roots().iter().map(PathBuf::from).collect(),
        seen: Arc::clone(state.seen()),
        jobs: Arc::clone(state.jobs()),
        masks: Arc::new(SessionMasks(Arc::clone(&harness.masker))),
    }
}

/// Plans a call, or says exactly what is wrong with it.
pub(crate) fn plan(harness: &Harness, state: &State, call: &ToolCall) -> Result<Planned, String> {
    match call.fault {
        Some(CallFault::DuplicateId) => {
            return Err(
                "Not run: another call in the same reply has the same id. Send it again \
                        with an id of its own."
                    .to_owned(),
            );
        }
        Some(CallFault::CutShort) => {
            return Err(
                "Not run: the reply was cut at its output limit, so this call may be \
                        incomplete. Send it again, shorter."
                    .to_owned(),
            );
        }
        None => {}
    }
    let tool = tool(harness, state, call)?;
    let input = arguments(&call.arguments)?;
    refuse_tokens(&tool, &input)?;
    let cx = plan_cx(harness, state);
    let plan = tool.plan(&input, &cx).map_err(not_run)?;
    let confinement = match tool.confinable(&input, &cx) {
        Confinable::No => None,
        Confinable::Begun => begun(&harness.confiner, mode(state), &plan),
        Confinable::Begins => {
            let at = (state, mode(state));
            let is_local = harness.provider.place().is_local();
            confinement(&harness.confiner, &harness.policy, at, (&plan, is_local))
        }
    };
    let request = CallRequest {
        tool: call.name.clone(),
        arguments: call.arguments.clone(),
        cwd: state.cwd().to_owned(),
        resolved: plan.resolved.clone(),
        confinement: confinement.map(Box::new),
        executes: plan.executes.clone(),
    };
    Ok(Planned {
        tool,
        input,
        plan,
        request,
        cx,
    })
}

/// The tool that a call names, if it is one of those frozen when the session began.
fn tool(harness: &Harness, state: &State, call: &ToolCall) -> Result<Arc<dyn Tool>, String> {
    let name = &call.name;
    let frozen = state.prompt().map_or(&[][..], |prompt| &prompt.tools);
    let frozen = frozen.iter().map(|tool| tool.name.as_str());
    let is_frozen = frozen.clone().any(|known| known == name);
    let usable = || {
        let usable = frozen.filter(|known| harness.toolbox.get(known).is_ok());
        usable.collect::<Vec<_>>().join(", ")
    };
    match harness.toolbox.get(name) {
        Ok(tool) if is_frozen => Ok(Arc::clone(tool)),
        Ok(_) => Err(format!(
            "Not run: `{name}` is not among the tools of this session. Use one of: {}.",
            usable()
        )),
        Err(_) if is_frozen => Err(format!(
            "Not run: the session began with `{name}`, and this version of Bowline no longer has \
             it. Use one of: {}.",
            usable()
        )),
        Err(error) => Err(not_run(error)),
    }
}

/// Refuses a call that acts and would take a mask token for the secret that it stands for.
fn refuse_tokens(tool: &Arc<dyn Tool>, input: &Value) -> Result<(), String> {
    let mut actions = tool.spec().actions.iter();
    let acts = actions.any(|action| {
        use ActionKind::{CallMcp, Reach, Run, WritePath};
        matches!(action, WritePath | Run | Reach | CallMcp)
    });
    if !acts || tool.restores() || !bowline_secrets::holds_mask_token(&input.to_string()) {
        return Ok(());
    }
    Err(format!(
        "Not run: the input holds a mask such as `[secret:...]`, which stands for a secret that is \
         not shown to you; `{}` would get those letters and not the secret. Let a command read the \
         secret where it lies (a file, a variable), or ask the person. `edit` and `write` put back \
         what a file holds for its own masks, and `grep` finds where one stands.",
        tool.spec().name
    ))
}

fn not_run(error: InputError) -> String {
    format!("Not run: {}", error.message)
}

fn mode(state: &State) -> Mode {
    state
        .settings()
        .map(|settings| settings.mode)
        .unwrap_or_default()
}

/// Whether a call runs a program.
pub(crate) fn runs(plan: &Plan) -> bool {
    let mut actions = plan.actions.iter();
    actions.any(|action| matches!(action, Action::Run { .. }))
}

/// The policy in the mode that the session has now, with what confines this call, without the
/// rules that have expired.
fn in_mode<'p>(
    harness: &'p Harness,
    mode: Mode,
    now_ms: u64,
    planned: &Planned,
) -> Cow<'p, Policy> {
    let policy = harness.policy.at(now_ms);
    let sandbox = if mode == Mode::Auto && runs(&planned.plan) {
        sandbox_of(harness, planned)
    } else {
        Sandbox::Unknown
    };
    if policy.mode == mode && policy.sandbox == sandbox {
        return policy;
    }
    Cow::Owned(Policy {
        mode,
        sandbox,
        ..policy.into_owned()
    })
}

fn sandbox_of(harness: &Harness, planned: &Planned) -> Sandbox {
    match (&planned.request.confinement, sandbox(&harness.confiner)) {
        (None, Sandbox::Namespaces) => Sandbox::Lacking {
            why: "this one would run outside of them".to_owned(),
        },
        (_, found) => found,
    }
}

/// Parses the arguments: one JSON object. An empty text counts as an empty object, since some
/// servers send that for a call without arguments.
fn arguments(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(format!(
            "Not run: the arguments must be one JSON object, got {}.",
            kind(&other)
        )),
        Err(error) => Err(format!(
            "Not run: the arguments are not valid JSON ({error}). Send the call again with one \
             complete JSON object."
        )),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Decides about a proposed call: the facts to be staged.
pub(crate) fn judge(harness: &Harness, clock: &Clock, state: &State, call: &ToolCall) -> Vec<Fact> {
    match plan(harness, state, call) {
        Err(message) => {
            let error = ContextText::notice(message);
            vec![Fact::CallRejected(CallRejected {
                call: call.id,
                error,
            })]
        }
        Ok(planned) => decided(harness, clock, state, call, &planned),
    }
}

/// Decides anew about a call that is no longer what was allowed, and says what changed.
pub(crate) fn decided_again(
    harness: &Harness,
    clock: &Clock,
    state: &State,
    call: &ToolCall,
    planned: &Planned,
) -> Vec<Fact> {
    let mut facts = decided(harness, clock, state, call, planned);
    let before = state.call(call.id).map(|open| &open.phase);
    if let Some(Fact::Decided(anew)) = facts.last_mut()
        && let Some(CallPhase::Allowed(before)) = before
    {
        let changed = changed(&before.executes, &planned.plan.executes, &planned.cx.cwd);
        if let Some(changed) = changed {
            let reason = &anew.decision.reason;
            anew.decision.reason = format!("{changed} since this call was allowed. {reason}");
        }
    }
    facts
}

/// Which executed files differ, in a few words: `run.sh changed`.
fn changed(before: &[Executed], now: &[Executed], cwd: &Path) -> Option<String> {
    let find = |all: &[Executed], path: &str| all.iter().find(|one| one.path == path).cloned();
    let shown = |one: &Executed| display_path(Path::new(&one.path), cwd);
    let gone = before.iter().filter(|one| find(now, &one.path).is_none());
    let other = now
        .iter()
        .filter(|one| find(before, &one.path).as_ref() != Some(one));
    let names: Vec<String> = gone.chain(other).map(shown).collect();
    match &names[..] {
        [] => None,
        [name] => Some(format!("{name} changed")),
        [name, rest @ ..] => Some(format!("{name} and {} more changed", rest.len())),
    }
}

/// Decides about a planned call. The policy is recorded first where no decision was taken under it
/// yet.
pub(crate) fn decided(
    harness: &Harness,
    clock: &Clock,
    state: &State,
    call: &ToolCall,
    planned: &Planned,
) -> Vec<Fact> {
    let settings = state.settings();
    let mode = mode(state);
    let on_ask = settings.map_or(OnAsk::Park, |settings| settings.on_ask);
    let spec = planned.tool.spec();
    let in_force = in_mode(harness, mode, clock.now_ms(), planned);
    let cwd = planned.cx.cwd.to_string_lossy().into_owned();
    let is_local = harness.provider.place().is_local();
    let held = keep::held(&in_force, state);
    let confinement = planned.request.confinement.as_deref();
    let cx = Surroundings {
        recipient: keep::recipient(is_local, held.as_ref(), confinement),
        ..surroundings(&cwd, state)
    };
    let tool = ToolFacts::from(spec);
    let judgement = bowline_policy::decide(&in_force, tool, &planned.plan.actions, on_ask, &cx);
    let keeping = keep::keeps_anything(&in_force).then(|| {
        Box::new(Keeping {
            is_local,
            brings: brings(&in_force, &judgement.judged, &cx),
            held: held.clone(),
        })
    });
    let digest = planned.request.digest();
    let weighed = Weighed::by_policy(judgement.verdict, judgement.reason);
    let Weighed {
        verdict,
        by,
        reason,
        repeats,
    } = weighed.against(state, planned, &judgement.judged, (mode, on_ask));
    let asks = verdict == Verdict::Ask;
    let preview = asks.then(|| preview(harness, state, &in_force, planned));
    let hash = policy_hash(&in_force);
    let asked_ms = settings.and_then(|it| it.ask_expires_ms).filter(|_| asks);
    let expires_at_ms = asked_ms.map(|span| clock.now_ms().saturating_add(span));
    let decision = Decision {
        id: DecisionId::from_uuid(clock.new_id()),
        verdict,
        by,
        reason,
        digest,
        essence: planned.plan.essence.clone(),
        actions: judgement.judged,
        tool: Some(JudgedTool {
            name: spec.name.clone(),
            tier: spec.tier,
            risk: spec.risk,
        }),
        preview: preview.flatten(),
        looked: judgement.looked,
        trust: Some(in_force.trust.clone()),
        outside: state.outside().map(str::to_owned),
        keeping,
        repeats,
        on_ask,
        replay: ReplayPlan {
            class: planned.plan.replay.class,
        },
        mode,
        confinement: planned.request.confinement.clone(),
        executes: planned.plan.executes.clone(),
        scope: Scope::Once,
        expires_at_ms,
        policy_hash: hash,
        analyser_version: bowline_policy::ANALYSER_VERSION,
    };
    let recorded = (!state.has_policy(&hash)).then(|| recorded(hash, &in_force));
    let call = call.id;
    let decided = Fact::Decided(Box::new(Decided { call, decision }));
    recorded.into_iter().chain([decided]).collect()
}

/// The policy as a fact.
fn recorded(hash: Digest, policy: &Policy) -> Fact {
    let policy = policy.record();
    Fact::PolicyRecorded(Box::new(PolicyRecorded { hash, policy }))
}

/// What the policy decided, held against what was answered and what is in doubt.
struct Weighed {
    verdict: Verdict,
    by: DecidedBy,
    reason: String,
    /// The call in doubt that this one would repeat.
    repeats: Option<CallId>,
}

impl Weighed {
    /// What the policy said.
    const fn by_policy(verdict: Verdict, reason: String) -> Self {
        Self {
            verdict,
            by: DecidedBy::Policy,
            reason,
            repeats: None,
        }
    }

    /// An earlier answer for this very request allows what asks; what would repeat a call in doubt
    /// asks.
    fn against(
        mut self,
        state: &State,
        planned: &Planned,
        judged: &[Judged],
        (mode, on_ask): (Mode, OnAsk),
    ) -> Self {
        if self.verdict == Verdict::Ask {
            let carries = || judged.iter().any(|one| carries_out(state.roots(), one));
            let from = state.outside().filter(|_| carries());
            match (state.grant(&planned.request.digest()), from) {
                (Some(grant), from) if from.is_none() || !state.precedes_outside(grant) => {
                    self.verdict = Verdict::Allow;
                    self.by = DecidedBy::Grant(grant);
                }
                (grant, Some(from)) => self.reason.push_str(&marked(from, grant.is_some())),
                (_, None) => {}
            }
        }
        if self.verdict == Verdict::Allow
            && let Some(doubt) = state.repeated(&planned.plan.actions)
            && let Some(action) = planned.plan.actions.first()
        {
            self.repeats = Some(doubt.call);
            (self.verdict, self.reason) =
                settle(mode, on_ask, action, Verdict::Ask, repeats(doubt));
        }
        self
    }
}

/// Why it matters to a question that the session holds content from elsewhere.
fn marked(from: &str, was_granted: bool) -> String {
    if was_granted {
        format!(" It was allowed for the session, but content from {from} came in since.")
    } else {
        format!(
            " It could carry data out, and content from {from} in this session may have asked for it."
        )
    }
}

/// What the call would change, masked and cut, for the person who is asked. Nothing of a file is
/// shown whose reading would ask.
fn preview(harness: &Harness, state: &State, policy: &Policy, planned: &Planned) -> Option<String> {
    let reads = planned.plan.actions.iter().map(|action| match action {
        Action::WritePath { path } => Action::ReadPath { path: path.clone() },
        // To show what would be asked of a host, nobody has to reach it.
        Action::Reach { .. } => Action::Note,
        other => other.clone(),
    });
    let reads: Vec<Action> = reads.collect();
    let tool = ToolFacts::from(planned.tool.spec());
    let cwd = planned.cx.cwd.to_string_lossy().into_owned();
    // A preview is for a person, and is not sent.
    let cx = Surroundings {
        recipient: keep::recipient(true, None, None),
        ..surroundings(&cwd, state)
    };
    let judgement = bowline_policy::decide(policy, tool, &reads, OnAsk::Park, &cx);
    if judgement.verdict != Verdict::Allow {
        return None;
    }
    let diff = planned
        .tool
        .preview(&planned.input, &planned.plan, &planned.cx)?;
    let mut diff = harness.masker.mask(&diff).text.into_owned();
    if let Some((end, _)) = diff.char_indices().find(|(at, _)| *at >= PREVIEW_BYTES_MAX) {
        diff.truncate(end);
        diff.push_str("\n… (cut)");
    }
    (!diff.is_empty()).then_some(diff)
}

/// The working folder, and this machine's disk to look at.
fn surroundings<'a>(cwd: &'a str, state: &'a State) -> Surroundings<'a> {
    Surroundings {
        outside: state.outside(),
        ..Surroundings::new(cwd, &Disk)
    }
}

/// Why a call is not simply run that would do again what may have happened already.
fn repeats(doubt: &Doubt) -> String {
    let call = doubt.call.short();
    format!(
        "An earlier call of the same ({call}) is in doubt: it may have happened. `bowline settle \
         {call} --happened` or `--did-not` says what became of it."
    )
}

#[cfg(test)]
mod tests;
