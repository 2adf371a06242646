//! The probe of debug builds: at the point that `BOWLINE_PANIC_AT` names, the process breaks, so
//! that tests see what a fault of Bowline itself leaves. In release builds none of this exists.

use std::sync::Arc;

use bowline_journal::{NoProbe, Probe};

struct BreakAt(String);

/// The probe that the environment asks for.
pub fn probe() -> Arc<dyn Probe> {
    match std::env::var("BOWLINE_PANIC_AT") {
        Ok(point) if !point.is_empty() => Arc::new(BreakAt(point)),
        _ => Arc::new(NoProbe),
    }
}

impl Probe for BreakAt {
    #[expect(clippy::panic, reason = "to break is what it is for")]
    fn at(&self, point: &'static str) {
        if point == self.0 {
            panic!("told to break at {point}");
        }
    }
}
