//! Shares: asked for, granted, taken in, settled.

use bowline_core::Fact;
use bowline_core::amounts::{Amounts, CapScope};
use bowline_core::engine::{self, NotShareable, ShareNeed};

use super::super::faults::{self, Fault};
use super::Grove;

impl Grove {
    /// A session has nothing more to do: a child gives back what it did not use.
    pub(super) fn rest(&mut self, at: usize) {
        self.nodes[at].alive = false;
        if self.nodes[at].tied {
            self.settle(at);
        }
    }

    /// Settles a child with its parent by its own state.
    pub(super) fn settle(&mut self, at: usize) {
        let Some(parent) = self.nodes[at].parent else {
            return;
        };
        self.nodes[at].tied = false;
        let closing = engine::close_share(&self.nodes[at].state);
        if let Some(closing) = closing.filter(|_| self.fault != Some(Fault::NotClosed)) {
            self.put(at, closing);
        }
        let spent = self.nodes[at].state.taken(CapScope::Share);
        let id = self.nodes[at].id;
        if let Some(settled) = engine::settle_share(&self.nodes[parent].state, id, Some(spent)) {
            self.edge(at, parent);
            self.put(parent, settled);
        }
    }

    /// Asks the parent for more; says whether something came of it, or is to be waited for.
    pub(super) fn asks(&mut self, at: usize, need: ShareNeed) -> bool {
        let Some(parent) = self.nodes[at].parent.filter(|_| self.nodes[at].tied) else {
            return false;
        };
        if std::mem::take(&mut self.nodes[at].answered) {
            return false;
        }
        // What a child in the middle lacks for it, it asks for first.
        if let Some(more) = engine::lacking_for(&self.nodes[parent].state, &need) {
            self.nodes[parent].answered = false;
            self.grant(parent, &more, false);
        }
        self.grant(at, &need, true)
    }

    pub(super) fn grant(&mut self, at: usize, need: &ShareNeed, waits: bool) -> bool {
        let (Some(parent), Some(call)) = (self.nodes[at].parent, self.nodes[at].call) else {
            return false;
        };
        if !self.nodes[at].tied {
            return false;
        }
        let id = self.nodes[at].id;
        let holder = &self.nodes[parent];
        match faults::share(self.fault, &holder.state, &holder.events, id, call, need) {
            Ok(fact) => {
                self.nodes[at].blocked = false;
                self.nodes[at].answered = waits;
                self.take_in(parent, at, fact);
                true
            }
            Err(NotShareable::Cap { .. })
                if waits && engine::fits_alone(&holder.state, id, need) && self.others_work(at) =>
            {
                self.nodes[at].blocked = true;
                true
            }
            Err(_) => {
                self.seen.insert("refused");
                self.nodes[at].blocked = false;
                false
            }
        }
    }

    pub(super) fn others_work(&self, at: usize) -> bool {
        let parent = self.nodes[at].parent;
        let mut others = self.nodes.iter().enumerate();
        others.any(|(other, node)| {
            other != at && node.parent == parent && node.alive && node.tied && !node.blocked
        })
    }

    pub(super) fn take_in(&mut self, parent: usize, at: usize, fact: Fact) {
        let Fact::ShareGranted(granted) = &fact else {
            return;
        };
        let cap = engine::share_cap(&self.nodes[parent].state, &granted.share);
        let raise = engine::raise(cap);
        match self.fault {
            Some(Fault::RaisedBeforeGranted) => {
                self.put(at, raise);
                self.put(parent, fact);
                return;
            }
            Some(Fault::ShareCountedOnce)
                if self.nodes[parent].state.shares()[&granted.child].amounts != Amounts::ZERO => {}
            _ => self.put(parent, fact),
        }
        if self.one_in(60) {
            // It is set aside, and the child never learns of it.
            self.crash(parent);
            return;
        }
        self.edge(parent, at);
        self.put(at, raise);
    }
}
