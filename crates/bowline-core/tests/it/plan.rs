//! Laws of the context plan: a request goes on from the one before it, and a plan leaves nothing of
//! it out.

mod breaks;

use std::collections::BTreeMap;

use bowline_core::event::{BreakCause, Purpose};
use bowline_core::plan::{ContextPlan, Hashes, SentBlocks};
use bowline_core::{Block, Fact, HistoryItem, Request};
use proptest::prelude::*;

use crate::world::World;

/// Plays a world that records what each request consists of.
fn play(choices: Vec<u8>, mut check: impl FnMut(&World)) -> World {
    let mut world = World::new(choices, None);
    world.records_sent = true;
    while world.step() {
        check(&world);
    }
    world
}

/// The bytes of everything in a request that is text, counted by hand.
fn text_bytes(request: &Request) -> usize {
    let tools = request.prompt.tools.iter();
    let tools = tools
        .map(|tool| tool.name.len() + tool.description.len() + tool.input_schema.to_string().len());
    let history = request.history.iter().map(|item| match item.as_ref() {
        HistoryItem::Input(input) => input.text.text().len(),
        HistoryItem::Exchange(exchange) => {
            let blocks = exchange.message().blocks.iter().map(|block| match block {
                Block::Text { text } | Block::Reasoning { text, .. } => text.len(),
                Block::Opaque(opaque) => opaque.value.to_string().len(),
                Block::Call(call) => {
                    let kept = call.kept.iter().map(|kept| kept.value.to_string().len());
                    call.name.len() + call.arguments.len() + kept.sum::<usize>()
                }
            });
            let results = exchange.results().iter();
            blocks.sum::<usize>() + results.map(|it| it.content.text().len()).sum::<usize>()
        }
    });
    request.prompt.system.len() + tools.sum::<usize>() + history.sum::<usize>()
}

fn check_plan(world: &World) {
    let state = &world.state;
    let Some(plan) = ContextPlan::of(state) else {
        return;
    };
    let asks = state.attempt().map(|open| open.reserved.purpose());
    let request = match asks {
        Some(Purpose::Step) => state.request(),
        Some(Purpose::Summary) | None => state.next_request(),
    };
    let request = request.expect("what is planned is a request");
    assert_eq!(plan.bytes, text_bytes(&request) as u64, "every byte, once");
    let sum =
        |of: fn(&bowline_core::plan::PlanBlock) -> u64| plan.blocks.iter().map(of).sum::<u64>();
    assert_eq!(sum(|block| block.tokens), plan.tokens);
    assert_eq!(
        plan.sums.iter().map(|sum| sum.tokens).sum::<u64>(),
        plan.tokens
    );
    let items = request.history.iter().map(|item| match item.as_ref() {
        HistoryItem::Input(_) => 1,
        HistoryItem::Exchange(exchange) => 1 + exchange.results().len(),
    });
    assert_eq!(
        plan.blocks.len(),
        1 + request.prompt.tools.len() + items.sum::<usize>()
    );
    assert_eq!(
        ContextPlan::of(&state.clone()),
        Some(plan),
        "the same again"
    );
}

fn breaks(world: &World) -> BTreeMap<BreakCause, usize> {
    let mut found = BTreeMap::new();
    for event in &world.events {
        if let Fact::PrefixBroken(broken) = &event.fact {
            *found.entry(broken.cause).or_default() += 1;
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// A plan covers every byte of a request's text, in blocks that do not overlap.
    #[test]
    fn a_plan_covers_every_byte_once(choices in prop::collection::vec(any::<u8>(), 0..120)) {
        play(choices, check_plan);
    }

    /// Whatever happens, crashes in the middle included: what the state says was sent is what the
    /// request under way consists of, and where nobody changed the model each request begins with
    /// the blocks of the one before it. What breaks has a cause.
    #[test]
    fn a_request_goes_on_from_the_one_before_it(
        choices in prop::collection::vec(any::<u8>(), 0..200)
    ) {
        let world = play(choices, |world| {
            let last = world.events.last().map(|event| &event.fact);
            let (Some(request), Some(sent)) = (world.state.request(), world.state.sent()) else {
                return;
            };
            let is_step = |fact: &Fact| match fact {
                Fact::AttemptReserved(reserved) => reserved.purpose().is_step(),
                _ => false,
            };
            if !last.is_some_and(is_step) {
                return;
            }
            let mut hashes = Hashes::default();
            hashes.take_in(&request);
            assert_eq!(sent.blocks(), hashes.blocks());
            assert_eq!(sent.head(), hashes.head());
        });
        let breaks = breaks(&world);
        prop_assert_eq!(breaks.get(&BreakCause::Unexplained), None);
        let is_cause = |fact: &Fact| {
            matches!(fact, Fact::SettingsChanged(_) | Fact::HistoryCompacted(_))
        };
        let has_cause = world.events.iter().any(|it| is_cause(&it.fact));
        prop_assert!(has_cause || breaks.is_empty(), "{breaks:?}");
    }
}

/// The record of a step is small, and says of the history only what was added.
#[test]
fn the_record_of_a_step_holds_what_was_added() {
    let mut byte = 1_u32;
    let choices: Vec<u8> = (0..2_000)
        .map(|_| {
            byte = byte.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (byte >> 24) as u8
        })
        .collect();
    let world = play(choices, |_| {});
    let records = world.events.iter().filter_map(|event| match &event.fact {
        Fact::AttemptReserved(reserved) => reserved.sent(),
        _ => None,
    });
    let records: Vec<&SentBlocks> = records.collect();
    assert!(records.len() > 20, "{}", records.len());
    assert!(
        records
            .iter()
            .skip(1)
            .any(|record| !record.added.is_empty())
    );
    assert!(records[1..].iter().all(|record| record.head.is_none()));
    let bytes: usize = records[1..]
        .iter()
        .map(|record| serde_json::to_string(record).expect("JSON").len())
        .sum();
    let blocks: usize = records[1..].iter().map(|record| record.added.len()).sum();
    let (steps, each) = (records.len() - 1, bytes / blocks);
    assert!(each < 50, "{each} bytes a block");
    println!(
        "{} bytes a step, {blocks} blocks in {steps} steps",
        bytes / steps
    );
}
