//! What several kinds of lines are made of.

use bowline_core::{Mode, StopReason};
use serde_json::{Map, Value, json};

use super::{list, nullable, object, reference};

/// Every part that lines refer to, by name.
pub(super) fn definitions() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in words().into_iter().chain(conversation()).chain(deciding()) {
        all.insert(name.to_owned(), schema);
    }
    all
}

/// Ids, counts and words from fixed lists.
fn words() -> Vec<(&'static str, Value)> {
    const STOPS: [StopReason; 13] = [
        StopReason::Done,
        StopReason::Length,
        StopReason::ProviderFailed,
        StopReason::StorageFailed,
        StopReason::LoopDetected,
        StopReason::ContextFull,
        StopReason::StepLimit,
        StopReason::Waiting,
        StopReason::Budget,
        StopReason::Refused,
        StopReason::Denied,
        StopReason::AnswerInvalid,
        StopReason::Cancelled,
    ];
    let uuid = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
    vec![
        ("id", json!({ "type": "string", "pattern": uuid })),
        ("count", json!({ "type": "integer", "minimum": 0 })),
        (
            "digest",
            json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        ),
        (
            "model",
            json!({ "type": "string", "pattern": "^[^/]+/.+$" }),
        ),
        ("mode", json!({ "enum": Mode::ALL.map(Mode::name) })),
        (
            "stop_reason",
            json!({ "enum": STOPS.map(StopReason::name) }),
        ),
        ("verdict", json!({ "enum": ["allow", "ask", "deny"] })),
        ("scope", json!({ "enum": ["once", "session", "always"] })),
        (
            "replay_class",
            json!({ "enum": ["free", "keyed", "checkable", "once"] }),
        ),
    ]
}

/// Texts, messages, results.
fn conversation() -> Vec<(&'static str, Value)> {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let named = |name: &str| object(json!({ name: text }), json!({}));
    let origin = json!({ "oneOf": [
        { "enum": ["person", "harness"] }, named("tool"), named("file"),
        object(
            json!({ "outside": object(json!({ "tool": text, "from": text }), json!({})) }),
            json!({}),
        )
    ] });
    let file_change = object(
        json!({ "path": text, "before": nullable(&reference("digest")),
            "after": reference("digest"), "added_lines": count, "removed_lines": count }),
        json!({ "diff": text }),
    );
    let effect = object(
        json!({}),
        json!({ "files": list(&file_change),
            "seen": list(&object(json!({ "path": text, "content": reference("digest") }), json!({}))),
            "todo": list(&object(
                json!({ "text": text, "status": { "enum": ["pending", "in_progress", "done"] } }),
                json!({}),
            )),
            "jobs": list(&job_change()), "connections": list(&connection()) }),
    );
    let outcome = object(
        json!({ "status": { "enum": ["ok", "error"] }, "content": reference("context_text"),
            "summary": text, "effect": effect, "duration_ms": count }),
        json!({ "blob": reference("blob"), "exit_code": { "type": "integer" },
            "sandbox_denied": { "const": true }, "denied": list(&denied()) }),
    );
    vec![
        (
            "context_text",
            object(json!({ "origin": origin, "text": text }), json!({})),
        ),
        (
            "blob",
            object(
                json!({ "digest": reference("digest"), "bytes": count }),
                json!({}),
            ),
        ),
        ("opaque", opaque(json!({}))),
        ("block", block()),
        ("outcome", outcome),
        (
            "usage",
            object(
                json!({ "input_tokens": count, "cached_input_tokens": count,
                    "output_tokens": count, "reasoning_tokens": count }),
                json!({ "cache_write_tokens": count }),
            ),
        ),
    ]
}

/// What a call did to a command in the background.
fn job_change() -> Value {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let change = |name: &str, mut fields: Value| {
        fields["change"] = json!({ "const": name });
        fields["job"] = text.clone();
        object(fields, json!({}))
    };
    json!({ "oneOf": [
        object(
            json!({ "change": { "const": "started" }, "job": text, "command": text,
                "spool": text, "offset": count }),
            json!({ "confined": { "const": true } }),
        ),
        change("read", json!({ "offset": count })),
        change("ended", json!({ "how": text })),
    ] })
}

