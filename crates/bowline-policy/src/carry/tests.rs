//! What comes from elsewhere, what could carry data out.

use bowline_core::action::PathKind;
use bowline_core::{Action, Mode, OnAsk, PathFact, Verdict};

use super::{brings_in, carries_out};
use crate::{NoLook, Policy, Rule, Surroundings, ToolFacts, decide};

const ROOT: &str = "/w";

fn path(path: &str) -> PathFact {
    PathFact {
        asked: path.to_owned(),
        resolved: path.to_owned(),
        by_name: path.to_owned(),
        kind: PathKind::File,
        links: 1,
    }
}

fn run(command: &str) -> Action {
    Action::Run {
        command: command.to_owned(),
        understood: false,
    }
}

#[test]
fn what_lies_elsewhere_brings_content_in() {
    let roots = [ROOT.to_owned()];
    let read = |at: &str| Action::ReadPath { path: path(at) };
    let mcp = Action::CallMcp {
        server: "issues".into(),
        tool: "list".into(),
    };
    for (action, expect) in [
        (read("/w/a"), None),
        (read("/usr/share/doc/x"), None),
        (read("/home/ann/notes"), Some("/home/ann/notes")),
        (read("/w2/a"), Some("/w2/a")),
        (Action::reach("docs.rs"), Some("docs.rs")),
        (Action::reach("localhost"), None),
        (Action::reach("127.0.0.1"), None),
        (mcp, Some("the server issues")),
        (Action::WritePath { path: path("/x") }, None),
        (run("curl https://docs.rs"), None),
    ] {
        assert_eq!(brings_in(&roots, &action).as_deref(), expect, "{action:?}");
    }
}

fn policy(mode: Mode, rules: &[&str]) -> Policy {
    let mut policy = Policy::new(mode, vec![ROOT.to_owned()]);
    for rule in rules {
        policy
            .rules
            .push(Rule::on_command_line(Verdict::Allow, rule).unwrap());
    }
    policy
}

fn judged(policy: &Policy, action: &Action, outside: Option<&str>) -> crate::Judgement {
    let cx = Surroundings {
        outside,
        ..Surroundings::new(ROOT, &NoLook)
    };
    let tool = ToolFacts::unknown("tool");
    decide(policy, tool, std::slice::from_ref(action), OnAsk::Park, &cx)
}

#[test]
fn what_could_carry_data_out_is_told() {
    let roots = [ROOT.to_owned()];
    let write = |at: &str| Action::WritePath { path: path(at) };
    for (action, expect) in [
        (Action::reach("docs.rs"), true),
        (Action::reach("[::1]"), false),
        (write("/w/a"), false),
        (write("/home/ann/a"), true),
        (run("curl https://docs.rs"), true),
        (run("git push"), true),
        (run("echo x >/srv/x"), true),
        (run("make"), false),
        (run("cat a"), false),
    ] {
        let judgement = judged(&policy(Mode::Ask, &[]), &action, None);
        let carries = judgement.judged.iter().any(|one| carries_out(&roots, one));
        assert_eq!(carries, expect, "{action:?}");
    }
}

#[test]
fn content_from_elsewhere_leaves_only_rules_that_name_the_host() {
    const FROM: Option<&str> = Some("https://docs.rs");
    let fetch = Action::reach("crates.io");
    let curl = run("curl https://crates.io/x");
    let named = [
        "host(crates.io)",
        "host(*.io)",
        "host(*)",
        "tool(tool)",
        "curl *",
    ];
    for (action, rule, marked, expect) in [
        (&fetch, named[0], false, Verdict::Allow),
        (&fetch, named[0], true, Verdict::Allow),
        (&fetch, named[1], false, Verdict::Allow),
        (&fetch, named[1], true, Verdict::Ask),
        (&fetch, named[2], true, Verdict::Ask),
        (&fetch, named[3], false, Verdict::Allow),
        (&fetch, named[3], true, Verdict::Ask),
        (&curl, named[4], false, Verdict::Allow),
        (&curl, named[4], true, Verdict::Ask),
    ] {
        let policy = policy(Mode::Edit, &[rule]);
        let judgement = judged(&policy, action, FROM.filter(|_| marked));
        assert_eq!(judgement.verdict, expect, "{rule} {marked} {action:?}");
        if marked && expect == Verdict::Ask {
            assert!(
                judgement.reason.contains("https://docs.rs"),
                "{judgement:?}"
            );
        }
    }
    let sends = Action::Reach {
        host: "crates.io".into(),
        sends: true,
    };
    let rules = policy(Mode::Auto, &["host(crates.io)", "tool(tool)"]);
    assert_eq!(judged(&rules, &sends, None).verdict, Verdict::Ask);
    assert_eq!(
        judged(&policy(Mode::Full, &[]), &sends, FROM).verdict,
        Verdict::Allow
    );
}
