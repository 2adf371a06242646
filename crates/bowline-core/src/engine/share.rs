//! Shares: what a parent sets aside for its child sessions.

use crate::State;
use crate::amounts::{Amounts, Cap, CapScope, Excess, Measure};
use crate::event::{Fact, ShareGranted, ShareRaised};
use crate::id::{CallId, SessionId};

/// Why nothing was set aside for a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotShareable {
    /// A cap would be passed.
    #[error("{}", excess.sentence(*scope))]
    Cap {
        /// Over what it reaches.
        scope: CapScope,
        /// By how much.
        excess: Excess,
    },
}

/// Makes the fact that sets `more` aside for a child, beside what it has (I10).
///
/// # Errors
/// [`NotShareable`] when spent plus reserved would exceed a cap.
pub fn share(
    state: &State,
    child: SessionId,
    call: CallId,
    more: &Amounts,
) -> Result<Fact, NotShareable> {
    let limits = state.limits();
    for scope in [CapScope::Turn, CapScope::Session, CapScope::Share] {
        if let Some(excess) = limits.cap(scope).excess(&state.taken(scope), more) {
            return Err(NotShareable::Cap { scope, excess });
        }
    }
    let has = state.shares.get(&child).copied().unwrap_or_default();
    Ok(Fact::ShareGranted(ShareGranted {
        child,
        call,
        share: has.plus(more),
    }))
}

/// The cap that a share is to a child: on whatever its parent has a cap on.
#[must_use]
pub fn share_cap(state: &State, share: &Amounts) -> Cap {
    let limits = state.limits();
    let mut cap = Cap::NONE;
    for measure in Measure::ALL {
        let scopes = [CapScope::Turn, CapScope::Session, CapScope::Share];
        let capped = scopes
            .into_iter()
            .any(|scope| limits.cap(scope).on(measure).is_some());
        *cap.on_mut(measure) = capped.then(|| share.of(measure));
    }
    cap
}

/// Makes the fact by which a child takes in what its parent has set aside for it.
#[must_use]
pub const fn raise(share: Cap) -> Fact {
    Fact::ShareRaised(ShareRaised { share })
}
