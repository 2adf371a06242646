//! Replies as the wire carries them.

use std::time::Duration;

use bowline_testkit::{Chunking, Options};
use serde_json::{Value, json};

use crate::client::{Chat, Client, assemble, start, start_with};

fn two_calls() -> Value {
    json!([
        {"text": "Ich sehe nach: \u{1f600} ünïcödé.", "reasoning": "Where could it be?",
         "calls": [{"tool": "grep", "input": {"pattern": "fn \u{1f600}", "n": "{k}"}},
                   {"tool": "read", "raw_arguments": "{\"path\": \"a long path, cut off"}],
         "usage": {"input_tokens": 70, "output_tokens": 7, "cached_input_tokens": 60}},
        {"text": "done", "expect": {"last_result_contains": ["found"]}}
    ])
}

#[test]
fn every_chunking_carries_the_same_reply() {
    let check = |chunking: Chunking| {
        let server = start_with(
            two_calls(),
            Options {
                chunking,
                ..Options::default()
            },
        );
        let mut chat = Chat::new(&server, &["grep", "read"]);
        let message = chat.step("found");
        assert_eq!(
            message["content"], "Ich sehe nach: \u{1f600} ünïcödé.",
            "{chunking:?}"
        );
        assert_eq!(
            message["reasoning_content"], "Where could it be?",
            "{chunking:?}"
        );
        let calls = &message["tool_calls"];
        let arguments = |i: usize| {
            calls[i]["function"]["arguments"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            arguments(0),
            json!({"pattern": "fn \u{1f600}", "n": "0"}).to_string()
        );
        assert_eq!(arguments(1), "{\"path\": \"a long path, cut off");
        assert_eq!(
            (&calls[0]["id"], &calls[1]["id"]),
            (&json!("call_0_0"), &json!("call_0_1"))
        );
        assert_eq!(chat.step("")["content"], "done");
        assert_eq!(server.violations(), []);
    };
    check(Chunking::Frames);
    check(Chunking::EveryByte);
    (0..30).map(Chunking::Seeded).for_each(check);
}

#[test]
fn chunks_are_split_where_the_chunking_says() {
    let chunks = |chunking: Chunking| {
        let server = start_with(
            two_calls(),
            Options {
                chunking,
                ..Options::default()
            },
        );
        Chat::new(&server, &["grep", "read"]).ask().chunks
    };
    let frames = chunks(Chunking::Frames);
    assert!(
        frames
            .iter()
            .all(|chunk| chunk.starts_with(b"data: ") && chunk.ends_with(b"\n\n"))
    );
    assert!(
        chunks(Chunking::EveryByte)
            .iter()
            .all(|chunk| chunk.len() == 1)
    );
    let seeded = chunks(Chunking::Seeded(1));
    assert_ne!(seeded, chunks(Chunking::Seeded(2)));
    assert_eq!(
        seeded,
        chunks(Chunking::Seeded(1)),
        "a seed gives the same bytes each time"
    );
    let splits_letters = |chunks: Vec<Vec<u8>>| {
        chunks
            .iter()
            .any(|chunk| std::str::from_utf8(chunk).is_err())
    };
    assert!((0..20).any(|seed| splits_letters(chunks(Chunking::Seeded(seed)))));
    let text = String::from_utf8(seeded.concat()).unwrap();
    assert!(
        text.contains("\n: still here\n") && text.contains("\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn streams_interleave_parallel_calls_and_carry_fields_that_clients_must_keep() {
    let server = start(two_calls());
    let events = Chat::new(&server, &["grep", "read"]).ask().events();
    let index = |event: &Value| {
        let call = &event["choices"][0]["delta"]["tool_calls"][0];
        let piece = call["function"]["arguments"]
            .as_str()
            .is_some_and(|text| !text.is_empty());
        piece.then(|| call["index"].as_u64().unwrap())
    };
    let order: Vec<u64> = events.iter().filter_map(index).collect();
    assert_eq!(order[..4], [0, 1, 0, 1]);
    assert!(
        events
            .iter()
            .all(|event| event["system_fingerprint"] == "fp_scripted")
    );
    let message = assemble(&events);
    assert_eq!(
        message["provider_specific"],
        json!({"signature": "signature-0"})
    );
    let extra = json!({"signature": "signature-0-call_0_1"});
    assert_eq!(message["tool_calls"][1]["extra_content"], extra);
}

#[test]
fn usage_comes_in_a_last_frame_only_if_asked_for() {
    let check = |options: Value, asked: bool| {
        let server = start(two_calls());
        let mut chat = Chat::new(&server, &["grep", "read"]);
        chat.body["stream_options"] = options;
        let response = chat.ask();
        assert_eq!(response.header("content-type"), Some("text/event-stream"));
        assert_eq!(response.frames().last().map(String::as_str), Some("[DONE]"));
        let events = response.events();
        let usage: Vec<&Value> = events
            .iter()
            .filter(|event| event["usage"].is_object())
            .collect();
        assert_eq!(usage.len(), usize::from(asked));
        let finish = &events[events.len() - 1 - usage.len()]["choices"][0]["finish_reason"];
        assert_eq!(finish, "tool_calls");
        if let Some(event) = usage.first() {
            assert_eq!(event["choices"], json!([]));
            let counts = |key: &str| event["usage"][key].as_u64();
            assert_eq!(counts("prompt_tokens"), Some(70));
            assert_eq!(counts("completion_tokens"), Some(7));
            assert_eq!(counts("total_tokens"), Some(77));
            assert_eq!(event["usage"]["prompt_tokens_details"]["cached_tokens"], 60);
        }
    };
    check(json!({"include_usage": true}), true);
    check(json!({"include_usage": false}), false);
    check(Value::Null, false);
}

#[test]
fn a_client_that_does_not_stream_gets_one_document() {
    let server = start(two_calls());
    let mut chat = Chat::new(&server, &["grep", "read"]);
    chat.body["stream"] = json!(false);
    drop(chat.body.as_object_mut().unwrap().remove("stream_options"));
    let message = chat.step("found");
    assert_eq!(message["reasoning_content"], "Where could it be?");
    assert_eq!(message["tool_calls"][0]["function"]["name"], "grep");
    let last = chat.ask().json();
    assert_eq!(last["object"], "chat.completion");
    assert_eq!(last["choices"][0]["message"]["content"], "done");
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["usage"]["total_tokens"], 1020);
    assert_eq!(server.violations(), []);
}

#[test]
fn one_connection_serves_many_requests_and_all_are_recorded() {
    let mut steps =
        vec![json!({"calls": [{"tool": "shell", "input": {"command": "true {k}"}}], "repeat": 50})];
    steps.push(
        json!({"text": "done", "expect": {"last_result_contains": ["exit 0"],
        "prompt_contains": ["U"], "tools_contain": ["shell"]}}),
    );
    let server = start(json!(steps));
    let mut chat = Chat::new(&server, &["shell"]);
    for _ in 0..50 {
        chat.step("exit 0");
    }
    assert_eq!(chat.step("")["content"], "done");
    let requests = server.requests();
    assert_eq!(requests.len(), 51);
    assert_eq!(server.violations(), []);
    for (i, request) in requests.iter().enumerate() {
        assert_eq!(request.path, "/v1/chat/completions");
        assert_eq!(request.header("host"), Some("x"));
        assert_eq!(
            request.body["messages"].as_array().unwrap().len(),
            2 + 2 * i
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&request.raw).unwrap(),
            request.body
        );
        assert!(i == 0 || request.at >= requests[i - 1].at);
    }
    assert!(server.wait_for_answers(51, Duration::from_secs(10)));
}

#[test]
fn a_large_request_may_come_in_chunks_or_after_asking() {
    let server = start(json!([{"text": "done"}]));
    let mut chat = Chat::new(&server, &["shell"]);
    chat.messages()[1]["content"] = json!("x".repeat(300_000));
    let body = chat.body.to_string();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (left, right) = body.split_at(body.len() / 3);
    chat.client.write(head.as_bytes()).unwrap();
    for piece in [left, right, ""] {
        chat.client
            .write(format!("{:X}\r\n{piece}\r\n", piece.len()).as_bytes())
            .unwrap();
    }
    let reply = assemble(&chat.client.receive().unwrap().events());
    assert_eq!(reply["content"], "done");

    let mut client = Client::new(server.address());
    let ask = format!("Expect: 100-continue\r\nContent-Length: {}", body.len());
    client
        .write(format!("POST /v1/models HTTP/1.1\r\n{ask}\r\n\r\n").as_bytes())
        .unwrap();
    client.write(body.as_bytes()).unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim);
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.receive().unwrap().status, 405);
}

