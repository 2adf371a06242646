//! Verdicts by mode, rule and place.

use bowline_core::TrustState;
use bowline_core::action::PathKind;

use super::*;
use crate::look::NoLook;
use crate::policy::Catalogue;
use crate::{Sandbox, policy_hash};

mod properties;

const READ: ToolFacts<'_> = ToolFacts {
    name: "read",
    risk: Risk::Low,
    tier: Tier::BuiltIn,
};
const WRITE: ToolFacts<'_> = ToolFacts {
    name: "write",
    risk: Risk::Medium,
    tier: Tier::BuiltIn,
};
const SHELL: ToolFacts<'_> = ToolFacts {
    name: "shell",
    risk: Risk::High,
    tier: Tier::BuiltIn,
};

const ASK_USER: ToolFacts<'_> = ToolFacts {
    name: "ask_user",
    risk: Risk::None,
    tier: Tier::BuiltIn,
};

fn question() -> Action {
    Action::AskPerson {
        question: bowline_core::action::Question {
            text: "Which one?".into(),
            choices: Vec::new(),
            multiple: false,
        },
    }
}

fn policy(mode: Mode, rules: &[(Verdict, &str)]) -> Policy {
    let rules = rules
        .iter()
        .map(|(verdict, text)| Rule::on_command_line(*verdict, text).unwrap());
    Policy {
        mode,
        rules: rules.collect(),
        roots: vec!["/w".into(), "/lib".into()],
        private: vec![
            "/u/.local/share/bowline".into(),
            "/u/.config/bowline/".into(),
        ],
        home: Some("/u".into()),
        trust: TrustState::Untrusted,
        sandbox: Sandbox::Unknown,
        catalogue: Catalogue::ReadOnly,
    }
}

fn trusted() -> TrustState {
    TrustState::Trusted {
        content: "00".into(),
    }
}

/// Decides in the workspace's own folder, where nobody looks.
fn decide(policy: &Policy, tool: ToolFacts<'_>, actions: &[Action], on_ask: OnAsk) -> Judgement {
    let cx = Surroundings::new("/w", &NoLook);
    super::decide(policy, tool, actions, on_ask, &cx)
}

fn file(path: &str) -> PathFact {
    linked(path, path)
}

fn linked(by_name: &str, resolved: &str) -> PathFact {
    PathFact {
        asked: by_name.into(),
        resolved: resolved.into(),
        by_name: by_name.into(),
        kind: PathKind::File,
        links: 1,
    }
}

fn read(path: PathFact) -> Action {
    Action::ReadPath { path }
}

fn write(path: PathFact) -> Action {
    Action::WritePath { path }
}

fn run(command: &str) -> Action {
    Action::Run {
        command: command.into(),
        understood: false,
    }
}

fn verdict(policy: &Policy, tool: ToolFacts<'_>, action: Action) -> Verdict {
    decide(policy, tool, &[action], OnAsk::Park).verdict
}

use Verdict::{Allow, Ask, Deny};

