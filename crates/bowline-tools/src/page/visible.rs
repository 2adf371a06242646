//! Characters that are not seen: a text can hold orders in them that no person would find.

/// What becomes of a character that is not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseen {
    /// It is left out and counted.
    LeftOut,
    /// It is written as an escape, and counted.
    Escaped,
}

/// `text` without characters that are not seen, and how many there were. Line ends become `\n`.
pub(super) fn visible(text: &str, unseen: Unseen) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut count = 0;
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => continue,
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\x0b' | '\x0c' => out.push('\n'),
            // One of these changes how the letter before it is drawn; more of them are a code.
            '\u{fe00}'..='\u{fe0f}' if !is_selector(before) && !before.is_ascii() => {
                out.push(letter);
            }
            // Between letters of some scripts and parts of some pictures.
            '\u{200c}' | '\u{200d}'
                if !before.is_ascii()
                    && !is_unseen(before)
                    && letters
                        .peek()
                        .is_some_and(|next| !next.is_ascii() && !is_unseen(*next)) =>
            {
                out.push(letter);
            }
            _ if is_unseen(letter) => {
                count += 1;
                if unseen == Unseen::Escaped {
                    out.extend(letter.escape_unicode());
                }
            }
            _ => out.push(letter),
        }
        before = letter;
    }
    (out, count)
}

const fn is_selector(letter: char) -> bool {
    matches!(letter, '\u{fe00}'..='\u{fe0f}')
}

/// Whether nothing is seen of a character, or it changes the order in which others are seen.
const fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\x08'
            | '\x0e'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
