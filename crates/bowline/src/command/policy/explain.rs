//! `bowline policy explain`: how a shell command is understood, part by part.

use bowline_core::Action;
use bowline_core::decision::{Judged, Segment};
use bowline_core::look::LookFact;

use super::check::{self, Tried};
use crate::args::Case;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// Runs the command.
pub fn run(places: &Places, case: &Case) -> Result<u8, Failure> {
    if case.jsonl.is_some() {
        return Err(Failure::usage(
            "explain takes one command; `bowline policy check --jsonl` judges a file",
        ));
    }
    let tried = Tried::here(places, case)?;
    let code = check::exit(tried.judgement.verdict);
    if case.json {
        print::line(&tried.as_json().to_string());
        return Ok(code);
    }
    let look = Look::of_stdout();
    let judgement = &tried.judgement;
    print::line(&check::head(&look, judgement.verdict, &tried.command));
    for line in look.wrap(&judgement.reason, 2) {
        print::line(&format!("  {line}"));
    }
    let rules = tried.policy.rules.len();
    let setting = format!("mode {}, {rules} rules in force", tried.policy.mode);
    print::line(&look.paint(Colour::Dim, &format!("  {setting}")));
    for judged in &judgement.judged {
        if let Some(segment) = judged.segment {
            part(&look, &tried.command, segment, judged);
        }
    }
    looked(&look, &judgement.looked);
    Ok(code)
}

/// One part: what it is, its verdict, why, by which rule, against which.
fn part(look: &Look, command: &str, segment: Segment, judged: &Judged) {
    let what = match &judged.action {
        Action::RunWords { .. } | Action::Run { .. } => "run",
        Action::ReadPath { .. } => "read",
        Action::WritePath { .. } => "write",
        Action::Reach { .. } => "reach",
        Action::CallMcp { .. } => "call",
        Action::Note | Action::AskPerson { .. } | Action::AwaitParty { .. } => "",
    };
    let text = segment.of(command);
    print::line("");
    print::line(&format!(
        "{}  {what:<5}  {}",
        check::painted(look, judged.verdict),
        look.fit(text, 14)
    ));
    for line in look.wrap(&judged.reason, 7) {
        print::line(&format!("       {line}"));
    }
    let rule = format!("rule {}", check::placed(&judged.rule));
    print::line(&look.paint(Colour::Dim, &format!("       {}", look.fit(&rule, 7))));
    for lost in &judged.runner_up {
        let lost = format!("lost {}", check::placed(lost));
        print::line(&look.paint(Colour::Dim, &format!("       {}", look.fit(&lost, 7))));
    }
}

/// What was looked at on the disk.
fn looked(look: &Look, facts: &[LookFact]) {
    if facts.is_empty() {
        return;
    }
    print::line("");
    for fact in facts {
        let text = format!("looked at {}", fact.words());
        print::line(&look.paint(Colour::Dim, &look.fit(&text, 0)));
    }
}
