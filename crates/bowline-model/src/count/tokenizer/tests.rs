//! Which models are known, what is counted, what is left out.

use serde_json::json;

use super::*;
use crate::count::without_fields;

#[test]
fn models_since_gpt_4o_are_known() {
    let check = |model: &str, expect: bool| assert_eq!(is_o200k(model), expect, "{model}");
    check("gpt-4o", true);
    check("gpt-4o-mini-2024-07-18", true);
    check("chatgpt-4o-latest", true);
    check("gpt-4.1-nano", true);
    check("gpt-5", true);
    check("gpt-5.1-codex-max", true);
    check("o1", true);
    check("o3-pro", true);
    check("o4-mini", true);
    check("ft:gpt-4o-2024-08-06:team::abc", true);
    check("gpt-4", false);
    check("gpt-4-turbo", false);
    check("gpt-50", false);
    check("gpt-6", false);
    check("o2", false);
    check("o1lama", false);
    check("claude-sonnet-4-5", false);
    check("openai/gpt-5", false);
}

#[test]
fn fields_are_left_out_and_the_rest_stays_as_it_is() {
    let check = |body: &str, expect: Option<&str>| {
        let left = without_fields(body.as_bytes(), &["stream", "max_tokens"]);
        let left = left.map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(left.as_deref(), expect, "{body}");
    };
    check("{}", Some("{}"));
    check(
        r#"{"stream":true,"model":"m","messages":[{"stream":1e999}],"max_tokens":5}"#,
        Some(r#"{"messages":[{"stream":1e999}],"model":"m"}"#),
    );
    check("[]", None);
    check("{", None);
}

#[test]
fn every_text_is_counted_with_what_stands_around_it() {
    let check = |body: Value, expect: u64| {
        let counted = count(body.to_string().as_bytes());
        assert_eq!(counted, Some(expect), "{body}");
    };
    check(json!({}), 0);
    check(json!({"role": "user"}), 2 * (1 + AROUND_TEXT_TOKENS));
    // Texts are counted as they are, not as JSON has them.
    check(json!(["a\nb\nc\n\"d\""]), 8 + AROUND_TEXT_TOKENS);
    check(
        json!([true, null, 123, [1.5]]),
        2 + (1 + 3) + 2 * AROUND_TEXT_TOKENS,
    );
    assert_eq!(count(b"{"), None);
}

/// The tokenizer is asked by whoever wants to spend the last of a budget, so it may not count less
/// than is billed.
#[test]
fn no_less_is_counted_than_is_billed() {
    let check = |body: Value| {
        let counted = count(body.to_string().as_bytes()).unwrap();
        let billed = bowline_testkit::billing::input_tokens(&body);
        assert!(counted >= billed, "{counted} {billed} {body}");
    };
    let tool = json!({"type": "function", "name": "read", "description": "Reads a file.",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}});
    check(
        json!({"model": "gpt-5", "input": [{"type": "message", "role": "user",
        "content": [{"type": "input_text", "text": "go"}]}], "tools": [tool]}),
    );
    check(json!({"model": "gpt-5", "messages": [{"role": "user", "content": "a\nb\n\tc"}]}));
    let results = (0..50).map(|number| {
        json!({"type": "function_call_output",
        "call_id": format!("call_{number}"), "output": ""})
    });
    check(json!({"model": "gpt-5", "input": Value::from_iter(results)}));
}
