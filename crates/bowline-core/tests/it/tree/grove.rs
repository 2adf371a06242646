//! A tree of sessions in a pretend world: it carries out what is due in each, in any order, with
//! outcomes drawn from a seed. A provider bills what it really used when a call is made, whatever
//! becomes of it.

mod calls;
mod drawn;
mod holding;
mod models;

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::amounts::{Amounts, Cap, CapScope, Caps, Measure};
use bowline_core::command::{Ask, Command};
use bowline_core::engine::{self, ShareNeed};
use bowline_core::event::{Decided, OwnerChanged, ReplyStop, TurnStarted};
use bowline_core::state::CallPhase;
use bowline_core::*;
use uuid::Uuid;

use super::faults::Fault;
use crate::world::{decision, fold, started};

/// Sessions at most in a tree.
const MOST_NODES: usize = 34;

/// What is known of one session after one of its events.
pub(super) struct Mark {
    /// Each scope with its cap and what is spent or set aside under it.
    pub(super) capped: Vec<(CapScope, Cap, Amounts)>,
    /// What really was used.
    pub(super) billed: Amounts,
    /// What it holds for each child, settled ones with what they came to.
    pub(super) holds: BTreeMap<SessionId, Amounts>,
}

impl Mark {
    pub(super) fn taken(&self, scope: CapScope) -> Amounts {
        let found = self.capped.iter().find(|(other, ..)| *other == scope);
        found.map_or(Amounts::ZERO, |(.., taken)| *taken)
    }
}

/// What a model call that is under way will come to.
struct Outcome {
    fails: Option<FailureKind>,
    stop: ReplyStop,
    used: Usage,
    reported: Option<Usage>,
}

/// One session.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else of the pretend world"
)]
pub(super) struct Node {
    pub(super) id: SessionId,
    pub(super) parent: Option<usize>,
    pub(super) state: State,
    pub(super) marks: Vec<Mark>,
    pub(super) children: Vec<usize>,
    share: Option<Cap>,
    call: Option<CallId>,
    events: Vec<Event>,
    billed: Amounts,
    settled: BTreeMap<SessionId, Amounts>,
    outcomes: BTreeMap<AttemptId, Outcome>,
    /// Whether somebody drives it.
    alive: bool,
    /// Whether its parent can be asked for more.
    tied: bool,
    /// Whether it waits for what its siblings hold.
    blocked: bool,
    /// Whether the last thing that it asked for was answered.
    answered: bool,
    prompts_left: u8,
}

impl Node {
    /// Whether it has a share of so much of this measure, and no more.
    pub(super) fn shares(&self, measure: Measure) -> bool {
        self.share.is_some_and(|share| share.on(measure).is_some())
    }

    fn running(&self) -> Vec<CallId> {
        let epoch = self.state.epoch();
        let calls = self.state.step().into_iter().flat_map(|step| &step.calls);
        calls
            .filter(|open| {
                matches!(&open.phase, CallPhase::Started(_, started) if started.epoch() == epoch)
            })
            .map(|open| open.call.id)
            .collect()
    }
}

/// A tree, and what was seen of it.
pub(super) struct Grove {
    pub(super) nodes: Vec<Node>,
    /// Whose event was recorded, in order.
    pub(super) log: Vec<usize>,
    pub(super) most_alive: usize,
    pub(super) seen: BTreeSet<&'static str>,
    /// Events of one session that others rest on: (session, count of events) each.
    edges: Vec<((usize, usize), (usize, usize))>,
    fault: Option<Fault>,
    random: u64,
    ids: u128,
    now_ms: u64,
    steps_left: u32,
}

