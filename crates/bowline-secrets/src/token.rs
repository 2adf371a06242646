//! Mask tokens: what stands in a text for a secret, and how one is told from other text.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::bytes::find;
use crate::placeholder::TOKEN_OPENING;
use crate::plain;

/// Longest kind in a token, in characters.
const LONGEST_KIND: usize = 64;

/// Characters of an id: 40 bits.
const ID_LENGTH: usize = 8;

/// Longest token, in bytes.
const LONGEST: usize = TOKEN_OPENING.len() + LONGEST_KIND + 1 + ID_LENGTH + 1;

/// Digits of ids (RFC 4648 base32 in lower case).
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What ids are made with: 32 random bytes that nobody learns who reads tokens.
///
/// The id of a value is the start of a keyed hash of its bytes, so that one secret has one id
/// wherever it occurs, and whoever has only the tokens cannot try out what they stand for.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Length of a key, in bytes.
    pub const LENGTH: usize = 32;

    /// Takes random bytes for a key.
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Begins the id of a value whose bytes come piece by piece.
    pub(crate) fn hash(&self) -> Hash {
        let mut inner = Sha256::new();
        inner.update(self.pad(0x36));
        Hash {
            key: self.clone(),
            inner,
        }
    }

    /// A block of the key for one of the two rounds of HMAC (RFC 2104).
    fn pad(&self, with: u8) -> [u8; 64] {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(self.0) {
            *byte ^= key;
        }
        block
    }
}

impl std::fmt::Debug for Key {
    /// Shows nothing of it.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key")
    }
}

/// A keyed hash under way.
#[derive(Clone)]
pub(crate) struct Hash {
    key: Key,
    inner: Sha256,
}

impl Hash {
    /// Takes the next bytes of a value; the terminal's colours in them do not count. A colour must
    /// not be cut in two.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        plain::without_colours(bytes, |piece| self.inner.update(piece));
    }

    /// Returns the id.
    pub(crate) fn id(self) -> String {
        let mut outer = Sha256::new();
        outer.update(self.key.pad(0x5c));
        outer.update(self.inner.finalize());
        let hash = outer.finalize();
        let mut bits = hash
            .iter()
            .take(8)
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let mut id = String::with_capacity(ID_LENGTH);
        for _ in 0..ID_LENGTH {
            bits = bits.rotate_left(5);
            id.push(char::from(DIGITS[(bits & 31) as usize]));
        }
        id
    }
}

/// Writes the token of a value: `[secret:KIND:ID]`, without a key `[secret:KIND]`.
pub(crate) fn token(kind: &str, key: Option<&Key>, value: &[u8]) -> String {
    with_id(
        kind,
        key.map(|key| {
            let mut hash = key.hash();
            hash.add(value);
            hash.id()
        }),
    )
}

/// The token of a kind and an id.
pub(crate) fn with_id(kind: &str, id: Option<String>) -> String {
    match id {
        Some(id) => format!("{TOKEN_OPENING}{kind}:{id}]"),
        None => format!("{TOKEN_OPENING}{kind}]"),
    }
}

/// A mask token in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Its id; none in the tokens of older sessions and of maskers without a key.
    pub id: Option<String>,
}

/// Returns every mask token of a text, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(start) = find(bytes, TOKEN_OPENING.as_bytes(), at) {
        at = start + 1;
        if let Some(end) = token_end(bytes, start) {
            let inner = &text[start + TOKEN_OPENING.len()..end - 1];
            let id = inner.split_once(':').map(|(_, id)| id.to_owned());
            all.push(Token {
                range: start..end,
                id,
            });
            at = end;
        }
    }
    all
}

/// Whether the text holds a mask token.
///
/// What writes or runs such text would put a token where a real value was meant.
pub fn holds_mask_token(text: &str) -> bool {
    !tokens(text).is_empty()
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
    let end = start + TOKEN_OPENING.len() + length;
    if length == 0 {
        return None;
    }
    match *kind.get(length)? {
        b']' => Some(end + 1),
        b':' => {
            let id = kind.get(length + 1..length + 1 + ID_LENGTH)?;
            let closed = kind.get(length + 1 + ID_LENGTH) == Some(&b']');
            let is_id = closed && id.iter().all(|byte| DIGITS.contains(byte));
            is_id.then_some(end + 1 + ID_LENGTH + 1)
        }
        _ => None,
    }
}

/// Whether a place overlaps a mask token that is in the text.
pub(crate) fn touches_token(text: &[u8], place: &Range<usize>) -> bool {
    let reach = &text[..text.len().min(place.end + TOKEN_OPENING.len())];
    let mut at = place.start.saturating_sub(LONGEST);
    while let Some(start) = find(reach, TOKEN_OPENING.as_bytes(), at) {
        if start < place.end && token_end(text, start).is_some_and(|end| end > place.start) {
            return true;
        }
        at = start + 1;
    }
    false
}

#[cfg(test)]
mod tests;
