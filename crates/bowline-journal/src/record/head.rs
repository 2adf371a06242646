//! The `head` file: which record was synced last. A witness, not truth.

use bowline_core::{Digest, Seq, SessionId};
use sha2::{Digest as _, Sha256};

use super::push_hex;

const HEAD_TAG: &[u8] = b"bowline-head-1";

/// The last synced record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its place.
    pub seq: Seq,
    /// The chain hash up to and including it.
    pub hash: Digest,
}

impl Head {
    /// Bytes of a head file: 20 digits, a space, 64 digits, a space, 16 digits, a line end.
    pub const BYTES: usize = 20 + 1 + 64 + 1 + 16 + 1;

    /// Writes `<seq> <hash> <check>`: always [`Self::BYTES`] long, so one write replaces it.
    ///
    /// The check is the start of a SHA-256 over the rest, so that a damaged head is not taken for
    /// a damaged journal.
    #[must_use]
    pub fn render(&self, session: SessionId) -> Vec<u8> {
        let mut out = format!("{:020} {} ", self.seq.0, self.hash).into_bytes();
        let mut hasher = Sha256::new_with_prefix(HEAD_TAG);
        hasher.update(session.uuid().as_bytes());
        hasher.update(&out);
        push_hex(&hasher.finalize()[..8], &mut out);
        out.push(b'\n');
        out
    }

    /// Reads a head file; `None` when it is not exactly what [`Self::render`] writes.
    #[must_use]
    pub fn parse(session: SessionId, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::BYTES {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let seq = Seq(text.get(..20)?.parse().ok()?);
        let hash = Digest::from_hex(text.get(21..85)?)?;
        let head = Self { seq, hash };
        (head.render(session) == bytes).then_some(head)
    }
}
