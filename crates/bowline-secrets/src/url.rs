//! Passwords in addresses: `scheme://user:password@host`.

use crate::bytes::{Alphabet, before, byte_at, find};
use crate::formats::{Hit, token_at};
use crate::likeness::{is_chosen, is_random, is_wordy};
use crate::placeholder::{TOKEN_OPENING, is_common, is_fake_token, is_placeholder, is_reference};

/// Longest user and password that are looked for, in bytes.
const REACH: usize = 1024;

/// Returns the password of an address whose `://` begins at `at`.
pub(crate) fn password_at(text: &[u8], at: usize) -> Option<Hit> {
    let start = at + 3;
    let ends = |byte: &u8| {
        *byte <= b' '
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|' | b'/' | b'?' | b'#'
            )
    };
    let reach = &text[start..text.len().min(start + REACH)];
    let authority = &reach[..reach.iter().position(ends).unwrap_or(reach.len())];
    let sign = authority.iter().rposition(|byte| *byte == b'@')?;
    credentials(text, start, start + sign, &authority[sign + 1..])
}

/// Returns the password of an address without a scheme, `user:password@host:port` or Go's
/// `user:password@tcp(host)`; `at` is where the host begins.
pub(crate) fn password_before_host(text: &[u8], at: usize, floor: usize) -> Option<Hit> {
    let sign = at.checked_sub(1)?;
    let end = Alphabet::DOTTED.run_within(text, at, 64);
    let port = byte_at(text, end) == b':' && byte_at(text, end + 1).is_ascii_digit();
    if text[sign] != b'@' || !(port || byte_at(text, end) == b'(') {
        return None;
    }
    let starts = |byte: &u8| *byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'=' | b'/');
    let from = sign.saturating_sub(REACH / 4).max(floor);
    let start = text[from..sign]
        .iter()
        .rposition(starts)
        .map_or(from, |at| from + at + 1);
    let colon = start + text[start..sign].iter().position(|byte| *byte == b':')?;
    let strong = sign - colon > 8 && is_random(&text[colon + 1..sign]);
    let digest = text[at..end].starts_with(b"sha");
    (strong && !digest).then(|| credentials(text, start, sign, b"remote"))?
}

/// Returns the password of Oracle's `thin:user/password@host`; the colon is at `at`.
pub(crate) fn password_of_thin(text: &[u8], at: usize) -> Option<Hit> {
    let user = Alphabet::DOTTED.run_within(text, at + 1, 64);
    if byte_at(text, at) != b':' || byte_at(text, user) != b'/' {
        return None;
    }
    let reach = &text[user + 1..text.len().min(user + REACH / 4)];
    let sign = user + 1 + reach.iter().position(|byte| *byte == b'@')?;
    let password = &text[user + 1..sign];
    let whole = !password.iter().any(|byte| *byte <= b' ' || *byte == b'"');
    (whole && is_password(&text[at + 1..user], password, b"remote")).then_some(Hit {
        range: user + 1..sign,
        kind: "url-password",
    })
}

/// Returns the password of a `.pgpass` line, `host:port:database:user:password`; the port is
/// `text[start..end]`.
pub(crate) fn password_of_pgpass(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    let digits =
        text[start..end].iter().all(u8::is_ascii_digit) && (4..=5).contains(&(end - start));
    if !digits || before(text, start) != b':' || byte_at(text, end) != b':' {
        return None;
    }
    let line = text[end + 1..].trim_ascii_end();
    let mut fields = line.splitn(3, |byte| *byte == b':');
    let (database, user, password) = (fields.next()?, fields.next()?, fields.next()?);
    let from = end + 1 + database.len() + 1 + user.len() + 1;
    let plain = |byte: &u8| *byte > b' ' && !matches!(byte, b':' | b'/' | b'"');
    let shaped = [database, user, password]
        .iter()
        .all(|field| !field.is_empty() && field.iter().all(plain));
    (shaped
        && password.len() >= 10
        && is_random(password)
        && is_password(user, password, b"remote"))
    .then(|| Hit {
        range: from..from + password.len(),
        kind: "password",
    })
}

/// Returns the secret one of the user and password that stand before the `@` at `sign`.
fn credentials(text: &[u8], start: usize, sign: usize, host: &[u8]) -> Option<Hit> {
    let both = text.get(start..sign)?;
    if find(both, TOKEN_OPENING.as_bytes(), 0).is_some() {
        return None;
    }
    let colon = both
        .iter()
        .position(|byte| *byte == b':')
        .map(|at| start + at);
    let user = start..colon.unwrap_or(sign);
    let password = colon.map_or(sign..sign, |at| at + 1..sign);
    for range in [password.clone(), user.clone()] {
        if let Some(token) = token_at(text, range.start).filter(|token| token.range.end <= sign) {
            return Some(token);
        }
    }
    if password.is_empty() || text[password.clone()].eq_ignore_ascii_case(b"x-oauth-basic") {
        let name = &text[user.clone()];
        let token = name.len() >= 16
            && is_random(name)
            && !is_fake_token(name)
            && find(host, b"sentry", 0).is_none();
        return token.then_some(Hit {
            range: user,
            kind: "url-password",
        });
    }
    is_password(&text[user], &text[password.clone()], host).then_some(Hit {
        range: password,
        kind: "url-password",
    })
}

/// Whether a password is one that opens something: not a stand-in, not what every manual writes,
/// and on the local host not a mere word.
pub(crate) fn is_password(user: &[u8], password: &[u8], host: &[u8]) -> bool {
    if password == user
        || is_placeholder(password)
        || is_reference(password, true)
        || is_common(password)
    {
        return false;
    }
    let host = &host[..host
        .iter()
        .position(|byte| *byte == b':')
        .unwrap_or(host.len())];
    let strong = is_random(password) || is_chosen(password);
    strong
        || password.len() >= 6
            && !is_local(host)
            && (!is_wordy(password) || password.len() >= 8 && host.contains(&b'.'))
}

fn is_local(host: &[u8]) -> bool {
    const NAMES: [&str; 8] = [
        "localhost",
        "127.0.0.1",
        "0.0.0.0",
        "[",
        "host",
        "hostname",
        "",
        "example",
    ];
    NAMES
        .iter()
        .any(|name| host.eq_ignore_ascii_case(name.as_bytes()))
        || find(host, b"example.", 0).is_some()
        || host.ends_with(b".example")
}

/// Whether the `:` at `at` is that of `://` after a scheme.
pub(crate) fn is_scheme_sign(text: &[u8], at: usize) -> bool {
    text[at..].starts_with(b"://") && Alphabet::ALNUM.holds(before(text, at))
}
