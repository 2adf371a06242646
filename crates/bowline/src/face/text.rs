//! The face for people: the answer on standard output, everything else on standard error.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;

use bowline_core::amounts::Measure;
use bowline_core::call::FileChange;
use bowline_core::event::{CallFinished, Decided, ModelReplied, Purpose, WaitEnded};
use bowline_core::protocol::{RunResult, WaitingItem};
use bowline_core::state::Party;
use bowline_core::{
    CallId, Event, Fact, OutcomeStatus, SessionId, StopReason, StreamEvent, ToolCall, Verdict,
};
use bowline_runtime::Face;

use super::{Asker, shorter};
use crate::print::{self, Colour, Look};

/// Lines of a diff that are shown.
const DIFF_LINES: usize = 24;

/// Most connections shown of one call.
const CONNECTION_LINES: usize = 6;

/// Shows a run to a person.
pub struct Text {
    look: Look,
    asker: Asker,
    /// Whether standard output is a terminal: then the answer streams, else it comes at the end.
    streams: bool,
    /// Whether the cursor stands behind streamed words.
    mid_line: bool,
    /// What the model call under way is for.
    asked_for: Purpose,
    streamed: bool,
    essence: BTreeMap<CallId, String>,
    parked: BTreeSet<CallId>,
    /// The session that was named: a run that asks at the terminal is driven in several parts.
    named: Option<SessionId>,
    last_started: Option<CallId>,
}

impl Text {
    /// Looks at the terminal, if there is one. `essence` is what open calls would do.
    pub fn new(asker: Asker, essence: BTreeMap<CallId, String>) -> Self {
        Self {
            asker,
            look: Look::of_stderr(),
            streams: std::io::stdout().is_terminal(),
            mid_line: false,
            asked_for: Purpose::Step,
            streamed: false,
            essence,
            parked: BTreeSet::new(),
            named: None,
            last_started: None,
        }
    }

    fn line(&mut self, text: &str) {
        if std::mem::take(&mut self.mid_line) {
            print::text("\n");
        }
        print::err_line(text);
    }

    fn dim(&self, text: &str) -> String {
        self.look.paint(Colour::Dim, text)
    }

    fn event(&mut self, event: &Event) {
        if let Some(line) = shorter::line(&event.fact) {
            return self.line(&self.dim(&line));
        }
        match &event.fact {
            Fact::AttemptReserved(reserved) => self.asked_for = reserved.purpose(),
            Fact::ModelReplied(replied) if self.asked_for.is_step() => self.replied(replied),
            Fact::CallRejected(rejected) => {
                let essence = self.essence.remove(&rejected.call).unwrap_or_default();
                self.failed_line(&essence, rejected.error.text());
            }
            Fact::Decided(decided) => self.decided(decided),
            Fact::CallParked(parked) => {
                self.parked.insert(parked.call);
            }
            // A look by the command of a wait is no news.
            Fact::CallStarted(started) if self.parked.contains(&started.call()) => {}
            Fact::CallStarted(started) => {
                let essence = self
                    .essence
                    .get(&started.call())
                    .cloned()
                    .unwrap_or_default();
                let line = format!(
                    "{} {}",
                    self.look.paint(Colour::Bold, "▸"),
                    self.look.fit(&essence, 2)
                );
                self.line(&line);
                self.last_started = Some(started.call());
            }
            Fact::CallFinished(finished) => self.finished(finished),
            Fact::CallFailed(failed) => {
                let essence = self.essence.remove(&failed.call).unwrap_or_default();
                self.failed_line(&essence, failed.error.text());
            }
            Fact::CallInDoubt(doubt) => {
                let essence = self.essence.remove(&doubt.call).unwrap_or_default();
                let text = format!("outcome unknown: {essence}: {}", doubt.why);
                let line = format!(
                    "{} {}",
                    self.look.paint(Colour::Yellow, "?"),
                    self.look.fit(&text, 2)
                );
                self.line(&line);
            }
            Fact::AnswerChecked(checked) if !checked.problems.is_empty() => {
                let problem = checked.problems.first().map_or("", String::as_str);
                self.line(&format!("the answer does not fit the schema: {problem}"));
            }
            Fact::WaitEnded(ended) => self.wait_ended(ended),
            Fact::CallSettled(settled) => {
                let word = if settled.happened {
                    "happened"
                } else {
                    "did not happen"
                };
                let call = settled.call.short();
                self.line(&format!("settled: call {call} {word}, says {}", settled.by));
            }
            Fact::CancelRequested(_) => self.line("the turn is being stopped"),
            _ => {}
        }
    }

