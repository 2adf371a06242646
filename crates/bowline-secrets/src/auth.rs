//! Credentials of HTTP: `Authorization: Basic`, `Bearer` and the like.

use crate::base64;
use crate::bytes::{Alphabet, byte_at, holds_any_case, is_blank, skip_blanks};
use crate::formats::{Hit, token_at};
use crate::likeness::is_random;
use crate::placeholder::{is_fake_token, is_placeholder};
use crate::url::is_password;

/// Longest credential, in bytes.
const LONGEST_CREDENTIAL: usize = 4096;

/// Returns the credential after the scheme name `text[start..end]`.
pub(crate) fn credential_after(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let scheme = &text[start..end];
    let begins = matches!(
        scheme.first(),
        Some(b'a' | b'b' | b'k' | b't' | b'A' | b'B' | b'K' | b'T')
    );
    if !begins || !matches!(scheme.len(), 3 | 5 | 6) || !is_blank(byte_at(text, end)) {
        return None;
    }
    let is = |name: &[u8]| scheme.eq_ignore_ascii_case(name);
    let announced = || {
        let line = &text[start.saturating_sub(64)..start];
        holds_any_case(line, "auth") || holds_any_case(line, "extraheader")
    };
    let at = skip_blanks(text, end);
    if is(b"basic") && announced() {
        let close = Alphabet::TOKEN68.run_within(text, at, LONGEST_CREDENTIAL);
        let hit = Hit {
            range: at..close,
            kind: "basic-auth",
        };
        return basic(&text[at..close]).then_some(hit);
    }
    let token = is(b"token") || is(b"apikey") || is(b"key");
    (is(b"bearer") || token && announced()).then(|| bearer(text, at))?
}

/// Returns the credential of a header whose value begins at `at`, whatever its scheme is called;
/// without one the value itself is the credential.
pub(crate) fn credential_at(text: &[u8], at: usize) -> Option<Hit> {
    let end = Alphabet::WORD.run_within(text, at, 16);
    let credential = skip_blanks(text, end);
    if credential == end || credential == text.len() {
        return bearer(text, at);
    }
    let known: [&[u8]; 3] = [b"basic", b"bearer", b"digest"];
    if known
        .iter()
        .any(|scheme| text[at..end].eq_ignore_ascii_case(scheme))
    {
        return credential_after(text, at, end);
    }
    bearer(text, credential)
}

fn bearer(text: &[u8], at: usize) -> Option<Hit> {
    if let Some(token) = token_at(text, at) {
        return Some(token);
    }
    let close = Alphabet::TOKEN68.run_within(text, at, LONGEST_CREDENTIAL);
    let value = &text[at..close];
    (value.len() >= 16 && is_random(value) && !is_placeholder(value) && !is_fake_token(value))
        .then_some(Hit {
            range: at..close,
            kind: "bearer-token",
        })
}

/// Whether this is base64 of a user and a password that opens something.
fn basic(value: &[u8]) -> bool {
    let Some(decoded) = base64::decode(value).filter(|_| value.len() >= 8) else {
        return false;
    };
    match decoded.iter().position(|byte| *byte == b':') {
        Some(colon) => {
            let (user, password) = (&decoded[..colon], &decoded[colon + 1..]);
            is_password(user, password, b"remote") || password.is_empty() && is_random(user)
        }
        None => is_random(value) && value.len() >= 16 && !decoded.is_ascii(),
    }
}
