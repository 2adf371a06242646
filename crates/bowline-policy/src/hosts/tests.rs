//! Hosts against rules.

use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{Mode, Tier};

use super::*;
use crate::rule::Rule;

fn policy(rules: &[(Verdict, &str, Layer)]) -> Policy {
    let rule = |(verdict, text, layer): &(Verdict, &str, Layer)| {
        let source = RuleSource {
            layer: *layer,
            tier: Tier::BuiltIn,
            rule: (*text).to_owned(),
            file: None,
            line: None,
        };
        Rule::parse(*verdict, source).unwrap()
    };
    Policy {
        rules: rules.iter().map(rule).collect(),
        ..Policy::new(Mode::Ask, Vec::new())
    }
}

#[test]
fn only_a_rule_that_spells_a_host_out_opens_it() {
    let check = |verdict, rule: &str, host: &str, port: u16, expect: (bool, bool, bool)| {
        let policy = policy(&[(verdict, rule, Layer::User)]);
        let standing = host_standing(&policy, &Host::parse(host).unwrap(), port);
        let found = (standing.allows_exactly, standing.denies, standing.asks);
        assert_eq!(found, expect, "{rule} {host}:{port}");
    };
    use Verdict::{Allow, Ask, Deny};
    let (yes, no, none) = (
        (true, false, false),
        (false, true, false),
        (false, false, false),
    );
    check(Allow, "host(127.0.0.1)", "127.0.0.1", 80, yes);
    check(Allow, "host(127.0.0.1)", "0x7f.1", 443, yes);
    check(Allow, "host(127.0.0.1)", "127.0.0.1", 8080, none);
    check(Allow, "host(127.0.0.1:8080)", "127.0.0.1", 8080, yes);
    check(Allow, "host(127.0.0.1:8080)", "127.0.0.1", 80, none);
    check(Allow, "host(*)", "127.0.0.1", 80, none);
    check(Allow, "host(127.*)", "127.0.0.1", 80, none);
    check(Allow, "host(localhost)", "127.0.0.1", 80, none);
    check(Allow, "tool(fetch)", "127.0.0.1", 80, none);
    check(Deny, "host(127.0.0.1)", "127.0.0.1", 8080, no);
    check(Deny, "host(127.0.0.1:81)", "127.0.0.1", 8080, none);
    check(Deny, "host(*.docs.rs)", "a.docs.rs", 80, no);
    check(Ask, "host(docs.rs)", "docs.rs", 80, (false, false, true));
}

#[test]
fn a_project_that_nobody_trusts_opens_nothing() {
    let host = Host::parse("localhost").unwrap();
    let project = policy(&[(Verdict::Allow, "host(localhost)", Layer::Project)]);
    assert!(project.trust.is_untrusted());
    assert!(!host_standing(&project, &host, 80).allows_exactly);
}

#[test]
fn commands_reach_what_rules_open_less_what_others_close() {
    use Verdict::{Allow, Ask, Deny};
    let check = |rules: &[(Verdict, &str)], is_marked: bool, expect: &[&str]| {
        let rules: Vec<_> = rules
            .iter()
            .map(|(verdict, rule)| (*verdict, *rule, Layer::User))
            .collect();
        assert_eq!(open_hosts(&policy(&rules), is_marked), expect, "{rules:?}");
    };
    check(&[], false, &[]);
    check(
        &[(Deny, "host(a.example)"), (Ask, "host(b.example)")],
        false,
        &[],
    );
    let rules = [
        (Allow, "host(*)"),
        (Allow, "host(docs.rs:8443)"),
        (Allow, "host(*.crates.io)"),
        (Deny, "host(evil.example)"),
        (Ask, "host(*.corp.example)"),
        (Allow, "curl *"),
    ];
    let closed = ["!*.corp.example", "!evil.example"];
    let all = [&["*", "*.crates.io", "docs.rs:8443"][..], &closed].concat();
    check(&rules, false, &all);
    // With content from outside in the session, what names every host names none.
    let named = [&["*.crates.io", "docs.rs:8443"][..], &closed].concat();
    check(&rules, true, &named);
    let project = policy(&[(Allow, "host(docs.rs)", Layer::Project)]);
    assert!(
        open_hosts(&project, false).is_empty(),
        "nobody trusts the project"
    );
    let mut lapsing = policy(&[(Allow, "host(docs.rs)", Layer::User)]);
    lapsing.rules[0].expires_at_ms = Some(u64::MAX);
    assert!(
        open_hosts(&lapsing, false).is_empty(),
        "what lapses opens nothing that lasts"
    );
}
