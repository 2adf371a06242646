//! Splits text into the pieces that no token reaches over.
//!
//! The tokenizer's pattern, in words; the first that fits is taken:
//! - perhaps one sign or blank, then letters: capitals first, small ones after; perhaps an English
//!   ending such as `'ll`;
//! - one to three digits;
//! - perhaps a space, then signs, then line ends and slashes;
//! - blanks up to the last line end among them;
//! - blanks, but for the last one if something follows.

/// Classes of bytes, as bits.
const LOWER: u8 = 1;
const UPPER: u8 = 2;
const DIGIT: u8 = 4;
/// ASCII that is no letter, digit or blank; control characters too.
const SIGN: u8 = 8;
const BLANK: u8 = 16;
const LINE_END: u8 = 32;
/// Part of a character beyond ASCII.
const HIGH: u8 = 64;
const LETTER: u8 = LOWER | UPPER;
const SPACE: u8 = BLANK | LINE_END;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b'\n' | b'\r' => LINE_END,
            b'\t' | 0x0B | 0x0C | b' ' => BLANK,
            0..0x80 => SIGN,
            _ => HIGH,
        };
        byte += 1;
    }
    classes
};

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// The class at `at`; 0, which is in none, at the end.
#[inline]
fn class_at(text: &[u8], at: usize) -> u8 {
    text.get(at).map_or(0, |byte| class(*byte))
}

/// The end of the run of bytes of `classes` that begins at `at`.
#[inline]
fn run(text: &[u8], mut at: usize, classes: u8) -> usize {
    while class_at(text, at) & classes != 0 {
        at += 1;
    }
    at
}

/// The end of the run of bytes from `first` to `last`, both ASCII, that begins at `at`. Eight bytes
/// are looked at together: the highest bit of each says whether it is one of them.
#[inline]
fn run_of_range(text: &[u8], mut at: usize, first: u8, last: u8) -> usize {
    const HIGHEST: u64 = 0x8080_8080_8080_8080;
    let eight = |byte: u8| u64::from_le_bytes([byte; 8]);
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let bytes = u64::from_le_bytes(*bytes);
        let low = bytes & !HIGHEST;
        let from_first = low + eight(0x80 - first);
        let after_last = low + eight(0x7F - last);
        let others = !(from_first & !after_last & !bytes) & HIGHEST;
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while text
        .get(at)
        .is_some_and(|byte| (first..=last).contains(byte))
    {
        at += 1;
    }
    at
}

/// Where the piece ends that begins at `start`; `None` where letters beyond ASCII leave that open.
/// A piece must begin at `start`.
#[inline]
pub(super) fn next(text: &[u8], start: usize) -> Option<usize> {
    let first = class(text[start]);
    let second = class_at(text, start + 1);
    let end = if first & LETTER != 0 {
        word(text, start)?
    } else if first & (SIGN | BLANK) != 0 && second & LETTER != 0 {
        word(text, start + 1)?
    } else if first == DIGIT {
        let mut end = start + 1;
        while end < start + 3 && class_at(text, end) == DIGIT {
            end += 1;
        }
        // Three are never more; fewer may be followed by digits beyond ASCII.
        return (end == start + 3 || class_at(text, end) != HIGH).then_some(end);
    } else if first == SIGN || (text[start] == b' ' && second == SIGN) {
        let mut end = run(text, start + 1, SIGN);
        // The signs may have been followed by more of them, beyond ASCII.
        if class_at(text, end) == HIGH {
            return None;
        }
        while class_at(text, end) == LINE_END || text.get(end) == Some(&b'/') {
            end += 1;
        }
        return Some(end);
    } else if first & SPACE != 0 {
        blanks(text, start)
    } else {
        return None;
    };
    (class_at(text, end) != HIGH).then_some(end)
}

