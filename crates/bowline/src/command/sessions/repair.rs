//! `bowline sessions repair ID`: keeps what is intact of a damaged journal, and says what is not.

use std::path::Path;

use bowline_core::system::JournalRepaired;
use bowline_core::{State, SystemFact};
use bowline_journal::{Damage, MOST_TOLD, Store};
use bowline_runtime::{Clock, RunLog, repair};

use super::confirmed;
use crate::command::answer::refuse_under_a_keeper;
use crate::command::run::owner;
use crate::failure::Failure;
use crate::print;

/// So many dropped records are shown one by one.
const SHOWN: usize = 20;

/// Shows what a repair keeps and drops; repairs after a yes.
pub fn run(store: &Store, id: &str, dry_run: bool, yes: bool) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let id = store.resolve(id)?;
    let Some((damage, state)) = store.damage_of(id)? else {
        print::line(&format!(
            "session {} is intact: nothing to repair",
            id.short()
        ));
        return Ok(0);
    };
    let spool = store.session_dir(id).spool();
    show(&damage, &state, &spool);
    if dry_run {
        print::line("nothing was changed");
        return Ok(0);
    }
    if !yes && !confirmed(&format!("Repair session {id}?"), "repairing")? {
        print::err_line("nothing was changed");
        return Ok(1);
    }
    let clock = Clock::system();
    let add = |damage: &Damage, state: &State| repair::told(damage, state, &spool, clock.now_ms());
    let Some(repaired) = store.repair(id, &owner(&clock), &add)? else {
        print::line("it is intact by now: nothing was changed");
        return Ok(0);
    };
    let kept_as = repaired.kept_as.display().to_string();
    RunLog::new(store.installation(), clock.clone()).record_about(
        Some(id),
        SystemFact::JournalRepaired(JournalRepaired {
            what: repaired.damage.what.clone(),
            kept_seq: repaired.damage.kept_seq,
            dropped_bytes: repaired.damage.dropped_bytes,
            lost_records: repaired.damage.lost_records(),
            kept_as: kept_as.clone(),
        }),
    );
    print::line(&print::clean(&format!(
        "session {0} is repaired; the damaged file is kept as {kept_as}. The model is told with the \
         next prompt: `bowline exec --resume {0}`",
        id.short()
    )));
    Ok(0)
}

fn show(damage: &Damage, state: &State, spool: &Path) {
    let Damage {
        session,
        what,
        kept_seq,
        dropped_bytes,
        dropped_lines,
        ..
    } = damage;
    print::line(&print::clean(&format!(
        "session {}: record {} is damaged: {what}",
        session.short(),
        kept_seq.next()
    )));
    print::line(&format!("  kept: records 1 to {kept_seq}"));
    print::line(&match dropped_bytes {
        0 => "  dropped: nothing is there any more".to_owned(),
        bytes => format!("  dropped: {bytes} bytes in {dropped_lines} lines"),
    });
    for dropped in damage.dropped.iter().take(SHOWN) {
        let number = dropped.seq.map_or("?".to_owned(), |seq| seq.to_string());
        let trust = if dropped.is_whole { "" } else { " (changed)" };
        print::line(&print::clean(&format!(
            "    {number}  {}{trust}",
            dropped.kind
        )));
    }
    let more = damage.dropped.len().saturating_sub(SHOWN);
    if more > 0 {
        let least = if damage.dropped.len() == MOST_TOLD {
            "at least "
        } else {
            ""
        };
        print::line(&format!("    and {least}{more} more"));
    }
    print::line(&match damage.lost_records() {
        0 => "  lost: how many records is not known".to_owned(),
        count => {
            format!("  lost: {count} records that were there; what was done in them is unknown")
        }
    });
    for open in repair::without_records(state, spool) {
        print::line(&print::clean(&format!(
            "  in doubt: {} {} (it was started, and nothing tells how it ended)",
            open.call.name, open.call.arguments
        )));
    }
    for open in repair::unclear(state) {
        print::line(&print::clean(&format!(
            "  not run again by itself: {} {} (it may have run unrecorded)",
            open.call.name, open.call.arguments
        )));
    }
}
