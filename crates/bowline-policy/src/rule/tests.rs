//! Rules as written.

use super::*;

#[test]
fn reads_every_kind() {
    let check = |text: &str, expect: &str| {
        let rule = Rule::on_command_line(Verdict::Deny, text).unwrap();
        let kind = match rule.pattern {
            Pattern::Read(glob) => format!("read {}", glob.text()),
            Pattern::Write(glob) => format!("write {}", glob.text()),
            Pattern::Send(glob) => format!("send {}", glob.text()),
            Pattern::Tool(name) => format!("tool {name}"),
            Pattern::Host(name) => format!("host {name}"),
            Pattern::Mcp { server, tool } => format!("mcp {server} {tool}"),
            Pattern::Spend(micro_usd) => format!("spend {micro_usd}"),
            Pattern::Argv(words) => format!("argv {words:?}"),
        };
        assert_eq!(kind, expect, "{text}");
    };
    check("read(src/**)", "read src/**");
    check(" write( ~/notes/* ) ", "write ~/notes/*");
    check("send(vault/**)", "send vault/**");
    check("tool(mcp__*)", "tool mcp__*");
    check("git push *", r#"argv ["git", "push", "*"]"#);
    check("echo (x)", r#"argv ["echo", "(x)"]"#);
    check("host(*.Docs.rs)", "host *.docs.rs");
    check("host(docs.rs.)", "host docs.rs");
    check("host(docs.rs:8443)", "host docs.rs:8443");
    check("host(0x7f.1)", "host 127.0.0.1");
    check("host([0::1])", "host [::1]");
    check("mcp(issues/*)", "mcp issues *");
    check("mcp(a/b/c)", "mcp a b/c");
    check("spend(2.5)", "spend 2500000");
    check("spend(0.000001)", "spend 1");
    check("spend(0)", "spend 0");
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
    check("send()", "it is empty");
    check("send(vault/**", "closing parenthesis");
    check("tool()", "names no tool");
    check("read(../x)", "write an absolute path");
    check("read(~ann/x)", "`~name` is not known");
    check("read([)", "unclosed");
    check("git  push", "one blank");
    check("host()", "names no host");
    check("host(https://docs.rs)", "the host's name alone");
    check("host(docs.rs:443)", "the host's name alone");
    check("host(docs.rs:x)", "no port");
    check("host(a..b)", "no host");
    check("mcp(issues)", "SERVER/TOOL");
    check("mcp(/list)", "SERVER/TOOL");
    for amount in [
        "",
        "-1",
        "1.0000001",
        "1e3",
        ".5",
        "99999999999999999999",
        "x",
    ] {
        check(&format!("spend({amount})"), "give dollars");
    }
    check("host(x", "closing parenthesis");
    check("git\tpush", "control character");
    check(&"x".repeat(RULE_BYTES_MAX + 1), "longer than 4096 bytes");
}

#[test]
fn money_is_only_denied() {
    for verdict in [Verdict::Allow, Verdict::Ask] {
        let error = Rule::on_command_line(verdict, "spend(5)").unwrap_err();
        assert!(
            error.to_string().contains("money can only be denied"),
            "{error}"
        );
    }
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
