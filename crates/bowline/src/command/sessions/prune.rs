//! `bowline sessions prune`: what is over the limits of age and size, and away with it after a yes.

use bowline_core::SystemFact;
use bowline_core::system::SessionPruned;
use bowline_journal::{Error, Pruned, Store};
use bowline_runtime::config::Effective;
use bowline_runtime::retention::{
    Over, PartLimits, RetentionLimits, RetentionPlan, may_go, parse_size, plan, size,
};
use bowline_runtime::{Clock, RunLog, since};
use serde_json::{Value, json};

use crate::args::Prune;
use crate::command::answer::refuse_under_a_keeper;
use crate::command::run::owner;
use crate::failure::Failure;
use crate::print::{self, Look};

/// Shows what would go; takes it away with `--yes`.
pub fn run(store: &Store, config: &Effective, args: &Prune) -> Result<u8, Failure> {
    let clock = Clock::system();
    let limits = limits(config, args, clock.now_ms())?;
    let mut plan = plan(store, &limits)?;
    if args.yes {
        refuse_under_a_keeper()?;
        take_away(store, &mut plan, &clock)?;
    }
    if args.json {
        print::line(&as_json(&plan, args.yes).to_string());
    } else {
        show(&plan, &limits, args.yes);
    }
    Ok(0)
}

/// Flags speak of whole sessions and take the place of what the configuration says of them.
fn limits(config: &Effective, args: &Prune, now_ms: u64) -> Result<RetentionLimits, Failure> {
    let mut limits = RetentionLimits::of(config, now_ms);
    if args.older_than.is_some() || args.over.is_some() {
        let before_ms = args.older_than.as_deref().map(|text| since(text, now_ms));
        let most_bytes = args.over.as_deref().map(parse_size);
        limits.sessions = PartLimits {
            before_ms: before_ms.transpose().map_err(Failure::usage)?,
            most_bytes: most_bytes.transpose().map_err(Failure::usage)?,
        };
    }
    Ok(limits)
}

fn take_away(store: &Store, plan: &mut RetentionPlan, clock: &Clock) -> Result<(), Failure> {
    let log = RunLog::new(store.installation(), clock.clone());
    for over in plan.over.iter_mut().filter(|over| over.stays.is_none()) {
        let (id, part) = (over.session.session, over.part);
        let spool = store.session_dir(id).spool();
        let asked = |state: &_| may_go(state, &spool, part);
        match store.prune(id, &owner(clock), part, &asked) {
            Ok(Pruned::Gone) => log.record_about(
                Some(id),
                SystemFact::SessionPruned(SessionPruned {
                    part: part.name().to_owned(),
                    bytes: over.bytes,
                    why: over.why.clone(),
                }),
            ),
            Ok(Pruned::Kept(why)) => over.stays = Some(why),
            Err(Error::Owned { .. }) => over.stays = Some("a process owns it".to_owned()),
            Err(Error::NotFound { .. }) => over.stays = Some("it is gone already".to_owned()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn show(plan: &RetentionPlan, limits: &RetentionLimits, done: bool) {
    print::line(&format!(
        "all sessions take {}: journals {}, large bodies {}, output of commands {}",
        size(plan.sizes.total()),
        size(plan.sizes.journal),
        size(plan.sizes.blobs),
        size(plan.sizes.spool)
    ));
    if !limits.is_set() {
        print::line(
            "no limit is set: give --older-than 30d or --over 2GB, or set retention.* keys \
             (`bowline config show`)",
        );
        return;
    }
    let look = Look::of_stdout();
    let count = plan.going().count();
    let bytes: u64 = plan.going().map(|over| over.bytes).sum();
    let (verb, things) = if done {
        ("removed", "")
    } else {
        ("would remove", ":")
    };
    print::line(&match count {
        0 => "nothing is over a limit that may go".to_owned(),
        _ => format!("{verb} {count}, {}{things}", size(bytes)),
    });
    for over in plan.going() {
        row(&look, over, &over.why);
    }
    if plan.staying().next().is_some() {
        print::line("kept although over a limit:");
    }
    for over in plan.staying() {
        row(&look, over, over.stays.as_deref().unwrap_or_default());
    }
    if !done && count > 0 {
        print::line("nothing was removed: add --yes");
    }
}

fn row(look: &Look, over: &Over, why: &str) {
    let line = format!(
        "  {}  {:<7}  {:>9}  {why}  {}",
        over.session.session.short(),
        over.part.name(),
        size(over.bytes),
        over.session.title
    );
    print::line(&look.fit(&line, 0));
}

fn as_json(plan: &RetentionPlan, done: bool) -> Value {
    let row = |over: &Over| {
        json!({
            "id": over.session.session,
            "part": over.part.name(),
            "bytes": over.bytes,
            "why": over.why,
            "stays": over.stays,
        })
    };
    json!({
        "bytes": plan.sizes.total(),
        "journal_bytes": plan.sizes.journal,
        "blobs_bytes": plan.sizes.blobs,
        "spool_bytes": plan.sizes.spool,
        "going": plan.going().map(row).collect::<Vec<_>>(),
        "staying": plan.staying().map(row).collect::<Vec<_>>(),
        "removed": done,
    })
}
