//! Values that stand where a secret would stand but are none: placeholders, references to a
//! value kept elsewhere, digests, and the passwords of every documentation.

use crate::bytes::{self, Alphabet, find};
use crate::likeness::{has_words, is_wordy};

/// Opens every mask token.
pub(crate) const TOKEN_OPENING: &str = "[secret:";

/// Words that nobody's secret holds, in lower case. Long enough that random text never does.
const TELLTALES: [&str; 25] = [
    "example",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "change_this",
    "changethis",
    "replace",
    "redacted",
    "insert",
    "dummy",
    "sample",
    "your-",
    "your_",
    "yourt",
    "yourk",
    "yours",
    "yourp",
    "xxxx",
    "****",
    "todo:",
    "not-a-real",
    "not_a_real",
    "notareal",
];

/// The first characters of all telltales.
const TELLTALE_STARTS: [bool; 128] = {
    let mut table = [false; 128];
    let mut at = 0;
    while at < TELLTALES.len() {
        table[TELLTALES[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    table
};

fn holds_telltale(value: &[u8]) -> bool {
    let begins_at = |at: usize| {
        let starts = TELLTALE_STARTS.get(usize::from(value[at].to_ascii_lowercase()));
        let matches = |word: &&str| {
            value[at..]
                .get(..word.len())
                .is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        };
        starts == Some(&true) && TELLTALES.iter().any(matches)
    };
    (0..value.len()).any(begins_at)
}

/// Sequences that are typed, not drawn.
const SEQUENCES: [&str; 6] = [
    "12345678", "01234567", "abcdefgh", "deadbeef", "98765432", "qwertyui",
];

/// Whether the value says of itself that it is to be filled in or was blotted out.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    holds_telltale(value)
        || value
            .get(..3)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"xxx"))
        || find(value, b"...", 0).is_some()
        || find(value, "…".as_bytes(), 0).is_some()
        || find(value, "•".as_bytes(), 0).is_some()
        || find(value, TOKEN_OPENING.as_bytes(), 0).is_some()
        || value.first() == Some(&b'<')
        || value.iter().filter(|byte| **byte == b'*').count() * 2 > value.len()
}

/// Whether the variable part of a token is a stand-in of the right shape.
pub(crate) fn is_fake_token(tail: &[u8]) -> bool {
    let mut distinct = [false; 256];
    tail.iter()
        .for_each(|byte| distinct[usize::from(*byte)] = true);
    let distinct = distinct.iter().filter(|seen| **seen).count();
    let repeat = tail
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    distinct < 7
        || repeat >= 8
        || is_placeholder(tail)
        || SEQUENCES
            .iter()
            .any(|sequence| bytes::holds_any_case(tail, sequence))
}

/// Whether the value names a variable, file, address, call or digest instead of being one.
/// Only unquoted text can be code.
pub(crate) fn is_reference(value: &[u8], quoted: bool) -> bool {
    let Some((&first, rest)) = value.split_first() else {
        return true;
    };
    match first {
        b'$' => variable(rest) || is_crypt_hash(value),
        b'%' => rest.last() == Some(&b'%') || matches!(rest.first(), Some(b'(' | b's' | b'd')),
        b'{' | b'[' | b'(' => true,
        b'\\' => true,
        b'#' => rest.first() == Some(&b'{'),
        b'&' | b'@' | b'!' | b'*' => is_wordy(rest) || !quoted && is_call(rest),
        b'.' | b'~' => matches!(rest.first(), Some(b'/' | b'.')) || is_wordy(rest),
        b'/' => has_words(rest),
        _ => {
            find(value, b"://", 0).is_some()
                || find(value, b"${", 0).is_some()
                || find(value, b"{{", 0).is_some()
                || find(value, b"$(", 0).is_some()
                || find(value, b"::", 0).is_some()
                || !quoted && (is_call(value) || is_joined(value))
                || is_pattern(value)
                || is_publishable(value)
                || is_template(value)
                || is_digest(value)
        }
    }
}

/// What follows the dollar sign of a variable reference.
fn variable(rest: &[u8]) -> bool {
    matches!(rest.first(), Some(b'{' | b'('))
        || rest
            .iter()
            .all(|byte| bytes::is_word(*byte) || matches!(byte, b'.' | b':' | b'-'))
            && (is_wordy(rest)
                || rest
                    .iter()
                    .all(|byte| Alphabet::UPPER.holds(*byte) || *byte == b'_'))
}

/// Names that a compiler joined by dollar signs.
fn is_joined(value: &[u8]) -> bool {
    value.contains(&b'$')
        && value
            .iter()
            .all(|byte| bytes::is_word(*byte) || *byte == b'$')
        && value.split(|byte| *byte == b'$').all(is_wordy)
}

