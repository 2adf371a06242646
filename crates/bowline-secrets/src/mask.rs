//! Replaces what was found by tokens.

use std::borrow::Cow;

use crate::formats::Hit;
use crate::known::Known;
use crate::token::{self, Key};
use crate::{Finding, find_secrets};

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
    Masker::default().mask(text)
}

/// Masks secrets in text, and values that are known to be secret whatever they look like.
///
/// Known values are, say, the API keys that the harness was started with. They become
/// `[secret:known]`, and so do their base64, percent-encoded, JSON-escaped and hexadecimal forms.
///
/// With a key each token also says which secret it stands for: `[secret:github-token:k7f2m2q4]`.
/// The same value has the same id wherever it is found, whatever it was taken for.
#[derive(Clone, Default)]
pub struct Masker {
    pub(crate) known: Known,
    pub(crate) key: Option<Key>,
}

impl Masker {
    /// Creates a masker that knows these values.
    ///
    /// A value of several lines is known by each of its longer lines, since text is masked by
    /// lines. Values under 8 bytes are ignored.
    pub fn new(known: Vec<String>) -> Self {
        Self {
            known: Known::new(&known),
            key: None,
        }
    }

    /// The same masker, whose tokens have ids made with this key.
    #[must_use]
    pub fn keyed(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Masks every secret of the text, found or known.
    pub fn mask<'a>(&self, text: &'a str) -> Masked<'a> {
        let findings = self.find(text);
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
            masked.push_str(&self.token(text, finding));
            at = finding.range.end;
        }
        masked.push_str(&text[at..]);
        Masked {
            text: Cow::Owned(masked),
            findings,
        }
    }

    /// Finds every secret of the text, found or known, sorted and disjoint.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let hits = find_secrets(text.as_bytes(), &self.known);
        hits.into_iter()
            .map(|hit: Hit| Finding::new(text, hit))
            .collect()
    }

    /// Returns the token that stands for what was found in a text.
    pub fn token(&self, text: &str, finding: &Finding) -> String {
        let value = text[finding.range.clone()].as_bytes();
        token::token(finding.kind.as_str(), self.key.as_ref(), value)
    }

    /// Writes all that this masker knows, for another process of the same session. It holds the
    /// known values as they are: never to be stored or shown.
    pub fn hand_over(&self) -> String {
        let hex = |bytes: &[u8]| -> String {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            digits.collect()
        };
        let key = self.key.as_ref().map(|key| hex(key.bytes()));
        let known = self.known.values().map(hex);
        let lines: Vec<String> = [key.unwrap_or_default()].into_iter().chain(known).collect();
        lines.join("\n")
    }

    /// Reads what [`Self::hand_over`] wrote; `None` for anything else.
    pub fn taken_over(text: &str) -> Option<Self> {
        let bytes = |line: &str| -> Option<Vec<u8>> {
            let pairs = line.as_bytes().chunks(2);
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            line.len()
                .is_multiple_of(2)
                .then(|| pairs.map(byte).collect())?
        };
        let mut lines = text.split('\n');
        let key = match lines.next()? {
            "" => None,
            line => Some(Key::new(bytes(line)?.try_into().ok()?)),
        };
        let known = lines.map(bytes).collect::<Option<Vec<_>>>()?;
        Some(Self {
            known: Known::of(known),
            key,
        })
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
