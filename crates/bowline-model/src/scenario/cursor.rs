//! Playback: which step answers the next request, and whether the request is as expected.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::expect::{RequestView, unmet};
use super::{Call, Fault, History, Scenario, Step, Stop, Usage};

/// What the scenario says to one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// Play this.
    Answer(Answer),
    /// The scenario failed: report `message` as an error that is not worth a retry.
    Failure {
        /// What kind of failure.
        kind: FailureKind,
        /// What was expected, of which step, and what came.
        message: String,
    },
}

/// Why a scenario has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// A request did not hold what its step expects. Every later request fails alike.
    Unexpected,
    /// There are more requests than the scenario answers.
    UsedUp,
}

/// One step, ready to be played.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Index of the request from 0.
    pub request: usize,
    /// Index of the step from 0.
    pub step: usize,
    /// Model name for the reply.
    pub model: String,
    /// Milliseconds to wait before the first byte.
    pub delay_ms: u64,
    /// Reasoning text.
    pub reasoning: Option<String>,
    /// Text.
    pub text: Option<String>,
    /// Tool calls, with ids and argument texts filled in.
    pub calls: Vec<PlayedCall>,
    /// Token counts.
    pub usage: Usage,
    /// Of the tokens read, those that a server wrote into its cache, and those of them for an hour;
    /// no scenario says so.
    pub cache_writes: CacheWrites,
    /// Why the reply ends.
    pub stop: Stop,
    /// What goes wrong with it. The parts above say what it would have been.
    pub fault: Option<Fault>,
    /// How this request's history relates to the previous one.
    pub history: History,
}

/// Tokens that were written into a provider's cache.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheWrites {
    /// For 5 minutes.
    pub tokens: u64,
    /// For an hour.
    pub hour_tokens: u64,
}

/// A tool call as it goes out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlayedCall {
    /// Call id: as the scenario gives it, or made of the indices of request and call.
    pub id: String,
    /// Tool name.
    pub tool: String,
    /// Argument text: compact JSON of the input, or the raw text.
    pub arguments: String,
}

/// Where playback of one scenario stands. Shared between threads by reference.
#[derive(Debug)]
pub struct Cursor {
    scenario: Arc<Scenario>,
    place: Mutex<Place>,
}

#[derive(Clone, Debug, Default)]
struct Place {
    request: usize,
    step: usize,
    played: u32,
    failed: Option<String>,
}

impl Cursor {
    /// Starts at the first step.
    #[must_use]
    pub fn new(scenario: impl Into<Arc<Scenario>>) -> Self {
        Self {
            scenario: scenario.into(),
            place: Mutex::default(),
        }
    }

    /// Starts where a conversation stands that holds `replies` assistant messages.
    ///
    /// For a player that begins anew after a restart. Steps with a fault give no reply, so one
    /// that was played just before the restart is played again.
    #[must_use]
    pub fn after_replies(scenario: impl Into<Arc<Scenario>>, replies: usize) -> Self {
        let cursor = Self::new(scenario);
        let mut place = Place::default();
        let mut left = replies;
        while left > 0 && place.step < cursor.scenario.steps.len() {
            left -= usize::from(cursor.scenario.steps[place.step].fault.is_none());
            place.advance(&cursor.scenario);
        }
        place.request += left;
        Self {
            place: Mutex::new(place),
            ..cursor
        }
    }

    /// The scenario being played.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Says how the history of the next request should relate to the one before.
    #[must_use]
    pub fn next_history(&self) -> History {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let step = self.scenario.steps.get(place.step);
        step.and_then(|step| step.expect.as_ref())
            .map_or(History::Kept, |expect| expect.history)
    }

    /// Answers the next request: checks `view` against the step's expectations and moves on.
    ///
    /// After the last step its text is repeated if it is a plain text. A failed expectation stays:
    /// every later request gets the same failure, so that a retry cannot hide it.
    pub fn next(&self, view: RequestView) -> Reply {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = &place.failed {
            return Reply::Failure {
                kind: FailureKind::Unexpected,
                message: message.clone(),
            };
        }
        let request = place.request;
        let Some(step) = self.scenario.steps.get(place.step) else {
            place.request += 1;
            return self.after_last(request);
        };
        if let Some(problem) = step.expect.as_ref().and_then(|expect| unmet(expect, &view)) {
            let message = format!(
                "scenario{} failed at steps[{}], request {request}: {problem}",
                self.name(),
                place.step
            );
            place.failed = Some(message.clone());
            return Reply::Failure {
                kind: FailureKind::Unexpected,
                message,
            };
        }
        let answer = self.answer(step, place.step, request);
        place.advance(&self.scenario);
        Reply::Answer(answer)
    }

    fn after_last(&self, request: usize) -> Reply {
        let last = self.scenario.steps.len().saturating_sub(1);
        match self
            .scenario
            .steps
            .get(last)
            .filter(|step| step.is_plain_text())
        {
            Some(step) => {
                let plain = Step {
                    delay_ms: None,
                    expect: None,
                    ..step.clone()
                };
                Reply::Answer(self.answer(&plain, last, request))
            }
            None => Reply::Failure {
                kind: FailureKind::UsedUp,
                message: format!(
                    "scenario{} is used up: request {request} came after its last step; add a step, \
                     or end with a plain text, which repeats",
                    self.name()
                ),
            },
        }
    }

    fn answer(&self, step: &Step, index: usize, request: usize) -> Answer {
        let calls = step.calls.iter().enumerate();
        Answer {
            request,
            step: index,
            model: self.scenario.model.clone(),
            delay_ms: step.delay_ms.unwrap_or(0),
            reasoning: step.reasoning.clone(),
            text: step.text.clone(),
            calls: calls.map(|(i, call)| play_call(call, request, i)).collect(),
            usage: step.usage.unwrap_or(self.scenario.usage),
            cache_writes: CacheWrites::default(),
            stop: step.stop_reason(),
            fault: step.fault.clone(),
            history: step
                .expect
                .as_ref()
                .map_or(History::Kept, |expect| expect.history),
        }
    }

    fn name(&self) -> String {
        match self.scenario.name.as_str() {
            "" => String::new(),
            name => format!(" \"{name}\""),
        }
    }
}

impl Place {
    fn advance(&mut self, scenario: &Scenario) {
        self.request += 1;
        self.played += 1;
        if self.played >= scenario.steps[self.step].repeat.unwrap_or(1) {
            self.step += 1;
            self.played = 0;
        }
    }
}

fn play_call(call: &Call, request: usize, position: usize) -> PlayedCall {
    let id = match &call.id {
        Some(id) => fill(id, request),
        None => format!("call_{request}_{position}"),
    };
    let arguments = match (&call.raw_arguments, &call.input) {
        (Some(raw), _) => raw.clone(),
        (None, Some(input)) => Value::Object(fill_map(input, request)).to_string(),
        (None, None) => "{}".to_owned(),
    };
    PlayedCall {
        id,
        tool: call.tool.clone(),
        arguments,
    }
}

fn fill(text: &str, request: usize) -> String {
    text.replace("{k}", &request.to_string())
}

fn fill_map(map: &Map<String, Value>, request: usize) -> Map<String, Value> {
    map.iter()
        .map(|(key, value)| (key.clone(), fill_value(value, request)))
        .collect()
}

fn fill_value(value: &Value, request: usize) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, request)),
        Value::Array(items) => items.iter().map(|item| fill_value(item, request)).collect(),
        Value::Object(map) => Value::Object(fill_map(map, request)),
        other => other.clone(),
    }
}
