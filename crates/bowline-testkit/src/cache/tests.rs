//! What the cache keeps, finds and forgets.

use serde_json::{Value, json};

use super::*;

const MINUTE: u64 = 60_000;

/// A text of so many tokens: `go on` is two.
fn words(tokens: usize) -> String {
    let text = "go on".to_owned() + &" go on".repeat(tokens / 2 - 1);
    assert_eq!(of_content(&json!(text)), tokens as u64);
    text
}

/// A user message with blocks of so many tokens; a letter says how a block is marked.
fn body(blocks: &[(usize, &str)]) -> Value {
    let content: Vec<Value> = blocks
        .iter()
        .map(|(tokens, mark)| {
            let mut block = json!({"type": "text", "text": words(*tokens)});
            match *mark {
                "m" => block["cache_control"] = json!({"type": "ephemeral"}),
                "h" => block["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"}),
                _ => {}
            }
            block
        })
        .collect();
    json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]})
}

/// What stands around the first block: the request, the message, its role.
const AROUND: u64 = 8 + 4 + 1;

/// Asks at these minutes; expects tokens read, written, written for an hour.
fn check(asked: &[(u64, Value, [u64; 3])]) {
    let mut cache = PromptCache::default();
    for (at, (minute, body, expect)) in asked.iter().enumerate() {
        let used = cache.ask(Keeping::Marked, body, minute * MINUTE);
        let got = [
            used.read_tokens,
            used.written_tokens,
            used.written_hour_tokens,
        ];
        assert_eq!(got, *expect, "request {at}");
        assert_eq!(used.input_tokens, crate::billing::input_tokens(body));
    }
}

#[test]
fn what_is_marked_is_written_and_read() {
    let first = AROUND + 2_000;
    let one = body(&[(2_000, "m")]);
    let two = body(&[(2_000, ""), (500, "m")]);
    check(&[
        (0, one.clone(), [0, first, 0]),
        (1, two.clone(), [first, 500, 0]),
        (2, two.clone(), [first + 500, 0, 0]),
        // Nothing is read without a mark.
        (3, body(&[(2_000, "")]), [0, 0, 0]),
    ]);
    // Reading renews; after 5 minutes without it is gone.
    check(&[
        (0, one.clone(), [0, first, 0]),
        (5, one.clone(), [first, 0, 0]),
        (10, one.clone(), [first, 0, 0]),
        (16, one.clone(), [0, first, 0]),
    ]);
    // What is too short is not kept.
    check(&[
        (0, body(&[(1_000, "m")]), [0, 0, 0]),
        (0, body(&[(1_000, "m")]), [0, 0, 0]),
    ]);
}

#[test]
fn an_hour_holds_longer_and_is_told_apart() {
    let first = AROUND + 2_000;
    let mixed = body(&[(2_000, "h"), (500, "m")]);
    check(&[
        (0, mixed.clone(), [0, 500, first]),
        (1, mixed.clone(), [first + 500, 0, 0]),
        (30, mixed.clone(), [first, 500, 0]),
        (91, mixed, [0, 500, first]),
    ]);
}

#[test]
fn so_many_blocks_are_looked_back_at() {
    let grown = |blocks: usize| {
        let mut all = vec![(2_000, "")];
        all.extend(vec![(4, ""); blocks - 1]);
        all.push((4, "m"));
        body(&all)
    };
    let first = AROUND + 2_000;
    check(&[
        (0, body(&[(2_000, "m")]), [0, first, 0]),
        // The mark is the twentieth block from the entry on.
        (0, grown(19), [first, 19 * 4, 0]),
    ]);
    check(&[
        (0, body(&[(2_000, "m")]), [0, first, 0]),
        (0, grown(20), [0, first + 20 * 4, 0]),
    ]);
}

#[test]
fn tools_and_system_text_outlive_other_thinking() {
    let request = |effort: &str| {
        let mut body = body(&[(2_000, "m")]);
        body["system"] = json!([{"type": "text", "text": words(1_500),
            "cache_control": {"type": "ephemeral"}}]);
        body["output_config"] = json!({ "effort": effort });
        body
    };
    let head = 8 + 1_500;
    check(&[
        (0, request("low"), [0, head + 2_005, 0]),
        (0, request("low"), [head + 2_005, 0, 0]),
        (0, request("high"), [head, 2_005, 0]),
    ]);
}

#[test]
fn everything_is_kept_in_steps_where_nothing_is_marked() {
    let mut cache = PromptCache::default();
    let asked = |cache: &mut PromptCache, blocks: &[(usize, &str)], minute: u64| {
        let used = cache.ask(Keeping::All, &body(blocks), minute * MINUTE);
        [used.read_tokens, used.written_tokens]
    };
    assert_eq!(asked(&mut cache, &[(1_200, "")], 0), [0, 0]);
    // 1,213 tokens are there: 1,024 and one step of 128.
    assert_eq!(asked(&mut cache, &[(1_200, ""), (200, "")], 1), [1_152, 0]);
    assert_eq!(asked(&mut cache, &[(1_200, "")], 7), [0, 0]);
    assert_eq!(asked(&mut cache, &[(800, "")], 7), [0, 0]);
    assert_eq!(asked(&mut cache, &[(800, ""), (800, "")], 7), [0, 0]);
}
