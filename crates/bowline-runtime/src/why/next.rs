//! What a person can do next, as exact commands.

use bowline_core::wait::Until;
use bowline_core::{FailureKind, Measure, StopReason, Work};

use super::cause::Verdict;
use super::story::Story;
use super::{Evidence, NextStep, Run, Standing};

pub(super) fn steps(
    evidence: &Evidence<'_>,
    story: &Story<'_>,
    run: &Run<'_>,
    verdict: &Verdict,
) -> Vec<NextStep> {
    let id = evidence.session.short();
    let mut steps = Vec::new();
    if evidence.folder.is_some() {
        steps.push(word("make the state folder writable again"));
    }
    match verdict.standing {
        Standing::Running => {
            steps.push(command("watch it", format!("bowline events {id} --follow")))
        }
        Standing::Waiting => waiting(&mut steps, story, &id),
        Standing::Damaged => {
            steps.push(command(
                "read what is intact",
                format!("bowline events {id}"),
            ));
            steps.push(command(
                "keep what is intact, after a look at what is lost",
                format!("bowline sessions repair {id}"),
            ));
            steps.push(word(
                "or bring its journal back from a backup, or begin a new session",
            ));
        }
        Standing::StorageFailed => {
            steps.push(word(
                "make room on the disk of the state folder, or mend it",
            ));
            steps.push(command("then go on", resume(&id, story)));
        }
        Standing::Crashed => {
            steps.push(command("go on where it was", resume(&id, story)));
            let seq = run.events.last().map_or(0, |one| one.receipt.seq.0);
            steps.push(command(
                &format!("report the fault, with its frames (up to #{seq})"),
                format!("bowline log --session {id} --kind Crashed --json"),
            ));
        }
        Standing::Paused => {
            let go_on = format!("bowline resume {id}");
            steps.push(command("let it go on", go_on));
        }
        Standing::Killed | Standing::Unfinished if waits(story) => {
            waiting(&mut steps, story, &id);
        }
        Standing::Killed | Standing::Unfinished => {
            steps.push(command("go on where it was", resume(&id, story)));
        }
        Standing::New => steps.push(command(
            "give it a task",
            format!("bowline exec --resume {id} \"your task\""),
        )),
        Standing::Ended => ended(&mut steps, story, &id),
    }
    doubts(&mut steps, story);
    if !story.refused.is_empty() && verdict.standing != Standing::Waiting {
        refused(&mut steps, story, &id);
    }
    steps
}

fn doubts(steps: &mut Vec<NextStep>, story: &Story<'_>) {
    for doubt in story.state.in_doubt() {
        let call = doubt.call.short();
        steps.push(command(
            &format!(
                "look at what the call in doubt may have done, and if it happened: {}",
                super::story::shown(&doubt.essence)
            ),
            format!("bowline settle {call} --happened"),
        ));
        steps.push(command(
            "or if it did not",
            format!("bowline settle {call} --did-not"),
        ));
    }
}

fn waiting(steps: &mut Vec<NextStep>, story: &Story<'_>, id: &str) {
    for (_, decision) in story.state.waiting() {
        let question = decision.id.short();
        if decision.question().is_some() {
            steps.push(command(
                &format!("answer: {}", super::story::shown(&decision.essence)),
                format!("bowline answer {question} \"your answer\""),
            ));
            continue;
        }
        steps.push(command(
            &format!("allow: {}", super::story::shown(&decision.essence)),
            format!("bowline approve {question}"),
        ));
        steps.push(command("or not", format!("bowline deny {question}")));
    }
    for (_, _, park) in story.state.parked() {
        if park.wait.until == Until::Signal {
            let name = park.wait.name.replace('\'', "'\\''");
            steps.push(command(
                &format!(
                    "once it is there: {}",
                    super::story::shown(&park.wait.words())
                ),
                format!("bowline signal {id} '{name}'"),
            ));
        }
    }
    steps.push(command("then go on", format!("bowline exec --resume {id}")));
}

/// Whether nothing can be done before somebody does something.
fn waits(story: &Story<'_>) -> bool {
    let work = bowline_core::due(&super::taken_over(&story.state));
    matches!(work.as_slice(), [Work::Wait { .. }])
}

fn refused(steps: &mut Vec<NextStep>, story: &Story<'_>, id: &str) {
    let rule = story.refused.iter().find_map(|(_, call, _)| {
        let (_, decision) = story.calls.get(call)?.decision?;
        let judged = decision.actions.iter().max_by_key(|one| one.verdict)?;
        Some(judged.rule.clone())
    });
    match rule {
        Some(rule) if rule.rule.starts_with("mode:") => steps.push(command(
            "to let such a call run, go on in a mode that asks or allows",
            format!("bowline exec --resume {id} --mode ask \"try again\""),
        )),
        Some(rule) => steps.push(word(&format!(
            "to let such a call run, change the rule {}",
            rule.place()
        ))),
        None => {}
    }
}

