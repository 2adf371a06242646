//! Tests of `stream`.

use super::{CARRY, LIMIT, StreamMasker};
use crate::Masker;

const TOKEN: &str = "ghp_htVZAlQVkn0NPos7tA9UDcY6YNc9duTsoxRP";

fn pushed(masker: &mut StreamMasker, text: &str) -> String {
    let mut out = Vec::new();
    masker.push(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

fn idle(masker: &mut StreamMasker) -> String {
    let mut out = Vec::new();
    masker.idle(&mut out);
    String::from_utf8(out).unwrap()
}

fn finished(mut masker: StreamMasker) -> String {
    let mut out = Vec::new();
    masker.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn lines_go_when_they_are_complete() {
    let mut masker = StreamMasker::new(Masker::default());
    assert_eq!(pushed(&mut masker, "one\nt"), "one\n");
    assert_eq!(pushed(&mut masker, &TOKEN[..20]), "");
    assert_eq!(
        pushed(&mut masker, &format!("{}\n", &TOKEN[20..])),
        format!("t{TOKEN}\n")
    );
    assert_eq!(
        pushed(&mut masker, &format!("{TOKEN}\nlast")),
        "[secret:github-token]\n"
    );
    assert_eq!(finished(masker), "last");
}

#[test]
fn prompts_go_when_the_program_is_quiet() {
    let check = |held: &str, expect: &str| {
        let mut masker = StreamMasker::new(Masker::new(vec!["two words of mine".into()]));
        assert_eq!(pushed(&mut masker, held), "");
        assert_eq!(idle(&mut masker), expect, "{held}");
        assert_eq!(idle(&mut masker), "", "{held}: twice");
        let rest = finished(masker);
        assert_eq!(format!("{expect}{rest}"), held);
    };
    check("Password: ", "Password: ");
    check("Continue? [y/N] ", "Continue? [y/N] ");
    check(">>> ", ">>> ");
    check("key gh", "key ");
    check("12 of 45%", "12 of 45%");
    check("xoxd-a%", "");
    check("password = ab!", "password = ");
    check("see two words of", "see ");
    check("-----BEGIN PRIVATE ", "");
}

#[test]
fn what_went_early_still_tells_what_follows() {
    let mut masker = StreamMasker::new(Masker::default());
    assert_eq!(pushed(&mut masker, "DB_PASSWORD: "), "");
    assert_eq!(idle(&mut masker), "DB_PASSWORD: ");
    assert_eq!(
        pushed(&mut masker, "C3A8KtfzWgeATybk\n"),
        "[secret:password]\n"
    );
}

#[test]
fn keys_are_swallowed_without_being_kept() {
    let line = "8Cg+sq+oRaDgD68ZrNHKKCsw1RIc+/16lYAWlfpjlKkQUDJXCKJkMUP+dbxQ2sNM\n";
    let mut masker = StreamMasker::new(Masker::default());
    assert_eq!(
        pushed(&mut masker, "a\n-----BEGIN PRIVATE KEY-----\n"),
        "a\n"
    );
    for _ in 0..10_000 {
        assert_eq!(pushed(&mut masker, line), "");
    }
    let held = masker.block.as_ref().map_or(0, |held| held.text.len());
    assert!(held < 4096, "{held} bytes are held");
    assert_eq!(
        pushed(&mut masker, "-----END PRIVATE KEY-----\nb\n"),
        "[secret:private-key]\nb\n"
    );
}

#[test]
fn overlong_lines_go_in_parts_and_stay_masked() {
    for before in (LIMIT - CARRY - 60)..(LIMIT - CARRY + 60) {
        let text = format!(
            "{} password={}, {}",
            "x".repeat(before),
            "C3A8KtfzWgeATybk",
            "y".repeat(LIMIT)
        );
        let mut masker = StreamMasker::new(Masker::default());
        let mut out = pushed(&mut masker, &text);
        assert!(!out.is_empty() && masker.pending.len() < LIMIT);
        out += &finished(masker);
        assert_eq!(out, text.replace("C3A8KtfzWgeATybk", "[secret:password]"));
    }
}
