//! The probe of debug builds: at the point that `BOWLINE_PANIC_AT` names, the process breaks, so
//! that tests see what a fault of Bowline itself leaves (`BOWLINE_PANIC_SAYS` is added to its words); at the one that `BOWLINE_ABORT_AT` names,
//! it is gone as if killed. In release builds none of this exists.

use std::sync::Arc;

use bowline_journal::{NoProbe, Probe};

struct EndAt {
    panic: Option<String>,
    abort: Option<String>,
}

/// The probe that the environment asks for.
pub fn probe() -> Arc<dyn Probe> {
    let point = |name| std::env::var(name).ok().filter(|point| !point.is_empty());
    let (panic, abort) = (point("BOWLINE_PANIC_AT"), point("BOWLINE_ABORT_AT"));
    if panic.is_none() && abort.is_none() {
        return Arc::new(NoProbe);
    }
    Arc::new(EndAt { panic, abort })
}

impl Probe for EndAt {
    #[expect(clippy::panic, reason = "to break is what it is for")]
    fn at(&self, point: &'static str) {
        if self.abort.as_deref() == Some(point) {
            std::process::abort();
        }
        if self.panic.as_deref() == Some(point) {
            let words = std::env::var("BOWLINE_PANIC_SAYS").unwrap_or_default();
            panic!("told to break at {point}{words}");
        }
    }
}
