//! Tests of `formats`.

use super::{bucket, table::FORMATS, token_at};

#[test]
fn every_format_is_found_in_its_bucket() {
    for (index, format) in FORMATS.iter().enumerate() {
        let first = format.prefix.as_bytes()[0];
        assert!(bucket(first).contains(&(index as u16)), "{}", format.prefix);
    }
    assert!(bucket(0xff).is_empty());
}

#[test]
fn every_kind_can_be_a_token() {
    for format in FORMATS {
        let of_kind = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(format.kind.chars().all(of_kind), "{}", format.kind);
        assert!(format.length.0 <= format.length.1, "{}", format.prefix);
    }
}

/// Characters of the format's alphabet in an order no person would type.
fn scrambled(alphabet: crate::bytes::Alphabet, length: usize) -> String {
    let letters: Vec<u8> = (b'0'..=b'z')
        .filter(|byte| alphabet.holds(*byte) && byte.is_ascii_alphanumeric())
        .collect();
    (0..length)
        .map(|at| char::from(letters[(at * 7 + at / letters.len()) % letters.len()]))
        .collect()
}

#[test]
fn every_format_matches_its_shortest_and_longest_token_alone() {
    for format in FORMATS {
        let (least, most) = format.length;
        for length in [least, most] {
            let text = format!("{}{}", format.prefix, scrambled(format.tail, length));
            let hit = token_at(text.as_bytes(), 0);
            let hit = hit.unwrap_or_else(|| panic!("{text} is no {}", format.kind));
            assert_eq!(hit.range.end, text.len(), "{text}");
        }
        let short = format!("{}{}", format.prefix, scrambled(format.tail, least - 1));
        let hit = token_at(short.as_bytes(), 0);
        assert!(
            hit.is_none_or(|hit| hit.kind != format.kind),
            "{short} is too short"
        );
    }
}

#[test]
fn the_longest_prefix_names_the_token() {
    let check = |text: &str, kind: Option<&str>| {
        assert_eq!(
            token_at(text.as_bytes(), 0).map(|hit| hit.kind),
            kind,
            "{text}"
        );
    };
    check(
        "sk-ant-api03-G3BiIpJkgeZc8lQSOlgj5f-tDpQz4zH6Al",
        Some("anthropic-key"),
    );
    check("sk-G3BiIpJkgeZc8lQSOlgj5fxtDpQz4zH6Al", Some("openai-key"));
    check("sk_live_XXXXXXXXXXXXXXXXXXXXXXXX", None);
    check("npm_config_registry_and_other_names", None);
    check("ghp_0123456789abcdefghijklmnopqrstuvwxyz", None);
}
