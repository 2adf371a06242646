//! Calls that arrive in pieces, twice, without what they need, or not to their end.

use bowline_core::FailureKind;
use bowline_core::event::ReplyStop::{Finished, Length, Refused};

use super::super::Expect::{Fails, Says};
use super::super::frames::{Said, frames};
use super::super::raw::Sent;
use super::super::{Row, row};

const PATH: &[&str] = &["{\"path\": \"a\"}"];

/// What becomes of calls.
#[expect(clippy::too_many_lines, reason = "a table, one row after the other")]
pub(in super::super) fn calls(dialect: &str) -> Vec<Row> {
    let said = |said: &[Said]| Sent::chunks(frames(dialect, said));
    let ready = |name, sent, count| row(name, sent, Says("", count, 0, Finished));
    let pieces: &[&str] = &["{", "\"pa", "th\"", ": ", "\"\\u00", "fc\\", "\"\"", "}"];
    let call = |id, pieces| Said::Call(id, "read", pieces);
    let end = || Said::End("stop");
    let mut rows = vec![
        ready("a call in one piece", said(&[call("c1", PATH), end()]), 1),
        ready(
            "arguments split anywhere",
            said(&[call("c1", pieces), end()]),
            1,
        ),
        ready(
            "two calls",
            said(&[call("c1", PATH), call("c2", PATH), end()]),
            2,
        ),
        ready("a call without an id", said(&[call("", PATH), end()]), 1),
        ready(
            "two calls without ids",
            said(&[call("", PATH), call("", PATH), end()]),
            2,
        ),
        row(
            "two calls of one id",
            said(&[call("same", PATH), call("same", PATH), end()]),
            Says("", 1, 1, Finished),
        ),
        row(
            "arguments not finished though the reply is",
            said(&[call("c1", &["{\"path\": \"/et"]), end()]),
            Says("", 0, 1, Finished),
        ),
        row(
            "arguments that are no object",
            said(&[call("c1", &["[1, 2]"]), end()]),
            Says("", 0, 1, Finished),
        ),
        row(
            "arguments that are no JSON",
            said(&[call("c1", &["rm -rf /"]), end()]),
            Says("", 0, 1, Finished),
        ),
        row(
            "two objects as arguments",
            said(&[call("c1", &["{}", "{}"]), end()]),
            Says("", 0, 1, Finished),
        ),
        row(
            "a call without a name",
            said(&[Said::Call("c1", "", PATH), end()]),
            Says("", 0, 1, Finished),
        ),
        row(
            "stop for length in the middle of a call",
            said(&[call("c1", &["{\"path\": "]), Said::End("length")]),
            Says("", 0, 1, Length),
        ),
        row(
            "stop for length behind a whole call",
            said(&[Said::Text("x"), call("c1", PATH), Said::End("length")]),
            Says("x", 0, 1, Length),
        ),
        row(
            "refused behind a whole call",
            said(&[call("c1", PATH), Said::End("refused")]),
            Says("", 0, 1, Refused),
        ),
        row(
            "no end behind a whole call",
            said(&[call("c1", PATH)]),
            Fails(FailureKind::Cut, "before the model was finished"),
        ),
    ];
    // Closed behind each frame but the last ones: a call that may be half is never given.
    let all = frames(dialect, &[Said::Text("x"), call("c1", pieces)]);
    let cut = all[..all.len() - 1].to_vec();
    rows.push(row(
        "closed in the middle of a call",
        Sent::open(cut),
        Fails(FailureKind::Cut, "in the middle of the reply"),
    ));
    rows.push(row(
        "closed behind a whole call",
        Sent::open(all),
        Fails(FailureKind::Cut, "in the middle of the reply"),
    ));
    rows
}
