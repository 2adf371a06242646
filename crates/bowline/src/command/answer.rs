//! `bowline approve ID..`, `bowline deny ID..` and `bowline answer ID TEXT`: a person's answer, left
//! in the session's mailbox.

pub mod always;

use std::collections::BTreeSet;

use bowline_core::action::Question;
use bowline_core::command::Ask;
use bowline_core::{Command, SessionId, Verdict};
use bowline_journal::mailbox::Put;
use bowline_journal::{Store, mailbox};
use bowline_runtime::{Clock, prompt};
use bowline_tools::keeper::MARK_VARIABLE;

use super::find::{self, Open};
use crate::args::{Approve, Deny, Reach, Reply};
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Most processes above this one that are looked at.
const ANCESTORS_MAX: usize = 64;

/// How what these commands say is recorded.
pub const ROUTE: &str = "the command line";

/// Runs `approve`.
pub fn approve(args: &Approve) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let desk = Desk::open(args.note.as_deref())?;
    desk.each(&args.id, |open| {
        if open.decision.question().is_some() {
            let id = open.decision.id.short();
            return Err(Failure::usage(format!(
                "this is a question, which wants words: use `bowline answer {id} TEXT`, or decline \
                 it with `bowline deny {id}`"
            )));
        }
        let rules = match args.scope {
            Reach::Always => {
                let rules = always::rules(&desk.places, open)?;
                always::announce(&desk.places, open.decision.id, &rules)?;
                rules
            }
            Reach::Once | Reach::Session => Vec::new(),
        };
        desk.verdict(open, Verdict::Allow, args.scope, "allowed")?;
        always::remember(&desk.places, &rules)
    })
}

/// Runs `deny`.
pub fn deny(args: &Deny) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let desk = Desk::open(args.note.as_deref())?;
    desk.each(&args.id, |open| {
        let word = match open.decision.question() {
            Some(_) => "declined",
            None => "denied",
        };
        desk.verdict(open, Verdict::Deny, Reach::Once, word)
    })
}

/// Runs `answer`.
pub fn reply(args: &Reply) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let desk = Desk::open(None)?;
    desk.each(std::slice::from_ref(&args.id), |open| {
        let Some(question) = open.decision.question() else {
            let id = open.decision.id.short();
            return Err(Failure::usage(format!(
                "this asks for allow or deny, not for words: use `bowline approve {id}` or \
                 `bowline deny {id} --note TEXT`"
            )));
        };
        let text = match &args.text {
            Some(text) => text.clone(),
            None => chosen(question, &args.choice).map_err(Failure::usage)?,
        };
        if text.trim().is_empty() {
            return Err(Failure::usage("the answer is empty: give it words"));
        }
        let ask = Ask::Reply {
            decision: open.decision.id,
            text: prompt::answer(masked(&text, &desk.places, open.session)?),
            by: ROUTE.to_owned(),
        };
        desk.leave(open, ask, "answered")
    })
}

/// The answer that choices of a question make, by their numbers from 1.
///
/// # Errors
/// A sentence that says which numbers there are.
pub fn chosen(question: &Question, numbers: &[usize]) -> Result<String, String> {
    let count = question.choices.len();
    if count == 0 {
        return Err("this question has no choices: answer it in words".to_owned());
    }
    if numbers.len() > 1 && !question.multiple {
        return Err(format!("one choice only: a number from 1 to {count}"));
    }
    let labels: Option<Vec<&str>> = numbers
        .iter()
        .map(|number| {
            let choice = question.choices.get(number.checked_sub(1)?)?;
            Some(choice.label.as_str())
        })
        .collect();
    match labels {
        Some(labels) if !labels.is_empty() => Ok(labels.join(", ")),
        _ => Err(format!("there is no such choice: they are 1 to {count}")),
    }
}

/// A text without secrets, with the tokens of the session that it is for.
pub fn masked(text: &str, places: &Places, session: SessionId) -> Result<String, Failure> {
    let masker = crate::wire::masker_of(places, session)?;
    Ok(masker.mask(text).text.into_owned())
}

/// Where answers are given.
struct Desk {
    places: Places,
    store: Store,
    note: Option<String>,
    now_ms: u64,
}

impl Desk {
    fn open(note: Option<&str>) -> Result<Self, Failure> {
        let places = Places::find()?;
        Ok(Self {
            store: Store::at(&places.state),
            places,
            note: note.map(str::to_owned),
            now_ms: Clock::system().now_ms(),
        })
    }

