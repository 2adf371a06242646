//! Settling claims by evidence: what the journal of a session without an owner says became of them.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::SystemTime;

use bowline_core::amounts::Amounts;
use bowline_core::{Event, Fact, SessionId, Usage};

use super::facts::{Entry, LedgerFact, OwnerLost, Settled};
use super::file::Sync;
use super::fold::HOUR_MS;
use super::{ClaimKey, Ledger, OpenClaim};
use crate::Error;
use crate::layout::SessionDir;
use crate::lock::owner_of;
use crate::read::read_head;
use crate::record::{Chain, Tail};
use crate::scan::scan;

/// What evidence has settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Claims that are settled now.
    pub settled: usize,
    /// Claims whose owner was found gone without an outcome: they stay counted in caps.
    pub ended: usize,
}

impl Reconciled {
    /// Whether nothing has changed.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.settled == 0 && self.ended == 0
    }
}

/// The size and time of the journals that told nothing new when they were last read.
pub(super) type Looked = BTreeMap<SessionId, (u64, Option<SystemTime>)>;

/// What a journal says of one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// It is not recorded, so it was never made.
    NeverMade,
    /// It is recorded with an outcome, which took this much.
    Took(Amounts),
    /// It is recorded without an outcome, or there is nothing that could tell.
    Unknown,
}

impl Ledger {
    /// Settles claims of sessions that nobody owns, by what their journals say: an attempt that is
    /// not recorded was never made and took nothing; one with an outcome took what that says; one
    /// without an outcome stays counted whole, as does everything of a session that is damaged, or
    /// that is gone for an hour. Takes no session's lock.
    ///
    /// # Errors
    /// As [`Ledger::settle`]; a journal that cannot be read is no error, it tells nothing.
    pub fn reconcile(&self, at_ms: u64) -> Result<Reconciled, Error> {
        let open = self.with_lock(at_ms, |known| Ok(known.fold.open.clone()))?;
        let mut sessions: BTreeMap<SessionId, Vec<OpenClaim>> = BTreeMap::new();
        for claim in open.into_values() {
            sessions.entry(claim.session).or_default().push(claim);
        }
        let mut entries = Vec::new();
        for (session, claims) in sessions {
            let dir = SessionDir::of(self.file.home(), session);
            // A session without a folder was removed, or its journal is kept elsewhere, by one who
            // may be at work.
            let is_recent = |claim: &OpenClaim| at_ms < claim.at_ms.saturating_add(HOUR_MS);
            if self.has_told_all(session, &dir, &claims)
                || (!dir.is_session() && claims.iter().any(is_recent))
            {
                continue;
            }
            // The lock is looked at after the claims: whoever made them and is gone now makes no
            // attempt any more, and a later owner claims under other keys.
            if matches!(owner_of(&dir), Ok(None)) {
                entries.extend(self.look_into(session, &dir, &claims, at_ms));
            }
        }
        self.record(entries, at_ms)
    }

    /// As [`Self::reconcile`], for a session that the caller owns and has not yet claimed anything
    /// for: whatever is open is of earlier owners.
    ///
    /// # Errors
    /// As [`Self::reconcile`].
    pub fn reconcile_owned(&self, session: SessionId, at_ms: u64) -> Result<Reconciled, Error> {
        let open = self.with_lock(at_ms, |known| {
            let claims = known.fold.open.values();
            let claims = claims.filter(|claim| claim.session == session);
            Ok(claims.cloned().collect::<Vec<_>>())
        })?;
        let dir = SessionDir::of(self.file.home(), session);
        let entries = if open.is_empty() {
            Vec::new()
        } else {
            self.look_into(session, &dir, &open, at_ms)
        };
        self.record(entries, at_ms)
    }

    fn record(&self, mut entries: Vec<Entry>, at_ms: u64) -> Result<Reconciled, Error> {
        if entries.is_empty() {
            return Ok(Reconciled::default());
        }
        self.with_lock(at_ms, |known| {
            // Another process may have come to the same meanwhile.
            let mut reconciled = Reconciled::default();
            entries.retain(|entry| match &entry.fact {
                LedgerFact::Settled(settled) => {
                    let is_open = known.fold.is_open(&settled.key);
                    reconciled.settled += usize::from(is_open);
                    is_open
                }
                LedgerFact::OwnerLost(lost) => {
                    let open = known.fold.open.get(&lost.key);
                    let is_new = open.is_some_and(|open| open.end_found_ms.is_none());
                    reconciled.ended += usize::from(is_new);
                    is_new
                }
                LedgerFact::Reserved(_) | LedgerFact::Carried(_) => false,
            });
            if !entries.is_empty() {
                self.append(known, &entries, Sync::No)?;
            }
            Ok(reconciled)
        })
    }

    /// Whether the journal of a session says nothing that it had not said when it was last read.
    fn has_told_all(&self, session: SessionId, dir: &SessionDir, claims: &[OpenClaim]) -> bool {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        claims.iter().all(|claim| claim.end_found_ms.is_some())
            && looked.get(&session) == Some(&stands(dir))
    }

