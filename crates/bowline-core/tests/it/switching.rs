//! A change of the model in mid-session: what goes, what stays, and that nothing comes back.

use bowline_core::event::BlocksDropped;
use bowline_core::message::Opaque;
use bowline_core::{
    AssistantMessage, Block, Exchange, Fact, HistoryItem, ModelRef, State, ToolCall, apply, due,
};
use proptest::prelude::*;

use crate::laws::play;
use crate::world::{World, fold};

/// Every switch that dropped something: the state before it, the state after it, and what it says.
fn switches(world: &World) -> Vec<(State, State, BlocksDropped)> {
    let mut found = Vec::new();
    let mut state = State::new();
    for event in &world.events {
        let before = matches!(event.fact, Fact::BlocksDropped(_)).then(|| state.clone());
        state = apply(state, event);
        if let (Some(before), Fact::BlocksDropped(dropped)) = (before, &event.fact) {
            found.push((before, state.clone(), dropped.clone()));
        }
    }
    found
}

/// The messages of a conversation, that of the open step included.
fn messages(state: &State) -> Vec<&AssistantMessage> {
    let closed = state
        .history()
        .iter()
        .filter_map(|item| match item.as_ref() {
            HistoryItem::Exchange(exchange) => Some(exchange.message()),
            HistoryItem::Input(_) => None,
        });
    closed
        .chain(state.step().map(|step| &step.message))
        .collect()
}

/// Everything that belongs to one model only.
fn private(state: &State) -> Vec<Opaque> {
    let blocks = messages(state)
        .into_iter()
        .flat_map(|message| &message.blocks);
    let piece = |block: &Block| match block {
        Block::Opaque(opaque) => Some(opaque.clone()),
        Block::Call(call) => call.kept.clone(),
        _ => None,
    };
    blocks.filter_map(piece).collect()
}

/// What every model understands: words, calls, results, in order.
fn shared(state: &State) -> Vec<String> {
    let said = messages(state).into_iter().flat_map(|message| {
        let words = std::iter::once(message.text());
        let calls = message.calls().map(|call| {
            let call = ToolCall {
                kept: None,
                ..call.clone()
            };
            format!("{call:?}")
        });
        words.chain(calls).collect::<Vec<_>>()
    });
    let results = state.history().iter().map(|item| match item.as_ref() {
        HistoryItem::Exchange(exchange) => format!("{:?}", Exchange::results(exchange)),
        HistoryItem::Input(input) => format!("{input:?}"),
    });
    said.chain(results).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_switch_leaves_nothing_foreign_and_touches_nothing_else(
        choices in prop::collection::vec(any::<u8>(), 0..240)
    ) {
        let world = play(choices, None, |_| {});
        prop_assert_eq!(world.state.misfits(), 0, "every event fitted");
        for (before, after, dropped) in switches(&world) {
            let model: &ModelRef = &dropped.model;
            prop_assert!(dropped.blocks > 0, "a switch that drops nothing is no event");
            prop_assert_eq!(before.foreign_blocks(model), dropped.blocks);
            prop_assert_eq!(after.foreign_blocks(model), 0);
            prop_assert!(private(&after).iter().all(|piece| piece.is_from(model)));
            prop_assert_eq!(shared(&before), shared(&after));
            prop_assert_eq!(due(&before), due(&after));
            prop_assert!(after.reserved() == before.reserved());
        }
    }

    #[test]
    fn what_was_dropped_does_not_come_back(
        choices in prop::collection::vec(any::<u8>(), 0..240)
    ) {
        let mut world = play(choices, None, |_| {});
        world.crash();
        world.change_model();
        let kept = private(&world.state);
        let length = world.events.len();
        world.change_model();
        let back = private(&world.state);
        prop_assert!(back.iter().all(|piece| kept.contains(piece)), "{back:?} of {kept:?}");
        let model = &world.state.settings().expect("settings").model;
        prop_assert!(back.iter().all(|piece| piece.is_from(model)));
        prop_assert_eq!(fold(&world.events), world.state.clone());
        prop_assert!(world.events.len() > length, "the change back is an event too");
    }
}

/// The laws say something only if switches happen, with something to drop and with a step open.
#[test]
fn random_histories_hold_switches_of_every_kind() {
    let (mut closed, mut open) = (0, 0);
    let mut byte = 7_u32;
    for _ in 0..80 {
        let choices: Vec<u8> = (0..300)
            .map(|_| {
                byte = byte.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (byte >> 24) as u8
            })
            .collect();
        for (before, _, _) in switches(&play(choices, None, |_| {})) {
            closed += 1;
            open += usize::from(before.step().is_some());
        }
    }
    assert!(
        closed > 20 && open > 5,
        "{closed} switches, {open} with a step open"
    );
}
