//! Tokens that a provider gives a recognisable beginning.

mod table;

use std::ops::Range;

use crate::bytes::Alphabet;
use crate::likeness::is_wordy;
use crate::placeholder::is_fake_token;

/// One provider format: a fixed beginning, then a number of characters of one alphabet.
#[derive(Debug, Clone, Copy)]
struct Format {
    /// What a finding of this format is called.
    kind: &'static str,
    /// How every token begins.
    prefix: &'static str,
    /// What the rest is written in.
    tail: Alphabet,
    /// Fewest and most characters of the rest.
    length: (usize, usize),
    /// Which part of it is secret.
    secret: Part,
}

/// The part of a format that is masked.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// Prefix and rest.
    Whole,
    /// What follows the last slash.
    LastSegment,
}

impl Format {
    fn matches(&self, text: &[u8], at: usize) -> Option<Range<usize>> {
        let tail = at + self.prefix.len();
        let mut end = self.tail.run_within(text, tail, self.length.1);
        while end > tail && matches!(text[end - 1], b'.' | b'%' | b'/') {
            end -= 1;
        }
        let length = end - tail;
        let rest = &text[tail..end];
        let fits = (self.length.0..=self.length.1).contains(&length)
            && !is_fake_token(rest)
            && !is_prose(rest);
        let start = match self.secret {
            Part::Whole => at,
            Part::LastSegment => {
                tail + rest
                    .iter()
                    .rposition(|byte| *byte == b'/')
                    .map_or(0, |at| at + 1)
            }
        };
        fits.then_some(start..end)
    }
}

/// Whether the rest of a would-be token is words: joined ones, or all in one case.
fn is_prose(rest: &[u8]) -> bool {
    let joined = rest
        .iter()
        .any(|byte| matches!(byte, b'_' | b'-' | b'.' | b'/'));
    let one_case =
        !rest.iter().any(u8::is_ascii_uppercase) || !rest.iter().any(u8::is_ascii_lowercase);
    (joined || one_case) && is_wordy(rest)
}

/// A secret that was recognised: where it is and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) range: Range<usize>,
    pub(crate) kind: &'static str,
}

/// Returns the token of a known provider that begins at `at`; the longest prefix wins.
pub(crate) fn token_at(text: &[u8], at: usize) -> Option<Hit> {
    let rest = text.get(at..)?;
    if !may_begin(rest) {
        return None;
    }
    let inside = in_base64(text, at);
    bucket(*rest.first()?)
        .iter()
        .map(|index| &table::FORMATS[usize::from(*index)])
        .filter(|format| rest.starts_with(format.prefix.as_bytes()))
        .filter(|format| {
            !inside
                || !format
                    .prefix
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric())
        })
        .filter_map(|format| {
            let range = format.matches(text, at)?;
            Some((
                format.prefix.len(),
                Hit {
                    range,
                    kind: format.kind,
                },
            ))
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, hit)| hit)
}

/// Whether `at` follows a `+` or `/` inside base64 text, where any letters may stand; `//` is
/// rather that of an address.
pub(crate) fn in_base64(text: &[u8], at: usize) -> bool {
    match text[..at] {
        [.., b'/', b'/'] => false,
        [.., before, b'+' | b'/'] => Alphabet::BASE64.holds(before),
        _ => false,
    }
}

/// One bit for each hash of the first three characters of a prefix; the opening of JSON Web Tokens
/// is one of them.
static BEGINNINGS: [u64; HASHES / 64] = {
    let mut table = [0; HASHES / 64];
    let mut index = 0;
    while index < COUNT {
        let prefix = table::FORMATS[index].prefix.as_bytes();
        let mut third = 0;
        while third < 256 {
            let fits = match prefix.len() {
                2 => table::FORMATS[index].tail.has(third as u8),
                _ => prefix[2] as usize == third,
            };
            if fits {
                let hash = hash_of(prefix[0], prefix[1], third as u8);
                table[hash / 64] |= 1 << (hash % 64);
            }
            third += 1;
        }
        index += 1;
    }
    let hash = hash_of(b'e', b'y', b'J');
    table[hash / 64] |= 1 << (hash % 64);
    table
};

const HASHES: usize = 1 << 15;

const fn hash_of(first: u8, second: u8, third: u8) -> usize {
    let three = first as u32 | (second as u32) << 8 | (third as u32) << 16;
    (three.wrapping_mul(0x9e37_79b1) >> 17) as usize
}

/// Whether some prefix may begin with these three characters: false for nearly every word.
#[inline]
pub(crate) fn may_begin(rest: &[u8]) -> bool {
    match rest {
        [first, second, third, ..] => {
            let hash = hash_of(*first, *second, *third);
            BEGINNINGS[hash / 64] >> (hash % 64) & 1 == 1
        }
        _ => false,
    }
}

const COUNT: usize = table::FORMATS.len();

/// Indices into the table, grouped by the first character of the prefix.
const ORDER: ([u16; COUNT], [u16; 129]) = order();

const fn order() -> ([u16; COUNT], [u16; 129]) {
    let mut indices = [0; COUNT];
    let mut starts = [0; 129];
    let mut filled = 0;
    let mut first = 0;
    while first < 128 {
        starts[first] = filled as u16;
        let mut index = 0;
        while index < COUNT {
            if table::FORMATS[index].prefix.as_bytes()[0] as usize == first {
                indices[filled] = index as u16;
                filled += 1;
            }
            index += 1;
        }
        first += 1;
    }
    starts[128] = filled as u16;
    (indices, starts)
}

fn bucket(first: u8) -> &'static [u16] {
    static INDICES: [u16; COUNT] = ORDER.0;
    static STARTS: [u16; 129] = ORDER.1;
    let first = usize::from(first);
    match (STARTS.get(first), STARTS.get(first + 1)) {
        (Some(from), Some(to)) => &INDICES[usize::from(*from)..usize::from(*to)],
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
