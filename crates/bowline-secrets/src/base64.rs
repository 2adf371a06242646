//! Decodes base64, so that what was encoded can be judged.

/// Returns the bytes behind base64 text of either alphabet, padded or not; `None` where a
/// character belongs to neither or the length cannot be.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let end = text
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |at| at + 1);
    if end % 4 == 1 || text.len() - end > 2 {
        return None;
    }
    let mut decoded = Vec::with_capacity(end * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in &text[..end] {
        bits = bits << 6 | sextet(*byte)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held & 0xff) as u8);
        }
    }
    Some(decoded)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Returns the decoded text when all of it is printable ASCII, line ends and tabs allowed.
pub(crate) fn decode_text(text: &[u8]) -> Option<Vec<u8>> {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    let head = text.first_chunk::<4>()?;
    let mut bits = 0;
    for byte in head {
        bits = bits << 6 | sextet(*byte)?;
    }
    let [_, first, second, third] = u32::to_be_bytes(bits);
    if ![first, second, third].iter().all(printable) {
        return None;
    }
    decode(text).filter(|decoded| decoded.iter().all(printable))
}

#[cfg(test)]
mod tests;