#[test]
fn every_mode_has_its_defaults() {
    // Verdicts in the order read-only, ask, edit, auto, full.
    let check = |tool: ToolFacts<'_>, action: Action, expect: [Verdict; 5]| {
        let found = Mode::ALL.map(|mode| verdict(&policy(mode, &[]), tool, action.clone()));
        assert_eq!(found, expect, "{action:?}");
    };
    check(READ, read(file("/w/src/a.rs")), [Allow; 5]);
    check(READ, read(file("/lib/a.rs")), [Allow; 5]);
    check(READ, read(file("/usr/include/a.h")), [Allow; 5]);
    check(READ, read(file("/o/a")), [Deny, Ask, Ask, Ask, Allow]);
    check(READ, read(file("/w-copy/a")), [Deny, Ask, Ask, Ask, Allow]);
    check(
        READ,
        read(linked("/w/latest", "/o/run.log")),
        [Deny, Ask, Ask, Ask, Allow],
    );
    check(READ, read(file("/w/.env")), [Deny, Ask, Ask, Ask, Allow]);
    check(
        READ,
        read(linked("/w/.env", "/w/plain")),
        [Deny, Ask, Ask, Ask, Allow],
    );
    check(
        WRITE,
        write(file("/w/src/a.rs")),
        [Deny, Ask, Allow, Allow, Allow],
    );
    check(
        WRITE,
        write(file("/w/.git/config")),
        [Deny, Ask, Ask, Ask, Allow],
    );
    check(
        WRITE,
        write(linked("/w/rc", "/u/.profile")),
        [Deny, Ask, Ask, Ask, Allow],
    );
    check(
        WRITE,
        write(linked("/w/out/x", "/o/out/x")),
        [Deny, Ask, Ask, Ask, Allow],
    );
    let twice = PathFact {
        links: 2,
        ..file("/w/copy")
    };
    check(WRITE, write(twice.clone()), [Deny, Ask, Ask, Ask, Allow]);
    check(READ, read(twice), [Allow; 5]);
    let unknown = PathFact {
        kind: PathKind::Unknown,
        ..file("/w/closed/a")
    };
    check(READ, read(unknown), [Deny, Ask, Ask, Ask, Allow]);
    check(SHELL, run("ls"), [Allow; 5]);
    check(SHELL, run("make"), [Deny, Ask, Ask, Ask, Allow]);
    check(
        SHELL,
        Action::reach("a.example"),
        [Deny, Ask, Ask, Ask, Allow],
    );
    check(SHELL, Action::Note, [Allow; 5]);
    check(ASK_USER, question(), [Ask; 5]);
}

#[test]
fn a_host_is_the_same_in_every_spelling() {
    let check = |verdict: Verdict, rule: &str, host: &str, expect: Verdict| {
        let reach = Action::reach(host);
        let policy = policy(Mode::Edit, &[(verdict, rule)]);
        let judged = decide(&policy, SHELL, &[reach], OnAsk::Park);
        assert_eq!(judged.verdict, expect, "{verdict:?} {rule}: {host}");
    };
    for host in [
        "2130706433",
        "0x7f.1",
        "127.0.0.1.",
        "::ffff:7f00:1",
        "127.0.0.1:8080",
    ] {
        check(Deny, "host(127.0.0.1)", host, Deny);
    }
    for host in ["docs.rs", "Docs.RS.", "docs%2ers", "docs.rs:443"] {
        check(Allow, "host(docs.rs)", host, Allow);
        check(Deny, "host(docs.rs)", host, Deny);
    }
    // What an allow rule opens has its port; what is closed is closed at any.
    check(Allow, "host(docs.rs)", "docs.rs:8443", Ask);
    check(Allow, "host(docs.rs:8443)", "docs.rs:8443", Allow);
    check(Allow, "host(docs.rs:8443)", "docs.rs", Ask);
    check(Deny, "host(docs.rs)", "docs.rs:8443", Deny);
    check(Deny, "host(docs.rs:8443)", "docs.rs", Deny);
    check(Deny, "host(docs.rs:8443)", "docs.rs:443", Ask);
    // Subdomains only.
    check(Allow, "host(*.docs.rs)", "docs.rs", Ask);
    check(Allow, "host(*.docs.rs)", "evildocs.rs", Ask);
    check(Allow, "host(*.docs.rs)", "a.b.docs.rs", Allow);
    // Nobody's name: only what names everything names it.
    check(Deny, "host(*)", "https://a{b,c}.example/", Deny);
    check(Deny, "host(*.example)", "https://a{b,c}.example/", Ask);
}

