//! Which characters the bytes of a page mean.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a page it may say how it is encoded, in bytes.
const DECLARED_WITHIN: usize = 4_096;

/// Text and how it was encoded.
#[derive(Debug)]
pub(super) struct Decoded<'b> {
    pub(super) text: Cow<'b, str>,
    /// The name of the encoding.
    pub(super) charset: &'static str,
    /// Whether some bytes meant nothing in it.
    pub(super) has_errors: bool,
}

/// Decodes `body`: by the mark at its start, else by `charset` of the answer, else by what it says
/// of itself, else as UTF-8, and if it is none, as what browsers take then.
pub(super) fn decode<'b>(body: &'b [u8], charset: Option<&str>, is_html: bool) -> Decoded<'b> {
    let marked = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let said = || Encoding::for_label(charset?.as_bytes());
    let declared = || is_html.then(|| declared(body)).flatten();
    let guessed = || match std::str::from_utf8(body) {
        Ok(_) => UTF_8,
        // A page that is cut within a character is UTF-8 all the same.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => UTF_8,
        Err(_) => WINDOWS_1252,
    };
    let encoding = marked
        .or_else(said)
        .or_else(declared)
        .unwrap_or_else(guessed);
    let (text, encoding, has_errors) = encoding.decode(body);
    Decoded {
        text,
        charset: encoding.name(),
        has_errors,
    }
}

/// What a page says of itself: `charset=` within its first bytes.
fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let head = &body[..body.len().min(DECLARED_WITHIN)];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, after) = head.split_once("charset=")?;
    let label = after.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(['"', '\'', ' ', ';', '>', '/'])?;
    let encoding = Encoding::for_label(&label.as_bytes()[..end])?;
    // It was read as ASCII, so it cannot be one of these.
    Some(if encoding == UTF_16LE || encoding == UTF_16BE {
        UTF_8
    } else {
        encoding
    })
}
