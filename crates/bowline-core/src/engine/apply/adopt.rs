//! Folding that a session from elsewhere was taken on.

use super::waits;
use crate::context::ContextText;
use crate::event::{CallInDoubt, SessionAdopted};
use crate::spec::ReplayClass;
use crate::state::{CallPhase, State};

pub(super) fn adopt(state: &mut State, adopted: &SessionAdopted, at_ms: u64) -> bool {
    let Some(begun) = &mut state.begun else {
        return false;
    };
    begun.set(&adopted.settings);
    begun.cwd.clone_from(&adopted.cwd);
    begun.roots.clone_from(&adopted.roots);
    // What stood for this machine's files, commands and people was said of another one's.
    state.grants.clear();
    state.seen = Default::default();
    state.jobs = Default::default();
    state.signals.clear();
    let mut lost = Vec::new();
    for open in state.step.iter_mut().flat_map(|step| &mut step.calls) {
        match &open.phase {
            CallPhase::Closed(_) => continue,
            // One that only reads may be decided upon again; any other is never repeated unasked.
            CallPhase::Started(_, started) if started.class() != ReplayClass::Free => {
                lost.push(open.call.id);
            }
            _ => open.phase = CallPhase::Proposed,
        }
        open.park = None;
    }
    for call in lost {
        let why = "it was started where the session came from";
        let told = "This call was started where the session came from; what became of it is not \
                    known here. It may have happened wholly, partly or not at all, and if so, there \
                    and not here.";
        let doubt = CallInDoubt {
            call,
            why: why.to_owned(),
            told: ContextText::notice(told),
        };
        // It is open and has started, so it fits.
        let _fits = waits::doubt(state, &doubt, at_ms);
    }
    // Its records are elsewhere too.
    for doubt in &mut state.in_doubt {
        doubt.spool = None;
    }
    true
}
