//! A valid history is accepted, every mutation of it refused with its own kind.

use std::collections::BTreeSet;

use bowline_model::scenario::History;
use serde_json::{Value, json};

use super::super::session::{Check, Reasoning};
use super::*;

mod mutations;

use mutations::{HISTORY, MORE};

/// Index of the reply that the server sent last; what comes before it was sent to the server.
const LAST_REPLY: usize = 7;

fn call(id: &str, tool: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": id, "name": tool, "input": input, "caller": {"type": "direct"}})
}

fn result(id: &str, content: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn thought(signature: &str) -> Value {
    json!({"type": "thinking", "thinking": "Where is it?", "signature": signature})
}

fn tool(name: &str) -> Value {
    json!({"name": name, "description": "d", "input_schema": {"type": "object"}})
}

fn marked(mut block: Value) -> Value {
    block["cache_control"] = json!({"type": "ephemeral"});
    block
}

/// A recorded conversation with parallel calls, as a request carries it.
fn recorded() -> Value {
    let image = json!({"type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}});
    let redacted = json!({"type": "redacted_thinking", "data": "xyz"});
    json!({
        "model": "m", "stream": true, "max_tokens": 4096,
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "system": [marked(text("You work in a repository."))],
        "tools": [tool("grep"), tool("read"), tool("shell")],
        "messages": [
            {"role": "user", "content": [text("fix the test"), image]},
            {"role": "assistant", "content": [thought("s1"), text("I will look."),
                call("a", "grep", json!({"pattern": "fn"})), call("b", "read", json!({"path": "x"}))]},
            {"role": "user", "content": [result("a", "x:1"), result("b", "fn x"), text("and run it")]},
            {"role": "assistant", "content": [call("d", "shell", json!({}))]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "d",
                "content": "not JSON", "is_error": true}]},
            {"role": "assistant", "content": [text("Done. ")]},
            {"role": "user", "content": [marked(text("once more"))]},
            {"role": "assistant", "content": [thought("s2"), redacted, text("Both at once."),
                call("e", "shell", json!({"command": "x"})), call("f", "grep", json!({}))]},
            {"role": "user", "content": [result("e", "ok"), marked(result("f", ""))]},
        ]
    })
}

/// Judges a request as the server does that has seen the recorded conversation.
fn judge(body: &Value) -> Result<(), Violation> {
    let seen = normal(&recorded());
    let mut session = Session::new(Reasoning::Required);
    session.request(&seen[..LAST_REPLY], History::Kept).unwrap();
    session.replied(&seen[LAST_REPLY], false);
    check_allowing(body, session.asked_for())?;
    session.request(&normal(body), History::Kept).map(|_| ())
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
    assert!(kinds.len() >= 40, "{} kinds", kinds.len());
}

/// What may differ without anything being wrong.
#[test]
fn what_means_the_same_is_accepted() {
    let accepted = |name: &str, change: fn(&mut Value)| {
        let mut body = recorded();
        change(&mut body);
        assert_ne!(body, recorded(), "{name}: the change changes nothing");
        judge(&body).unwrap_or_else(|violation| panic!("{name}: {violation}"));
    };
    accepted("marks move", |b| {
        let first = b["messages"][0]["content"][0].as_object_mut().unwrap();
        first.insert(
            "cache_control".to_owned(),
            json!({"type": "ephemeral", "ttl": "1h"}),
        );
        // What holds longer stands first.
        b["system"][0]["cache_control"]["ttl"] = json!("1h");
    });
    accepted("content as text", |b| {
        b["messages"][6]["content"] = json!("once more")
    });
    accepted("system as text", |b| {
        b["system"] = json!("You work in a repository.")
    });
    accepted("a field of the server left out", |b| {
        let call = b["messages"][7]["content"][3].as_object_mut().unwrap();
        call.remove("caller");
    });
    accepted("thinking left off", |b| {
        b.as_object_mut().unwrap().remove("thinking");
    });
    accepted("more words", |b| {
        b["messages"][8]["content"]
            .as_array_mut()
            .unwrap()
            .push(text("and hurry"));
    });
}

#[test]
fn what_the_server_itself_got_wrong_is_not_held_against_the_client() {
    let ask = json!({"role": "user", "content": [text("go")]});
    let check = |reply: Value, back: Value, after: Value| {
        let mut session = Session::new(Reasoning::Required);
        session
            .request(std::slice::from_ref(&ask), History::Kept)
            .unwrap();
        session.replied(&json!({"role": "assistant", "content": reply}), false);
        let mut messages = vec![ask.clone()];
        if back != json!([]) {
            messages.push(json!({"role": "assistant", "content": back}));
            messages.push(json!({"role": "user", "content": after}));
        }
        let body =
            json!({"model": "m", "max_tokens": 9, "tools": [tool("read")], "messages": messages});
        check_allowing(&body, session.asked_for()).unwrap();
        session.request(&normal(&body), History::Kept).unwrap()
    };
    let broken = json!([
        call("a", "read", json!("{\"pa")),
        call("a", "no such", json!({}))
    ]);
    let mended = json!([
        call("a", "read", json!({})),
        call("b", "invalid_tool", json!({}))
    ]);
    let results = json!([result("a", "x"), result("b", "y")]);
    assert_eq!(check(broken, mended, results), Check::Continues);
    let reply = json!([text(" "), call("a", "unknown", json!({})), thought("s")]);
    let back = json!([call("a", "unknown", json!({}))]);
    assert_eq!(
        check(reply, back, json!([result("a", "x")])),
        Check::Continues
    );
    assert_eq!(
        check(json!([text("")]), json!([]), json!([])),
        Check::AskedAfterLoss
    );
    assert_eq!(
        check(json!([text("x")]), json!([]), json!([])),
        Check::AskedAgain
    );
}

#[test]
fn an_id_of_an_earlier_message_may_come_back_as_another() {
    let ask = json!({"role": "user", "content": [text("go")]});
    let said = |id: &str| json!({"role": "assistant", "content": [call(id, "read", json!({}))]});
    let got = |id: &str| json!({"role": "user", "content": [result(id, "x")]});
    let mut session = Session::default();
    let first = std::slice::from_ref(&ask);
    session.request(first, History::Kept).unwrap();
    session.replied(&said("a"), false);
    session
        .request(&[ask.clone(), said("a"), got("a")], History::Kept)
        .unwrap();
    session.replied(&said("a"), false);
    let messages = [ask, said("a"), got("a"), said("b"), got("b")];
    session.request(&messages, History::Kept).unwrap();
}