fn ended(steps: &mut Vec<NextStep>, story: &Story<'_>, id: &str) {
    let go_on = |flags: &str, words: &str| format!("bowline exec --resume {id}{flags} \"{words}\"");
    let stop = story
        .ended
        .map_or(StopReason::Done, |(_, ended)| ended.stop);
    match stop {
        StopReason::Done => steps.push(command(
            "nothing is outstanding; give it something else",
            go_on("", "your next task"),
        )),
        StopReason::StepLimit => {
            let limit = story.state.settings().map_or(0, |s| s.limits.max_steps);
            let flag = format!(" --max-steps {}", limit.saturating_mul(2));
            steps.push(command("go on with a higher limit", go_on(&flag, "go on")));
        }
        StopReason::Budget => budget(steps, story, id),
        StopReason::Refused => steps.push(command(
            "say it in another way",
            go_on("", "your task in other words"),
        )),
        StopReason::ProviderFailed => provider(steps, story, id),
        _ => steps.push(command("go on", go_on("", "go on"))),
    }
}

/// What lets a session go on that a cap stopped.
fn budget(steps: &mut Vec<NextStep>, story: &Story<'_>, id: &str) {
    let go_on = |flags: &str| format!("bowline exec --resume {id}{flags} \"go on\"");
    if story.state.overrun().is_some() {
        steps.push(command(
            "look at the provider's bill, then let it go on",
            format!("bowline resume {id}"),
        ));
        return;
    }
    let detail = story.state.last_stop().and_then(|(_, detail)| detail);
    let limits = story.state.settings().map(|settings| &settings.limits);
    let flag = match detail {
        Some(detail) if detail.contains("budget.") => {
            let text = "raise the cap that is named above in the configuration, then go on";
            steps.push(command(text, go_on(" --reconfigure")));
            return;
        }
        Some(detail) if detail.contains("--max-usd") => {
            let cap = limits.and_then(|limits| limits.caps.session.cost_micro_usd);
            let doubled = cap.unwrap_or_default().saturating_mul(2);
            format!(" --max-usd {}", Measure::Cost.value(doubled))
        }
        _ => {
            let cap = limits.and_then(|limits| limits.max_tokens);
            format!(" --max-tokens {}", cap.unwrap_or(100_000).saturating_mul(2))
        }
    };
    steps.push(command("go on with a higher cap", go_on(&flag)));
}

fn provider(steps: &mut Vec<NextStep>, story: &Story<'_>, id: &str) {
    let kind = story.failure.map(|(_, failed)| failed.failure.kind);
    let (what, flags) = match kind {
        Some(FailureKind::Auth) => ("set the right key (the cause names its variable)", ""),
        Some(FailureKind::NotFound) => (
            "name a model that the endpoint has",
            " --model PROVIDER/MODEL",
        ),
        Some(FailureKind::Connect) => (
            "start the server, or name another endpoint",
            " --base-url URL",
        ),
        Some(FailureKind::RateLimited) => ("wait as long as the provider asks", ""),
        Some(FailureKind::Malformed) => (
            "check that the endpoint speaks this provider's dialect, or name another",
            " --base-url URL",
        ),
        Some(FailureKind::BadRequest | FailureKind::TooLong) => {
            steps.push(command(
                "if the conversation is too long for the model, begin a new session",
                "bowline exec \"your task, with what is known so far\"".to_owned(),
            ));
            (
                "mend what the cause names, or use another model",
                " --model PROVIDER/MODEL",
            )
        }
        _ => ("wait until the provider is well again", ""),
    };
    steps.push(word(what));
    steps.push(command(
        "then go on",
        format!("bowline exec --resume {id}{flags} \"go on\""),
    ));
}

/// Outstanding work settles without a prompt; a session that owes nothing needs one.
fn resume(id: &str, story: &Story<'_>) -> String {
    if bowline_core::due(&super::taken_over(&story.state)).is_empty() {
        format!("bowline exec --resume {id} \"go on\"")
    } else {
        format!("bowline exec --resume {id}")
    }
}

fn command(text: &str, command: String) -> NextStep {
    NextStep {
        text: text.to_owned(),
        command: Some(command),
    }
}

fn word(text: &str) -> NextStep {
    NextStep {
        text: text.to_owned(),
        command: None,
    }
}
