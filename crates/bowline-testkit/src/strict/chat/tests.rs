//! A valid history is accepted, every mutation of it refused with its own kind.

use std::collections::BTreeSet;

use bowline_model::scenario::History;
use serde_json::{Value, json};

use super::*;

mod mutations;

use mutations::{HISTORY, MORE};

/// Index of the reply that the server sent last; what comes before it was sent to the server.
const LAST_REPLY: usize = 11;

fn call(id: &str, tool: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": tool, "arguments": arguments}})
}

fn result(id: &str, content: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": content})
}

fn tools(names: &[&str]) -> Value {
    let tool = |name: &&str| {
        json!({"type": "function", "function": {"name": name, "description": "d",
            "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}})
    };
    names.iter().map(tool).collect()
}

/// A recorded conversation with parallel calls, as a request carries it.
fn recorded() -> Value {
    json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true},
        "max_completion_tokens": 4096, "tool_choice": "auto",
        "tools": tools(&["grep", "read", "shell"]),
        "messages": [
            {"role": "system", "content": "You work in a repository."},
            {"role": "user", "content": "fix the test"},
            {"role": "assistant", "content": "I will look.", "reasoning_content": "Where is it?",
             "tool_calls": [call("a", "grep", r#"{"pattern": "fn"}"#), call("b", "read", r#"{"path":"x"}"#),
                            call("c", "read", r#"{"path":"y"}"#)]},
            result("a", "x:1"), result("b", "fn x"), result("c", "fn y"),
            {"role": "user", "content": [{"type": "text", "text": "and run it"}]},
            {"role": "assistant", "content": null, "tool_calls": [call("d", "shell", "{\"comm")]},
            result("d", "not JSON"),
            {"role": "assistant", "content": "Done."},
            {"role": "user", "content": "once more"},
            {"role": "assistant", "content": "", "reasoning_content": "Both at once.",
             "provider_specific": {"signature": "s"},
             "tool_calls": [{"id": "e", "type": "function", "extra_content": {"signature": "t"},
                             "function": {"name": "shell", "arguments": "{}"}},
                            call("f", "grep", "{}")]},
            result("f", "none"), result("e", "ok"),
        ]
    })
}

/// Judges a request as the server does that has seen the recorded conversation.
fn judge(body: &Value) -> Result<(), Violation> {
    let recorded = recorded();
    let seen = recorded["messages"].as_array().unwrap();
    let mut session = Session::new(Reasoning::Required);
    session.request(&seen[..LAST_REPLY], History::Kept).unwrap();
    session.replied(&seen[LAST_REPLY], false);
    check_allowing(body, session.asked_for())?;
    session
        .request(body["messages"].as_array().unwrap(), History::Kept)
        .map(|_| ())
}

#[test]
fn the_recorded_history_is_accepted() {
    judge(&recorded()).unwrap();
    check(&recorded()).unwrap();
}

#[test]
fn every_mutation_is_refused_with_its_kind() {
    let mut kinds = BTreeSet::new();
    for (name, kind, mutate) in HISTORY.iter().chain(&MORE) {
        let mut body = recorded();
        mutate(&mut body);
        assert_ne!(body, recorded(), "{name}: the mutation changes nothing");
        let violation = judge(&body).expect_err(name);
        assert_eq!(violation.kind, *kind, "{name}: {violation}");
        assert!(!violation.message.is_empty(), "{name}");
        kinds.insert(*kind);
    }
    assert_eq!(kinds.len(), 48, "{kinds:?}");
}

#[test]
fn bodies_that_are_no_proper_json_are_refused() {
    let judge = |raw: &[u8]| parse(raw).map_err(|violation| violation.kind);
    assert_eq!(
        judge(br#"{"a": "\ud83d\ude00"}"#).unwrap(),
        json!({"a": "\u{1f600}"})
    );
    assert_eq!(judge(br#"{"a": "\ud83d"}"#), Err(Kind::LoneSurrogate));
    assert_eq!(judge(br#"{"a": "\ud83d x"}"#), Err(Kind::LoneSurrogate));
    assert_eq!(judge(br#"{"a": "\ude00"}"#), Err(Kind::LoneSurrogate));
    assert_eq!(judge(b"{\"a\": \"\xff\"}"), Err(Kind::NotJson));
    assert_eq!(judge(b"{\"a\": "), Err(Kind::NotJson));
    assert_eq!(judge(b""), Err(Kind::NotJson));
}

#[test]
fn what_the_server_itself_got_wrong_is_not_held_against_the_client() {
    let user = json!({"role": "user", "content": "go"});
    let check = |sent: Value, returned: Value, kind: Option<Kind>| {
        let mut session = Session::default();
        session
            .request(std::slice::from_ref(&user), History::Kept)
            .unwrap();
        session.replied(
            &json!({"role": "assistant", "content": null, "tool_calls": sent}),
            false,
        );
        let mut history = vec![
            user.clone(),
            json!({"role": "assistant", "content": null, "tool_calls": returned.clone()}),
        ];
        for call in returned.as_array().unwrap() {
            history.push(result(call["id"].as_str().unwrap(), "r"));
        }
        let body = json!({"model": "m", "tools": tools(&["grep"]), "messages": history});
        let judged = check_allowing(&body, session.asked_for())
            .and_then(|()| session.request(&history, History::Kept));
        assert_eq!(judged.err().map(|violation| violation.kind), kind, "{sent}");
    };
    let unknown = json!([call("a", "grepp", "{}")]);
    check(unknown.clone(), unknown.clone(), None);
    check(
        unknown,
        json!([call("a", "grep", "{}")]),
        Some(Kind::EditedCalls),
    );
    let twins = json!([call("a", "grep", "{}"), call("a", "grep", "1")]);
    check(
        twins.clone(),
        json!([call("a", "grep", "{}"), call("a2", "grep", "1")]),
        None,
    );
    check(
        twins.clone(),
        json!([call("a", "grep", "{}"), call("a2", "grep", "2")]),
        Some(Kind::EditedArguments),
    );
    check(twins.clone(), twins, Some(Kind::DuplicateCallId));
    check(
        json!([call("", "grep", "{}")]),
        json!([call("x", "grep", "{}")]),
        None,
    );
    check(
        json!([call("a", "my grep!", "{}")]),
        json!([call("a", "my_grep_", "{}")]),
        None,
    );
}

#[test]
fn histories_may_be_compacted_begun_anew_and_asked_again_where_that_is_expected() {
    let recorded = recorded();
    let seen = recorded["messages"].as_array().unwrap();
    let session = || {
        let mut session = Session::default();
        session.request(&seen[..LAST_REPLY], History::Kept).unwrap();
        session.replied(&seen[LAST_REPLY], false);
        session
    };
    let compacted = [
        seen[0].clone(),
        json!({"role": "user", "content": "so far: ..."}),
    ];
    let judge = |messages: &[Value], history| {
        session()
            .request(messages, history)
            .map_err(|violation| violation.kind)
    };
    assert_eq!(judge(&compacted, History::Compacted), Ok(Check::Continues));
    assert_eq!(judge(&compacted, History::Kept), Err(Kind::EditedMessage));
    assert_eq!(judge(&compacted, History::New), Ok(Check::Continues));
    assert_eq!(judge(seen, History::New), Err(Kind::InventedAssistant));
    assert_eq!(
        judge(&seen[..LAST_REPLY], History::Kept),
        Ok(Check::AskedAgain)
    );

    let undelivered = |messages: &[Value]| {
        let mut session = session();
        session.not_delivered();
        session
            .request(messages, History::Kept)
            .map_err(|violation| violation.kind)
    };
    let mut edited = seen.clone();
    edited[LAST_REPLY]["content"] = json!("other");
    assert_eq!(
        undelivered(seen),
        Ok(Check::Continues),
        "it may have arrived after all"
    );
    assert_eq!(undelivered(&edited), Err(Kind::EditedText));
    assert_eq!(undelivered(&seen[..LAST_REPLY]), Ok(Check::AskedAfterLoss));

    let mut limited = session();
    limited.replied(&seen[LAST_REPLY], true);
    let mut without = seen[..LAST_REPLY].to_vec();
    without.push(json!({"role": "user", "content": "shorter please"}));
    assert_eq!(
        limited.request(&without, History::Kept),
        Ok(Check::Continues)
    );
}

/// Numbers that repeat (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }

    fn text(&mut self) -> String {
        let words = [
            "look",
            "ünïcödé",
            "\u{1f600}",
            "line\nline",
            "\"quoted\"",
            "{}",
            "",
            "\\",
        ];
        (0..=self.below(5))
            .map(|_| words[self.below(words.len())])
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn content(&mut self) -> Value {
        let text = self.text() + ".";
        if self.below(3) == 0 {
            json!([{"type": "text", "text": text}])
        } else {
            json!(text)
        }
    }
}

/// Makes a valid history: any number of turns, parallel calls, results in any order.
fn random_history(seed: u64) -> Value {
    let random = &mut Random(seed);
    let names = ["grep", "read", "shell", "A-Za_z0-9"];
    let mut history = Vec::new();
    let system = ["system", "developer"][random.below(2)];
    for _ in 0..random.below(3) {
        history.push(json!({"role": system, "content": random.content()}));
    }
    for turn in 0..=random.below(4) {
        history.push(json!({"role": "user", "content": random.content()}));
        for step in 0..random.below(5) {
            let count = random.below(5);
            let mut message = json!({"role": "assistant", "content": random.content()});
            let ids: Vec<String> = (0..count)
                .map(|i| format!("call_{turn}_{step}_{i}"))
                .collect();
            if random.below(2) == 0 {
                message["reasoning_content"] = json!(random.text());
            }
            if count > 0 {
                let call = |id: &String| call(id, names[random.below(4)], &random.text());
                message["tool_calls"] = ids.iter().map(call).collect();
                if random.below(2) == 0 {
                    message["content"] = [Value::Null, json!("")][random.below(2)].clone();
                }
            }
            history.push(message);
            let mut results: Vec<Value> = ids
                .iter()
                .map(|id| json!({"role": "tool", "tool_call_id": id, "content": random.content()}))
                .collect();
            while !results.is_empty() {
                let next = random.below(results.len());
                history.push(results.remove(next));
            }
            if random.below(4) == 0 {
                history.push(json!({"role": "user", "content": random.content()}));
            }
        }
    }
    json!({"model": "m", "tools": tools(&names), "messages": history})
}

#[test]
fn a_thousand_random_valid_histories_are_accepted_step_by_step() {
    let mut longest = 0;
    for seed in 0..1000 {
        let body = random_history(seed);
        check(&body).unwrap_or_else(|violation| panic!("seed {seed}: {violation}\n{body:#}"));
        let messages = body["messages"].as_array().unwrap();
        let mut session = Session::new(Reasoning::Required);
        for (i, message) in messages.iter().enumerate() {
            if message["role"] == "assistant" {
                let judged = session.request(&messages[..i], History::Kept);
                assert_eq!(
                    judged,
                    Ok(Check::Continues),
                    "seed {seed}, message {i}\n{body:#}"
                );
                session.replied(message, false);
            }
        }
        longest = longest.max(messages.len());
    }
    assert!(
        longest > 40,
        "the generator makes only short histories: {longest}"
    );
}
