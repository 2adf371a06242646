//! `bowline events ID`: what was recorded, in order.

use std::time::Duration;

use bowline_core::decision::DecidedBy;
use bowline_core::{Event, Fact};
use bowline_journal::{Recorded, Store};
use serde_json::json;

use crate::args::Events;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};

/// How often a followed journal is looked at.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &Events) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let id = store.resolve(&args.id)?;
    let reader = store.read_only(id)?;
    if args.follow {
        return follow(&store, &reader, args.json);
    }
    let intact = reader.read_intact()?;
    for recorded in &intact.events {
        show(recorded, args.json);
    }
    if intact.torn_bytes > 0 {
        print::err_line(&format!(
            "bowline: {} bytes at the end are not acknowledged yet, or never will be",
            intact.torn_bytes
        ));
    }
    match intact.finding {
        Some(error) => Err(error.into()),
        None => Ok(0),
    }
}

/// Prints events as they become durable; ends when nobody drives the session any more.
fn follow(store: &Store, reader: &bowline_journal::ReadOnly, json: bool) -> Result<u8, Failure> {
    let mut follower = reader.follow();
    loop {
        // Asked first: what was written before the owner left is still read below.
        let owned = store.owner(reader.session())?.is_some();
        for recorded in follower.poll()? {
            show(&recorded, json);
        }
        if !owned {
            return Ok(0);
        }
        std::thread::sleep(FOLLOW_PAUSE);
    }
}

fn show(recorded: &Recorded, json: bool) {
    let receipt = &recorded.receipt;
    if json {
        let object = json!({
            "seq": receipt.seq,
            "epoch": receipt.epoch,
            "hash": receipt.hash,
            "event": recorded.event,
        });
        print::line(&object.to_string());
        return;
    }
    let look = Look::of_stderr();
    let line = format!(
        "{:>5}  {}  {:<18} {}",
        receipt.seq,
        bowline_runtime::time_of_day(recorded.event.at_ms),
        recorded.event.fact.kind(),
        about(&recorded.event)
    );
    print::line(&look.fit(&line, 0));
}

/// The essence of an event in a few words.
fn about(event: &Event) -> String {
    match &event.fact {
        Fact::SessionStarted(started) => format!("{} in {}", started.settings.model, started.cwd),
        Fact::OwnerChanged(owner) => format!("epoch {}, process {}", owner.epoch, owner.pid),
        Fact::SettingsChanged(change) => format!("mode {}, by {}", change.settings.mode, change.by),
        Fact::SessionAdopted(adopted) => format!(
            "{}, mode {} in {}, by {}",
            adopted.settings.model, adopted.settings.mode, adopted.cwd, adopted.by
        ),
        Fact::PromptAccepted(prompt) => prompt.text.text().to_owned(),
        Fact::TurnStarted(started) => format!("turn {}", started.turn),
        Fact::NoticeAdded(notice) => notice.text.text().to_owned(),
        Fact::AttemptReserved(reserved) => format!(
            "step {}, try {}, {} tokens set aside",
            reserved.step(),
            reserved.try_number(),
            reserved.reserved_tokens()
        ),
        Fact::AttemptFailed(failed) => failed.failure.message.clone(),
        Fact::ModelReplied(replied) => {
            let calls: Vec<&str> = replied
                .message
                .calls()
                .map(|call| call.name.as_str())
                .collect();
            format!("{} [{}]", replied.message.text().trim(), calls.join(", "))
        }
        Fact::CallRejected(rejected) => rejected.error.text().to_owned(),
        Fact::Decided(decided) => {
            let decision = &decided.decision;
            let verdict = decision.verdict.name();
            let by = match &decision.by {
                DecidedBy::Policy => "policy",
                DecidedBy::Person(_) => "a person",
                DecidedBy::Grant(_) => "an earlier answer",
            };
            format!("{verdict} {} ({by}: {})", decision.essence, decision.reason)
        }
        Fact::DecisionAnswered(answer) => format!("{:?} by {}", answer.verdict, answer.by),
        Fact::QuestionAnswered(answer) => format!("{} (by {})", answer.answer.text(), answer.by),
        Fact::CallStarted(started) => {
            format!("{} (try {})", started.call().short(), started.try_number())
        }
        Fact::CallFinished(finished) => {
            let outcome = &finished.outcome;
            let reached = match outcome.effect.connections.len() {
                0 => String::new(),
                1 => "; 1 connection".to_owned(),
                count => format!("; {count} connections"),
            };
            format!("{} {}{reached}", finished.call.short(), outcome.summary)
        }
        Fact::CallFailed(failed) => failed.error.text().to_owned(),
        Fact::CallInDoubt(doubt) => doubt.why.clone(),
        Fact::CallFoundUnstarted(found) => found.proof.clone(),
        Fact::AnswerChecked(checked) if checked.problems.is_empty() => "it fits".to_owned(),
        Fact::AnswerChecked(checked) => checked.problems.join("; "),
        Fact::CancelRequested(cancel) => format!("by {}", cancel.by),
        Fact::TurnEnded(ended) => {
            format!(
                "{} {}",
                ended.stop.name(),
                ended.detail.as_deref().unwrap_or_default()
            )
        }
        _ => String::new(),
    }
}
