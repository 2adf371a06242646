//! A session that goes on with a model of another dialect and comes back, before strict servers.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// Where the server of a dialect is.
type Url = fn(&ScriptedServer) -> String;

/// A turn of this name: it thinks, reads a file, and answers.
fn turn(name: &str, first: Value) -> [Value; 2] {
    let read = json!({ "tool": "read", "input": { "path": "a.txt" } });
    let mut asked = json!({ "reasoning": format!("{name} thought"), "text": format!("{name} looks"),
        "calls": [read, read] });
    if first.is_object() {
        asked["expect"] = first;
    }
    [
        asked,
        json!({ "text": format!("{name} answer"), "reasoning": format!("{name} done"),
            "expect": { "last_result_contains": ["content of a"] } }),
    ]
}

/// Goes from `home` over to `other` and back; the server requires all reasoning of a model back.
fn goes_over_and_back(home: (&str, Url), other: (&str, Url)) {
    let scratch = Scratch::new();
    scratch.file("a.txt", "content of a\n");
    // Each model meets a conversation without what the other thought, or it itself once did.
    let less = json!({ "history": "compacted" });
    let steps = [
        turn("one", Value::Null),
        turn("two", less.clone()),
        turn("three", less),
    ];
    let steps = json!({ "version": 1, "steps": steps.concat() });
    let options = Options {
        require_reasoning_back: true,
        ..Options::default()
    };
    let scenario = Scenario::from_value(steps).expect("a valid scenario");
    let server = ScriptedServer::start(scenario, options);

    let run = |more: &[&str], (model, url): (&str, Url), expect: &str| {
        let url = url(&server);
        let mut args = vec![
            "exec",
            "--model",
            model,
            "--base-url",
            &url,
            "--output",
            "json",
        ];
        args.extend(more);
        args.push("go on");
        let ran = scratch.run(&args);
        assert!(
            server.violations().is_empty(),
            "{expect}: {:?}",
            server.violations()
        );
        let result = ran.expect(0, &[]).json();
        assert_eq!(result["result"], expect);
        result["session_id"].as_str().expect("an id").to_owned()
    };
    let id = run(&[], home, "one answer");
    run(&["--resume", &id], other, "two answer");
    run(&["--resume", &id], home, "three answer");

    let requests = server.requests();
    assert_eq!(requests.len(), 6);
    let text = |at: usize| String::from_utf8(requests[at].raw.clone()).expect("UTF-8");
    let (over, back, last) = (text(2), text(4), text(5));
    for words in ["one looks", "one answer", "content of a"] {
        assert!(over.contains(words), "{words} goes over");
        assert!(back.contains(words), "{words} comes back");
    }
    assert!(back.contains("two answer"));
    for (body, foreign) in [
        (&over, "one thought"),
        (&back, "one thought"),
        (&back, "two thought"),
    ] {
        assert!(!body.contains(foreign), "{foreign} stays with its model");
    }
    assert!(
        text(1).contains("one thought"),
        "the control: at home it goes back"
    );
    assert!(last.contains("three thought"));

    says_what_it_dropped(&scratch, [other.0, home.0]);
}

/// Each change of model is an event that says how much was dropped for it.
fn says_what_it_dropped(scratch: &Scratch, models: [&str; 2]) {
    let events = scratch.events();
    let dropped = of_kind(&events, "BlocksDropped");
    let named = dropped.iter().map(|event| &event["data"]["model"]);
    assert!(named.eq(models.iter()), "{dropped:?}");
    assert!(
        dropped
            .iter()
            .all(|event| event["data"]["blocks"].as_u64() > Some(0))
    );
}

#[test]
fn from_responses_to_chat_and_back() {
    let url: Url = ScriptedServer::base_url;
    goes_over_and_back(("openai/x", url), ("openai-chat/y", url));
}

#[test]
fn from_responses_to_anthropic_and_back() {
    let home: (&str, Url) = ("openai/x", ScriptedServer::base_url);
    goes_over_and_back(home, ("anthropic/y", ScriptedServer::root_url));
}

#[test]
fn from_anthropic_to_responses_and_back() {
    let home: (&str, Url) = ("anthropic/y", ScriptedServer::root_url);
    goes_over_and_back(home, ("openai/x", ScriptedServer::base_url));
}

/// Another model of the same provider cannot read what the first one thought either.
#[test]
fn from_one_model_to_another_of_the_same_provider() {
    let url: Url = ScriptedServer::base_url;
    goes_over_and_back(("openai/x", url), ("openai/y", url));
}

#[test]
fn from_messages_to_chat_and_back() {
    let other: Url = ScriptedServer::base_url;
    goes_over_and_back(
        ("anthropic/x", ScriptedServer::root_url),
        ("openai-chat/y", other),
    );
}
