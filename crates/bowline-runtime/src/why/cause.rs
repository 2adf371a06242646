//! The cause: which of the things recorded explains where the session stands.

use bowline_core::system::{EndedHow, Stopped};
use bowline_core::{CallId, FailureKind, StopReason, SystemFact};

use super::story::{Story, statement};
use super::{Evidence, Run, Standing, Statement, journal_source, system_source};
use crate::moment;

/// What was found.
pub(super) struct Verdict {
    pub(super) standing: Standing,
    pub(super) cause: Vec<Statement>,
    pub(super) missing: Vec<String>,
}

struct Search<'s, 'a> {
    evidence: &'s Evidence<'a>,
    story: &'s Story<'a>,
    run: &'s Run<'a>,
    cause: Vec<Statement>,
    missing: Vec<String>,
}

pub(super) fn find<'a>(evidence: &Evidence<'a>, story: &Story<'a>, run: &Run<'a>) -> Verdict {
    let mut search = Search {
        evidence,
        story,
        run,
        cause: Vec::new(),
        missing: Vec::new(),
    };
    let standing = search.standing();
    search.further();
    search.log_damage();
    Verdict {
        standing,
        cause: search.cause,
        missing: search.missing,
    }
}

impl Search<'_, '_> {
    fn state(&mut self, text: impl Into<String>, sources: impl IntoIterator<Item = String>) {
        self.cause.push(statement(text.into(), sources));
    }

    /// The main cause, and with it where the session stands.
    fn standing(&mut self) -> Standing {
        if let Some(folder) = &self.evidence.folder {
            let text = format!(
                "The state folder cannot be written: {folder}. Whatever was tried since could not \
                 record anything."
            );
            self.state(text, ["the folder itself".to_owned()]);
        }
        if let Some(damage) = &self.evidence.damage {
            let text = damage.clone();
            let system = self.system(|fact| matches!(fact, SystemFact::StorageFailed(_)));
            self.state(
                text,
                std::iter::once("the journal itself".to_owned()).chain(system),
            );
            return Standing::Damaged;
        }
        if let Some(held) = &self.evidence.owner {
            let who = held.owner.as_ref().map_or(String::new(), |owner| {
                format!(" process {} since {}", owner.pid, moment(owner.since_ms))
            });
            let text = format!("It is being driven right now:{who} holds its lock.");
            self.state(text, ["lock".to_owned()]);
            return Standing::Running;
        }
        if let Some(standing) = self.broke() {
            return standing;
        }
        let stopped = self.run.find(|fact| match fact {
            SystemFact::Stopped(stopped) => Some(stopped),
            _ => None,
        });
        match stopped {
            Some((recorded, stopped)) => {
                let source = system_source(recorded);
                self.stopped(stopped, source)
            }
            None => self.silent(),
        }
    }

    /// A crash or a storage fault in the last run.
    fn broke(&mut self) -> Option<Standing> {
        let stop_said = self.run.find(|fact| match fact {
            SystemFact::Stopped(stopped) => stopped.stop_reason,
            _ => None,
        });
        let crashed = self.run.find(|fact| match fact {
            SystemFact::Crashed(crashed) => Some(crashed),
            _ => None,
        });
        if let Some((recorded, crashed)) = crashed {
            let went_on = stop_said.is_some();
            let text = format!(
                "A part of Bowline broke: {} ({}).{}",
                crashed.message,
                crashed.location,
                if went_on { " The rest went on." } else { "" }
            );
            self.state(text, [system_source(recorded)]);
            if !went_on {
                return Some(Standing::Crashed);
            }
        }
        let failed = self.run.find(|fact| match fact {
            SystemFact::StorageFailed(failed) => Some(failed),
            _ => None,
        });
        let (recorded, failed) = failed?;
        let text = format!(
            "State could not be written or read: {}. What is safe: {}.",
            failed.message.trim_end_matches('.'),
            failed.safe
        );
        self.state(text, [system_source(recorded)]);
        Some(Standing::StorageFailed)
    }

