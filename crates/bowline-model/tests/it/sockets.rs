//! What the scripted server does not do: odd headers, redirects, ends that do not come.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use bowline_core::FailureKind;
use bowline_model::{ApiKey, Dialect, HttpProvider, ModelError, ProviderConfig};

use crate::support::{Talk, chat};

/// Answers each request on one connection after the other with the next text, then waits for the
/// client to hang up. Sends each request's head.
struct Raw {
    base_url: String,
    heads: Receiver<String>,
}

fn serve(connections: Vec<Vec<String>>) -> Raw {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (told, heads) = channel();
    std::thread::spawn(move || {
        for responses in connections {
            let (mut stream, _) = listener.accept().unwrap();
            for response in responses {
                told.send(read_request(&mut stream)).unwrap();
                stream.write_all(response.as_bytes()).unwrap();
            }
            let mut rest = Vec::new();
            // A client that went away in a hurry resets the connection, which is fine as well.
            let _gone = stream.read_to_end(&mut rest);
            let _closed = stream.shutdown(Shutdown::Both);
        }
    });
    Raw { base_url, heads }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        })
        .unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
                      data: [DONE]\n\n";

fn chunked(body: &str, ended: bool) -> String {
    let end = if ended { "0\r\n\r\n" } else { "" };
    format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n{end}",
        body.len()
    )
}

#[tokio::test]
async fn error_statuses_with_their_headers() {
    let dated = response(
        "429 Too Many Requests",
        "date: Fri, 20 Nov 2026 10:00:00 GMT\r\nretry-after: Fri, 20 Nov 2026 10:00:07 GMT\r\n",
        "slow \u{1b}[31mdown\n\nsk-test-secret",
    );
    let server = serve(vec![vec![
        dated,
        response("503 Busy", "retry-after-ms: 120\r\n", ""),
        response("307 Moved", "location: http://elsewhere.test/v1\r\n", ""),
        response(
            "418 Teapot",
            "",
            "{\"error\":{\"message\":\"I am a teapot\"}}",
        ),
    ]]);
    let provider = chat(&server.base_url, |config| {
        config.api_key = Some(ApiKey::new("sk-test-secret"))
    });
    let mut talk = Talk::new(provider, "hi");
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry_after_ms),
        (FailureKind::RateLimited, Some(7_000))
    );
    assert!(
        failure.message.ends_with("it says: slow down ***"),
        "{}",
        failure.message
    );
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry_after_ms),
        (FailureKind::Unavailable, Some(120))
    );
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::BadRequest,
        "a redirect is not followed"
    );
    assert!(
        failure.message.contains("http://elsewhere.test/v1"),
        "{}",
        failure.message
    );
    let failure = talk.ask().await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.status),
        (FailureKind::BadRequest, Some(418))
    );
    assert!(
        failure
            .message
            .ends_with("answered 418; it says: I am a teapot")
    );
    let head = server.heads.recv().unwrap().to_lowercase();
    assert!(
        head.starts_with("post /v1/chat/completions http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("authorization: bearer sk-test-secret\r\n"),
        "{head}"
    );
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn whole_completions_and_streams_share_one_connection() {
    let completion = r#"{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}"#;
    let server = serve(vec![vec![
        response("200 OK", "content-type: application/json\r\n", completion),
        chunked(STREAM, true),
        response("200 OK", "content-type: text/plain\r\n", STREAM),
    ]]);
    let mut talk = Talk::new(chat(&server.base_url, |_| {}), "hi");
    assert_eq!(talk.ask().await.unwrap().message.text(), "whole");
    assert_eq!(talk.ask().await.unwrap().message.text(), "hi");
    assert_eq!(talk.ask().await.unwrap().message.text(), "hi");
}

#[tokio::test]
async fn after_done_nobody_waits_for_the_end_of_the_body() {
    // The first connection never ends its body; the next request needs a new one.
    let server = serve(vec![
        vec![chunked(STREAM, false)],
        vec![chunked(STREAM, true)],
    ]);
    let mut talk = Talk::new(chat(&server.base_url, |_| {}), "hi");
    let began = std::time::Instant::now();
    assert_eq!(talk.ask().await.unwrap().message.text(), "hi");
    assert_eq!(talk.ask().await.unwrap().message.text(), "hi");
    // The idle limit of these tests is 30 s.
    assert!(began.elapsed().as_secs() < 15);
}

#[tokio::test]
async fn nobody_there() {
    // A port that was free a moment ago refuses connections.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let provider = chat(&format!("http://{address}/v1"), |_| {});
    let failure = Talk::new(provider, "hi").ask().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Connect);
    let expect = format!("could not connect to http://{address}/v1/chat/completions: ");
    assert!(failure.message.starts_with(&expect), "{}", failure.message);
    assert!(
        failure.message.contains("a server is running there"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_connection_that_closes_without_a_word() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
    });
    let failure = Talk::new(chat(&base_url, |_| {}), "hi")
        .ask()
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cut, "{}", failure.message);
    assert!(
        failure.message.contains("ended before any answer"),
        "{}",
        failure.message
    );
}

#[test]
fn broken_configuration_is_refused_before_anything_is_sent() {
    let new_id = crate::support::new_id();
    let config = ProviderConfig::new(Dialect::Chat, "api.test/v1", new_id);
    let error = HttpProvider::new(config).err().unwrap();
    assert!(matches!(&error, ModelError::BaseUrl { url, .. } if url == "api.test/v1"));
}
