//! Anchors: where every chain of a state folder stood at one time, signed, to be kept elsewhere.
//!
//! A chain shows that nothing in it was changed since it was written, but whoever can write the
//! folder can write a whole new chain. Against that helps only something that lies where they
//! cannot write: an anchor names the last record of each chain and its hash, and bears an Ed25519
//! signature. A chain that has only grown since still holds that record.
//!
//! What is signed is not the JSON but these lines, so that spaces and order of fields do not
//! matter: `bowline-anchor-1`, the time, the public key, then `STREAM SEQ HASH` for each head, in
//! order of streams, each line ended by a newline.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bowline_core::Digest;
use bowline_core::Seq;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::chains::Stream;
use crate::record::{Head, from_hex, hex};

/// A larger file is no anchor: room for a hundred thousand sessions.
const MOST_BYTES: usize = 32 << 20;
const TAG: &str = "bowline-anchor-1";
const KEY_TAG: &str = "bowline-anchor-key-1";

/// Why a file is no anchor, or no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// It is not what this version writes.
    #[error("it cannot be read as {what}: {why}")]
    Format {
        /// `an anchor` or `a key`.
        what: &'static str,
        /// Why not, in a few words.
        why: String,
    },
    /// The signature does not fit.
    #[error("its signature does not hold: the file was changed, or never signed with this key")]
    Signature,
}

fn no_anchor(why: impl Into<String>) -> AnchorError {
    AnchorError::Format {
        what: "an anchor",
        why: why.into(),
    }
}

/// The public half of a key that anchors are signed with: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorKey([u8; 32]);

impl std::fmt::Display for AnchorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::str::FromStr for AnchorKey {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        from_hex(text).map(Self).ok_or(AnchorError::Format {
            what: "a key",
            why: "a public key is 64 lower-case hexadecimal digits".to_owned(),
        })
    }
}

/// The secret half. Never shown: it goes from its file to here and back.
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.public())
    }
}

impl Signer {
    /// A fresh key from the system's randomness.
    ///
    /// # Errors
    /// What the system said.
    pub fn fresh() -> std::io::Result<Self> {
        let mut seed = [0; 32];
        let mut filled = 0;
        while filled < seed.len() {
            let flags = rustix::rand::GetRandomFlags::empty();
            filled += rustix::rand::getrandom(&mut seed[filled..], flags)?;
        }
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`AnchorError::Format`], which never holds any of the file.
    pub fn read(text: &str) -> Result<Self, AnchorError> {
        let digits = text.trim_end().strip_prefix(KEY_TAG);
        let digits = digits.and_then(|rest| rest.strip_prefix(' '));
        let seed = digits.and_then(from_hex).ok_or(AnchorError::Format {
            what: "a key",
            why: format!("a key file is one line, `{KEY_TAG}` and 64 hexadecimal digits"),
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// What its file holds: to be kept as private as the key itself.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{KEY_TAG} {}\n", hex(self.0.as_bytes()))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> AnchorKey {
        AnchorKey(self.0.verifying_key().to_bytes())
    }
}

/// Where one chain stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchoredHead {
    /// Which chain.
    pub stream: Stream,
    /// Its last record.
    pub seq: Seq,
    /// The chain hash up to and including it.
    pub hash: Digest,
}

/// Where every chain stood at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    at_ms: u64,
    key: AnchorKey,
    heads: BTreeMap<Stream, Head>,
    signature: [u8; 64],
}

/// An anchor as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bowline_anchor: u32,
    at_ms: u64,
    public_key: String,
    heads: Vec<AnchoredHead>,
    signature: String,
}

impl Anchor {
    /// Signs where chains stand; `at_ms` is the time, in milliseconds since 1970.
    #[must_use]
    pub fn sign(heads: BTreeMap<Stream, Head>, at_ms: u64, signer: &Signer) -> Self {
        let mut anchor = Self {
            at_ms,
            key: signer.public(),
            heads,
            signature: [0; 64],
        };
        anchor.signature = signer.0.sign(anchor.signed().as_bytes()).to_bytes();
        anchor
    }

    /// Reads an anchor and checks its signature against the key that it names: whose that is, is
    /// for the caller to know.
    ///
    /// # Errors
    /// [`AnchorError::Format`], [`AnchorError::Signature`].
    pub fn read(bytes: &[u8]) -> Result<Self, AnchorError> {
        if bytes.len() > MOST_BYTES {
            return Err(no_anchor("it is too large"));
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| no_anchor(error.to_string()))?;
        if file.bowline_anchor != 1 {
            return Err(no_anchor(format!(
                "it is of version {}, and this version of Bowline knows 1",
                file.bowline_anchor
            )));
        }
        let key: AnchorKey = file.public_key.parse()?;
        let signature = from_hex(&file.signature)
            .ok_or_else(|| no_anchor("a signature is 128 lower-case hexadecimal digits"))?;
        let mut heads = BTreeMap::new();
        for AnchoredHead { stream, seq, hash } in file.heads {
            if heads.insert(stream, Head { seq, hash }).is_some() {
                return Err(no_anchor(format!("it names {stream} twice")));
            }
        }
        let anchor = Self {
            at_ms: file.at_ms,
            key,
            heads,
            signature,
        };
        let public = VerifyingKey::from_bytes(&key.0).map_err(|_| AnchorError::Signature)?;
        let signature = Signature::from_bytes(&signature);
        public
            .verify_strict(anchor.signed().as_bytes(), &signature)
            .map_err(|_| AnchorError::Signature)?;
        Ok(anchor)
    }

    /// The file, one JSON object with a line end.
    ///
    /// # Errors
    /// None in practice: everything in it can be written as JSON.
    pub fn file(&self) -> Result<String, serde_json::Error> {
        let heads = self.heads.iter().map(|(stream, head)| AnchoredHead {
            stream: *stream,
            seq: head.seq,
            hash: head.hash,
        });
        let mut text = serde_json::to_string_pretty(&File {
            bowline_anchor: 1,
            at_ms: self.at_ms,
            public_key: self.key.to_string(),
            heads: heads.collect(),
            signature: hex(&self.signature),
        })?;
        text.push('\n');
        Ok(text)
    }

    /// When it was made, in milliseconds since 1970, by the clock of the machine that made it.
    #[must_use]
    pub const fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// The key it was signed with.
    #[must_use]
    pub const fn key(&self) -> AnchorKey {
        self.key
    }

    /// Where each chain stood.
    #[must_use]
    pub const fn heads(&self) -> &BTreeMap<Stream, Head> {
        &self.heads
    }

    fn signed(&self) -> String {
        let mut text = format!("{TAG}\n{}\n{}\n", self.at_ms, self.key);
        for (stream, head) in &self.heads {
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "{stream} {} {}", head.seq, head.hash);
        }
        text
    }
}

#[cfg(test)]
mod tests;