#[test]
fn keys_paths_and_bodies_are_refused_as_the_api_does() {
    let options = Options {
        api_key: Some("right".to_owned()),
        ..Options::default()
    };
    let server = start_with(json!([{"text": "done"}]), options);
    let mut client = Client::new(server.address());
    let mut check = |method: &str, path: &str, key: &str, body: &str, status: u16, code: &str| {
        let key = format!("Authorization: Bearer {key}\r\n");
        client.send(method, path, &key, body.as_bytes()).unwrap();
        let response = client.receive().unwrap();
        assert_eq!(response.status, status, "{method} {path}");
        let error = &response.json()["error"];
        assert_eq!(error["code"], code, "{method} {path}");
        assert!(error["message"].is_string() && error["type"] == "invalid_request_error");
    };
    let chat = "/v1/chat/completions";
    check("POST", chat, "wrong", "{}", 401, "invalid_api_key");
    check(
        "POST",
        "/v1/v1/chat/completions",
        "right",
        "{}",
        404,
        "unknown_url",
    );
    check("GET", chat, "right", "", 405, "method_not_supported");
    check("POST", chat, "right", "{", 400, "not_json");
    check(
        "POST",
        chat,
        "right",
        "{\"a\": \"\\ud800\"}",
        400,
        "lone_surrogate",
    );
    check(
        "POST",
        chat,
        "right",
        "{\"model\": \"m\", \"messages\": []}",
        400,
        "no_messages",
    );
    client
        .send("GET", "/v1/models", "Authorization: Bearer right\r\n", b"")
        .unwrap();
    assert_eq!(
        client.receive().unwrap().json()["data"][0]["id"],
        "scripted"
    );
    assert_eq!(
        server.violations().len(),
        3,
        "bodies are violations; keys and paths are not"
    );
    client.write(b"nonsense\r\n\r\n").unwrap();
    assert_eq!(
        client.receive().unwrap().json()["error"]["code"],
        "bad_http"
    );
    assert!(client.at_end());
}
