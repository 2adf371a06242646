//! Replies that are none: cut, refused, foreign, too large.

use super::*;

/// Fails to read `body`: the kind, and what the message says.
fn check(body: &str, kind: FailureKind, says: &str) -> ProviderFailure {
    let failure = read(body).expect_err(body);
    assert_eq!(failure.kind, kind, "{body}: {}", failure.message);
    assert!(
        failure.message.contains(says),
        "{says}: {}",
        failure.message
    );
    failure
}

#[test]
fn a_stream_without_its_end_is_cut() {
    use FailureKind::{Cut, Malformed};
    let whole = stream(&[done(0, call("a", "{}")), completed()]);
    let end = whole.find("event: response.completed").unwrap();
    check(&whole[..end], Cut, "before the model was finished");
    check(&whole[..end + 20], Cut, "before the model was finished");
    check(&whole[..end + 60], Cut, "before the model was finished");
    check("", Cut, "empty");
    check(": ping\n\n", Cut, "");
    check("data: [DONE]\n\n", Cut, "before the model was finished");
    // The last event lacks only its empty line.
    assert!(read(whole.trim_end()).is_ok());
    check("{\"output\": [{", Cut, "not whole");
    check("data: {\"type\": 7}\n\n", Malformed, "no type");
    let end = event("completed", json!({}));
    check(&stream(&[end]), Malformed, "without a response");
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let mut body = stream(&[done(0, message("msg_1", "hi")), completed()]);
    body.push_str("data: [DONE]\n\nevent: error\ndata: {\"message\": \"late\"}\n\n<html>");
    assert_eq!(read(&body).unwrap().message.text(), "hi");
}

#[test]
fn other_dialects_and_other_things_are_told_as_such() {
    use FailureKind::{Malformed, Unavailable};
    let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
    check(chunk, Malformed, "no Responses reply");
    check("{\"choices\": []}", Malformed, "no Responses reply");
    check("<html>hello</html>", Malformed, "no Responses reply");
    check("event: x\ndata: {not json\n\n", Malformed, "an event holds");
    check("{\"error\": {\"message\": \"no\"}}", Unavailable, "no");
    check(
        "data: {\"error\": {\"message\": \"no\"}}\n\n",
        Unavailable,
        "no",
    );
}

#[test]
fn errors_in_the_reply_are_judged_by_their_code() {
    use FailureKind::{BadRequest, Cut, RateLimited, TooLong, Unavailable};
    let codes = [
        ("rate_limit_exceeded", RateLimited),
        ("server_error", Unavailable),
        ("context_length_exceeded", TooLong),
        ("insufficient_quota", BadRequest),
        ("invalid_prompt", BadRequest),
        ("invalid_image_url", BadRequest),
        ("some_code_of_tomorrow", Unavailable),
    ];
    for (code, kind) in codes {
        let error = json!({"code": code, "message": format!("it is {code}")});
        let response = json!({"status": "failed", "error": error,
            "usage": {"input_tokens": 7, "output_tokens": 0}});
        let failed = event("failed", json!({"response": response}));
        let failure = check(&stream(&[failed]), kind, code);
        assert_eq!(failure.usage.unwrap().input_tokens, 7);

        let flat = json!({"type": "error", "code": code, "message": format!("it is {code}")});
        check(&stream(std::slice::from_ref(&flat)), kind, code);
        // Some name the event only in its data.
        check(&format!("data: {flat}\n\n"), kind, code);
        let nested = json!({"type": "error", "error": error});
        check(&format!("data: {nested}\n\n"), kind, code);
        // Once something came, a passing failure may have cost.
        let begun = added(0, message("msg_1", ""));
        let late = if kind == Unavailable { Cut } else { kind };
        check(&stream(&[begun, flat]), late, code);
    }
    let response = json!({"status": "failed", "error": null});
    let failed = event("failed", json!({"response": response}));
    check(&stream(&[failed]), Unavailable, "failed");
    let cancelled = json!({"object": "response", "status": "cancelled", "output": []});
    check(&cancelled.to_string(), Unavailable, "cancelled");
}

#[test]
fn nothing_said_is_empty() {
    check(
        &stream(&[completed()]),
        FailureKind::Empty,
        "neither text nor a tool call",
    );
    let thought = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    check(
        &stream(&[done(0, thought), completed()]),
        FailureKind::Empty,
        "",
    );
    check(
        &stream(&[done(0, message("msg_1", " \n")), completed()]),
        FailureKind::Empty,
        "",
    );
}

#[test]
fn a_reply_of_endless_items_is_refused() {
    let mut events: Vec<Value> = (0..2_000).map(|index| added(index, call("", ""))).collect();
    events.push(completed());
    check(&stream(&events), FailureKind::Malformed, "more items");
}
