//! `bowline usage rebuild`: counts again what the ledger has lost.

use bowline_journal::Store;
use bowline_runtime::Clock;

use crate::command::answer::refuse_under_a_keeper;
use crate::failure::Failure;
use crate::print;

pub fn run(store: &Store) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    if store.list()?.is_empty() {
        print::err_line("no sessions yet: there is nothing to count");
        return Ok(0);
    }
    let rebuilt = store.ledger().rebuild(Clock::system().now_ms())?;
    print::line(&format!(
        "{} sessions counted, {} model calls without an outcome found",
        rebuilt.sessions, rebuilt.found_open
    ));
    for session in &rebuilt.in_part {
        print::err_line(&format!(
            "bowline: session {} is damaged: only what is intact was counted",
            session.short()
        ));
    }
    Ok(0)
}
