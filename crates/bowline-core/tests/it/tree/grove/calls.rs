//! Tool calls, some of which begin children.

use bowline_core::amounts::{Cap, Caps};
use bowline_core::engine::{self, StartFacts};
use bowline_core::event::{CallFailed, CallInDoubt};
use bowline_core::{CallId, ContextText, Fact};

use super::super::faults::Fault;
use super::{Grove, MOST_NODES};
use crate::world::request;

impl Grove {
    pub(super) fn finish_something(&mut self, at: usize) {
        let open = self.nodes[at].state.attempt();
        if let Some(attempt) = open.map(|open| open.reserved.attempt()) {
            return self.reply(at, attempt);
        }
        let running = self.nodes[at].running();
        if running.is_empty() {
            return self.rest(at);
        }
        let call = running[usize::try_from(self.below(running.len() as u64)).expect("small")];
        let works = (0..self.nodes.len()).any(|child| {
            let node = &self.nodes[child];
            node.parent == Some(at) && node.call == Some(call) && node.alive && node.tied
        });
        if works && self.fault == Some(Fault::SettledBeforeOutcome) && self.one_in(40) {
            return self.settle_too_early(at);
        }
        // A tool that breaks leaves its children behind.
        match self.below(if works { 400 } else { 6 }) {
            0 => self.finish(at, call, true),
            _ if !works => self.finish(at, call, false),
            _ => {}
        }
    }

    pub(super) fn settle_too_early(&mut self, parent: usize) {
        let asking = (0..self.nodes.len()).find(|at| {
            let node = &self.nodes[*at];
            node.parent == Some(parent) && node.tied && node.state.attempt().is_some()
        });
        let Some(child) = asking else { return };
        self.nodes[child].tied = false;
        let (id, spent) = (self.nodes[child].id, self.nodes[child].state.ledger().spent);
        let settled = engine::settle_share(&self.nodes[parent].state, id, Some(spent));
        settled.into_iter().for_each(|fact| self.put(parent, fact));
    }

    pub(super) fn finish(&mut self, at: usize, call: CallId, broke: bool) {
        for child in 0..self.nodes.len() {
            if self.nodes[child].parent == Some(at) && self.nodes[child].call == Some(call) {
                self.nodes[child].alive = false;
                self.nodes[child].tied = false;
            }
        }
        let error = ContextText::notice("over");
        if broke {
            let why = "lost".to_owned();
            let told = error;
            self.put(at, Fact::CallInDoubt(CallInDoubt { call, why, told }));
        } else {
            self.put(at, Fact::CallFailed(CallFailed { call, error }));
        }
    }

    pub(super) fn reconcile(&mut self, at: usize, call: CallId) {
        for child in 0..self.nodes.len() {
            let node = &self.nodes[child];
            let is_its = node.parent == Some(at) && node.call == Some(call);
            let is_open = self.nodes[at].state.shares().contains_key(&node.id);
            // What somebody else drives cannot be taken over.
            if is_its && is_open && !node.alive && self.one_in(2) {
                self.seen.insert("settled by its journal");
                self.reopen(child);
                self.settle(child);
            }
        }
        let told = ContextText::notice("unknown");
        let why = "lost".to_owned();
        self.put(at, Fact::CallInDoubt(CallInDoubt { call, why, told }));
    }

    /// Starts a call; some of them begin children.
    pub(super) fn start(&mut self, at: usize, call: CallId) {
        let fact = engine::start(
            &self.nodes[at].state,
            call,
            &request(),
            StartFacts::default(),
        );
        self.put(at, fact.expect("due offered it"));
        let depth = match self.nodes[at].parent {
            None => 0,
            Some(0) => 1,
            Some(_) => 2,
        };
        let count = match depth {
            0 => 1 + self.below(20),
            1 if self.one_in(5) => 1 + self.below(4),
            _ => 0,
        };
        for _ in 0..count {
            let living = self
                .nodes
                .iter()
                .filter(|node| node.parent == Some(0) && node.alive);
            if self.nodes.len() >= MOST_NODES || depth == 0 && living.count() >= 20 {
                return;
            }
            let session = if self.one_in(4) {
                self.cap()
            } else {
                Cap::NONE
            };
            let caps = Caps {
                session,
                ..Caps::default()
            };
            self.begin(Some((at, call)), caps);
        }
    }
}
