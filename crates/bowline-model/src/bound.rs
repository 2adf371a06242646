//! Bounds the tokens of a text from above without a tokenizer.
//!
//! The bound is for `o200k`, the tokenizer of OpenAI's models since GPT-4o. It rests on two facts
//! about byte-pair encoding rather than on averages, so that no text, however odd, has more tokens:
//!
//! 1. The text is first split into pieces by a fixed pattern, and no token reaches over the end of
//!    a piece. For ASCII the pattern is followed exactly; around other letters it is not known where
//!    it splits, and both ways are allowed for. A piece that is itself a token is one token; the
//!    commonest 28,000 of those are known.
//! 2. Two tokens that stand side by side in a piece never make up a token together, or they would
//!    have been merged. So a piece cannot have more tokens than the longest way to cut it up in
//!    which no two neighbours make up a token that is known.
//!
//! What is known is in `bound/tables.bin`, 460 KB made from the tokenizer by the test
//! `the_tables_are_those_of_the_tokenizer`; nothing else of the tokenizer is needed or loaded.

mod parts;
mod pieces;
mod tables;

/// Tokens that `text` has at most. Within a few per cent over the truth for what is all common
/// words, about a quarter over it for code, and up to three times the truth for some alphabets
/// other than Latin. One pass, nothing is allocated.
#[must_use]
pub fn tokens_bound(text: &str) -> u64 {
    of_bytes(text.as_bytes())
}

/// [`tokens_bound`] of bytes, which should be UTF-8.
pub(crate) fn of_bytes(text: &[u8]) -> u64 {
    let mut tokens = 0;
    let mut at = 0;
    while at < text.len() {
        let (end, most) = match pieces::next(text, at) {
            Some(end) => (end, of_piece(text, at, end)),
            None => {
                let end = pieces::certain_end(text, at);
                (end, parts::most_of_mixed(&text[at..end]))
            }
        };
        tokens += most;
        at = end;
    }
    tokens
}

/// Tokens of one piece of ASCII at most.
fn of_piece(text: &[u8], start: usize, end: usize) -> u64 {
    match text[start..end] {
        [_] => 1,
        // All numbers of up to three digits are tokens, and no piece has more digits.
        [b'0'..=b'9', ..] => 1,
        [first, second] => 2 - u64::from(tables::is_pair(first, second)),
        // Only pieces of nothing but blanks end in one.
        [.., b' ' | b'\t'] => parts::most_of_runs(&text[start..end]),
        [first, second, third] if tables::is_triple(first, second, third) => 1,
        _ if tables::is_known(text, start, end) => 1,
        _ => of_unknown_piece(&text[start..end]),
    }
}

fn of_unknown_piece(piece: &[u8]) -> u64 {
    let most = parts::most_of_piece(piece);
    // Signs, and line ends after them, come in rows.
    if most > 2 && !piece[piece.len() - 1].is_ascii_alphanumeric() {
        return most.min(parts::most_of_runs(piece));
    }
    most
}

#[cfg(test)]
mod tests;
