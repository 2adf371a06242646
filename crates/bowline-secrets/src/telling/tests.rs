//! Tests of `telling`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::may_tell;
use crate::bytes::{Alphabet, is_word};
use crate::scanner::tells;

const CORPUS: &str = include_str!("../../../../fixtures/corpora/secrets.jsonl");

/// Fails on a word that tells something and is held back; returns how many are held back.
fn held_back(text: &[u8]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while at < text.len() {
        if !is_word(text[at]) {
            at += 1;
            continue;
        }
        let end = Alphabet::WORD.run(text, at);
        if !may_tell(text, at, end) {
            let word = String::from_utf8_lossy(&text[at..end]);
            let line = String::from_utf8_lossy(text);
            assert!(!tells(text, at, end), "`{word}` of {line}");
            count += 1;
        }
        at = end;
    }
    count
}

#[test]
fn words_held_back_tell_nothing() {
    let held: usize = CORPUS.lines().map(|line| held_back(line.as_bytes())).sum();
    let words = CORPUS.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words = words.filter(|word| !word.is_empty()).count();
    assert!(held * 2 > words, "{held} of {words}: the test is of no use");
}

const WORDS: [&str; 40] = [
    "password",
    "passwd",
    "pw",
    "DB_PW2",
    "apiKey",
    "key",
    "api",
    "token",
    "secret",
    "erlang_cookie",
    "auth_salt",
    "psk",
    "sid",
    "Cookie",
    "sig",
    "sv",
    "Basic",
    "bearer",
    "BEGIN",
    "Lines",
    "Private",
    "echo",
    "printf",
    "sudo",
    "S",
    "user",
    "curl",
    "u",
    "su",
    "mysql",
    "p",
    "pWZpk0n2SiIIn",
    "a",
    "login",
    "sign",
    "basic_auth",
    "s",
    "b",
    "pat",
    "thin",
];

const VALUES: [&str; 15] = [
    "WZpk0n2SiIInPayzSsRR",
    "C3A8KtfzWgeATybklkjRUl",
    "1234567890",
    "5432",
    "host",
    "value",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ",
    "glpat",
    "SG",
    "hvs",
    "x-dd",
    "9e82dee19c8a4cd4fa4a0291abf75920",
    "M7fKq2LxP9zTfW4nRb8sYd3",
    "7bAhb1Q",
    "AKIAZGGI43JNUGZ4YJIS",
];

const SIGNS: [&str; 32] = [
    "=", ":", ": ", " ", "\"", "'", "\"), \"", "(", "(\"", "\", \"", ", ", "@", "://", "/", "-",
    " -", "--", " --", ".", "~", "\\n", "%3D", "%20", "|", " | ", "<", ">", "**", "-us21", " := ",
    "{", " }",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_words_held_back_tell_nothing(parts in vec((select(&SIGNS[..]), prop_oneof![select(&WORDS[..]), select(&VALUES[..])]), 1..10)) {
        let text: String = parts.iter().map(|(sign, word)| [*sign, *word].concat()).collect();
        held_back(text.as_bytes());
    }
}
