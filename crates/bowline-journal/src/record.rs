//! One journal record as bytes: pure, no disk.
//!
//! A record is one line:
//! `{"seq":N,"epoch":N,"prev":"<64 hex>","commitment":"<64 hex>","salt":"<32 hex>","body":<json>}`
//!
//! - `commitment` = SHA-256(salt, body bytes exactly as stored);
//! - its hash = SHA-256(tag, session, seq, epoch, prev, commitment), numbers as 64-bit big endian;
//! - `prev` = the hash of the record before, or a seed made from the session id.
//!
//! Only the one spelling that this module writes is read: no spaces, no other order, no other
//! case, no leading zeros. So every changed bit is either a format fault or a wrong hash. The
//! epoch changes only at an `OwnerChanged` event, to the epoch it names.

mod chain;
mod head;
pub(crate) mod parts;
#[cfg(test)]
mod tests;
mod verify;

use bowline_core::{Digest, Epoch, Seq, SessionId};
use sha2::{Digest as _, Sha256};

pub use chain::{Chain, Record};
pub use head::Head;
pub(crate) use verify::verify_large;
pub use verify::{Finding, Tail, Verified, verify, verify_from};

/// Random bytes of one record: they keep a commitment from telling what a short body says.
pub type Salt = [u8; 16];

const SEED_TAG: &[u8] = b"bowline-journal-1";
const RECORD_TAG: &[u8] = b"bowline-record-1";

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is not spelled as a record is.
    #[error("the line is not a record: {0}")]
    Format(&'static str),
    /// It stands in the wrong place.
    #[error("the record says it is number {found}: one is missing, doubled or moved")]
    Seq {
        /// The number it bears.
        found: Seq,
    },
    /// It does not follow the record before it.
    #[error("the record does not follow the one before it: one of them was changed or replaced")]
    Prev,
    /// Its body, salt or commitment was changed.
    #[error("the body does not match its commitment: it was changed")]
    Commitment,
    /// Its epoch is not the owner's.
    #[error("the record bears epoch {found} where {expected} is due")]
    Epoch {
        /// The epoch it bears.
        found: Epoch,
        /// The epoch that was in force or that its own body names.
        expected: Epoch,
    },
    /// The head file vouches for another record in this place.
    #[error("the record is not the one that was synced in this place")]
    Head,
    /// Synced records are missing at the end.
    #[error("the journal was cut: records up to {synced} were synced")]
    Cut {
        /// The last record that was synced.
        synced: Seq,
    },
}

/// The fields of one record line, read strictly but not yet checked against anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The record's place.
    pub seq: Seq,
    /// The owner's tenure.
    pub epoch: Epoch,
    /// The hash of the record before.
    pub prev: Digest,
    /// SHA-256 of salt and body.
    pub commitment: Digest,
    /// The salt.
    pub salt: Salt,
    /// The body, exactly as stored.
    pub body: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line without its line end.
    ///
    /// # Errors
    /// [`Fault::Format`] names the first field that is not spelled as this module spells it.
    pub fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        let mut rest = line;
        take(&mut rest, b"{\"seq\":", "seq")?;
        let seq = take_number(&mut rest, "seq")?;
        take(&mut rest, b",\"epoch\":", "epoch")?;
        let epoch = take_number(&mut rest, "epoch")?;
        take(&mut rest, b",\"prev\":\"", "prev")?;
        let prev = take_hex(&mut rest, "prev")?;
        take(&mut rest, b"\",\"commitment\":\"", "commitment")?;
        let commitment = take_hex(&mut rest, "commitment")?;
        take(&mut rest, b"\",\"salt\":\"", "salt")?;
        let salt = take_hex(&mut rest, "salt")?;
        take(&mut rest, b"\",\"body\":", "body")?;
        let body = rest
            .strip_suffix(b"}")
            .ok_or(Fault::Format("it has no end"))?;
        Ok(Self {
            seq: Seq(seq),
            epoch: Epoch(epoch),
            prev: Digest::from_bytes(prev),
            commitment: Digest::from_bytes(commitment),
            salt,
            body,
        })
    }

    /// Whether salt and body are those that were committed to.
    #[must_use]
    pub fn commitment_holds(&self) -> bool {
        commitment(&self.salt, self.body) == self.commitment
    }

    /// The chain hash up to and including this record.
    #[must_use]
    pub fn hash(&self, session: SessionId) -> Digest {
        let mut hasher = Sha256::new_with_prefix(RECORD_TAG);
        hasher.update(session.uuid().as_bytes());
        hasher.update(self.seq.0.to_be_bytes());
        hasher.update(self.epoch.0.to_be_bytes());
        hasher.update(self.prev.as_bytes());
        hasher.update(self.commitment.as_bytes());
        Digest::from_bytes(hasher.finalize().into())
    }

    /// Writes the line with its line end.
    pub fn render(&self, out: &mut Vec<u8>) {
        out.reserve(self.body.len() + 280);
        out.extend_from_slice(b"{\"seq\":");
        out.extend_from_slice(self.seq.0.to_string().as_bytes());
        out.extend_from_slice(b",\"epoch\":");
        out.extend_from_slice(self.epoch.0.to_string().as_bytes());
        out.extend_from_slice(b",\"prev\":\"");
        push_hex(self.prev.as_bytes(), out);
        out.extend_from_slice(b"\",\"commitment\":\"");
        push_hex(self.commitment.as_bytes(), out);
        out.extend_from_slice(b"\",\"salt\":\"");
        push_hex(&self.salt, out);
        out.extend_from_slice(b"\",\"body\":");
        out.extend_from_slice(self.body);
        out.extend_from_slice(b"}\n");
    }
}

/// The hash that the first record follows.
#[must_use]
pub fn seed(session: SessionId) -> Digest {
    let mut hasher = Sha256::new_with_prefix(SEED_TAG);
    hasher.update(session.uuid().as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// SHA-256 of salt and body.
#[must_use]
pub fn commitment(salt: &Salt, body: &[u8]) -> Digest {
    let mut hasher = Sha256::new_with_prefix(salt);
    hasher.update(body);
    Digest::from_bytes(hasher.finalize().into())
}

fn take(rest: &mut &[u8], literal: &[u8], field: &'static str) -> Result<(), Fault> {
    *rest = rest.strip_prefix(literal).ok_or(Fault::Format(field))?;
    Ok(())
}

/// Takes a number without leading zeros that fits 64 bits.
fn take_number(rest: &mut &[u8], field: &'static str) -> Result<u64, Fault> {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at(length);
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
        return Err(Fault::Format(field));
    }
    let mut number = 0_u64;
    for digit in digits {
        number = number
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
            .ok_or(Fault::Format(field))?;
    }
    *rest = after;
    Ok(number)
}

fn take_hex<const N: usize>(rest: &mut &[u8], field: &'static str) -> Result<[u8; N], Fault> {
    let (digits, after) = rest.split_at_checked(2 * N).ok_or(Fault::Format(field))?;
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else {
            return Err(Fault::Format(field));
        };
        *byte = high << 4 | low;
    }
    *rest = after;
    Ok(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(2 * bytes.len());
    push_hex(bytes, &mut out);
    out.into_iter().map(char::from).collect()
}

/// Reads exactly `N` bytes of lower-case hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut rest = text.as_bytes();
    let bytes = take_hex(&mut rest, "").ok()?;
    rest.is_empty().then_some(bytes)
}
