//! `bowline policy backtest FILE` and `bowline policy adopt FILE`: what other rules would have said
//! of recorded calls, and to put them in force after that was shown.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use bowline_core::Verdict;
use bowline_core::decision::Layer;
use bowline_runtime::config::{FileRule, parse_rules};
use bowline_runtime::rules::backtest::{Backtest, Change, Difference, Trial, backtest};
use serde_json::json;

use super::{recorded, rules_of};
use crate::args::Backtest as Args;
use crate::command::answer::refuse_under_a_keeper;
use crate::config_file::{self, RULES_BYTES_MAX};
use crate::config_folder;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// Most groups of calls that are shown of each difference.
const GROUPS_SHOWN: usize = 20;

/// Runs `backtest`.
pub fn run(places: &Places, args: &Args) -> Result<u8, Failure> {
    let (_, rules) = rules_of(&args.file)?;
    let found = of(places, args, &rules)?;
    if args.json {
        print::line(&json!(found).to_string());
    } else {
        show(&found, args);
    }
    Ok(0)
}

/// Runs `adopt`.
pub fn adopt(places: &Places, args: &Args, yes_widen: Option<usize>) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    // What is shown and what is written are the same bytes.
    let (text, rules) = rules_of(&args.file)?;
    let found = of(places, args, &rules)?;
    if args.json {
        print::line(&json!(found).to_string());
    } else {
        show(&found, args);
    }
    let file = places.user_rules();
    let before = config_file::read(Layer::User, &file, RULES_BYTES_MAX)?.unwrap_or_default();
    let known = parse_rules(Layer::User, &file.display().to_string(), &before)?;
    if widens(&known, &rules, args.add) {
        let allowed = found.newly_allowed.count;
        if !is_wanted(allowed, yes_widen)? {
            print::err_line("nothing was written");
            return Ok(1);
        }
    }
    let whole = if args.add {
        let gap = if before.is_empty() || before.ends_with("\n\n") {
            ""
        } else {
            "\n"
        };
        format!("{before}{gap}{text}")
    } else {
        text
    };
    // Both files were right; together they may be too many.
    parse_rules(Layer::User, &file.display().to_string(), &whole)?;
    write(&file, &before, &whole)?;
    print::line(&print::clean(&format!(
        "written to {}: sessions begun from now on are judged by it",
        file.display()
    )));
    Ok(0)
}

fn of(places: &Places, args: &Args, rules: &[FileRule]) -> Result<Backtest, Failure> {
    let calls = recorded(places, args.since.as_deref())?;
    let change = if args.add {
        Change::Add
    } else {
        Change::Replace
    };
    let now_ms = crate::command::clock().now_ms();
    let file = places.user_rules().display().to_string();
    let trial = Trial::new(rules, change, &file, now_ms);
    backtest(&calls, &trial).map_err(|error| {
        Failure::stopped(format!(
            "a recorded rule is not read by this version: {error}"
        ))
    })
}

/// Whether the new rules could allow anything that the known ones do not.
fn widens(known: &[FileRule], new: &[FileRule], add: bool) -> bool {
    let has = |rules: &[FileRule], one: &FileRule| {
        rules.iter().any(|other| {
            other.rule.verdict == one.rule.verdict
                && other.rule.source.rule == one.rule.source.rule
                && other.expires_at_ms == one.expires_at_ms
        })
    };
    let allows = |one: &&FileRule| one.rule.verdict == Verdict::Allow;
    let is_new = new.iter().filter(allows).any(|one| !has(known, one));
    let tightens = |one: &&FileRule| one.rule.verdict != Verdict::Allow;
    let is_gone = || known.iter().filter(tightens).any(|one| !has(new, one));
    is_new || (!add && is_gone())
}

/// Whether a person wants rules that allow more, after the list was shown.
fn is_wanted(allowed: usize, yes_widen: Option<usize>) -> Result<bool, Failure> {
    if let Some(shown) = yes_widen {
        if shown == allowed {
            return Ok(true);
        }
        return Err(Failure::usage(format!(
            "--yes-widen {shown}: {allowed} recorded calls are newly allowed now. Look at the list \
             again, and give that number"
        )));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "these rules can allow more than those in force, {allowed} of the recorded calls for \
             one: nobody is at the terminal, so give --yes-widen {allowed} if that is wanted"
        )));
    }
    print::err_line(&format!(
        "These rules can allow more than those in force: {allowed} of the recorded calls are newly \
         allowed. Type yes to put them in force:"
    ));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::usage(format!("no answer could be read: {error}")))?;
    Ok(answer.trim() == "yes")
}

/// Replaces the file, unless somebody else changed it meanwhile.
fn write(file: &Path, before: &str, text: &str) -> Result<(), Failure> {
    let cannot = |error: io::Error| {
        Failure::stopped(format!("{}: {error}. Nothing was written", file.display()))
    };
    let _held = config_folder::hold(file.parent().unwrap_or(Path::new("/"))).map_err(cannot)?;
    let now = config_file::read(Layer::User, file, RULES_BYTES_MAX)?.unwrap_or_default();
    if now != before {
        return Err(Failure::stopped(format!(
            "{} was changed meanwhile: try again. Nothing was written",
            file.display()
        )));
    }
    config_folder::replace(file, text).map_err(cannot)
}

fn show(found: &Backtest, args: &Args) {
    let look = Look::of_stdout();
    let how = if args.add {
        "added to your rules"
    } else {
        "in place of your rules"
    };
    print::line(&look.fit(
        &format!(
            "{} recorded calls judged again, with {} {how}",
            print::grouped(found.calls as u64),
            args.file.display()
        ),
        0,
    ));
    print::line(&format!(
        "  the same       {}",
        print::grouped(found.same as u64)
    ));
    difference(&look, "newly allowed", Colour::Yellow, &found.newly_allowed);
    difference(&look, "newly asked", Colour::Bold, &found.newly_asked);
    difference(&look, "newly denied", Colour::Bold, &found.newly_denied);
    for (why, count) in &found.unknown {
        let count = print::grouped(*count as u64);
        let text = format!("not judged again: {count}, {}", why.words());
        for line in look.wrap(&text, 2) {
            print::line(&format!("  {line}"));
        }
    }
    if !found.unknown_examples.is_empty() {
        let examples = found.unknown_examples.join("; ");
        print::line(&look.fit(&format!("    such as {examples}"), 0));
    }
}

/// Shows calls that come out otherwise.
pub fn difference(look: &Look, title: &str, colour: Colour, difference: &Difference) {
    let head = format!("{title:<14} {}", print::grouped(difference.count as u64));
    let head = if difference.count > 0 {
        look.paint(colour, &head)
    } else {
        head
    };
    print::line(&format!("  {head}"));
    for group in difference.groups.iter().take(GROUPS_SHOWN) {
        let was = match group.was {
            Verdict::Allow => "ran unasked",
            Verdict::Ask => "asked",
            Verdict::Deny => "was refused",
        };
        let answered = match group.answered {
            (0, 0) => String::new(),
            (allowed, 0) => format!(", allowed {allowed} times"),
            (0, denied) => format!(", denied {denied} times"),
            (allowed, denied) => format!(", allowed {allowed} and denied {denied} times"),
        };
        print::line(&look.fit(&format!("    {:>5}x {}", group.count, group.essence), 0));
        let by = format!("           by {}; it {was}{answered}", group.by);
        print::line(&look.paint(Colour::Dim, &look.fit(&by, 0)));
    }
    let more = difference.groups.len().saturating_sub(GROUPS_SHOWN);
    if more > 0 {
        print::line(&format!("    and {more} other ones; --json has them all"));
    }
}