/// The end of the letters from `at` on, and of the English ending after them.
#[inline]
fn word(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    if class_at(text, end) == UPPER {
        end += 1;
        if class_at(text, end) == UPPER {
            end = run_of_range(text, end, b'A', b'Z');
        }
    }
    let end = run_of_range(text, end, b'a', b'z');
    if text.get(end) != Some(&b'\'') {
        return Some(end);
    }
    let small = |at: usize| text.get(at).map_or(0, u8::to_ascii_lowercase);
    match (small(end + 1), small(end + 2)) {
        (b's' | b't' | b'm' | b'd', _) => Some(end + 2),
        (b'r' | b'v', b'e') | (b'l', b'l') => Some(end + 3),
        // A long s counts as an s.
        (0x80.., _) => None,
        _ => Some(end),
    }
}

#[inline]
fn blanks(text: &[u8], start: usize) -> usize {
    let spaces = run_of_range(text, start, b' ', b' ');
    if spaces > start + 1 && spaces < text.len() && class_at(text, spaces) & (SPACE | HIGH) == 0 {
        return spaces - 1;
    }
    blanks_of_any_kind(text, start)
}

fn blanks_of_any_kind(text: &[u8], start: usize) -> usize {
    let end = run(text, start, SPACE);
    let last_line_end = text[start..end].iter().rposition(|b| class(*b) == LINE_END);
    match last_line_end {
        // More blanks beyond ASCII may follow, and line ends after those.
        _ if class_at(text, end) == HIGH => end,
        Some(last) => start + last + 1,
        None if end == text.len() || end - start == 1 => end,
        None => end - 1,
    }
}

/// The next place after `start` where a piece begins whatever stands around it; the end of the text
/// if there is none.
pub(super) fn certain_end(text: &[u8], start: usize) -> usize {
    let places = start + 1..text.len();
    let mut certain = places.filter(|at| splits(text[at - 1], text[*at]));
    certain.next().unwrap_or(text.len())
}

/// Whether a piece always ends between two bytes.
fn splits(before: u8, after: u8) -> bool {
    let is_apostrophe = after == b'\'';
    let (before, after) = (class(before), class(after));
    match before {
        LOWER | UPPER => after & (DIGIT | SPACE | SIGN) != 0 && !is_apostrophe,
        DIGIT => after & (LETTER | SPACE | SIGN) != 0,
        SIGN => after & (DIGIT | BLANK) != 0,
        BLANK => after == DIGIT,
        LINE_END => after & (LETTER | DIGIT) != 0,
        _ => false,
    }
}

/// Whether a piece may end before the byte at `at`, as far as its near surroundings tell.
pub(super) fn may_split(text: &[u8], at: usize) -> bool {
    let byte = text[at];
    if at == 0 {
        return true;
    }
    // Characters are never taken apart.
    if byte & 0xC0 == 0x80 {
        return false;
    }
    let is_apostrophe = |back: usize| at >= back && text[at - back] == b'\'';
    let before = match text[at - 1] {
        last @ 0x80..=0xBF if at >= 2 => is_small_letter(text[at - 2], last),
        last => class(last) == LOWER && !is_apostrophe(2) && !is_apostrophe(3),
    };
    let after = match byte {
        0x80.. => text
            .get(at + 1)
            .is_some_and(|next| is_small_letter(byte, *next)),
        _ => class(byte) == LOWER,
    };
    !before || !after
}

/// Whether a character of two bytes is a letter, and no capital. Only those of some alphabets are
/// known.
fn is_small_letter(first: u8, second: u8) -> bool {
    let number = u16::from(first & 0x1F) << 6 | u16::from(second & 0x3F);
    first & 0xE0 == 0xC0
        && matches!(
            number,
            // Latin, Greek, Cyrillic, Hebrew, Arabic.
            0xDF..=0xF6 | 0xF8..=0xFF | 0x3AC..=0x3CE | 0x430..=0x45F | 0x5D0..=0x5EA | 0x620..=0x64A
        )
}