#[test]
fn a_question_is_a_persons_in_every_mode_and_no_rule_answers_it() {
    let check = |rules: &[(Verdict, &str)], on_ask: OnAsk, expect: Verdict, says: &str| {
        for mode in Mode::ALL {
            let judged = decide(&policy(mode, rules), ASK_USER, &[question()], on_ask);
            assert_eq!(judged.verdict, expect, "{mode}, {rules:?}");
            assert!(judged.reason.contains(says), "{}", judged.reason);
        }
    };
    check(&[], OnAsk::Park, Ask, "only a person can answer");
    check(&[], OnAsk::Refuse, Deny, "Nobody is there to answer");
    check(&[(Allow, "tool(ask_user)")], OnAsk::Park, Ask, "a person");
    check(
        &[(Allow, "tool(*)")],
        OnAsk::Refuse,
        Deny,
        "decide it yourself",
    );
    check(
        &[(Deny, "tool(ask_user)")],
        OnAsk::Park,
        Deny,
        "refused by the rule",
    );
}

#[test]
fn nothing_opens_private_places_and_special_files() {
    let everything = [
        (Allow, "read(/**)"),
        (Allow, "write(/**)"),
        (Allow, "write(/u/.config/bowline/config.toml)"),
        (Allow, "tool(*)"),
    ];
    let check = |action: Action, rule: &str| {
        for mode in Mode::ALL {
            let judged = decide(
                &policy(mode, &everything),
                WRITE,
                std::slice::from_ref(&action),
                OnAsk::Park,
            );
            assert_eq!(judged.verdict, Deny, "{mode} {action:?}");
            assert_eq!(judged.judged[0].rule.rule, rule, "{mode} {action:?}");
        }
    };
    check(read(file("/u/.local/share/bowline")), "private-place");
    check(
        read(file("/u/.local/share/bowline/sessions/1/journal.jsonl")),
        "private-place",
    );
    check(
        write(file("/u/.config/bowline/config.toml")),
        "private-place",
    );
    check(
        write(linked("/w/x", "/u/.config/bowline/config.toml")),
        "private-place",
    );
    check(
        write(linked("/u/.config/bowline/x", "/w/x")),
        "private-place",
    );
    let pipe = PathFact {
        kind: PathKind::Special,
        ..file("/w/queue")
    };
    check(read(pipe.clone()), "special-file");
    check(write(pipe), "special-file");
}

