//! The published JSON Schema of `bowline context ID --json`.

use bowline_core::plan::{BlockKind, PLAN_VERSION};
use serde_json::{Value, json};

use super::{list, object};

/// The schema of one plan.
pub fn context_schema() -> Value {
    let text = json!({ "type": "string" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let optional_count = json!({ "type": ["integer", "null"], "minimum": 0 });
    let kind = json!({ "enum": BlockKind::ALL.map(BlockKind::name) });
    let hash = json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" });
    let block = object(
        json!({ "kind": kind, "name": text, "origin": text, "bytes": count, "images": count,
            "tokens": count, "hash": hash, "cached": { "enum": ["read", "sent", "new"] },
            "why": text, "cap_bytes": optional_count, "cap": text }),
        json!({ "step": count }),
    );
    let sum = object(
        json!({ "kind": kind, "blocks": count, "bytes": count, "tokens": count }),
        json!({}),
    );
    let broken = object(
        json!({ "step": count, "block": text, "field": text,
            "cause": { "enum": ["compaction", "model", "settings", "pool", "blocks_dropped",
                "unexplained"] },
            "at_block": count, "lost_tokens": count, "cost_micro_usd": count }),
        json!({}),
    );
    let usage = object(
        json!({ "input_tokens": count, "cached_input_tokens": count, "output_tokens": count,
            "reasoning_tokens": count }),
        json!({ "cache_write_tokens": count }),
    );
    let mut schema = object(
        json!({ "version": { "const": PLAN_VERSION }, "session": text, "step": count,
            "asked": { "type": "boolean" }, "model": text, "window_tokens": optional_count,
            "bytes": count, "tokens": count,
            "tokens_by": { "enum": ["reported", "rate", "bytes"] },
            "reported": { "oneOf": [usage, { "type": "null" }] }, "blocks": list(&block),
            "sums": list(&sum), "breakpoints": list(&count), "breaks": list(&broken) }),
        json!({}),
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("What a request consists of, as `bowline context ID --json` prints it");
    schema["description"] = json!(
        "`blocks` come in the order in which the request is assembled and cover every byte of its \
         text once. `tokens` of a block is its part, by bytes, of the `tokens` of the request; \
         `tokens_by` says how those are known: counted by the provider (reported), at the rate of \
         its last count (rate), by bytes alone (bytes). `hash` is the first half of a SHA-256 over \
         everything of the block. `cached` says whether the provider reported that it read so much \
         from its cache (read), was sent the block in this place before (sent), or neither (new). \
         `breakpoints` are places in `blocks` at whose end the provider is told that it may cache. \
         `breaks` are the prefix breaks so far, with the tokens that were read anew and what that \
         cost more than reading them from the cache."
    );
    schema
}
