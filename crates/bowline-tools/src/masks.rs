//! What stands between contents and the model: where secrets are, and the tokens shown for them.
//!
//! Tools do not know secrets. Whoever drives them gives them this, so that a file is masked whole,
//! before it is cut into pages, and a token that the model sends back becomes again what the file
//! holds for it.

use std::fmt;
use std::ops::Range;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where it is, in bytes of the text; between characters.
    pub range: Range<usize>,
    /// What is shown for it.
    pub token: String,
}

/// A token in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPlace {
    /// Where it is, in bytes of the text.
    pub range: Range<usize>,
    /// Which secret it stands for, if it says so: the same for every token of the same secret.
    pub id: Option<String>,
}

/// Finds secrets and the tokens that stand for them.
pub trait Masks: Send + Sync {
    /// The secrets of a text, in order, disjoint. Tokens in it are none.
    fn marks(&self, text: &str) -> Vec<Mark>;

    /// The tokens of a text, in order.
    fn tokens(&self, text: &str) -> Vec<TokenPlace>;

    /// What a keeper's filter is told, so that it masks as this does; never to be stored.
    fn for_keeper(&self) -> Option<String>;
}

impl fmt::Debug for dyn Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks")
    }
}

/// Knows no secret and no token.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMasks;

impl Masks for NoMasks {
    fn marks(&self, _text: &str) -> Vec<Mark> {
        Vec::new()
    }

    fn tokens(&self, _text: &str) -> Vec<TokenPlace> {
        Vec::new()
    }

    fn for_keeper(&self) -> Option<String> {
        None
    }
}
