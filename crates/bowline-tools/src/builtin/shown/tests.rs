//! Tests of `shown`.

use super::{Lost, Shown};
use crate::masks::{Mark, Masks, TokenPlace};

/// Takes `<..>` for secrets and `{..}` for tokens: `<b:two>` is shown as `{b:3}` (its length).
struct Brackets;

impl Masks for Brackets {
    fn marks(&self, text: &str) -> Vec<Mark> {
        let mut marks = Vec::new();
        let mut at = 0;
        while let Some(start) = text[at..].find('<').map(|found| at + found) {
            let end = start + text[start..].find('>').unwrap() + 1;
            let (kind, value) = text[start + 1..end - 1].split_once(':').unwrap();
            marks.push(Mark {
                range: start..end,
                token: format!("{{{kind}:{}}}", value.len()),
            });
            at = end;
        }
        marks
    }

    fn tokens(&self, text: &str) -> Vec<TokenPlace> {
        let starts = text.match_indices('{').map(|(start, _)| start);
        let place = |start: usize| {
            let range = start..start + text[start..].find('}').unwrap() + 1;
            let id = text[range.start + 1..range.end - 1].split_once(':');
            let id = id.map(|(_, id)| id.to_owned());
            TokenPlace { range, id }
        };
        starts.map(place).collect()
    }

    fn for_keeper(&self) -> Option<String> {
        None
    }
}

fn restored(source: &str, text: &str) -> Result<String, Lost> {
    let shown = Shown::of(source, &Brackets);
    let text = shown.respelled(text, &Brackets);
    let restored = shown.restored(&text, 0..0, &Brackets);
    restored.map(|text| text.into_owned())
}

#[test]
fn tokens_become_what_the_file_holds() {
    let check = |source: &str, text: &str, expect: &str| {
        assert_eq!(restored(source, text).as_deref(), Ok(expect), "{text}");
    };
    check("a = <k:one>", "b = {k:3}", "b = <k:one>");
    check(
        "<k:one><k:four>",
        "{k:4}{k:3}{k:4}",
        "<k:four><k:one><k:four>",
    );
    check("<k:one> <k:one>", "{k:3}", "<k:one>");
    check("<k:one>", "{other:3}", "<k:one>");
    check("see {k:3}", "see {k:3} and {k:3}", "see {k:3} and {k:3}");
    check("{k:3} <k:one>", "{k:3} <- {k:3}", "{k:3} <- <k:one>");
    check("{old}", "{old}", "{old}");
}

#[test]
fn tokens_that_stand_for_nothing_or_too_much_are_told() {
    let check = |source: &str, text: &str, token: &str| {
        let lost = restored(source, text).unwrap_err();
        assert_eq!(lost.token, token, "{text}");
        assert!(lost.told("f").contains("Read `f` again"));
    };
    check("a = <k:one>", "{k:3} {k:4}", "{k:4}");
    check("<k:one> <k:two>", "{k:3}", "{k:3}");
    check("<k:one> {k:3}", "{k:3}{k:3}{k:3}", "{k:3}");
    check("", "{k:3}", "{k:3}");
}

#[test]
fn places_are_found_again() {
    let shown = Shown::of("ab<k:one>cd<k:f\n\nour>e", &Brackets);
    assert_eq!(shown.text(), "ab{k:3}cd{k:6}e");
    let check = |at: usize, expect: Option<usize>| assert_eq!(shown.origin(at), expect, "{at}");
    check(0, Some(0));
    check(2, Some(2));
    check(3, None);
    check(7, Some(9));
    check(9, Some(11));
    check(13, None);
    check(14, Some(21));
    check(15, Some(22));
    assert_eq!(shown.folded(), [(9, 2)]);
    assert!(shown.cuts(&(3..12)) && shown.cuts(&(0..12)) && !shown.cuts(&(2..9)));
}
