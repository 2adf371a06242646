//! Tests of what counts as invisible.

use super::{RANGES, invisible, shown};

#[test]
fn ranges_are_in_order() {
    for pair in RANGES.windows(2) {
        assert!(pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0, "{pair:?}");
    }
}

#[test]
fn what_hides_or_turns_text_is_found() {
    let hidden = [
        '\0',
        '\u{1}',
        '\u{8}',
        '\u{b}',
        '\r',
        '\u{1b}',
        '\u{1f}',
        '\u{7f}',
        '\u{80}',
        '\u{85}',
        '\u{9f}',
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{1680}',
        '\u{180e}',
        '\u{2000}',
        '\u{2003}',
        '\u{200a}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{202f}',
        '\u{205f}',
        '\u{2060}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{fe00}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{ffff}',
        '\u{1d173}',
        '\u{e0001}',
        '\u{e0020}',
        '\u{e007f}',
        '\u{e0100}',
        '\u{e01ef}',
        '\u{10ffff}',
    ];
    for letter in hidden {
        let text = format!("é {letter}x");
        assert_eq!(invisible(&text), Some((3, letter)), "{letter:?}");
        let escaped: String = letter.escape_unicode().collect();
        assert_eq!(shown(&text), format!("é {escaped}x"));
    }
}

#[test]
fn ordinary_text_is_left_as_it_is() {
    let mut plain: Vec<String> = [
        "",
        "ls -la\n\tcat",
        " ~!@",
        "Grüße, où, niño",
        "日本語 한국어 עברית العربية हिन्दी ไทย",
        "→ ✓ … “x” – €",
        "🚀 ⚠\u{fe0f} ✔\u{fe0f} ok",
        "e\u{301}",
    ]
    .map(str::to_owned)
    .to_vec();
    plain.push((' '..='~').collect());
    plain.push(('\u{a1}'..='\u{ac}').collect());
    plain.push(('\u{ae}'..='\u{17f}').collect());
    plain.push(('\u{4e00}'..='\u{4eff}').collect());
    for text in plain {
        assert_eq!(invisible(&text), None, "{text:?}");
        assert_eq!(shown(&text), text);
    }
}

#[test]
fn a_selector_hides_unless_it_follows_one_symbol() {
    for (text, at) in [
        ("⚠\u{fe0f}\u{fe0f}", 6),
        ("a\u{fe0f}", 1),
        ("\u{2800}\u{fe0f}", 0),
        ("⚠\u{fe0e}", 3),
    ] {
        assert_eq!(invisible(text).map(|found| found.0), Some(at), "{text:?}");
    }
}
