//! Bodies that are no reply: cut, empty, foreign, or an error report.

use serde_json::{Value, json};

use super::{FailureKind, block, called, end, everything, read, started, stream, text};

fn check(body: &str, kind: FailureKind, part: &str) {
    let failure = read(body).unwrap_err();
    let message = &failure.message;
    assert_eq!(failure.kind, kind, "{body:?}: {message}");
    assert!(message.contains(part), "{body:?}: {message}");
    assert!(!message.contains(['\u{1b}', '\n', '\0']), "{message:?}");
}

#[test]
fn an_end_too_early_is_a_cut() {
    let unfinished = "before the model was finished";
    let all = everything();
    for length in 1..all.len() {
        check(&stream(&all[..length]), FailureKind::Cut, unfinished);
    }
    let torn = stream(&all);
    check(
        torn.trim_end().trim_end_matches('}'),
        FailureKind::Cut,
        unfinished,
    );
    check("", FailureKind::Cut, "the body is empty");
    check(
        r#"{"type":"message","content":[{"ty"#,
        FailureKind::Cut,
        "not whole",
    );
    check("data: [DONE]\n\n", FailureKind::Cut, unfinished);
}

#[test]
fn nothing_said_is_empty() {
    let check = |events: &[Value]| {
        let mut all = vec![started()];
        all.extend_from_slice(events);
        all.extend(end("end_turn"));
        check(
            &stream(&all),
            FailureKind::Empty,
            "neither text nor a tool call",
        );
    };
    check(&[]);
    check(&[text(0, " \n")]);
    check(&[block(
        0,
        json!({"type": "thinking", "thinking": "hm", "signature": "s"}),
    )]);
    check(&[block(0, json!({"type": "text", "text": ""}))]);
}

#[test]
fn what_is_not_the_dialect_is_malformed() {
    let check = |body: &str, part: &str| check(body, FailureKind::Malformed, part);
    let chunk = json!({"choices": [{"delta": {"content": "hi"}}]});
    check("<html>\u{1b}[31mSign in", "no Messages reply");
    check("It works!", "it begins `It works!`");
    check("[]", "it begins `[]`");
    check("{}", "it begins `{}`");
    check(&chunk.to_string(), "it is of the Chat dialect");
    check(&format!("data: {chunk}\n\n"), "it is of the Chat dialect");
    check(
        &format!("event: x\ndata: {chunk}\n\n"),
        "it is of the Chat dialect",
    );
    check("data: {\"x\": 1}\n\n", "an event names no type");
    check("data: hello\n\n", "an event holds `hello`");
    check(
        "event: message_start\ndata: [1]\n\n",
        "an event holds `[1]`",
    );
}

#[test]
fn errors_are_failures_by_their_type() {
    use FailureKind::{Auth, BadRequest, Cut, NotFound, RateLimited, Unavailable};
    let error = |kind: &str| json!({"type": "error", "error": {"type": kind, "message": "sk-secret: no"}, "request_id": "r"});
    for (kind, expect) in [
        ("overloaded_error", Unavailable),
        ("api_error", Unavailable),
        ("timeout_error", Unavailable),
        ("rate_limit_error", RateLimited),
        ("authentication_error", Auth),
        ("permission_error", Auth),
        ("not_found_error", NotFound),
        ("invalid_request_error", BadRequest),
        ("request_too_large", BadRequest),
        ("billing_error", BadRequest),
        ("new_error", Unavailable),
    ] {
        let error = error(kind);
        check(&error.to_string(), expect, "***: no");
        check(&stream(std::slice::from_ref(&error)), expect, "***: no");
        check(&format!("data: {error}\n\n"), expect, "***: no");
        check(&stream(&[started(), error.clone()]), expect, "***: no");
    }
    let late = [started(), called(0, "a", "read"), error("overloaded_error")];
    check(&stream(&late), Cut, "***: no");
    check(
        "event: error\ndata: plain words\n\n",
        Unavailable,
        "plain words",
    );
    check(
        "data: {\"error\":{\"message\":\"boom\"}}\n\n",
        Unavailable,
        "boom",
    );
}
