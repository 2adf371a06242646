//! How large requests are, against a server that bills what it really gets.

use std::io::{Read, Write};
use std::net::TcpListener;

use bowline_core::{Request, SessionId};
use bowline_model::scenario::Scenario;
use bowline_model::{ApiKey, Counted, CountedBy, Dialect, HttpProvider, Provider as _};
use bowline_testkit::billing::input_tokens;
use bowline_testkit::{Billing, Options, ScriptedServer};
use bpe_openai::o200k_base;
use serde_json::Value;
use uuid::Uuid;

use crate::server::conversation;
use crate::support::{Talk, person, request, speaker};

/// The session of the reservations that `support` makes.
fn session() -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(5))
}

fn url(dialect: Dialect, server: &ScriptedServer) -> String {
    match dialect {
        Dialect::Anthropic => server.root_url(),
        _ => server.base_url(),
    }
}

fn provider(dialect: Dialect, url: &str) -> HttpProvider {
    speaker(dialect, url, |config| {
        config.api_key = Some(ApiKey::new("sk-test-secret"));
    })
}

/// Whether `bound` is one on the tokens of a request: as they are billed, and as its bytes have.
pub(crate) fn bounds(bound: u64, body: &Value, raw: &[u8]) -> bool {
    let text = std::str::from_utf8(raw).unwrap();
    bound >= input_tokens(body) && bound >= o200k_base().count(text) as u64
}

#[tokio::test]
async fn no_request_of_a_conversation_is_billed_more_than_its_bound() {
    for dialect in Dialect::ALL {
        let options = Options {
            api_key: Some("sk-test-secret".to_owned()),
            billing: Billing::Counted,
            ..Options::default()
        };
        let server = ScriptedServer::start(Scenario::new(conversation()), options);
        let mut talk = Talk::new(
            provider(dialect, &url(dialect, &server)),
            "find it: gr\u{fc}n \u{1F9F5}",
        );
        let mut before: Option<(u64, u64)> = None;
        for number in 0..6 {
            if number == 5 {
                talk.request.history.push(person("go on").into());
            }
            let size = talk.provider.size(session(), &talk.request);
            let counted = talk.provider.count(session(), &talk.request).await;
            let billed = talk.ask().await.unwrap().usage.unwrap().input_tokens;
            let sent = &server.requests()[number];
            assert_eq!(size.bytes, sent.raw.len() as u64, "{dialect:?}");
            assert!(bounds(size.tokens_bound, &sent.body, &sent.raw));
            // What was billed last and a bound on what was added bound what is billed next.
            if let Some((billed_before, bound_before)) = before {
                assert!(billed_before + size.tokens_bound - bound_before >= billed);
            }
            before = Some((billed, size.tokens_bound));
            let exact = Counted {
                input_tokens: billed,
                how: CountedBy::Endpoint,
            };
            let expected = (dialect != Dialect::Chat).then_some(exact);
            assert_eq!(counted, expected, "{dialect:?} {number}");
        }
        assert_eq!(server.violations(), [], "{dialect:?}");
        let asked = if dialect == Dialect::Chat { 0 } else { 6 };
        assert_eq!(server.counts().len(), asked);
    }
}

fn question(dialect: Dialect) -> Request {
    let model = format!("{}/m-1", dialect.name());
    request(&model, vec![person("how long is this?").into()])
}

#[tokio::test]
async fn a_server_that_does_not_count_is_asked_once() {
    for dialect in [Dialect::Responses, Dialect::Anthropic] {
        let server = ScriptedServer::start(Scenario::new(Vec::new()), Options::default());
        let provider = provider(dialect, &format!("{}/elsewhere", server.root_url()));
        for _ in 0..3 {
            assert_eq!(provider.count(session(), &question(dialect)).await, None);
        }
        assert_eq!(server.requests().len(), 1, "404, and not asked again");
    }
}

/// Answers `times` connections with `reply`; silence if there is none.
fn serve(times: usize, reply: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for _ in 0..times {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1 << 16];
            let _head = stream.read(&mut request).unwrap();
            if let Some(reply) = reply {
                stream.write_all(reply.as_bytes()).unwrap();
            }
            // Until the client goes.
            let _rest = stream.read_to_end(&mut Vec::new());
        }
    });
    url
}

#[tokio::test]
async fn what_is_no_count_counts_as_none() {
    let replies = [
        "HTTP/1.1 500 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 429 Later\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 21\r\nconnection: close\r\n\r\n{\"input_tokens\": \"12\"}",
        "HTTP/1.1 200 OK\r\ncontent-length: 19\r\nconnection: close\r\n\r\n{\"input_tokens\": -1}",
        "HTTP/1.1 200 OK\r\ncontent-length: 90\r\nconnection: close\r\n\r\n{\"input_tok",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "nonsense\r\n\r\n",
    ];
    for reply in replies {
        let provider = provider(Dialect::Anthropic, &serve(1, Some(reply)));
        let counted = provider.count(session(), &question(Dialect::Anthropic));
        assert_eq!(counted.await, None, "{reply}");
    }
    let nobody = provider(Dialect::Anthropic, "http://127.0.0.1:9");
    let counted = nobody.count(session(), &question(Dialect::Anthropic));
    assert_eq!(counted.await, None);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_does_not_come_is_not_waited_for() {
    let provider = provider(Dialect::Responses, &serve(1, None));
    let counted = provider.count(session(), &question(Dialect::Responses));
    assert_eq!(counted.await, None);
}
