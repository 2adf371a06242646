//! Passwords and keys that calls are given after a name or a payload: `login("user", "..")`,
//! `sign(payload, "..")`.

use crate::assign::is_strict;
use crate::bytes::{Alphabet, byte_at, is_quote, skip_blanks};
use crate::formats::Hit;
use crate::placeholder::{is_common, is_placeholder, is_reference};
use crate::value::{Extent, value_at};

/// How far the arguments of a call are looked at, in bytes.
const REACH: usize = 256;

/// What is called, in lower case, and what its later arguments are.
pub(crate) const CALLS: [(&str, &str); 14] = [
    ("login", "password"),
    ("authenticate", "password"),
    ("networkcredential", "password"),
    ("passwordauthentication", "password"),
    ("usernamepasswordcredentials", "password"),
    ("httpbasicauth", "password"),
    ("setbasicauth", "password"),
    ("withbasicauth", "password"),
    ("basic_auth", "password"),
    ("getconnection", "password"),
    ("sign", "generic-secret"),
    ("verify", "generic-secret"),
    ("createhmac", "generic-secret"),
    ("hmac", "generic-secret"),
];

/// Returns the secret among the later arguments of the call whose name is `text[start..end]`.
pub(crate) fn secret_of_call(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    if byte_at(text, end) != b'(' {
        return None;
    }
    let called = &text[start..end];
    let (_, kind) = CALLS
        .iter()
        .find(|(name, _)| called.eq_ignore_ascii_case(name.as_bytes()))?;
    let mut at = end + 1;
    for _ in 0..3 {
        let reach = text.get(at..text.len().min(end + REACH))?;
        at += reach.iter().position(|byte| *byte == b',')? + 1;
        let from = wrapped(text, skip_blanks(text, at));
        let string = is_quote(byte_at(text, from))
            || byte_at(text, from) == b'b' && is_quote(byte_at(text, from + 1));
        let Some(value) = string.then(|| value_at(text, from, Extent::Word)).flatten() else {
            continue;
        };
        let bytes = &text[value.start..value.end];
        if is_strict(bytes, true)
            && !is_reference(bytes, true)
            && !is_common(bytes)
            && !is_placeholder(bytes)
        {
            return Some(Hit {
                range: value.start..value.end,
                kind,
            });
        }
    }
    None
}

/// Skips what wraps an optional argument: `Some(`.
fn wrapped(text: &[u8], at: usize) -> usize {
    let end = Alphabet::WORD.run_within(text, at, 8);
    if &text[at.min(end)..end] == b"Some" && byte_at(text, end) == b'(' {
        end + 1
    } else {
        at
    }
}