    fn replied(&mut self, replied: &ModelReplied) {
        for call in replied.message.calls() {
            self.essence.insert(call.id, rough_essence(call));
        }
        let text = replied.message.text();
        if text.trim().is_empty() {
            return;
        }
        if self.streams {
            if !std::mem::take(&mut self.streamed) {
                print::text(&print::clean(&text));
            }
            print::text("\n");
            self.mid_line = false;
        } else if replied.message.calls().next().is_some() {
            // The final answer goes to standard output at the end; words on the way go here.
            self.line(print::clean(&text).trim_end());
        }
    }

    fn decided(&mut self, decided: &Decided) {
        let decision = &decided.decision;
        self.essence.insert(decided.call, decision.essence.clone());
        let (sign, colour, word) = match decision.verdict {
            Verdict::Allow => return,
            Verdict::Ask if self.asker == Asker::Terminal => return,
            Verdict::Ask => ("?", Colour::Yellow, "asks"),
            Verdict::Deny => ("✗", Colour::Red, "refused"),
        };
        let essence = self.look.fit(&decision.essence, 2);
        let reason = self.look.fit(&format!("{word}: {}", decision.reason), 4);
        let line = format!(
            "{} {essence}\n    {}",
            self.look.paint(colour, sign),
            self.dim(&reason)
        );
        self.line(&line);
    }

    fn wait_ended(&mut self, ended: &WaitEnded) {
        let essence = self.essence.remove(&ended.call).unwrap_or_default();
        let (sign, colour) = if ended.how.is_met() {
            ("✓", Colour::Green)
        } else {
            ("✗", Colour::Red)
        };
        let first = ended.told.text().lines().next().unwrap_or_default();
        let text = self.look.fit(&format!("{essence}: {first}"), 2);
        let line = format!("{} {text}", self.look.paint(colour, sign));
        self.line(&line);
    }

    /// What the process stays for, and how it goes on.
    fn staying(&mut self, waiting: &[WaitingItem], parties: &[Party]) {
        self.open_questions(waiting);
        self.parties(parties);
        let how = how_to_answer(waiting);
        let text = match how {
            Some(how) => {
                format!("Answer with {how} elsewhere; this run goes on by itself. Ctrl-C parks it.")
            }
            None => "This run goes on by itself. Ctrl-C parks it.".to_owned(),
        };
        let text = self.dim(&text);
        self.line(&text);
    }

    fn parties(&mut self, parties: &[Party]) {
        for party in parties {
            let mut text = format!("waits for {}", party.line());
            if let Some(until_ms) = party.until_ms {
                text.push_str(&format!(", until {}", bowline_runtime::moment(until_ms)));
            }
            let line = format!(
                "{} {}",
                self.look.paint(Colour::Yellow, "…"),
                self.look.fit(&text, 2)
            );
            self.line(&line);
            let words = party.instructions.as_deref().unwrap_or_default();
            for line in self.look.wrap(words, 4) {
                let line = self.dim(&line);
                self.line(&format!("    {line}"));
            }
        }
    }

    fn open_questions(&mut self, waiting: &[WaitingItem]) {
        for item in waiting {
            let line = format!(
                "  {}  {}\n      {}",
                item.decision_id.short(),
                self.look.fit(&item.essence, 12),
                self.dim(&self.look.fit(&item.reason, 6))
            );
            self.line(&line);
            for (number, choice) in super::choices(item.question.as_ref()) {
                let line = self.look.fit(&format!("{number}. {choice}"), 6);
                self.line(&format!("      {line}"));
            }
        }
    }

