//! The descriptions of the built-in tools and their size.

use serde_json::{Value, json};

use super::*;

fn chat_declarations() -> Value {
    let declare = |spec: ToolSpec| {
        json!({"type": "function", "function": {
            "name": spec.name,
            "description": spec.description,
            "parameters": spec.input_schema,
        }})
    };
    specs().into_iter().map(declare).collect()
}

/// The first prompt is to stay below 2,500 tokens of 4 bytes, system text included.
#[test]
fn declarations_stay_small() {
    let whole = chat_declarations().to_string();
    let bytes_max = 600 * specs().len();
    assert!(whole.len() < bytes_max, "{} bytes: {whole}", whole.len());
}

/// Whoever never fetches anything pays for it, too.
#[test]
fn the_declaration_of_fetch_is_small() {
    let declared = chat_declarations();
    let names = |tool: &&Value| tool["function"]["name"] == "fetch";
    let fetch = declared.as_array().unwrap().iter().find(names).unwrap();
    let bytes = fetch["function"].to_string().len();
    assert!(bytes < 4 * 90, "{bytes} bytes: {fetch}");
}

#[test]
fn schemas_hold_nothing_that_only_costs_tokens() {
    for spec in specs() {
        let schema = spec.input_schema.to_string();
        for noise in [
            "$schema",
            "\"title\"",
            "\"format\"",
            "null",
            "anyOf",
            "$ref",
            "[`",
        ] {
            assert!(
                !schema.contains(noise),
                "{}: {noise} in {schema}",
                spec.name
            );
        }
        assert_eq!(spec.input_schema["type"], "object");
        assert_eq!(spec.input_schema["additionalProperties"], false);
    }
}

#[test]
fn specs_and_tools_are_the_same() {
    let toolbox = toolbox(BuiltinConfig::new("/nowhere".into()));
    assert_eq!(toolbox.specs().list(), specs());
}

#[test]
fn specs_say_what_they_must() {
    let check = |name: &str, risk: Risk, ceiling: ReplayClass, required: Value| {
        let spec = specs().into_iter().find(|spec| spec.name == name).unwrap();
        assert_eq!((spec.risk, spec.replay_ceiling), (risk, ceiling), "{name}");
        assert_eq!(
            spec.input_schema.get("required").unwrap_or(&json!([])),
            &required,
            "{name}"
        );
        assert_eq!(
            (spec.tier, spec.origin.as_str()),
            (Tier::BuiltIn, "bowline")
        );
        assert!(!spec.title.is_empty() && !spec.actions.is_empty());
    };
    use bowline_core::{Risk, Tier};
    check("read", Risk::Low, ReplayClass::Free, json!(["path"]));
    check(
        "write",
        Risk::Medium,
        ReplayClass::Checkable,
        json!(["path", "content"]),
    );
    check(
        "edit",
        Risk::Medium,
        ReplayClass::Checkable,
        json!(["path", "edits"]),
    );
    check("grep", Risk::Low, ReplayClass::Free, json!(["pattern"]));
    check("glob", Risk::Low, ReplayClass::Free, json!(["pattern"]));
    check("list", Risk::Low, ReplayClass::Free, json!([]));
    check(
        "shell",
        Risk::High,
        ReplayClass::Checkable,
        json!(["command"]),
    );
    check("todo", Risk::None, ReplayClass::Free, json!(["items"]));
    check(
        "ask_user",
        Risk::None,
        ReplayClass::Free,
        json!(["question"]),
    );
    check(
        "shell_job",
        Risk::High,
        ReplayClass::Once,
        json!(["action"]),
    );
    check("fetch", Risk::High, ReplayClass::Once, json!(["url"]));
}

#[test]
fn numbers_read_well() {
    let check = |number: u64, noun: &str, expect: &str| assert_eq!(count(number, noun), expect);
    check(0, "line", "0 lines");
    check(1, "entry", "1 entry");
    check(2, "entry", "2 entries");
    check(1_000, "match", "1,000 matches");
    check(1_234_567, "file", "1,234,567 files");
}
