//! What is suggested, and what never is.

use super::super::sample::{call, policy, run, write};
use super::*;

use Verdict::{Allow, Deny};

fn suggested(recorded: &[(Action, Option<Verdict>)]) -> Vec<(String, usize)> {
    let policy = policy(&[]);
    let calls = Calls {
        calls: recorded
            .iter()
            .map(|(action, answer)| call(&policy, action, *answer))
            .collect(),
        unknown: Vec::new(),
    };
    let found = suggest(&calls).unwrap();
    let saves: usize = found.rules.iter().map(|one| one.saves).sum();
    assert_eq!(saves, found.saved);
    found
        .rules
        .into_iter()
        .map(|one| (one.rule, one.saves))
        .collect()
}

#[test]
fn what_was_allowed_again_and_again_is_suggested_and_nothing_that_was_denied() {
    let a = || (write("docs/a.md"), Some(Allow));
    let b = || (write("docs/b.md"), Some(Allow));
    assert_eq!(suggested(&[]), []);
    assert_eq!(suggested(&[a()]), [], "one prompt is no burden");
    assert_eq!(suggested(&[a(), b()]), []);
    assert_eq!(
        suggested(&[a(), b(), a(), b(), a()]),
        [
            ("write(/w/docs/a.md)".to_owned(), 3),
            ("write(/w/docs/b.md)".to_owned(), 2)
        ]
    );
    assert_eq!(suggested(&[a(), a(), (write("docs/a.md"), Some(Deny))]), []);
    assert_eq!(
        suggested(&[(write("x"), None), (write("x"), None)]),
        [],
        "nobody answered"
    );
    // No rule spells it out.
    let odd = || (write("a/../b"), Some(Allow));
    assert_eq!(suggested(&[odd(), odd()]), []);
}

#[test]
fn commands_are_suggested_by_their_first_words_where_nobody_denied_one() {
    let check = |allowed: &[&str], denied: &[&str], expect: &[(&str, usize)]| {
        let recorded: Vec<(Action, Option<Verdict>)> = allowed
            .iter()
            .map(|text| (run(text), Some(Allow)))
            .chain(denied.iter().map(|text| (run(text), Some(Deny))))
            .collect();
        let found = suggested(&recorded);
        let found: Vec<(&str, usize)> = found
            .iter()
            .map(|(rule, saves)| (rule.as_str(), *saves))
            .collect();
        assert_eq!(found, expect, "{allowed:?}");
    };
    check(&["factor 1", "factor 1"], &[], &[("factor 1", 2)]);
    check(
        &["factor 1", "factor 2", "factor 3"],
        &[],
        &[("factor *", 3)],
    );
    check(&["factor 1", "factor 2 | head"], &[], &[("factor *", 2)]);
    check(
        &["factor 1 && factor 2", "factor 3"],
        &[],
        &[("factor *", 2)],
    );
    check(
        &["factor 1", "factor 2", "factor 1"],
        &["factor 9"],
        &[("factor 1", 2)],
    );
    check(
        &["npm run test", "npm run test -- -x", "npm run test -- -y"],
        &["npm run build"],
        &[("npm run test *", 3)],
    );
    // One call that needs two rules is one prompt; the rules save it together with others only.
    check(
        &["factor 1; sum x", "factor 1; sum x", "factor 1", "factor 1"],
        &[],
        &[("factor 1", 2), ("sum x", 2)],
    );
    // Programs that run whatever they are told, redirections, publishing, unknown words.
    check(&["bash a.sh", "bash a.sh"], &[], &[]);
    check(&["python3 -c 1", "python3 -c 1"], &[], &[]);
    check(&["sudo factor 1", "sudo factor 1"], &[], &[]);
    check(&["factor $x", "factor $x"], &[], &[]);
    check(&["git push", "git push"], &[], &[]);
    check(&["npm publish", "npm publish"], &[], &[]);
}

#[test]
fn what_nobody_answered_is_named() {
    let policy = policy(&[]);
    let a = |answer| call(&policy, &write("a"), answer);
    let calls = Calls {
        calls: vec![a(Some(Allow)), a(None), a(Some(Allow))],
        unknown: Vec::new(),
    };
    let found = suggest(&calls).unwrap();
    assert_eq!((found.prompts, found.saved), (2, 2));
    assert_eq!(found.rules[0].also, ["write /w/a"]);
}
