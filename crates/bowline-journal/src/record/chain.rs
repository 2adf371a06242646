//! Where a chain stands: makes the next record, or follows it.

use bowline_core::{Digest, Epoch, Event, Fact, Receipt, Seq, SessionId};
use serde::Deserialize;

use super::{Fault, Line, Salt, commitment, seed};

/// The end of a chain: all that is needed to write or check the record after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The session.
    pub session: SessionId,
    /// The last record; 0 before the first.
    pub seq: Seq,
    /// The epoch in force; 0 before the first `OwnerChanged`.
    pub epoch: Epoch,
    /// The hash up to and including the last record.
    pub hash: Digest,
}

/// A record that was found to follow its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it lies.
    pub receipt: Receipt,
    /// Its body, exactly as stored.
    pub body: &'a [u8],
    /// Bytes of its line, line end included.
    pub line_bytes: usize,
}

impl Record<'_> {
    /// Reads the body as an event.
    ///
    /// # Errors
    /// The sentence says what this version does not understand.
    pub fn event(&self) -> Result<Event, String> {
        serde_json::from_slice(self.body).map_err(|error| error.to_string())
    }
}

impl Chain {
    /// The chain of a session before its first record.
    #[must_use]
    pub fn start(session: SessionId) -> Self {
        Self {
            session,
            seq: Seq(0),
            epoch: Epoch(0),
            hash: seed(session),
        }
    }

    /// Appends the record of `event` to `out` and stands on it.
    ///
    /// # Errors
    /// When the event cannot be written as JSON; nothing changed then.
    pub fn extend(
        &mut self,
        event: &Event,
        salt: Salt,
        out: &mut Vec<u8>,
    ) -> Result<Receipt, serde_json::Error> {
        let body = serde_json::to_vec(event)?;
        let epoch = match &event.fact {
            Fact::OwnerChanged(owner) => owner.epoch,
            _ => self.epoch,
        };
        Ok(self.extend_body(&body, epoch, salt, out))
    }

    /// Appends a record with this body, which is one line of JSON, and stands on it.
    pub(crate) fn extend_body(
        &mut self,
        body: &[u8],
        epoch: Epoch,
        salt: Salt,
        out: &mut Vec<u8>,
    ) -> Receipt {
        let line = Line {
            seq: self.seq.next(),
            epoch,
            prev: self.hash,
            commitment: commitment(&salt, body),
            salt,
            body,
        };
        line.render(out);
        self.stand_on(&line)
    }

    /// The chain right before the record of `line`, on that record's own word.
    pub(crate) const fn before(session: SessionId, line: &Line<'_>) -> Self {
        Self {
            session,
            seq: Seq(line.seq.0.saturating_sub(1)),
            epoch: line.epoch,
            hash: line.prev,
        }
    }

    /// Checks that `line` (without its line end) is the next record and stands on it.
    ///
    /// # Errors
    /// A [`Fault`] says why it is not; nothing changed then.
    pub fn follow<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, Fault> {
        let line_bytes = line.len() + 1;
        let line = Line::parse(line)?;
        if line.seq.0 != self.seq.0.wrapping_add(1) {
            return Err(Fault::Seq { found: line.seq });
        }
        if line.prev != self.hash {
            return Err(Fault::Prev);
        }
        if !line.commitment_holds() {
            return Err(Fault::Commitment);
        }
        let expected = new_epoch(line.body).unwrap_or(self.epoch);
        if line.epoch != expected {
            return Err(Fault::Epoch {
                found: line.epoch,
                expected,
            });
        }
        if line.epoch < self.epoch {
            return Err(Fault::Epoch {
                found: line.epoch,
                expected: self.epoch,
            });
        }
        Ok(Record {
            receipt: self.stand_on(&line),
            body: line.body,
            line_bytes,
        })
    }

    fn stand_on(&mut self, line: &Line<'_>) -> Receipt {
        let hash = line.hash(self.session);
        *self = Self {
            session: self.session,
            seq: line.seq,
            epoch: line.epoch,
            hash,
        };
        Receipt {
            session: self.session,
            seq: self.seq,
            epoch: self.epoch,
            hash,
        }
    }
}

/// The epoch that an `OwnerChanged` body begins; `None` for any other body.
fn new_epoch(body: &[u8]) -> Option<Epoch> {
    #[derive(Deserialize)]
    struct Body {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        epoch: Epoch,
    }
    let after = body.strip_prefix(b"{\"at_ms\":")?;
    let digits = after
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !after[digits..].starts_with(b",\"kind\":\"OwnerChanged\",") {
        return None;
    }
    serde_json::from_slice::<Body>(body)
        .ok()
        .map(|body| body.data.epoch)
}
