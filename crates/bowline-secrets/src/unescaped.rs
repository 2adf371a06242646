//! A second look at a line whose text is escaped: per cent signs of addresses, `\u0000` and `\x00`
//! of literals, entities of HTML. What is found in the text behind is found in the line.

use std::ops::Range;

/// Longest stretch that is looked at as one, in bytes.
const STRETCH: usize = 16 * 1024;

/// Text behind escapes, and where each of its bytes comes from.
#[derive(Debug, Default)]
pub(crate) struct Unescaped {
    /// The text.
    pub(crate) text: Vec<u8>,
    /// Where each byte begins in the line, and where the last one ends.
    origins: Vec<usize>,
}

impl Unescaped {
    /// Returns the stretches of a line that hold escapes, unescaped.
    pub(crate) fn stretches(line: &[u8]) -> impl Iterator<Item = Self> {
        (0..line.len())
            .step_by(STRETCH)
            .filter_map(|from| Self::of(line, from..line.len().min(from + STRETCH)))
    }

    fn of(line: &[u8], range: Range<usize>) -> Option<Self> {
        let stretch = &line[range.clone()];
        if !Self::any(stretch) {
            return None;
        }
        let mut view = Self::default();
        let mut at = 0;
        while at < stretch.len() {
            let (byte, length) = unescape(&stretch[at..]).unwrap_or((stretch[at], 1));
            view.text.push(byte);
            view.origins.push(range.start + at);
            at += length;
        }
        view.origins.push(range.end);
        Some(view)
    }

    /// Whether a text holds an escape.
    pub(crate) fn any(text: &[u8]) -> bool {
        let begins = |byte: &u8| matches!(byte, b'%' | b'\\' | b'&');
        let mut at = 0;
        while let Some(step) = text[at..].iter().position(begins) {
            at += step;
            if unescape(&text[at..]).is_some() {
                return true;
            }
            at += 1;
        }
        false
    }

    /// Returns the place in the line of a place in the text.
    pub(crate) fn origin(&self, place: &Range<usize>) -> Range<usize> {
        self.origins[place.start]..self.origins[place.end]
    }
}

/// Returns the printable character that an escape in front of the text stands for, and the length
/// of the escape.
fn unescape(text: &[u8]) -> Option<(u8, usize)> {
    let digits = |from: usize| {
        let pair = text.get(from..from + 2)?;
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        let byte = (high << 4 | low) as u8;
        (b' '..=b'~').contains(&byte).then_some(byte)
    };
    match text.first()? {
        b'%' => Some((digits(1)?, 3)),
        b'\\' if text.starts_with(b"\\u00") => Some((digits(4)?, 6)),
        b'\\' if text.starts_with(b"\\x") => Some((digits(2)?, 4)),
        b'&' => {
            const ENTITIES: [(&[u8], u8); 6] = [
                (b"&quot;", b'"'),
                (b"&#34;", b'"'),
                (b"&#39;", b'\''),
                (b"&#x27;", b'\''),
                (b"&apos;", b'\''),
                (b"&amp;", b'&'),
            ];
            let found = ENTITIES.iter().find(|(name, _)| text.starts_with(name))?;
            Some((found.1, found.0.len()))
        }
        _ => None,
    }
}
