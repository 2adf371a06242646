//! The published JSON Schema of `--output stream-json`.

use bowline_core::event::CATALOGUE;
use serde_json::{Value, json};

/// The schema of one line.
pub fn stream_schema() -> Value {
    let kinds: Vec<&str> = CATALOGUE.iter().map(|(kind, _)| *kind).collect();
    let id = json!({ "type": "string", "format": "uuid" });
    let text = json!({ "type": "string" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let optional_count = json!({ "type": ["integer", "null"], "minimum": 0 });
    let line = |name: &str, fields: Value| {
        let mut properties = json!({ "type": { "const": name } });
        let mut required = vec![json!("type")];
        if let (Some(all), Value::Object(fields)) = (properties.as_object_mut(), fields) {
            for (field, schema) in fields {
                required.push(json!(field));
                all.insert(field, schema);
            }
        }
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let event = json!({
        "type": "object",
        "properties": { "at_ms": count, "kind": { "enum": kinds }, "data": { "type": "object" } },
        "required": ["at_ms", "kind", "data"],
        "additionalProperties": false
    });
    let usage = json!({
        "type": "object",
        "properties": { "input_tokens": count, "cached_input_tokens": count,
            "cache_write_tokens": count, "output_tokens": count, "reasoning_tokens": count },
        "required": ["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"]
    });
    let waiting = json!({
        "type": "array",
        "items": { "type": "object",
            "properties": { "decision_id": id, "call_id": id, "tool": text, "essence": text, "reason": text },
            "required": ["decision_id", "call_id", "tool", "essence", "reason"] }
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of `bowline exec --output stream-json`",
        "oneOf": [
            line("session", json!({ "session_id": id, "resumed": { "type": "boolean" }, "cwd": text,
                "model": text, "mode": text, "version": text })),
            line("event", json!({ "seq": count, "event": event })),
            line("text_delta", json!({ "attempt_id": id, "text": text })),
            line("reasoning_delta", json!({ "attempt_id": id, "text": text })),
            line("attempt_discarded", json!({ "attempt_id": id, "reason": text, "retry_in_ms": optional_count })),
            line("call_output", json!({ "call_id": id, "total_bytes": count })),
            line("result", json!({ "session_id": id, "stop_reason": text, "result": text,
                "usage": usage, "cost_micro_usd": optional_count, "exit_code": count, "steps": count,
                "refused_calls": count, "duration_ms": count, "waiting": waiting })),
        ]
    })
}