#[test]
fn rules_decide_by_strictness() {
    let check = |mode: Mode, rules: &[(Verdict, &str)], action: Action, expect: Verdict| {
        let judgement = decide(
            &policy(mode, rules),
            WRITE,
            std::slice::from_ref(&action),
            OnAsk::Park,
        );
        assert_eq!(
            judgement.verdict, expect,
            "{mode} {rules:?} {action:?}: {}",
            judgement.reason
        );
    };
    let guide = || write(file("/w/docs/guide.md"));
    check(Mode::Ask, &[(Allow, "write(docs/**)")], guide(), Allow);
    check(Mode::ReadOnly, &[(Allow, "write(docs/**)")], guide(), Allow);
    check(
        Mode::Ask,
        &[(Allow, "write(docs/*)")],
        write(file("/w/docs/a/b.md")),
        Ask,
    );
    check(Mode::Ask, &[(Allow, "write(DOCS/**)")], guide(), Ask);
    check(Mode::Ask, &[(Allow, "read(docs/**)")], guide(), Ask);
    check(Mode::Ask, &[(Allow, "tool(write)")], guide(), Allow);
    check(
        Mode::Full,
        &[(Deny, "write(docs/**)"), (Allow, "write(**)")],
        guide(),
        Deny,
    );
    check(
        Mode::Full,
        &[(Allow, "write(**)"), (Ask, "tool(write)")],
        guide(),
        Ask,
    );
    check(Mode::Edit, &[(Deny, "write(docs)")], guide(), Deny);
    check(Mode::Edit, &[(Deny, "write(docs/)")], guide(), Deny);
    check(
        Mode::Edit,
        &[(Deny, "write(~/x/**)")],
        write(linked("/w/x", "/u/x/y")),
        Deny,
    );
    // Deny rules see the link and what it leads to; allow rules only what it leads to.
    check(
        Mode::Edit,
        &[(Deny, "write(link)")],
        write(linked("/w/link", "/w/real")),
        Deny,
    );
    check(
        Mode::Edit,
        &[(Deny, "write(real)")],
        write(linked("/w/link", "/w/real")),
        Deny,
    );
    check(
        Mode::Ask,
        &[(Allow, "write(link)")],
        write(linked("/w/link", "/w/real")),
        Ask,
    );
    // Outside needs a rule about paths, protected paths need the very path.
    check(
        Mode::Edit,
        &[(Allow, "tool(write)")],
        write(file("/o/x")),
        Ask,
    );
    check(
        Mode::Edit,
        &[(Allow, "write(**)")],
        write(file("/o/x")),
        Ask,
    );
    check(
        Mode::Edit,
        &[(Allow, "write(/o/**)")],
        write(file("/o/x")),
        Allow,
    );
    check(
        Mode::Edit,
        &[(Allow, "write(**)")],
        write(file("/w/.git/config")),
        Ask,
    );
    check(
        Mode::Edit,
        &[(Allow, "write(.git/config)")],
        write(file("/w/.git/config")),
        Allow,
    );
    // Where not every word is known, rules about commands cannot be ruled out.
    check(Mode::Full, &[(Deny, "git push *")], run("make $("), Ask);
    check(Mode::Full, &[(Deny, "git push *")], run("$x"), Ask);
    check(Mode::Full, &[(Ask, "rm *")], run("$x"), Ask);
    check(Mode::Full, &[(Deny, "git push *")], run("make"), Allow);
    check(Mode::Full, &[(Deny, "read(x)")], run("make"), Allow);
    check(Mode::Auto, &[(Allow, "make *")], run("make"), Allow);
    check(Mode::Auto, &[(Allow, "tool(write)")], run("make"), Allow);
    check(
        Mode::Full,
        &[(Deny, "git push *"), (Deny, "tool(write)")],
        run("make"),
        Deny,
    );
}

#[test]
fn the_strictest_action_decides_and_gives_the_reason() {
    let actions = [
        read(file("/w/a")),
        write(file("/w/.git/x")),
        read(file("/w/b")),
    ];
    let judgement = decide(&policy(Mode::Edit, &[]), WRITE, &actions, OnAsk::Park);
    assert_eq!(judgement.verdict, Ask);
    assert_eq!(judgement.reason, judgement.judged[1].reason);
    let verdicts: Vec<Verdict> = judgement.judged.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Allow, Ask, Allow]);
}

#[test]
fn a_question_nobody_answers_is_refused() {
    let judgement = decide(
        &policy(Mode::Edit, &[]),
        SHELL,
        &[run("make")],
        OnAsk::Refuse,
    );
    assert_eq!(judgement.verdict, Deny);
    assert!(
        judgement.reason.contains("Nobody is there to answer"),
        "{}",
        judgement.reason
    );
    let allowed = decide(&policy(Mode::Full, &[]), SHELL, &[run("ls")], OnAsk::Refuse);
    assert_eq!(allowed.verdict, Allow);
}

#[test]
fn reasons_name_rule_and_path_and_way_out() {
    let check = |mode: Mode, rules: &[(Verdict, &str)], action: Action, expect: &[&str]| {
        let reason = decide(&policy(mode, rules), WRITE, &[action], OnAsk::Park).reason;
        for part in expect {
            assert!(reason.contains(part), "{reason} lacks {part}");
        }
    };
    check(
        Mode::Edit,
        &[],
        read(linked("/w/l", "/o/x")),
        &["`/w/l` (really `/o/x`)", "--add-dir"],
    );
    check(
        Mode::Ask,
        &[],
        write(file("/w/a")),
        &["`/w/a`", "mode edit", "write(GLOB)"],
    );
    check(
        Mode::Edit,
        &[],
        write(file("/w/.git/a")),
        &[".git/**", "spells this path out"],
    );
    let deny = [(Deny, "write(a)")];
    check(
        Mode::Edit,
        &deny,
        write(file("/w/a")),
        &["`write(a)` (command line)", "changing that rule"],
    );
    check(
        Mode::Full,
        &[(Deny, "git push *")],
        run("git $x"),
        &["`git push *`", "cannot be ruled out"],
    );
}

