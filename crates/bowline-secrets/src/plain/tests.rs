use super::Plain;

#[test]
fn colours_are_left_out_and_places_kept() {
    let line = b"\x1b[01;31m\x1b[Kghp_\x1b[mrest\x1b[";
    let plain = Plain::of(line);
    assert_eq!(&*plain.text, b"ghp_rest\x1b[");
    assert_eq!(&line[plain.range(0..8)], b"ghp_\x1b[mrest".as_slice());
    assert_eq!(plain.place(plain.text.len()), line.len());
}

#[test]
fn lines_without_colours_are_borrowed() {
    let plain = Plain::of(b"ghp_rest");
    assert!(matches!(plain.text, std::borrow::Cow::Borrowed(_)));
    assert_eq!(plain.range(2..4), 2..4);
}