    /// The process said how it ended.
    fn stopped(&mut self, stopped: &Stopped, source: String) -> Standing {
        let story = self.story;
        if let Some(standing) = self.rests(Some(&source)) {
            return standing;
        }
        let Some((recorded, ended)) = story.ended else {
            let detail = stopped.detail.as_deref().unwrap_or("no further word");
            let reason = stopped.stop_reason.map_or("not driven", StopReason::name);
            let text = format!(
                "The process ended ({reason}, exit {}: {detail}) before the turn was over.",
                stopped.exit_code
            );
            self.state(text, [source]);
            return self.unfinished_or_new();
        };
        let sources = vec![journal_source(recorded), source];
        self.turn_ended(ended.stop, ended.detail.clone(), sources);
        Standing::Ended
    }

    fn unfinished_or_new(&self) -> Standing {
        if self.story.state.turn().is_some() {
            Standing::Unfinished
        } else {
            Standing::New
        }
    }

    /// Whether it rests until somebody does something, and what for.
    fn rests(&mut self, source: Option<&String>) -> Option<Standing> {
        if let Some(by) = self.story.state.paused_by() {
            let text = format!("It is on hold, by {by}: nothing is begun until it is let go on.");
            let last = self.story.last.map(journal_source);
            self.state(text, last.into_iter().chain(source.cloned()));
            return Some(Standing::Paused);
        }
        let waits = self.waits();
        if waits.is_empty() {
            return None;
        }
        for (text, recorded) in waits {
            self.state(text, recorded.into_iter().chain(source.cloned()));
        }
        Some(Standing::Waiting)
    }

    /// What waits, and where it was asked.
    fn waits(&self) -> Vec<(String, Option<String>)> {
        let decided = |call: &CallId| {
            let decision = self.story.calls.get(call)?.decision;
            decision.map(|(recorded, _)| journal_source(recorded))
        };
        let state = &self.story.state;
        let questions = state.waiting().map(|(open, decision)| {
            let text = format!(
                "It waits for a person's answer to {}: {}. {}",
                decision.id.short(),
                decision.essence,
                decision.reason
            );
            (text, decided(&open.call.id))
        });
        let parties = state.parties().map(|party| {
            let mut text = format!("It waits for {}: {}.", party.waits_for, party.name);
            if let Some(instructions) = &party.instructions {
                text.push(' ');
                text.push_str(instructions);
            }
            (text, decided(&party.call_id))
        });
        questions.chain(parties).collect()
    }

    /// The turn is over: why, from the journal, with the system event that must go with it.
    fn turn_ended(&mut self, stop: StopReason, detail: Option<String>, mut sources: Vec<String>) {
        let detail = detail.map_or(String::new(), |detail| format!(" {detail}"));
        let text = match stop {
            StopReason::Done => {
                "The turn ended as it should: the model gave its final answer.".to_owned()
            }
            StopReason::ProviderFailed => return self.provider_failed(&detail, sources),
            StopReason::Budget
            | StopReason::StepLimit
            | StopReason::LoopDetected
            | StopReason::ContextFull => {
                sources.extend(self.expected("BudgetStopped", |fact| {
                    matches!(fact, SystemFact::BudgetStopped(stopped) if stopped.stop == stop)
                }));
                format!("A cap ended the turn ({}):{detail}.", stop.name())
            }
            StopReason::Length => {
                sources.extend(self.reply_stopped(stop));
                format!("The model's reply was cut:{detail}.")
            }
            StopReason::Refused => {
                sources.extend(self.reply_stopped(stop));
                format!("The provider refused:{detail}.")
            }
            StopReason::AnswerInvalid => {
                sources.extend(self.reply_stopped(stop));
                format!("No answer fitted the schema that was asked for:{detail}.")
            }
            StopReason::Cancelled => format!("The turn was stopped:{detail}."),
            StopReason::Denied => format!("The turn was ended by a refusal:{detail}."),
            StopReason::StorageFailed => format!("The journal could not be written:{detail}."),
            StopReason::Waiting => format!("It waits for a person:{detail}."),
        };
        self.state(text, sources);
    }

