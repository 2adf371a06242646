//! Tests of `lanes`.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Words, line_end};
use crate::bytes::{Alphabet, is_word};

const LONGEST: usize = 100;

/// The same, byte by byte.
fn word_after(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = from + text.get(from..)?.iter().position(|byte| is_word(*byte))?;
    let end = Alphabet::WORD.run(text, start);
    Some((start, end.min(start + LONGEST)))
}

proptest! {
    #[test]
    fn words_are_those_that_are_there(text in "[a-zA-Z0-9_]{0,150}|[ -~\\n]{0,300}|[a-z]{60,70} [a-z]{50,200}", steps in vec(0..70usize, 1..20)) {
        let text = text.as_bytes();
        let mut words = Words::new(text);
        let mut from = 0;
        for step in steps {
            let found = words.next(from, LONGEST);
            prop_assert_eq!(found, word_after(text, from), "from {}", from);
            from = found.map_or(from, |(start, _)| start) + step;
        }
    }

    #[test]
    fn any_byte_is_what_the_table_says(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Words::new(&bytes).next(0, LONGEST), word_after(&bytes, 0));
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        prop_assert_eq!(line_end(&bytes, 0), end);
    }
}
