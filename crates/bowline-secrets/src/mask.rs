//! Replaces what was found by tokens.

use std::borrow::Cow;
use std::ops::Range;

use crate::bytes::find;
use crate::formats::Hit;
use crate::known::Known;
use crate::placeholder::TOKEN_OPENING;
use crate::{Finding, find_secrets};

/// Longest kind in a token, in characters.
const LONGEST_KIND: usize = 64;

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked<'a> {
    /// The text, with a token such as `[secret:github-token]` for each secret; borrowed if there
    /// was none.
    pub text: Cow<'a, str>,
    /// What was masked, as ranges of the original text in bytes, sorted and disjoint.
    pub findings: Vec<Finding>,
}

/// Masks every secret that [`crate::find`] finds.
///
/// Masking what was masked before changes nothing.
pub fn mask(text: &str) -> Masked<'_> {
    replace(text, find_secrets(text.as_bytes(), &Known::default()))
}

/// Whether the text holds a mask token.
///
/// File tools refuse to write such text: it would replace a real value by its token.
pub fn holds_mask_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = find(bytes, TOKEN_OPENING.as_bytes(), at) {
        if token_end(bytes, start).is_some() {
            return true;
        }
        at = start + 1;
    }
    false
}

/// Returns the end of the mask token that begins at `start`.
pub(crate) fn token_end(text: &[u8], start: usize) -> Option<usize> {
    let kind = text.get(start..)?.strip_prefix(TOKEN_OPENING.as_bytes())?;
    let of_kind = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let length = kind
        .iter()
        .take(LONGEST_KIND)
        .take_while(|byte| of_kind(byte))
        .count();
    (length > 0 && kind.get(length) == Some(&b']'))
        .then_some(start + TOKEN_OPENING.len() + length + 1)
}

fn replace(text: &str, hits: Vec<Hit>) -> Masked<'_> {
    let findings: Vec<Finding> = hits
        .into_iter()
        .map(|hit| Finding::new(text, hit))
        .collect();
    if findings.is_empty() {
        return Masked {
            text: Cow::Borrowed(text),
            findings,
        };
    }
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for finding in &findings {
        masked.push_str(&text[at..finding.range.start]);
        masked.push_str(&finding.kind.token());
        at = finding.range.end;
    }
    masked.push_str(&text[at..]);
    Masked {
        text: Cow::Owned(masked),
        findings,
    }
}

/// Masks secrets in text, and values that are known to be secret whatever they look like.
///
/// Known values are, say, the API keys that the harness was started with. They become
/// `[secret:known]`.
#[derive(Clone, Default)]
pub struct Masker {
    pub(crate) known: Known,
}

impl Masker {
    /// Creates a masker that knows these values.
    ///
    /// A value of several lines is known by each of its longer lines, since text is masked by
    /// lines. Values under 8 bytes are ignored.
    pub fn new(known: Vec<String>) -> Self {
        Self {
            known: Known::new(&known),
        }
    }

    /// Masks every secret of the text, found or known.
    pub fn mask<'a>(&self, text: &'a str) -> Masked<'a> {
        replace(text, find_secrets(text.as_bytes(), &self.known))
    }
}

impl std::fmt::Debug for Masker {
    /// Says how many values are known, never which.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Masker")
            .field("known", &self.known.len())
            .finish()
    }
}

/// Whether a place overlaps a mask token that is in the text.
pub(crate) fn touches_token(text: &[u8], place: &Range<usize>) -> bool {
    let reach = &text[..text.len().min(place.end + TOKEN_OPENING.len())];
    let mut at = place
        .start
        .saturating_sub(TOKEN_OPENING.len() + LONGEST_KIND);
    while let Some(start) = find(reach, TOKEN_OPENING.as_bytes(), at) {
        if start < place.end && token_end(text, start).is_some_and(|end| end > place.start) {
            return true;
        }
        at = start + 1;
    }
    false
}
