//! A session from elsewhere is taken on: nothing that it says of this machine counts any more.

use bowline_core::engine::adopt;
use bowline_core::event::{OwnerChanged, SessionAdopted};
use bowline_core::{Event, Fact, Mode, Settings, State, Work, apply, due};
use proptest::prelude::*;

use crate::laws::play;
use crate::world::started;

fn here() -> SessionAdopted {
    let session = bowline_core::SessionId::from_uuid(uuid::Uuid::from_u128(1));
    SessionAdopted {
        settings: Settings {
            mode: Mode::ReadOnly,
            ..started(session, None).settings
        },
        cwd: "/here".to_owned(),
        roots: vec!["/here".to_owned()],
        by: "test".to_owned(),
    }
}

/// The state after another process has taken the session on.
fn taken_on(state: State) -> State {
    let owner = Fact::OwnerChanged(OwnerChanged {
        epoch: state.epoch().next(),
        pid: 1,
        app_version: "test".to_owned(),
    });
    let state = apply(state, &Event::new(1, owner));
    let facts = adopt(&state, here());
    facts
        .into_iter()
        .fold(state, |state, fact| apply(state, &Event::new(1, fact)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_runs_on_the_word_of_a_session_from_elsewhere(
        choices in prop::collection::vec(any::<u8>(), 0..160)
    ) {
        let world = play(choices, None, |_| {});
        let mut before = State::new();
        for event in &world.events {
            before = apply(before, event);
            if before.session().is_none() {
                continue;
            }
            let doubts = before.in_doubt().len();
            let after = taken_on(before.clone());
            prop_assert_eq!(after.misfits(), 0);
            let runs = |work: &Work| matches!(
                work,
                Work::RunTool { .. } | Work::Reconcile { .. } | Work::Park { .. }
            );
            prop_assert!(!due(&after).iter().any(runs), "{:?}", due(&after));
            prop_assert_eq!(after.waiting().count() + after.parked().count(), 0);
            prop_assert!(after.jobs().is_empty() && after.seen().is_empty());
            prop_assert!(after.in_doubt().len() >= doubts);
            prop_assert!(after.in_doubt().iter().all(|doubt| doubt.spool.is_none()));
            prop_assert_eq!(after.cwd(), "/here");
            prop_assert_eq!(after.roots(), ["/here".to_owned()]);
            prop_assert_eq!(after.settings(), Some(&here().settings));
            prop_assert_eq!(after.history().len() >= before.history().len(), true);
            prop_assert_eq!(after.ledger().spent.total_tokens(), before.ledger().spent.total_tokens());
        }
    }
}

/// The law says something only if calls were allowed, started and waiting when it was taken on.
#[test]
fn random_histories_hold_calls_in_every_phase() {
    let (mut runs, mut waits, mut lost) = (0, 0, 0);
    let mut byte = 7_u32;
    for _ in 0..40 {
        let choices: Vec<u8> = (0..160)
            .map(|_| {
                byte = byte.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (byte >> 24) as u8
            })
            .collect();
        let world = play(choices, None, |_| {});
        let mut state = State::new();
        for event in &world.events {
            state = apply(state, event);
            runs += due(&state)
                .iter()
                .filter(|work| matches!(work, Work::RunTool { .. }))
                .count();
            waits += state.waiting().count();
            if state.session().is_some() {
                let doubts = state.in_doubt().len();
                lost += taken_on(state.clone()).in_doubt().len() - doubts;
            }
        }
    }
    assert!(
        runs > 20 && waits > 20 && lost > 20,
        "{runs} to run, {waits} waiting, {lost} lost"
    );
}
