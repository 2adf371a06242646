//! The published JSON Schemas of anchors and of lines of an export.

use serde_json::{Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn closed(required: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn hex(digits: usize) -> Value {
    json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{digits}}}$") })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// The schema of an anchor.
pub fn anchor() -> Value {
    let stream = json!({
        "type": "string",
        "pattern": "^(installation|ledger|session:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
    });
    let head = closed(
        &["stream", "seq", "hash"],
        &json!({ "stream": stream, "seq": count(), "hash": hex(64) }),
    );
    let mut schema = closed(
        &[
            "bowline_anchor",
            "at_ms",
            "public_key",
            "heads",
            "signature",
        ],
        &json!({
            "bowline_anchor": { "const": 1 },
            "at_ms": count(),
            "public_key": hex(64),
            "heads": { "type": "array", "items": head },
            "signature": hex(128),
        }),
    );
    named(
        &mut schema,
        "An anchor",
        "What `bowline audit anchor` writes.",
    );
    schema
}

/// The schema of one line of an export.
pub fn export_line() -> Value {
    let id = json!({ "type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" });
    let head = closed(
        &["bowline_audit_export", "at_ms"],
        &json!({ "bowline_audit_export": { "const": 1 }, "at_ms": count() }),
    );
    let session = closed(
        &["session", "records", "hash"],
        &json!({ "session": id, "records": count(), "hash": hex(64) }),
    );
    let mut record = closed(
        &["seq", "epoch", "commitment"],
        &json!({
            "seq": count(), "epoch": count(), "commitment": hex(64),
            "salt": hex(32), "body": { "type": "string" },
        }),
    );
    record["dependentRequired"] = json!({ "salt": ["body"], "body": ["salt"] });
    let counts = closed(
        &["sessions", "records"],
        &json!({ "sessions": count(), "records": count() }),
    );
    let end = closed(&["end"], &json!({ "end": counts }));
    let mut schema = json!({ "oneOf": [head, session, record, end] });
    named(
        &mut schema,
        "A line of an audit export",
        "What `bowline audit export` writes: a head, for each session a line that names it and one \
         for each record, an end.",
    );
    schema
}

fn named(schema: &mut Value, title: &str, description: &str) {
    schema["$schema"] = json!(DIALECT);
    schema["title"] = json!(title);
    schema["description"] = json!(description);
}