    fn reply_stopped(&mut self, stop: StopReason) -> Option<String> {
        self.expected(
            "ReplyStopped",
            |fact| matches!(fact, SystemFact::ReplyStopped(stopped) if stopped.stop == stop),
        )
    }

    fn provider_failed(&mut self, detail: &str, mut sources: Vec<String>) {
        let mut text = format!("The model call failed for good:{detail}");
        if let Some((recorded, failed)) = self.story.failure {
            sources.insert(0, journal_source(recorded));
            let failure = &failed.failure;
            text = format!(
                "The model call failed for good ({}): {}",
                kind_words(failure.kind),
                failure.message
            );
        }
        sources.extend(self.expected("ProviderFailed", |fact| {
            matches!(fact, SystemFact::ProviderFailed(_))
        }));
        let tries = self.run.find(|fact| match fact {
            SystemFact::ProviderFailed(failed) => Some(failed.tries),
            _ => None,
        });
        if let Some((_, tries)) = tries.filter(|(_, tries)| *tries > 1) {
            text.push_str(&format!(" It was tried {tries} times."));
        }
        self.state(text, sources);
    }

    /// The process said nothing when it ended, or nothing is known of it.
    fn silent(&mut self) -> Standing {
        let started = self.run.find(|fact| match fact {
            SystemFact::Started(started) => Some(started),
            _ => None,
        });
        let Some((recorded, started)) = started else {
            return self.unknown();
        };
        let found = self.run.ends.iter().rev().find(|one| {
            matches!(&one.event.fact, SystemFact::EndFound(end)
                if end.ended_run == recorded.event.run)
        });
        let mut sources = vec![system_source(recorded), "lock".to_owned()];
        sources.extend(found.map(|found| system_source(found)));
        let text = format!(
            "The process ended without a word: killed, or power lost. {} began at {} as process \
             {}, never said that it ended, and nobody holds the session's lock.",
            started.command,
            moment(recorded.event.at_ms),
            started.pid
        );
        self.state(text, sources);
        let under_way = self.story.under_way();
        if under_way.is_empty() {
            let last = self.story.last.map(journal_source);
            self.state("At that moment nothing had been begun and not ended.", last);
        }
        self.cause.extend(under_way);
        Standing::Killed
    }

    /// The system log holds no word about a run of this session.
    fn unknown(&mut self) -> Standing {
        let story = self.story;
        if story.last.is_none() {
            self.state("It has no events: it was made and never begun.", []);
            return Standing::New;
        }
        self.missing.push(
            "The system log holds no record of this session's last run (Started, Stopped): it was \
             removed, rotated away, or could not be written. How the process ended cannot be told."
                .to_owned(),
        );
        if let Some(standing) = self.rests(None) {
            return standing;
        }
        match story.ended {
            Some((recorded, ended)) => {
                let sources = vec![journal_source(recorded)];
                self.turn_ended(ended.stop, ended.detail.clone(), sources);
                Standing::Ended
            }
            None => {
                let last = story.last.map(journal_source);
                self.state("The turn was left unfinished.", last);
                self.cause.extend(story.under_way());
                self.unfinished_or_new()
            }
        }
    }

