//! Just enough reading of Rust source to search it without being fooled by comments and literals.
//!
//! Not a parser: it knows comments, literals and identifiers, which is what the checks look at.

#[cfg(test)]
mod tests;

/// The same text with comments and the insides of literals turned to blanks.
///
/// Byte offsets and line numbers stay as they are, so a place found here is the place in the source.
pub(crate) fn without_comments_and_literals(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut kept = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (inside, next) = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let end = line_end(bytes, at);
                (at..end, end)
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = block_comment_end(bytes, at);
                (at..end, end)
            }
            b'"' => quoted(bytes, at, b'"'),
            b'r' if raw_hashes(bytes, at).is_some() => raw_string(bytes, at),
            b'\'' if is_char_literal(source, at) => quoted(bytes, at, b'\''),
            byte if is_word(byte) => {
                at = word_end(bytes, at);
                continue;
            }
            _ => (at..at, at + 1),
        };
        for byte in &mut kept[inside] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = next;
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Every identifier, keyword and number of blanked source with its byte offset, in order.
pub(crate) fn words(blanked: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = blanked.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_word(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        (start < at).then(|| (start, &blanked[start..at]))
    })
}

/// Whether blanked source defines an item of this name with one of these keywords (`fn`, `struct`, ..).
pub(crate) fn defines(blanked: &str, keywords: &[&str], name: &str) -> bool {
    let mut previous = "";
    words(blanked).any(|(_, word)| {
        let found = word == name && keywords.contains(&previous);
        previous = word;
        found
    })
}

/// One `mod name` of a source file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Module {
    /// `mod name;`: its text is another file.
    File(String),
    /// `mod name { .. }`.
    Inline(String),
}

/// Every module that blanked source declares, at whatever depth.
pub(crate) fn modules(blanked: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut after_mod = false;
    for (at, word) in words(blanked) {
        if after_mod {
            let rest = blanked[at + word.len()..].trim_start();
            if rest.starts_with(';') {
                found.push(Module::File(word.to_owned()));
            } else if rest.starts_with('{') {
                found.push(Module::Inline(word.to_owned()));
            }
        }
        after_mod = word == "mod";
    }
    found
}

/// The line number, from 1, of a byte offset.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1
}

/// Whether a byte belongs to an identifier. Every byte of a character outside ASCII does.
pub(crate) fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The end of a word; a word that is the prefix of a raw string (`br`, `cr`) ends before its `r`.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() && is_word(bytes[at]) {
        let is_prefix = at == start + 1 && matches!(bytes[start], b'b' | b'c');
        if is_prefix && raw_hashes(bytes, at).is_some() {
            break;
        }
        at += 1;
    }
    at
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len(), |length| at + length)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The inside of a literal that starts at its opening quote, and where the source goes on.
fn quoted(bytes: &[u8], start: usize, quote: u8) -> (std::ops::Range<usize>, usize) {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    let end = at.min(bytes.len());
    (start + 1..end, (end + 1).min(bytes.len()))
}

/// The number of `#` of a raw string whose `r` stands at `at`; none if no raw string starts there.
fn raw_hashes(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at] != b'r' {
        return None;
    }
    let hashes = bytes[at + 1..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    (bytes.get(at + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

fn raw_string(bytes: &[u8], at: usize) -> (std::ops::Range<usize>, usize) {
    let hashes = raw_hashes(bytes, at).unwrap_or_default();
    let open = at + 1 + hashes;
    let mut close = vec![b'#'; hashes + 1];
    close[0] = b'"';
    let length = bytes[open + 1..]
        .windows(close.len())
        .position(|window| window == close);
    match length {
        Some(length) => (open + 1..open + 1 + length, open + 1 + length + close.len()),
        None => (open + 1..bytes.len(), bytes.len()),
    }
}

/// Whether the `'` at `at` opens a character literal rather than a lifetime.
fn is_char_literal(source: &str, at: usize) -> bool {
    let mut characters = source[at + 1..].chars();
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}
