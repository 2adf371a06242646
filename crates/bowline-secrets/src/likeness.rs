//! Tells random characters from words, by the pairs of letters that words are made of.

/// For each letter the letters that commonly follow it in English identifiers.
///
/// The 265 pairs (of 676) that make up 92 % of all pairs within the words of some two hundred
/// Rust crates, each word weighed by the logarithm of how often it occurs.
const FOLLOWERS: [&str; 26] = [
    "bcdgilmnprstuvxy",
    "aceijlorsu",
    "abcehiklorstu",
    "adeilorsuw",
    "abcdefgilmnopqrstvwxy",
    "aefilorsu",
    "aehinorstu",
    "aeiort",
    "abcdefglmnoprstvz",
    "e",
    "eis",
    "adeilopstuy",
    "abeimopsu",
    "acdefgiklnopstuv",
    "bcdfgiklmnoprstuvw",
    "abcdehiloprstuw",
    "u",
    "acdefgiklmnoprstuvy",
    "acehikloprstuwyz",
    "acdehilmoprstuy",
    "abcefilmnprst",
    "aei",
    "adeinors",
    "pt",
    "ps",
    "e",
];

const PAIRS: [u32; 26] = pairs();

const fn pairs() -> [u32; 26] {
    let mut table = [0; 26];
    let mut letter = 0;
    while letter < 26 {
        let followers = FOLLOWERS[letter].as_bytes();
        let mut at = 0;
        while at < followers.len() {
            table[letter] |= 1 << (followers[at] - b'a');
            at += 1;
        }
        letter += 1;
    }
    table
}

/// The least share of common pairs, in percent, by which letters count as words.
/// Measured with the rule for humps: 97 % of identifiers lie above it, 1 % of strings of 16 random
/// letters do.
const WORD_SHARE_PERCENT: usize = 70;

/// What a value is made of.
#[derive(Debug, Default)]
struct Makeup {
    digits: usize,
    letters: usize,
    distinct: u32,
    pairs: usize,
    common: usize,
    /// Changes from a digit to a letter within one run of both: words end in digits at most.
    digit_to_letter: usize,
    /// Single small letters between capitals, as in `PxQ`: rare in names.
    humps: usize,
    /// Punctuation other than what joins words.
    signs: usize,
    /// Most equal characters in a row.
    longest_repeat: usize,
}

impl Makeup {
    fn of(value: &[u8]) -> Self {
        let mut makeup = Self::default();
        let mut seen = [false; 256];
        let mut repeat = 0;
        let mut last = 0;
        for (at, &byte) in value.iter().enumerate() {
            if !std::mem::replace(&mut seen[usize::from(byte)], true) {
                makeup.distinct += 1;
            }
            repeat = if at > 0 && byte == last {
                repeat + 1
            } else {
                1
            };
            makeup.longest_repeat = makeup.longest_repeat.max(repeat);
            if byte.is_ascii_digit() {
                makeup.digits += 1;
            } else if is_sign(&byte) {
                makeup.signs += 1;
            } else if byte.is_ascii_alphabetic() {
                makeup.letters += 1;
                if last.is_ascii_digit() {
                    makeup.digit_to_letter += 1;
                } else if last.is_ascii_uppercase()
                    || last.is_ascii_alphabetic() && byte.is_ascii_lowercase()
                {
                    makeup.pair(last, byte);
                }
                let hump = byte.is_ascii_uppercase() && last.is_ascii_lowercase();
                makeup.humps += usize::from(hump && at > 1 && value[at - 2].is_ascii_uppercase());
            }
            last = byte;
        }
        makeup
    }

    fn has_words(&self) -> bool {
        self.humps < 2 && self.common * 100 >= self.pairs * WORD_SHARE_PERCENT
    }

    fn pair(&mut self, first: u8, second: u8) {
        let row = PAIRS[usize::from(first.to_ascii_lowercase() - b'a')];
        self.pairs += 1;
        self.common += usize::from(row >> (second.to_ascii_lowercase() - b'a') & 1 == 1);
    }
}

/// Whether the value reads as words: letters that follow each other as in English, digits only
/// at the end of a word, any punctuation between. Numbers alone count as words too.
pub(crate) fn is_wordy(value: &[u8]) -> bool {
    let makeup = Makeup::of(value);
    makeup.digit_to_letter == 0 && makeup.has_words()
}

/// Whether the letters of the value read as words, wherever its digits stand.
pub(crate) fn has_words(value: &[u8]) -> bool {
    Makeup::of(value).has_words()
}

/// Whether the value could have come from a random generator: at least eight characters, varied,
/// with a letter, and not words.
pub(crate) fn is_random(value: &[u8]) -> bool {
    let makeup = Makeup::of(value);
    let varied = makeup.distinct >= if value.len() < 16 { 6 } else { 7 };
    let scrambled = match makeup.digits {
        0 => (makeup.pairs >= 4 || makeup.signs >= 3) && !makeup.has_words(),
        _ => makeup.digit_to_letter >= 2 || !makeup.has_words(),
    };
    value.len() >= 8
        && varied
        && makeup.longest_repeat < 6
        && makeup.letters > 0
        && (scrambled || makeup.signs >= 3 && makeup.letters >= 3 && !value.contains(&b'/'))
}

/// Whether a person made this password up by the usual rules: at least eight characters of
/// three of the kinds lower-case, upper-case, digit, sign.
pub(crate) fn is_chosen(value: &[u8]) -> bool {
    let kinds: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_lowercase,
        u8::is_ascii_uppercase,
        u8::is_ascii_digit,
        is_sign,
    ];
    value.len() >= 8 && kinds.iter().filter(|kind| value.iter().any(kind)).count() >= 3
}

/// Whether this is punctuation that does not join words or paths.
pub(crate) fn is_sign(byte: &u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b',')
}

#[cfg(test)]
mod tests;
