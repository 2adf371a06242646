//! Makes the tables from the tokenizer.

use bpe_openai::{Tokenizer, o200k_base};

use super::super::pieces;
use super::*;

/// How many of the commonest pieces are known, of up to 8 bytes and of more.
const SHORT_PIECES: usize = 24_000;
const LONG_PIECES: usize = 4_000;

/// The bytes of `tables.bin`.
pub(in super::super) fn tables() -> Vec<u8> {
    let tokenizer = o200k_base();
    let mut made = vec![0; BYTES];
    let mut tokens: Vec<&[u8]> = Vec::new();
    for number in 0..tokenizer.bpe.num_tokens() {
        tokens.push(tokenizer.bpe.token_bytes(u32::try_from(number).unwrap()));
    }
    for token in &tokens {
        put_bits(&mut made, token);
    }
    for byte in 0..=u8::MAX {
        let is_token = |length: &usize| is_token(tokenizer, &vec![byte; *length]);
        let known = (1..=255).take_while(is_token).count();
        made[RUNS_AT + usize::from(byte)] = u8::try_from(known).unwrap();
    }
    // The commoner a token, the earlier it came to be one.
    let of = |lengths: std::ops::RangeInclusive<usize>| {
        let fits = move |token: &&&[u8]| lengths.contains(&token.len()) && is_worth_knowing(token);
        tokens.iter().filter(fits)
    };
    for token in of(3..=8).take(SHORT_PIECES) {
        let mut place = short_place(short_key(token));
        while made[SHORT_AT + place * 8..][..8] != [0; 8] {
            place = (place + 1) % SHORT_PLACES;
        }
        made[SHORT_AT + place * 8..][..token.len()].copy_from_slice(token);
    }
    for token in of(9..=16).take(LONG_PIECES) {
        let mut place = long_place(long_key(token));
        while made[LONG_AT + place * 16..][..16] != [0; 16] {
            place = (place + 1) % LONG_PLACES;
        }
        made[LONG_AT + place * 16..][..token.len()].copy_from_slice(token);
    }
    made
}

fn is_token(tokenizer: &Tokenizer, bytes: &[u8]) -> bool {
    tokenizer.bpe.count(bytes) == 1
}

fn put_bits(made: &mut [u8], token: &[u8]) {
    let pair = |first: u8, second: u8| usize::from(first) << 8 | usize::from(second);
    let mut put = |table: usize, place: usize| made[table + place / 8] |= 1 << (place % 8);
    if let [first, second, _, ..] = *token {
        put(BEGINNINGS_AT, pair(first, second));
    }
    if let [_, .., last_but_one, last] = *token {
        put(ENDINGS_AT, pair(last_but_one, last));
    }
    if let [first, second, third, fourth] = *token
        && let Some(place) = quad_place([first, second, third, fourth])
    {
        put(QUADS_AT, place);
    }
    let (table, place) = match *token {
        [first, second] => (0, pair(first, second)),
        [
            first @ b'a'..=b'z',
            second @ b'a'..=b'z',
            third @ b'a'..=b'z',
        ] => (TRIPLES_AT, triple_place(first, second, third)),
        [
            first @ 0xE0..=0xEF,
            second @ 0x80..=0xBF,
            third @ 0x80..=0xBF,
        ] => (CHARACTERS_AT, character_place(first, second, third)),
        _ => return,
    };
    put(table, place);
}

/// Whether a token is a piece of ASCII that the other tables do not show to be one.
fn is_worth_knowing(token: &[u8]) -> bool {
    let all = |is: fn(&u8) -> bool| token.iter().all(is);
    let is_shown = all(u8::is_ascii_digit)
        || token.iter().all(|byte| *byte == token[0])
        || (token.len() == 3 && all(u8::is_ascii_lowercase));
    token.is_ascii() && !is_shown && pieces::next(token, 0) == Some(token.len())
}