/// `name(`, `object.method(`, `list[`, `object?.field`, `object->field`: code that has a value.
fn is_call(value: &[u8]) -> bool {
    let head = Alphabet::DOTTED.run(value, 0);
    let Some(next) = value.get(head) else {
        return false;
    };
    let code = match next {
        b'(' | b'[' | b'?' => true,
        b'>' => value[..head].last() == Some(&b'-'),
        b'!' => matches!(value.get(head + 1), Some(b'(' | b'[')),
        _ => false,
    };
    let head = &value[..head];
    let method = head.contains(&b'.') && !head.iter().any(u8::is_ascii_digit);
    code && !head.is_empty() && (method || has_words(head) || value.ends_with(b"()"))
}

/// Text with a name in braces or with escapes: a template or bytes, no value.
fn is_template(value: &[u8]) -> bool {
    let position = |wanted: u8| value.iter().position(|byte| *byte == wanted);
    let braced = match (position(b'{'), position(b'}')) {
        (Some(open), Some(close)) if open < close => has_words(&value[open + 1..close]),
        _ => false,
    };
    braced || value.iter().filter(|byte| **byte == b'\\').count() >= 2
}

/// Whether the value is a regular expression or a rule for characters.
fn is_pattern(value: &[u8]) -> bool {
    const PARTS: [&str; 8] = ["[a-z", "[A-Z", "[0-9", "\\d", "\\w", "\\s", ".*", "(?"];
    PARTS
        .iter()
        .any(|part| find(value, part.as_bytes(), 0).is_some())
}

/// Whether the value is a password hash in one of the crypt formats.
fn is_crypt_hash(value: &[u8]) -> bool {
    const OPENINGS: [&str; 8] = [
        "$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$argon2", "$y$",
    ];
    OPENINGS
        .iter()
        .any(|opening| value.starts_with(opening.as_bytes()))
}

/// Ends the token that the pages about JSON Web Tokens show.
pub(crate) const SAMPLE_SIGNATURE: &[u8] = b"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

/// Keys that providers mean to be public, and the token that everybody has seen.
fn is_publishable(value: &[u8]) -> bool {
    const OPENINGS: [&str; 7] = [
        "pk_live_",
        "pk_test_",
        "pk.eyJ",
        "phc_",
        "pk-lf-",
        "AAAAB3NzaC1",
        "AAAAC3NzaC1",
    ];
    OPENINGS
        .iter()
        .any(|opening| value.starts_with(opening.as_bytes()))
        || value.ends_with(SAMPLE_SIGNATURE)
}

/// Whether the value is a digest, ciphertext or name that says so in front.
fn is_digest(value: &[u8]) -> bool {
    const OPENINGS: &[&str] = &[
        "sha1-",
        "sha1:",
        "sha256-",
        "sha256:",
        "sha384-",
        "sha512-",
        "sha512:",
        "md5:",
        "h1:",
        "blake3:",
        "pbkdf2",
        "scrypt:",
        "{sha",
        "{ssha",
        "scram-sha-",
        "enc[",
        "arn:",
        "urn:",
        "env:",
        "file:",
        "vault:",
        "ssm:",
        "env.",
        "process.",
        "import.",
        "os.",
        "self.",
        "this.",
        "config.",
        "settings.",
        "secrets.",
    ];
    let opens = |opening: &&str| {
        value
            .get(..opening.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(opening.as_bytes()))
    };
    OPENINGS.iter().any(opens) || find(value, b";base64,", 0).is_some()
}

/// Passwords that documentation, images and tests use for the local host.
const COMMON: [&str; 52] = [
    "password",
    "passwd",
    "pass",
    "passw",
    "passwort",
    "pwd",
    "pw",
    "secret",
    "secrets",
    "token",
    "key",
    "apikey",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongo",
    "redis",
    "rabbitmq",
    "minio",
    "minioadmin",
    "admin",
    "administrator",
    "root",
    "user",
    "username",
    "guest",
    "test",
    "tests",
    "testing",
    "tester",
    "testpass",
    "testpassword",
    "dev",
    "devel",
    "develop",
    "development",
    "local",
    "docker",
    "default",
    "demo",
    "foo",
    "bar",
    "foobar",
    "baz",
    "qwerty",
    "letmein",
    "welcome",
    "abc",
    "mypassword",
    "supersecret",
    "passphrase",
];

/// Whether the value is one of the passwords everybody knows, digits and signs at its end aside.
pub(crate) fn is_common(value: &[u8]) -> bool {
    let end = value
        .iter()
        .rposition(u8::is_ascii_alphabetic)
        .map_or(0, |at| at + 1);
    let word = &value[..end];
    COMMON
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        || SEQUENCES
            .iter()
            .any(|sequence| bytes::holds_any_case(value, sequence))
        || word.is_empty()
}
