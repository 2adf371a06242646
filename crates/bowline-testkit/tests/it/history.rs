//! What the server says to lost, changed and expected history.

use std::time::Duration;

use bowline_testkit::strict::Kind;
use bowline_testkit::{AskedAgain, Options};
use serde_json::{Value, json};

use crate::client::{Chat, Client, start, start_with};

const TIMEOUT: Duration = Duration::from_secs(20);

fn steps() -> Value {
    json!([
        {"text": "I look.", "reasoning": "hm", "calls": [{"tool": "read", "input": {"n": 1}},
                                                        {"tool": "read", "input": {"n": 2}}]},
        {"calls": [{"tool": "read", "input": {"n": 3}}]},
        {"text": "done"}
    ])
}

#[test]
fn lost_and_edited_history_gets_400_and_is_recorded() {
    let check = |expect: Option<Kind>, tamper: fn(&mut Vec<Value>)| {
        let options = Options {
            require_reasoning_back: true,
            ..Options::default()
        };
        let server = start_with(steps(), options);
        let mut chat = Chat::new(&server, &["read"]);
        chat.step("one");
        chat.step("two");
        tamper(chat.messages());
        let response = chat.ask();
        let kinds: Vec<Kind> = server
            .violations()
            .iter()
            .map(|violation| violation.kind)
            .collect();
        match expect {
            None => assert_eq!((response.status, kinds), (200, vec![])),
            Some(kind) => {
                assert_eq!((response.status, kinds), (400, vec![kind]));
                let error = &response.json()["error"];
                assert_eq!(error["code"], kind.code());
                assert_eq!(error["type"], "invalid_request_error");
                assert!(
                    error["param"].as_str().unwrap().starts_with("messages"),
                    "{error}"
                );
            }
        }
    };
    check(None, |_| {});
    check(None, |messages| {
        messages.push(json!({"role": "user", "content": "and now"}))
    });
    check(Some(Kind::UnansweredCall), |messages| {
        drop(messages.remove(3))
    });
    check(Some(Kind::LostAssistant), |messages| {
        drop(messages.drain(2..5))
    });
    check(Some(Kind::LostAssistant), |messages| {
        drop(messages.drain(5..))
    });
    check(Some(Kind::EditedArguments), |messages| {
        messages[2]["tool_calls"][0]["function"]["arguments"] = json!("{\"n\": 1}");
    });
    check(Some(Kind::LostReasoning), |messages| {
        drop(
            messages[2]
                .as_object_mut()
                .unwrap()
                .remove("reasoning_content"),
        );
    });
    check(Some(Kind::EditedResult), |messages| {
        messages[3]["content"] = json!("[cleared]")
    });
}

#[test]
fn reasoning_may_stay_away_unless_required() {
    let server = start(steps());
    let mut chat = Chat::new(&server, &["read"]);
    chat.step("one");
    drop(
        chat.messages()[2]
            .as_object_mut()
            .unwrap()
            .remove("reasoning_content"),
    );
    chat.step("two");
    assert_eq!(server.violations(), []);
}

#[test]
fn a_lenient_server_plays_on() {
    let server = start_with(
        steps(),
        Options {
            strict: false,
            ..Options::default()
        },
    );
    let mut chat = Chat::new(&server, &["read"]);
    chat.step("one");
    chat.messages().truncate(2);
    assert_eq!(chat.ask().status, 200);
    assert_eq!(server.violations(), []);
}

#[test]
fn compaction_is_accepted_where_the_scenario_expects_it() {
    let compact = |expected: bool| {
        let mut steps = steps();
        if expected {
            steps[2]["expect"] = json!({"history": "compacted", "prompt_contains": ["summary"]});
        }
        let server = start(steps);
        let mut chat = Chat::new(&server, &["read"]);
        chat.step("one");
        chat.step("two");
        let replacement = json!({"role": "user", "content": "summary so far"});
        chat.messages().splice(1..5, [replacement]);
        let status = chat.ask().status;
        (
            status,
            server.violations().first().map(|violation| violation.kind),
        )
    };
    assert_eq!(compact(true), (200, None));
    assert_eq!(compact(false), (400, Some(Kind::EditedMessage)));
}

