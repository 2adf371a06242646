//! What sessions take on the disk, held against the limits in force.

use bowline_journal::Store;
use bowline_runtime::Clock;
use bowline_runtime::config::Effective;
use bowline_runtime::retention::{RetentionLimits, plan, size};

use super::Check;
use crate::places::Places;

/// What is kept and what is over a limit.
pub(super) fn check(config: &Effective, places: &Places) -> Vec<Check> {
    const NAME: &str = "retention";
    let limits = RetentionLimits::of(config, Clock::system().now_ms());
    let plan = match plan(&Store::at(&places.state), &limits) {
        Ok(plan) => plan,
        Err(error) => {
            let fix = "mend the state folder first";
            return vec![Check::problem(NAME, error.to_string(), fix)];
        }
    };
    let set = if limits.is_set() {
        "limits are set"
    } else {
        "no limit is set (retention.* keys)"
    };
    let found = format!(
        "journals {}, large bodies {}, output of commands {}; {set}",
        size(plan.sizes.journal),
        size(plan.sizes.blobs),
        size(plan.sizes.spool)
    );
    let bytes: u64 = plan.going().map(|over| over.bytes).sum();
    if bytes == 0 {
        return vec![Check::ok(NAME, found)];
    }
    let found = format!("{found}; {} are over them", size(bytes));
    let fix = "`bowline sessions prune` shows what would go, and `--yes` takes it away";
    vec![Check::warning(NAME, found, fix)]
}