#[test]
fn rules_of_project_and_skills_only_tighten() {
    for (layer, tier) in [
        (Layer::Project, Tier::BuiltIn),
        (Layer::User, Tier::UserSkill),
    ] {
        let mut policy = policy(Mode::Ask, &[(Allow, "write(**)")]);
        policy.rules[0].source.layer = layer;
        policy.rules[0].source.tier = tier;
        let judgement = decide(&policy, WRITE, &[write(file("/w/a"))], OnAsk::Park);
        assert_eq!(judgement.verdict, Ask);
        assert!(
            judgement.reason.contains("cannot allow it"),
            "{}",
            judgement.reason
        );
        assert_eq!(judgement.judged[0].runner_up.len(), 1);
        policy.rules[0].verdict = Deny;
        assert_eq!(verdict(&policy, WRITE, write(file("/w/a"))), Deny);
    }
}

#[test]
fn a_tool_that_declares_nothing_is_judged_by_its_risk() {
    let check = |risk: Risk, mode: Mode, expect: Verdict| {
        let tool = ToolFacts {
            name: "x",
            risk,
            tier: Tier::BuiltIn,
        };
        let judgement = decide(&policy(mode, &[]), tool, &[], OnAsk::Park);
        assert_eq!(judgement.verdict, expect, "{risk:?} {mode}");
        assert_eq!(judgement.judged.len(), 1);
    };
    check(Risk::None, Mode::Ask, Allow);
    check(Risk::High, Mode::Auto, Ask);
    check(Risk::Low, Mode::Full, Allow);
}

#[test]
fn a_tool_that_is_not_built_in_asks_whatever_it_claims() {
    let check = |tier: Tier, mode: Mode, rules: &[(Verdict, &str)], expect: Verdict| {
        let tool = ToolFacts {
            name: "lookup",
            risk: Risk::None,
            tier,
        };
        for actions in [vec![], vec![read(file("/w/a"))], vec![Action::Note]] {
            let judged = decide(&policy(mode, rules), tool, &actions, OnAsk::Park);
            assert_eq!(
                judged.verdict, expect,
                "{tier:?} {mode} {rules:?} {actions:?}"
            );
        }
    };
    for tier in [Tier::PlugIn, Tier::UserSkill] {
        check(tier, Mode::ReadOnly, &[], Deny);
        check(tier, Mode::Ask, &[], Ask);
        check(tier, Mode::Auto, &[], Ask);
        check(tier, Mode::Full, &[], Allow);
        check(tier, Mode::Ask, &[(Allow, "tool(lookup)")], Allow);
        check(tier, Mode::Ask, &[(Allow, "tool(look*)")], Allow);
        check(tier, Mode::Ask, &[(Allow, "tool(*)")], Ask);
        check(tier, Mode::Ask, &[(Allow, "read(**)")], Ask);
        check(
            tier,
            Mode::Ask,
            &[(Allow, "tool(lookup)"), (Deny, "tool(l*)")],
            Deny,
        );
        check(tier, Mode::Full, &[(Ask, "tool(lookup)")], Ask);
    }
    check(Tier::BuiltIn, Mode::Ask, &[], Allow);
}

