//! What a journal tells about the last turn: the prompt, the calls, what went wrong.

use std::collections::BTreeMap;

use bowline_core::event::{AttemptFailed, TurnEnded};
use bowline_core::state::CallPhase;
use bowline_core::{
    CallId, Decision, DecisionId, Event, Fact, Origin, OutcomeStatus, State, Verdict, apply,
};
use bowline_journal::Recorded;

use super::{Statement, journal_source};
use crate::time_of_day;

/// The most of a foreign text that is repeated on the page.
const SHOWN_CHARS: usize = 300;
/// Calls of the last step that are listed.
const SHOWN_CALLS: usize = 8;

/// One call over its life.
#[derive(Default)]
pub(super) struct CallLife<'a> {
    pub(super) tool: String,
    pub(super) essence: String,
    pub(super) decision: Option<(&'a Recorded, &'a Decision)>,
    steps: Vec<(&'a Recorded, String)>,
}

/// The fold.
pub(super) struct Story<'a> {
    pub(super) state: State,
    pub(super) calls: BTreeMap<CallId, CallLife<'a>>,
    prompt: Option<(&'a Recorded, &'a str)>,
    /// Refused or denied in the last turn.
    pub(super) refused: Vec<(&'a Recorded, CallId, String)>,
    /// Left in doubt in the last turn.
    pub(super) doubts: Vec<(&'a Recorded, CallId, &'a str)>,
    /// Calls of the last turn that ran and reported an error.
    failed_calls: Vec<(&'a Recorded, CallId, &'a str)>,
    pub(super) failure: Option<(&'a Recorded, &'a AttemptFailed)>,
    pub(super) ended: Option<(&'a Recorded, &'a TurnEnded)>,
    pub(super) settings: Option<&'a Recorded>,
    /// When the reservation of the model call under way was made.
    asked: Option<&'a Recorded>,
    pub(super) last: Option<&'a Recorded>,
}

impl<'a> Story<'a> {
    pub(super) fn of(events: &'a [Recorded]) -> Self {
        let mut story = Self {
            state: State::new(),
            calls: BTreeMap::new(),
            prompt: None,
            refused: Vec::new(),
            doubts: Vec::new(),
            failed_calls: Vec::new(),
            failure: None,
            ended: None,
            settings: None,
            asked: None,
            last: events.last(),
        };
        for recorded in events {
            story.hear(recorded);
            story.state = apply(std::mem::take(&mut story.state), &recorded.event);
        }
        story
    }

    fn hear(&mut self, recorded: &'a Recorded) {
        let Event { fact, .. } = &recorded.event;
        match fact {
            Fact::PromptAccepted(prompt) if *prompt.text.origin() == Origin::Person => {
                self.prompt = Some((recorded, prompt.text.text()));
            }
            Fact::SettingsChanged(_) => self.settings = Some(recorded),
            Fact::TurnStarted(_) => {
                self.refused.clear();
                self.doubts.clear();
                self.failed_calls.clear();
                self.failure = None;
                self.ended = None;
            }
            Fact::AttemptReserved(_) => self.asked = Some(recorded),
            Fact::AttemptFailed(failed) => self.failure = Some((recorded, failed)),
            Fact::ModelReplied(replied) => {
                self.failure = None;
                for call in replied.message.calls() {
                    let life = self.calls.entry(call.id).or_default();
                    life.tool.clone_from(&call.name);
                    life.essence = format!("{} {}", call.name, shown(&call.arguments));
                    life.steps.push((recorded, "asked for".to_owned()));
                }
            }
            Fact::TurnEnded(ended) => self.ended = Some((recorded, ended)),
            _ => self.hear_call(recorded),
        }
    }

    fn hear_call(&mut self, recorded: &'a Recorded) {
        match &recorded.event.fact {
            Fact::Decided(decided) => {
                let decision = &decided.decision;
                let life = self.calls.entry(decided.call).or_default();
                life.essence.clone_from(&decision.essence);
                life.decision = Some((recorded, decision));
                let verdict = match decision.verdict {
                    Verdict::Allow => "allowed",
                    Verdict::Ask => "asks a person",
                    Verdict::Deny => "refused",
                };
                let rule = strictest(decision);
                let text = format!("{verdict}: {}{rule}", decision.reason);
                if decision.verdict == Verdict::Deny {
                    let why = format!("{}{rule}", decision.reason);
                    self.refused.push((recorded, decided.call, why));
                }
                self.step(decided.call, recorded, text);
            }
            Fact::QuestionAnswered(answer) => {
                if let Some(call) = self.call_of(answer.decision) {
                    self.step(call, recorded, format!("answered by {}", answer.by));
                }
            }
            Fact::DecisionAnswered(answer) => {
                let Some(call) = self.call_of(answer.decision) else {
                    return;
                };
                let (word, by) = (answer.verdict, &answer.by);
                if word == Verdict::Deny {
                    let note = answer.note.as_deref().unwrap_or("no note");
                    let why = format!("denied by a person ({by}): {note}");
                    self.refused.push((recorded, call, why));
                }
                let word = if word == Verdict::Allow {
                    "allowed"
                } else {
                    "denied"
                };
                self.step(call, recorded, format!("{word} by {by}"));
            }
            Fact::CallStarted(started) => {
                let text = format!("started, try {}", started.try_number());
                self.step(started.call(), recorded, text);
            }
            Fact::CallFinished(finished) => {
                let summary = finished.outcome.summary.as_str();
                if finished.outcome.status == OutcomeStatus::Error {
                    self.failed_calls.push((recorded, finished.call, summary));
                }
                self.step(finished.call, recorded, format!("ended: {summary}"));
            }
            Fact::CallRejected(rejected) => {
                self.step(rejected.call, recorded, shown(rejected.error.text()));
            }
            Fact::CallFailed(failed) => {
                self.step(failed.call, recorded, shown(failed.error.text()));
            }
            Fact::CallInDoubt(doubt) => {
                self.doubts.push((recorded, doubt.call, &doubt.why));
                let text = format!("outcome unknown: {}", doubt.why);
                self.step(doubt.call, recorded, text);
            }
            Fact::CallFoundUnstarted(found) => {
                let text = format!("found never to have begun: {}", found.proof);
                self.step(found.call, recorded, text);
            }
            _ => {}
        }
    }

