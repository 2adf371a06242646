//! Top-level parameters, tool declarations and cache marks.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Checked, Kind, Violation, only_keys};

/// Every parameter of the API, from its reference as of 2026.
const KNOWN: [&str; 19] = [
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_p",
];

/// The API's least budget for thinking.
const LEAST_BUDGET: u64 = 1_024;
/// Marks that one request may hold.
const MOST_MARKS: usize = 4;

pub(super) fn check(body: &Map<String, Value>) -> Checked {
    only_keys(&Value::Object(body.clone()), &KNOWN, Kind::UnknownKey, "")?;
    if !matches!(body.get("model"), Some(Value::String(model)) if !model.is_empty()) {
        return Err(Violation::new(
            Kind::MissingModel,
            "model",
            "model: field required",
        ));
    }
    let most = match body.get("max_tokens") {
        None | Some(Value::Null) => {
            let message = "max_tokens: field required";
            return Err(Violation::new(
                Kind::MissingMaxTokens,
                "max_tokens",
                message,
            ));
        }
        Some(value) => value.as_u64(),
    };
    match most {
        None => {
            let message = "max_tokens: must be an integer from 1 on";
            return Err(Violation::new(Kind::WrongType, "max_tokens", message));
        }
        Some(0) => {
            let message = "max_tokens: must be at least 1";
            return Err(Violation::new(Kind::OutOfRange, "max_tokens", message));
        }
        Some(_) => {}
    }
    typed(body, "stream", Value::is_boolean)?;
    typed(body, "temperature", Value::is_number)?;
    let temperature = body.get("temperature").and_then(Value::as_f64);
    if temperature.is_some_and(|degree| !(0.0..=1.0).contains(&degree)) {
        let message = "temperature: must be within 0 to 1";
        return Err(Violation::new(Kind::OutOfRange, "temperature", message));
    }
    check_system(body.get("system"))?;
    check_effort(body.get("output_config"))?;
    check_thinking(body, most.unwrap_or(0), temperature)
}

fn typed(body: &Map<String, Value>, key: &str, holds: fn(&Value) -> bool) -> Checked {
    match body.get(key) {
        Some(value) if !holds(value) => {
            let message = format!("{key}: of the wrong type: {value}");
            Err(Violation::new(Kind::WrongType, key, message))
        }
        _ => Ok(()),
    }
}

fn check_system(system: Option<&Value>) -> Checked {
    match system {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => blocks.iter().enumerate().try_for_each(|(i, block)| {
            let at = format!("system[{i}]");
            if block["type"] != "text" || !block["text"].is_string() {
                let message = "system takes blocks of type 'text'";
                return Err(Violation::new(Kind::BadPart, at, message));
            }
            only_keys(
                block,
                &["type", "text", "cache_control"],
                Kind::UnknownMessageKey,
                &at,
            )?;
            if block["text"]
                .as_str()
                .is_some_and(|text| text.trim().is_empty())
            {
                let message = "text content blocks must contain non-whitespace text";
                return Err(Violation::new(Kind::BlankText, at, message));
            }
            Ok(())
        }),
        Some(_) => {
            let message = "system: must be a string or a list of text blocks";
            Err(Violation::new(Kind::WrongType, "system", message))
        }
    }
}

fn check_effort(config: Option<&Value>) -> Checked {
    let Some(config) = config else { return Ok(()) };
    only_keys(
        config,
        &["effort", "format"],
        Kind::UnknownKey,
        "output_config",
    )?;
    let efforts = ["low", "medium", "high", "xhigh", "max"];
    match config.get("effort") {
        Some(effort) if !efforts.iter().any(|known| effort == known) => {
            let message = format!("effort: {effort} is not one of {}", efforts.join(", "));
            Err(Violation::new(
                Kind::OutOfRange,
                "output_config.effort",
                message,
            ))
        }
        _ => Ok(()),
    }
}

fn check_thinking(body: &Map<String, Value>, most: u64, temperature: Option<f64>) -> Checked {
    let Some(thinking) = body.get("thinking") else {
        return Ok(());
    };
    let keys: &[&str] = match thinking["type"].as_str() {
        Some("enabled") => &["type", "budget_tokens", "display"],
        Some("adaptive") => &["type", "display"],
        Some("disabled") => &["type"],
        _ => {
            let message = "thinking.type: must be enabled, adaptive or disabled";
            return Err(Violation::new(Kind::BadThinking, "thinking", message));
        }
    };
    only_keys(thinking, keys, Kind::BadThinking, "thinking")?;
    if thinking["type"] == "enabled" {
        let at = "thinking.budget_tokens";
        let Some(budget) = thinking["budget_tokens"].as_u64() else {
            let message = "thinking.enabled.budget_tokens: field required";
            return Err(Violation::new(Kind::BadThinking, at, message));
        };
        if budget < LEAST_BUDGET || budget >= most {
            let message = format!(
                "budget_tokens must be from {LEAST_BUDGET} on and less than max_tokens ({most})"
            );
            return Err(Violation::new(Kind::BadThinkingBudget, at, message));
        }
    }
    let forced = body
        .get("tool_choice")
        .is_some_and(|choice| choice["type"] == "any" || choice["type"] == "tool");
    if thinking["type"] != "disabled" && (forced || temperature.is_some_and(|degree| degree < 1.0))
    {
        let message = "thinking goes with neither a forced tool nor a temperature below 1";
        return Err(Violation::new(Kind::ThinkingConflict, "thinking", message));
    }
    Ok(())
}

