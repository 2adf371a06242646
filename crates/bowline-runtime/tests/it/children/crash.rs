//! The process ends while children are at work: what they have set aside stays counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_core::amounts::{Amounts, CapScope};
use bowline_core::{Event, Fact, Mode, SessionId, State, StopReason, apply};
use bowline_journal::Store;
use bowline_runtime::{Rest, Session, Silent, drive};
use bowline_tools::Toolbox;
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use super::team::{Team, Work, owner, prices, started_with};
use crate::stage::{Hands, harness, places, prompted, run};

const CHILDREN: u64 = 5;

/// The parent's journal, and those of its children, of a process that ended while every child's
/// model call was under way; then the session is gone on with.
fn crash(folder: &std::path::Path, spoil: impl Fn(&Store)) -> (Team, Vec<Event>, Rest) {
    let hands = Hands::default();
    let clock = hands.clock();
    let parents = Store::at(folder.join("parents"));
    let asked = Arc::new(AtomicU64::new(0));
    let all_asked = Arc::new(Notify::new());
    let (count, wake) = (Arc::clone(&asked), Arc::clone(&all_asked));
    let work = Work {
        steps: json!([{ "fault": { "kind": "hang" } }, { "text": "found it" }]),
        on_event: Arc::new(move |event| {
            if matches!(event.fact, Fact::AttemptReserved(_))
                && count.fetch_add(1, Ordering::SeqCst) + 1 == CHILDREN
            {
                wake.notify_one();
            }
        }),
        ..Work::of(CHILDREN)
    };
    let usage = json!({ "input_tokens": 400, "output_tokens": 20 });
    let scenario = json!({ "version": 1, "usage": usage, "steps": [
        { "calls": [{ "tool": "team", "input": { "count": CHILDREN } }] },
        { "text": "the answer" },
    ] });
    let mut harness = harness(&clock, folder, Mode::Edit, &scenario);
    let team = Arc::new(Team::new(&hands, folder, &work));
    harness.toolbox = Arc::new(Toolbox::new(vec![Arc::clone(&team) as _]).unwrap());

    let id = SessionId::from_uuid(clock.new_id());
    let limits = json!({ "max_steps": 9, "max_tokens": 200_000, "max_output_tokens": null });
    let begun = started_with(
        id,
        folder,
        json!({ "limits": limits, "model_facts": prices() }),
    );
    let journal = parents.create(id, &owner()).unwrap().journal;
    let mut session = Session::begin(Box::new(journal), places(folder), clock.clone(), begun);
    prompted(&mut session, "prompt");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (_keep, mut commands) = mpsc::unbounded_channel();
        let mut face = Silent;
        tokio::select! {
            rest = drive(&mut session, &harness, &mut face, &mut commands) => {
                panic!("it came to rest: {rest:?}")
            }
            () = all_asked.notified() => {}
        }
    });
    drop(runtime);
    drop(session);
    spoil(team.store());

    let journal = parents.open(id, &owner()).unwrap().journal;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let opened = Session::open(Box::new(journal), places(folder), clock, "0");
    let mut session = runtime.block_on(opened).unwrap();
    let rest = run(&mut session, &harness, &mut Silent, || {}).unwrap();
    assert_eq!(session.state().last_text().as_deref(), Some("the answer"));
    drop(session);
    let kept = parents.read_only(id).unwrap().read_intact().unwrap();
    let events = kept.events.into_iter().map(|kept| kept.event).collect();
    drop(harness);
    (
        Arc::into_inner(team).expect("nobody else has it"),
        events,
        rest,
    )
}

fn settled(events: &[Event]) -> Vec<(SessionId, Amounts)> {
    let settled = events.iter().filter_map(|event| match &event.fact {
        Fact::ShareSettled(settled) => Some((settled.child, settled.spent)),
        _ => None,
    });
    settled.collect()
}

fn check_parent(events: &[Event], rest: &Rest) {
    assert_eq!(*rest, Rest::Ended(StopReason::Done, None));
    let mut state = State::new();
    for event in events {
        state = apply(state, event);
        let taken = state.taken(CapScope::Session).total_tokens();
        assert!(taken <= 200_000, "{taken}");
    }
    assert_eq!(state.misfits(), 0);
    assert!(state.shares().is_empty());
    let in_doubt = events
        .iter()
        .filter(|event| matches!(event.fact, Fact::CallInDoubt(_)));
    assert_eq!(in_doubt.count(), 1);
    assert_eq!(settled(events).len() as u64, CHILDREN);
}

#[test]
fn what_children_had_set_aside_is_settled_by_their_journals() {
    let folder = tempfile::tempdir().unwrap();
    let (team, events, rest) = crash(folder.path(), |_| {});
    check_parent(&events, &rest);
    let journals = team.journals();
    for (child, spent) in settled(&events) {
        let (_, of_child) = journals.iter().find(|(id, _)| *id == child).unwrap();
        let state = of_child.iter().fold(State::new(), apply);
        assert_eq!(spent, state.taken(CapScope::Share));
        assert!(
            state.reserved().output_tokens > 0,
            "its call is not settled"
        );
    }

    // Whoever goes on with a child later spends nothing of what its parent gave to others.
    let (child, spent) = settled(&events)[0];
    let journal = team.store().open(child, &owner()).unwrap().journal;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let clock = Hands::default().clock();
    let opened = Session::open(Box::new(journal), places(folder.path()), clock, "0");
    let mut session = runtime.block_on(opened).unwrap();
    let rest = run(&mut session, team.harness(), &mut Silent, || {}).unwrap();
    assert!(
        matches!(rest, Rest::Ended(StopReason::Budget, _)),
        "{rest:?}"
    );
    let taken = session.state().taken(CapScope::Share);
    assert!(
        taken.minus(&spent).total_tokens() == 0,
        "{taken:?} {spent:?}"
    );
}

#[test]
fn a_child_of_which_nothing_is_known_is_counted_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (_, events, rest) = crash(folder.path(), |store| {
        std::fs::remove_dir_all(store.home()).unwrap();
    });
    check_parent(&events, &rest);
    for (child, spent) in settled(&events) {
        let granted = events.iter().rev().find_map(|event| match &event.fact {
            Fact::ShareGranted(granted) if granted.child == child => Some(granted.share),
            _ => None,
        });
        assert_eq!(granted, Some(spent));
        assert!(spent.total_tokens() > 0);
    }
}