/// What only its provider reads; its value may be anything.
fn opaque(more: Value) -> Value {
    let text = json!({ "type": "string" });
    let mut fields = json!({ "provider": text, "model": text, "field": text, "value": true });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    object(fields, json!({}))
}

/// One part of a reply.
fn block() -> Value {
    let text = json!({ "type": "string" });
    let source = object(
        json!({ "provider": text, "model": text, "field": text }),
        json!({}),
    );
    let of_type = |name: &str| json!({ "const": name });
    json!({ "oneOf": [
        object(json!({ "type": of_type("text"), "text": text }), json!({})),
        object(json!({ "type": of_type("reasoning"), "text": text, "source": source }), json!({})),
        opaque(json!({ "type": of_type("opaque") })),
        object(
            json!({ "type": of_type("call"), "id": reference("id"), "wire_id": text,
                "name": text, "arguments": text }),
            json!({ "fault": { "enum": ["duplicate_id", "cut_short"] }, "kept": reference("opaque") }),
        ),
    ] })
}

/// Settings, rules, decisions, and what is asked and waited for.
fn deciding() -> Vec<(&'static str, Value)> {
    let text = json!({ "type": "string" });
    let optional_text = json!({ "type": ["string", "null"] });
    let optional_count = json!({ "type": ["integer", "null"], "minimum": 0 });
    let rule = object(
        json!({ "layer": { "enum": ["built_in", "managed", "command_line", "user", "project"] },
            "tier": { "enum": ["built_in", "plug_in", "user_skill"] }, "rule": text,
            "file": optional_text, "line": optional_count }),
        json!({}),
    );
    let mut parts = vec![
        ("settings", settings()),
        ("configured", configured()),
        ("rule", rule),
        ("decision", decision()),
    ];
    parts.extend(waiting());
    parts.extend(budget());
    parts
}

/// What is in force.
fn settings() -> Value {
    let count = reference("count");
    let optional_text = json!({ "type": ["string", "null"] });
    let optional_count = json!({ "type": ["integer", "null"], "minimum": 0 });
    object(
        json!({ "model": reference("model"), "base_url": optional_text, "mode": reference("mode"),
            "on_ask": { "enum": ["park", "refuse"] },
            "limits": object(
                json!({ "max_steps": count, "max_tokens": optional_count,
                    "max_output_tokens": optional_count }),
                json!({ "caps": object(json!({}), json!({ "turn": reference("cap"),
                        "session": reference("cap"), "project": reference("cap"),
                        "day": reference("cap") })),
                    "rates": object(json!({}), json!({ "tokens_per_minute": count,
                        "tokens_per_hour": count })),
                    "share": reference("cap"),
                    "loops": { "enum": ["off", "nudge"] } }),
            ) }),
        json!({ "reasoning": { "enum": ["off", "low", "medium", "high"] },
            "context": object(
                json!({ "compact_at_percent": count,
                    "cache_ttl": { "enum": ["auto", "five_minutes", "hour"] },
                    "summary": { "enum": ["model", "outline"] } }),
                json!({ "window_tokens": count }),
            ),
            "ask_expires_ms": count, "configured": reference("configured"),
            "model_facts": reference("model_facts") }),
    )
}

/// What is spent and set aside, what it is held against, and what it costs.
fn budget() -> Vec<(&'static str, Value)> {
    let count = reference("count");
    let amounts = json!({ "input_tokens": count, "output_tokens": count, "cost_micro_usd": count,
        "steps": count, "tool_calls": count, "wall_ms": count });
    let mut cap = amounts.clone();
    cap["tokens"] = count.clone();
    let rates = json!({ "input_micro_usd_per_mtok": count, "output_micro_usd_per_mtok": count,
        "cache_read_micro_usd_per_mtok": count, "cache_write_micro_usd_per_mtok": count });
    let long = object(
        json!({ "above_input_tokens": count, "rates": object(rates.clone(), json!({})) }),
        json!({}),
    );
    let price = object(rates, json!({ "long": long }));
    let facts = json!({ "context_tokens": count, "output_tokens_max": count, "price": price,
        "source": { "type": "string" } });
    vec![
        ("amounts", object(json!({}), amounts)),
        ("cap", object(json!({}), cap)),
        ("model_facts", object(json!({}), facts)),
    ]
}

