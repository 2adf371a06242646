//! Connections that end in odd places, answers that are no HTTP, errors inside a success.

use bowline_core::FailureKind;
use bowline_core::event::ReplyStop::Finished;
use serde_json::{Value, json};

use super::super::Expect::{Fails, FailsAs, Says};
use super::super::frames::{ANTHROPIC, RESPONSES, Said, frames, named, plain};
use super::super::raw::{Sent, sized};
use super::super::{Row, row};
use super::ordinary;

/// Where a connection may end, and what may come instead of an answer.
#[expect(clippy::too_many_lines, reason = "a table, one row after the other")]
pub(in super::super) fn connections(dialect: &str) -> Vec<Row> {
    use FailureKind::{BadRequest, Cut, Malformed, TooLong};
    let exactly = |name, bytes: &str, expect| row(name, Sent::exactly(bytes), expect);
    let all = ordinary(dialect).concat();
    let started = frames(dialect, &[Said::Text("hi")]);
    let half = all.len() / 3;
    vec![
        exactly("closed at once", "", FailsAs(&[Cut])),
        exactly(
            "closed in the head",
            "HTTP/1.1 200 OK\r\nconte",
            FailsAs(&[Cut]),
        ),
        row(
            "closed after the head",
            Sent::open::<&str>([]),
            Fails(Cut, "in the middle"),
        ),
        exactly(
            "closed after the head that promised a length",
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n",
            Fails(Cut, "in the middle"),
        ),
        row(
            "closed behind some words",
            Sent::open(&started),
            Fails(Cut, "in the middle"),
        ),
        row(
            "closed in the middle of an event",
            Sent::open([&all[..half]]),
            Fails(Cut, "in the middle"),
        ),
        row(
            "closed behind the whole reply",
            Sent::open(ordinary(dialect)),
            Says("hi", 0, 0, Finished),
        ),
        exactly(
            "a chunk whose length is none",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ndata",
            Fails(Cut, "in the middle"),
        ),
        exactly(
            "a chunk that is shorter than it says",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfff\r\ndata: ",
            Fails(Cut, "in the middle"),
        ),
        exactly(
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
            FailsAs(&[Cut]),
        ),
        exactly(
            "another protocol",
            "SSH-2.0-OpenSSH_9.2\r\n",
            FailsAs(&[Cut]),
        ),
        exactly("no status", "HTTP/1.1 OK\r\n\r\n", FailsAs(&[Cut])),
        exactly(
            "a status of no meaning",
            "HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
            FailsAs(&[BadRequest, Malformed, Cut]),
        ),
        exactly(
            "no content",
            "HTTP/1.1 204 No Content\r\n\r\n",
            Fails(Cut, "the body is empty"),
        ),
        exactly(
            "not modified",
            "HTTP/1.1 304 Not Modified\r\n\r\n",
            Fails(BadRequest, "304"),
        ),
        exactly(
            "only told to go on",
            "HTTP/1.1 100 Continue\r\n\r\n",
            FailsAs(&[Cut]),
        ),
        row(
            "a page that signs in",
            Sent::exactly(sized(
                "302 Found",
                "location: http://portal.test/login\r\n",
                "<html>",
            )),
            Fails(BadRequest, "http://portal.test/login"),
        ),
        row(
            "a page of an error",
            Sent::exactly(sized("502 Bad Gateway", "", "<html><h1>502</h1>")),
            Fails(FailureKind::Unavailable, "502"),
        ),
        row(
            "a proxy that wants a key",
            Sent::exactly(sized("407 Proxy Authentication Required", "", "")),
            Fails(BadRequest, "407"),
        ),
        row(
            "a path that is not there",
            Sent::exactly(sized("404 Not Found", "", "404 page not found")),
            Fails(FailureKind::NotFound, "base URL"),
        ),
        row(
            "a model that is not there",
            Sent::exactly(sized(
                "404 Not Found",
                "",
                r#"{"error": {"message": "no model m-1", "type": "not_found_error"}}"#,
            )),
            Fails(FailureKind::NotFound, "no model m-1"),
        ),
        row(
            "a wrong key",
            Sent::exactly(sized(
                "401 Unauthorized",
                "",
                r#"{"error": {"message": "no"}}"#,
            )),
            Fails(FailureKind::Auth, "_API_KEY"),
        ),
        row(
            "a context that is too long",
            Sent::exactly(sized(
                "400 Bad Request",
                "",
                r#"{"error": {"message": "prompt is too long: 9 tokens", "type": "invalid_request_error", "code": "context_length_exceeded"}}"#,
            )),
            Fails(TooLong, "prompt is too long"),
        ),
    ]
}

/// The frame by which a dialect reports an error in mid-stream.
fn error(dialect: &str, kind: &str, message: &str) -> String {
    if dialect == ANTHROPIC {
        return named(&json!({ "type": "error", "error": { "type": kind, "message": message } }));
    }
    if dialect == RESPONSES {
        return named(
            &json!({ "type": "response.failed", "response": { "status": "failed",
            "error": { "code": kind, "message": message } } }),
        );
    }
    plain(&json!({ "error": { "type": kind, "message": message } }))
}

/// Errors that come with status 200.
pub(in super::super) fn errors(dialect: &str) -> Vec<Row> {
    use FailureKind::{Cut, Malformed, RateLimited, Unavailable};
    let alone = |kind: &str| Sent::chunks([error(dialect, kind, "boom")]);
    let late = |kind: &str| {
        let mut all = frames(dialect, &[Said::Text("par")]);
        all.push(error(dialect, kind, "boom"));
        Sent::chunks(all)
    };
    let document = |body: Value| Sent::chunks([body.to_string()]);
    vec![
        row(
            "an error at once",
            alone("server_error"),
            Fails(Unavailable, "boom"),
        ),
        row(
            "too many requests, said late",
            alone("rate_limit_exceeded"),
            Fails(RateLimited, "boom"),
        ),
        row(
            "an error behind words",
            late("server_error"),
            Fails(Cut, "boom"),
        ),
        row(
            "too many requests behind words",
            late("rate_limit_exceeded"),
            Fails(RateLimited, "boom"),
        ),
        row(
            "an error of no known kind",
            alone("gremlins"),
            FailsAs(&[Unavailable]),
        ),
        row(
            "an error as a document",
            document(json!({ "error": { "message": "boom", "type": "rate_limit_error" } })),
            Fails(RateLimited, "boom"),
        ),
        row(
            "an error as words",
            document(json!({ "error": "boom" })),
            FailsAs(&[Unavailable, Malformed]),
        ),
        row(
            "an event by the name of error",
            Sent::chunks(["event: error\ndata: plain words\n\n"]),
            Fails(Unavailable, "plain words"),
        ),
        row(
            "an error with escapes",
            Sent::chunks([error(dialect, "server_error", "\u{1b}]0;owned\u{7}\nx")]),
            FailsAs(&[Unavailable]),
        ),
    ]
}