impl Grove {
    pub(super) fn plant(seed: u64, fault: Option<Fault>) -> Self {
        let mut grove = Self {
            nodes: Vec::new(),
            log: Vec::new(),
            most_alive: 0,
            seen: BTreeSet::new(),
            edges: Vec::new(),
            fault,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            ids: 0,
            now_ms: 1_000,
            steps_left: 2_500,
        };
        let caps = grove.root_caps();
        grove.begin(None, caps);
        grove
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
            .wrapping_mul(0x2545_F491_4F6C_DD1D)
            .rotate_left(17)
            % n.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn begin(&mut self, parent: Option<(usize, CallId)>, caps: Caps) {
        let at = self.nodes.len();
        let id = SessionId::from_uuid(self.id());
        self.nodes.push(Node {
            id,
            parent: parent.map(|(parent, _)| parent),
            state: State::new(),
            marks: Vec::new(),
            children: Vec::new(),
            share: None,
            call: parent.map(|(_, call)| call),
            events: Vec::new(),
            billed: Amounts::ZERO,
            settled: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            alive: true,
            tied: parent.is_some(),
            blocked: false,
            answered: false,
            prompts_left: if parent.is_none() { 4 } else { 1 },
        });
        self.mark(at);
        let mut share = None;
        if let Some((parent, call)) = parent {
            self.nodes[parent].children.push(at);
            // It is known to its parent before it begins.
            let node = &self.nodes[parent];
            match engine::share(&node.state, id, call, &ShareNeed::default()) {
                Ok(fact) => {
                    share = Some(engine::share_cap(&node.state, &Amounts::ZERO));
                    self.put(parent, fact);
                    self.edge(parent, at);
                }
                Err(_) => self.nodes[at].alive = false,
            }
            if self.nodes[parent].parent.is_some() {
                self.seen.insert("a grandchild");
            }
        }
        self.own(at);
        let mut begun = started(id, None);
        begun.settings.limits.max_steps = 400;
        begun.settings.limits.caps = caps;
        begun.settings.limits.share = share;
        self.nodes[at].share = share;
        begun.settings.model_facts = Some(Box::new(self.facts()));
        self.put(at, Fact::SessionStarted(Box::new(begun)));
        self.prompt(at);
    }

    fn own(&mut self, at: usize) {
        let epoch = self.nodes[at].state.epoch().next();
        self.put(
            at,
            Fact::OwnerChanged(OwnerChanged {
                epoch,
                pid: 1,
                app_version: "test".to_owned(),
            }),
        );
    }

    /// What comes next in `after` rests on what `first` has recorded so far.
    fn edge(&mut self, first: usize, after: usize) {
        let first = (first, self.nodes[first].events.len());
        let after = (after, self.nodes[after].events.len() + 1);
        self.edges.push((first, after));
    }

    fn put(&mut self, at: usize, fact: Fact) {
        self.now_ms += 7;
        let event = Event::new(self.now_ms, fact);
        let node = &mut self.nodes[at];
        node.state = apply(std::mem::take(&mut node.state), &event);
        if let Fact::ShareSettled(settled) = &event.fact {
            node.settled.insert(settled.child, settled.spent);
        }
        node.events.push(event);
        self.mark(at);
        self.log.push(at);
    }

    fn mark(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let limits = node.state.settings().map(|settings| &settings.limits);
        let scopes = [CapScope::Turn, CapScope::Session, CapScope::Share];
        let capped = scopes.map(|scope| {
            let cap = limits.map_or(Cap::NONE, |limits| limits.cap(scope));
            (scope, cap, node.state.taken(scope))
        });
        let mut holds = node.settled.clone();
        let shares = node.state.shares().iter();
        holds.extend(shares.map(|(child, share)| (*child, share.amounts)));
        node.marks.push(Mark {
            capped: capped.to_vec(),
            billed: node.billed,
            holds,
        });
    }

    pub(super) fn kinds(&self) -> BTreeSet<&'static str> {
        let events = self.nodes.iter().flat_map(|node| &node.events);
        events.map(|event| event.fact.kind()).collect()
    }

    /// So many events of each journal that all that one of them rests on is among them.
    pub(super) fn random_cut(&mut self) -> Vec<usize> {
        let mut cut: Vec<usize> = Vec::new();
        for at in 0..self.nodes.len() {
            let events = self.nodes[at].events.len() as u64;
            cut.push(usize::try_from(self.below(events + 1)).expect("small"));
        }
        loop {
            let mut changed = false;
            for ((first, least), (after, event)) in &self.edges {
                if cut[*after] >= *event && cut[*first] < *least {
                    cut[*after] = event - 1;
                    changed = true;
                }
            }
            if !changed {
                return cut;
            }
        }
    }

    fn give(&mut self, at: usize, ask: Ask) {
        let key = format!("key-{}", self.id());
        let at_ms = None;
        let facts = accept(&self.nodes[at].state, Command { key, at_ms, ask });
        for fact in facts.unwrap_or_default() {
            self.put(at, fact);
        }
    }

    fn prompt(&mut self, at: usize) {
        let words = "word ".repeat(usize::try_from(self.below(300)).expect("small") + 1);
        let text = ContextText::admit(Origin::Person, words, 1 << 16, None);
        self.give(
            at,
            Ask::Prompt {
                text,
                images: Vec::new(),
                output_schema: None,
                supersede: false,
            },
        );
    }

