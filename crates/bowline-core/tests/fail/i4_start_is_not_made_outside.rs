//! I4: only the engine makes the fact that lets a call run.
use bowline_core::event::CallStarted;
use bowline_core::{CallId, Digest, Epoch, ReplayClass};

fn forge(call: CallId) -> CallStarted {
    CallStarted {
        call,
        try_number: 1,
        epoch: Epoch(1),
        digest: Digest::default(),
        class: ReplayClass::Free,
        checks: Vec::new(),
        spool: None,
        boot: None,
    }
}

fn main() {}
