//! Rules as written.

use super::*;

#[test]
fn reads_every_kind() {
    let check = |text: &str, expect: &str| {
        let rule = Rule::on_command_line(Verdict::Allow, text).unwrap();
        let kind = match rule.pattern {
            Pattern::Read(glob) => format!("read {}", glob.text()),
            Pattern::Write(glob) => format!("write {}", glob.text()),
            Pattern::Tool(name) => format!("tool {name}"),
            Pattern::Argv(words) => format!("argv {words:?}"),
        };
        assert_eq!(kind, expect, "{text}");
    };
    check("read(src/**)", "read src/**");
    check(" write( ~/notes/* ) ", "write ~/notes/*");
    check("tool(mcp__*)", "tool mcp__*");
    check("git push *", r#"argv ["git", "push", "*"]"#);
    check("echo (x)", r#"argv ["echo", "(x)"]"#);
}

#[test]
fn says_what_is_wrong_with_a_rule() {
    let check = |text: &str, expect: &str| {
        let error = Rule::on_command_line(Verdict::Deny, text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expect), "{text}: {error}");
    };
    check("  ", "a rule is empty");
    check("raed(src/**)", "there is no `raed(..)`");
    check("read()", "it is empty");
    check("tool()", "names no tool");
    check("read(../x)", "write an absolute path");
    check("read(~ann/x)", "`~name` is not known");
    check("read([)", "unclosed");
    check("git  push", "one blank");
}

/// A new variant does not compile here until it is provoked.
#[test]
fn every_error_of_a_rule_is_provoked_and_makes_no_rule() {
    let place = |error: &RuleError| match error {
        RuleError::Empty => 0,
        RuleError::UnknownKind { .. } => 1,
        RuleError::Unusable { .. } => 2,
    };
    let provoked = ["", "raed(x)", "read([)"].map(|text| {
        let error = Rule::on_command_line(Verdict::Allow, text).unwrap_err();
        place(&error)
    });
    assert_eq!(provoked, [0, 1, 2]);
}

#[test]
fn names_fit_with_stars() {
    let check = |pattern: &str, name: &str, expect: bool| {
        assert_eq!(name_fits(pattern, name), expect, "{pattern} {name}");
    };
    check("read", "read", true);
    check("read", "reads", false);
    check("mcp__*", "mcp__files__read", true);
    check("*", "", true);
    check("*_file", "read_file", true);
    check("a*b*c", "a-b-b-c", true);
    check("a*b*c", "a-c", false);
    check("é*", "éa", true);
}
