//! Which calls of one step may run beside each other.

use crate::action::Action;
use crate::decision::Decision;
use crate::spec::ReplayClass;
use crate::state::{CallPhase, CallState};

/// Whether a call decided by `decision` may start while the `earlier` calls of its step stand as
/// they do.
///
/// Calls run side by side unless one might spoil the other: a path that one writes and the other
/// touches, a class-Once call (those keep the order asked), or a shell command, whose paths are
/// unknown, beside a call that writes a known path.
pub(super) fn may_start(earlier: &[CallState], decision: &Decision) -> bool {
    earlier.iter().all(|other| match &other.phase {
        CallPhase::Closed(_) => true,
        // Not decided yet: what it touches is unknown, so wait for its decision.
        CallPhase::Proposed => false,
        CallPhase::Waiting(before)
        | CallPhase::Allowed(before)
        | CallPhase::Parked(before)
        | CallPhase::Started(before, _) => !conflict(before, decision),
    })
}

fn conflict(before: &Decision, after: &Decision) -> bool {
    let once = |decision: &Decision| decision.replay.class == ReplayClass::Once;
    if once(before) && once(after) {
        return true;
    }
    let (a, b) = (Footprint::of(before), Footprint::of(after));
    a.opaque && !b.writes.is_empty()
        || b.opaque && !a.writes.is_empty()
        || touch(&a.writes, &b.writes)
        || touch(&a.writes, &b.reads)
        || touch(&a.reads, &b.writes)
}

/// Whether a path of one list is, or lies below or above, a path of the other.
fn touch(one: &[&str], other: &[&str]) -> bool {
    let below = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    one.iter()
        .any(|a| other.iter().any(|b| below(a, b) || below(b, a)))
}

#[derive(Default)]
struct Footprint<'a> {
    reads: Vec<&'a str>,
    writes: Vec<&'a str>,
    opaque: bool,
}

impl<'a> Footprint<'a> {
    fn of(decision: &'a Decision) -> Self {
        let mut footprint = Self::default();
        for judged in &decision.actions {
            match &judged.action {
                Action::ReadPath { path } => footprint.reads.push(&path.resolved),
                Action::WritePath { path } => footprint.writes.push(&path.resolved),
                Action::Run { .. } | Action::RunWords { .. } | Action::CallMcp { .. } => {
                    footprint.opaque = true;
                }
                Action::Reach { .. }
                | Action::Note
                | Action::AskPerson { .. }
                | Action::AwaitParty { .. } => {}
            }
        }
        footprint
    }
}
