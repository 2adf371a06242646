//! Streams in shapes that a strict reading would not expect.

use bowline_core::FailureKind;
use bowline_core::event::ReplyStop::{Finished, Length, Refused};

use super::super::Expect::{Fails, FailsAs, Says};
use super::super::frames::{ANTHROPIC, CHAT, Said, frames, named, plain};
use super::super::raw::{Sent, sized};
use super::super::{Row, row};
use super::ordinary;

/// The frame that says `text`, with the JSON string as it is given.
fn says_raw(dialect: &str, text: &str) -> Vec<String> {
    let said = frames(dialect, &[Said::Text("MARK"), Said::End("stop")]);
    said.iter()
        .map(|frame| frame.replace("MARK", text))
        .collect()
}

/// How the bytes of a stream may look.
#[expect(clippy::too_many_lines, reason = "a table, one row after the other")]
pub(in super::super) fn streams(dialect: &str) -> Vec<Row> {
    let fine = |name, sent| row(name, sent, Says("hi", 0, 0, Finished));
    let all = ordinary(dialect).concat();
    let bytes = |text: &str| text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>();
    let wide = frames(
        dialect,
        &[
            Said::Text("gr\u{fc}n \u{1f9f5} e\u{301}"),
            Said::End("stop"),
        ],
    );
    let commented = all.replace("\n\n", "\n\n: keep-alive\n\n");
    let fielded = all.replace("data: ", "id: 7\nretry: 10\nunheard-of: 1\n\0\ndata: ");
    let cut_last = all.trim_end().to_owned();
    let mut rows = vec![
        fine("one piece", Sent::chunks([&all])),
        fine("every byte by itself", Sent::chunks(bytes(&all))),
        row(
            "characters split at every byte",
            Sent::chunks(bytes(&wide.concat())),
            Says("gr\u{fc}n \u{1f9f5} e\u{301}", 0, 0, Finished),
        ),
        fine(
            "a byte order mark",
            Sent::chunks([format!("\u{feff}{all}")]),
        ),
        fine(
            "half a byte order mark at a border",
            Sent::chunks([&b"\xef"[..], b"\xbb\xbf", all.as_bytes()]),
        ),
        fine("CR ends lines", Sent::chunks([all.replace('\n', "\r")])),
        fine("CRLF ends lines", Sent::chunks([all.replace('\n', "\r\n")])),
        fine(
            "empty lines first",
            Sent::chunks([format!("\n\r\n\n{all}")]),
        ),
        fine("comments between", Sent::chunks([commented])),
        fine("fields that nobody knows", Sent::chunks([fielded])),
        fine(
            "no space after the colon",
            Sent::chunks([all.replace("data: ", "data:")]),
        ),
        fine(
            "data over several lines",
            Sent::chunks([all.replace(",\"", ",\ndata: \"")]),
        ),
        fine("no empty line at the end", Sent::chunks([cut_last])),
        fine(
            "words after the end",
            Sent::chunks([format!("{all}\u{0}and more\n\ndata: x\n\n")]),
        ),
        fine(
            "a wrong content type",
            Sent::chunks_as("content-type: text/html\r\n", [&all]),
        ),
        fine("no content type", Sent::chunks_as("", [&all])),
        fine("a known length", Sent::exactly(sized("200 OK", "", &all))),
        fine(
            "an end by closing",
            Sent::exactly(format!("HTTP/1.1 200 OK\r\n\r\n{all}")),
        ),
        fine(
            "HTTP/1.0",
            Sent::exactly(format!("HTTP/1.0 200 OK\r\n\r\n{all}")),
        ),
        fine(
            "another success",
            Sent::exactly(sized("201 Created", "", &all)),
        ),
        row(
            "NUL in the text",
            Sent::chunks(says_raw(dialect, "a\\u0000b")),
            Says("a\0b", 0, 0, Finished),
        ),
        row(
            "bytes that are not UTF-8",
            Sent::chunks([all
                .replace("hi", "h\u{1}")
                .bytes()
                .map(|byte| if byte == 1 { 0xff } else { byte })
                .collect::<Vec<u8>>()]),
            Says("h\u{fffd}", 0, 0, Finished),
        ),
        row(
            "half a surrogate pair",
            Sent::chunks(says_raw(dialect, "\\ud83d")),
            Fails(FailureKind::Malformed, "an event holds"),
        ),
        row(
            "deep nesting in an event",
            Sent::chunks([plain_nested()]),
            Fails(FailureKind::Malformed, "an event holds"),
        ),
        row(
            "stop for length",
            Sent::chunks(frames(dialect, &[Said::Text("hi"), Said::End("length")])),
            Says("hi", 0, 0, Length),
        ),
        row(
            "content refused",
            Sent::chunks(frames(dialect, &[Said::Text("no"), Said::End("refused")])),
            Says("no", 0, 0, Refused),
        ),
        row(
            "refused without a word",
            Sent::chunks(frames(dialect, &[Said::End("refused")])),
            Says("", 0, 0, Refused),
        ),
        row(
            "no end",
            Sent::chunks(frames(dialect, &[Said::Text("hi")])),
            Fails(FailureKind::Cut, "before the model was finished"),
        ),
        row(
            "nothing said",
            Sent::chunks(frames(dialect, &[Said::End("stop")])),
            Fails(FailureKind::Empty, "neither text nor"),
        ),
        row(
            "blanks said",
            Sent::chunks(frames(dialect, &[Said::Text(" \n"), Said::End("stop")])),
            Fails(FailureKind::Empty, "neither text nor"),
        ),
        row(
            "words of no known type",
            Sent::chunks([typed_wrong(dialect)]),
            FailsAs(&[FailureKind::Malformed, FailureKind::Cut, FailureKind::Empty]),
        ),
    ];
    rows.extend(usages(dialect));
    rows
}

