//! What goes wrong, on purpose.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use bowline_testkit::{Chunking, Options, ScriptedServer};
use serde_json::{Value, json};

use crate::client::{Chat, Client, assemble, start, start_with};

const TIMEOUT: Duration = Duration::from_secs(20);

fn faulty(fault: Value) -> ScriptedServer {
    let call = json!({"tool": "read", "input": {"path": "some/where.rs"}});
    start(json!([
        {"text": "I will look at it.", "calls": [call, call], "fault": fault},
        {"text": "done"}
    ]))
}

#[test]
fn statuses_carry_error_bodies_and_retry_after() {
    let check = |fault: Value, status: u16, code: &str, retry: Option<&str>| {
        let server = faulty(fault);
        let mut chat = Chat::new(&server, &["read"]);
        let response = chat.ask();
        assert_eq!(
            (response.status, response.header("retry-after")),
            (status, retry)
        );
        assert_eq!(response.json()["error"]["code"], code);
        assert_eq!(
            chat.step("")["content"],
            "done",
            "the same request again goes through"
        );
        assert_eq!(server.violations(), []);
    };
    check(
        json!({"kind": "status", "status": 429, "retry_after_s": 1}),
        429,
        "rate_limit_exceeded",
        Some("1"),
    );
    check(
        json!({"kind": "status", "status": 500}),
        500,
        "server_error",
        None,
    );
    check(
        json!({"kind": "status", "status": 529}),
        529,
        "overloaded",
        None,
    );
    let verbatim = faulty(json!({"kind": "status", "status": 502, "body": "<h1>Bad gateway</h1>"}));
    assert_eq!(
        Chat::new(&verbatim, &["read"]).ask().text(),
        "<h1>Bad gateway</h1>"
    );
}

#[test]
fn a_cut_stream_stops_at_its_place_and_closes() {
    let check = |at: &str, expect: fn(&Value) -> bool| {
        let server = faulty(json!({"kind": "cut", "at": at}));
        let mut chat = Chat::new(&server, &["read"]);
        let response = chat.ask();
        assert_eq!((response.status, response.complete), (200, false), "{at}");
        assert!(chat.client.at_end(), "{at}");
        let events = response.events();
        let finished = |event: &Value| !event["choices"][0]["finish_reason"].is_null();
        assert!(!events.iter().any(finished), "{at}");
        let message = assemble(&events);
        assert!(expect(&message), "{at}: {message}");
        chat.client = Client::new(server.address());
        assert_eq!(
            chat.step("")["content"],
            "done",
            "{at}: the same request again goes through"
        );
        assert_eq!(server.violations(), [], "{at}");
    };
    check("start", |message| message == &json!({}));
    check("text", |message| {
        let text = message["content"].as_str().unwrap();
        !text.is_empty() && text.len() < 18 && message["tool_calls"].is_null()
    });
    check("arguments", |message| {
        let text = message["tool_calls"][1]["function"]["arguments"]
            .as_str()
            .unwrap();
        !text.is_empty() && serde_json::from_str::<Value>(text).is_err()
    });
    check("before_end", |message| {
        message["tool_calls"][1]["function"]["arguments"] == r#"{"path":"some/where.rs"}"#
    });
}

#[test]
fn a_cut_in_the_middle_tears_a_frame() {
    for chunking in [Chunking::Frames, Chunking::EveryByte, Chunking::Seeded(3)] {
        let options = Options {
            chunking,
            ..Options::default()
        };
        let step = json!([{"text": "I will look.", "fault": {"kind": "cut", "at": "text"}}]);
        let server = start_with(step, options);
        let response = Chat::new(&server, &["read"]).ask();
        assert!(!response.text().ends_with("\n\n"), "{chunking:?}");
    }
}

#[test]
fn a_document_is_cut_short_of_its_length() {
    for at in ["start", "text", "arguments", "before_end"] {
        let server = faulty(json!({"kind": "cut", "at": at}));
        let mut chat = Chat::new(&server, &["read"]);
        chat.body["stream"] = json!(false);
        drop(chat.body.as_object_mut().unwrap().remove("stream_options"));
        let response = chat.ask();
        assert_eq!((response.status, response.complete), (200, false), "{at}");
        assert!(
            serde_json::from_str::<Value>(&response.text()).is_err(),
            "{at}"
        );
    }
}

