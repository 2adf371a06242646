//! I4: a permit comes only from a committed start.
use bowline_core::Permit;
use bowline_core::event::CallStarted;

fn forge(started: CallStarted) -> Permit {
    Permit::from(started)
}

fn main() {}
