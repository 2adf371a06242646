//! Tests of `plain`.

use super::Plain;
use crate::formats::Hit;

#[test]
fn colours_are_left_out_and_places_kept() {
    let line = b"\x1b[01;31m\x1b[Kghp_\x1b[mrest\x1b[";
    let plain = Plain::of(line);
    assert_eq!(&*plain.text, b"ghp_rest\x1b[");
    assert_eq!(plain.place(4), 15);
    assert_eq!(plain.place(plain.text.len()), line.len());
}

#[test]
fn hits_are_replaced_under_colours_too() {
    let line = b"a my \x1b[1mown\x1b[m value b";
    let mut plain = Plain::of(line);
    plain.replace(&[Hit {
        range: 2..14,
        kind: "known",
    }]);
    assert_eq!(&*plain.text, b"a [secret:known] b");
    assert_eq!(
        &line[plain.hits()[0].range.clone()],
        b"my \x1b[1mown\x1b[m value".as_slice()
    );
    assert_eq!(plain.place(17), 22);
    plain.replace(&[Hit {
        range: 17..18,
        kind: "jwt",
    }]);
    assert_eq!(&*plain.text, b"a [secret:known] [secret:jwt]");
    assert_eq!(
        plain.hits()[1],
        Hit {
            range: 22..23,
            kind: "jwt"
        }
    );
}

#[test]
fn plain_lines_are_borrowed() {
    let plain = Plain::of(b"ghp_rest");
    assert!(matches!(plain.text, std::borrow::Cow::Borrowed(_)));
    assert_eq!(plain.place(3), 3);
}

#[test]
fn a_token_behind_an_escape_character_stays_one() {
    let line = b"\x1b[secret:known] \x1b[s";
    assert_eq!(&*Plain::of(line).text, b"\x1b[secret:known] ");
}
