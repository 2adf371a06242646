//! Journals with many judged calls, written by the journal crate.

use bowline_core::action::{PathFact, PathKind};
use bowline_core::call::ReplayPlan;
use bowline_core::decision::{DecidedBy, Judged, JudgedTool, Layer, RuleSource, Scope};
use bowline_core::event::{Decided, DecisionAnswered, PolicyRecorded};
use bowline_core::{
    Action, Decision, DecisionId, Digest, Epoch, Event, Fact, Mode, OnAsk, PolicyRecord,
    ReplayClass, Risk, SessionId, Tier, Verdict,
};
use bowline_journal::{Journal as _, Owner, Store};
use bowline_policy::ANALYSER_VERSION;

use crate::support::Scratch;

/// When the recorded calls were judged: 2026-01-01.
const AT_MS: u64 = 1_767_225_600_000;

/// One call to be recorded.
pub(super) struct Call {
    /// Whether it writes; else it reads.
    pub writes: bool,
    /// Its path in the workspace.
    pub path: String,
    /// What was decided.
    pub verdict: Verdict,
    /// What a person answered.
    pub answer: Option<Verdict>,
    /// Whether all that judges it again is recorded.
    pub is_whole: bool,
}

/// Writes calls as sessions of at most 1,000 each, under a policy in mode `ask` without rules.
pub(super) fn record(scratch: &Scratch, calls: &[Call]) {
    let store = Store::at(scratch.home());
    let owner = Owner {
        pid: std::process::id(),
        since_ms: AT_MS,
        app_version: "0.0.0".to_owned(),
        command: "test".to_owned(),
        terminal: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let root = scratch.work().display().to_string();
    let policy = PolicyRecord {
        mode: Mode::Ask,
        rules: Vec::new(),
        roots: vec![root.clone()],
        private: Vec::new(),
        home: None,
        trust: bowline_core::TrustState::Untrusted,
        sandbox: bowline_core::Sandbox::Unknown,
    };
    let hash = Digest::of(b"the policy of these tests");
    for (number, calls) in calls.chunks(1_000).enumerate() {
        let session: SessionId = id(1, number).parse().expect("an id");
        let mut owned = store.create(session, &owner).expect("a new session");
        let recorded = PolicyRecorded {
            hash,
            policy: policy.clone(),
        };
        let mut batch = vec![Event::new(AT_MS, Fact::PolicyRecorded(Box::new(recorded)))];
        for (at, call) in calls.iter().enumerate() {
            batch.extend(facts(call, &root, hash, number * 1_000 + at));
        }
        runtime
            .block_on(owned.journal.append(Epoch(0), batch))
            .expect("it is durable");
    }
}

fn id(kind: u8, number: usize) -> String {
    format!("01900000-000{kind}-7000-8000-{number:012x}")
}

fn facts(call: &Call, root: &str, hash: Digest, number: usize) -> Vec<Event> {
    let (name, risk, judged) = judged(call, root);
    let decision: DecisionId = id(2, number).parse().expect("an id");
    let decided = Decided {
        call: id(3, number).parse().expect("an id"),
        decision: Decision {
            id: decision,
            verdict: call.verdict,
            by: DecidedBy::Policy,
            reason: String::new(),
            digest: Digest::of(call.path.as_bytes()),
            essence: format!("{name} {}", call.path),
            actions: vec![judged],
            tool: call.is_whole.then(|| JudgedTool {
                name: name.to_owned(),
                tier: Tier::BuiltIn,
                risk,
            }),
            looked: Vec::new(),
            trust: None,
            outside: None,
            keeping: None,
            repeats: None,
            on_ask: OnAsk::Park,
            preview: None,
            replay: ReplayPlan {
                class: ReplayClass::Once,
            },
            mode: Mode::Ask,
            confinement: None,
            executes: Vec::new(),
            scope: Scope::Once,
            expires_at_ms: None,
            policy_hash: hash,
            analyser_version: ANALYSER_VERSION,
        },
    };
    let mut facts = vec![Event::new(AT_MS, Fact::Decided(Box::new(decided)))];
    if let Some(verdict) = call.answer {
        let answered = DecisionAnswered {
            key: format!("answer-{decision}"),
            decision,
            verdict,
            scope: Scope::Once,
            by: "the command line".to_owned(),
            note: None,
        };
        facts.push(Event::new(AT_MS + 1, Fact::DecisionAnswered(answered)));
    }
    facts
}

/// The tool, its risk, and what was said of the one action.
fn judged(call: &Call, root: &str) -> (&'static str, Risk, Judged) {
    let whole = format!("{root}/{}", call.path);
    let path = PathFact {
        asked: whole.clone(),
        resolved: whole.clone(),
        by_name: whole,
        kind: PathKind::File,
        links: 1,
    };
    let (name, risk, action) = if call.writes {
        ("write", Risk::Medium, Action::WritePath { path })
    } else {
        ("read", Risk::Low, Action::ReadPath { path })
    };
    let judged = Judged {
        action,
        verdict: call.verdict,
        reason: String::new(),
        rule: RuleSource {
            layer: Layer::BuiltIn,
            tier: Tier::BuiltIn,
            rule: "mode:ask".to_owned(),
            file: None,
            line: None,
        },
        runner_up: Vec::new(),
        segment: None,
    };
    (name, risk, judged)
}
