//! A cheap test of every word of a text: whether any recogniser could have a say about it. Nearly
//! all words fail it, and cost no more than a few look-ups.
//!
//! It may let words through in vain, never hold one back: `words_held_back_tell_nothing` tries it.

use crate::bytes::{before, byte_at, is_blank};
use crate::calls::CALLS;
use crate::formats::may_begin;
use crate::names::{is_qualifier, may_end_name};

/// Words that tell something as they stand, in any case: of marks, commands, schemes.
const EXACT: [&str; 16] = [
    "secret", "begin", "lines", "echo", "printf", "user", "thin", "token", "atlasv1", "basic",
    "bearer", "apikey", "key", "sqlplus", "impdp", "expdp",
];

/// One bit for the hash of each such word, and of the name of each call.
static WORDS: [u64; HASHES / 64] = {
    let mut table = [0; HASHES / 64];
    let mut at = 0;
    while at < EXACT.len() + CALLS.len() {
        let word = if at < EXACT.len() {
            EXACT[at].as_bytes()
        } else {
            CALLS[at - EXACT.len()].0.as_bytes()
        };
        let hash = hash_of(word);
        table[hash / 64] |= 1 << (hash % 64);
        at += 1;
    }
    table
};

const HASHES: usize = 1 << 13;

/// A hash of the length of a word, its first, third and last letter, whatever their case.
const fn hash_of(word: &[u8]) -> usize {
    let letters = match word {
        [first, _, third, .., last] => [*first, *third, *last],
        [first, .., last] => [*first, 0, *last],
        _ => return 0,
    };
    let mut hash = word.len() as u32;
    let mut at = 0;
    while at < 3 {
        hash = hash << 5 | (letters[at] & 31) as u32;
        at += 1;
    }
    (hash.wrapping_mul(0x9e37_79b1) >> 19) as usize
}

/// From here on a word is looked at as a whole, in bytes: it may be encoded, or hold a token.
const LONG: usize = 24;

/// Signs in front of a word that make it worth a look: a host, an option, an escape.
const BEFORE: u8 = 1;
/// Signs behind a word that may: an address, a shape with a sign inside.
const BEHIND: u8 = 2;
/// Signs that join the word to one in front of it.
const JOINING: u8 = 4;

const SIGNS: [u8; 256] = {
    let mut table = [0; 256];
    let lists: [(&[u8], u8); 3] = [(b"@%\\-", BEFORE), (b":+/=~.", BEHIND), (b"-._", JOINING)];
    let mut list = 0;
    while list < lists.len() {
        let (signs, class) = lists[list];
        let mut at = 0;
        while at < signs.len() {
            table[signs[at] as usize] |= class;
            at += 1;
        }
        list += 1;
    }
    table
};

/// Whether the word `text[start..end]` could begin, announce or mark a secret.
#[inline]
pub(crate) fn may_tell(text: &[u8], start: usize, end: usize) -> bool {
    let length = end - start;
    let (last, next) = (before(text, start), byte_at(text, end));
    let (ahead, behind) = (SIGNS[usize::from(last)], SIGNS[usize::from(next)]);
    length >= LONG
        || may_begin(&text[start..])
        || is_listed(&text[start..end])
        || ahead & BEFORE != 0 && after_sign(text, start, end)
        || behind & BEHIND != 0 && before_sign(text, start, end, next)
        || may_end_name(&text[start..end], next)
            && (ahead & JOINING != 0 || !needs_more(&text[start..end], last))
}

/// Whether the word is one of the list, or has the hash of one.
#[inline]
fn is_listed(word: &[u8]) -> bool {
    let hash = hash_of(word);
    WORDS[hash / 64] >> (hash % 64) & 1 == 1
}

/// Whether a whole word that nothing is joined to says nothing by itself.
fn needs_more(word: &[u8], last: u8) -> bool {
    is_qualifier(word) || word.eq_ignore_ascii_case(b"key") && !is_blank(last)
}

/// Whether what stands in front of the word makes it worth a look.
fn after_sign(text: &[u8], start: usize, end: usize) -> bool {
    if before(text, start) != b'-' {
        return true;
    }
    let option =
        matches!(text[start], b'a' | b'p' | b'P' | b'u' | b'U' | b'w') || text[end - 1] == b'u';
    option && start > 1 && is_blank(text[start - 2])
}

/// Whether what follows the word makes it worth a look.
fn before_sign(text: &[u8], start: usize, end: usize, next: u8) -> bool {
    let length = end - start;
    match next {
        b':' => {
            let digits = text[start].is_ascii_digit() || text[start..end].starts_with(b"bot");
            byte_at(text, end + 1) == b'/' || digits
        }
        b'.' => match text[start] {
            b's' | b'b' => length == 1,
            b'M' | b'N' | b'O' => length >= 6,
            _ => length == 17,
        },
        b'~' => true,
        _ => length >= 8,
    }
}

#[cfg(test)]
mod tests;
