//! Makes foreign text fit for a message: no secrets, no escapes, one line, not too long.

use std::error::Error;
use std::fmt;

/// Replaces known secrets in text.
#[derive(Clone, Default)]
pub(crate) struct Scrub {
    secrets: Vec<String>,
}

impl Scrub {
    /// Secrets shorter than this would blot out ordinary words.
    const LEAST_BYTES: usize = 6;

    pub(crate) fn new(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= Self::LEAST_BYTES);
        // The longest first, or a part of it would be left standing.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// `text` as one clean line with every secret replaced.
    pub(crate) fn clean(&self, text: &str) -> String {
        let text = self.secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "***")
        });
        one_line(&text)
    }
}

impl fmt::Debug for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrub({} secrets)", self.secrets.len())
    }
}

/// `text` with runs of white space and control characters as single spaces. Terminal escape
/// sequences lose their escape character and the letters that belong to it.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut gap = false;
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' && letters.next_if_eq(&'[').is_some() {
            while letters
                .next_if(|next| !('@'..='~').contains(next))
                .is_some()
            {}
            letters.next();
        } else if letter.is_whitespace() || letter.is_control() || is_invisible(letter) {
            gap = true;
        } else {
            if std::mem::take(&mut gap) && !line.is_empty() {
                line.push(' ');
            }
            line.push(letter);
        }
    }
    line
}

/// Whether a character changes how its neighbours are shown without being seen.
const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The first `most` characters of `text` as one line, with dots if there are more.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// What lies behind an error, innermost last, without the URL it names.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        cause = inner.source();
    }
    // The outer layers only say that a request failed.
    parts
        .pop()
        .unwrap_or_else(|| "the request failed".to_owned())
}
