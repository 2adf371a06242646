//! What a request and its reply really come to, in tokens.
//!
//! Counted by `o200k` over what the model would get to see: every text as it is, tools as JSON, a
//! fixed number for what the template puts around each of them and for each image.

use bowline_model::scenario::{Answer, Stop};
use serde_json::Value;

/// What the server says a reply cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Billing {
    /// What the scenario says.
    #[default]
    Scenario,
    /// What it really comes to; a reply that ends for its length takes all that was allowed.
    Counted,
    /// The same, with what the provider's [prompt cache](crate::cache) does.
    Cached,
}

/// What stands around a message, an item or a tool.
pub(crate) const AROUND_TOKENS: u64 = 4;
/// What begins the reply, and other things that every request has.
pub(crate) const REQUEST_TOKENS: u64 = 8;
/// An image of about a megapixel.
const IMAGE_TOKENS: u64 = 1_590;

/// The input tokens of a request in any dialect, from what its body holds.
#[must_use]
pub fn input_tokens(body: &Value) -> u64 {
    let lists = ["messages", "input"].map(|list| items(&body[list]));
    let lists: u64 = lists.into_iter().sum();
    let system = of_content(&body["instructions"]) + of_content(&body["system"]);
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools: u64 = tools.map(tool_tokens).sum();
    REQUEST_TOKENS + lists + system + tools
}

/// The tokens of a tool's declaration.
pub(crate) fn tool_tokens(tool: &Value) -> u64 {
    let mut plain = tool.clone();
    if let Some(fields) = plain.as_object_mut() {
        fields.remove("cache_control");
    }
    count(&plain.to_string()) + AROUND_TOKENS
}

fn items(list: &Value) -> u64 {
    match list {
        Value::Array(items) => items
            .iter()
            .map(|item| of_content(item) + AROUND_TOKENS)
            .sum(),
        other => of_content(other),
    }
}

/// The tokens of a message or a part of it. Names of fields are the API's and cost nothing.
pub(crate) fn of_content(content: &Value) -> u64 {
    match content {
        Value::String(text) => count(text),
        Value::Array(parts) => parts.iter().map(of_content).sum(),
        Value::Object(part) => {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
            if matches!(kind, "image" | "image_url" | "input_image") {
                return IMAGE_TOKENS;
            }
            let input = part
                .get("input")
                .map_or(0, |input| count(&input.to_string()));
            let rest = part
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "type" | "input" | "cache_control"));
            input + rest.map(|(_, value)| of_content(value)).sum::<u64>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The output tokens of an answer to a request.
pub(crate) fn output_tokens(answer: &Answer, body: &Value) -> u64 {
    let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
    let limit = limits.iter().find_map(|limit| body[*limit].as_u64());
    let texts = [&answer.text, &answer.reasoning].into_iter().flatten();
    let said: u64 = texts.map(|text| count(text)).sum();
    let calls = answer.calls.iter();
    let called: u64 = calls
        .map(|call| count(&call.tool) + count(&call.arguments) + AROUND_TOKENS)
        .sum();
    match (answer.stop, limit) {
        (Stop::Length, Some(limit)) => limit,
        _ => said + called + 1,
    }
}

fn count(text: &str) -> u64 {
    bpe_openai::o200k_base().count(text) as u64
}
