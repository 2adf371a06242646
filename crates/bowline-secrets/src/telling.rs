//! A cheap test of every word of a text: whether any recogniser could have a say about it. Nearly
//! all words fail it, and cost no more than a few look-ups.
//!
//! It may let words through in vain, never hold one back: `words_held_back_tell_nothing` tries it.

use crate::bytes::{before, byte_at, is_blank};
use crate::calls::CALLS;
use crate::formats::may_begin;
use crate::names::may_end_name;

/// Words that tell something as they stand, in any case: of marks, commands, schemes.
const EXACT: [&str; 14] = [
    "secret", "begin", "lines", "echo", "printf", "user", "thin", "token", "atlasv1", "basic",
    "bearer", "apikey", "key", "s",
];

/// For each first letter, which lengths such words have, as bits.
const LENGTHS: [u32; 32] = {
    let mut table = [0; 32];
    let mut at = 0;
    while at < EXACT.len() {
        let word = EXACT[at].as_bytes();
        table[(word[0] & 31) as usize] |= 1 << word.len();
        at += 1;
    }
    table[(b'b' & 31) as usize] |= 1 << 1;
    table
};

/// The same for the names of calls.
const CALL_LENGTHS: [u32; 32] = {
    let mut table = [0; 32];
    let mut at = 0;
    while at < CALLS.len() {
        let word = CALLS[at].0.as_bytes();
        table[(word[0] & 31) as usize] |= 1 << word.len();
        at += 1;
    }
    table
};

/// From here on a word is looked at as a whole, in bytes: it may be encoded, or hold a token.
const LONG: usize = 24;

/// Whether the word `text[start..end]` could begin, announce or mark a secret.
#[inline]
pub(crate) fn may_tell(text: &[u8], start: usize, end: usize) -> bool {
    let length = end - start;
    let (first, next) = (text[start], byte_at(text, end));
    let of = |table: &[u32; 32]| {
        first.is_ascii_alphabetic()
            && length < 32
            && table[usize::from(first & 31)] >> length & 1 == 1
    };
    length >= LONG
        || may_begin(&text[start..])
        || of(&LENGTHS)
        || after_sign(text, start, end)
        || before_sign(text, start, end, next)
        || next == b'(' && of(&CALL_LENGTHS)
        || may_end_name(&text[start..end], next)
}

/// Whether what stands in front of the word makes it worth a look: a host, an option, an escape.
#[inline]
fn after_sign(text: &[u8], start: usize, end: usize) -> bool {
    match before(text, start) {
        b'@' | b'%' | b'\\' => true,
        b'-' => {
            let option = matches!(text[start], b'a' | b'p' | b'P' | b'u' | b'U' | b'w')
                || text[end - 1] == b'u';
            option && start > 1 && is_blank(text[start - 2])
        }
        _ => false,
    }
}

/// Whether what follows the word makes it worth a look: an address, a shape with a sign inside.
#[inline]
fn before_sign(text: &[u8], start: usize, end: usize, next: u8) -> bool {
    let length = end - start;
    match next {
        b':' => byte_at(text, end + 1) == b'/' || text[start].is_ascii_digit(),
        b'+' | b'/' | b'=' => length >= 8,
        b'~' => true,
        b'.' => length >= 6 && matches!(text[start], b'M' | b'N' | b'O'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
