//! The tokenizer of OpenAI's models since GPT-4o. Its tables take some 30 MB and are loaded the
//! first time.

use std::sync::Arc;

use bowline_core::HistoryItem;
use serde_json::Value;

/// Tokens for what stands around each text of a request. The template that makes one text of a
/// conversation is not published; it is known to take 3 or 4 for a message, which has 3 texts and
/// more, and to write tools more shortly than they are sent.
const AROUND_TEXT_TOKENS: u64 = 2;

/// Whether a part of a conversation shows images.
pub(super) fn shows_images(item: &Arc<HistoryItem>) -> bool {
    match item.as_ref() {
        HistoryItem::Input(input) => !input.images.is_empty(),
        HistoryItem::Exchange(_) => false,
    }
}

/// Whether a model of OpenAI is known to use the tokenizer: GPT-4o and all after it.
pub(super) fn is_o200k(model: &str) -> bool {
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
pub(super) fn count(body: &[u8]) -> Option<u64> {
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
