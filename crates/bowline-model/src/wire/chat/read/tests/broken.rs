//! Bodies that are no reply: cut, empty, foreign, or an error report.

use serde_json::{Value, json};

use super::{FailureKind, delta, end, read, reader, stream};

fn check_failure(body: &str, kind: FailureKind, part: &str) {
    let failure = read(body).unwrap_err();
    assert_eq!(failure.kind, kind, "{body:?}: {}", failure.message);
    assert!(
        failure.message.contains(part),
        "{body:?}: {}",
        failure.message
    );
    assert!(
        !failure.message.contains(['\u{1b}', '\n', '\0']),
        "{:?}",
        failure.message
    );
    assert!(failure.message.chars().count() < 700, "{}", failure.message);
}

/// A stream that says something, then `frame`.
fn after_words(frame: &str) -> String {
    format!("data: {}\n\n{frame}\n\n", delta(json!({"content": "par"})))
}

#[test]
fn an_end_too_early_is_a_cut() {
    let check = |body: &str, part: &str| check_failure(body, FailureKind::Cut, part);
    let unfinished = "before the model was finished";
    check("", "the body is empty");
    check(" \n\n ", "the body is empty");
    check(": still here\n\n: still here\n\n", unfinished);
    check("data: [DONE]\n\n", unfinished);
    check(&after_words(""), unfinished);
    check(&after_words("data: [DONE]"), unfinished);
    check(
        after_words("data: {\"choices\":[{\"del").trim_end(),
        unfinished,
    );
    check(r#"{"choices":[{"message":{"content":"hi"#, "not whole");
}

#[test]
fn nothing_said_is_empty() {
    let check =
        |body: &str| check_failure(body, FailureKind::Empty, "neither text nor a tool call");
    check(&stream(&[end("stop")]));
    check(&stream(&[delta(json!({"content": " \n\t"})), end("stop")]));
    check(&stream(&[delta(json!({"reasoning": "hm"})), end("stop")]));
    check(&stream(&[
        delta(json!({"tool_calls": []})),
        end("tool_calls"),
    ]));
    check(r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#);
}

#[test]
fn what_is_not_the_dialect_is_malformed() {
    let check = |body: &str, part: &str| check_failure(body, FailureKind::Malformed, part);
    check(
        "<html><body>Sign in\u{1b}[31m here</body>",
        "<html><body>Sign in here</body>",
    );
    check(&"<p>".repeat(5_000), "<p><p>");
    check("It works!", "it begins `It works!`");
    check(
        "event listing disabled",
        "it begins `event listing disabled`",
    );
    check("\0\0\0", "it begins ``");
    check("[]", "it begins `[]`");
    check("{}", "it begins `{}`");
    check("{nonsense}", "it begins `{nonsense}`");
    check("{\"choices\": 7}", "`choices` is not a list");
    check("data: hello\n\n", "an event holds `hello`");
    check("data: [1,2]\n\n", "an event holds `[1,2]`");
    check("data: {\"choices\":{}}\n\n", "`choices` is not a list");
    check(
        "data: {\"choices\":[{\"delta\":7}]}\n\n",
        "delta is not an object",
    );
    check(&after_words("data: {\"choices\":[{\"del"), "an event holds");
}

#[test]
fn errors_inside_a_reply_are_failures() {
    use FailureKind::{Auth, BadRequest, Cut, NotFound, RateLimited, TooLong, Unavailable};
    let check = check_failure;
    let error = |code: Value, message: &str| {
        format!(
            "data: {}\n\n",
            json!({"error": {"message": message, "code": code}})
        )
    };
    check(&error(json!("server_error"), "boom"), Unavailable, "boom");
    check(&error(json!(429), "slow down"), RateLimited, "slow down");
    check(
        &error(json!("rate_limit_exceeded"), "slow down"),
        RateLimited,
        "slow down",
    );
    check(
        &error(json!("insufficient_quota"), "pay"),
        BadRequest,
        "pay",
    );
    check(
        &error(json!("context_length_exceeded"), "too long"),
        TooLong,
        "too long",
    );
    check(
        &error(json!("invalid_api_key"), "key sk-secret bad"),
        Auth,
        "key *** bad",
    );
    check(&error(json!(null), "odd"), Unavailable, "odd");
    check(
        &after_words(&error(json!(502), "upstream")),
        Cut,
        "upstream",
    );
    check(&after_words(&error(json!(400), "no")), BadRequest, "no");
    check(
        "event: error\ndata: {\"message\":\"boom\"}\n\n",
        Unavailable,
        "boom",
    );
    check(
        "event: error\ndata: plain words\n\n",
        Unavailable,
        "plain words",
    );
    let typed = json!({"error": {"message": "no such model", "type": "not_found_error"}});
    check(&typed.to_string(), NotFound, "no such model");
    let listed = json!([{"error": {"code": 429, "message": "q", "status": "RESOURCE_EXHAUSTED"}}]);
    check(&listed.to_string(), RateLimited, "q");
    check(
        &stream(&[delta(json!({"content": "x"})), end("error")]),
        Cut,
        "finish reason",
    );
}

#[test]
fn a_huge_event_is_refused() {
    let mut reader = reader(&std::sync::Arc::default());
    reader.push(b"data: ").unwrap();
    let piece = vec![b'x'; 1 << 20];
    let failure = (0..20).find_map(|_| reader.push(&piece).err()).unwrap();
    assert_eq!(failure.kind, FailureKind::Malformed);
    assert!(
        failure.message.contains("larger than"),
        "{}",
        failure.message
    );
}
