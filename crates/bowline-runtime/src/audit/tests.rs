//! A decision taken again is the same; one that was tampered with is not, and it is said where.

use bowline_core::call::ReplayPlan;
use bowline_core::decision::{DecidedBy, JudgedTool, Layer, RuleSource, Scope};
use bowline_core::look::{LookFact, Seen};
use bowline_core::{
    Action, CallId, Decision, DecisionId, Digest, Mode, OnAsk, ReplayClass, Risk, Seq, SessionId,
    Tier, Verdict,
};
use bowline_policy::{
    ANALYSER_VERSION, Policy, Recorded, Rule, Surroundings, ToolFacts, decide, policy_hash,
};
use uuid::Uuid;

use super::*;

fn policy() -> Policy {
    let source = RuleSource {
        layer: Layer::User,
        tier: Tier::BuiltIn,
        rule: "git push *".to_owned(),
        file: Some("rules.toml".to_owned()),
        line: Some(3),
    };
    Policy {
        rules: vec![Rule::parse(Verdict::Deny, source).unwrap()],
        ..Policy::new(Mode::Ask, vec!["/srv/p".to_owned()])
    }
}

/// A shell command as it was decided about, with what was seen then.
fn case(command: &str, looked: &[LookFact]) -> Case {
    let policy = policy();
    let tool = JudgedTool {
        name: "shell".to_owned(),
        tier: Tier::BuiltIn,
        risk: Risk::High,
    };
    let facts = ToolFacts {
        name: &tool.name,
        risk: tool.risk,
        tier: tool.tier,
    };
    let action = Action::Run {
        command: command.to_owned(),
        understood: false,
    };
    let looked = Recorded(looked);
    let cx = Surroundings::new("/srv/p", &looked);
    let judgement = decide(&policy, facts, &[action], OnAsk::Park, &cx);
    let id = Uuid::from_u128(7);
    let mut decision: Decision = serde_json::from_value(serde_json::json!({
        "id": id, "verdict": judgement.verdict, "by": "policy", "reason": judgement.reason,
        "digest": Digest::default(), "essence": command, "actions": judgement.judged,
        "replay": ReplayPlan { class: ReplayClass::Once }, "mode": policy.mode,
        "scope": Scope::Once, "policy_hash": policy_hash(&policy),
        "analyser_version": ANALYSER_VERSION,
    }))
    .unwrap();
    decision.tool = Some(tool);
    decision.looked = judgement.looked;
    Case {
        session: SessionId::from_uuid(id),
        seq: Seq(9),
        at_ms: 5,
        call: CallId::from_uuid(id),
        tool: "shell".to_owned(),
        arguments: serde_json::json!({ "command": command }).to_string(),
        cwd: "/srv/p".to_owned(),
        decision,
        policy: Some(policy.record()),
        led_to: Vec::new(),
    }
}

const COMMANDS: [(&str, Verdict); 4] = [
    ("ls -la", Verdict::Allow),
    ("make all && echo done", Verdict::Ask),
    ("cd src; git push origin main", Verdict::Deny),
    ("echo 'not closed", Verdict::Ask),
];

#[test]
fn a_decision_is_taken_again_the_same() {
    for (command, verdict) in COMMANDS {
        let found = reevaluate(&case(command, &[]));
        assert_eq!(
            found.again,
            Again::Same,
            "{command}: {:?}",
            found.differences
        );
        assert_eq!(found.verdict, Some(verdict), "{command}");
    }
}

#[test]
fn what_was_seen_then_decides_and_not_the_disk() {
    let seen = |seen| {
        let at = |path: &str, seen| LookFact::At {
            path: path.to_owned(),
            seen,
        };
        case(
            "cat src/x",
            &[at("/srv/p/src", Seen::Folder), at("/srv/p/src/x", seen)],
        )
    };
    let plain = reevaluate(&seen(Seen::File));
    let link = reevaluate(&seen(Seen::Link("/etc/shadow".to_owned())));
    assert_eq!((plain.again, link.again), (Again::Same, Again::Same));
    assert_eq!(plain.verdict, Some(Verdict::Allow));
    assert_ne!(link.verdict, Some(Verdict::Allow));
}

#[test]
fn an_earlier_grant_is_taken_into_account() {
    let mut granted = case("make all", &[]);
    granted.decision.verdict = Verdict::Allow;
    assert_eq!(reevaluate(&granted).again, Again::Different);
    granted.decision.by = DecidedBy::Grant(DecisionId::from_uuid(Uuid::from_u128(1)));
    assert_eq!(reevaluate(&granted).again, Again::Same);
}

type Tamper = fn(&mut Case);

#[test]
fn whatever_is_changed_in_a_record_differs() {
    let cases: [(&str, Tamper); 7] = [
        ("verdict", |it| it.decision.verdict = Verdict::Allow),
        ("verdict", |it| {
            it.decision.actions[0].verdict = Verdict::Allow
        }),
        ("rule", |it| {
            it.decision.actions[0].rule.rule = "mode:ask".to_owned()
        }),
        ("rule", |it| it.decision.actions[0].rule.line = Some(4)),
        ("policy", |it| {
            it.decision.policy_hash = Digest::of(b"another")
        }),
        ("call", |it| {
            it.arguments = "{\"command\":\"ls\"}".to_owned()
        }),
        ("call", |it| it.tool = "read".to_owned()),
    ];
    for (at, (what, tamper)) in cases.into_iter().enumerate() {
        let mut case = case("git push origin main", &[]);
        tamper(&mut case);
        let found = reevaluate(&case);
        assert_eq!(found.again, Again::Different, "{at}");
        assert!(
            found.differences.iter().any(|it| it.what == what),
            "{at}: {found:?}"
        );
    }
    let mut loosened = case("git push origin main", &[]);
    loosened.policy.as_mut().unwrap().rules.clear();
    assert_eq!(reevaluate(&loosened).again, Again::Different);
}

#[test]
fn a_record_of_an_earlier_version_is_said_to_be_one() {
    let forget: [(Tamper, &str); 2] = [
        (|it| it.policy = None, "the policy in force"),
        (|it| it.decision.tool = None, "of the tool"),
    ];
    for (tamper, part) in forget {
        let mut case = case("ls", &[]);
        tamper(&mut case);
        let found = reevaluate(&case);
        assert_eq!(found.again, Again::NotRecorded);
        assert!(found.why.as_deref().unwrap().contains(part), "{found:?}");
    }
}
