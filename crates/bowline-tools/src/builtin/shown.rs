//! A file's text as the model is shown it, each secret as its token, and the way back.
//!
//! What the model writes is held against this text, so that no edit reaches into a secret, and a
//! token in it becomes what the file itself holds for that token. A secret never moves from one
//! file to another by its token.

use std::borrow::Cow;
use std::ops::Range;

use crate::masks::{Masks, TokenPlace};

#[cfg(test)]
mod tests;

/// A text with tokens for its secrets.
#[derive(Debug)]
pub(super) struct Shown<'t> {
    source: &'t str,
    text: Cow<'t, str>,
    /// Where tokens stand for secrets, in order.
    secrets: Vec<Secret>,
    /// All tokens of the text: those for secrets, and what the file holds that only reads like one.
    tokens: Vec<TokenPlace>,
}

/// One secret: its token in the shown text, its bytes in the source.
#[derive(Debug)]
struct Secret {
    shown: Range<usize>,
    source: Range<usize>,
}

/// Why a text cannot be written: a token in it, and what is wrong with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) token: String,
    pub(super) why: &'static str,
}

impl<'t> Shown<'t> {
    /// Masks the text of a file.
    pub(super) fn of(source: &'t str, masks: &dyn Masks) -> Self {
        let marks = masks.marks(source);
        let mut secrets = Vec::with_capacity(marks.len());
        let text = if marks.is_empty() {
            Cow::Borrowed(source)
        } else {
            let mut text = String::with_capacity(source.len());
            let mut at = 0;
            for mark in marks {
                text.push_str(&source[at..mark.range.start]);
                let start = text.len();
                text.push_str(&mark.token);
                secrets.push(Secret {
                    shown: start..text.len(),
                    source: mark.range.clone(),
                });
                at = mark.range.end;
            }
            text.push_str(&source[at..]);
            Cow::Owned(text)
        };
        let tokens = masks.tokens(&text);
        Self {
            source,
            text,
            secrets,
            tokens,
        }
    }

