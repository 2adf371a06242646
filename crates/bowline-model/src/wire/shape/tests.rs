//! Objects of every dialect, and of none.

use serde_json::json;

use super::*;

#[test]
fn shapes_are_told_apart() {
    let check = |object: Value, expect: Option<Shape>| {
        assert_eq!(of(object.as_object().unwrap()), expect, "{object}");
    };
    check(json!({ "choices": [] }), Some(CHAT));
    check(json!({ "object": "chat.completion.chunk" }), Some(CHAT));
    check(
        json!({ "object": "response", "output": [] }),
        Some(RESPONSES),
    );
    check(json!({ "type": "response.created" }), Some(RESPONSES));
    check(json!({ "type": "message_start" }), Some(MESSAGES));
    check(json!({ "type": "content_block_delta" }), Some(MESSAGES));
    check(json!({ "type": "message", "content": [] }), Some(MESSAGES));
    check(json!({ "type": "ping" }), None);
    check(json!({ "type": "message" }), None);
    check(json!({ "error": {} }), None);
    check(json!({}), None);
}
