//! The table: what is sent, and what must come of it.

mod calls;
mod connections;
mod odd;

use bowline_core::FailureKind;
use bowline_core::event::ReplyStop::Finished;

use super::Expect::{Fails, FailsAs, Says};
use super::frames::{ANTHROPIC, CHAT, RESPONSES, Said, frames};
use super::raw::{End, Sent, chunk};
use super::{Row, row};

pub(super) use calls::calls;
pub(super) use connections::{connections, errors};
pub(super) use odd::streams;

/// The whole stream of an ordinary reply.
fn ordinary(dialect: &str) -> Vec<String> {
    frames(dialect, &[Said::Text("hi"), Said::End("stop")])
}

/// Bodies that are not of any dialect.
#[expect(clippy::too_many_lines, reason = "a table, one row after the other")]
pub(super) fn bodies(_dialect: &str) -> Vec<Row> {
    use FailureKind::{Cut, Malformed};
    let whole = |name, body: &str, expect| row(name, Sent::chunks([body]), expect);
    let foreign = |name, body: &str, part| whole(name, body, Fails(Malformed, part));
    let nested = "[".repeat(100_000);
    vec![
        row(
            "an empty body",
            Sent::chunks::<&str>([]),
            Fails(Cut, "the body is empty"),
        ),
        whole("white space", " \r\n\t\n", Fails(Cut, "the body is empty")),
        whole(
            "a byte order mark alone",
            "\u{feff}",
            FailsAs(&[Cut, Malformed]),
        ),
        whole(
            "comments alone",
            ": here\n\n: still here\n\n",
            Fails(Cut, "was cut"),
        ),
        whole("[DONE] alone", "data: [DONE]\n\n", Fails(Cut, "was cut")),
        foreign(
            "a page",
            "<!DOCTYPE html><title>Sign in</title>",
            "begins `<!DOCTYPE html>",
        ),
        foreign(
            "a page with escapes",
            "<b>\u{1b}[31mred\u{1b}[0m\u{7}</b>",
            "begins `<b>red </b>`",
        ),
        foreign("words", "It works!", "begins `It works!`"),
        foreign(
            "words that begin like a field",
            "data center offline",
            "begins `data center",
        ),
        foreign("NULs", "\0\0\0\0", "begins ``"),
        foreign("an empty list", "[]", "begins `[]`"),
        foreign("an empty object", "{}", ""),
        foreign("no JSON", "{nonsense}", "begins `{nonsense}`"),
        foreign("null", "null", "begins `null`"),
        foreign("deep nesting", &nested, ""),
        whole(
            "half a document",
            "{\"id\": \"x\", \"choi",
            Fails(Cut, "not whole"),
        ),
        foreign(
            "an event of words",
            "data: hello\n\n",
            "an event holds `hello`",
        ),
        foreign(
            "an event that is a list",
            "data: [1, 2]\n\n",
            "an event holds `[1, 2]`",
        ),
        foreign(
            "an event that is a number",
            "data: 7\n\n",
            "an event holds `7`",
        ),
        row(
            "UTF-16",
            Sent::chunks([[0xff, 0xfe, b'd', 0, b'a', 0, b't', 0, b'a', 0, b':', 0]]),
            Fails(Malformed, "begins"),
        ),
        row(
            "compressed bytes",
            Sent::chunks_as(
                "content-encoding: gzip\r\n",
                [[0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 0, 3, 0xcb, 0x48]],
            ),
            Fails(Malformed, "begins"),
        ),
        row(
            "compressed in name only, garbage in fact",
            Sent::chunks_as("content-encoding: gzip\r\n", ["nothing of the kind"]),
            Fails(Malformed, "begins"),
        ),
    ]
}

/// What would never end by itself. Tens of megabytes are read in one dialect only: what counts
/// them is common to all.
pub(super) fn endless(dialect: &str) -> Vec<Row> {
    let mut rows = silent(dialect);
    if dialect == CHAT {
        rows.extend(huge(dialect));
    }
    rows
}

