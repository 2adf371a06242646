//! The token counts of a reply, which come in two parts.

use bowline_core::Usage;
use serde_json::Value;

use crate::wire::json::count;

/// What was counted so far. The counts of a stream only grow, so the largest is the last.
#[derive(Debug, Default)]
pub(super) struct Counts {
    seen: bool,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
}

impl Counts {
    /// Takes in a `usage` object, wherever it stands.
    pub(super) fn take(&mut self, usage: &Value) {
        for (field, kept) in [
            ("input_tokens", &mut self.input),
            ("cache_read_input_tokens", &mut self.cache_read),
            ("cache_creation_input_tokens", &mut self.cache_write),
            ("output_tokens", &mut self.output),
        ] {
            if let Some(tokens) = count(&usage[field]) {
                *kept = tokens.max(*kept);
                self.seen = true;
            }
        }
    }

    /// All of it; `None` if nothing was counted. The API counts cached tokens beside the others.
    pub(super) fn usage(&self) -> Option<Usage> {
        let cached = self.cache_read.saturating_add(self.cache_write);
        self.seen.then(|| Usage {
            input_tokens: self.input.saturating_add(cached),
            cached_input_tokens: self.cache_read,
            cache_write_tokens: self.cache_write,
            output_tokens: self.output,
            reasoning_tokens: 0,
        })
    }
}
