//! What holds for every text, however it is made and however a stream of it is cut.

use bowline_secrets::{Key, Masker, StreamMasker, find, holds_mask_token, mask};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of which texts are made that reach the corners of the scanner.
const PIECES: [&str; 65] = [
    "password",
    "DB_PASSWORD",
    "token",
    "apiKey",
    "aws_secret_access_key",
    "name",
    "value",
    "secret",
    "authorization",
    "=",
    ":",
    ": ",
    " = ",
    "\"",
    "'",
    "\\\"",
    " ",
    ", ",
    ";",
    "&",
    "|",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "</",
    "\n",
    "\r\n",
    "\\n",
    "\\",
    "ghp_htVZAlQVkn0NPos7tA9UDcY6YNc9duTsoxRP",
    "AKIAZGGI43JNUGZ4YJIS",
    "sk-ant-api03-",
    "8e4UQmecjEublw5So4EtV71d2MQRWXWmmOH/O3Qc",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ",
    ".eyJzdWIiOiAiNkh3UzV1cjhyIiwgImV4cCI6IDE5MDAwMDAwMDB9",
    ".BtozISq-QB5Hj-4mPLRG92L5C9",
    "C3A8KtfzWgeATybklkjRUl",
    "Winter2024!",
    "postgres://app:",
    "@db.internal/app",
    "https://",
    "@tcp(",
    "Basic ",
    "Bearer ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----BEGIN",
    "Private-Lines: 1",
    "\u{1b}[31m",
    "\u{1b}[0m",
    "\u{1b}[",
    "8Cg+sq+oRaDgD68ZrNHKKCsw1RIc+/16lYAWlfpjlKkQUDJXCKJkMUP",
    "Z2hwX2h0VlpBbFFWa24wTlBvczd0QTlVRGNZNllOYzlkdVRzb3hSUA==",
    "[secret:known]",
    "[secret:known:k7f2m2q4]",
    "[secret:",
    "curl -u ",
    "mysql -p",
    "echo ",
    "| sudo -S",
    "é",
    "日本",
];

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => select(&PIECES[..]).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9+/_=.~-]{1,40}",
        1 => any::<String>(),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn masker() -> Masker {
    Masker::new(vec![
        "known value".into(),
        "C3A8KtfzWge".into(),
        "PRIVATE KEY".into(),
    ])
    .keyed(Key::new([7; 32]))
}

fn streamed(pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = StreamMasker::new(masker());
    let mut out = Vec::new();
    pieces.iter().for_each(|piece| stream.push(piece, &mut out));
    stream.finish(&mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn findings_are_sorted_disjoint_and_between_characters(text in texts()) {
        let mut at = 0;
        for found in find(&text) {
            prop_assert!(found.range.start >= at && found.range.end > found.range.start);
            prop_assert!(text.is_char_boundary(found.range.start) && text.is_char_boundary(found.range.end));
            at = found.range.end;
        }
        prop_assert!(at <= text.len());
    }

    #[test]
    fn masking_twice_is_masking_once(text in texts()) {
        let once = mask(&text).text.into_owned();
        prop_assert_eq!(&*mask(&once).text, &once);
        let once = masker().mask(&text).text.into_owned();
        prop_assert_eq!(&*masker().mask(&once).text, &once);
    }

    #[test]
    fn what_was_found_shows_as_a_token(text in texts()) {
        let masked = mask(&text);
        prop_assert!(masked.findings.is_empty() || holds_mask_token(&masked.text));
        prop_assert_eq!(masked.findings.is_empty(), *masked.text == *text);
    }

    #[test]
    fn every_token_stands_for_what_was_found(text in texts()) {
        let masker = masker();
        let findings = masker.find(&text);
        let mut back = masker.mask(&text).text.into_owned();
        for finding in findings.iter().rev() {
            let token = masker.token(&text, finding);
            let at = back.rfind(&token).unwrap();
            back.replace_range(at..at + token.len(), &text[finding.range.clone()]);
        }
        prop_assert_eq!(back, text);
    }

    #[test]
    fn a_stream_is_masked_as_the_whole_text(text in texts()) {
        let whole = masker().mask(&text).text.into_owned();
        let piecewise = streamed(&[text.as_bytes()]);
        prop_assert_eq!(String::from_utf8_lossy(&piecewise), whole);
    }

    #[test]
    fn a_stream_is_masked_alike_however_it_is_cut(text in texts(), noise in vec(any::<u8>(), 0..8), cuts in vec(any::<prop::sample::Index>(), 0..6)) {
        let mut bytes = text.into_bytes();
        if let Some(at) = cuts.first() {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, noise);
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(streamed(&pieces), streamed(&[&bytes]));
    }

    #[test]
    fn a_secret_never_comes_through(value in "[a-z][A-Z][0-9][a-z][A-Z][0-9][a-zA-Z0-9]{12,20}", name in select(&["password", "API_KEY", "clientSecret"][..]), sign in select(&["=", ": ", "=\"", "': '"][..])) {
        let text = format!("a = 1\n{name}{sign}{value}\nb = 2");
        prop_assert!(!mask(&text).text.contains(&value));
        prop_assert!(!String::from_utf8_lossy(&streamed(&[text.as_bytes()])).contains(&value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Overlong lines are cut by their place in the stream, not by the pieces it came in.
    #[test]
    fn overlong_lines_are_masked_alike_however_they_are_cut(parts in vec((texts(), 0..3000usize), 4..12), step in 1..9000usize) {
        let line: String = parts.iter().map(|(text, fill)| text.replace('\n', " ") + &"z".repeat(*fill)).collect();
        let pieces: Vec<&[u8]> = line.as_bytes().chunks(step).collect();
        prop_assert_eq!(streamed(&pieces), streamed(&[line.as_bytes()]));
    }

    #[test]
    fn bytes_that_are_no_text_pass_unchanged(bytes in vec(128..=255u8, 0..40_000)) {
        prop_assert_eq!(streamed(&[&bytes]), bytes);
    }
}
