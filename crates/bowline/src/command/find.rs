//! Finds open decisions by a part of their id, and says what became of those that are not open.

use bowline_core::command::Ask;
use bowline_core::{Decision, DecisionId, Fact, SessionId, State, Verdict};
use bowline_journal::{Error, Recorded, Store, Summary};
use bowline_runtime::moment;

use crate::failure::Failure;

/// An open decision with the session that it is open in.
pub struct Open {
    pub session: SessionId,
    pub state: State,
    pub decision: Decision,
    pub tool: String,
}

/// The open decision whose id begins or ends with `text`, over all sessions.
///
/// # Errors
/// When there is none, with what became of it if it was open once; or when several fit.
pub fn open(store: &Store, text: &str) -> Result<Open, Failure> {
    let waits = |summary: &Summary| summary.waiting > 0;
    let mut found = Vec::new();
    for (session, state) in states(store, waits)? {
        let mine = state.waiting().filter(|(_, it)| fits(text, it.id.uuid()));
        let mine: Vec<(String, Decision)> = mine
            .map(|(open, decision)| (open.call.name.clone(), decision.clone()))
            .collect();
        for (tool, decision) in mine {
            found.push(Open {
                session,
                state: state.clone(),
                decision,
                tool,
            });
        }
    }
    match found.len() {
        0 => Err(closed(store, text)?),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::usage(format!(
            "`{text}` fits several questions: give more digits"
        ))),
    }
}

/// Sessions whose summary says what is wanted, with their states: only those are read whole.
pub fn states(
    store: &Store,
    wanted: impl Fn(&Summary) -> bool,
) -> Result<Vec<(SessionId, State)>, Failure> {
    let mut states = Vec::new();
    for summary in store.summaries()?.iter().filter(|summary| wanted(summary)) {
        match store.read_only(summary.session) {
            Ok(reader) => states.push((summary.session, reader.read_intact()?.state())),
            // It was deleted meanwhile.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(states)
}

/// Whether an id begins or ends with `text`; hyphens and case do not matter.
pub fn fits(text: &str, id: impl std::fmt::Display) -> bool {
    let digits = |text: &str| text.replace('-', "").to_lowercase();
    let (wanted, id) = (digits(text), digits(&id.to_string()));
    !wanted.is_empty() && (id.starts_with(&wanted) || id.ends_with(&wanted))
}

/// What an answer does, as a past participle.
pub fn word_of(ask: &Ask) -> &'static str {
    match ask {
        Ask::Answer {
            verdict: Verdict::Allow,
            ..
        } => "allowed",
        Ask::Answer { .. } => "denied",
        _ => "answered",
    }
}

/// Fails when the journal holds another answer than `mine`.
pub fn answered_otherwise(store: &Store, open: &Open, mine: &Ask) -> Result<(), Failure> {
    let events = store.read_only(open.session)?.read_intact()?.events;
    let is_mine = events.iter().all(|one| match (&one.event.fact, mine) {
        (Fact::DecisionAnswered(theirs), Ask::Answer { verdict, .. }) => {
            theirs.decision != open.decision.id || theirs.verdict == *verdict
        }
        (Fact::DecisionLapsed(lapsed), _) => lapsed.decision != open.decision.id,
        _ => true,
    });
    if is_mine {
        return Ok(());
    }
    Err(fate(&events, open.decision.id, open.session))
}

/// Why no open decision fits `text`.
fn closed(store: &Store, text: &str) -> Result<Failure, Failure> {
    let view = store.view()?;
    let mut found = Vec::new();
    for summary in view.sessions(None) {
        for row in view.decisions(summary.session)? {
            let id: Option<DecisionId> = row.decision.parse().ok();
            let id = id.filter(|id| row.verdict == "ask" && fits(text, id.uuid()));
            found.extend(id.map(|id| (summary.session, id)));
        }
    }
    Ok(match found.as_slice() {
        [] => Failure::usage(format!(
            "nothing waits under `{text}`, and nothing was asked under it: `bowline inbox` lists \
             what waits"
        )),
        [(session, id)] => {
            let events = store.read_only(*session)?.read_intact()?.events;
            let fate = fate(&events, *id, *session);
            Failure::usage(format!("nothing waits under `{text}`: {}", fate.message()))
        }
        _ => Failure::usage(format!(
            "nothing waits under `{text}`; {} questions that fit it are over",
            found.len()
        )),
    })
}

/// What became of a decision that is not open any more.
fn fate(events: &[Recorded], id: DecisionId, session: SessionId) -> Failure {
    let mut essence = String::new();
    let mut call = None;
    let mut how = "is over: its turn ended first".to_owned();
    for recorded in events {
        let when = moment(recorded.event.at_ms);
        match &recorded.event.fact {
            Fact::Decided(decided) if decided.decision.id == id => {
                essence.clone_from(&decided.decision.essence);
                call = Some(decided.call);
            }
            Fact::Decided(later) if call == Some(later.call) => {
                how = format!(
                    "holds no more: what it would do changed after it was answered; it was judged \
                     again at {when}, as {}",
                    later.decision.id.short()
                );
            }
            Fact::DecisionAnswered(answer) if answer.decision == id => {
                let word = match answer.verdict {
                    Verdict::Allow => "allowed",
                    _ => "denied",
                };
                how = format!("was {word} already, by {} at {when}", answer.by);
            }
            Fact::QuestionAnswered(answer) if answer.decision == id => {
                how = format!("was answered already, by {} at {when}", answer.by);
            }
            Fact::DecisionLapsed(lapsed) if lapsed.decision == id => {
                how = format!("lapsed at {when}: nobody answered in time");
            }
            _ => {}
        }
    }
    Failure::usage(format!(
        "`{essence}` {how} (session {}). Nothing was changed",
        session.short()
    ))
}
