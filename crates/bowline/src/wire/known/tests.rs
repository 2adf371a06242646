//! Tests of `known`.

use super::of;

#[test]
fn credentials_are_known_and_words_are_not() {
    let check = |name: &str, value: &str, expect: &[&str]| {
        let known = of([(name.to_owned(), value.to_owned())].into_iter());
        assert_eq!(known, expect, "{name}={value}");
    };
    check(
        "MY_SECRET",
        "correct-horse-battery",
        &["correct-horse-battery"],
    );
    check("DB_PASSWORD", "postgres", &[]);
    check("DB_PASSWORD", "Sommer24", &["Sommer24"]);
    check("API_KEY", "short", &[]);
    check("SIGNING_KEY", "/etc/keys/signing.pem", &[]);
    check("MAX_TOKENS", "200000000", &[]);
    check("AUTH", "https://login.internal/start", &[]);
    check("HOME", "/home/ann", &[]);
    check(
        "DATABASE_URL",
        "postgres://app:s3kR9vQx2LmT@db.internal/app",
        &["s3kR9vQx2LmT"],
    );
}
