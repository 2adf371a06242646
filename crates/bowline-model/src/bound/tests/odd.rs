//! Texts as odd as can be have no more tokens than their bound says.

use proptest::prelude::*;

use super::*;

/// Pieces of text of one kind each, to be put together.
fn any_kind() -> impl Strategy<Value = String> {
    prop_oneof![
        // Words, code, numbers.
        "[a-z]{1,12}",
        "[A-Z]?[a-z]{1,8}([A-Z][a-z]{1,6}){0,3}",
        "[A-Z_]{1,12}",
        "[0-9a-f]{8,64}",
        "[A-Za-z0-9+/]{10,80}={0,2}",
        "[0-9., -]{1,20}",
        "[(){};=<>!&|.,:]{1,8}[a-z]{0,3}[(){};=<>!&|.,:]{1,4}",
        // Blanks and signs.
        "[ \t\n\r]{1,12}",
        " {1,300}",
        "[-=_*/#.~]{1,90}",
        "[!-/:-@\\[-`{-~]{1,12}",
        "[\\x00-\\x20\\x7f]{1,6}",
        "'(s|t|re|ve|m|ll|d|S|LL|ſ)?[a-zA-Z]{0,3}",
        // Other alphabets.
        "[а-яА-ЯёЁ]{1,10}",
        "[α-ωά-ώ]{1,10}",
        "[\u{4e00}-\u{9fff}]{1,8}",
        "[ぁ-んァ-ン一-龥]{1,8}",
        "[가-힣]{1,6}",
        "[\u{620}-\u{64a}\u{64b}-\u{652}]{1,8}",
        "[\u{900}-\u{97f}]{1,8}",
        "[\u{e00}-\u{e5b}]{1,8}",
        "[à-ÿÀ-ß]{1,8}",
        "[a-zéèüñø]{1,10}",
        "[🀀-🫿]{1,4}",
        "[\u{200d}\u{fe0f}\u{1f3fb}-\u{1f3ff}\u{300}-\u{36f}\u{20d0}-\u{20ff}]{1,4}",
        "[\u{a0}\u{2000}-\u{200b}\u{2028}\u{2029}\u{3000}\u{85}]{1,4}",
        "[“”‘’—–…«»、。！？]{1,3}",
        "[\u{1c5}\u{1c8}\u{1cb}\u{1f2}\u{2b0}-\u{2ff}\u{aa}\u{ba}\u{2160}-\u{217f}²³¹½]{1,4}",
        "[a-cé-ìб-дבםءبـ\u{64b}\u{300}'(\" ]{1,10}",
        "\\PC{1,8}",
        any::<String>().prop_map(|text| text.chars().take(12).collect()),
        proptest::collection::vec(any::<u8>(), 1..24)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    let plain = proptest::collection::vec(any_kind(), 1..12).prop_map(|kinds| kinds.concat());
    // As it stands in a request.
    let escaped = plain.prop_map(|text| (text.clone(), serde_json::to_string(&text).unwrap()));
    (escaped, any::<bool>()).prop_map(
        |((plain, escaped), is_escaped)| {
            if is_escaped { escaped } else { plain }
        },
    )
}

/// How many texts; more with `BOWLINE_BOUND_CASES`.
fn cases() -> ProptestConfig {
    let asked = std::env::var("BOWLINE_BOUND_CASES").ok();
    ProptestConfig::with_cases(asked.and_then(|cases| cases.parse().ok()).unwrap_or(400))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_text_has_more_tokens(text in any_text()) {
        prop_assert!(tokens_bound(&text) >= exact(&text), "{text:?}");
    }

    /// A request is bounded in parts, with some tokens for each place where two meet.
    #[test]
    fn parts_of_a_text_may_be_bounded_apart(one in any_text(), other in any_text()) {
        let apart = tokens_bound(&one) + tokens_bound(&other);
        let whole = exact(&format!("{one}{other}"));
        prop_assert!(apart + crate::wire::SEAM_TOKENS >= whole, "{one:?} {other:?}");
    }
}

/// Texts of a few signs, each of which the pattern treats in another way.
#[test]
fn no_text_of_tricky_signs_has_more_tokens() {
    let signs = [
        "a", "B", "1", " ", "\n", "(", "'", "s", "/", "é", "字", "\u{300}", "\u{3000}", "ſ", "“",
        "ǅ", "б", "ب", "\u{64b}",
    ];
    let longest = if std::env::var_os("BOWLINE_BOUND_CASES").is_some() {
        5
    } else {
        3
    };
    for number in 0..signs.len().pow(longest) {
        let digit = |place: u32| signs[number / signs.len().pow(place) % signs.len()];
        let text: String = (0..longest).map(digit).collect();
        assert!(tokens_bound(&text) >= exact(&text), "{text:?}");
    }
}

/// The check above is one that a mere average does not pass.
#[test]
fn a_third_of_the_bytes_is_no_bound() {
    let digest = "9f86d081884c7d659a2feaa0c55ad015";
    assert!((digest.len() as u64).div_ceil(3) < exact(digest));
    assert!(tokens_bound(digest) >= exact(digest));
}
