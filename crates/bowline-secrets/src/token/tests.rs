//! Tests of `token`.

use super::{Key, holds_mask_token, token, tokens};

#[test]
fn tokens_are_told_from_text_about_them() {
    let check = |text: &str, expect: &[Option<&str>]| {
        let found = tokens(text);
        let ids: Vec<Option<&str>> = found.iter().map(|token| token.id.as_deref()).collect();
        assert_eq!(ids, expect, "{text}");
        assert_eq!(holds_mask_token(text), !expect.is_empty(), "{text}");
    };
    check("TOKEN=[secret:github-token]", &[None]);
    check(
        "[secret:github-token:k7f2m2q4] [secret:known:aaaaaaaa]",
        &[Some("k7f2m2q4"), Some("aaaaaaaa")],
    );
    check("[secret:[secret:known]", &[None]);
    check("[secret:]", &[]);
    check("[secret:KIND]", &[]);
    check("[secret:known:k7f2m2q]", &[]);
    check("[secret:known:k7f2m2q41]", &[]);
    check("[secret:known:k7f2m2q9]", &[]);
    check("[secret:known:k7f2m2q4", &[]);
    check("[secret::k7f2m2q4]", &[]);
    check("[secret:github-token", &[]);
    check("format!(\"[secret:{kind}]\")", &[]);
}

#[test]
fn an_id_follows_from_key_and_value_alone() {
    let (one, other) = (Key::new([1; 32]), Key::new([2; 32]));
    let id = |key: &Key, value: &str| {
        let token = token("known", Some(key), value.as_bytes());
        tokens(&token)[0].id.clone().unwrap()
    };
    assert_eq!(id(&one, "hunter2"), id(&one, "hunter2"));
    assert_eq!(id(&one, "hunter2"), id(&one, "hun\u{1b}[31mter2\u{1b}[0m"));
    assert_ne!(id(&one, "hunter2"), id(&one, "hunter3"));
    assert_ne!(id(&one, "hunter2"), id(&other, "hunter2"));
    let mut pieces = one.hash();
    pieces.add(b"hun");
    pieces.add(b"ter2");
    assert_eq!(pieces.id(), id(&one, "hunter2"));
    // HMAC-SHA-256, as another implementation computes it.
    assert_eq!(id(&one, "hunter2"), "6jvvib2z");
    assert_eq!(token("known", None, b"x"), "[secret:known]");
    assert_eq!(format!("{one:?}"), "Key");
}
