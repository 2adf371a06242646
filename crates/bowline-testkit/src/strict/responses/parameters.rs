//! Top-level parameters and tool declarations.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Checked, Kind, Violation};
use crate::strict::is_tool_name;
use crate::strict::shape::{in_range, typed};

/// Every parameter of the API, from its reference as of 2026.
const KNOWN: [&str; 31] = [
    "background",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const INCLUDABLE: [&str; 8] = [
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
];

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const SUMMARIES: [&str; 3] = ["auto", "concise", "detailed"];

pub(super) fn check(body: &Map<String, Value>) -> Checked {
    if let Some(key) = body.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let message = format!("unknown parameter: '{key}'");
        return Err(Violation::new(Kind::UnknownKey, key, message));
    }
    let model = body.get("model").and_then(Value::as_str);
    if model.is_none_or(str::is_empty) {
        let message = "you must name a model";
        return Err(Violation::new(Kind::MissingModel, "model", message));
    }
    for key in ["stream", "store", "background", "parallel_tool_calls"] {
        typed(body, key, "a boolean", Value::is_boolean)?;
    }
    for key in ["instructions", "user", "prompt_cache_key", "truncation"] {
        typed(body, key, "a string", Value::is_string)?;
    }
    typed(body, "max_output_tokens", "an integer", |value| {
        value.is_i64() || value.is_u64()
    })?;
    in_range(body, "max_output_tokens", 16.0, f64::INFINITY)?;
    for (key, least, most) in [("temperature", 0.0, 2.0), ("top_p", 0.0, 1.0)] {
        typed(body, key, "a number", Value::is_number)?;
        in_range(body, key, least, most)?;
    }
    for key in ["previous_response_id", "conversation"] {
        if body.get(key).is_some_and(|value| !value.is_null()) {
            let message = format!("'{key}' names nothing that is stored here");
            return Err(Violation::new(Kind::ItemNotStored, key, message));
        }
    }
    check_include(body)?;
    check_reasoning(body)?;
    check_stream_options(body)
}

fn check_include(body: &Map<String, Value>) -> Checked {
    typed(body, "include", "an array", Value::is_array)?;
    let listed = body.get("include").and_then(Value::as_array);
    for (i, value) in listed.into_iter().flatten().enumerate() {
        if !value
            .as_str()
            .is_some_and(|name| INCLUDABLE.contains(&name))
        {
            let message = format!("{value} is not one of {}", INCLUDABLE.join(", "));
            return Err(Violation::new(
                Kind::BadInclude,
                format!("include[{i}]"),
                message,
            ));
        }
    }
    Ok(())
}

fn check_reasoning(body: &Map<String, Value>) -> Checked {
    typed(body, "reasoning", "an object", Value::is_object)?;
    let reasoning = body.get("reasoning").and_then(Value::as_object);
    for (key, value) in reasoning.into_iter().flatten() {
        let at = format!("reasoning.{key}");
        let allowed: &[&str] = match key.as_str() {
            "effort" => &EFFORTS,
            "summary" | "generate_summary" => &SUMMARIES,
            _ => {
                let message = format!("unknown parameter: '{at}'");
                return Err(Violation::new(Kind::UnknownKey, at, message));
            }
        };
        if !value.is_null() && !value.as_str().is_some_and(|word| allowed.contains(&word)) {
            let message = format!("{value} is not one of {}", allowed.join(", "));
            return Err(Violation::new(Kind::BadReasoningOption, at, message));
        }
    }
    Ok(())
}

fn check_stream_options(body: &Map<String, Value>) -> Checked {
    typed(body, "stream_options", "an object", Value::is_object)?;
    let Some(options) = body.get("stream_options").and_then(Value::as_object) else {
        return Ok(());
    };
    if body.get("stream") != Some(&Value::Bool(true)) {
        let message = "the 'stream_options' parameter is only allowed when 'stream' is enabled";
        let kind = Kind::StreamOptionsWithoutStream;
        return Err(Violation::new(kind, "stream_options", message));
    }
    match options.keys().find(|key| *key != "include_obfuscation") {
        Some(key) => {
            let at = format!("stream_options.{key}");
            let message = format!("unknown parameter: '{at}'");
            Err(Violation::new(Kind::UnknownKey, at, message))
        }
        None => Ok(()),
    }
}

/// Checks the declared tools and what refers to them; returns their names.
pub(super) fn check_tools(body: &Map<String, Value>) -> Result<BTreeSet<String>, Violation> {
    typed(body, "tools", "an array", Value::is_array)?;
    let tools = body.get("tools").and_then(Value::as_array);
    let mut names = BTreeSet::new();
    for (i, tool) in tools.into_iter().flatten().enumerate() {
        let at = format!("tools[{i}]");
        let name = check_tool(tool, &at)?;
        if !names.insert(name.to_owned()) {
            let message = format!("two tools are named '{name}'");
            return Err(Violation::new(Kind::DuplicateTool, at, message));
        }
    }
    match body.get("tool_choice") {
        None | Some(Value::Null) => {}
        Some(choice) => check_choice(choice, &names)?,
    }
    Ok(names)
}

fn check_tool<'a>(tool: &'a Value, at: &str) -> Result<&'a str, Violation> {
    let bad = |message: &str| Err(Violation::new(Kind::BadTool, at, message));
    let Some(map) = tool.as_object() else {
        return bad("a tool must be an object");
    };
    if tool["type"] != "function" {
        return bad("a tool needs 'type': 'function'");
    }
    let known = ["type", "name", "description", "parameters", "strict"];
    if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
        return bad(&format!("unknown parameter '{key}'"));
    }
    let mistyped = |key: &str, holds: fn(&Value) -> bool| {
        map.get(key)
            .is_some_and(|value| !value.is_null() && !holds(value))
    };
    if mistyped("description", Value::is_string) || mistyped("strict", Value::is_boolean) {
        return bad("'description' must be a string and 'strict' a boolean");
    }
    let name = tool["name"].as_str().unwrap_or_default();
    if !is_tool_name(name) {
        let message = format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,64}}$");
        return Err(Violation::new(
            Kind::BadToolName,
            format!("{at}.name"),
            message,
        ));
    }
    let schema = &tool["parameters"];
    let is_object = schema["type"] == "object" && schema["properties"].is_object();
    // Strict is what the API takes an absent value for.
    let is_closed = tool["strict"] == false || schema["additionalProperties"] == false;
    if !is_object || !is_closed {
        let message = format!(
            "invalid schema for function '{name}': needs 'type': 'object', 'properties' and, \
             unless 'strict' is false, 'additionalProperties': false"
        );
        let at = format!("{at}.parameters");
        return Err(Violation::new(Kind::BadToolSchema, at, message));
    }
    Ok(name)
}

fn check_choice(choice: &Value, names: &BTreeSet<String>) -> Checked {
    if names.is_empty() && choice != "none" && choice != "auto" {
        let message = "'tool_choice' is only allowed when 'tools' are specified";
        return Err(Violation::new(Kind::ToolsMissing, "tool_choice", message));
    }
    let fits = match choice {
        Value::String(word) => ["none", "auto", "required"].contains(&word.as_str()),
        choice => {
            let name = choice["name"].as_str();
            choice["type"] == "function" && name.is_some_and(|name| names.contains(name))
        }
    };
    if fits {
        return Ok(());
    }
    let message = "must be none, auto, required, or name a declared function";
    Err(Violation::new(Kind::BadToolChoice, "tool_choice", message))
}
