//! The data of each kind of event.

use serde_json::{Value, json};

use super::{list, nullable, object, reference};

/// The schema of one kind's data; `None` for a kind that has none of its own yet.
pub(super) fn data(kind: &str) -> Option<Value> {
    model(kind)
        .or_else(|| call(kind))
        .or_else(|| wait(kind))
        .or_else(|| session(kind))
        .or_else(|| budget(kind))
        .or_else(|| super::context::data(kind))
}

/// What happens to a session and its turns.
fn session(kind: &str) -> Option<Value> {
    let text = json!({ "type": "string" });
    let count = reference("count");
    Some(match kind {
        "SessionStarted" => object(
            json!({ "session": reference("id"), "app_version": text, "cwd": text,
                "roots": list(&text), "settings": reference("settings"),
                "prompt": object(
                    json!({ "system": text, "tools": list(&object(
                        json!({ "name": text, "description": text,
                            "input_schema": { "type": "object" } }),
                        json!({}),
                    )) }),
                    json!({}),
                ) }),
            json!({}),
        ),
        "OwnerChanged" => object(
            json!({ "epoch": count, "pid": count, "app_version": text }),
            json!({}),
        ),
        "SettingsChanged" => object(
            json!({ "key": text, "settings": reference("settings"), "by": text }),
            json!({}),
        ),
        "SessionAdopted" => object(
            json!({ "settings": reference("settings"), "cwd": text, "roots": list(&text),
                "by": text }),
            json!({}),
        ),
        "BlocksDropped" => object(
            json!({ "model": reference("model"), "blocks": count }),
            json!({}),
        ),
        "PromptAccepted" => object(
            json!({ "key": text, "text": reference("context_text") }),
            json!({ "images": list(&object(
                json!({ "blob": reference("blob"), "media_type": text }),
                json!({}),
            )), "output_schema": {} }),
        ),
        "AnswerChecked" => object(
            json!({ "turn": count }),
            json!({ "problems": list(&text), "answer": {} }),
        ),
        "TurnStarted" => object(json!({ "turn": count }), json!({})),
        "NoticeAdded" => object(json!({ "text": reference("context_text") }), json!({})),
        "CancelRequested" => object(json!({ "key": text, "by": text }), json!({})),
        "TurnEnded" => object(
            json!({ "turn": count, "stop": reference("stop_reason") }),
            json!({ "detail": text, "summary": text, "worked_ms": count }),
        ),
        _ => return None,
    })
}

/// What comes of asking the model.
fn model(kind: &str) -> Option<Value> {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let optional_count = json!({ "type": ["integer", "null"], "minimum": 0 });
    let failures = [
        "connect",
        "cut",
        "timeout",
        "rate_limited",
        "unavailable",
        "auth",
        "not_found",
        "bad_request",
        "too_long",
        "malformed",
        "empty",
        "cut_short",
        "cancelled",
        "interrupted",
        "withheld",
    ];
    Some(match kind {
        "AttemptReserved" => object(
            json!({ "attempt": reference("id"), "step": count, "try_number": count,
                "epoch": count, "reserved_tokens": count, "max_output_tokens": optional_count }),
            json!({ "input_tokens": count, "cost_micro_usd": count, "worked_ms": count,
                "purpose": { "enum": ["summary"] }, "sent": super::context::sent(),
                "size": object(json!({ "bytes": count, "tokens_bound": count }), json!({})) }),
        ),
        "AttemptFailed" => object(
            json!({ "attempt": reference("id"), "retry_in_ms": optional_count,
                "failure": object(
                    json!({ "kind": { "enum": failures }, "message": text,
                        "status": optional_count, "retry_after_ms": optional_count,
                        "usage": nullable(&reference("usage")) }),
                    json!({}),
                ) }),
            json!({ "charged": reference("amounts") }),
        ),
        "ModelReplied" => object(
            json!({ "attempt": reference("id"),
                "message": object(
                    json!({ "blocks": list(&reference("block")) }),
                    json!({ "extra": { "type": "object" } }),
                ),
                "stop": { "enum": ["finished", "length", "refused"] },
                "usage": nullable(&reference("usage")) }),
            json!({ "request_id": text, "charged": reference("amounts") }),
        ),
        _ => return None,
    })
}

