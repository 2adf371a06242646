//! `bowline context ID`: what a request consists of, block by block. Reads the journal and runs
//! nothing.

mod table;
#[cfg(test)]
mod tests;

use bowline_core::{HistoryItem, SessionId, StepId};
use bowline_journal::Store;
use bowline_model::Dialect;
use bowline_runtime::plan::{Planned, plan_of, steps_asked};

pub use self::table::sentence;
use crate::args;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};
use crate::{endpoint, wire};

/// Runs the command.
pub fn run(args: &args::Context) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let session = store.resolve(&args.id)?;
    let mut planned = planned(&store, session, args.step)?;
    if let Ok(spoken) = Spoken::of(&planned, &places) {
        mark(&mut planned, &spoken);
    }
    if args.json {
        let text = serde_json::to_string(&planned.plan).map_err(anyhow::Error::from)?;
        print::line(&text);
    } else {
        for line in table::lines(&planned.plan, &Look::of_stdout()) {
            print::line(&line);
        }
    }
    Ok(0)
}

/// The plan of a session's request at a step, or of the next one.
pub fn planned(store: &Store, session: SessionId, step: Option<u32>) -> Result<Planned, Failure> {
    let intact = store.read_only(session)?.read_intact()?;
    if let Some(finding) = &intact.finding {
        print::err_line(&print::clean(&format!("bowline: {finding}")));
    }
    let events: Vec<_> = intact.events.into_iter().map(|one| one.event).collect();
    plan_of(&events, step.map(StepId)).ok_or_else(|| {
        let asked = steps_asked(&events);
        let had = match asked {
            0 => "no step was asked for yet".to_owned(),
            _ => format!("steps 1 to {asked} were asked for"),
        };
        match step {
            Some(step) => Failure::usage(format!("there is no request of step {step}: {had}")),
            None => Failure::usage("the session has not begun"),
        }
    })
}

/// How a request is spoken: the dialect and the address it goes to.
pub struct Spoken {
    /// The dialect.
    pub dialect: Dialect,
    /// The address; empty for a scripted model, whose requests are measured and never sent.
    pub base_url: String,
}

impl Spoken {
    /// Of the settings in force when the request was assembled.
    pub fn of(planned: &Planned, places: &Places) -> Result<Self, Failure> {
        let settings = planned.state.settings();
        let settings = settings.ok_or_else(|| Failure::usage("the session has not begun"))?;
        if settings.model.provider() == "scripted" {
            return Ok(Self {
                dialect: Dialect::Chat,
                base_url: String::new(),
            });
        }
        let recorded = settings.configured.as_ref();
        let recorded = recorded.and_then(|configured| configured.endpoint.clone());
        let is_it = |one: &bowline_runtime::config::Endpoint| one.name == settings.model.provider();
        let mut endpoints: Vec<_> = recorded.into_iter().filter(is_it).collect();
        if endpoints.is_empty() && Dialect::named(settings.model.provider()).is_none() {
            let cwd = std::path::PathBuf::from(planned.state.cwd());
            let config = wire::configure(places, &cwd, &args::Force::default())?;
            endpoints.extend(config.endpoints().iter().cloned());
        }
        let target = endpoint::find(settings, &endpoints, places)?;
        let dialect = Dialect::named(&target.api)
            .ok_or_else(|| Failure::usage(format!("unknown dialect `{}`", target.api)))?;
        Ok(Self {
            dialect,
            base_url: target.base_url,
        })
    }
}

/// Fills in where the provider is told that it may cache.
fn mark(planned: &mut Planned, spoken: &Spoken) {
    let marks = spoken.dialect.cache_marks(&planned.request);
    let head = 1 + planned.request.prompt.tools.len();
    let mut ends = Vec::new();
    let mut end = head;
    for item in &planned.request.history {
        end += match item.as_ref() {
            HistoryItem::Input(_) => 1,
            HistoryItem::Exchange(exchange) => 1 + exchange.results().len(),
        };
        ends.push(end);
    }
    let items = marks.after_items.iter();
    let items = items.filter_map(|place| ends.get(*place));
    let all = marks.after_head.then_some(&head).into_iter().chain(items);
    let places = all.filter_map(|end| u32::try_from(end - 1).ok());
    planned.plan.breakpoints = places.collect();
}