    /// What else of the last turn and the last run explains how things are.
    fn further(&mut self) {
        for (recorded, call, why) in &self.story.refused {
            let text = format!("A call was refused: {}. {why}", self.story.essence(*call));
            let system = self.expected(
                "CallRefused",
                |fact| matches!(fact, SystemFact::CallRefused(refused) if refused.call == *call),
            );
            self.state(
                text,
                std::iter::once(journal_source(recorded)).chain(system),
            );
        }
        for (recorded, call, why) in &self.story.doubts {
            let text = format!(
                "The outcome of a call is unknown: {}: {why}",
                self.story.essence(*call)
            );
            let system = self.expected(
                "CallLeftInDoubt",
                |fact| matches!(fact, SystemFact::CallLeftInDoubt(doubt) if doubt.call == *call),
            );
            self.state(
                text,
                std::iter::once(journal_source(recorded)).chain(system),
            );
        }
        for recorded in &self.run.events {
            let text = match &recorded.event.fact {
                SystemFact::Recovered(_) => "Its last run took it over from one that had left",
                SystemFact::ConfigChanged(_) => {
                    "Configuration files were changed before its last run:"
                }
                SystemFact::SettingsChanged(_) => "Other settings were put in force:",
                SystemFact::SandboxDenied(_) => "The sandbox kept a call from something:",
                _ => continue,
            };
            let text = format!("{text} {}.", recorded.event.fact.line());
            let journal = match &recorded.event.fact {
                SystemFact::SettingsChanged(_) => self.story.settings.map(journal_source),
                _ => None,
            };
            self.cause.push(statement(
                text,
                journal.into_iter().chain([system_source(recorded)]),
            ));
        }
        self.earlier_ends();
    }

    /// An earlier run of the session that ended badly, if the last one is another.
    fn earlier_ends(&mut self) {
        let last_run = self.run.events.first().map(|one| one.event.run);
        let earlier = self
            .run
            .ends
            .iter()
            .rev()
            .find_map(|one| match &one.event.fact {
                SystemFact::EndFound(end) if Some(end.ended_run) != last_run => Some((*one, end)),
                _ => None,
            });
        if let Some((recorded, end)) = earlier {
            let how = match end.how {
                EndedHow::Silently => "ended without a word: killed or power lost",
                EndedHow::Crashed => "crashed",
            };
            let text = format!(
                "An earlier run of it, begun at {}, {how}.",
                moment(end.since_ms)
            );
            self.state(text, [system_source(recorded)]);
        }
    }

    /// The system event of the last run that must be there; if it is not, that is said.
    fn expected(&mut self, kind: &str, is: impl Fn(&SystemFact) -> bool) -> Option<String> {
        let found = self.system(is);
        if found.is_none() {
            self.missing.push(format!(
                "The system log should hold {kind} for this and does not: it was removed, rotated \
                 away, or could not be written."
            ));
        }
        found
    }

    /// A system event about the session, of the last run or of one before it.
    fn system(&self, is: impl Fn(&SystemFact) -> bool) -> Option<String> {
        let session = Some(self.evidence.session);
        let about = self.evidence.system.events.iter().rev();
        let mut about = about.filter(|one| one.event.session == session);
        about.find(|one| is(&one.event.fact)).map(system_source)
    }

    fn log_damage(&mut self) {
        for damage in &self.evidence.system.damage {
            self.missing.push(damage.to_string());
        }
    }
}

const fn kind_words(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Connect => "no connection",
        FailureKind::Cut => "the stream was cut",
        FailureKind::Timeout => "nothing arrived for too long",
        FailureKind::RateLimited => "too many requests",
        FailureKind::Unavailable => "the provider is overloaded or broken",
        FailureKind::Auth => "the key was refused",
        FailureKind::NotFound => "no such model or path",
        FailureKind::BadRequest => "the request was refused",
        FailureKind::TooLong => "the request was longer than the model takes",
        FailureKind::Malformed => "what arrived is not this dialect",
        FailureKind::Empty => "an empty reply",
        FailureKind::CutShort => "the reply was cut at its limit",
        FailureKind::Cancelled => "cancelled",
        FailureKind::Interrupted => "interrupted",
        FailureKind::Withheld => "a rule keeps what it holds to local models",
    }
}
