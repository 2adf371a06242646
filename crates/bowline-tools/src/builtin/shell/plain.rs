//! Output of programs as plain text.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
const STRING_END: char = '\u{9c}';

/// Removes terminal escapes and control characters other than newline and tab from `bytes`, and
/// what a carriage return would have overwritten. Bytes that are no UTF-8 become `\u{fffd}`.
pub(super) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let is_control = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if !text.contains(is_control) {
        return text.into_owned();
    }
    let text = without_escapes(&text);
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        plain.extend(
            last_written(line)
                .chars()
                .filter(|letter| !is_control(*letter)),
        );
    }
    plain
}

/// What a line shows after its carriage returns: progress bars write over themselves.
fn last_written(line: &str) -> Cow<'_, str> {
    let (body, end) = match line.strip_suffix('\n') {
        Some(body) => (body.strip_suffix('\r').unwrap_or(body), "\n"),
        None => (line, ""),
    };
    let shown = body
        .rsplit('\r')
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    if shown.len() + end.len() == line.len() {
        line.into()
    } else {
        format!("{shown}{end}").into()
    }
}

/// Removes escape sequences; one that never ends is dropped up to the end of its line only.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find([
        ESCAPE, '\u{9b}', '\u{9d}', '\u{90}', '\u{98}', '\u{9e}', '\u{9f}',
    ]) {
        plain.push_str(&rest[..at]);
        let mut letters = rest[at..].chars();
        let kind = match letters.next() {
            Some(ESCAPE) => letters.next(),
            Some('\u{9b}') => Some('['),
            Some(_) => Some(']'),
            None => None,
        };
        rest = match kind {
            Some('[') => after_sequence(letters.as_str()),
            Some(']' | 'P' | 'X' | '^' | '_') => after_string(letters.as_str()),
            // A choice of character set and the like: one more letter.
            Some('(' | ')' | '*' | '+' | '#' | '%' | ' ') => {
                letters.next();
                letters.as_str()
            }
            Some('\n') => &rest[at + ESCAPE.len_utf8()..],
            _ => letters.as_str(),
        };
    }
    plain.push_str(rest);
    plain
}

/// What follows a control sequence: parameters, then one final letter.
fn after_sequence(text: &str) -> &str {
    match text.find(|letter: char| !('\u{20}'..='\u{3f}').contains(&letter)) {
        Some(at) if ('\u{40}'..='\u{7e}').contains(&char::from(text.as_bytes()[at])) => {
            &text[at + 1..]
        }
        Some(at) => &text[at..],
        None => "",
    }
}

/// What follows a control string: it ends with BEL or ST.
fn after_string(text: &str) -> &str {
    match text.find([BELL, STRING_END, ESCAPE, '\n']) {
        Some(at) if text[at..].starts_with("\u{1b}\\") => &text[at + 2..],
        Some(at) if text[at..].starts_with(['\n', ESCAPE]) => &text[at..],
        Some(at) => &text[at + text[at..].chars().next().map_or(0, char::len_utf8)..],
        None => "",
    }
}
