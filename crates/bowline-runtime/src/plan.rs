//! The context plan of a session at rest, read off its events.

use bowline_core::event::Purpose;
use bowline_core::plan::{ContextPlan, PlanBreak};
use bowline_core::{Event, Fact, Request, State, StepId, apply};

/// The plan of one request, with the request itself.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan; breakpoints are for whoever knows the dialect to fill in.
    pub plan: ContextPlan,
    /// The request, without the bytes of its images.
    pub request: Request,
    /// The state it was assembled from.
    pub state: State,
}

/// Plans the request of a step as it was sent last, or, without a step, the request that is under
/// way or would be made next. `None` if there is none: the session has not begun, or has had no
/// such step.
#[must_use]
pub fn plan_of(events: &[Event], step: Option<StepId>) -> Option<Planned> {
    let Some(step) = step else {
        let state = fold(State::new(), events);
        let open = state
            .attempt()
            .filter(|open| open.reserved.purpose().is_step());
        if let Some(step) = open.map(|open| open.reserved.step()) {
            return plan_of(events, Some(step));
        }
        let mut plan = ContextPlan::of(&state)?;
        plan.breaks = breaks(events);
        let request = state.next_request()?;
        return Some(Planned {
            plan,
            request,
            state,
        });
    };
    let is_it = |event: &Event| match &event.fact {
        Fact::AttemptReserved(reserved) => {
            reserved.step() == step && reserved.purpose() == Purpose::Step
        }
        _ => false,
    };
    let at = events.iter().rposition(is_it)?;
    let before = fold(State::new(), &events[..at]);
    let sent = before.sent().cloned();
    let state = fold(before, &events[at..=at]);
    let attempt = state.attempt()?.reserved.attempt();
    let reported = events[at..].iter().find_map(|event| match &event.fact {
        Fact::ModelReplied(replied) if replied.attempt == attempt => replied.usage,
        _ => None,
    });
    let mut plan = ContextPlan::of_asked(&state, sent.as_ref(), reported)?;
    plan.breaks = breaks(&events[..=at]);
    let request = state.request()?;
    Some(Planned {
        plan,
        request,
        state,
    })
}

/// The steps that a session has asked for so far.
#[must_use]
pub fn steps_asked(events: &[Event]) -> u32 {
    let steps = events.iter().filter_map(|event| match &event.fact {
        Fact::AttemptReserved(reserved) if reserved.purpose().is_step() => Some(reserved.step().0),
        _ => None,
    });
    steps.max().unwrap_or_default()
}

fn fold<'a>(state: State, events: impl IntoIterator<Item = &'a Event>) -> State {
    events.into_iter().fold(state, apply)
}

/// Every prefix break with the step whose request it was: the one reserved right after it.
fn breaks(events: &[Event]) -> Vec<PlanBreak> {
    let mut found = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Fact::PrefixBroken(broken) = &event.fact else {
            continue;
        };
        let step = events[at..].iter().find_map(|event| match &event.fact {
            Fact::AttemptReserved(reserved) => Some(reserved.step()),
            _ => None,
        });
        found.extend(step.map(|step| PlanBreak {
            step,
            broken: broken.clone(),
        }));
    }
    found
}