    /// What waits, what is in doubt, and how to go on.
    fn rest(&mut self, result: &RunResult) {
        self.open_questions(&result.waiting);
        if result.stop_reason == StopReason::Waiting {
            self.parties(&result.parties);
            let id = result.session_id.short();
            let mut how: Vec<String> = how_to_answer(&result.waiting)
                .map(|how| format!("Answer with {how}."))
                .into_iter()
                .collect();
            let mut parties = result.parties.iter();
            if let Some(party) = parties.find(|party| party.waits_for.starts_with("the signal")) {
                let name = print::quoted(&party.name);
                how.push(format!(
                    "Send the signal with `bowline signal {id} {name}`."
                ));
            }
            how.push(format!("Go on with `bowline exec --resume {id}`."));
            for line in self.look.wrap(&how.join(" "), 0) {
                self.line(&line);
            }
        }
        for doubt in &result.in_doubt {
            let text = format!("in doubt: {} ({})", doubt.essence, doubt.call.short());
            let line = format!(
                "{} {}",
                self.look.paint(Colour::Yellow, "?"),
                self.look.fit(&text, 2)
            );
            self.line(&line);
        }
        if let Some(doubt) = result.in_doubt.first() {
            let call = doubt.call.short();
            let how = format!("  settle it with `bowline settle {call} --happened` or `--did-not`");
            let how = self.dim(&how);
            self.line(&how);
        }
    }

    fn failed_line(&mut self, essence: &str, error: &str) {
        let first = error.lines().next().unwrap_or_default();
        let text = self.look.fit(&format!("{essence}: {first}"), 2);
        let line = format!("{} {text}", self.look.paint(Colour::Red, "✗"));
        self.line(&line);
    }

    fn finished(&mut self, finished: &CallFinished) {
        let essence = self.essence.remove(&finished.call).unwrap_or_default();
        let outcome = &finished.outcome;
        let (sign, colour) = match outcome.status {
            OutcomeStatus::Ok => ("✓", Colour::Green),
            OutcomeStatus::Error => ("✗", Colour::Red),
        };
        let mut text = outcome.summary.clone();
        if let Some(line) = outcome
            .exit_code
            .and_then(|_| last_line(outcome.content.text()))
        {
            text = format!("{text}: {line}");
        }
        if self.last_started != Some(finished.call) && !text.starts_with(&essence) {
            text = format!("{essence}: {text}");
        }
        if outcome.duration_ms >= 1000 {
            text = format!("{text} ({})", print::duration(outcome.duration_ms));
        }
        let line = format!(
            "  {} {}",
            self.look.paint(colour, sign),
            self.look.fit(&text, 4)
        );
        self.line(&line);
        self.last_started = None;
        for change in &outcome.effect.files {
            self.diff(change);
        }
        let connections = &outcome.effect.connections;
        for connection in connections.iter().take(CONNECTION_LINES) {
            let text = self.look.fit(&connection.words(), 4);
            let line = format!("    {}", self.dim(&text));
            self.line(&line);
        }
        if connections.len() > CONNECTION_LINES {
            let more = connections.len() - CONNECTION_LINES;
            let more = self.dim(&format!("    ... {more} more connections"));
            self.line(&more);
        }
    }

    fn diff(&mut self, change: &FileChange) {
        let lines: Vec<&str> = change
            .diff
            .lines()
            .filter(|line| !line.starts_with("---") && !line.starts_with("+++"))
            .collect();
        for line in lines.iter().take(DIFF_LINES) {
            let colour = match line.as_bytes().first() {
                Some(b'+') => Colour::Green,
                Some(b'-') => Colour::Red,
                _ => Colour::Dim,
            };
            let text = self.look.paint(colour, &self.look.fit(line, 4));
            self.line(&format!("    {text}"));
        }
        if lines.len() > DIFF_LINES {
            let more = format!("    ... {} more lines", lines.len() - DIFF_LINES);
            let more = self.dim(&more);
            self.line(&more);
        }
    }

