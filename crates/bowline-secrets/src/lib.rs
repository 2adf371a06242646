//! Finds secrets in text and masks them.
//!
//! A secret is a token of a known provider format, a private key, or a value whose surroundings
//! say that it is one (`password=`, an address with a password, an `Authorization` header). Each
//! becomes a token such as `[secret:github-token:k7f2m2q4]`, so that the same bytes can be stored,
//! sent and shown, and the same secret is told again by its id.
//!
//! Deliberately absent: any I/O, any look-up whether a secret is valid, any record of what was
//! found, and regular expressions: the recognisers are tables walked once over the bytes, so that
//! linking this crate costs a process nothing at its start.
//!
//! Start at [`Masker`]; command output that comes in pieces goes through [`StreamMasker`].
//!
//! ```
//! use bowline_secrets::{Masker, holds_mask_token};
//!
//! let masker = Masker::new(vec!["correct-horse-battery".to_owned()]);
//! let masked = masker.mask("postgres://app:s3kR9vQx2LmT@db.internal/app correct-horse-battery");
//!
//! assert_eq!(masked.text, "postgres://app:[secret:url-password]@db.internal/app [secret:known]");
//! assert_eq!(masked.findings[0].range, 15..27);
//! assert!(holds_mask_token(&masked.text));
//! assert_eq!(masker.mask(&masked.text).text, masked.text);
//! ```

#![forbid(unsafe_code)]

mod assign;
mod auth;
mod awaited;
mod base64;
mod block;
mod bytes;
mod calls;
mod encoded;
mod formats;
mod known;
mod lanes;
mod likeness;
mod mask;
mod names;
mod options;
mod placeholder;
mod plain;
mod scanner;
mod shapes;
mod stream;
mod telling;
mod token;
mod unescaped;
mod url;
mod value;

use std::fmt;
use std::ops::Range;

use block::{Block, Step};
use formats::Hit;
use known::Known;
use scanner::Scanner;

pub use mask::{Masked, Masker, mask};
pub use stream::StreamMasker;
pub use token::{Key, Token, holds_mask_token, tokens};

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where it is, in bytes of the text; both ends lie between characters.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

impl Finding {
    fn new(text: &str, hit: Hit) -> Self {
        let mut range = hit.range;
        while !text.is_char_boundary(range.start) {
            range.start -= 1;
        }
        while !text.is_char_boundary(range.end) {
            range.end += 1;
        }
        Self {
            range,
            kind: Kind(hit.kind),
        }
    }
}

/// What a secret is, such as `github-token`: lower-case letters, digits and hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(&'static str);

impl Kind {
    pub(crate) const KNOWN: &'static str = "known";

    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// Finds every secret in a text, sorted and disjoint.
///
/// The time it takes is linear in the length of the text.
pub fn find(text: &str) -> Vec<Finding> {
    find_secrets(text.as_bytes(), &Known::default())
        .into_iter()
        .map(|hit| Finding::new(text, hit))
        .collect()
}

/// Finds secrets line by line, following private keys over theirs.
pub(crate) fn find_secrets(text: &[u8], known: &Known) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut scanner = Scanner::default();
    let mut open: Option<(usize, Block)> = None;
    let mut at = 0;
    while at < text.len() {
        let line = &text[at..lanes::line_end(text, at)];
        let mut from = 0;
        if let Some((start, mut block)) = open.take() {
            match block.step(line, known) {
                Step::Inside => {
                    open = Some((start, block));
                    at += line.len();
                    continue;
                }
                Step::Ends(end) if block.is_key() => {
                    hits.push(key(text, start..at + end));
                    from = end;
                }
                Step::Ends(_) => hits.extend(shifted(known_hits(&text[start..at], known), start)),
            }
        }
        let scanned = scanner.line(&line[from..], known);
        hits.extend(shifted(scanned.hits, at + from));
        open = scanned
            .opening
            .map(|start| (at + from + start, Block::default()));
        at += line.len();
    }
    match open {
        Some((start, block)) if block.is_key() => hits.push(key(text, start..text.len())),
        Some((start, _)) => hits.extend(shifted(known_hits(&text[start..], known), start)),
        None => {}
    }
    hits
}

/// Returns known values in text that is not scanned otherwise.
fn known_hits(text: &[u8], known: &Known) -> Vec<Hit> {
    known
        .places(text)
        .into_iter()
        .map(|range| Hit {
            range,
            kind: Kind::KNOWN,
        })
        .collect()
}

fn shifted(hits: Vec<Hit>, by: usize) -> impl Iterator<Item = Hit> {
    hits.into_iter().map(move |hit| Hit {
        range: hit.range.start + by..hit.range.end + by,
        ..hit
    })
}

/// The private key in a range, its last line end aside.
fn key(text: &[u8], range: Range<usize>) -> Hit {
    let end = range.end - block::line_end(&text[range.clone()]).len();
    Hit {
        range: range.start..end,
        kind: block::KIND,
    }
}

#[cfg(test)]
mod tests;