fn plain_nested() -> String {
    format!(
        "data: {}1{}\n\n",
        "{\"a\":".repeat(5_000),
        "}".repeat(5_000)
    )
}

/// Frames whose fields have types that no server should give them, without an end.
fn typed_wrong(dialect: &str) -> String {
    use serde_json::json;
    match dialect {
        CHAT => plain(
            &json!({ "choices": [{ "index": "0", "delta": { "content": 7, "tool_calls": {} } }, 7, null] }),
        ),
        ANTHROPIC => [
            json!({ "type": "content_block_start", "index": "x", "content_block": [] }),
            json!({ "type": "content_block_delta", "index": -1, "delta": 7 }),
            json!({ "type": "message_delta", "delta": [], "usage": 7 }),
        ]
        .iter()
        .map(named)
        .collect(),
        _ => [
            json!({ "type": "response.output_item.added", "output_index": "x", "item": 7 }),
            json!({ "type": "response.output_text.delta", "output_index": -1, "delta": {} }),
            json!({ "type": "response.output_item.done", "item": [] }),
        ]
        .iter()
        .map(named)
        .collect(),
    }
}

/// Counts of tokens that are missing or absurd change nothing about the reply.
fn usages(dialect: &str) -> Vec<Row> {
    let names = [
        ("usage below nothing", "-5"),
        ("usage beyond all bounds", "1e300"),
        ("usage in words", "\"many\""),
        ("usage that is null", "null"),
        ("usage that is a list", "[1, 2]"),
    ];
    let rows = names.into_iter().map(|(name, count)| {
        let frames: Vec<String> = ordinary(dialect)
            .into_iter()
            .map(|frame| with_usage(dialect, &frame, count))
            .collect();
        row(name, Sent::chunks(frames), Says("hi", 0, 0, Finished))
    });
    rows.collect()
}

fn with_usage(dialect: &str, frame: &str, count: &str) -> String {
    if dialect == CHAT {
        let usage = format!(
            "\"usage\":{{\"prompt_tokens\":{count},\"completion_tokens\":{count},\
             \"prompt_tokens_details\":{{\"cached_tokens\":{count}}}}},\"choices\""
        );
        return frame.replacen("\"choices\"", &usage, 1);
    }
    let mut out = frame.to_owned();
    for field in [
        "\"input_tokens\":10",
        "\"output_tokens\":1",
        "\"output_tokens\":5",
    ] {
        let name = field.split(':').next().unwrap_or_default();
        let border = format!("{field}}}");
        out = out.replace(&border, &format!("{name}:{count}}}"));
        out = out.replace(&format!("{field},"), &format!("{name}:{count},"));
    }
    out
}
