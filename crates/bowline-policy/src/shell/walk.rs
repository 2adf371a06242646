//! Visits every command that could run, with what is known where it stands.
//!
//! No branch is left out because it may not be taken. A loop is visited with what its body may have
//! left behind; where two ways meet, both hold.

mod arithmetic;
mod assign;
mod command;
pub(super) mod effects;
mod flow;
mod reach;
mod script;
mod word;

use std::collections::HashSet;
use std::rc::Rc;

use bowline_core::decision::{Judged, Segment};

use super::argument::Argument;
use super::expand::Expander;
use super::scope::Scope;
use super::tree::{Command, Script, Span, Word};
use super::verdict::Judge;
use crate::look::Eyes;

/// Most steps of one judgement: beyond, it asks.
const STEPS_MAX: usize = 200_000;

/// Most allowed parts that are kept.
const PARTS_KEPT: usize = 256;

/// From this many parts on what is known to be allowed is not judged again.
const PARTS_MANY: usize = 64;

/// Most steps of first visits of loops: beyond, it asks.
const TRIAL_STEPS_MAX: usize = 20_000;

/// How deep scripts may stand in scripts (`sh -c "eval ..."`) and functions call each other.
const DEPTH_MAX: usize = 16;

/// A definition of a function.
struct Defined {
    body: Rc<Command>,
    /// What holds where it is defined; nothing once it was called.
    scope: Option<Scope>,
    /// Where its text stands, if it is not the one that people see.
    at: Option<Span>,
}

/// The walk over one command text.
pub(super) struct Walk<'a> {
    pub(super) judge: Judge<'a>,
    pub(super) eyes: Eyes<'a>,
    /// What was found, in order.
    pub(super) parts: Vec<Judged>,
    steps: usize,
    trial_steps: usize,
    /// Whether there were too many steps.
    is_exhausted: bool,
    depth: usize,
    /// Where everything stands while a text inside the text is walked.
    at: Option<Span>,
    /// While not nought, what is found is not kept: the first visits of a loop.
    trial: usize,
    /// Every definition of a function.
    functions: Vec<Defined>,
    /// Functions that are being called, by their numbers.
    calls: Vec<usize>,
    /// How many calls of functions were followed.
    calls_followed: usize,
    /// Words of the command at hand that do not stand in the text as they are.
    composed: Vec<Span>,
    /// Commands and paths that were judged and are allowed, once there are many parts.
    settled: HashSet<String>,
    /// Whether only what denies is of interest: text that is evaluated if at all.
    only_denials: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(judge: Judge<'a>, eyes: Eyes<'a>) -> Self {
        Self {
            judge,
            eyes,
            parts: Vec::new(),
            steps: 0,
            trial_steps: 0,
            is_exhausted: false,
            depth: 0,
            at: None,
            trial: 0,
            functions: Vec::new(),
            calls: Vec::new(),
            calls_followed: 0,
            composed: Vec::new(),
            settled: HashSet::new(),
            only_denials: false,
        }
    }

    /// The whole text.
    pub(super) fn whole(&mut self, script: &Script, scope: &mut Scope) {
        self.script(script, scope);
        self.uncalled();
    }

    /// Asks about the text as a whole, `length` bytes long.
    pub(super) fn refuse(&mut self, what: &str, why: &str, length: usize) {
        let mut part = self.judge.not_understood(what, why);
        let end = u32::try_from(length).unwrap_or(u32::MAX);
        part.segment = Some(Segment { start: 0, end });
        self.parts.push(part);
    }

    /// Counts a step; `false` when there were too many, which asks once.
    fn step(&mut self, span: Span) -> bool {
        self.steps += 1;
        self.trial_steps += usize::from(self.trial > 0);
        if self.steps < STEPS_MAX && self.trial_steps < TRIAL_STEPS_MAX {
            return true;
        }
        // It asks whatever is being tried at the moment: nothing after it is looked at.
        if !self.is_exhausted {
            self.is_exhausted = true;
            let mut part = self.judge.not_understood(
                "The command",
                "it is too long or its loops are too deep to be followed: shorten it, or put it \
                 into a script",
            );
            part.segment = segment(self.at.unwrap_or(span));
            self.parts.push(part);
        }
        false
    }

    /// Whether there are so many parts that one more of the same is not looked at again.
    fn has_many(&self) -> bool {
        self.parts.len() >= PARTS_MANY
    }

    /// Keeps what was decided about one part.
    fn keep(&mut self, mut judged: Judged, span: Span) {
        use bowline_core::Verdict;
        // Far more than anybody reads: only what is not simply allowed still counts.
        if self.parts.len() >= PARTS_KEPT && judged.verdict == Verdict::Allow {
            return;
        }
        if self.trial > 0 || (self.only_denials && judged.verdict != Verdict::Deny) {
            return;
        }
        judged.segment = segment(self.at.unwrap_or(span));
        // The same part may be visited more than once; what it does stands once.
        let is_known = |one: &Judged| {
            one.segment == judged.segment
                && one.verdict == judged.verdict
                && one.action == judged.action
        };
        if !self.parts.iter().rev().take(64).any(is_known) {
            self.parts.push(judged);
        }
    }

    fn expander<'w>(&'w mut self, scope: &'w Scope) -> Expander<'w, 'a> {
        Expander {
            policy: self.judge.policy,
            scope,
            eyes: &mut self.eyes,
            at: self.at,
        }
    }

    fn arguments(&mut self, words: &[Word], scope: &Scope) -> Vec<Argument> {
        self.expander(scope).arguments(words)
    }

    /// What is not understood at one place.
    fn ask(&mut self, what: &str, why: &str, span: Span) {
        let part = self.judge.obscure(what, why);
        if let Some(part) = part {
            self.keep(part, span);
        }
    }
}

fn segment(span: Span) -> Option<Segment> {
    let start = u32::try_from(span.start).ok()?;
    let end = u32::try_from(span.end).ok()?;
    Some(Segment { start, end })
}