/// One recorded decision.
fn decision() -> Value {
    let text = json!({ "type": "string" });
    let id = reference("id");
    let count = reference("count");
    let judged = object(
        json!({ "action": { "type": "object", "required": ["action"],
                "properties": { "action": text } },
            "verdict": reference("verdict"), "reason": text, "rule": reference("rule") }),
        json!({ "runner_up": list(&reference("rule")),
            "segment": object(json!({ "start": count, "end": count }), json!({})) }),
    );
    let tool = object(
        json!({ "name": text, "tier": { "enum": ["built_in", "plug_in", "user_skill"] },
            "risk": { "enum": ["none", "low", "medium", "high"] } }),
        json!({}),
    );
    let trust = trust();
    let looked = looked();
    let by = json!({ "oneOf": [
        { "const": "policy" }, object(json!({ "person": text }), json!({})),
        object(json!({ "grant": id }), json!({}))
    ] });
    let replay = object(json!({ "class": reference("replay_class") }), json!({}));
    let profile = object(
        json!({ "writable": list(&text), "protected": list(&text), "hidden": list(&text),
            "network": { "oneOf": [
                { "enum": ["none", "open"] },
                object(json!({ "hosts": list(&text) }), json!({}))
            ] } }),
        json!({ "granted": list(&text), "readable": list(&text), "caches": list(&text) }),
    );
    let confinement = object(
        json!({ "backend": { "enum": ["namespaces", "landlock"] }, "profile": profile }),
        json!({}),
    );
    let executed = object(
        json!({ "path": text }),
        json!({ "content": reference("digest") }),
    );
    object(
        json!({ "id": id, "verdict": reference("verdict"), "by": by, "reason": text,
            "digest": reference("digest"), "essence": text, "actions": list(&judged),
            "replay": replay, "mode": reference("mode"), "scope": reference("scope"),
            "policy_hash": reference("digest"), "analyser_version": count }),
        json!({ "expires_at_ms": count, "confinement": confinement,
            "executes": list(&executed), "tool": tool, "looked": list(&looked), "trust": trust,
            "preview": text, "outside": text, "keeping": keeping(), "repeats": id, "on_ask": { "enum": ["park", "refuse"] } }),
    )
}

/// What was known of content that rules keep to local models.
fn keeping() -> Value {
    object(
        json!({ "is_local": { "type": "boolean" } }),
        json!({ "held": kept(), "brings": list(&kept()) }),
    )
}

/// Content that a rule keeps to local models.
pub(super) fn kept() -> Value {
    let text = json!({ "type": "string" });
    object(json!({ "rule": text, "what": text }), json!({}))
}

/// Whom a call reached or wanted to reach.
fn connection() -> Value {
    let text = json!({ "type": "string" });
    let count = reference("count");
    object(
        json!({ "host": text, "port": count, "via": { "enum": ["http", "socks", "fetch"] },
            "sent_bytes": count, "received_bytes": count }),
        json!({ "address": text, "refused": text }),
    )
}

/// What a call's limits kept it from.
fn denied() -> Value {
    let text = json!({ "type": "string" });
    let of_path = |kind: &str| {
        object(
            json!({ "denied": { "const": kind }, "path": text }),
            json!({}),
        )
    };
    json!({ "oneOf": [
        of_path("write"),
        of_path("read"),
        object(
            json!({ "denied": { "const": "reach" }, "host": text }),
            json!({ "port": reference("count") })
        ),
        object(json!({ "denied": { "const": "other" }, "what": text }), json!({}))
    ] })
}

