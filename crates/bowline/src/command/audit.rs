//! `bowline audit`: decisions as objects that can be queried, taken again and proven.

mod anchor;
mod explain;
mod export;
mod query;
mod sarif;
pub mod schema;
mod show;
mod table;
mod verify;

use std::ops::Range;

use bowline_core::{DecisionId, Seq, SessionId};
use bowline_journal::Store;
use bowline_runtime::Clock;
use bowline_runtime::audit::{Case, case};
use bowline_runtime::usage::{End, point};

use crate::args::Audit;
use crate::failure::Failure;
use crate::places::Places;

/// Runs the command.
pub fn run(args: &Audit) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    match args {
        Audit::Query(args) => query::run(&store, args),
        Audit::Show { id, json } => show::run(&store, id, *json),
        Audit::Explain(args) => explain::run(&store, args),
        Audit::Verify(args) => verify::run(&store, &places, args),
        Audit::Anchor { key, out } => anchor::run(&store, &places, key.as_deref(), out.as_deref()),
        Audit::Export(args) => export::run(&store, args),
    }
}

/// A span of time as it is typed.
fn span(since: Option<&str>, until: Option<&str>) -> Result<Range<u64>, Failure> {
    let now_ms = Clock::system().now_ms();
    let end = |text: Option<&str>, end, name: &str, otherwise| match text {
        Some(text) => {
            point(text, end, now_ms).map_err(|why| Failure::usage(format!("{name}: {why}")))
        }
        None => Ok(otherwise),
    };
    Ok(Range {
        start: end(since, End::Since, "--since", 0)?,
        end: end(until, End::Until, "--until", u64::MAX)?,
    })
}

/// The decision whose id begins or ends with `text`, over all sessions.
fn find(store: &Store, text: &str) -> Result<Case, Failure> {
    let found = store.view()?.decisions_called(text)?;
    let (session, id) = match found.as_slice() {
        [] => {
            return Err(Failure::usage(format!(
                "no decision `{text}`: `bowline audit query` lists them"
            )));
        }
        [(session, _, id)] => (*session, id.parse::<DecisionId>().ok()),
        many => return Err(Failure::usage(ambiguous(text, many))),
    };
    let events = store.read_only(session)?.read_intact()?.events;
    id.and_then(|id| case(&events, id)).ok_or_else(|| {
        let session = session.short();
        Failure::stopped(format!(
            "the journal of session {session} does not hold decision `{text}` any more: \
             `bowline audit verify --session {session}` says why"
        ))
    })
}

fn ambiguous(text: &str, many: &[(SessionId, Seq, String)]) -> String {
    const MOST: usize = 5;
    let ids = many.iter().take(MOST).map(|(_, _, id)| id.as_str());
    let ids: Vec<&str> = ids.collect();
    let more = match many.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "`{text}` could be any of {}{more}; give more digits",
        ids.join(", ")
    )
}
