//! What tools are given to find secrets and tokens with: the masker of the session.

use std::sync::Arc;

use bowline_secrets::{Masker, tokens};
use bowline_tools::masks::{Mark, Masks, TokenPlace};

/// A masker, as tools see it.
pub(crate) struct SessionMasks(pub(crate) Arc<Masker>);

impl Masks for SessionMasks {
    fn marks(&self, text: &str) -> Vec<Mark> {
        let findings = self.0.find(text);
        let mark = |finding: &bowline_secrets::Finding| Mark {
            range: finding.range.clone(),
            token: self.0.token(text, finding),
        };
        findings.iter().map(mark).collect()
    }

    fn tokens(&self, text: &str) -> Vec<TokenPlace> {
        let tokens = tokens(text).into_iter().map(|token| TokenPlace {
            range: token.range,
            id: token.id,
        });
        tokens.collect()
    }

    fn for_keeper(&self) -> Option<String> {
        Some(self.0.hand_over())
    }
}
