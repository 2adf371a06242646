//! Characters that a terminal or reader would not show as they are: they hide, turn round or split
//! what stands beside them.

#[cfg(test)]
mod tests;

/// Ranges of them, in order. Tab and newline are not among them.
const RANGES: [(char, char); 34] = [
    // Controls.
    ('\0', '\u{8}'),
    ('\u{b}', '\u{1f}'),
    ('\u{7f}', '\u{a0}'),
    // Soft hyphen, joiners, fillers, marks of direction.
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    // Blanks, zero width, separators, embeddings, invisible operators.
    ('\u{2000}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{3164}', '\u{3164}'),
    // Variation selectors, byte order mark, annotations, no characters at all.
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{3ffff}'),
    // Tags, more variation selectors, and what is reserved for such.
    ('\u{dfffe}', '\u{e0fff}'),
    ('\u{efffe}', '\u{effff}'),
    ('\u{ffffe}', '\u{fffff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

/// The first such character with its byte.
#[must_use]
pub fn invisible(text: &str) -> Option<(usize, char)> {
    if text
        .bytes()
        .all(|byte| matches!(byte, b'\t' | b'\n' | b' '..=b'~'))
    {
        return None;
    }
    let found = judged(text).find(|(_, _, is_invisible)| *is_invisible);
    found.map(|(at, letter, _)| (at, letter))
}

/// The text with each such character as `\u{..}`: fit for a terminal, and nothing in it is hidden.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (_, letter, is_invisible) in judged(text) {
        if is_invisible {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Each character with its byte and whether it is invisible there.
fn judged(text: &str) -> impl Iterator<Item = (usize, char, bool)> + '_ {
    let mut before = ' ';
    text.char_indices().map(move |(at, letter)| {
        // One selector after a symbol only says that it is drawn as a picture.
        let is_picture = letter == '\u{fe0f}' && is_symbol(before);
        before = letter;
        (at, letter, is_in_range(letter) && !is_picture)
    })
}

/// Whether a character is one of them, whatever stands before it.
pub(crate) fn is_in_range(letter: char) -> bool {
    let at = RANGES.partition_point(|(_, last)| *last < letter);
    RANGES.get(at).is_some_and(|(first, _)| *first <= letter)
}

/// Symbols that are also drawn as pictures.
fn is_symbol(letter: char) -> bool {
    matches!(letter, '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}') && !is_in_range(letter)
}
