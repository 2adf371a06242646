//! What was done, a line for each exchange, made without a model.

use std::sync::Arc;

use crate::context::floor_border;
use crate::message::{Exchange, HistoryItem, ResultKind};

/// Bytes of a line's parts.
const ARGUMENTS_BYTES: usize = 120;
const RESULT_BYTES: usize = 100;
const WORDS_BYTES: usize = 700;

/// A line for each call and each answer of these items.
pub(super) fn outline(items: &[Arc<HistoryItem>]) -> Vec<String> {
    let exchanges = items.iter().filter_map(|item| match item.as_ref() {
        HistoryItem::Exchange(exchange) => Some(exchange),
        HistoryItem::Input(_) => None,
    });
    exchanges.flat_map(lines).collect()
}

fn lines(exchange: &Exchange) -> Vec<String> {
    let step = exchange.step().0;
    let message = exchange.message();
    let calls = message.calls().zip(exchange.results());
    let mut lines: Vec<String> = calls
        .map(|(call, result)| {
            let how = match result.kind {
                ResultKind::Ok => "",
                ResultKind::Error => "failed: ",
            };
            format!(
                "step {step}: {} {} -> {how}{}",
                call.name,
                short(&call.arguments, ARGUMENTS_BYTES),
                short(first_line(result.content.text()), RESULT_BYTES)
            )
        })
        .collect();
    if lines.is_empty() {
        let words = short(&message.text(), WORDS_BYTES);
        lines.push(format!("step {step}: you answered: {words}"));
    }
    lines
}

fn first_line(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or("(nothing)")
}

/// A text in one line of so many bytes at most.
pub(super) fn short(text: &str, bytes: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= bytes {
        return line;
    }
    format!("{}..", &line[..floor_border(&line, bytes)])
}