/// More than any reply holds.
fn huge(dialect: &str) -> Vec<Row> {
    use FailureKind::Malformed;
    let open = |first: &[String], last: &[u8]| {
        let mut sent = Sent::open(first);
        sent.pieces.push(chunk(last));
        sent
    };
    let started = frames(dialect, &[Said::Text("hi")]);
    let mega = vec![b'x'; 1 << 20];
    let comment = ": still here\n\n".repeat(40_000);
    let event = format!("event: {}\ndata: {{}}\n\n", "y".repeat(100_000));
    let mut huge = open(&started, b"data: ");
    huge.pieces.extend(vec![chunk(&mega); 100]);
    let head = Sent::exactly("HTTP/1.1 200 OK\r\nx: ");
    let head = Sent {
        pieces: [head.pieces, vec![mega.clone()]].concat(),
        ..head
    };
    vec![
        row("an event of 100 MB", huge, Fails(Malformed, "larger than")),
        row(
            "an event without end",
            open(&started, &mega).then(End::Endless),
            Fails(Malformed, "larger than"),
        ),
        row(
            "comments without end",
            open(&started, comment.as_bytes()).then(End::Endless),
            Fails(Malformed, "MiB long"),
        ),
        row(
            "events without end",
            open(&started, event.as_bytes()).then(End::Endless),
            FailsAs(&[Malformed]),
        ),
        row(
            "white space without end",
            open(&[], &[b' '; 1 << 20]).then(End::Endless),
            Fails(Malformed, "it is blank"),
        ),
        row(
            "a document without end",
            open(
                &[],
                format!("{{\"x\": \"{}", "x".repeat(1 << 20)).as_bytes(),
            )
            .then(End::Endless),
            Fails(Malformed, "MiB long"),
        ),
        row(
            "a page without end",
            open(&[], "<p>".repeat(100_000).as_bytes()).then(End::Endless),
            Fails(Malformed, "begins `<p>"),
        ),
        row(
            "a head without end",
            head.then(End::Endless),
            FailsAs(&[FailureKind::Cut]),
        ),
    ]
}

/// Connections on which nothing more comes.
fn silent(dialect: &str) -> Vec<Row> {
    use FailureKind::Timeout;
    let started = frames(dialect, &[Said::Text("hi")]);
    vec![
        row(
            "silence before the head",
            Sent::exactly("").then(End::Silent),
            Fails(Timeout, "nothing came from"),
        ),
        row(
            "silence in the head",
            Sent::exactly("HTTP/1.1 200 OK\r\ncontent-").then(End::Silent),
            Fails(Timeout, "nothing came from"),
        ),
        row(
            "silence after the head",
            Sent::open::<&str>([]).then(End::Silent),
            Fails(Timeout, "nothing came from"),
        ),
        row(
            "silence in the middle",
            Sent::open(&started).then(End::Silent),
            Fails(Timeout, "nothing came from"),
        ),
        row(
            "silence after the end of the reply, before the end of the body",
            Sent::open(ordinary(dialect)).then(End::Silent),
            Says("hi", 0, 0, Finished),
        ),
    ]
}

/// A stream, and a document, of each dialect that is not the one that was asked.
pub(super) fn other_dialects(dialect: &str) -> Vec<Row> {
    let documents = [
        (
            CHAT,
            "a Chat Completions document",
            r#"{"object": "chat.completion", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}"#,
        ),
        (
            RESPONSES,
            "a Responses document",
            r#"{"object": "response", "status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]}"#,
        ),
        (
            ANTHROPIC,
            "a Messages document",
            r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}"#,
        ),
    ];
    let streams = [
        (CHAT, "a Chat Completions stream"),
        (RESPONSES, "a Responses stream"),
        (ANTHROPIC, "a Messages stream"),
    ];
    let expect = |of: &str| {
        if of == dialect {
            Says("hi", 0, 0, Finished)
        } else {
            Fails(FailureKind::Malformed, "")
        }
    };
    let documents = documents
        .into_iter()
        .map(|(of, name, body)| row(name, Sent::chunks([body]), expect(of)));
    let streams = streams
        .into_iter()
        .map(|(of, name)| row(name, Sent::chunks(ordinary(of)), expect(of)));
    documents.chain(streams).collect()
}