#[test]
fn the_same_request_after_a_whole_reply_is_refused_or_answered_alike() {
    let ask_twice = |asked_again: AskedAgain| {
        let server = start_with(
            steps(),
            Options {
                asked_again,
                ..Options::default()
            },
        );
        let mut chat = Chat::new(&server, &["read"]);
        let first = chat.ask();
        let second = chat.ask();
        (
            first.chunks == second.chunks,
            second.status,
            server.violations().len(),
        )
    };
    assert_eq!(ask_twice(AskedAgain::Refused), (false, 400, 1));
    assert_eq!(ask_twice(AskedAgain::Answered), (true, 200, 0));
}

#[test]
fn a_client_that_leaves_at_the_last_frame_has_had_the_reply() {
    for _ in 0..50 {
        let server = start(steps());
        let mut chat = Chat::new(&server, &["read"]);
        let body = chat.body.to_string();
        chat.client
            .send("POST", "/v1/chat/completions", "", body.as_bytes())
            .unwrap();
        chat.client.read_past("[DONE]");
        chat.client = Client::new(server.address());
        let call = |i: usize| {
            json!({"id": format!("call_0_{i}"), "type": "function",
                "function": {"name": "read", "arguments": json!({"n": i + 1}).to_string()}})
        };
        chat.messages().extend([
            json!({"role": "assistant", "content": "I look.", "tool_calls": [call(0), call(1)]}),
            json!({"role": "tool", "tool_call_id": "call_0_0", "content": "one"}),
            json!({"role": "tool", "tool_call_id": "call_0_1", "content": "two"}),
        ]);
        chat.step("three");
        assert_eq!(server.violations(), []);
    }
}

#[test]
fn a_request_whose_reply_was_lost_goes_on_or_gets_the_same_reply() {
    let ask_twice = |asked_again: AskedAgain, patience: Duration| {
        let steps = json!([{"text": "late", "delay_ms": 600_000}, {"text": "done"}]);
        let server = start_with(
            steps,
            Options {
                asked_again,
                ..Options::default()
            },
        );
        let mut chat = Chat::new(&server, &["read"]);
        let body = chat.body.to_string();
        let send = |client: &mut Client| {
            client
                .send("POST", "/v1/chat/completions", "", body.as_bytes())
                .unwrap();
        };
        send(&mut chat.client);
        assert!(server.wait_for_requests(1, TIMEOUT));
        chat.client = Client::new(server.address());
        assert!(server.wait_for_answers(1, TIMEOUT));
        send(&mut chat.client);
        assert!(server.wait_for_requests(2, TIMEOUT));
        assert_eq!(server.violations(), []);
        server.wait_for_answers(2, patience)
    };
    assert!(
        ask_twice(AskedAgain::Refused, TIMEOUT),
        "the next step answers at once"
    );
    assert!(
        !ask_twice(AskedAgain::Answered, Duration::from_millis(50)),
        "late again"
    );
}

#[test]
fn a_failed_expectation_is_a_400_that_stays() {
    let mut steps = steps();
    steps[1]["expect"] = json!({"last_result_contains": ["green"]});
    let server = start(steps);
    let mut chat = Chat::new(&server, &["read"]);
    chat.step("red");
    for _ in 0..2 {
        let response = chat.ask();
        assert_eq!(response.status, 400);
        let message = response.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        let expect = "scenario failed at steps[1], request 1: last_result_contains \"green\" does \
                      not hold; got \"red\", \"red\"";
        assert_eq!(message, expect);
    }
    assert!(
        server
            .violations()
            .iter()
            .all(|violation| violation.kind == Kind::ScenarioFailed)
    );
    assert_eq!(server.violations().len(), 2);
}

#[test]
fn a_used_up_scenario_says_so() {
    let server = start(json!([{"calls": [{"tool": "read"}]}]));
    let mut chat = Chat::new(&server, &["read"]);
    chat.step("one");
    let response = chat.ask();
    assert_eq!(response.status, 400);
    assert!(
        response.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("is used up")
    );
}

#[test]
fn calls_to_tools_that_nobody_declared_may_come_back() {
    let server = start(json!([{"calls": [{"tool": "grepp"}]}, {"text": "done"}]));
    let mut chat = Chat::new(&server, &["read"]);
    chat.step("there is no tool grepp");
    assert_eq!(chat.step("")["content"], "done");
    assert_eq!(server.violations(), []);
}