    /// Does one thing in one session; false when nothing is left to do.
    pub(super) fn step(&mut self) -> bool {
        self.steps_left = self.steps_left.saturating_sub(1);
        let alive: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].alive)
            .collect();
        let children = alive.iter().filter(|at| self.nodes[**at].parent == Some(0));
        self.most_alive = self.most_alive.max(children.count());
        if alive.is_empty() || self.steps_left == 0 {
            return false;
        }
        let at = alive[usize::try_from(self.below(alive.len() as u64)).expect("small")];
        match self.below(120) {
            0 if self.one_in(3) || at != 0 => self.crash(at),
            1 => self.prompt(at),
            2 if self.nodes[at].state.turn().is_some() => {
                let by = "test".to_owned();
                self.give(at, Ask::Cancel { by });
            }
            3 => self.go_on_with_a_dead_one(),
            _ => self.go_on(at),
        }
        true
    }

    /// Its process ends, and with it those that it drove; another goes on with it from its journal.
    fn crash(&mut self, at: usize) {
        self.seen.insert("a crash");
        let mut gone = vec![at];
        while let Some(one) = gone.pop() {
            for child in 0..self.nodes.len() {
                if self.nodes[child].parent == Some(one) && self.nodes[child].alive {
                    self.nodes[child].alive = false;
                    self.nodes[child].tied = false;
                    gone.push(child);
                }
            }
        }
        self.reopen(at);
    }

    fn reopen(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.state = fold(&node.events);
        node.blocked = false;
        node.answered = false;
        self.own(at);
    }

    /// A person goes on with a session that nobody drives, by itself.
    fn go_on_with_a_dead_one(&mut self) {
        let dead: Vec<usize> = (0..self.nodes.len())
            .filter(|at| !self.nodes[*at].alive && self.nodes[*at].state.session().is_some())
            .collect();
        if dead.is_empty() {
            return;
        }
        let at = dead[usize::try_from(self.below(dead.len() as u64)).expect("small")];
        self.nodes[at].alive = true;
        self.nodes[at].tied = false;
        self.reopen(at);
        self.prompt(at);
    }

    fn go_on(&mut self, at: usize) {
        let Some(work) = due(&self.nodes[at].state).into_iter().next() else {
            return self.finish_something(at);
        };
        match work {
            Work::BeginTurn => {
                let turn = self.nodes[at].state.last_turn().next();
                self.put(at, Fact::TurnStarted(TurnStarted { turn }));
            }
            Work::AskModel(_) => self.ask(at),
            // No move begins a compaction: its own tests do.
            Work::Compact => {}
            Work::Nudge(noticed) => self.put(at, Fact::LoopNoticed(*noticed)),
            Work::ReconcileAttempt { attempt } => {
                let kind = match self.fault {
                    Some(Fault::ForgottenOnTakeOver) => FailureKind::Connect,
                    _ => FailureKind::Interrupted,
                };
                self.fail(at, attempt, kind, None);
            }
            Work::Decide { call } => {
                let id = DecisionId::from_uuid(self.id());
                let verdict = if self.one_in(9) {
                    Verdict::Deny
                } else {
                    Verdict::Allow
                };
                let path = format!("/w/{}", self.below(5));
                let decision = decision(id, verdict, ReplayClass::Checkable, &path);
                self.put(at, Fact::Decided(Box::new(Decided { call, decision })));
            }
            Work::RunTool { call } => self.start(at, call),
            Work::Reconcile { call } => self.reconcile(at, call),
            Work::SettleShare { child } => {
                self.seen.insert("settled whole");
                let settled = engine::settle_share(&self.nodes[at].state, child, None);
                self.put(at, settled.expect("due offered it"));
            }
            Work::EndTurn { stop, detail } => self.end_turn(at, stop, detail),
            Work::CheckAnswer | Work::Park { .. } | Work::Wait { .. } => {
                unreachable!("nothing here waits: {work:?}")
            }
        }
    }

    fn end_turn(&mut self, at: usize, stop: StopReason, detail: Option<String>) {
        if let Some(need) = engine::lacking_calls(&self.nodes[at].state)
            && self.asks(at, need)
        {
            return;
        }
        if stop == StopReason::Budget {
            self.seen.insert("a budget stop");
        }
        let state = &self.nodes[at].state;
        let turn = state.turn().expect("a turn to end").id;
        let ended = engine::end_turn(state, turn, stop, detail, 0);
        self.put(at, ended);
        self.nodes[at].answered = false;
        if self.nodes[at].prompts_left > 0 && self.one_in(2) {
            self.nodes[at].prompts_left -= 1;
            self.prompt(at);
        } else if self.nodes[at].state.queued().is_empty() {
            self.rest(at);
        }
    }
}
