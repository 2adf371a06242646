//! How much to think, as the API wants to be told (by a budget or, from Claude 4.6 on, by effort),
//! and which thoughts go back.

use bowline_core::message::{HistoryItem, Opaque};
use bowline_core::{Block, Exchange, ModelRef, ReasoningEffort, Request};

use crate::wire::json::has_nul;

/// The longest reply asked for when nobody set one, thinking included. The API wants a number and
/// refuses one over the model's own limit; every model since Claude 4 takes this one.
const DEFAULT_MAX_TOKENS: u64 = 32_000;
/// The API's least budget.
const LEAST_BUDGET: u64 = 1_024;

/// The longest reply to ask for.
pub(super) fn max_tokens(request: &Request) -> u64 {
    // Zero is refused; whoever has no tokens left is not asked at all.
    request.max_output_tokens.map_or_else(
        || default_max_tokens(request.model.model()),
        |most| most.max(1),
    )
}

/// Models before Claude 4 have smaller limits.
fn default_max_tokens(model: &str) -> u64 {
    match version(model) {
        Some((3, 5)) => 8_192,
        Some((0..=2, _) | (3, 0..=4)) => 4_096,
        _ => DEFAULT_MAX_TOKENS,
    }
}

/// What is added to a request about thinking; empty if nothing is to be said: then the model does
/// as it does by default, which without a word is not to think aloud.
pub(super) fn parameters(request: &Request) -> String {
    let effort = match request.reasoning {
        None | Some(ReasoningEffort::Off) => return String::new(),
        Some(effort) => effort,
    };
    if version(request.model.model()).is_some_and(|version| version >= (4, 6)) {
        // Newer models refuse a budget, and say nothing of their thoughts unless asked.
        return format!(
            ",\"thinking\":{{\"type\":\"adaptive\",\"display\":\"summarized\"}},\
             \"output_config\":{{\"effort\":\"{}\"}}",
            effort.name()
        );
    }
    // A round of calls that began without thinking, such as under another model, cannot go on
    // with it: the API wants the thought first that led to the calls.
    match budget(effort, max_tokens(request)).filter(|_| !is_in_a_thoughtless_round(request)) {
        Some(tokens) => {
            format!(",\"thinking\":{{\"type\":\"enabled\",\"budget_tokens\":{tokens}}}")
        }
        None => String::new(),
    }
}

/// Tokens for thinking: what the effort says, as whoever sets the longest reply leaves room for it
/// and for some words. Where the reply is limited to less all the same, at most half of it, as
/// thoughts count as part of it and the API refuses a budget that is not below the limit; where
/// half of it is less than the API's least, there is no thinking.
fn budget(effort: ReasoningEffort, max_tokens: u64) -> Option<u64> {
    let wish = effort.thinking_tokens();
    let fits = if max_tokens > wish {
        wish
    } else {
        max_tokens / 2
    };
    Some(fits).filter(|tokens| *tokens >= LEAST_BUDGET)
}

/// The version in a name such as `claude-opus-4-7` or `claude-3-7-sonnet-20250219`; `None` if it
/// names none, or is no Claude.
fn version(model: &str) -> Option<(u32, u32)> {
    let name = &model[model.find("claude")?..];
    let parts: Vec<&str> = name.split(['-', '.', '@', ':']).collect();
    // Longer numbers are dates.
    let number = |part: &&str| part.parse::<u32>().ok().filter(|_| part.len() <= 2);
    let first = parts.iter().position(|part| number(part).is_some())?;
    let minor = parts.get(first + 1).and_then(number).unwrap_or(0);
    Some((number(&parts[first])?, minor))
}

/// Whether the history ends in calls and their results, and the first reply since the last
/// question does not begin with a thought of this model.
fn is_in_a_thoughtless_round(request: &Request) -> bool {
    let mut first = None;
    for (at, item) in request.history.iter().enumerate().rev() {
        match item.as_ref() {
            HistoryItem::Exchange(exchange) if exchange.results().is_empty() => break,
            HistoryItem::Exchange(exchange) => first = Some(exchange),
            // Words that came after results are part of the same message, and so of the round.
            HistoryItem::Input(_) => {
                let before = at.checked_sub(1).and_then(|at| request.history.get(at));
                if !before.is_some_and(|before| ends_in_user_message(before)) {
                    break;
                }
            }
        }
    }
    first.is_some_and(|exchange| !begins_with_thought(exchange, &request.model))
}

fn ends_in_user_message(item: &HistoryItem) -> bool {
    match item {
        HistoryItem::Input(_) => true,
        HistoryItem::Exchange(exchange) => !exchange.results().is_empty(),
    }
}

fn begins_with_thought(exchange: &Exchange, model: &ModelRef) -> bool {
    let mut sent = exchange
        .message()
        .blocks
        .iter()
        .filter(|block| match block {
            Block::Text { text } => !text.trim().is_empty(),
            Block::Reasoning { .. } => false,
            Block::Opaque(opaque) => goes_back(opaque, model),
            Block::Call(_) => true,
        });
    matches!(sent.next(), Some(Block::Opaque(opaque)) if is_whole_thought(opaque))
}

/// Types of blocks that are never kept whole; what claims to be one is not sent back.
const OWN_TYPES: [&str; 4] = ["text", "tool_use", "tool_result", "image"];

/// Whether a kept block goes back as it came: it came from this very model, and it is whole. A
/// thought without its signature, as a reply cut by its limit may hold, is refused.
pub(super) fn goes_back(opaque: &Opaque, model: &ModelRef) -> bool {
    let field = opaque.field.as_str();
    let is_whole = !field.ends_with("thinking") || is_whole_thought(opaque);
    opaque.is_from(model)
        && opaque.value["type"] == field
        && !OWN_TYPES.contains(&field)
        && is_whole
        && !has_nul(&opaque.value)
}

/// Whether it is thinking that the API takes back: signed, or redacted.
pub(super) fn is_whole_thought(opaque: &Opaque) -> bool {
    let filled = |field: &str| {
        opaque.value[field]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    };
    match opaque.field.as_str() {
        "thinking" => filled("signature") && opaque.value["thinking"].is_string(),
        "redacted_thinking" => filled("data"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
