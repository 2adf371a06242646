//! Counts the input tokens of a request before it is sent.
//!
//! A provider's own address for counting knows best, and is free. Without an answer from it, the
//! tokenizer counts, where it is known which one that is: `o200k` for OpenAI's models since GPT-4o
//! at OpenAI's own address. Its tables take some 30 MB and are loaded the first time.

use std::collections::BTreeMap;
use std::sync::Arc;

use bowline_core::{HistoryItem, Request};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Dialect;
use crate::http::Endpoint;
use crate::provider::{Counted, CountedBy};

/// Tokens for what stands around each text of a request. The template that makes one text of a
/// conversation is not published; it is known to take 3 or 4 for a message, which has 3 texts and
/// more, and to write tools more shortly than they are sent.
const AROUND_TEXT_TOKENS: u64 = 2;

/// Has `body`, which is that of `request`, counted.
pub(crate) async fn count(
    endpoint: Arc<Endpoint>,
    dialect: Dialect,
    request: CountRequest,
) -> Option<Counted> {
    if endpoint.may_count()
        && let Some((_, unknown)) = dialect.counting()
        && let Some(body) = without_fields(&request.body, unknown)
        && let Some(input_tokens) = endpoint.count(body).await
    {
        return Some(Counted {
            input_tokens,
            how: CountedBy::Endpoint,
        });
    }
    let is_known = endpoint.host() == "api.openai.com" && is_o200k(&request.model);
    if !is_known || request.has_images {
        return None;
    }
    // Loading the tables and counting a long conversation take a while.
    let counted = tokio::task::spawn_blocking(move || by_tokenizer(&request.body));
    Some(Counted {
        input_tokens: counted.await.ok().flatten()?,
        how: CountedBy::Tokenizer,
    })
}

/// What is counted.
pub(crate) struct CountRequest {
    body: Vec<u8>,
    model: String,
    /// An image takes tokens by its size, which no tokenizer sees.
    has_images: bool,
}

impl CountRequest {
    pub(crate) fn new(request: &Request, body: Vec<u8>) -> Self {
        let shows = |item: &Arc<HistoryItem>| match item.as_ref() {
            HistoryItem::Input(input) => !input.images.is_empty(),
            HistoryItem::Exchange(_) => false,
        };
        Self {
            body,
            model: request.model.model().to_owned(),
            has_images: request.history.iter().any(shows),
        }
    }
}

/// `body` without some of its fields; all others stay as they are.
fn without_fields(body: &[u8], fields: &[&str]) -> Option<Vec<u8>> {
    let mut kept: BTreeMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
    kept.retain(|field, _| !fields.contains(field));
    serde_json::to_vec(&kept).ok()
}

/// Whether a model of OpenAI is known to use the tokenizer: GPT-4o and all after it.
fn is_o200k(model: &str) -> bool {
    const FAMILIES: [&str; 9] = [
        "gpt-4o",
        "chatgpt-4o",
        "gpt-4.1",
        "gpt-4.5",
        "gpt-5",
        "codex-mini",
        "o1",
        "o3",
        "o4",
    ];
    // A model trained further is named after the one it came from.
    let model = model.strip_prefix("ft:").unwrap_or(model);
    FAMILIES.iter().any(|family| {
        model
            .strip_prefix(family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', ':']))
    })
}

/// The tokens of all texts of a request, and of what stands around them.
fn by_tokenizer(body: &[u8]) -> Option<u64> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(of_value(&body))
}

fn of_value(value: &Value) -> u64 {
    match value {
        Value::String(text) => of_text(text),
        Value::Array(items) => items.iter().map(of_value).sum(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(key, value)| of_text(key) + of_value(value))
                .sum()
        }
        Value::Number(number) => of_text(&number.to_string()),
        Value::Bool(_) | Value::Null => 1,
    }
}

fn of_text(text: &str) -> u64 {
    bpe_openai::o200k_base().count(text) as u64 + AROUND_TEXT_TOKENS
}

#[cfg(test)]
mod tests;