    /// The text with tokens.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text of the file.
    pub(super) const fn source(&self) -> &'t str {
        self.source
    }

    /// Whether anything in it is masked.
    pub(super) const fn is_masked(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// How many line ends lie within each secret that has some, by the place of its token.
    pub(super) fn folded(&self) -> Vec<(usize, u64)> {
        let lines = |secret: &Secret| {
            let inside = &self.source[secret.source.clone()];
            let count = inside.bytes().filter(|byte| *byte == b'\n').count() as u64;
            (count > 0).then_some((secret.shown.start, count))
        };
        self.secrets.iter().filter_map(lines).collect()
    }

    /// The place in the source of a place in the shown text; `None` inside a secret's token.
    pub(super) fn origin(&self, at: usize) -> Option<usize> {
        let index = self
            .secrets
            .partition_point(|secret| secret.shown.start < at);
        let Some(before) = index.checked_sub(1).map(|index| &self.secrets[index]) else {
            return Some(at);
        };
        (at >= before.shown.end).then(|| before.source.end + (at - before.shown.end))
    }

    /// Whether a range of the source cuts a secret in two.
    pub(super) fn cuts(&self, range: &Range<usize>) -> bool {
        let inside =
            |at: usize, secret: &Secret| secret.source.start < at && at < secret.source.end;
        let mut secrets = self.secrets.iter();
        secrets.any(|secret| {
            inside(range.start, secret)
                || inside(range.end, secret)
                || secret.source.start < range.end
                    && range.start < secret.source.end
                    && !(range.start <= secret.source.start && secret.source.end <= range.end)
        })
    }

    /// A text of the model with its tokens as this file's own are spelled: one secret may have been
    /// shown elsewhere as something else.
    pub(super) fn respelled<'m>(&self, text: &'m str, masks: &dyn Masks) -> Cow<'m, str> {
        let mut respelled = String::new();
        let mut at = 0;
        for token in masks.tokens(text) {
            let spelled = &text[token.range.clone()];
            if self.spelled_here(spelled).next().is_some() {
                continue;
            }
            let same = |known: &&TokenPlace| known.id.is_some() && known.id == token.id;
            if let Some(known) = self.tokens.iter().find(same) {
                respelled.push_str(&text[at..token.range.start]);
                respelled.push_str(&self.text[known.range.clone()]);
                at = token.range.end;
            }
        }
        if at == 0 {
            return Cow::Borrowed(text);
        }
        respelled.push_str(&text[at..]);
        Cow::Owned(respelled)
    }

    /// Puts in place of each token of a text what this file holds for it: at `near`, a range of
    /// the shown text that the text replaces, or else anywhere in it.
    ///
    /// # Errors
    /// The first token that stands for nothing here, or not for one thing.
    pub(super) fn restored<'m>(
        &self,
        text: &'m str,
        near: Range<usize>,
        masks: &dyn Masks,
    ) -> Result<Cow<'m, str>, Lost> {
        let tokens = masks.tokens(text);
        if tokens.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        let spelled = |token: &TokenPlace| &text[token.range.clone()];
        let mut restored = String::with_capacity(text.len());
        let mut at = 0;
        for (index, token) in tokens.iter().enumerate() {
            let name = spelled(token);
            let alike = |other: &&TokenPlace| spelled(other) == name;
            let number = tokens[..index].iter().filter(alike).count();
            let count = tokens.iter().filter(alike).count();
            restored.push_str(&text[at..token.range.start]);
            restored.push_str(self.meant(name, number, count, &near)?);
            at = token.range.end;
        }
        restored.push_str(&text[at..]);
        Ok(Cow::Owned(restored))
    }

    /// What the `number`th of `count` equal tokens of a text means.
    fn meant(
        &self,
        token: &str,
        number: usize,
        count: usize,
        near: &Range<usize>,
    ) -> Result<&str, Lost> {
        let lost = |why| {
            Err(Lost {
                token: token.to_owned(),
                why,
            })
        };
        let within =
            |place: &&TokenPlace| near.start <= place.range.start && place.range.end <= near.end;
        let mut places: Vec<&TokenPlace> = self.spelled_here(token).filter(within).collect();
        if places.is_empty() {
            places = self.spelled_here(token).collect();
        }
        let values: Vec<&str> = places.iter().map(|place| self.value(place)).collect();
        match values.as_slice() {
            [] => lost("stands for nothing in this file"),
            [first, rest @ ..] if rest.iter().all(|other| other == first) => Ok(first),
            // Each in its turn, where all of them stay.
            all if all.len() == count => Ok(all[number]),
            _ => lost("stands for several different texts of this file"),
        }
    }

    /// The tokens of this file that are spelled like this.
    fn spelled_here<'s>(&'s self, token: &'s str) -> impl Iterator<Item = &'s TokenPlace> {
        let is_it = move |place: &&TokenPlace| &self.text[place.range.clone()] == token;
        self.tokens.iter().filter(is_it)
    }

    /// What the file holds where a token is shown: a secret, or those very letters.
    fn value(&self, place: &TokenPlace) -> &str {
        let secret = self
            .secrets
            .binary_search_by_key(&place.range.start, |secret| secret.shown.start);
        match secret {
            Ok(index) => &self.source[self.secrets[index].source.clone()],
            Err(_) => &self.text[place.range.clone()],
        }
    }
}

/// Where a text may be cut so that at most `length` bytes are left and no token is cut in two.
pub(super) fn whole_tokens(text: &str, length: usize, masks: &dyn Masks) -> usize {
    let tokens = masks.tokens(text);
    let cut = tokens
        .iter()
        .find(|token| token.range.start < length && length < token.range.end);
    cut.map_or(length, |token| token.range.start)
}

impl Lost {
    /// What is wrong, for the model; `name` is the file.
    pub(super) fn told(&self, name: &str) -> String {
        format!(
            "`{}` {}: a mask token is put back only where its secret stands already, and no secret \
             moves from one file to another. Read `{name}` again and keep its tokens as they are \
             shown, or leave the value out and ask the person to put it in",
            self.token, self.why
        )
    }
}
