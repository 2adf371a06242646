//! What a name would be on a file system that tells fewer names apart than this one, or to an eye.
//!
//! A workspace is carried to other machines and looked at by people; there `.GIT`, `.git.` and
//! `.g<zero width>it` may be `.git`. Whatever folds to a protected name is protected.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::shell::invisible;

/// `path` with every segment folded: letters small and in their plain forms, what cannot be seen
/// left out, without dots and blanks at the end, without the stream of a file, `name~1` as `.name`.
/// A backslash parts segments too.
pub(super) fn folded(path: &str) -> Cow<'_, str> {
    if is_plain(path) {
        return Cow::Borrowed(path);
    }
    let letters: String = if path.is_ascii() {
        path.to_ascii_lowercase()
    } else {
        path.nfkc()
            .flat_map(char::to_lowercase)
            .nfkc()
            .filter(|letter| !invisible::is_in_range(*letter))
            .map(|letter| if letter == DOTLESS_I { 'i' } else { letter })
            .filter(|letter| *letter != DOT_ABOVE)
            .collect()
    };
    let segments = letters.split(['/', '\\']).map(|segment| {
        let name = segment.split_once(':').map_or(segment, |(name, _)| name);
        let name = name.trim_end_matches(['.', ' ']);
        // `.` and `..` stay what they are.
        let name = if name.is_empty() { segment } else { name };
        match name.split_once('~') {
            Some((short, number)) if is_number(number) && !short.is_empty() => {
                Cow::Owned(format!(".{}", short.trim_start_matches('.')))
            }
            _ => Cow::Borrowed(name),
        }
    });
    Cow::Owned(segments.collect::<Vec<_>>().join("/"))
}

/// Small letter i without its dot, and the dot that a capital I keeps when it becomes small.
const DOTLESS_I: char = '\u{131}';
const DOT_ABOVE: char = '\u{307}';

/// The one spelling of a text whose letters are written in several ways (composed, decomposed).
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// Whether folding would change nothing, as for most paths there are.
fn is_plain(path: &str) -> bool {
    let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-');
    path.bytes().all(is_plain) && !path.contains("./") && !path.ends_with('.')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
