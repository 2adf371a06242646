//! Images count by number, text by its bytes.

use super::*;

#[test]
fn images_are_no_text() {
    let check = |body: &str, start: usize, pictures: &[Range<usize>], tokens: u64| {
        let weight = Weight::with_pictures(body.as_bytes(), start, pictures);
        assert_eq!(weight.tokens(1_000), tokens, "{body} {pictures:?}");
    };
    check("", 0, &[], 0);
    check("        ", 0, &[], 3);
    check("        ", 3, &[], 2);
    check("(AAAA)", 0, &[1..5], 1_001);
    check("((AAAA))(BB)", 0, &[2..6, 9..11], 2_002);
    check("((AAAA))(BB)", 8, &[9..11], 1_001);
}

#[test]
fn weights_add_up() {
    let text = Weight::of(b"abcd");
    let image = Weight::with_pictures(b"x", 0, std::slice::from_ref(&(0..1)));
    assert_eq!(text.plus(image).plus(text).tokens(7), 3 + 7);
    assert_eq!(text.plus(image).times(3).tokens(7), 4 + 21);
    assert_eq!(image.tokens(u64::MAX), u64::MAX);
    assert_eq!(image.times(2).plus(text).tokens(u64::MAX), u64::MAX);
}
