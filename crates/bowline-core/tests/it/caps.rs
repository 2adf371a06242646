//! Each cap is exact: with one less than is needed nothing is begun, with what is needed it is.

use bowline_core::amounts::{Amounts, Cap, CapScope, Caps, Measure};
use bowline_core::engine::{self, NewAsk, NotShareable, Overdrawn, ShareNeed, StartFacts};
use bowline_core::event::{Decided, ModelReplied, OwnerChanged, ReplyStop, TurnStarted};
use bowline_core::price::Rates;
use bowline_core::request::RequestSize;
use bowline_core::*;
use uuid::Uuid;

use crate::world::{decision, request, started};

const SCOPES: [CapScope; 3] = [CapScope::Turn, CapScope::Session, CapScope::Share];
const WORKED_MS: u64 = 40;

struct Small {
    state: State,
    ids: u128,
}

impl Small {
    /// A turn that has begun, with one cap.
    fn begun(scope: CapScope, cap: Cap) -> Self {
        let mut small = Self {
            state: State::new(),
            ids: 0,
        };
        small.put(Fact::OwnerChanged(OwnerChanged {
            epoch: Epoch(1),
            pid: 1,
            app_version: "test".to_owned(),
        }));
        let session = SessionId::from_uuid(small.id());
        let mut begun = started(session, None);
        let limits = &mut begun.settings.limits;
        let mut caps = Caps::default();
        match caps.of_mut(scope) {
            Some(place) => *place = cap,
            None => limits.share = Some(cap),
        }
        limits.caps = caps;
        let rates = Rates {
            input_micro_usd_per_mtok: 3_000_000,
            output_micro_usd_per_mtok: 15_000_000,
            ..Rates::default()
        };
        begun.settings.model_facts = Some(Box::new(ModelFacts {
            price: Some(Price { rates, long: None }),
            ..ModelFacts::default()
        }));
        small.put(Fact::SessionStarted(Box::new(begun)));
        let turn = small.state.last_turn().next();
        small.put(Fact::TurnStarted(TurnStarted { turn }));
        small
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn put(&mut self, fact: Fact) {
        self.state = apply(std::mem::take(&mut self.state), &Event::new(1, fact));
        assert_eq!(self.state.misfits(), 0);
    }

    fn ask(&mut self) -> NewAsk {
        NewAsk {
            size: Some(RequestSize {
                bytes: 3_000,
                tokens_bound: 1_000,
            }),
            worked_ms: WORKED_MS,
            ..NewAsk::of(AttemptId::from_uuid(self.id()))
        }
    }

    /// A reply with so many calls is in, and they are decided upon.
    fn replied(&mut self, calls: u32) -> Vec<CallId> {
        let ask = self.ask();
        let reserved = engine::reserve(&self.state, ask).expect("it fits");
        self.put(reserved);
        let ids: Vec<CallId> = (0..calls).map(|_| CallId::from_uuid(self.id())).collect();
        let blocks = ids.iter().map(|id| {
            Block::Call(ToolCall {
                id: *id,
                wire_id: id.to_string(),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
                fault: None,
                kept: None,
            })
        });
        let replied = ModelReplied {
            attempt: ask.attempt,
            message: AssistantMessage {
                blocks: blocks.collect(),
                ..AssistantMessage::default()
            },
            stop: ReplyStop::Finished,
            usage: Some(Usage {
                input_tokens: 900,
                output_tokens: 30,
                ..Usage::default()
            }),
            request_id: None,
            charged: None,
        };
        for fact in engine::replied(&self.state, replied) {
            self.put(fact);
        }
        ids
    }

    /// A reply without calls to a request that really had so many input tokens.
    fn took(&mut self, attempt: AttemptId, input_tokens: u64) {
        let words = Block::Text {
            text: "words".to_owned(),
        };
        let replied = ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks: vec![words],
                ..AssistantMessage::default()
            },
            stop: ReplyStop::Finished,
            usage: Some(Usage {
                input_tokens,
                output_tokens: 1,
                ..Usage::default()
            }),
            request_id: None,
            charged: None,
        };
        for fact in engine::replied(&self.state, replied) {
            if matches!(fact, Fact::ModelReplied(_)) {
                self.put(fact);
            }
        }
    }

    /// Starts whatever may start; says how many calls did.
    fn start_all(&mut self) -> usize {
        let mut started = 0;
        loop {
            let mut progressed = false;
            for work in due(&self.state) {
                match work {
                    Work::Decide { call } => {
                        let id = DecisionId::from_uuid(self.id());
                        let path = format!("/w/{call}");
                        let decision = decision(id, Verdict::Allow, ReplayClass::Checkable, &path);
                        self.put(Fact::Decided(Box::new(Decided { call, decision })));
                    }
                    Work::RunTool { call } => {
                        let fact =
                            engine::start(&self.state, call, &request(), StartFacts::default());
                        self.put(fact.expect("due offered it"));
                        started += 1;
                    }
                    _ => continue,
                }
                progressed = true;
            }
            if !progressed {
                return started;
            }
        }
    }
}

