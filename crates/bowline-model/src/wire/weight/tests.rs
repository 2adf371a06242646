//! Images count by number, text by its bytes.

use super::*;

#[test]
fn images_are_no_text() {
    let check = |body: &str, start: usize, pictures: &[(usize, usize)], tokens: u64| {
        let pictures: Vec<_> = pictures.iter().map(|(start, end)| *start..*end).collect();
        let weight = Weight::with_pictures(body.as_bytes(), start, &pictures);
        assert_eq!(weight.tokens(1_000), tokens, "{body} {pictures:?}");
    };
    check("", 0, &[], SEAM_TOKENS);
    check("to be", 0, &[], 2 + SEAM_TOKENS);
    check("to be", 2, &[], 1 + SEAM_TOKENS);
    check("(AAAA)", 0, &[(1, 5)], 1_002 + 2 * SEAM_TOKENS);
    check(
        "((AAAA))(BB)",
        0,
        &[(2, 6), (9, 11)],
        2_004 + 3 * SEAM_TOKENS,
    );
    check("((AAAA))(BB)", 8, &[(9, 11)], 1_002 + 2 * SEAM_TOKENS);
}

#[test]
fn weights_add_up_and_a_third_of_the_bytes_is_the_least() {
    let text = Weight::of(b"a");
    let image = Weight {
        images: 1,
        ..Weight::default()
    };
    assert_eq!(
        text.plus(image).plus(text).tokens(7),
        2 * (1 + SEAM_TOKENS) + 7
    );
    assert_eq!(
        text.plus(image).times(3).tokens(7),
        3 * (1 + SEAM_TOKENS) + 21
    );
    assert_eq!(image.times(2).plus(text).tokens(u64::MAX), u64::MAX);
    // Also where another part has more tokens than that.
    let spaces = [b' '; 79];
    let digest = Weight::of(b"9f86d081884c7d659a2feaa0c55ad015");
    assert_eq!(digest.tokens(0), 19 + SEAM_TOKENS);
    assert_eq!(
        Weight::of(&spaces).plus(digest).tokens(0),
        27 + 19 + SEAM_TOKENS
    );
    assert_eq!(Weight::of(&spaces).tokens(0), 27);
}
