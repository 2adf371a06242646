//! Names that say their value is a secret: `DB_PASSWORD`, `clientSecret`, `x-api-key`.

mod words;

use crate::bytes::{Alphabet, before, holds_any_case, is_blank};
use words::*;

/// What a name promises of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// A password: people make these up, so it need not look random.
    Password,
    /// A token, key or other secret that a machine drew.
    Random,
}

/// A sensitive name within a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// Where it begins.
    pub(crate) start: usize,
    /// What it promises.
    pub(crate) promise: Promise,
    /// Where it ends.
    pub(crate) end: usize,
}

impl Name {
    /// Whether it is the header that holds a scheme and a credential.
    pub(crate) fn is_header(&self, text: &[u8]) -> bool {
        text[self.start..self.end]
            .to_ascii_lowercase()
            .ends_with(b"authorization")
    }

    /// Returns what its value is called.
    pub(crate) fn kind(&self, text: &[u8]) -> &'static str {
        let name = &text[self.start..self.end];
        let told = KINDS.iter().find(|(part, _)| holds_any_case(name, part));
        told.map_or(self.promise.kind(), |(_, kind)| *kind)
    }
}

impl Promise {
    fn kind(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Random => "generic-secret",
        }
    }
}

const MOST_WORDS: usize = 4;

/// Characters that may stand between a name and its value.
const JOINS: [bool; 256] = {
    let signs = b" \t\r\n=:\"'`\\]>(,|%?<*";
    let mut table = [false; 256];
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether a sensitive name can end where this run of identifier characters ends, by its last
/// four letters and by what follows: a cheap test for every word of a text.
#[inline]
pub(crate) fn may_end_name(word: &[u8], next: u8) -> bool {
    if !JOINS[usize::from(next)] {
        return false;
    }
    let mut rest = word;
    while let [shorter @ .., last] = rest
        && !last.is_ascii_alphabetic()
    {
        rest = shorter;
    }
    match rest {
        [.., b'p' | b'P', b'w' | b'W'] => true,
        [.., a, b, c, d] => {
            ends(&ENDINGS, hash_of(*a, *b, *c, *d)) || ends(&SHORT, three(*b, *c, *d))
        }
        [b, c, d] => ends(&SHORT, three(*b, *c, *d)),
        _ => false,
    }
}

fn ends(table: &[u64; HASHES / 64], ending: usize) -> bool {
    table[ending / 64] >> (ending % 64) & 1 == 1
}

const HASHES: usize = 1 << 15;

/// The number of a letter, whatever its case; 0 for what is none.
const fn code(byte: u8) -> u32 {
    if byte.is_ascii_alphabetic() {
        (byte & 31) as u32
    } else {
        0
    }
}

const fn three(first: u8, second: u8, third: u8) -> usize {
    (code(first) << 10 | code(second) << 5 | code(third)) as usize
}

/// A hash of four letters.
const fn hash_of(first: u8, second: u8, third: u8, fourth: u8) -> usize {
    let four = code(first) << 15 | three(second, third, fourth) as u32;
    (four.wrapping_mul(0x9e37_79b1) >> 17) as usize
}

/// One bit for each word of three letters that matters at the end of a name.
static SHORT: [u64; HASHES / 64] = endings(3);

/// One bit for the hash of the last four letters of longer ones.
static ENDINGS: [u64; HASHES / 64] = endings(4);

/// Those of words of three letters, or of longer ones. "pw" is the only shorter one.
const fn endings(letters: usize) -> [u64; HASHES / 64] {
    let lists = [
        PASSWORD_ENDINGS,
        PASSWORD_WORDS,
        SECRET_ENDINGS,
        SECRET_WORDS,
        QUALIFIERS,
        SESSION_WORDS,
        &["key", "pat", "sig", "signature", "cookie", "salt"],
    ];
    let mut table = [0; HASHES / 64];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            let word = lists[list][at].as_bytes();
            let ending = match word {
                [.., a, b, c, d] if letters == 4 => hash_of(*a, *b, *c, *d),
                [a, b, c] if letters == 3 => three(*a, *b, *c),
                _ => 0,
            };
            table[ending / 64] |= 1 << (ending % 64);
            at += 1;
        }
        list += 1;
    }
    table
}