#[test]
fn a_search_leaves_out_what_needs_a_word() {
    let check = |mode: Mode, path: &str, expect: bool| {
        let policy = policy(mode, &[(Deny, "read(vault/**)"), (Ask, "read(plans)")]);
        assert_eq!(may_search(&policy, path), expect, "{mode} {path}");
    };
    check(Mode::Ask, "/w/src/a.rs", true);
    check(Mode::Ask, "/w/.env", false);
    check(Mode::Full, "/w/.env", true);
    check(Mode::Full, "/w/vault", false);
    check(Mode::Full, "/w/vault/a", false);
    check(Mode::Full, "/w/plans/a", false);
    check(Mode::Full, "/u/.config/bowline/config.toml", false);
}

#[test]
fn the_hash_tells_policies_apart() {
    let base = policy(Mode::Ask, &[(Deny, "read(a)")]);
    assert_eq!(policy_hash(&base), policy_hash(&base.clone()));
    let others = [
        policy(Mode::Edit, &[(Deny, "read(a)")]),
        policy(Mode::Ask, &[(Ask, "read(a)")]),
        policy(Mode::Ask, &[(Deny, "read(b)")]),
        policy(Mode::Ask, &[]),
        Policy {
            home: None,
            ..base.clone()
        },
        Policy {
            roots: vec!["/w".into()],
            ..base.clone()
        },
        Policy {
            trust: trusted(),
            ..base.clone()
        },
    ];
    for other in others {
        assert_ne!(policy_hash(&base), policy_hash(&other), "{other:?}");
    }
}

#[test]
fn auto_runs_commands_unasked_only_within_namespaces() {
    let lacking = || Sandbox::Lacking {
        why: "bubblewrap is not installed; install it".to_owned(),
    };
    let check =
        |mode: Mode, rules: &[(Verdict, &str)], sandbox: Sandbox, expect: Verdict, part: &str| {
            let policy = Policy {
                sandbox,
                ..policy(mode, rules)
            };
            let judgement = decide(&policy, SHELL, &[run("make")], OnAsk::Park);
            assert_eq!(judgement.verdict, expect, "{mode}: {}", judgement.reason);
            assert!(judgement.reason.contains(part), "{}", judgement.reason);
        };
    check(
        Mode::Auto,
        &[],
        Sandbox::Namespaces,
        Allow,
        "within a sandbox",
    );
    check(
        Mode::Auto,
        &[],
        lacking(),
        Ask,
        "bubblewrap is not installed; install it",
    );
    check(Mode::Auto, &[], Sandbox::Unknown, Ask, "only read");
    // No other mode rests on it.
    check(Mode::Ask, &[], Sandbox::Namespaces, Ask, "only read");
    check(Mode::Edit, &[], Sandbox::Namespaces, Ask, "only read");
    check(Mode::ReadOnly, &[], Sandbox::Namespaces, Deny, "read-only");
    // Rules win over it.
    check(
        Mode::Auto,
        &[(Deny, "tool(shell)")],
        Sandbox::Namespaces,
        Deny,
        "tool(shell)",
    );
    check(
        Mode::Auto,
        &[(Ask, "tool(shell)")],
        Sandbox::Namespaces,
        Ask,
        "tool(shell)",
    );
    check(
        Mode::Auto,
        &[(Deny, "ma*")],
        Sandbox::Namespaces,
        Deny,
        "`ma*`",
    );
    check(
        Mode::Auto,
        &[(Allow, "tool(shell)")],
        lacking(),
        Allow,
        "tool(shell)",
    );
}

#[test]
fn the_hash_covers_the_sandbox() {
    let hash = |sandbox| {
        policy_hash(&Policy {
            sandbox,
            ..policy(Mode::Auto, &[])
        })
    };
    let lacking = |why: &str| Sandbox::Lacking {
        why: why.to_owned(),
    };
    let all = [
        Sandbox::Unknown,
        Sandbox::Namespaces,
        lacking("a"),
        lacking("b"),
    ];
    let hashes: std::collections::BTreeSet<_> = all.into_iter().map(hash).collect();
    assert_eq!(hashes.len(), 4);
}
