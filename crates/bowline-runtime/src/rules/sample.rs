//! Recorded calls for tests, made by the judging code.

use std::rc::Rc;

use bowline_core::action::PathKind;
use bowline_core::call::ReplayPlan;
use bowline_core::decision::{DecidedBy, JudgedTool, RuleSource, Scope};
use bowline_core::{
    Action, Decision, DecisionId, Digest, Mode, OnAsk, PathFact, ReplayClass, Risk, SessionId,
    Tier, Verdict,
};
use bowline_policy::{
    ANALYSER_VERSION, NoLook, Policy, Rule, Surroundings, ToolFacts, decide, policy_hash,
};
use uuid::Uuid;

use super::recorded::RecordedCall;

/// The user's file of rules in these tests.
pub(super) const FILE: &str = "/home/ann/.config/bowline/rules.toml";

/// A policy in mode `ask` with rules of the user's file.
pub(super) fn policy(rules: &[(Verdict, &str)]) -> Policy {
    let rule = |(verdict, text): &(Verdict, &str)| {
        let source = RuleSource {
            layer: bowline_core::decision::Layer::User,
            tier: Tier::BuiltIn,
            rule: (*text).to_owned(),
            file: Some(FILE.to_owned()),
            line: Some(1),
        };
        Rule::parse(*verdict, source).unwrap()
    };
    Policy {
        rules: rules.iter().map(rule).collect(),
        ..Policy::new(Mode::Ask, vec!["/w".to_owned()])
    }
}

/// Writing a file of the workspace.
pub(super) fn write(path: &str) -> Action {
    let path = format!("/w/{path}");
    Action::WritePath {
        path: PathFact {
            asked: path.clone(),
            resolved: path.clone(),
            by_name: path,
            kind: PathKind::File,
            links: 1,
        },
    }
}

/// Running a shell command.
pub(super) fn run(command: &str) -> Action {
    Action::Run {
        command: command.to_owned(),
        understood: false,
    }
}

/// A decision about one action, as it would be recorded.
pub(super) fn decision(policy: &Policy, action: &Action, number: u128) -> Decision {
    let tool = match action {
        Action::Run { .. } => ("shell", Risk::High),
        _ => ("write", Risk::Medium),
    };
    let facts = ToolFacts {
        name: tool.0,
        risk: tool.1,
        tier: Tier::BuiltIn,
    };
    let essence = match action {
        Action::Run { command, .. } => command.clone(),
        Action::WritePath { path } => format!("write {}", path.asked),
        other => format!("{other:?}"),
    };
    let cx = Surroundings::new("/w", &NoLook);
    let judged = decide(
        policy,
        facts,
        std::slice::from_ref(action),
        OnAsk::Park,
        &cx,
    );
    Decision {
        id: DecisionId::from_uuid(Uuid::from_u128(number)),
        verdict: judged.verdict,
        by: DecidedBy::Policy,
        reason: judged.reason,
        digest: Digest::of(essence.as_bytes()),
        essence,
        actions: judged.judged,
        tool: Some(JudgedTool {
            name: tool.0.to_owned(),
            tier: Tier::BuiltIn,
            risk: tool.1,
        }),
        looked: judged.looked,
        trust: None,
        outside: None,
        keeping: None,
        repeats: None,
        on_ask: OnAsk::Park,
        preview: None,
        replay: ReplayPlan {
            class: ReplayClass::Once,
        },
        mode: policy.mode,
        confinement: None,
        executes: Vec::new(),
        scope: Scope::Once,
        expires_at_ms: None,
        policy_hash: policy_hash(policy),
        analyser_version: ANALYSER_VERSION,
    }
}

/// The same as a call that was read back.
pub(super) fn call(policy: &Policy, action: &Action, answer: Option<Verdict>) -> RecordedCall {
    let decision = decision(policy, action, 7);
    RecordedCall {
        session: SessionId::from_uuid(Uuid::from_u128(1)),
        at_ms: 1,
        tool: decision.tool.clone().unwrap(),
        decision: Box::new(decision),
        policy: Rc::new(policy.record()),
        cwd: Rc::from("/w"),
        answer,
    }
}
