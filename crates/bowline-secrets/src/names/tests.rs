//! Tests of `names`.

use super::{Promise, may_end_name, name_at};
use crate::bytes::Alphabet;

fn promise(text: &str) -> Option<Promise> {
    let bytes = text.as_bytes();
    let start = bytes
        .iter()
        .rposition(|byte| !Alphabet::WORD.holds(*byte))
        .map_or(0, |at| at + 1);
    let found = name_at(bytes, start, bytes.len()).map(|name| name.promise);
    assert!(
        found.is_none() || may_end_name(&bytes[start..], b'='),
        "{text} is not even looked at"
    );
    found
}

#[test]
fn names_tell_by_their_last_word() {
    let check = |name: &str, expect: Option<Promise>| assert_eq!(promise(name), expect, "{name}");
    for name in [
        "password",
        "DB_PASSWORD",
        "dbPasswd",
        "rootpw",
        "SMTP_PASS",
        "PASSWORD_2",
        "storepass",
    ] {
        check(name, Some(Promise::Password));
    }
    for name in [
        "clientSecret",
        "x-api-key",
        "API_KEY",
        "SECRET_KEY_BASE",
        "apikey",
        "aws.secretAccessKey",
        "AUTHTOKEN",
        "STRIPE_KEY",
        "-Dapi.key",
        "Private key",
    ] {
        check(name, Some(Promise::Random));
    }
    for name in [
        "SECRET_NAME",
        "tokenizer",
        "max_tokens",
        "nextPageToken",
        "passwordPolicy",
        "bypass",
        "compass",
        "public_key",
        "cacheKey",
        "primary_key",
        "token_count",
        "key",
        "PublicKeyToken",
        "author",
    ] {
        check(name, None);
    }
}