/// What becomes of a call.
fn call(kind: &str) -> Option<Value> {
    let text = json!({ "type": "string" });
    let count = reference("count");
    let with_call = |mut required: Value, optional: Value| {
        required["call"] = reference("id");
        object(required, optional)
    };
    Some(match kind {
        "CallRejected" | "CallFailed" => {
            with_call(json!({ "error": reference("context_text") }), json!({}))
        }
        "PolicyRecorded" => object(
            json!({ "hash": reference("digest"), "policy": super::parts::policy_record() }),
            json!({}),
        ),
        "Decided" => with_call(json!({ "decision": reference("decision") }), json!({})),
        "DecisionAnswered" => object(
            json!({ "key": text, "decision": reference("id"), "verdict": reference("verdict"),
                "scope": reference("scope"), "by": text,
                "note": { "type": ["string", "null"] } }),
            json!({}),
        ),
        "QuestionAnswered" => object(
            json!({ "key": text, "decision": reference("id"),
                "answer": reference("context_text"), "by": text }),
            json!({}),
        ),
        "CallStarted" => with_call(
            json!({ "try_number": count, "epoch": count, "digest": reference("digest"),
                "class": reference("replay_class") }),
            json!({ "spool": text, "boot": text, "checks": list(&object(
                json!({ "path": text, "before": nullable(&reference("digest")),
                    "after": reference("digest") }),
                json!({}),
            )) }),
        ),
        "CallFinished" => with_call(
            json!({ "outcome": reference("outcome") }),
            json!({ "found": { "const": true } }),
        ),
        "CallInDoubt" => with_call(
            json!({ "why": text, "told": reference("context_text") }),
            json!({}),
        ),
        "CallFoundUnstarted" => with_call(json!({ "proof": text }), json!({})),
        _ => return None,
    })
}

/// What has to do with waiting, settling and pausing.
fn wait(kind: &str) -> Option<Value> {
    let text = json!({ "type": "string" });
    let id = reference("id");
    let count = reference("count");
    let asked = json!({ "key": text, "by": text });
    Some(match kind {
        "CallParked" => object(
            json!({ "call": id }),
            json!({ "until_ms": count, "last": text }),
        ),
        "WaitEnded" => object(
            json!({ "call": id, "told": reference("context_text"),
                "how": { "enum": ["signalled", "arrived", "found", "timed_out", "superseded"] } }),
            json!({}),
        ),
        "SignalReceived" => object(
            json!({ "key": text, "name": text, "by": text }),
            json!({ "payload": reference("context_text") }),
        ),
        "CallSettled" => object(
            json!({ "key": text, "call": id, "happened": { "type": "boolean" }, "by": text }),
            json!({ "note": text, "outcome": reference("outcome") }),
        ),
        "DecisionLapsed" => object(json!({ "decision": id }), json!({})),
        "SessionPaused" | "SessionContinued" => object(asked, json!({})),
        _ => return None,
    })
}

/// What has to do with budgets.
fn budget(kind: &str) -> Option<Value> {
    let id = reference("id");
    let amounts = reference("amounts");
    Some(match kind {
        "UsageOverran" => object(
            json!({ "attempt": id, "reserved": amounts, "reported": amounts,
                "stops": { "type": "boolean" } }),
            json!({}),
        ),
        "TimeRanOut" => object(
            json!({ "turn": reference("count"), "detail": { "type": "string" } }),
            json!({}),
        ),
        "ShareGranted" => object(
            json!({ "child": id, "call": id, "share": amounts }),
            json!({}),
        ),
        "ShareSettled" => object(json!({ "child": id, "spent": amounts }), json!({})),
        "ShareRaised" => object(json!({ "share": reference("cap") }), json!({})),
        _ => return None,
    })
}
