//! Requests to have tokens counted, and what a request really comes to.

use bowline_testkit::billing::input_tokens;
use bowline_testkit::strict::{Kind, Undeclared, anthropic, responses};
use serde_json::{Value, json};

#[test]
fn a_request_to_count_holds_nothing_about_the_reply() {
    let check = |body: Value, expect: Option<Kind>| {
        let checked = if body.get("messages").is_some() {
            anthropic::check_to_count(&body, &Undeclared::Refused)
        } else {
            responses::check_to_count(&body, &Undeclared::Refused)
        };
        assert_eq!(checked.err().map(|why| why.kind), expect, "{body}");
    };
    let with = |mut body: Value, key: &str, value: Value| {
        body[key] = value;
        body
    };
    let messages = json!({"model": "m", "messages": [{"role": "user", "content": "go"}]});
    check(messages.clone(), None);
    let thinking = json!({"type": "enabled", "budget_tokens": 20_480});
    check(with(messages.clone(), "thinking", thinking), None);
    for (key, value) in [("max_tokens", json!(9)), ("stream", json!(true))] {
        let body = with(messages.clone(), key, value);
        check(body, Some(Kind::UnknownKey));
    }
    check(with(messages, "model", json!("")), Some(Kind::MissingModel));
    let input = json!({"model": "m", "input": [{"type": "message", "role": "user",
        "content": [{"type": "input_text", "text": "go"}]}]});
    check(input.clone(), None);
    for (key, value) in [
        ("max_output_tokens", json!(99)),
        ("stream", json!(true)),
        ("store", json!(false)),
        ("include", json!([])),
    ] {
        check(with(input.clone(), key, value), Some(Kind::UnknownKey));
    }
}

#[test]
fn a_request_comes_to_its_texts_and_what_stands_around_them() {
    let check = |body: Value, expect: u64| assert_eq!(input_tokens(&body), expect, "{body}");
    // 8 for any request, 4 around each message, item and tool.
    check(json!({}), 8);
    check(json!({"max_tokens": 9, "stream": true}), 8);
    check(
        json!({"messages": [{"role": "user", "content": "go on"}]}),
        8 + 4 + 1 + 2,
    );
    check(
        json!({"instructions": "go on", "input": "go on"}),
        8 + 2 + 2,
    );
    check(
        json!({"system": [{"type": "text", "text": "go on"}]}),
        8 + 2,
    );
    check(json!({"tools": [{"name": "a"}]}), 8 + 4 + 5);
    let image = json!({"type": "image", "source": {"type": "base64", "data": "AAAA"}});
    check(
        json!({"messages": [{"role": "user", "content": [image]}]}),
        8 + 4 + 1 + 1_590,
    );
}
