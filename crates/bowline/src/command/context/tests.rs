//! How a plan looks at 80 and at 200 columns.

use bowline_core::plan::ContextPlan;
use serde_json::{Value, json};

use super::table;
use crate::print::Look;

fn block(kind: &str, name: &str, origin: &str, tokens: u64, cached: &str) -> Value {
    json!({ "kind": kind, "name": name, "origin": origin, "bytes": tokens * 4, "images": 0,
        "tokens": tokens, "hash": "0123456789abcdef0123456789abcdef", "cached": cached,
        "why": format!("Why a {kind} is there."), "cap_bytes": 32_768, "cap": format!("a {kind}") })
}

fn plan() -> ContextPlan {
    let mut blocks = vec![
        block("system", "system text", "bowline", 900, "read"),
        block("tool", "read", "bowline", 300, "read"),
        block("tool", "edit", "bowline", 350, "read"),
        block("instructions", "AGENTS.md", "file AGENTS.md", 450, "read"),
        block(
            "prompt",
            "Mend the parser: it loses the last line of a file without a newline, …",
            "person",
            40,
            "read",
        ),
        block("exchange", "I look at it first.", "model", 120, "sent"),
        block("result", "read", "tool read", 5_200, "sent"),
        block(
            "result",
            "fetch\u{1b}[31m",
            "https://example.com\u{1b}[2J, by fetch",
            1_400,
            "new",
        ),
        block(
            "notice",
            "The permission mode is now `edit`.",
            "bowline",
            12,
            "new",
        ),
    ];
    for at in [5, 6, 7] {
        blocks[at]["step"] = json!(1);
    }
    let plan = json!({
        "version": 1, "session": "01a21788-5d47-70ef-9e2a-312a4e14032b", "step": 2,
        "asked": false, "model": "anthropic/claude-sonnet-5", "window_tokens": 200_000,
        "bytes": 35_088, "tokens": 8_772, "tokens_by": "rate",
        "reported": { "input_tokens": 7_360, "cached_input_tokens": 2_040,
            "cache_write_tokens": 5_320, "output_tokens": 120, "reasoning_tokens": 0 },
        "blocks": blocks,
        "sums": [
            { "kind": "system", "blocks": 1, "bytes": 3_600, "tokens": 900 },
            { "kind": "tool", "blocks": 2, "bytes": 2_600, "tokens": 650 },
            { "kind": "result", "blocks": 2, "bytes": 26_400, "tokens": 6_600 },
        ],
        "breakpoints": [2, 4, 8],
        "breaks": [{ "step": 1, "block": "tool read", "field": "description", "cause": "pool",
            "at_block": 1, "lost_tokens": 12_345, "cost_micro_usd": 42_590 }],
    });
    serde_json::from_value(plan).expect("a plan")
}

fn shown(width: usize) -> String {
    let look = Look {
        colour: false,
        width,
        is_terminal: true,
    };
    let lines = table::lines(&plan(), &look);
    for line in &lines {
        assert!(
            line.chars().count() <= width,
            "too long for {width}: {line}"
        );
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    lines.join("\n")
}

#[test]
fn a_plan_at_80_columns() {
    insta::assert_snapshot!(shown(80));
}

#[test]
fn a_plan_at_200_columns() {
    insta::assert_snapshot!(shown(200));
}
