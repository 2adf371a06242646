//! What a value looks like once it is encoded.

/// Fewest bytes of a form that is looked for.
const SHORTEST: usize = 8;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The forms of a value in which it would be told from no other text, the value itself aside.
pub(super) fn of(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![
        hex(value, b"0123456789abcdef"),
        hex(value, b"0123456789ABCDEF"),
        percent(value, b"0123456789abcdef"),
        percent(value, b"0123456789ABCDEF"),
        escaped(value),
        unicode_escaped(value),
    ];
    for digits in [BASE64, BASE64_URL] {
        forms.extend((0..3).map(|before| base64(value, digits, before)));
        let alone = base64_alone(value, digits);
        forms.push([alone.as_slice(), &b"=="[..(4 - alone.len() % 4) % 4]].concat());
        forms.push(alone);
    }
    forms.retain(|form| form.len() >= SHORTEST && form != value);
    forms
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let byte = |byte: &u8| {
        [
            digits[usize::from(byte >> 4)],
            digits[usize::from(byte & 15)],
        ]
    };
    value.iter().flat_map(byte).collect()
}

/// As in an address: everything but unreserved characters (RFC 3986).
fn percent(value: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let mut form = Vec::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            form.push(*byte);
        } else {
            form.push(b'%');
            form.extend(hex(&[*byte], digits));
        }
    }
    form
}

/// As in a JSON string.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut form = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'"' | b'\\' => form.extend([b'\\', *byte]),
            b'\t' => form.extend(b"\\t"),
            0..0x20 => form.extend(format!("\\u{byte:04x}").bytes()),
            _ => form.push(*byte),
        }
    }
    form
}

/// As in a JSON string of a writer that escapes all but ASCII, and the signs of HTML.
fn unicode_escaped(value: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(value) else {
        return Vec::new();
    };
    let mut form = Vec::with_capacity(value.len());
    for letter in text.chars() {
        if letter.is_ascii() && !matches!(letter, '<' | '>' | '&') {
            let mut bytes = [0; 4];
            form.extend(escaped(letter.encode_utf8(&mut bytes).as_bytes()));
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                form.extend(format!("\\u{unit:04x}").bytes());
            }
        }
    }
    form
}

/// The part of the base64 of a longer text that this value alone makes, if `before` bytes (modulo
/// 3) stand before it.
fn base64(value: &[u8], digits: &[u8; 64], before: usize) -> Vec<u8> {
    let bits = value.len() * 8;
    // Bits of the first and last digits belong to neighbours.
    let skipped = (6 - before * 8 % 6) % 6;
    let digit = |number: usize| {
        let at = skipped + number * 6;
        (at..at + 6).fold(0_u8, |digit, bit| {
            digit << 1 | (value[bit / 8] >> (7 - bit % 8) & 1)
        })
    };
    let count = bits.saturating_sub(skipped) / 6;
    (0..count)
        .map(|number| digits[usize::from(digit(number))])
        .collect()
}

/// The base64 of this value alone, without padding.
fn base64_alone(value: &[u8], digits: &[u8; 64]) -> Vec<u8> {
    let filled = [value, &[0, 0]].concat();
    let mut form = base64(&filled, digits, 0);
    form.truncate((value.len() * 8).div_ceil(6));
    form
}
