//! Where two frozen prompts differ: which tool, which field.

use serde_json::Value;

use crate::request::{FrozenPrompt, ToolDeclaration};

/// One block of a prompt that is not what it was, and its field that differs first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The block: `system`, or `tool NAME`.
    pub block: String,
    /// What differs: `line 12` of the system text; `description` of a tool, or the place in its
    /// schema (`input_schema/properties/path/type`); `added`, `removed` or `order`.
    pub field: String,
}

/// Everything in which `after` differs from `before`: the system text first, then tools in the order
/// of `before`, then those that are new. Empty if the two send the same bytes.
#[must_use]
pub fn differences(before: &FrozenPrompt, after: &FrozenPrompt) -> Vec<Difference> {
    let mut found = Vec::new();
    if before.system != after.system {
        found.push(Difference {
            block: "system".to_owned(),
            field: format!("line {}", differing_line(&before.system, &after.system)),
        });
    }
    for tool in &before.tools {
        let same_name = after.tools.iter().find(|other| other.name == tool.name);
        let field = match same_name {
            None => Some("removed".to_owned()),
            Some(other) => field(tool, other),
        };
        found.extend(field.map(|field| of_tool(tool, field)));
    }
    let is_new = |tool: &&ToolDeclaration| before.tools.iter().all(|old| old.name != tool.name);
    let added = after.tools.iter().filter(is_new);
    found.extend(added.map(|tool| of_tool(tool, "added".to_owned())));
    if found.is_empty() {
        let moved = before.tools.iter().zip(&after.tools);
        let moved = moved.filter(|(old, new)| old.name != new.name).take(1);
        found.extend(moved.map(|(old, _)| of_tool(old, "order".to_owned())));
    }
    found
}

fn of_tool(tool: &ToolDeclaration, field: String) -> Difference {
    Difference {
        block: format!("tool {}", tool.name),
        field,
    }
}

fn field(before: &ToolDeclaration, after: &ToolDeclaration) -> Option<String> {
    if before.description != after.description {
        return Some("description".to_owned());
    }
    // As text: the order of members is part of what is sent.
    let (old, new) = (&before.input_schema, &after.input_schema);
    if is_written_alike(old, new) {
        return None;
    }
    Some(format!("input_schema{}", differing_place(old, new)))
}

/// Whether two values are the same text, the order of members included.
fn is_written_alike(one: &Value, other: &Value) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one == other
}

/// The first line that differs, from 1.
fn differing_line(before: &str, after: &str) -> usize {
    let lines = before.split('\n').zip(after.split('\n'));
    lines.take_while(|(old, new)| old == new).count() + 1
}

/// The innermost place at which two values differ first, as `/member/member`; empty if they differ
/// as a whole, or in the order of their members only.
fn differing_place(before: &Value, after: &Value) -> String {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return String::new();
    };
    let differs = |name: &&String| old.get(*name) != new.get(*name);
    let Some(name) = old.keys().chain(new.keys()).find(differs) else {
        return String::new();
    };
    let deeper = match (old.get(name), new.get(name)) {
        (Some(old), Some(new)) => differing_place(old, new),
        _ => String::new(),
    };
    format!("/{name}{deeper}")
}

#[cfg(test)]
mod tests;
