//! A tree of sessions in a pretend world: it carries out what is due in each, in any order, with
//! outcomes drawn from a seed. A provider bills what it really used when a call is made, whatever
//! becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::amounts::{Amounts, Cap, CapScope, Caps, Measure};
use bowline_core::command::{Ask, Command};
use bowline_core::engine::{self, NewAsk, NotShareable, ShareNeed, StartFacts};
use bowline_core::event::{
    AttemptFailed, CallFailed, CallInDoubt, Decided, ModelReplied, OwnerChanged, ReplyStop,
    TurnStarted,
};
use bowline_core::failure::retry_in_ms;
use bowline_core::price::{LongRates, Rates};
use bowline_core::state::CallPhase;
use bowline_core::*;
use uuid::Uuid;

use super::faults::{self, Fault};
use crate::world::{decision, fold, request, started};

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

    fn cap(&mut self) -> Cap {
        let mut cap = Cap::NONE;
        let sizes = [
            (Measure::InputTokens, 2_000, 90_000),
            (Measure::OutputTokens, 400, 90_000),
            (Measure::Tokens, 2_000, 200_000),
            (Measure::Cost, 2_000, 3_000_000),
            (Measure::Steps, 2, 60),
            (Measure::ToolCalls, 2, 50),
        ];
        for (measure, least, most) in sizes {
            if self.one_in(2) {
                *cap.on_mut(measure) = Some(least + self.below(most));
            }
        }
        cap
    }

    fn root_caps(&mut self) -> Caps {
        let session = self.cap();
        let turn = if self.one_in(2) {
            self.cap()
        } else {
            Cap::NONE
        };
        Caps {
            session,
            turn,
            ..Caps::default()
        }
    }

    fn rates(&mut self) -> Rates {
        Rates {
            input_micro_usd_per_mtok: self.below(6_000_000),
            output_micro_usd_per_mtok: self.below(30_000_000),
            cache_read_micro_usd_per_mtok: self.below(600_000),
            cache_write_micro_usd_per_mtok: self.below(8_000_000),
        }
    }

    fn facts(&mut self) -> ModelFacts {
        let long = self.one_in(2).then(|| LongRates {
            above_input_tokens: 500 + self.below(1_500),
            rates: self.rates(),
        });
        let price = Price {
            rates: self.rates(),
            long,
        };
        ModelFacts {
            output_tokens_max: self.one_in(2).then_some(40_000),
            price: (!self.one_in(12)).then_some(price),
            ..ModelFacts::default()
        }
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

    /// A session has nothing more to do: a child gives back what it did not use.
    fn rest(&mut self, at: usize) {
        self.nodes[at].alive = false;
        if self.nodes[at].tied {
            self.settle(at);
        }
    }

    /// Settles a child with its parent by its own state.
    fn settle(&mut self, at: usize) {
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
    fn asks(&mut self, at: usize, need: ShareNeed) -> bool {
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

    fn grant(&mut self, at: usize, need: &ShareNeed, waits: bool) -> bool {
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

    fn others_work(&self, at: usize) -> bool {
        let parent = self.nodes[at].parent;
        let mut others = self.nodes.iter().enumerate();
        others.any(|(other, node)| {
            other != at && node.parent == parent && node.alive && node.tied && !node.blocked
        })
    }

    fn take_in(&mut self, parent: usize, at: usize, fact: Fact) {
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

    fn ask(&mut self, at: usize) {
        let attempt = AttemptId::from_uuid(self.id());
        let ask = NewAsk::of(attempt);
        if let Some(need) = engine::lacking(&self.nodes[at].state, &ask)
            && self.asks(at, need)
        {
            return;
        }
        self.nodes[at].answered = false;
        let node = &self.nodes[at];
        let wished = engine::lacking(&node.state, &ask).is_some();
        match faults::reserve(self.fault, &node.state, &node.events, ask) {
            Ok(fact) => {
                if wished {
                    self.seen.insert("squeezed");
                }
                self.make(at, attempt, &fact);
                self.put(at, fact);
            }
            Err(why) => self.end_turn(at, StopReason::Budget, Some(why.to_string())),
        }
    }

    /// What a model call comes to is drawn, and billed, when it is made.
    fn make(&mut self, at: usize, attempt: AttemptId, fact: &Fact) {
        let Fact::AttemptReserved(reserved) = fact else {
            return;
        };
        let worst = reserved.worst();
        let fails = match self.below(14) {
            0 => Some(FailureKind::Connect),
            1 => Some(FailureKind::RateLimited),
            2 => Some(FailureKind::Cut),
            3 => Some(FailureKind::Timeout),
            4 => Some(FailureKind::Malformed),
            5 => Some(FailureKind::Empty),
            _ => None,
        };
        let is_cut = fails.is_none() && self.one_in(5);
        let part = |grove: &mut Self, most: u64| match grove.below(4) {
            0 => most,
            1 => 0,
            _ => grove.below(most + 1),
        };
        let mut used = Usage::default();
        if fails.is_none_or(FailureKind::may_have_cost) {
            used.input_tokens = part(self, worst.input_tokens);
            used.output_tokens = part(self, worst.output_tokens);
            if is_cut {
                used.output_tokens = worst.output_tokens;
            }
            used.cached_input_tokens = part(self, used.input_tokens);
            used.cache_write_tokens = self.below(used.input_tokens - used.cached_input_tokens + 1);
        }
        let price = self.nodes[at].state.settings().and_then(Settings::price);
        if let Some(long) = price.and_then(|price| price.long)
            && used.input_tokens > long.above_input_tokens
        {
            self.seen.insert("long rates");
        }
        let billed = Amounts {
            cost_micro_usd: price.map_or(0, |price| price.cost_micro_usd(&used)),
            ..Amounts::tokens(&used)
        };
        self.nodes[at].billed = self.nodes[at].billed.plus(&billed);
        let reported = match fails {
            // A stream that is cut has told of a part of it at most.
            Some(kind) if !kind.came_to_an_end() => self.one_in(2).then(|| Usage {
                input_tokens: used.input_tokens,
                cached_input_tokens: used.cached_input_tokens,
                cache_write_tokens: used.cache_write_tokens,
                output_tokens: used.output_tokens / 2,
                ..Usage::default()
            }),
            _ => (!self.one_in(6)).then_some(used),
        };
        let reported = reported.filter(|_| fails.is_none_or(FailureKind::may_have_cost));
        let stop = if is_cut {
            ReplyStop::Length
        } else {
            ReplyStop::Finished
        };
        let outcome = Outcome {
            fails,
            stop,
            used,
            reported,
        };
        self.nodes[at].outcomes.insert(attempt, outcome);
    }

    fn fail(&mut self, at: usize, attempt: AttemptId, kind: FailureKind, usage: Option<Usage>) {
        let mut failure = ProviderFailure::new(kind, "no");
        failure.usage = usage;
        let tries = self.nodes[at]
            .state
            .turn()
            .map_or(0, |turn| turn.failed_attempts);
        let failed = AttemptFailed {
            attempt,
            retry_in_ms: retry_in_ms(&failure, tries + 1, 500),
            failure,
            charged: None,
        };
        for mut fact in engine::failed(&self.nodes[at].state, failed) {
            if let (Fact::AttemptFailed(failed), Some(Fault::FailuresFree)) =
                (&mut fact, self.fault)
            {
                failed.charged = Some(Amounts::ZERO);
            }
            self.put(at, fact);
        }
    }

    fn finish_something(&mut self, at: usize) {
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

    fn settle_too_early(&mut self, parent: usize) {
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

    fn finish(&mut self, at: usize, call: CallId, broke: bool) {
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

    fn reconcile(&mut self, at: usize, call: CallId) {
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

    fn reply(&mut self, at: usize, attempt: AttemptId) {
        let Some(outcome) = self.nodes[at].outcomes.remove(&attempt) else {
            return self.fail(at, attempt, FailureKind::Interrupted, None);
        };
        if let Some(kind) = outcome.fails {
            return self.fail(at, attempt, kind, outcome.reported);
        }
        if outcome.reported.is_none() {
            self.seen.insert("no usage reported");
        }
        let mut blocks = vec![Block::Text {
            text: "words "
                .repeat(usize::try_from(outcome.used.output_tokens % 200).expect("small") + 1),
        }];
        let calls = if outcome.stop == ReplyStop::Length {
            0
        } else {
            self.below(4)
        };
        for index in 0..calls {
            blocks.push(Block::Call(ToolCall {
                id: CallId::from_uuid(self.id()),
                wire_id: format!("w{index}"),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
                fault: None,
                kept: None,
            }));
        }
        let replied = ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks,
                ..AssistantMessage::default()
            },
            stop: outcome.stop,
            usage: outcome.reported,
            request_id: None,
            charged: None,
        };
        for fact in engine::replied(&self.nodes[at].state, replied) {
            match &fact {
                Fact::AttemptFailed(_) => {
                    self.seen.insert("cut and asked again");
                }
                Fact::ModelReplied(_) => self.nodes[at].billed.steps += 1,
                _ => {}
            }
            self.put(at, fact);
        }
    }

    /// Starts a call; some of them begin children.
    fn start(&mut self, at: usize, call: CallId) {
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
