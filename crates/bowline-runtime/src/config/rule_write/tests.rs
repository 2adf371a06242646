//! Rules at the end of a file, and everything else as it was.

use super::*;

fn new(verdict: Verdict, rule: &str) -> NewRule {
    NewRule {
        verdict,
        rule: rule.to_owned(),
        reason: Some("because \"I\" say so".to_owned()),
        allows: Vec::new(),
    }
}

#[test]
fn rules_are_added_once_and_the_rest_stays() {
    let check = |text: &str, rule: NewRule, expect: Option<&str>, line: u32| {
        let found = with_rules("f", text, std::slice::from_ref(&rule)).unwrap();
        assert_eq!(found.text.as_deref(), expect, "{text}");
        assert_eq!(found.lines, [Some(line)], "{text}");
    };
    let reason = "reason = 'because \"I\" say so'\n";
    let table = format!("[[rule]]\nallow = \"write(a)\"\n{reason}");
    check("", new(Verdict::Allow, "write(a)"), Some(&table), 2);
    let before = "# mine\n[[rule]] # first\ndeny = \"ls\"";
    check(
        before,
        new(Verdict::Allow, "write(a)"),
        Some(&format!("{before}\n\n{table}")),
        6,
    );
    check(
        "[[rule]]\nallow = [\"x\", \"write(a)\"]\n",
        new(Verdict::Allow, "write(a)"),
        None,
        2,
    );
    let both = "[[rule]]\ndeny = \"write(a)\"\n";
    check(
        both,
        new(Verdict::Allow, "write(a)"),
        Some(&format!("{both}\n{table}")),
        5,
    );
    let with_example = NewRule {
        allows: vec!["write a\tb".to_owned()],
        reason: None,
        ..new(Verdict::Allow, "write(a*)")
    };
    let text = "[[rule]]\nallow = \"write(a*)\"\nallows = [\"write a\\tb\"]\n";
    check("", with_example, Some(text), 2);
}

#[test]
fn a_text_that_would_be_wrong_is_not_given() {
    with_rules("f", "x", &[new(Verdict::Allow, "write(a)")]).unwrap_err();
    with_rules("f", "", &[new(Verdict::Allow, "raed(a)")]).unwrap_err();
    let wrong = NewRule {
        allows: vec!["write b".to_owned()],
        ..new(Verdict::Allow, "write(a)")
    };
    let error = with_rules("f", "", &[wrong]).unwrap_err();
    assert!(error.to_string().contains("`write b`"), "{error}");
}