    fn result(&mut self, result: &RunResult) {
        let done = result.stop_reason == StopReason::Done;
        if done && !self.streams {
            print::line(print::clean(&result.result).trim_end());
        }
        if !done {
            // Whole, for its end says what to do next.
            for part in result.result.lines() {
                for line in self.look.wrap(part, 0) {
                    self.line(&line);
                }
            }
        }
        self.rest(result);
        for running in &result.running {
            let text = format!("still running: {}  {}", running.job, running.command);
            let text = self.look.fit(&text, 0);
            self.line(&text);
            let how = format!("  stop it with `bowline jobs stop {}`", running.job);
            let how = self.dim(&how);
            self.line(&how);
        }
        let refused = match result.refused_calls {
            0 => String::new(),
            1 => " · 1 call refused".to_owned(),
            n => format!(" · {n} calls refused"),
        };
        let steps = if result.steps == 1 { "step" } else { "steps" };
        let cost = result.cost_micro_usd.map_or_else(String::new, |cost| {
            format!(" · {}", Measure::Cost.show(cost))
        });
        let line = format!(
            "{} · {} {steps} · {} tokens{cost} · {}{refused} · session {}",
            result.stop_reason.name().replace('_', " "),
            result.steps,
            print::grouped(result.usage.total_tokens()),
            print::duration(result.duration_ms),
            result.session_id.short()
        );
        let line = self.dim(&line);
        self.line(&line);
    }
}

impl Face for Text {
    fn show(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Session {
                session_id,
                resumed,
                cwd,
                model,
                mode,
                ..
            } if self.named.replace(*session_id) != Some(*session_id) => {
                let word = if *resumed {
                    "resumed session"
                } else {
                    "session"
                };
                let line = format!(
                    "{word} {} · {model} · mode {mode} · {cwd}",
                    session_id.short()
                );
                let line = self.dim(&self.look.fit(&line, 0));
                self.line(&line);
            }
            StreamEvent::Event { event, .. } => self.event(event),
            StreamEvent::TextDelta { text, .. } if self.streams => {
                print::text(&print::clean(text));
                self.mid_line = true;
                self.streamed = true;
            }
            StreamEvent::AttemptDiscarded {
                reason,
                retry_in_ms,
                ..
            } => {
                self.streamed = false;
                let next = match retry_in_ms {
                    Some(ms) => format!("; trying again in {}", print::duration(*ms)),
                    None => String::new(),
                };
                let text = self.look.fit(&format!("{reason}{next}"), 2);
                let line = format!("{} {text}", self.look.paint(Colour::Yellow, "!"));
                self.line(&line);
            }
            StreamEvent::Throttled { reason, .. } => {
                let text = self.look.fit(reason, 2);
                let line = format!("{} {text}", self.look.paint(Colour::Yellow, "!"));
                self.line(&line);
            }
            StreamEvent::Sandbox { lacking, .. } => {
                let line = format!("{} {lacking}", self.look.paint(Colour::Yellow, "!"));
                self.line(&line);
            }
            StreamEvent::Alarm { alarm } => {
                // Whole: the cause stands at its end.
                let text = print::clean(&alarm.line()).replace(['\n', '\t'], " ");
                let line = format!("{} alarm: {text}", self.look.paint(Colour::Yellow, "!"));
                self.line(&line);
            }
            StreamEvent::Unwatched { reason } => {
                let text = format!("no alarms but those of tools and prefix: {reason}");
                let line = self.dim(&self.look.fit(&text, 0));
                self.line(&line);
            }
            StreamEvent::Waiting { waiting, parties } => self.staying(waiting, parties),
            StreamEvent::Result(result) => self.result(result),
            _ => {}
        }
    }
}

/// The commands that answer what waits; `None` when nothing waits for a person.
fn how_to_answer(waiting: &[WaitingItem]) -> Option<&'static str> {
    let questions = waiting.iter().filter(|item| item.question.is_some());
    match (questions.count(), waiting.len()) {
        (_, 0) => None,
        (0, _) => Some("`bowline approve ID` or `bowline deny ID`"),
        (questions, all) if questions == all => Some("`bowline answer ID TEXT`"),
        _ => Some("`bowline approve ID`, `bowline deny ID` or `bowline answer ID TEXT`"),
    }
}

/// The last line that a shell command wrote; the line about its exit is ours.
fn last_line(text: &str) -> Option<&str> {
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("[exit"))
}

/// What a call is about before it was planned: its name and the start of its arguments.
fn rough_essence(call: &ToolCall) -> String {
    let arguments: String = call.arguments.chars().take(120).collect();
    format!("{} {arguments}", call.name)
}
