//! What is added to a recorded configuration, and what is not.

use super::*;
use crate::Tier;

fn rule(verdict: Verdict, layer: Layer, text: &str) -> RuleInForce {
    RuleInForce {
        verdict,
        source: RuleSource {
            layer,
            tier: Tier::BuiltIn,
            rule: text.to_owned(),
            file: Some("config.toml".to_owned()),
            line: Some(3),
        },
        reason: None,
        expires_at_ms: None,
    }
}

fn of(home: &str, rules: &[RuleInForce]) -> Configured {
    Configured {
        rules: rules.to_vec(),
        home: Some(home.to_owned()),
        ..Configured::default()
    }
}

#[test]
fn only_what_is_stricter_is_added() {
    let (allow, ask, deny) = (Verdict::Allow, Verdict::Ask, Verdict::Deny);
    let kept = [
        rule(allow, Layer::User, "write(docs/**)"),
        rule(deny, Layer::User, "write(a)"),
    ];
    let table = [
        // (what the files say now, what is added)
        (rule(allow, Layer::User, "tool(shell)"), None),
        (rule(deny, Layer::User, "write(a)"), None),
        (rule(deny, Layer::Project, "write(a)"), None),
        (rule(ask, Layer::User, "write(a)"), Some("write(a)")),
        (
            rule(deny, Layer::Project, "write(docs/**)"),
            Some("write(docs/**)"),
        ),
        (
            rule(deny, Layer::User, "read(~/notes)"),
            Some("read(~/notes)"),
        ),
    ];
    for (now, expect) in table {
        let mut mine = of("/home/ann", &kept);
        let added = mine.tighten(&of("/home/ann", std::slice::from_ref(&now)));
        let texts: Vec<&str> = added.iter().map(|one| one.source.rule.as_str()).collect();
        assert_eq!(texts, expect.into_iter().collect::<Vec<_>>(), "{now:?}");
        assert_eq!(mine.rules[..2], kept, "nothing recorded is lost");
        assert_eq!(mine.rules.len(), 2 + added.len());
    }
}

#[test]
fn a_rule_of_another_home_keeps_its_place() {
    let table = [
        ("read(~/notes/**)", "read(/h/b\\[1\\]/notes/**)"),
        ("write( ~ )", "write(/h/b\\[1\\] )"),
        ("read(notes/~x)", "read(notes/~x)"),
        ("tool(~)", "tool(~)"),
        ("git push ~", "git push ~"),
    ];
    for (text, expect) in table {
        let mut mine = of("/home/ann", &[]);
        let now = of("/h/b[1]/", &[rule(Verdict::Deny, Layer::User, text)]);
        let added = mine.tighten(&now);
        assert_eq!(added[0].source.rule, expect);
        assert!(mine.tighten(&now).is_empty(), "it is added once");
    }
}

#[test]
fn places_of_another_process_stand_beside() {
    let places = |private: &[&str]| Configured {
        private: private.iter().map(ToString::to_string).collect(),
        ..Configured::default()
    };
    let both = places(&["/state", "/config"]).beside(&places(&["/config", "/elsewhere"]));
    assert_eq!(both.private, ["/state", "/config", "/elsewhere"]);
}

#[test]
fn nothing_configured_is_an_empty_record() {
    let empty = serde_json::to_string(&Configured::default()).expect("it serialises");
    assert_eq!(empty, "{}");
    let read: Configured = serde_json::from_str("{}").expect("it reads");
    assert_eq!(read, Configured::default());
}
