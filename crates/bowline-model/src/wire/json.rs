//! Writes JSON into a body.

use serde_json::Value;

/// Appends `text` as a JSON string, quotes included.
pub(crate) fn push_string(body: &mut Vec<u8>, text: &str) {
    body.push(b'"');
    push_escaped(body, text);
    body.push(b'"');
}

/// Appends what stands between the quotes of a JSON string. NUL becomes U+FFFD: the API refuses
/// it, and no model can use it.
pub(crate) fn push_escaped(body: &mut Vec<u8>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    body.reserve(bytes.len());
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => b'u',
            _ => continue,
        };
        body.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        match (byte, short) {
            (0, _) => body.extend_from_slice("\u{fffd}".as_bytes()),
            (_, b'u') => {
                body.extend_from_slice(b"\\u00");
                body.push(DIGITS[usize::from(byte >> 4)]);
                body.push(DIGITS[usize::from(byte & 15)]);
            }
            _ => body.extend_from_slice(&[b'\\', short]),
        }
    }
    body.extend_from_slice(&bytes[copied..]);
}

/// Appends `value` as JSON.
pub(crate) fn push_value(body: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => push_string(body, text),
        other => body.extend_from_slice(other.to_string().as_bytes()),
    }
}

/// Whether a string or key of `value` holds NUL.
pub(crate) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map
            .iter()
            .any(|(key, item)| key.contains('\0') || has_nul(item)),
        _ => false,
    }
}

/// `value` with U+FFFD for every NUL in its strings and keys.
pub(crate) fn without_nul(value: Value) -> Value {
    let clean = |text: String| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(map) => {
            let fields = map.into_iter();
            Value::Object(
                fields
                    .map(|(key, item)| (clean(key), without_nul(item)))
                    .collect(),
            )
        }
        other => other,
    }
}

/// Reads a number of tokens. Some servers count in floating point.
pub(crate) fn count(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    value
        .as_u64()
        .or_else(|| value.as_f64().map(|number| number as u64))
}
