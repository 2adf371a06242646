//! Differences that other rules make to recorded calls.

use super::super::recorded::Unknown;
use super::super::sample::{FILE, call, policy, write};
use super::*;
use crate::config::parse_rules;

use Verdict::{Allow, Ask, Deny};

fn trial(text: &str, change: Change) -> Trial {
    let rules = parse_rules(Layer::User, "new.toml", text).unwrap();
    Trial::new(&rules, change, FILE, 1_800_000_000_000)
}

#[test]
fn each_difference_is_counted_where_it_belongs() {
    let then = policy(&[(Allow, "write(docs/**)")]);
    let calls = Calls {
        calls: ["docs/a.md", "docs/a.md", "docs/b.md", "src/a.rs", "vault/a"]
            .map(|path| call(&then, &write(path), None))
            .into(),
        unknown: Vec::new(),
    };
    let check = |text: &str, change: Change, expect: [usize; 4]| {
        let found = backtest(&calls, &trial(text, change)).unwrap();
        let counts = [
            found.same,
            found.newly_allowed.count,
            found.newly_asked.count,
            found.newly_denied.count,
        ];
        assert_eq!(counts, expect, "{text}");
        assert_eq!(found.calls, 5);
    };
    let rule = |verdict: &str, rule: &str| format!("[[rule]]\n{verdict} = \"{rule}\"\n");
    check("", Change::Add, [5, 0, 0, 0]);
    check("", Change::Replace, [2, 0, 3, 0]);
    check(
        &rule("allow", "write(docs/**)"),
        Change::Replace,
        [5, 0, 0, 0],
    );
    check(&rule("allow", "write(src/**)"), Change::Add, [4, 1, 0, 0]);
    check(
        &rule("allow", "write(src/**)"),
        Change::Replace,
        [1, 1, 3, 0],
    );
    check(&rule("deny", "write(vault/**)"), Change::Add, [4, 0, 0, 1]);
    check(&rule("deny", "write(docs/a.md)"), Change::Add, [3, 0, 0, 2]);
    check(&rule("ask", "write(docs/b.md)"), Change::Add, [4, 0, 1, 0]);
    let expired = format!("{}expires = 2020-01-01\n", rule("allow", "write(src/**)"));
    check(&expired, Change::Add, [5, 0, 0, 0]);
}

#[test]
fn the_same_calls_stand_together_with_what_decides_and_what_was_answered() {
    let then = policy(&[]);
    let calls = Calls {
        calls: vec![
            call(&then, &write("b"), Some(Allow)),
            call(&then, &write("a"), None),
            call(&then, &write("b"), Some(Deny)),
        ],
        unknown: Vec::new(),
    };
    let found = backtest(
        &calls,
        &trial("[[rule]]\nallow = \"write(**)\"\n", Change::Add),
    )
    .unwrap();
    let groups: Vec<_> = found
        .newly_allowed
        .groups
        .iter()
        .map(|one| (one.essence.as_str(), one.count, one.was, one.answered))
        .collect();
    assert_eq!(
        groups,
        [
            ("write /w/b", 2, Ask, (1, 1)),
            ("write /w/a", 1, Ask, (0, 0))
        ]
    );
    assert_eq!(
        found.newly_allowed.groups[0].by,
        "`write(**)` in new.toml:2"
    );
}

#[test]
fn what_cannot_be_judged_again_is_counted_and_never_guessed() {
    let then = policy(&[]);
    let mut other = call(&then, &write("a"), None);
    other.decision.analyser_version -= 1;
    let mut claims = call(&then, &write("a"), None);
    claims.decision.actions[0].verdict = Allow;
    let unknown = Unknown {
        decision: other.decision.id,
        essence: "make".to_owned(),
        why: UnknownWhy::NotRecorded,
    };
    let calls = Calls {
        calls: vec![other, claims],
        unknown: vec![unknown],
    };
    let found = backtest(
        &calls,
        &trial("[[rule]]\nallow = \"write(**)\"\n", Change::Add),
    )
    .unwrap();
    assert_eq!((found.calls, found.newly_allowed.count), (0, 0));
    let expect = BTreeMap::from([(UnknownWhy::NotRecorded, 1), (UnknownWhy::ReadOtherwise, 2)]);
    assert_eq!(found.unknown, expect);
    assert_eq!(found.unknown_examples[0], "make");
}
