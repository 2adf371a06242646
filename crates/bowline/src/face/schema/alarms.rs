//! What a line about an alarm holds.

use bowline_core::Metric;
use serde_json::{Value, json};

use super::{object, reference};

/// An alarm.
pub(super) fn alarm() -> Value {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let window = object(json!({ "samples": count, "span_ms": count }), json!({}));
    object(
        json!({ "metric": { "enum": Metric::ALL.map(Metric::name) }, "figure": count,
            "baseline": count, "spread": count, "limit": count, "window": window,
            "model": reference("model"), "project": text, "cause": cause(),
            "action": { "enum": ["note", "webhook_file", "ask", "pause"] } }),
        json!({ "failed": text }),
    )
}

/// Its likely cause.
fn cause() -> Value {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let kinds = [
        ("tool", json!({ "tool": text, "field": text })),
        (
            "prefix",
            json!({ "block": text, "field": text, "lost_tokens": count }),
        ),
        ("loop", json!({ "evidence": text })),
        (
            "tool_output",
            json!({ "tool": text, "bytes_per_step": count, "usual_bytes_per_step": count }),
        ),
        (
            "model_output",
            json!({ "tokens_per_step": count, "usual_tokens_per_step": count }),
        ),
        (
            "price",
            json!({ "micro_usd_per_mtok": count, "usual_micro_usd_per_mtok": count }),
        ),
        ("children", json!({ "cost_micro_usd": count })),
        (
            "more_steps",
            json!({ "steps_per_hour": count, "usual_steps_per_hour": count }),
        ),
        ("provider", json!({ "failed": count, "of": count })),
        ("tool_failures", json!({ "tool": text, "failed": count })),
        ("unknown", json!({})),
        ("other", json!({})),
    ];
    let kinds = kinds.into_iter().map(|(kind, mut fields)| {
        fields["kind"] = json!({ "const": kind });
        object(fields, json!({}))
    });
    json!({ "oneOf": kinds.collect::<Vec<_>>() })
}