    /// What the journal of one session has to say of its claims, as entries.
    fn look_into(
        &self,
        session: SessionId,
        dir: &SessionDir,
        claims: &[OpenClaim],
        at_ms: u64,
    ) -> Vec<Entry> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.insert(session, stands(dir));
        drop(looked);
        let told = claims.iter().zip(ask(session, dir, claims));
        let entries = told.filter_map(|(claim, evidence)| {
            let key = claim.key;
            let settled = |amounts| LedgerFact::Settled(Settled { key, amounts });
            let fact = match evidence {
                Evidence::NeverMade => settled(Amounts::ZERO),
                Evidence::Took(amounts) => settled(amounts),
                Evidence::Unknown if claim.end_found_ms.is_some() => return None,
                Evidence::Unknown => LedgerFact::OwnerLost(OwnerLost { key }),
            };
            Some(Entry::new(at_ms, fact))
        });
        entries.collect()
    }
}

/// The size and time of a session's journal.
fn stands(dir: &SessionDir) -> (u64, Option<SystemTime>) {
    let found = std::fs::metadata(dir.journal()).ok();
    found.map_or((0, None), |found| (found.len(), found.modified().ok()))
}

/// Shows `take` every event of a journal that can be trusted; `false` when only a part of it can be
/// read.
pub(super) fn read_through(
    session: SessionId,
    dir: &SessionDir,
    take: &mut dyn FnMut(&Event),
) -> bool {
    let scanned = read_head(dir, session).and_then(|head| {
        let start = Chain::start(session);
        scan(&dir.journal(), start, head, &mut |_, event| take(&event))
    });
    scanned.is_ok_and(|scanned| !matches!(scanned.tail, Tail::Damaged(_)))
}

/// Reads the journal of a session, and what it says of each claim.
fn ask(session: SessionId, dir: &SessionDir, claims: &[OpenClaim]) -> Vec<Evidence> {
    let mut told: BTreeMap<ClaimKey, Evidence> = BTreeMap::new();
    let claimed: BTreeMap<ClaimKey, &OpenClaim> =
        claims.iter().map(|claim| (claim.key, claim)).collect();
    let is_whole = read_through(session, dir, &mut |event| {
        if let Some((key, evidence)) = evidence_of(event, &claimed) {
            told.insert(key, evidence);
        }
    });
    // A repaired journal has lost records, and a claim may be among them.
    let is_complete = is_whole && !dir.damaged(1).exists();
    let unrecorded = if is_complete {
        Evidence::NeverMade
    } else {
        Evidence::Unknown
    };
    let told = claims
        .iter()
        .map(|claim| told.get(&claim.key).copied().unwrap_or(unrecorded));
    told.collect()
}

/// What one event says of a claim.
fn evidence_of(
    event: &Event,
    claimed: &BTreeMap<ClaimKey, &OpenClaim>,
) -> Option<(ClaimKey, Evidence)> {
    let (key, outcome) = match &event.fact {
        Fact::AttemptReserved(reserved) => (ClaimKey::Attempt(reserved.attempt()), None),
        Fact::ModelReplied(replied) => (ClaimKey::Attempt(replied.attempt), Some(&event.fact)),
        Fact::AttemptFailed(failed) => (ClaimKey::Attempt(failed.attempt), Some(&event.fact)),
        Fact::CallStarted(started) => (ClaimKey::Call(started.call()), None),
        Fact::CallFinished(finished) => (ClaimKey::Call(finished.call), Some(&event.fact)),
        Fact::CallFailed(failed) => (ClaimKey::Call(failed.call), Some(&event.fact)),
        _ => return None,
    };
    let claim = claimed.get(&key)?;
    let evidence = outcome.map_or(Evidence::Unknown, |fact| {
        Evidence::Took(taken(fact, &claim.amounts))
    });
    Some((key, evidence))
}

/// What an outcome took of a reservation: what it says, else what was used, else the whole.
pub(super) fn taken(fact: &Fact, reserved: &Amounts) -> Amounts {
    // Older records say tokens at most; the rest stays as it was set aside.
    let used = |usage: Usage| Amounts {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        ..*reserved
    };
    match fact {
        Fact::ModelReplied(replied) => replied
            .charged
            .unwrap_or_else(|| replied.usage.map_or(*reserved, used)),
        Fact::AttemptFailed(failed) => {
            failed
                .charged
                .unwrap_or_else(|| match failed.failure.usage {
                    Some(usage) if failed.failure.kind.may_have_cost() => {
                        reserved.at_least(&used(usage))
                    }
                    Some(usage) => used(usage),
                    None if failed.failure.kind.may_have_cost() => *reserved,
                    None => Amounts::ZERO,
                })
        }
        Fact::CallFinished(finished) => Amounts {
            wall_ms: reserved.wall_ms.min(finished.outcome.duration_ms),
            ..*reserved
        },
        _ => *reserved,
    }
}
