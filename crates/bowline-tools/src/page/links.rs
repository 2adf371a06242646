//! Where the links of a page lead, listed after its text.

use std::collections::HashMap;
use std::fmt::Write as _;

use url::Url;

/// Most links that are listed.
const LINKS_MAX: usize = 150;

/// Most bytes of all links together.
const BYTES_MAX: usize = 8 << 10;

/// Longest link, in bytes.
const LINK_BYTES_MAX: usize = 500;

/// The links of one page.
#[derive(Debug)]
pub(super) struct Links {
    base: Url,
    /// In the order of their numbers.
    known: Vec<String>,
    numbers: HashMap<String, usize>,
    bytes: usize,
}

impl Links {
    pub(super) fn new(base: Url) -> Self {
        Self {
            base,
            known: Vec::new(),
            numbers: HashMap::new(),
            bytes: 0,
        }
    }

    /// Takes what the page says its links start from.
    pub(super) fn rebase(&mut self, target: &str) {
        if let Some(base) = self.resolve(target).and_then(|base| Url::parse(&base).ok()) {
            self.base = base;
        }
    }

    /// The whole address of a link to another page of the web.
    pub(super) fn resolve(&self, target: &str) -> Option<String> {
        let target = target.trim();
        if target.is_empty() || target.starts_with('#') || target.len() > LINK_BYTES_MAX {
            return None;
        }
        let url = self.base.join(target).ok()?;
        let is_web = matches!(url.scheme(), "http" | "https");
        let text = String::from(url);
        (is_web && text.len() <= LINK_BYTES_MAX).then_some(text)
    }

    /// The number of a link, from 1 on; `None` if it leads to no other page or is one too many.
    pub(super) fn add(&mut self, target: &str) -> Option<usize> {
        if self.known.len() == LINKS_MAX || self.bytes >= BYTES_MAX {
            return None;
        }
        let url = self.resolve(target)?;
        if let Some(number) = self.numbers.get(&url) {
            return Some(*number);
        }
        let number = self.known.len() + 1;
        self.bytes += url.len();
        self.numbers.insert(url.clone(), number);
        self.known.push(url);
        Some(number)
    }

    /// The text with its links after it: those that it still names.
    pub(super) fn append_to(&self, mut text: String) -> String {
        let mut is_first = true;
        let body = text.len();
        for (at, url) in self.known.iter().enumerate() {
            let number = at + 1;
            if !text[..body].contains(&format!("[{number}]")) {
                continue;
            }
            text.push_str(if is_first { "\n\nLinks:" } else { "" });
            is_first = false;
            // Writing to a String cannot fail.
            let _infallible = write!(text, "\n[{number}]: {url}");
        }
        text
    }
}