/// Returns the sensitive name that ends at `end`, where `start` is where its last run of
/// identifier characters begins.
pub(crate) fn name_at(text: &[u8], start: usize, end: usize) -> Option<Name> {
    let mut first = Alphabet::DOTTED.run_back(text, start);
    if matches!(text[first..end], [b'-', b'D' | b'P', _, ..]) && is_blank(before(text, first)) {
        first += 2;
    }
    let (words, count) = last_words(&text[first..end]);
    let mut words = &words[..count];
    while let [last, rest @ ..] = words {
        if rest.is_empty() || !one_of(QUALIFIERS, last) {
            break;
        }
        words = rest;
    }
    let (last, mut previous) = (*words.first()?, words.get(1).copied().unwrap_or(b""));
    let mut start = first;
    if previous.is_empty() && first > 1 && is_blank(text[first - 1]) {
        let begin = Alphabet::WORD.run_back(text, first - 1);
        if last.eq_ignore_ascii_case(b"key") || last.eq_ignore_ascii_case(b"token") {
            previous = &text[begin..first - 1];
            start = begin;
        }
    }
    if words.iter().any(|word| one_of(PUBLIC, word)) {
        return None;
    }
    let promise = promise_of(last, previous)
        .or_else(|| session_of(last, &text[..first]))
        .or_else(|| signature_of(last, previous, &text[..first], &text[end..]))?;
    Some(Name {
        start,
        end,
        promise,
    })
}

/// Whether a whole word says nothing by itself: `value`, `new`.
pub(crate) fn is_qualifier(word: &[u8]) -> bool {
    word.len() <= LONGEST_QUALIFIER && one_of(QUALIFIERS, word)
}

const LONGEST_QUALIFIER: usize = 9;

fn promise_of(last: &[u8], previous: &[u8]) -> Option<Promise> {
    let ends = |endings: &[&str]| {
        endings.iter().any(|ending| {
            last.len()
                .checked_sub(ending.len())
                .is_some_and(|from| last[from..].eq_ignore_ascii_case(ending.as_bytes()))
        })
    };
    if ends(PASSWORD_ENDINGS) || one_of(PASSWORD_WORDS, last) {
        return Some(Promise::Password);
    }
    if last.eq_ignore_ascii_case(b"token") && one_of(BEFORE_NO_TOKEN, previous) {
        return None;
    }
    let key = last.eq_ignore_ascii_case(b"key")
        && (one_of(BEFORE_KEY, previous) || one_of(PROVIDERS, previous));
    let told = last.eq_ignore_ascii_case(b"pat") && !previous.is_empty()
        || last.eq_ignore_ascii_case(b"cookie") && previous.eq_ignore_ascii_case(b"erlang")
        || last.eq_ignore_ascii_case(b"salt") && one_of(BEFORE_SALT, previous);
    (key || told || ends(SECRET_ENDINGS) || one_of(SECRET_WORDS, last)).then_some(Promise::Random)
}

/// Signatures of addresses that grant access: shared access of Azure, presigned ones of AWS and
/// Google.
fn signature_of(last: &[u8], previous: &[u8], line: &[u8], rest: &[u8]) -> Option<Promise> {
    let query = &line[line.len().saturating_sub(512)..];
    let rest = &rest[..rest.len().min(512)];
    let shared = last.eq_ignore_ascii_case(b"sig")
        && (holds_any_case(query, "sv=") || holds_any_case(rest, "&sv="));
    let signed = last.eq_ignore_ascii_case(b"signature") && one_of(&["amz", "goog"], previous);
    (shared || signed).then_some(Promise::Random)
}

/// The names of session cookies count in a cookie header alone.
fn session_of(last: &[u8], line: &[u8]) -> Option<Promise> {
    let header = &line[line.len().saturating_sub(128)..];
    (one_of(SESSION_WORDS, last) && holds_any_case(header, "cookie")).then_some(Promise::Random)
}

fn one_of(words: &[&str], word: &[u8]) -> bool {
    words
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns the last words of a name, the last one first: it is split at signs, digits and
/// changes of case.
fn last_words(name: &[u8]) -> ([&[u8]; MOST_WORDS], usize) {
    let mut words = [&name[..0]; MOST_WORDS];
    let mut count = 0;
    let mut end = name.len();
    while end > 0 && count < MOST_WORDS {
        if !name[end - 1].is_ascii_alphabetic() {
            end -= 1;
            continue;
        }
        let mut start = end - 1;
        while start > 0 && !begins_word(name, start) {
            start -= 1;
        }
        words[count] = &name[start..end];
        count += 1;
        end = start;
    }
    (words, count)
}

/// Whether a word of a name begins at `at`.
fn begins_word(name: &[u8], at: usize) -> bool {
    let (last, this) = (name[at - 1], name[at]);
    let next = name.get(at + 1).copied().unwrap_or(b'_');
    if this.is_ascii_digit() {
        return false;
    }
    !last.is_ascii_alphabetic()
        || last.is_ascii_lowercase() && this.is_ascii_uppercase()
        || last.is_ascii_uppercase() && this.is_ascii_uppercase() && next.is_ascii_lowercase()
}

#[cfg(test)]
mod tests;