    /// Answers each open decision that is named; one that cannot be answered does not stop the
    /// others. In the end it says how the sessions go on.
    fn each(
        &self,
        ids: &[String],
        answer: impl Fn(&Open) -> Result<(), Failure>,
    ) -> Result<u8, Failure> {
        let mut code = 0;
        let mut sessions = BTreeSet::new();
        for id in ids {
            let answered = self.find(id).and_then(|open| {
                answer(&open)?;
                Ok(open.session)
            });
            match answered {
                Ok(session) => {
                    sessions.insert(session);
                }
                Err(failure) => code = failure.tell().max(code),
            }
        }
        for session in sessions {
            print::line(&how_to_go_on(&self.store, session)?);
        }
        Ok(code)
    }

    fn find(&self, id: &str) -> Result<Open, Failure> {
        let open = find::open(&self.store, id)?;
        let decision = &open.decision;
        if decision.has_lapsed(self.now_ms) {
            let when = decision.expires_at_ms.map(bowline_runtime::moment);
            return Err(Failure::usage(format!(
                "`{}` lapsed at {}: nobody answered in time, and an answer has no effect now. {}",
                decision.essence,
                when.unwrap_or_default(),
                how_to_go_on(&self.store, open.session)?
            )));
        }
        Ok(open)
    }

    fn verdict(
        &self,
        open: &Open,
        verdict: Verdict,
        reach: Reach,
        word: &str,
    ) -> Result<(), Failure> {
        let note = self.note.as_deref();
        let note = note.map(|note| masked(note, &self.places, open.session));
        let ask = Ask::Answer {
            decision: open.decision.id,
            verdict,
            scope: reach.scope(),
            by: ROUTE.to_owned(),
            note: note.transpose()?,
        };
        self.leave(open, ask, word)
    }

    /// Leaves the answer in the session's mailbox, unless another one came first.
    fn leave(&self, open: &Open, ask: Ask, word: &str) -> Result<(), Failure> {
        let command = Command {
            // The key is derived, so answering the same question twice has effect once.
            key: format!("answer-{}", open.decision.id),
            at_ms: Some(self.now_ms),
            ask,
        };
        let mailbox = self.store.session_dir(open.session).mailbox();
        if mailbox::put(&mailbox, self.now_ms, &command)? == Put::Already {
            let letters = mailbox::waiting(&mailbox)?;
            let first = letters.iter().find(|letter| letter.key == command.key);
            let first = first.map_or("answered", |letter| find::word_of(&letter.ask));
            return Err(Failure::usage(format!(
                "`{}` was {first} before, and that is not taken yet: the first answer counts. {}",
                open.decision.essence,
                how_to_go_on(&self.store, open.session)?
            )));
        }
        // Whoever was faster has made his answer durable before his letter was removed.
        find::answered_otherwise(&self.store, open, &command.ask)?;
        print::line(&print::clean(&format!("{word}: {}", open.decision.essence)));
        Ok(())
    }
}

/// Who takes what was left in a session's mailbox, or how it is taken.
pub fn how_to_go_on(store: &Store, session: SessionId) -> Result<String, Failure> {
    Ok(match store.owner(session)? {
        Some(held) => {
            let who = held
                .owner
                .map_or_else(String::new, |owner| format!(" {}", owner.pid));
            format!("Process{who} has the session and takes it within a second.")
        }
        None => format!("Go on with `bowline resume {}`.", session.short()),
    })
}

/// The agent cannot answer its own questions (I18): whatever runs below a keeper is refused.
pub fn refuse_under_a_keeper() -> Result<(), Failure> {
    // Within a sandbox no keeper is to be seen: there the state folder is out of reach, and the
    // mark only makes the refusal say why.
    let is_marked = std::env::var_os(MARK_VARIABLE).is_some();
    if is_marked || ancestors().any(is_keeper) {
        return Err(Failure::usage(
            "this runs inside a shell command of an agent, which cannot answer its own \
             questions: answer from a terminal of your own",
        ));
    }
    Ok(())
}

/// The processes above this one, nearest first, up to one that cannot be seen.
fn ancestors() -> impl Iterator<Item = u32> {
    let above = |pid: &u32| parent_of(*pid).filter(|parent| *parent > 1);
    std::iter::successors(above(&std::process::id()), above).take(ANCESTORS_MAX)
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn is_keeper(pid: u32) -> bool {
    let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    line.split(|byte| *byte == 0).nth(1) == Some(b"keeper")
}
