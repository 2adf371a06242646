//! `bowline approve ID`, `bowline deny ID` and `bowline answer ID TEXT`: a person's answer, left in
//! the session's mailbox.

use bowline_core::action::Question;
use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::{Command, DecisionId, SessionId, Verdict};
use bowline_journal::{Store, mailbox};
use bowline_runtime::{Clock, prompt};
use bowline_tools::keeper::MARK_VARIABLE;

use crate::args::{Answer, Reply};
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Most processes above this one that are looked at.
const ANCESTORS_MAX: usize = 64;

/// Runs `approve` and `deny`.
pub fn run(args: &Answer, verdict: Verdict) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let open = find(&store, &args.id)?;
    if open.question.is_some() && verdict == Verdict::Allow {
        let id = open.decision.short();
        return Err(Failure::usage(format!(
            "this is a question, which wants words: use `bowline answer {id} TEXT`, or decline it \
             with `bowline deny {id}`"
        )));
    }
    let decision = open.decision;
    let note = args.note.as_deref();
    let note = note.map(|note| crate::wire::masker().mask(note).text.into_owned());
    let ask = Ask::Answer {
        decision,
        verdict,
        scope: Scope::Once,
        by: ROUTE.to_owned(),
        note,
    };
    let word = match verdict {
        Verdict::Allow => "allowed",
        _ if open.question.is_some() => "declined",
        _ => "denied",
    };
    leave(&store, &open, ask, word)
}

/// Runs `answer`.
pub fn reply(args: &Reply) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let open = find(&store, &args.id)?;
    let Some(question) = &open.question else {
        let id = open.decision.short();
        return Err(Failure::usage(format!(
            "this asks for allow or deny, not for words: use `bowline approve {id}` or `bowline \
             deny {id} --note TEXT`"
        )));
    };
    let text = match &args.text {
        Some(text) => text.clone(),
        None => chosen(question, &args.choice).map_err(Failure::usage)?,
    };
    if text.trim().is_empty() {
        return Err(Failure::usage("the answer is empty: give it words"));
    }
    let text = crate::wire::masker().mask(&text).text.into_owned();
    let ask = Ask::Reply {
        decision: open.decision,
        text: prompt::answer(text),
        by: ROUTE.to_owned(),
    };
    leave(&store, &open, ask, "answered")
}

/// How answers given by these commands are recorded.
const ROUTE: &str = "the command line";

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

/// An open decision, found by its id.
struct Open {
    session: SessionId,
    decision: DecisionId,
    essence: String,
    question: Option<Question>,
}

/// Leaves the answer in the session's mailbox and says how to go on.
fn leave(store: &Store, open: &Open, ask: Ask, word: &str) -> Result<u8, Failure> {
    let command = Command {
        // The key is derived, so answering the same question twice has effect once.
        key: format!("answer-{}", open.decision),
        at_ms: None,
        ask,
    };
    let dir = store.session_dir(open.session);
    mailbox::put(&dir.mailbox(), Clock::system().now_ms(), &command)?;
    let next = how_to_go_on(store, open.session)?;
    print::line(&print::clean(&format!("{word}: {}\n{next}", open.essence)));
    Ok(0)
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
        None => format!("Go on with `bowline exec --resume {}`.", session.short()),
    })
}

/// Finds the open question by any unique part at either end of its id, over all sessions.
fn find(store: &Store, text: &str) -> Result<Open, Failure> {
    let wanted = text.replace('-', "").to_lowercase();
    let mut found = Vec::new();
    for session in store.list()? {
        let state = store.read_only(session)?.read_intact()?.state();
        for (_, decision) in state.waiting() {
            let id = decision.id.uuid().simple().to_string();
            if !wanted.is_empty() && (id.starts_with(&wanted) || id.ends_with(&wanted)) {
                found.push(Open {
                    session,
                    decision: decision.id,
                    essence: decision.essence.clone(),
                    question: decision.question().cloned(),
                });
            }
        }
    }
    match found.len() {
        0 => Err(Failure::usage(format!(
            "nothing waits under `{text}`: it was answered already, or never asked"
        ))),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::usage(format!(
            "`{text}` fits several questions: give more digits"
        ))),
    }
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