/// What the least call needs of each measure: its input bound, the shortest reply, their price.
fn least(measure: Measure) -> u64 {
    let (input, output) = (
        1_000 + state::REQUEST_OVERHEAD_TOKENS,
        engine::MIN_REPLY_TOKENS,
    );
    match measure {
        Measure::InputTokens => input,
        Measure::OutputTokens => output,
        Measure::Tokens => input + output,
        Measure::Cost => input * 3 + output * 15,
        Measure::Steps => 1,
        Measure::ToolCalls => 0,
        // What was worked before it, and a moment more.
        Measure::Wall => WORKED_MS + 1,
    }
}

fn only(measure: Measure, limit: u64) -> Cap {
    let mut cap = Cap::NONE;
    *cap.on_mut(measure) = Some(limit);
    cap
}

/// One less than the least call needs: no call, and it says by how much. Exactly that: a call that
/// sets aside no more. One more: a call too.
#[test]
fn a_model_call_is_made_from_exactly_what_it_needs_on() {
    let mut rows = 0;
    for measure in Measure::ALL
        .into_iter()
        .filter(|one| *one != Measure::ToolCalls)
    {
        for scope in SCOPES {
            let need = least(measure);
            for (limit, fits) in [(need - 1, false), (need, true), (need + 1, true)] {
                let mut small = Small::begun(scope, only(measure, limit));
                let ask = small.ask();
                match engine::reserve(&small.state, ask) {
                    Ok(fact) => {
                        assert!(fits, "{scope:?} {measure:?} {limit}");
                        small.put(fact);
                        let taken = small.state.taken(scope).of(measure);
                        let taken = taken + u64::from(measure == Measure::Wall);
                        assert!(taken <= limit, "{scope:?} {measure:?}: {taken} of {limit}");
                        assert!(taken >= need, "{scope:?} {measure:?}: {taken} of {need}");
                    }
                    Err(Overdrawn::Cap { scope: by, excess }) => {
                        assert!(!fits, "{scope:?} {measure:?} {limit}: {excess}");
                        assert_eq!((by, excess.measure, excess.cap), (scope, measure, limit));
                        assert_eq!(excess.taken + excess.need, need);
                    }
                    Err(other) => panic!("{other}"),
                }
                rows += 1;
            }
        }
    }
    println!("{rows} rows: 6 measures, 3 scopes, n-1, n, n+1");
}

/// Three calls of one reply under a cap on calls: as many start as it allows, and with one too few
/// the turn ends when they are over.
#[test]
fn as_many_calls_start_as_a_cap_allows() {
    for scope in SCOPES {
        for (limit, starts) in [(0, 0), (2, 2), (3, 3), (4, 3)] {
            let mut small = Small::begun(scope, only(Measure::ToolCalls, limit));
            small.replied(3);
            assert_eq!(small.start_all(), starts, "{scope:?} {limit}");
            assert_eq!(small.state.taken(scope).tool_calls, starts as u64);
            let calls: Vec<CallId> = small
                .state
                .step()
                .into_iter()
                .flat_map(|step| &step.calls)
                .filter(|open| matches!(open.phase, state::CallPhase::Started(..)))
                .map(|open| open.call.id)
                .collect();
            for call in calls {
                let error = ContextText::notice("over");
                small.put(Fact::CallFailed(event::CallFailed { call, error }));
            }
            let ends = due(&small.state).iter().any(|work| {
                let stop = StopReason::Budget;
                matches!(work, Work::EndTurn { stop: found, .. } if *found == stop)
            });
            assert_eq!(ends, starts < 3, "{scope:?} {limit}");
        }
    }
}

/// A parent whose call runs, and what it may give a child of each measure.
fn parent(cap: Cap) -> (Small, CallId, SessionId) {
    let mut small = Small::begun(CapScope::Session, cap);
    let calls = small.replied(1);
    small.start_all();
    let child = SessionId::from_uuid(small.id());
    (small, calls[0], child)
}

