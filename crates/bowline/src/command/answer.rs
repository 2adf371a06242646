//! `bowline approve ID` and `bowline deny ID`: a person's answer, left in the session's mailbox.

use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::{Command, DecisionId, SessionId, Verdict};
use bowline_journal::{Store, mailbox};
use bowline_runtime::Clock;

use crate::args::Answer;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Runs the command.
pub fn run(args: &Answer, verdict: Verdict) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let (session, decision, essence) = find(&store, &args.id)?;
    let command = Command {
        // The key is derived, so answering the same question the same way twice has effect once.
        key: format!("answer-{decision}"),
        ask: Ask::Answer {
            decision,
            verdict,
            scope: Scope::Once,
            by: "the command line".to_owned(),
            note: args.note.clone(),
        },
    };
    let dir = store.session_dir(session);
    mailbox::put(&dir.mailbox(), Clock::system().now_ms(), &command)?;
    let word = if verdict == Verdict::Allow {
        "allowed"
    } else {
        "denied"
    };
    print::line(&print::clean(&format!(
        "{word}: {essence}\nGo on with `bowline exec --resume {}`.",
        session.short()
    )));
    Ok(0)
}

/// Finds the open question by any unique part at either end of its id, over all sessions.
fn find(store: &Store, text: &str) -> Result<(SessionId, DecisionId, String), Failure> {
    let wanted = text.replace('-', "").to_lowercase();
    let mut found = Vec::new();
    for session in store.list()? {
        let state = store.read_only(session)?.read_intact()?.state();
        for (_, decision) in state.waiting() {
            let id = decision.id.uuid().simple().to_string();
            if !wanted.is_empty() && (id.starts_with(&wanted) || id.ends_with(&wanted)) {
                found.push((session, decision.id, decision.essence.clone()));
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
fn refuse_under_a_keeper() -> Result<(), Failure> {
    let mut pid = std::process::id();
    for _ in 0..64 {
        let Some(parent) = parent_of(pid) else { break };
        if parent <= 1 {
            break;
        }
        if is_keeper(parent) {
            return Err(Failure::usage(
                "this runs inside a shell command of an agent, which cannot answer its own \
                 questions: answer from a terminal of your own",
            ));
        }
        pid = parent;
    }
    Ok(())
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