    /// The call that a decision is about.
    fn call_of(&self, decision: DecisionId) -> Option<CallId> {
        let mut calls = self.calls.iter();
        let found = calls.find(|(_, life)| life.decision.is_some_and(|(_, d)| d.id == decision));
        found.map(|(call, _)| *call)
    }

    fn step(&mut self, call: CallId, recorded: &'a Recorded, text: String) {
        let life = self.calls.entry(call).or_default();
        life.steps.push((recorded, text));
    }

    /// What a call would do, in a line.
    pub(super) fn essence(&self, call: CallId) -> String {
        self.calls
            .get(&call)
            .filter(|life| !life.essence.is_empty())
            .map_or_else(
                || format!("call {}", call.short()),
                |life| shown(&life.essence),
            )
    }

    /// One call, step by step.
    pub(super) fn of_call(&self, call: CallId) -> Vec<Statement> {
        let Some(life) = self.calls.get(&call) else {
            return Vec::new();
        };
        let step = |(recorded, text): &(&Recorded, String)| {
            let at = time_of_day(recorded.event.at_ms);
            statement(
                format!("{at} {}: {text}", life.tool),
                [journal_source(recorded)],
            )
        };
        life.steps.iter().map(step).collect()
    }

    /// What it was doing when it stopped, or is doing right now.
    pub(super) fn doing(&self) -> Vec<Statement> {
        let mut doing = Vec::new();
        if let Some((recorded, text)) = self.prompt {
            let text = format!("The last prompt: {}", shown(text));
            doing.push(statement(text, [journal_source(recorded)]));
        }
        let state = &self.state;
        doing.push(statement(
            format!("Turn {}, step {}.", state.last_turn(), state.steps()),
            [],
        ));
        doing.extend(self.under_way());
        for (recorded, call, summary) in self.failed_calls.iter().rev().take(3).rev() {
            let text = format!(
                "A call reported an error: {}: {summary}",
                self.essence(*call)
            );
            doing.push(statement(text, [journal_source(recorded)]));
        }
        doing
    }

    /// What had been begun and not ended when the journal ends.
    pub(super) fn under_way(&self) -> Vec<Statement> {
        let mut under_way = Vec::new();
        if self.state.attempt().is_some()
            && let Some(recorded) = self.asked
        {
            let at = time_of_day(recorded.event.at_ms);
            let text = format!("A model call was under way, begun at {at}.");
            under_way.push(statement(text, [journal_source(recorded)]));
        }
        let turn = self.state.turn();
        if let Some(until_ms) = turn.and_then(|turn| turn.not_before_ms)
            && let Some((recorded, failed)) = self.failure
        {
            let text = format!(
                "It paused until {} before it would ask the model again: {}",
                time_of_day(until_ms),
                failed.failure.message
            );
            under_way.push(statement(text, [journal_source(recorded)]));
        }
        let step = self.state.step();
        let open = step.into_iter().flat_map(|step| &step.calls);
        for call in open.take(SHOWN_CALLS) {
            let word = match &call.phase {
                CallPhase::Started(..) => "was running",
                CallPhase::Waiting(_) => "waits for a person",
                CallPhase::Parked(_) => "waits for something outside",
                CallPhase::Allowed(_) => "was allowed and not yet started",
                CallPhase::Proposed => "was not yet decided upon",
                CallPhase::Closed(_) => continue,
            };
            let last = self
                .calls
                .get(&call.call.id)
                .and_then(|life| life.steps.last());
            under_way.push(statement(
                format!("A call {word}: {}", self.essence(call.call.id)),
                last.map(|(recorded, _)| journal_source(recorded)),
            ));
        }
        under_way
    }
}

/// The rule that decided, as people look it up.
fn strictest(decision: &Decision) -> String {
    let judged = decision.actions.iter().max_by_key(|judged| judged.verdict);
    judged.map_or(String::new(), |judged| {
        format!(" (rule {})", judged.rule.place())
    })
}

pub(super) fn statement(text: String, sources: impl IntoIterator<Item = String>) -> Statement {
    Statement {
        text,
        sources: sources.into_iter().collect(),
    }
}

/// A text on one line, cut to what fits a page.
pub(super) fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
