//! Which block and field is named.

use serde_json::json;

use super::differences;
use crate::request::{FrozenPrompt, ToolDeclaration};

fn prompt() -> FrozenPrompt {
    let tool = |name: &str| ToolDeclaration {
        name: name.to_owned(),
        description: format!("What {name} does."),
        input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
    };
    FrozenPrompt {
        system: "You are an agent.\nBe brief.\n".to_owned(),
        tools: vec![tool("read"), tool("grep"), tool("edit")],
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut FrozenPrompt), expect: &[(&str, &str)]) {
    let before = prompt();
    let mut after = prompt();
    change(&mut after);
    let found = differences(&before, &after);
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.block.as_str(), found.field.as_str()))
        .collect();
    assert_eq!(found, expect);
}

#[test]
fn a_difference_names_its_block_and_field() {
    check(|_| {}, &[]);
    check(
        |p| p.system = p.system.replace("brief", "short"),
        &[("system", "line 2")],
    );
    check(|p| p.system.push('x'), &[("system", "line 3")]);
    // One byte of a description.
    check(
        |p| p.tools[1].description.push('!'),
        &[("tool grep", "description")],
    );
    check(
        |p| p.tools[0].input_schema["properties"]["path"]["type"] = json!("integer"),
        &[("tool read", "input_schema/properties/path/type")],
    );
    check(
        |p| p.tools[2].input_schema["required"] = json!(["path"]),
        &[("tool edit", "input_schema/required")],
    );
    check(
        |p| {
            let reordered = r#"{"properties": {"path": {"type": "string"}}, "type": "object"}"#;
            p.tools[2].input_schema = serde_json::from_str(reordered).unwrap();
        },
        &[("tool edit", "input_schema")],
    );
    check(|p| drop(p.tools.remove(0)), &[("tool read", "removed")]);
    check(
        |p| p.tools[2].name = "change".to_owned(),
        &[("tool edit", "removed"), ("tool change", "added")],
    );
    check(|p| p.tools.swap(1, 2), &[("tool grep", "order")]);
    check(
        |p| {
            p.system.clear();
            p.tools[0].description.clear();
            p.tools[2].description.clear();
        },
        &[
            ("system", "line 1"),
            ("tool read", "description"),
            ("tool edit", "description"),
        ],
    );
}
