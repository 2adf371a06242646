//! A valid conversation is accepted, every mutation of it refused with its own kind.

use std::collections::BTreeSet;

use bowline_model::scenario::History;
use serde_json::{Value, json};

use super::*;
use crate::strict::session::{Check, Reasoning};

mod mutations;

use mutations::{HISTORY, MORE};

/// Where the reply begins that the server sent last; what comes before it was sent to the server.
const LAST_REPLY: usize = 12;
/// Where the outputs begin that answer it.
const LAST_OUTPUTS: usize = 16;

fn call(id: &str, tool: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{id}"), "status": "completed",
        "call_id": id, "name": tool, "arguments": arguments})
}

fn output(id: &str, content: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": content})
}

fn reasoning(id: &str, summary: &str) -> Value {
    json!({"type": "reasoning", "id": id, "encrypted_content": format!("gAAA-{id}"),
        "summary": [{"type": "summary_text", "text": summary}]})
}

fn message(id: &str, text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "id": id, "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn person(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn tools(names: &[&str]) -> Value {
    let tool = |name: &&str| {
        json!({"type": "function", "name": name, "description": "d", "strict": false,
            "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}})
    };
    names.iter().map(tool).collect()
}

/// A recorded conversation with parallel calls, as a request carries it.
fn recorded() -> Value {
    json!({
        "model": "m", "stream": true, "store": false,
        "include": ["reasoning.encrypted_content"],
        "instructions": "You work in a repository.",
        "tools": tools(&["grep", "read", "shell"]), "parallel_tool_calls": true,
        "reasoning": {"effort": "high", "summary": "auto"}, "max_output_tokens": 4096,
        "input": [
            person("fix the test"),
            reasoning("rs_0", "Where is it?"),
            message("msg_0", "I will look."),
            call("a", "grep", r#"{"pattern": "fn"}"#),
            call("b", "read", r#"{"path":"x"}"#),
            output("a", "x:1"),
            output("b", "fn x"),
            {"role": "user", "content": [{"type": "input_text", "text": "and run it"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}]},
            call("d", "shell", "{\"comm"),
            output("d", "not JSON"),
            message("msg_1", "Done."),
            person("once more"),
            reasoning("rs_2", "Both at once."),
            message("msg_2", "Again."),
            {"type": "function_call", "id": "fc_e", "call_id": "e", "name": "shell",
             "arguments": "{}", "provider_specific": {"signature": "t"}},
            call("f", "grep", "{}"),
            output("f", "none"),
            output("e", "ok"),
        ]
    })
}

/// Judges a request as the server does that has seen the recorded conversation.
fn judge(body: &Value, reasoning: Reasoning) -> Result<(), Violation> {
    let recorded = recorded();
    let seen = recorded["input"].as_array().unwrap();
    let mut session = Session::new(reasoning);
    session
        .request(&messages(&seen[..LAST_REPLY]), History::Kept)
        .unwrap();
    session.replied(&reply(&seen[LAST_REPLY..LAST_OUTPUTS]), false);
    check_allowing(body, session.asked_for())?;
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    session.request(&messages(items), History::Kept).map(|_| ())
}

#[test]
fn the_recorded_conversation_is_accepted() {
    judge(&recorded(), Reasoning::Required).unwrap();
    check(&recorded()).unwrap();
    check(&json!({"model": "m", "input": "hello"})).unwrap();
}

#[test]
fn every_mutation_is_refused_with_its_kind() {
    let mut kinds = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, kind, mutate) in HISTORY.iter().chain(&MORE) {
        let mut body = recorded();
        mutate(&mut body);
        assert_ne!(body, recorded(), "{name}: the mutation changes nothing");
        match judge(&body, Reasoning::Required) {
            Err(violation) if violation.kind == *kind && !violation.message.is_empty() => {}
            other => wrong.push(format!("{name}: not {kind:?} but {other:?}")),
        }
        kinds.insert(*kind);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(kinds.len(), 48, "{kinds:?}");
}

#[test]
fn what_need_not_come_back_may_be_left_out() {
    let check = |change: fn(&mut Vec<Value>), reasoning: Reasoning| {
        let mut body = recorded();
        change(body["input"].as_array_mut().unwrap());
        assert_ne!(body, recorded());
        judge(&body, reasoning).unwrap();
    };
    // Nothing is stored, so ids and what stands with them tell the server nothing.
    check(
        |items| {
            for item in items {
                for key in ["id", "status", "provider_specific"] {
                    item.as_object_mut().unwrap().shift_remove(key);
                }
            }
        },
        Reasoning::Required,
    );
    // Text as a string.
    check(
        |items| items[2]["content"] = json!("I will look."),
        Reasoning::Required,
    );
    // Arguments that are no JSON may be mended.
    check(
        |items| items[8]["arguments"] = json!("{}"),
        Reasoning::Required,
    );
    // Reasoning where it is not required.
    let without = |items: &mut Vec<Value>| items.retain(|item| item["type"] != "reasoning");
    check(without, Reasoning::Optional);
}

#[test]
fn what_the_server_itself_got_wrong_is_not_held_against_the_client() {
    let check = |sent: Value, back: Value, kind: Option<Kind>| {
        let mut session = Session::new(Reasoning::Optional);
        let go = person("go");
        let first = messages(std::slice::from_ref(&go));
        session.request(&first, History::Kept).unwrap();
        session.replied(&reply(sent.as_array().unwrap()), false);
        let mut items = vec![go];
        items.extend(back.as_array().unwrap().iter().cloned());
        let judged = session.request(&messages(&items), History::Kept);
        assert_eq!(judged.err().map(|violation| violation.kind), kind, "{back}");
    };
    let twins = json!([call("a", "read", "{}"), call("a", "read", "{}")]);
    let mut other = call("b", "read", "{}");
    other["id"] = json!("fc_a");
    check(twins, json!([call("a", "read", "{}"), other]), None);
    let nameless = json!([call("a", "no such", "{}")]);
    check(
        nameless.clone(),
        json!([call("a", "invalid_tool", "{}")]),
        None,
    );
    check(
        nameless,
        json!([call("a", "invalid_tool", "{\"x\":1}")]),
        Some(Kind::EditedArguments),
    );
    // A reply of nothing need not come back, and one that is all there must.
    check(
        json!([message("msg_1", "")]),
        json!([person("still there?")]),
        None,
    );
    check(
        json!([message("msg_1", "hi")]),
        json!([person("?")]),
        Some(Kind::LostAssistant),
    );
}

#[test]
fn the_same_request_again_is_told_apart() {
    let check = |delivered: bool, expect: Check| {
        let mut session = Session::new(Reasoning::Required);
        let first = messages(&[person("go")]);
        session.request(&first, History::Kept).unwrap();
        session.replied(&reply(&[message("msg_1", "hi")]), false);
        if !delivered {
            session.not_delivered();
        }
        assert_eq!(session.request(&first, History::Kept), Ok(expect));
    };
    check(true, Check::AskedAgain);
    check(false, Check::AskedAfterLoss);
}
