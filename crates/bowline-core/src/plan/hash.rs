//! Short hashes of blocks: what tells that a block is what it was.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Digest;

/// The first 16 bytes of a SHA-256 digest, written as 32 lower-case hexadecimal digits. It tells
/// blocks apart and proves nothing: the chain of the journal does that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash([u8; 16]);

impl BlockHash {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from(Digest::of(bytes))
    }

    /// Reads exactly 32 lower-case hexadecimal digits; anything else is `None`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 32 {
            return None;
        }
        // The other half is of no interest; a digest knows how digits are read.
        Digest::from_hex(&text.repeat(2)).map(Self::from)
    }
}

impl From<Digest> for BlockHash {
    fn from(digest: Digest) -> Self {
        let mut start = [0; 16];
        start.copy_from_slice(&digest.as_bytes()[..16]);
        Self(start)
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockHash({self})")
    }
}

impl Serialize for BlockHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlockHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 32 lower-case hexadecimal digits"))
    }
}
