//! A turn that cannot begin ends once, and the session rests.

use bowline_core::{Mode, StopReason};
use bowline_runtime::{Rest, Silent};
use serde_json::json;

use crate::stage::{Hands, harness, in_memory, prompted, run};

#[test]
fn a_limit_that_allows_no_request_ends_the_turn_once() {
    let table = [
        (
            json!({ "max_steps": 9, "max_tokens": 10 }),
            StopReason::Budget,
        ),
        (
            json!({ "max_steps": 0, "max_tokens": null }),
            StopReason::StepLimit,
        ),
    ];
    for (limits, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let clock = Hands::default().clock();
        let mut limits = limits;
        limits["max_output_tokens"] = json!(null);
        let settings = json!({ "limits": limits });
        let mut session = in_memory(clock.clone(), folder.path(), settings);
        let scenario = json!({ "version": 1, "steps": [{ "text": "done" }] });
        let harness = harness(&clock, folder.path(), Mode::Edit, &scenario);
        for turn in 1..=2 {
            let rest = run(&mut session, &harness, &mut Silent, || {}).unwrap();
            assert!(
                matches!(&rest, Rest::Ended(stop, _) if *stop == expected),
                "{rest:?}"
            );
            assert_eq!(session.state().last_turn().0, turn);
            prompted(&mut session, &format!("again {turn}"));
        }
    }
}
