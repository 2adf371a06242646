//! What a part of a request weighs: its text in tokens at most, and its images by number.

use std::ops::Range;

use crate::bound;

/// Tokens added for each part that is weighed: where two parts meet, a token may reach over both,
/// and the pieces next to it may be others.
pub(crate) const SEAM_TOKENS: u64 = 4;

/// The weight of some bytes of a body. Parts may be weighed one by one and added up, so what a later
/// request weighs more is a bound on what was added to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Tokens that the text comes to at most.
    text_tokens: u64,
    images: u64,
}

impl Weight {
    /// The weight of text. A third of the bytes is the least, as other tokenizers are coarser than
    /// the one that the bound is for.
    pub(crate) fn of(text: &[u8]) -> Self {
        let bound = bound::of_bytes(text) + SEAM_TOKENS;
        Self {
            text_tokens: bound.max((text.len() as u64).div_ceil(3)),
            images: 0,
        }
    }

    /// The weight of what `body` holds from `start` on. `pictures` says where in it the bytes of
    /// images stand, in order.
    pub(crate) fn with_pictures(body: &[u8], start: usize, pictures: &[Range<usize>]) -> Self {
        let mut weight = Self::default();
        let mut at = start;
        for picture in pictures {
            weight = weight.plus(Self::of(&body[at..picture.start]));
            weight.images += 1;
            at = picture.end;
        }
        weight.plus(Self::of(&body[at..]))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            text_tokens: self.text_tokens + other.text_tokens,
            images: self.images + other.images,
        }
    }

    pub(crate) fn times(self, times: u64) -> Self {
        Self {
            text_tokens: self.text_tokens * times,
            images: self.images * times,
        }
    }

    /// Tokens at most, an image taking so many.
    pub(crate) fn tokens(self, image_tokens: u64) -> u64 {
        let images = self.images.saturating_mul(image_tokens);
        self.text_tokens.saturating_add(images)
    }
}

#[cfg(test)]
mod tests;
