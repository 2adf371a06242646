//! Child sessions: driven inside a call of their parent, on a share of its budget.
//!
//! A child is made known with [`known`], begun with the cap that this gives in
//! [`bowline_core::Limits::share`], and driven with [`run`]. It has nothing of its own at first:
//! what each of its acts needs it asks of its parent right before, and waits for its siblings while
//! they hold that. When it is done it is left no more than it used, and then its share is settled.
//! One that an owner of before left behind is settled with [`settle_left`].

use std::sync::Arc;

use bowline_core::amounts::{Amounts, Cap, CapScope};
use bowline_core::command::Ask;
use bowline_core::engine::{self, ShareNeed};
use bowline_core::{Command, SessionId, State};
use bowline_tools::{Cancel, Shares};
use tokio::sync::mpsc;

use crate::drive::{Harness, Rest, drive_on_share};
use crate::face::Face;
use crate::{Error, Session};

/// A child and what it is driven with.
pub struct Child<'a> {
    /// The child, begun or opened, with its prompt.
    pub session: &'a mut Session,
    /// What drives it.
    pub harness: &'a Harness,
    /// Who watches it.
    pub face: &'a mut dyn Face,
    /// The budget of the call that it works for.
    pub shares: Arc<dyn Shares>,
    /// Stops it when its call is stopped.
    pub cancel: Cancel,
}

/// What became of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildEnd {
    /// Where it came to rest.
    pub rest: Rest,
    /// What it has to say: its answer, or what it says in closing when a budget ended it.
    pub text: String,
    /// What it spent, with what is still set aside in it.
    pub spent: Amounts,
}

/// Makes a child known to its parent; durable there on return. Gives the share to begin it with:
/// nothing of all that is capped.
///
/// # Errors
/// A sentence for people when the parent is no longer driven, or is to stop.
pub async fn known(shares: &dyn Shares, child: SessionId) -> Result<Cap, String> {
    shares.grant(child, ShareNeed::default()).await
}

/// Drives a child until it rests, and settles its share.
///
/// # Errors
/// [`Error::Storage`] when its journal cannot be written; all that was set aside for it is settled
/// as spent then.
pub async fn run(child: Child<'_>) -> Result<ChildEnd, Error> {
    let Child {
        session,
        harness,
        face,
        shares,
        cancel,
    } = child;
    let id = session.id();
    session.keep_local(shares.kept());
    let rest = drive_until_rest(session, harness, face, Arc::clone(&shares), cancel).await;
    let closed = match rest {
        Ok(rest) => close(session).await.map(|spent| (rest, spent)),
        Err(error) => Err(error),
    };
    let spent = closed.as_ref().ok().map(|(_, spent)| *spent);
    // A parent that is gone settles it itself when it comes back.
    let _gone = shares.settle(id, spent).await;
    let (rest, spent) = closed?;
    let text = said(session.state());
    Ok(ChildEnd { rest, text, spent })
}

/// Settles a child that an earlier owner of the call left behind, by what its journal says: what it
/// spent, and what was set aside for a model call of which nobody knows. `session` is the child,
/// opened anew: nobody else drives it.
///
/// # Errors
/// [`Error::Storage`] when its journal cannot be written; all that was set aside for it is settled
/// as spent then.
pub async fn settle_left(session: &mut Session, shares: &dyn Shares) -> Result<Amounts, Error> {
    let closed = close(session).await;
    let spent = closed.as_ref().ok().copied();
    let _gone = shares.settle(session.id(), spent).await;
    closed
}

/// Leaves a child what it has used and no more; says what that is.
async fn close(session: &mut Session) -> Result<Amounts, Error> {
    if let Some(fact) = engine::close_share(session.state()) {
        session.stage(fact);
    }
    session.keep().await?;
    Ok(session.state().taken(CapScope::Share))
}

async fn drive_until_rest(
    session: &mut Session,
    harness: &Harness,
    face: &mut dyn Face,
    shares: Arc<dyn Shares>,
    mut cancel: Cancel,
) -> Result<Rest, Error> {
    let key = format!("stop-{}", session.clock().new_id());
    let (sender, mut commands) = mpsc::unbounded_channel();
    let driven = drive_on_share(session, harness, face, &mut commands, shares);
    tokio::pin!(driven);
    tokio::select! {
        rest = &mut driven => return rest,
        () = cancel.asked() => {}
    }
    let by = "the call that it works for".to_owned();
    let ask = Ask::Cancel { by };
    let at_ms = None;
    // It listens for as long as it is driven.
    let _rested = sender.send(Command { key, at_ms, ask });
    driven.await
}

/// The last words of a session: its answer, or what it says in closing.
fn said(state: &State) -> String {
    let of_stop = || {
        let (stop, detail) = state.last_stop()?;
        Some(detail.map_or_else(|| stop.name().to_owned(), str::to_owned))
    };
    let closing = state.closing().map(str::to_owned);
    closing
        .or_else(|| state.last_text())
        .or_else(of_stop)
        .unwrap_or_default()
}
