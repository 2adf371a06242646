//! Tests of `known`.

use super::Known;

fn places(known: &[&str], text: &str) -> Vec<String> {
    let known: Vec<String> = known.iter().map(|value| (*value).to_owned()).collect();
    let places = Known::new(&known).places(text.as_bytes());
    let shown = |place: std::ops::Range<usize>| text[place].to_owned();
    places.into_iter().map(shown).collect()
}

#[test]
fn a_value_is_told_however_it_is_written() {
    let value = "pa\"ss/w\\rd&\u{e9}!";
    let check = |text: &str| {
        let found = places(&[value], &format!("x {text} y"));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    };
    check(value);
    check("pa\\\"ss/w\\\\rd&\u{e9}!");
    check("pa\\\"ss/w\\\\rd\\u0026\\u00e9!");
    check("pa%22ss%2Fw%5Crd%26%C3%A9%21");
    check("pa%22ss%2fw%5crd%26%c3%a9%21");
    check("70612273732f775c726426c3a921");
    check("70612273732F775C726426C3A921");
    assert_eq!(
        places(&[value], "cGEic3Mvd1xyZCbDqSE="),
        ["cGEic3Mvd1xyZCbDqSE="]
    );
    assert_eq!(
        places(&[value], "cGEic3Mvd1xyZCbDqSE"),
        ["cGEic3Mvd1xyZCbDqSE"]
    );
    // user:VALUE and us:VALUE: where the value does not begin at a whole digit.
    check("dXNlcjpwYSJzcy93XHJkJsOpIQ==");
    check("dXM6cGEic3Mvd1xyZCbDqSE=");
    check("YTpwYSJzcy93XHJkJsOpIQ==");
}

#[test]
fn the_longest_value_that_begins_at_a_place_is_told() {
    assert_eq!(
        places(&["abcdefgh", "abcdefgh-longer"], "abcdefgh-longer abcdefgh"),
        ["abcdefgh-longer", "abcdefgh"]
    );
    assert_eq!(
        places(&["abcdefgh", "efghijkl"], "abcdefghijkl"),
        ["abcdefghijkl"]
    );
    assert_eq!(places(&["short"], "short"), Vec::<String>::new());
}