/// What is left for children is all but what is spent and what the parent's own answer takes; it is
/// given to the last token, millionth, step and call, and not one more.
#[test]
fn a_share_is_given_from_exactly_what_is_left_on() {
    let wants = Amounts {
        input_tokens: 700,
        output_tokens: 300,
        cost_micro_usd: 5_000,
        steps: 2,
        tool_calls: 3,
        wall_ms: 0,
    };
    let need = ShareNeed {
        least: wants,
        wish: wants,
    };
    for measure in Measure::ALL.into_iter().filter(|one| *one != Measure::Wall) {
        // What would not be enough says how much is needed.
        let (small, call, child) = parent(only(measure, 40_000));
        let enough = engine::share(&small.state, child, call, &need);
        assert!(enough.is_ok(), "{measure:?}: {enough:?}");
        let mut huge = need;
        huge.least.input_tokens += 60_000;
        huge.least.output_tokens += 60_000;
        huge.least.cost_micro_usd += 60_000;
        huge.least.steps += 60_000;
        huge.least.tool_calls += 60_000;
        let Err(NotShareable::Cap { excess, .. }) = engine::share(&small.state, child, call, &huge)
        else {
            panic!("{measure:?} has no end");
        };
        let exact = excess.taken + wants.of(measure);
        for (limit, fits) in [(exact - 1, false), (exact, true), (exact + 1, true)] {
            let (small, call, child) = parent(only(measure, limit));
            let shared = engine::share(&small.state, child, call, &need);
            assert_eq!(shared.is_ok(), fits, "{measure:?} {limit}: {shared:?}");
        }
    }
}

/// Of what it wishes a child gets as much as there is, and never less than the least.
#[test]
fn a_child_gets_what_there_is_between_its_least_and_its_wish() {
    let amounts = |output_tokens| Amounts {
        output_tokens,
        ..Amounts::ZERO
    };
    let need = ShareNeed {
        least: amounts(256),
        wish: amounts(8_192),
    };
    // Spent are 30, kept for the answer 256.
    for (cap, given) in [
        (30 + 256 + 255, None),
        (30 + 256 + 256, Some(256)),
        (30 + 256 + 4_224, Some(4_224)),
        (30 + 256 + 8_192, Some(8_192)),
        (90_000, Some(8_192)),
    ] {
        let (small, call, child) = parent(only(Measure::OutputTokens, cap));
        let shared = engine::share(&small.state, child, call, &need).ok();
        let shared = shared.map(|fact| match fact {
            Fact::ShareGranted(granted) => granted.share.output_tokens,
            other => panic!("{other:?}"),
        });
        assert_eq!(shared, given, "under {cap}");
    }
}

/// A session whose settings are changed keeps the share that its parent gave it.
#[test]
fn settings_do_not_lift_a_share() {
    let mut small = Small::begun(CapScope::Share, only(Measure::Tokens, 10));
    let mut settings = small.state.settings().expect("it has begun").clone();
    settings.limits.share = None;
    let ask = command::Ask::Change {
        settings: Box::new(settings),
        by: "test".to_owned(),
    };
    let key = "change".to_owned();
    let at_ms = None;
    for fact in accept(&small.state, Command { key, at_ms, ask }).expect("it is taken") {
        small.put(fact);
    }
    let ask = small.ask();
    assert!(engine::reserve(&small.state, ask).is_err());
}

/// The bound on the input of a request that has grown is never below what it really takes, if what
/// was added takes no more than its own bound; and it is only ever corrected upward.
#[test]
fn a_grown_request_takes_no_more_than_its_bound() {
    let mut random = 7_u64;
    let mut below = |n: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    for _ in 0..200 {
        let mut small = Small::begun(CapScope::Session, Cap::NONE);
        let mut bound = 500 + below(5_000);
        let mut real = below(bound * 3);
        let mut factor_seen = 1_000_u64;
        for _ in 0..12 {
            let size = RequestSize {
                bytes: bound * 3,
                tokens_bound: bound,
            };
            let ask = NewAsk {
                size: Some(size),
                ..NewAsk::of(AttemptId::from_uuid(small.id()))
            };
            let alone = small.state.gauge().input_bound(size);
            let Ok(fact) = engine::reserve(&small.state, ask) else {
                panic!("nothing is capped");
            };
            small.put(fact);
            small.took(ask.attempt, real);
            // The same request again is bounded by what it took, to the token.
            assert_eq!(small.state.gauge().input_bound(size), real, "{alone}");
            // A fresh conversation of the same size is bounded no lower than ever before.
            let of_text = real.saturating_sub(state::REQUEST_OVERHEAD_TOKENS);
            factor_seen = factor_seen.max((of_text * 1_000).div_ceil(bound));
            let shorter = RequestSize {
                bytes: 3,
                tokens_bound: 1,
            };
            let lowest = factor_seen.div_ceil(1_000) + state::REQUEST_OVERHEAD_TOKENS;
            assert!(small.state.gauge().input_bound(shorter) >= lowest);
            let added = below(900);
            bound += added;
            real += below(added + 1);
            let grown = RequestSize {
                bytes: bound * 3,
                tokens_bound: bound,
            };
            assert!(small.state.gauge().input_bound(grown) >= real);
            // The turn goes on with another prompt.
            let turn = small.state.turn().expect("a turn").id;
            let ended = engine::end_turn(&small.state, turn, StopReason::Done, None, 0);
            small.put(ended);
            let turn = small.state.last_turn().next();
            small.put(Fact::TurnStarted(TurnStarted { turn }));
        }
    }
}
