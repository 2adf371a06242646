//! What the ledger records, as JSON: `{"at_ms": .., "kind": "..", "data": {..}}`.
//!
//! Names are never reused and fields keep their meaning. A kind that this version does not know is
//! refused: a cap cannot be held on what is not understood.

use std::collections::BTreeMap;

use bowline_core::amounts::Amounts;
use bowline_core::{Seq, SessionId};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{ClaimKey, OpenClaim};

/// A fact at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Milliseconds since 1970, by the clock of whoever wrote it.
    pub(super) at_ms: u64,
    pub(super) fact: LedgerFact,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LedgerFact {
    /// A claim was set aside.
    Reserved(Reserved),
    /// A claim was settled.
    Settled(Settled),
    /// The owner of a claim was found gone, and no outcome is recorded.
    OwnerLost(OwnerLost),
    /// A new file was begun: all that the earlier ones say.
    Carried(Box<Carried>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reserved {
    pub(super) key: ClaimKey,
    pub(super) session: SessionId,
    pub(super) project: String,
    pub(super) amounts: Amounts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settled {
    pub(super) key: ClaimKey,
    /// What it took.
    pub(super) amounts: Amounts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnerLost {
    pub(super) key: ClaimKey,
}

/// Totals, and whatever later judgements still need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    /// What each project has spent.
    pub(super) projects: BTreeMap<String, Amounts>,
    /// What each day has spent, by its number since 1970.
    pub(super) days: BTreeMap<u64, Amounts>,
    /// The last day whose total was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dropped_day: Option<u64>,
    /// The claims that are not settled.
    pub(super) open: Vec<OpenClaim>,
    /// What ended within the last hour.
    pub(super) spans: Vec<Span>,
    /// Why the totals may be too low, if they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) uncertain: Option<Uncertain>,
}

/// What was damaged when records were lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Uncertain {
    /// The first record that could not be trusted.
    pub(super) at_seq: Seq,
    /// What was wrong with it.
    pub(super) what: String,
}

/// Tokens that were used between two times, in milliseconds since 1970: `[from, to, tokens]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub(super) struct Span {
    pub(super) to_ms: u64,
    pub(super) from_ms: u64,
    pub(super) tokens: u64,
}

impl From<(u64, u64, u64)> for Span {
    fn from((from_ms, to_ms, tokens): (u64, u64, u64)) -> Self {
        Self {
            to_ms,
            from_ms,
            tokens,
        }
    }
}

impl From<Span> for (u64, u64, u64) {
    fn from(span: Span) -> Self {
        (span.from_ms, span.to_ms, span.tokens)
    }
}

impl Entry {
    pub(super) const fn new(at_ms: u64, fact: LedgerFact) -> Self {
        Self { at_ms, fact }
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The sentence says what this version does not understand.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Raw<'a> {
            at_ms: u64,
            #[serde(borrow)]
            kind: std::borrow::Cow<'a, str>,
            #[serde(borrow)]
            data: &'a RawValue,
        }
        fn data<'a, T: Deserialize<'a>>(raw: &Raw<'a>) -> Result<T, String> {
            serde_json::from_str(raw.data.get()).map_err(|error| error.to_string())
        }
        let raw: Raw<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let fact = match &*raw.kind {
            "Reserved" => LedgerFact::Reserved(data(&raw)?),
            "Settled" => LedgerFact::Settled(data(&raw)?),
            "OwnerLost" => LedgerFact::OwnerLost(data(&raw)?),
            "Carried" => LedgerFact::Carried(data(&raw)?),
            other => return Err(format!("it is of an unknown kind, `{other}`")),
        };
        Ok(Self::new(raw.at_ms, fact))
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Entry", 3)?;
        entry.serialize_field("at_ms", &self.at_ms)?;
        match &self.fact {
            LedgerFact::Reserved(data) => {
                entry.serialize_field("kind", "Reserved")?;
                entry.serialize_field("data", data)?;
            }
            LedgerFact::Settled(data) => {
                entry.serialize_field("kind", "Settled")?;
                entry.serialize_field("data", data)?;
            }
            LedgerFact::OwnerLost(data) => {
                entry.serialize_field("kind", "OwnerLost")?;
                entry.serialize_field("data", data)?;
            }
            LedgerFact::Carried(data) => {
                entry.serialize_field("kind", "Carried")?;
                entry.serialize_field("data", data)?;
            }
        }
        entry.end()
    }
}
