//! Tests of records and what they come to.

use super::*;

fn verdict(record: &str) -> Verdict {
    Trial::parse(record).unwrap().judge().verdict
}

const PLACE: &str = r#""cwd_context":{"workspace":"/w/p","cwd":"/w/p","home":"/home/dev","fs":{"out":"symlink -> /etc"}}"#;

#[test]
fn both_kinds_of_record_are_judged() {
    let check = |rest: &str, expect: Verdict| {
        assert_eq!(
            verdict(&format!("{{\"id\":1,{PLACE},{rest}}}")),
            expect,
            "{rest}"
        );
    };
    let policy = r#""policy":{"mode":"read-only","allow":[],"ask":[],"deny":["rm *"]}"#;
    check(&format!(r#""command":"ls src",{policy}"#), Verdict::Allow);
    check(&format!(r#""command":"(rm x)",{policy}"#), Verdict::Deny);
    check(
        &format!(r#""command":"cat out/passwd",{policy}"#),
        Verdict::Ask,
    );
    let call =
        |tool: &str, input: &str| format!(r#""tool":"{tool}","input":{input},"mode":"auto""#);
    check(&call("read", r#"{"path":"src/a.rs"}"#), Verdict::Allow);
    check(&call("read", r#"{"path":".env"}"#), Verdict::Ask);
    check(
        &call("edit", r#"{"path":"out/passwd","edits":[]}"#),
        Verdict::Ask,
    );
    check(&call("glob", r#"{"pattern":"*.rs"}"#), Verdict::Allow);
    check(
        &call("fetch", r#"{"url":"https://a.example/x"}"#),
        Verdict::Ask,
    );
}

#[test]
fn what_is_wrong_with_a_record_is_said() {
    let check = |record: &str, expect: &str| {
        let error = Trial::parse(record).unwrap_err();
        assert!(error.contains(expect), "{record}: {error}");
    };
    check("{", "EOF");
    check("{}", "cwd_context");
    check(&format!("{{{PLACE}}}"), "neither `policy` nor `mode`");
    check(
        &format!("{{{PLACE},\"mode\":\"auto\"}}"),
        "neither `command` nor `tool`",
    );
    check(
        &format!("{{{PLACE},\"mode\":\"x\",\"tool\":\"read\"}}"),
        "mode `x` is not known",
    );
    check(
        &format!("{{{PLACE},\"mode\":\"auto\",\"tool\":\"read\"}}"),
        "`read` needs `path`",
    );
}

#[test]
fn hosts_of_addresses() {
    for (url, expect) in [
        ("https://a.example/x?y#z", "a.example"),
        ("http://user:pw@a.example:8080", "a.example"),
        ("https://[::1]:80/", "[::1]"),
        ("a.example", "a.example"),
    ] {
        assert_eq!(host(url), expect, "{url}");
    }
}
