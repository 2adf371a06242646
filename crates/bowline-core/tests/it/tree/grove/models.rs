//! Model calls: made, billed, and what becomes of them.

use bowline_core::amounts::Amounts;
use bowline_core::engine::{self, NewAsk};
use bowline_core::event::{AttemptFailed, ModelReplied, ReplyStop};
use bowline_core::failure::retry_in_ms;
use bowline_core::*;

use super::super::faults::{self, Fault};
use super::{Grove, Outcome};

impl Grove {
    pub(super) fn ask(&mut self, at: usize) {
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
    pub(super) fn make(&mut self, at: usize, attempt: AttemptId, fact: &Fact) {
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

    pub(super) fn fail(
        &mut self,
        at: usize,
        attempt: AttemptId,
        kind: FailureKind,
        usage: Option<Usage>,
    ) {
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

    pub(super) fn reply(&mut self, at: usize, attempt: AttemptId) {
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
}