/// Whether a project's own files are trusted.
fn trust() -> Value {
    let trusted = object(json!({ "content": { "type": "string" } }), json!({}));
    json!({ "oneOf": [
        { "const": "untrusted" },
        object(json!({ "trusted": trusted }), json!({}))
    ] })
}

/// What was looked at for a decision.
fn looked() -> Value {
    let text = json!({ "type": "string" });
    let seen = json!({ "oneOf": [
        { "enum": ["missing", "file", "folder", "special", "unknown"] },
        object(json!({ "link": text }), json!({}))
    ] });
    json!({ "oneOf": [
        object(json!({ "looked": { "const": "at" }, "path": text, "seen": seen }), json!({})),
        object(
            json!({ "looked": { "const": "names" }, "folder": text, "pattern": text }),
            json!({ "names": list(&text) }),
        ),
        object(
            json!({ "looked": { "const": "script" }, "path": text }),
            json!({ "part": text, "publishes": text }),
        )
    ] })
}

/// The policy that decisions are taken by.
pub(super) fn policy_record() -> Value {
    let text = json!({ "type": "string" });
    let sandbox = json!({ "oneOf": [
        { "enum": ["unknown", "namespaces"] },
        object(json!({ "lacking": object(json!({ "why": text }), json!({})) }), json!({}))
    ] });
    let rule = object(
        json!({ "verdict": reference("verdict"), "source": reference("rule") }),
        json!({ "reason": text, "expires_at_ms": reference("count") }),
    );
    object(
        json!({ "mode": reference("mode"), "roots": list(&text), "sandbox": sandbox }),
        json!({ "rules": list(&rule), "private": list(&text), "home": text, "trust": trust() }),
    )
}

/// What waits for a person or for something outside, and what is in doubt.
fn waiting() -> [(&'static str, Value); 3] {
    let text = json!({ "type": "string" });
    let id = reference("id");
    let count = reference("count");
    let choice = object(json!({ "label": text }), json!({ "description": text }));
    let question = object(
        json!({ "text": text }),
        json!({ "choices": list(&choice), "multiple": { "const": true } }),
    );
    let waiting = object(
        json!({ "decision_id": id, "call_id": id, "tool": text, "essence": text, "reason": text }),
        json!({ "question": question }),
    );
    let party = object(
        json!({ "call_id": id, "name": text, "waits_for": text, "since_ms": count }),
        json!({ "instructions": text, "until_ms": count }),
    );
    let doubt = object(
        json!({ "call": id, "essence": text, "why": text, "at_ms": count }),
        json!({}),
    );
    [("waiting", waiting), ("party", party), ("doubt", doubt)]
}

/// What a session took from configuration.
fn configured() -> Value {
    let text = json!({ "type": "string" });
    let layer = json!({ "enum": ["built_in", "managed", "command_line", "user", "project"] });
    let origin = object(
        json!({ "layer": layer }),
        json!({ "file": text, "line": reference("count") }),
    );
    let one_of = |name: &str, of: &Value| object(json!({ name: of }), json!({}));
    let key = json!({ "oneOf": [
        { "const": "none" }, one_of("env", &text), one_of("command", &list(&text)),
        one_of("file", &text)
    ] });
    let header = json!({ "type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [
        text, { "oneOf": [one_of("plain", &text), one_of("env", &text)] }
    ] });
    let endpoint = object(
        json!({ "name": text, "api": text, "key": key, "origin": origin }),
        json!({ "base_url": text, "model": text, "headers": list(&header) }),
    );
    let rule = object(
        json!({ "verdict": reference("verdict"), "source": reference("rule") }),
        json!({ "reason": text, "expires_at_ms": reference("count") }),
    );
    object(
        json!({}),
        json!({ "endpoint": endpoint, "rules": list(&rule),
            "shell_timeout_ms": reference("count"), "env_pass": list(&text), "private": list(&text), "home": text,
            "variables": list(&text), "trust": trust(),
            "origins": { "type": "object", "additionalProperties": origin } }),
    )
}
