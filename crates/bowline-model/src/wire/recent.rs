//! The encoders of the sessions that asked last.

use std::sync::{Mutex, PoisonError};

use bowline_core::SessionId;

use super::Encoder;

/// Keeps some encoders, one for each session, so that what was encoded before is not encoded again.
pub(crate) struct Recent {
    make: Box<dyn Fn(SessionId) -> Encoder + Send + Sync>,
    /// The newest at the end.
    kept: Mutex<Vec<(SessionId, Encoder)>>,
}

impl Recent {
    /// Sessions whose bytes are kept; a session that comes back later is encoded once more.
    const KEPT: usize = 8;

    pub(crate) fn new(make: impl Fn(SessionId) -> Encoder + Send + Sync + 'static) -> Self {
        Self {
            make: Box::new(make),
            kept: Mutex::default(),
        }
    }

    /// Gives `act` the session's encoder.
    pub(crate) fn with<R>(&self, session: SessionId, act: impl FnOnce(&mut Encoder) -> R) -> R {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.iter().position(|(known, _)| *known == session) {
            Some(place) => kept[place..].rotate_left(1),
            None => {
                if kept.len() == Self::KEPT {
                    kept.remove(0);
                }
                kept.push((session, (self.make)(session)));
            }
        }
        let newest = kept.len() - 1;
        act(&mut kept[newest].1)
    }
}
