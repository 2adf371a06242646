//! What is known of the tokenizer: which short strings are tokens of it.

/// Bits of pairs of bytes, the first in the higher place.
const PAIRS_BYTES: usize = 1 << 13;
/// Bits of pairs of bytes with which tokens of three bytes and more begin.
const BEGINNINGS_BYTES: usize = 1 << 13;
/// Bits of pairs of bytes in which such tokens end.
const ENDINGS_BYTES: usize = 1 << 13;
/// Bits of two characters of two bytes from the same two rows of 64, which hold most alphabets.
const QUADS_BYTES: usize = QUAD_ROWS << 11;
/// Pairs of first bytes, from 0xC2 on.
const QUAD_ROWS: usize = 15;
/// Bits of three small letters, in base 26.
const TRIPLES_BYTES: usize = 2_200;
/// Bits of the characters of three bytes, by their number.
const CHARACTERS_BYTES: usize = 1 << 13;
/// For each byte, up to which length its runs are all tokens.
const RUNS_BYTES: usize = 256;
/// Places for pieces of up to 8 bytes, and of up to 16; a free place is 0.
const SHORT_PLACES: usize = 1 << 15;
const LONG_PLACES: usize = 1 << 13;

const BEGINNINGS_AT: usize = PAIRS_BYTES;
const ENDINGS_AT: usize = BEGINNINGS_AT + BEGINNINGS_BYTES;
const QUADS_AT: usize = ENDINGS_AT + ENDINGS_BYTES;
const TRIPLES_AT: usize = QUADS_AT + QUADS_BYTES;
const CHARACTERS_AT: usize = TRIPLES_AT + TRIPLES_BYTES;
const RUNS_AT: usize = CHARACTERS_AT + CHARACTERS_BYTES;
const SHORT_AT: usize = RUNS_AT + RUNS_BYTES;
const LONG_AT: usize = SHORT_AT + SHORT_PLACES * 8;
const BYTES: usize = LONG_AT + LONG_PLACES * 16;

pub(super) static TABLES: [u8; BYTES] = *include_bytes!("tables.bin");

#[inline]
fn bit(table: usize, place: usize) -> bool {
    TABLES[table + place / 8] & (1 << (place % 8)) != 0
}

/// Whether the two bytes together are a token.
#[inline]
pub(super) fn is_pair(first: u8, second: u8) -> bool {
    bit(0, usize::from(first) << 8 | usize::from(second))
}

/// Whether any token of three bytes and more begins with the two.
#[inline]
pub(super) fn is_beginning(first: u8, second: u8) -> bool {
    bit(BEGINNINGS_AT, usize::from(first) << 8 | usize::from(second))
}

/// Whether any token of three bytes and more ends in the two.
#[inline]
pub(super) fn is_ending(last_but_one: u8, last: u8) -> bool {
    bit(
        ENDINGS_AT,
        usize::from(last_but_one) << 8 | usize::from(last),
    )
}

/// Whether two characters of two bytes are known to be a token.
#[inline]
pub(super) fn is_quad(bytes: [u8; 4]) -> bool {
    quad_place(bytes).is_some_and(|place| bit(QUADS_AT, place))
}

#[inline]
fn quad_place([first, second, third, fourth]: [u8; 4]) -> Option<usize> {
    let rows = 0xC2..=0xDF;
    let rest = 0x80..=0xBF;
    let has_place = rows.contains(&first)
        && first >> 1 == third >> 1
        && rest.contains(&second)
        && rest.contains(&fourth);
    let character = |first: u8, second: u8| usize::from(first & 1) << 6 | usize::from(second & 63);
    let row = usize::from(first >> 1).wrapping_sub(0x61);
    has_place.then(|| row << 14 | character(first, second) << 7 | character(third, fourth))
}

/// Whether the three bytes together are known to be a token.
#[inline]
pub(super) fn is_triple(first: u8, second: u8, third: u8) -> bool {
    match (first, second, third) {
        (b'a'..=b'z', b'a'..=b'z', b'a'..=b'z') => {
            bit(TRIPLES_AT, triple_place(first, second, third))
        }
        (0xE0..=0xEF, 0x80..=0xBF, 0x80..=0xBF) => {
            bit(CHARACTERS_AT, character_place(first, second, third))
        }
        _ => false,
    }
}

#[inline]
fn triple_place(first: u8, second: u8, third: u8) -> usize {
    let number = |letter: u8| usize::from(letter - b'a');
    (number(first) * 26 + number(second)) * 26 + number(third)
}

#[inline]
fn character_place(first: u8, second: u8, third: u8) -> usize {
    let bits = |byte: u8, of: u8| usize::from(byte & of);
    bits(first, 0x0F) << 12 | bits(second, 0x3F) << 6 | bits(third, 0x3F)
}

/// Up to how many of this byte in a row are a token, whatever their number.
#[inline]
pub(super) fn run_known(byte: u8) -> usize {
    usize::from(TABLES[RUNS_AT + usize::from(byte)])
}

/// Whether `text[start..end]` is known to be a token.
#[inline]
pub(super) fn is_known(text: &[u8], start: usize, end: usize) -> bool {
    match end - start {
        1..=8 => {
            let unused = 64 - 8 * (end - start);
            let key = match text[start..].first_chunk() {
                Some(bytes) => u64::from_le_bytes(*bytes) << unused >> unused,
                None => short_key(&text[start..end]),
            };
            is_known_short(key)
        }
        9..=16 => is_known_long(long_key(&text[start..end])),
        _ => false,
    }
}

fn short_key(piece: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..piece.len()].copy_from_slice(piece);
    u64::from_le_bytes(bytes)
}

fn long_key(piece: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes[..piece.len()].copy_from_slice(piece);
    u128::from_le_bytes(bytes)
}

/// Spreads keys over places; odd, with its bits mixed.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline]
fn short_place(key: u64) -> usize {
    (key.wrapping_mul(FACTOR) >> 49) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
fn long_place(key: u128) -> usize {
    let mixed = (key as u64).wrapping_mul(FACTOR) ^ ((key >> 64) as u64);
    (mixed.wrapping_mul(FACTOR) >> 51) as usize
}

#[inline]
fn is_known_short(key: u64) -> bool {
    let mut place = short_place(key);
    loop {
        let at = SHORT_AT + place * 8;
        match TABLES[at..]
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
        {
            Some(found) if found == key => return true,
            None | Some(0) => return false,
            Some(_) => place = (place + 1) % SHORT_PLACES,
        }
    }
}

fn is_known_long(key: u128) -> bool {
    let mut place = long_place(key);
    loop {
        let at = LONG_AT + place * 16;
        match TABLES[at..]
            .first_chunk()
            .map(|bytes| u128::from_le_bytes(*bytes))
        {
            Some(found) if found == key => return true,
            None | Some(0) => return false,
            Some(_) => place = (place + 1) % LONG_PLACES,
        }
    }
}

#[cfg(test)]
pub(super) mod made;
