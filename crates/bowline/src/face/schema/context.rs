//! The data of the events about the conversation as the model is sent it.

use serde_json::{Value, json};

use super::{list, object, reference};

pub(super) fn data(kind: &str) -> Option<Value> {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let words = reference("context_text");
    let strategies = [
        "superseded",
        "trimmed",
        "finished_work",
        "model_summary",
        "outline",
    ];
    let strategy = json!({ "enum": strategies });
    Some(match kind {
        "CompactionBegun" => object(
            json!({ "cause": { "oneOf": [
                    { "enum": ["threshold", "too_long"] },
                    object(json!({ "asked": object(json!({ "by": text }), json!({})) }), json!({})),
                ] }, "next_tokens": count }),
            json!({ "key": text, "focus": text }),
        ),
        "HistoryCompacted" => object(
            json!({ "strategies": list(&strategy), "state": words, "before_tokens": count,
                "after_tokens": count }),
            json!({ "shortened": list(&object(
                    json!({ "place": { "oneOf": [
                            object(json!({ "result": reference("id") }), json!({})),
                            object(json!({ "words": count }), json!({})),
                        ] }, "content": words }),
                    json!({ "blob": reference("blob") }),
                )),
                "folded": object(json!({ "through": count, "exchanges": count }), json!({})),
                "recap": recap(), "summary": words }),
        ),
        "CompactionFailed" => object(json!({ "strategy": strategy, "why": text }), json!({})),
        "CompactionAbandoned" => object(json!({ "why": text }), json!({})),
        "PrefixBroken" => object(
            json!({ "block": text, "field": text, "cause": { "enum": ["compaction", "model",
                    "settings", "pool", "blocks_dropped", "unexplained"] },
                "at_block": count, "lost_tokens": count, "cost_micro_usd": count }),
            json!({}),
        ),
        "PromptChanged" => object(
            json!({ "prompt": { "type": "object" }, "why": text, "by": text }),
            json!({}),
        ),
        "LoopNoticed" => object(
            json!({ "pattern": reference("digest"), "evidence": text, "told": words }),
            json!({}),
        ),
        "ContentKept" => object(json!({ "kept": super::parts::kept() }), json!({})),
        _ => return None,
    })
}

/// What a request has that the one before it had not.
pub(super) fn sent() -> Value {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let hash = json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" });
    let tool = object(
        json!({ "name": text, "description": hash, "input_schema": hash }),
        json!({}),
    );
    let head = object(json!({ "system": hash, "tools": list(&tool) }), json!({}));
    object(
        json!({}),
        json!({ "head": head, "kept": count, "added": list(&hash),
            "body": object(json!({ "bytes": count, "hash": hash }), json!({})) }),
    )
}

fn recap() -> Value {
    let text = json!({ "type": "string" });
    object(
        json!({ "goal": text, "next_step": text }),
        json!({ "constraints": list(&text),
            "decisions": list(&object(json!({ "what": text, "why": text }), json!({}))),
            "dead_ends": list(&text),
            "files": list(&object(json!({ "path": text, "note": text }), json!({}))),
            "open_questions": list(&text) }),
    )
}