/// Checks the declared tools and what refers to them; returns their names.
pub(super) fn check_tools(body: &Map<String, Value>) -> Result<BTreeSet<String>, Violation> {
    let tools = match body.get("tools") {
        None => &[][..],
        Some(Value::Array(tools)) => tools,
        Some(_) => {
            let message = "tools: must be a list";
            return Err(Violation::new(Kind::WrongType, "tools", message));
        }
    };
    let mut names = BTreeSet::new();
    for (i, tool) in tools.iter().enumerate() {
        let at = format!("tools[{i}]");
        let name = check_tool(tool, &at)?;
        if !names.insert(name.to_owned()) {
            let message = format!("tool names must be unique: '{name}'");
            return Err(Violation::new(Kind::DuplicateTool, at, message));
        }
    }
    check_choice(body.get("tool_choice"), &names)?;
    Ok(names)
}

fn check_tool<'a>(tool: &'a Value, at: &str) -> Result<&'a str, Violation> {
    let known = [
        "type",
        "name",
        "description",
        "input_schema",
        "cache_control",
        "strict",
    ];
    if !tool.is_object() || tool.get("type").is_some_and(|kind| kind != "custom") {
        let message = "a tool is an object of type 'custom'";
        return Err(Violation::new(Kind::BadTool, at, message));
    }
    only_keys(tool, &known, Kind::BadTool, at)?;
    if tool
        .get("description")
        .is_some_and(|text| !text.is_string())
    {
        let message = "description: must be a string";
        return Err(Violation::new(Kind::BadTool, at, message));
    }
    let name = tool["name"].as_str().unwrap_or_default();
    if !is_name(name) {
        let message = format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,128}}$");
        return Err(Violation::new(
            Kind::BadToolName,
            format!("{at}.name"),
            message,
        ));
    }
    if tool["input_schema"]["type"] != "object" {
        let message = "input_schema.type: must be 'object'";
        let at = format!("{at}.input_schema");
        return Err(Violation::new(Kind::BadToolSchema, at, message));
    }
    Ok(name)
}

/// Whether `name` is one that tools and calls may have.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=128).contains(&name.len()) && name.bytes().all(allowed)
}

fn check_choice(choice: Option<&Value>, names: &BTreeSet<String>) -> Checked {
    let Some(choice) = choice else { return Ok(()) };
    if names.is_empty() {
        let message = "tool_choice may only be specified while providing tools";
        return Err(Violation::new(Kind::ToolsMissing, "tool_choice", message));
    }
    let fits = match choice["type"].as_str() {
        Some("auto" | "any" | "none") => true,
        Some("tool") => choice["name"]
            .as_str()
            .is_some_and(|name| names.contains(name)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let message = "must be auto, any, none, or name a declared tool";
    Err(Violation::new(Kind::BadToolChoice, "tool_choice", message))
}

/// Checks how many cache marks there are, their form and order: what is kept for an hour comes first.
pub(super) fn check_marks(body: &Value) -> Checked {
    let mut marks = 0;
    count_marks(body, "", &mut marks)?;
    let mut short = false;
    for list in ["tools", "system", "messages"] {
        check_order(&body[list], list, &mut short)?;
    }
    if marks > MOST_MARKS {
        let message = format!("a maximum of {MOST_MARKS} blocks with cache_control, found {marks}");
        return Err(Violation::new(Kind::TooManyCacheMarks, "", message));
    }
    Ok(())
}

/// Checks that no mark for an hour comes after one for 5 minutes; `short` says whether one came.
fn check_order(value: &Value, at: &str, short: &mut bool) -> Checked {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| check_order(item, &format!("{at}[{i}]"), short)),
        Value::Object(map) => {
            if let Some(mark) = map.get("cache_control").filter(|mark| mark.is_object()) {
                let is_hour = mark["ttl"] == "1h";
                if is_hour && *short {
                    let message = "a ttl='1h' cache_control block must not come after a ttl='5m' \
                                   cache_control block";
                    return Err(Violation::new(Kind::BadCacheMark, at, message));
                }
                *short |= !is_hour;
            }
            map.get("content")
                .map_or(Ok(()), |content| check_order(content, at, short))
        }
        _ => Ok(()),
    }
}

fn count_marks(value: &Value, at: &str, marks: &mut usize) -> Checked {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| count_marks(item, &format!("{at}[{i}]"), marks)),
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            match (key.as_str(), map.get("type").and_then(Value::as_str)) {
                // What a model wrote or a schema says is no business of ours.
                ("input" | "input_schema", _) => Ok(()),
                ("cache_control", kind) => {
                    *marks += 1;
                    let lives = item.get("ttl");
                    let form = item["type"] == "ephemeral"
                        && lives.is_none_or(|ttl| ttl == "5m" || ttl == "1h");
                    let place = !kind.is_some_and(|kind| kind.ends_with("thinking"));
                    if form && place {
                        return Ok(());
                    }
                    let message = "cache_control: of an unknown form, or on a thought";
                    Err(Violation::new(Kind::BadCacheMark, at, message))
                }
                _ => count_marks(item, &format!("{at}.{key}"), marks),
            }
        }),
        _ => Ok(()),
    }
}
