//! Secrets behind an encoding: base64 and hexadecimal text is decoded and looked into.

use crate::base64;
use crate::bytes::Alphabet;

/// Bounds of base64 text that is looked into, in characters.
const BASE64: std::ops::RangeInclusive<usize> = 24..=8192;

/// Bounds of hexadecimal text that is looked into, in characters.
const HEX: std::ops::RangeInclusive<usize> = 40..=4096;

/// Returns the end of the encoded text that begins at `start` with the run of identifier characters
/// up to `end`, and what it says, if that is plain text.
pub(crate) fn decoded(text: &[u8], start: usize, end: usize) -> Option<(usize, Vec<u8>)> {
    if end - start < 8 {
        return None;
    }
    if HEX.contains(&(end - start))
        && let Some(decoded) = hex(&text[start..end])
    {
        return Some((end, decoded));
    }
    let body = Alphabet::UNPADDED.run_within(text, start, *BASE64.end());
    let padding = text[body..]
        .iter()
        .take(2)
        .take_while(|byte| **byte == b'=');
    let close = body + padding.count();
    if !BASE64.contains(&(close - start)) {
        return None;
    }
    Some((close, base64::decode_text(&text[start..close])?))
}

/// Returns the text that hexadecimal digits stand for, when all of it is printable ASCII.
fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digits = digits.strip_prefix(b"0x").unwrap_or(digits);
    let byte = |pair: &[u8]| {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(*pair.get(1)?).to_digit(16)?;
        let byte = (high << 4 | low) as u8;
        matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t').then_some(byte)
    };
    digits.chunks(2).map(byte).collect()
}
