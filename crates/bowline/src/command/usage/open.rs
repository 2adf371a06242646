//! What is set aside and not settled: claims in the ledger, and attempts that journals know alone.

use std::collections::BTreeSet;

use bowline_core::SessionId;
use bowline_core::amounts::Amounts;
use bowline_journal::{ClaimKey, Store, UsageRow};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Something that is set aside.
pub struct Open {
    /// The attempt or call.
    pub id: String,
    /// `attempt` or `call`.
    pub kind: &'static str,
    pub session: SessionId,
    pub project: String,
    pub at_ms: u64,
    pub amounts: Amounts,
    /// Whether a process owns the session right now.
    pub is_owned: bool,
    /// Its claim in the ledger, if it counts there.
    pub claim: Option<ClaimKey>,
}

/// Everything that is open, the oldest first: what the ledger has, then what only these rows have.
/// With it, why the ledger may be short.
///
/// # Errors
/// When the ledger cannot be read.
pub fn gather(store: &Store, rows: &[UsageRow]) -> Result<(Vec<Open>, Option<String>), Failure> {
    let ledger = store.ledger().view()?;
    let is_owned = |session| matches!(store.owner(session), Ok(Some(_)));
    let claims = ledger.open().map(|claim| {
        let (kind, id) = match claim.key {
            ClaimKey::Attempt(attempt) => ("attempt", attempt.to_string()),
            ClaimKey::Call(call) => ("call", call.to_string()),
        };
        Open {
            id,
            kind,
            session: claim.session,
            project: claim.project.clone(),
            at_ms: claim.at_ms,
            amounts: claim.amounts,
            is_owned: is_owned(claim.session),
            claim: Some(claim.key),
        }
    });
    let mut open: Vec<Open> = claims.collect();
    let known: BTreeSet<String> = open.iter().map(|open| open.id.clone()).collect();
    let others = rows.iter().filter(|row| row.is_open());
    let others = others.filter(|row| !known.contains(&row.attempt));
    open.extend(others.map(|row| Open {
        id: row.attempt.clone(),
        kind: "attempt",
        session: row.session,
        project: row.project.clone(),
        at_ms: row.at_ms,
        amounts: row.reserved,
        is_owned: is_owned(row.session),
        claim: None,
    }));
    open.sort_by_key(|open| open.at_ms);
    Ok((open, ledger.damage().map(str::to_owned)))
}

impl Open {
    /// The last eight digits of its id.
    pub fn short(&self) -> &str {
        &self.id[self.id.len().saturating_sub(8)..]
    }

    pub fn as_json(&self) -> Value {
        json!({
            "id": self.id,
            "kind": self.kind,
            "session": self.session,
            "project": self.project,
            "at_ms": self.at_ms,
            "amounts": self.amounts,
            "owned": self.is_owned,
            "in_ledger": self.claim.is_some(),
        })
    }
}
