//! The fields of a delta or message, in all the spellings that compatible servers use.

use bowline_core::Usage;
use serde_json::{Map, Value};

use crate::wire::json::count;
use crate::wire::{Assembly, Fragment};

/// Where servers put reasoning: the field's name is kept so that it goes back as it came.
const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];

/// Takes in everything that a delta or message says; tells whether it is a refusal.
pub(super) fn take(assembly: &mut Assembly, said: &Map<String, Value>) -> bool {
    // Some servers send the same reasoning under both names.
    let reasoning = REASONING.into_iter().find_map(|field| {
        let text = said.get(field)?.as_str().filter(|text| !text.is_empty())?;
        Some((field, text))
    });
    if let Some((field, text)) = reasoning {
        assembly.reasoning(field, text);
    }
    let mut refused = false;
    for (field, value) in said {
        match (field.as_str(), value) {
            ("role" | "reasoning_content", _) | (_, Value::Null) => {}
            ("reasoning", Value::String(_)) => {}
            ("content", content) => take_content(assembly, content),
            ("refusal", Value::String(words)) => {
                refused |= !words.is_empty();
                assembly.text(words);
            }
            ("tool_calls", Value::Array(calls)) => {
                calls
                    .iter()
                    .for_each(|call| assembly.fragment(fragment(call)));
            }
            // One call, never with an index: more than one would not fit this old field.
            ("function_call", Value::Object(_)) => assembly.fragment(function(value)),
            ("reasoning_details", Value::Array(items)) => assembly.opaque(field, items),
            (_, value) => assembly.extra(field, value.clone()),
        }
    }
    refused
}

/// Takes in content: a string, or parts of which some are text and some are reasoning.
fn take_content(assembly: &mut Assembly, content: &Value) {
    match content {
        Value::String(text) => assembly.text(text),
        Value::Array(parts) => parts.iter().for_each(|part| take_content(assembly, part)),
        Value::Object(part) => match part.get("type").and_then(Value::as_str) {
            Some("thinking" | "reasoning") => {
                let thoughts = ["thinking", "reasoning", "text"];
                let thoughts = thoughts.into_iter().find_map(|name| part.get(name));
                assembly.reasoning("content", &words(thoughts.unwrap_or(&Value::Null)));
            }
            _ => {
                let text = part.get("text").or_else(|| part.get("refusal"));
                assembly.text(&words(text.unwrap_or(&Value::Null)));
            }
        },
        _ => {}
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(words).collect(),
        Value::Object(part) => part.get("text").map(words).unwrap_or_default(),
        _ => String::new(),
    }
}

fn fragment(call: &Value) -> Fragment {
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    Fragment {
        index: call.get("index").and_then(number),
        id: call["id"].as_str().unwrap_or_default().to_owned(),
        kept: kept(call),
        ..function(&call["function"])
    }
}

/// The fields of a call that nobody here knows; those of its function under `function`.
fn kept(call: &Value) -> Map<String, Value> {
    let unknown = |value: &Value, known: &[&str]| -> Map<String, Value> {
        let fields = value.as_object().into_iter().flatten();
        let fields =
            fields.filter(|(key, value)| !known.contains(&key.as_str()) && !value.is_null());
        fields
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let mut kept = unknown(call, &["index", "id", "type", "function"]);
    let inner = unknown(&call["function"], &["name", "arguments"]);
    if !inner.is_empty() {
        kept.insert("function".to_owned(), inner.into());
    }
    kept
}

fn function(function: &Value) -> Fragment {
    let arguments = match &function["arguments"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // A few servers send the object itself.
        value => value.to_string(),
    };
    let name = function["name"].as_str().unwrap_or_default().to_owned();
    Fragment {
        name,
        arguments,
        ..Fragment::default()
    }
}

/// Reads token counts; `None` if there are none.
pub(super) fn usage(usage: &Value) -> Option<Usage> {
    let input = count(&usage["prompt_tokens"]);
    let output = count(&usage["completion_tokens"]);
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input_tokens, output_tokens) = (input.unwrap_or(0), output.unwrap_or(0));
    let cached = count(&usage["prompt_tokens_details"]["cached_tokens"])
        .or_else(|| count(&usage["prompt_cache_hit_tokens"]))
        .or_else(|| count(&usage["cached_tokens"]));
    let reasoning = count(&usage["completion_tokens_details"]["reasoning_tokens"]);
    Some(Usage {
        input_tokens,
        cached_input_tokens: cached.unwrap_or(0).min(input_tokens),
        cache_write_tokens: 0,
        output_tokens,
        reasoning_tokens: reasoning.unwrap_or(0),
    })
}
