//! Tests of `base64`.

use super::{decode, decode_text};

#[test]
fn both_alphabets_decode_padded_or_not() {
    let check = |text: &str, expect: Option<&[u8]>| {
        assert_eq!(decode(text.as_bytes()).as_deref(), expect, "{text}");
    };
    check("", Some(b""));
    check("Zg==", Some(b"f"));
    check("Zg", Some(b"f"));
    check("Zm9vYg==", Some(b"foob"));
    check("-_8", Some(b"\xfb\xff"));
    check("+/8=", Some(b"\xfb\xff"));
    check("Z", None);
    check("Zg===", None);
    check("Zm!v", None);
}

#[test]
fn text_is_printable_throughout() {
    assert_eq!(
        decode_text(b"dXNlcjpwYXNz").as_deref(),
        Some(b"user:pass".as_slice())
    );
    assert_eq!(decode_text(b"iVBORw0KGgoAAAANSUhEUg"), None);
}
