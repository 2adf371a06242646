//! Top-level parameters and tool declarations.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Checked, Kind, Violation, is_tool_name};
use crate::strict::shape::{in_range, typed};

/// Every parameter of the API, from its reference as of 2026.
const KNOWN: [&str; 37] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
    "moderation",
];

pub(super) fn check(body: &Map<String, Value>) -> Checked {
    if let Some(key) = body.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let message = format!("unrecognized request argument supplied: {key}");
        return Err(Violation::new(Kind::UnknownKey, key, message));
    }
    match body.get("model") {
        Some(Value::String(model)) if !model.is_empty() => {}
        _ => {
            return Err(Violation::new(
                Kind::MissingModel,
                "model",
                "you must name a model",
            ));
        }
    }
    for key in ["stream", "store", "logprobs", "parallel_tool_calls"] {
        typed(body, key, "a boolean", Value::is_boolean)?;
    }
    for key in [
        "user",
        "reasoning_effort",
        "prompt_cache_key",
        "service_tier",
        "verbosity",
    ] {
        typed(body, key, "a string", Value::is_string)?;
    }
    for key in ["max_tokens", "max_completion_tokens", "n"] {
        typed(body, key, "an integer", |value| {
            value.is_i64() || value.is_u64()
        })?;
        in_range(body, key, 1.0, f64::INFINITY)?;
    }
    for (key, least, most) in [("temperature", 0.0, 2.0), ("top_p", 0.0, 1.0)] {
        typed(body, key, "a number", Value::is_number)?;
        in_range(body, key, least, most)?;
    }
    check_stream_options(body)
}

fn check_stream_options(body: &Map<String, Value>) -> Checked {
    typed(body, "stream_options", "an object", Value::is_object)?;
    let Some(options) = body.get("stream_options").and_then(Value::as_object) else {
        return Ok(());
    };
    if body.get("stream") != Some(&Value::Bool(true)) {
        let message = "the 'stream_options' parameter is only allowed when 'stream' is enabled";
        return Err(Violation::new(
            Kind::StreamOptionsWithoutStream,
            "stream_options",
            message,
        ));
    }
    for (key, value) in options {
        let at = format!("stream_options.{key}");
        if !["include_usage", "include_obfuscation"].contains(&key.as_str()) {
            return Err(Violation::new(
                Kind::UnknownKey,
                &at,
                format!("unknown parameter: '{at}'"),
            ));
        }
        if !value.is_boolean() {
            return Err(Violation::new(
                Kind::WrongType,
                &at,
                format!("'{at}' must be a boolean"),
            ));
        }
    }
    Ok(())
}

/// Checks the declared tools and what refers to them; returns their names.
pub(super) fn check_tools(body: &Map<String, Value>) -> Result<BTreeSet<String>, Violation> {
    let tools = match body.get("tools") {
        None | Some(Value::Null) => {
            let refers = ["tool_choice", "parallel_tool_calls"];
            return match refers.into_iter().find(|key| body.contains_key(*key)) {
                Some(key) => {
                    let message = format!("'{key}' is only allowed when 'tools' are specified");
                    Err(Violation::new(Kind::ToolsMissing, key, message))
                }
                None => Ok(BTreeSet::new()),
            };
        }
        Some(Value::Array(tools)) => tools,
        Some(_) => {
            return Err(Violation::new(
                Kind::WrongType,
                "tools",
                "'tools' must be an array",
            ));
        }
    };
    if tools.is_empty() {
        return Err(Violation::new(
            Kind::EmptyTools,
            "tools",
            "[] is too short for 'tools'",
        ));
    }
    let mut names = BTreeSet::new();
    for (i, tool) in tools.iter().enumerate() {
        let at = format!("tools[{i}]");
        let name = check_tool(tool, &at)?;
        if !names.insert(name.to_owned()) {
            let message = format!("two tools are named '{name}'");
            return Err(Violation::new(Kind::DuplicateTool, at, message));
        }
    }
    check_choice(body.get("tool_choice"), &names)?;
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
    if let Some(key) = map
        .keys()
        .find(|key| !["type", "function"].contains(&key.as_str()))
    {
        return bad(&format!("unknown parameter '{key}'"));
    }
    let Some(function) = tool["function"].as_object() else {
        return bad("'function' is missing");
    };
    let known = ["name", "description", "parameters", "strict"];
    if let Some(key) = function.keys().find(|key| !known.contains(&key.as_str())) {
        return bad(&format!("unknown parameter 'function.{key}'"));
    }
    if function
        .get("description")
        .is_some_and(|text| !text.is_string())
    {
        return bad("'function.description' must be a string");
    }
    let name = function
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !is_tool_name(name) {
        let message = format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,64}}$");
        return Err(Violation::new(
            Kind::BadToolName,
            format!("{at}.function.name"),
            message,
        ));
    }
    let schema = function.get("parameters").unwrap_or(&Value::Null);
    if schema["type"] != "object" || !schema["properties"].is_object() {
        let message = format!(
            "invalid schema for function '{name}': needs 'type': 'object' and 'properties'"
        );
        return Err(Violation::new(
            Kind::BadToolSchema,
            format!("{at}.function.parameters"),
            message,
        ));
    }
    Ok(name)
}

fn check_choice(choice: Option<&Value>, names: &BTreeSet<String>) -> Checked {
    let fits = match choice {
        None | Some(Value::Null) => true,
        Some(Value::String(word)) => ["none", "auto", "required"].contains(&word.as_str()),
        Some(choice) => {
            let name = choice["function"]["name"].as_str();
            choice["type"] == "function" && name.is_some_and(|name| names.contains(name))
        }
    };
    if fits {
        return Ok(());
    }
    let message = "must be none, auto, required, or name a declared function";
    Err(Violation::new(Kind::BadToolChoice, "tool_choice", message))
}