#[test]
fn a_reset_reaches_the_client_as_one() {
    let server = faulty(json!({"kind": "reset"}));
    let mut chat = Chat::new(&server, &["read"]);
    let error = chat.client.post(&chat.body).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    chat.client = Client::new(server.address());
    assert_eq!(chat.step("")["content"], "done");
}

#[test]
fn a_hang_lasts_until_the_client_goes() {
    for (at, arrives) in [(json!("text"), true), (Value::Null, false)] {
        let server = faulty(json!({"kind": "hang", "at": at}));
        let mut chat = Chat::new(&server, &["read"]);
        let body = chat.body.to_string();
        chat.client
            .send("POST", "/v1/chat/completions", "", body.as_bytes())
            .unwrap();
        assert!(server.wait_for_requests(1, TIMEOUT));
        if arrives {
            let mut head = [0; 15];
            chat.client.read_exact(&mut head);
            assert_eq!(&head, b"HTTP/1.1 200 OK");
        }
        assert!(
            !server.wait_for_answers(1, Duration::from_millis(50)),
            "{at}: it must not end"
        );
        chat.client = Client::new(server.address());
        assert!(
            server.wait_for_answers(1, TIMEOUT),
            "{at}: it ends with its client"
        );
        assert_eq!(chat.step("")["content"], "done");
        assert_eq!(server.violations(), []);
    }
}

#[test]
fn a_reply_that_was_not_waited_for_need_not_come_back() {
    let server = start(json!([{"text": "late", "delay_ms": 600_000}, {"text": "done"}]));
    let mut chat = Chat::new(&server, &["read"]);
    let body = chat.body.to_string();
    chat.client
        .send("POST", "/v1/chat/completions", "", body.as_bytes())
        .unwrap();
    assert!(server.wait_for_requests(1, TIMEOUT));
    chat.client = Client::new(server.address());
    assert!(server.wait_for_answers(1, TIMEOUT));
    chat.messages()
        .push(json!({"role": "user", "content": "stop that"}));
    assert_eq!(chat.step("")["content"], "done");
    assert_eq!(server.violations(), []);
}

#[test]
fn garbage_and_raw_frames_go_out_as_they_stand() {
    let server = faulty(json!({"kind": "garbage", "text": "<html>login</html>"}));
    let response = Chat::new(&server, &["read"]).ask();
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, "<html>login</html>")
    );
    assert!(response.complete);

    let server =
        faulty(json!({"kind": "raw", "frames": ["data: {\"x\": 1}", "event: y\ndata: {"]}));
    let mut chat = Chat::new(&server, &["read"]);
    let response = chat.ask();
    assert_eq!(response.text(), "data: {\"x\": 1}\n\nevent: y\ndata: {\n\n");
    assert!(response.complete);
    chat.messages()
        .push(json!({"role": "assistant", "content": "whatever it meant"}));
    chat.messages()
        .push(json!({"role": "user", "content": "go on"}));
    assert_eq!(
        chat.step("")["content"],
        "done",
        "what raw frames say is not checked"
    );
}

#[test]
fn a_delay_holds_the_first_byte_back() {
    let server = start(json!([{"text": "slow", "delay_ms": 120}]));
    let started = std::time::Instant::now();
    assert_eq!(Chat::new(&server, &["read"]).step("")["content"], "slow");
    assert!(started.elapsed() >= Duration::from_millis(120));
}

#[test]
fn a_dropped_server_is_gone_with_its_connections() {
    let server = start(json!([{"text": "x", "fault": {"kind": "hang"}}]));
    let mut chat = Chat::new(&server, &["read"]);
    let address = server.address();
    let body = chat.body.to_string();
    chat.client
        .send("POST", "/v1/chat/completions", "", body.as_bytes())
        .unwrap();
    assert!(server.wait_for_requests(1, TIMEOUT));
    drop(server);
    assert!(chat.client.receive().is_err(), "the open request ends");
    let refused = TcpStream::connect(address).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
