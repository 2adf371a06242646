//! Byte classes and the small searches that every recogniser shares.

const DIGIT: u16 = 1;
const HEX_LOWER: u16 = 1 << 1;
const LOWER: u16 = 1 << 2;
const HEX_UPPER: u16 = 1 << 3;
const UPPER: u16 = 1 << 4;
const UNDERSCORE: u16 = 1 << 5;
const DASH: u16 = 1 << 6;
const DOT: u16 = 1 << 7;
const PLUS_SLASH: u16 = 1 << 8;
const EQUALS: u16 = 1 << 9;
const PERCENT: u16 = 1 << 10;
const DOLLAR: u16 = 1 << 11;
const TILDE: u16 = 1 << 12;

const CLASSES: [u16; 256] = classes();

const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX_LOWER,
            b'g'..=b'z' => LOWER,
            b'A'..=b'F' => HEX_UPPER,
            b'G'..=b'Z' => UPPER,
            b'_' => UNDERSCORE,
            b'-' => DASH,
            b'.' => DOT,
            b'+' | b'/' => PLUS_SLASH,
            b'=' => EQUALS,
            b'%' => PERCENT,
            b'$' => DOLLAR,
            b'~' => TILDE,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// A set of ASCII characters that a token may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alphabet(u16);

impl Alphabet {
    /// `0-9a-f`.
    pub(crate) const HEX: Self = Self(DIGIT | HEX_LOWER);
    /// `0-9a-fA-F`.
    pub(crate) const ANY_HEX: Self = Self(DIGIT | HEX_LOWER | HEX_UPPER);
    /// `0-9a-f-`, as a UUID is written.
    pub(crate) const UUID: Self = Self(DIGIT | HEX_LOWER | HEX_UPPER | DASH);
    /// `0-9a-z`.
    pub(crate) const LOWER: Self = Self(DIGIT | HEX_LOWER | LOWER);
    /// `0-9A-Z`.
    pub(crate) const UPPER: Self = Self(DIGIT | HEX_UPPER | UPPER);
    /// `0-9A-Z-`.
    pub(crate) const UPPER_DASH: Self = Self(Self::UPPER.0 | DASH);
    /// `0-9a-zA-Z`.
    pub(crate) const ALNUM: Self = Self(Self::LOWER.0 | HEX_UPPER | UPPER);
    /// `0-9a-zA-Z_`: what identifiers are made of.
    pub(crate) const WORD: Self = Self(Self::ALNUM.0 | UNDERSCORE);
    /// `0-9a-zA-Z_-`: base64url.
    pub(crate) const URL: Self = Self(Self::WORD.0 | DASH);
    /// base64url in parts that are joined by dots.
    pub(crate) const DOTTED: Self = Self(Self::URL.0 | DOT);
    /// base64url in parts, with percent escapes.
    pub(crate) const ESCAPED: Self = Self(Self::DOTTED.0 | PERCENT);
    /// `0-9a-zA-Z+/`: base64 without the padding at its end.
    pub(crate) const UNPADDED: Self = Self(Self::ALNUM.0 | PLUS_SLASH);
    /// `0-9a-zA-Z+/=`: base64.
    pub(crate) const BASE64: Self = Self(Self::ALNUM.0 | PLUS_SLASH | EQUALS);
    /// Both alphabets of base64.
    pub(crate) const ANY_BASE64: Self = Self(Self::BASE64.0 | UNDERSCORE | DASH);
    /// Parts that are joined by dollar signs.
    pub(crate) const DOLLARS: Self = Self(Self::ALNUM.0 | DOLLAR);
    /// What an HTTP `Authorization` credential is written in (token68).
    pub(crate) const TOKEN68: Self = Self(Self::DOTTED.0 | PLUS_SLASH | EQUALS | TILDE);
    /// What an Azure client secret is written in.
    pub(crate) const TILDED: Self = Self(Self::DOTTED.0 | TILDE);
    /// Segments of a URL path.
    pub(crate) const PATH: Self = Self(Self::URL.0 | PLUS_SLASH);

    /// Whether the character belongs to the set.
    #[inline]
    pub(crate) fn holds(self, byte: u8) -> bool {
        self.has(byte)
    }

    /// The same, where tables are made.
    #[inline]
    pub(crate) const fn has(self, byte: u8) -> bool {
        CLASSES[byte as usize] & self.0 != 0
    }

    /// Returns the end of the run of characters of the set that begins at `from`.
    #[inline]
    pub(crate) fn run(self, text: &[u8], from: usize) -> usize {
        let mut at = from;
        while at < text.len() && self.holds(text[at]) {
            at += 1;
        }
        #[cfg(test)]
        steps::add(at - from + 1);
        at
    }

    /// Returns the end of the run that begins at `from`, or a place past `most` characters: no
    /// recogniser looks further than its format is long, so that scanning stays linear.
    pub(crate) fn run_within(self, text: &[u8], from: usize, most: usize) -> usize {
        let reach = text.len().min(from.saturating_add(most).saturating_add(1));
        self.run(&text[..reach], from.min(reach))
    }

    /// Returns the start of the run of characters of the set that ends at `to`, looking at most
    /// 64 characters back.
    pub(crate) fn run_back(self, text: &[u8], to: usize) -> usize {
        let mut at = to;
        while at > to.saturating_sub(64) && at > 0 && self.holds(text[at - 1]) {
            at -= 1;
        }
        at
    }
}

/// Whether an identifier may hold this character.
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    Alphabet::WORD.holds(byte)
}

/// Whether this is a blank within a line.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether this character opens or closes a string literal.
pub(crate) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Returns the character before `at`, or a blank at the start.
pub(crate) fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1)
        .and_then(|at| text.get(at))
        .copied()
        .unwrap_or(b' ')
}

/// Returns the character at `at`, or a blank past the end.
pub(crate) fn byte_at(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b' ')
}

/// Skips blanks.
pub(crate) fn skip_blanks(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() && is_blank(text[at]) {
        at += 1;
    }
    at
}

/// Returns the first place of `needle` at or after `from`.
pub(crate) fn find(text: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    while let Some(step) = text.get(at..)?.iter().position(|byte| *byte == first) {
        at += step;
        #[cfg(test)]
        steps::add(step + 1);
        if text[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
    #[cfg(test)]
    steps::add(text.len() - at);
    None
}

/// Whether `text` holds `needle`, which is lower-case, in any case.
pub(crate) fn holds_any_case(text: &[u8], needle: &str) -> bool {
    #[cfg(test)]
    steps::add(text.len());
    text.windows(needle.len())
        .any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Counts the characters that searches may look at, so that a test can see how work grows.
#[cfg(test)]
pub(crate) mod steps {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn add(steps: usize) {
        COUNT.set(COUNT.get() + steps);
    }

    /// Returns how many are taken by `work`.
    pub(crate) fn of(work: impl FnOnce()) -> usize {
        let before = COUNT.get();
        work();
        COUNT.get() - before
    }
}
