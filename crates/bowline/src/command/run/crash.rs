//! The probe of crash-test builds: at the point whose number `BOWLINE_CRASH_AT` names, the process
//! says so on the descriptor of its parent and waits to be killed. In builds without the feature
//! `crash-points` none of this exists.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_journal::{NoProbe, Probe};

struct StopAt {
    number: u64,
    passed: AtomicU64,
}

/// Points passed are counted over the whole process, so one counter serves every probe.
pub fn probe() -> Arc<dyn Probe> {
    use std::sync::OnceLock;
    static PROBE: OnceLock<Arc<dyn Probe>> = OnceLock::new();
    Arc::clone(PROBE.get_or_init(|| {
        match std::env::var("BOWLINE_CRASH_AT")
            .ok()
            .and_then(|text| text.parse().ok())
        {
            Some(number) => Arc::new(StopAt {
                number,
                passed: AtomicU64::new(0),
            }),
            None => Arc::new(NoProbe),
        }
    }))
}

impl Probe for StopAt {
    fn at(&self, point: &'static str) {
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if number != self.number {
            return;
        }
        let mut err = std::io::stderr().lock();
        let _parent_gone = writeln!(err, "CRASH-POINT {number} {point}").and_then(|()| err.flush());
        loop {
            std::thread::park();
        }
    }
}
