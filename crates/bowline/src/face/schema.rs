//! The published JSON Schemas of `--output stream-json` and of an exported session.
//!
//! What Bowline writes itself is closed: a field that is not in the schema is a fault of one of
//! the two. What a provider wrote (opaque blocks, kept fields, inputs of tools) is open.

mod alarms;
mod context;
mod facts;
mod parts;
mod plan;

pub use plan::context_schema;

use bowline_core::event::CATALOGUE;
use serde_json::{Map, Value, json};

/// The schema of one line.
pub fn stream_schema() -> Value {
    let id = reference("id");
    let text = json!({ "type": "string" });
    let count = reference("count");
    let optional_count = json!({ "type": ["integer", "null"], "minimum": 0 });
    let lines = [
        (
            "session",
            json!({ "session_id": id, "resumed": { "type": "boolean" }, "cwd": text,
                "model": reference("model"), "mode": reference("mode"), "version": text }),
        ),
        (
            "event",
            json!({ "seq": count, "event": reference("event") }),
        ),
        ("text_delta", json!({ "attempt_id": id, "text": text })),
        ("reasoning_delta", json!({ "attempt_id": id, "text": text })),
        (
            "attempt_discarded",
            json!({ "attempt_id": id, "reason": text, "retry_in_ms": optional_count }),
        ),
        (
            "call_output",
            json!({ "call_id": id, "total_bytes": count }),
        ),
        ("throttled", json!({ "reason": text, "until_ms": count })),
        (
            "sandbox",
            json!({ "backend": { "enum": ["namespaces", "landlock", null] }, "lacking": text }),
        ),
        ("alarm", json!({ "alarm": alarms::alarm() })),
        ("unwatched", json!({ "reason": text })),
        (
            "waiting",
            json!({ "waiting": list(&reference("waiting")),
                "parties": list(&reference("party")) }),
        ),
    ];
    let running = object(json!({ "job": text, "command": text }), json!({}));
    let result = line(
        "result",
        json!({ "session_id": id, "stop_reason": reference("stop_reason"), "result": text,
                "usage": reference("usage"), "cost_micro_usd": optional_count,
                "exit_code": { "type": "integer", "minimum": 0, "maximum": 255 }, "steps": count,
                "refused_calls": count, "duration_ms": count,
                "waiting": list(&reference("waiting")) }),
        json!({ "running": list(&running), "parties": list(&reference("party")),
                "in_doubt": list(&reference("doubt")) }),
    );
    let lines: Vec<Value> = lines
        .into_iter()
        .map(|(name, fields)| line(name, fields, json!({})))
        .chain([result])
        .collect();
    let mut definitions = parts::definitions();
    definitions.insert("event".to_owned(), event());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of `bowline exec --output stream-json`",
        "oneOf": lines,
        "$defs": definitions,
    })
}

/// The schema of what `bowline sessions export` prints.
pub fn session_schema() -> Value {
    let count = reference("count");
    let digest = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let salt = json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" });
    let base64 = json!({ "type": "string", "pattern": "^[A-Za-z0-9+/]*={0,2}$" });
    let record = object(
        json!({ "seq": count, "epoch": count, "commitment": digest, "salt": salt, "hash": digest,
            "event": reference("event") }),
        json!({}),
    );
    let blob = object(
        json!({ "digest": digest, "bytes": count, "base64": base64 }),
        json!({}),
    );
    let mut definitions = parts::definitions();
    definitions.insert("event".to_owned(), event());
    let mut schema = object(
        json!({ "format": { "const": "bowline-session" }, "version": { "const": 2 },
            "id": reference("id"), "events": list(&record), "blobs": list(&blob) }),
        json!({}),
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A session as `bowline sessions export` prints it");
    schema["description"] = json!(
        "The fields come in this order. `commitment` is SHA-256 over the 16 bytes of `salt` and the \
         event as it stands here, byte for byte; `hash` is SHA-256 over `bowline-record-1`, the 16 \
         bytes of `id`, `seq` and `epoch` as 64-bit big endian, the hash of the event before (of the \
         first: SHA-256 over `bowline-journal-1` and the 16 bytes of `id`), and `commitment`. \
         `digest` is SHA-256 over the bytes that `base64` stands for."
    );
    schema["$defs"] = Value::Object(definitions);
    drop_unused(&mut schema);
    schema
}

/// Drops the definitions that nothing refers to.
fn drop_unused(schema: &mut Value) {
    loop {
        let text = schema.to_string();
        let Some(definitions) = schema["$defs"].as_object_mut() else {
            return;
        };
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if definitions.len() == before {
            return;
        }
    }
}

/// One line: its type, and exactly these fields, some of which may be absent.
fn line(name: &str, fields: Value, optional: Value) -> Value {
    let mut all = json!({ "type": { "const": name } });
    if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
        all.extend(fields);
    }
    object(all, optional)
}

/// A durable event: its data is as its kind says.
fn event() -> Value {
    let kinds: Vec<Value> = CATALOGUE
        .iter()
        .map(|(kind, meaning)| {
            let data = facts::data(kind).unwrap_or_else(|| json!({ "type": "object" }));
            let mut schema = object(
                json!({ "at_ms": reference("count"), "kind": { "const": kind }, "data": data }),
                json!({}),
            );
            schema["description"] = json!(meaning);
            schema
        })
        .collect();
    json!({ "oneOf": kinds })
}

/// An object with exactly these fields, some of which may be absent.
fn object(required: Value, optional: Value) -> Value {
    let mut properties = Map::new();
    let mut names = Vec::new();
    if let Value::Object(fields) = required {
        names.extend(fields.keys().map(|name| json!(name)));
        properties.extend(fields);
    }
    if let Value::Object(fields) = optional {
        properties.extend(fields);
    }
    json!({ "type": "object", "properties": properties, "required": names,
        "additionalProperties": false })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": of })
}

/// What `schema` allows, or null.
fn nullable(schema: &Value) -> Value {
    json!({ "oneOf": [schema, { "type": "null" }] })
}

#[cfg(test)]
mod tests;
