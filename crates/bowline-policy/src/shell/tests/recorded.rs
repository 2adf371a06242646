//! A judgement taken again from what was looked at is the same.

use bowline_core::Action;
use proptest::prelude::*;

use super::cases::blocks;
use super::judged;
use crate::look::Recorded;

#[test]
fn every_case_comes_to_the_same_from_its_record() {
    let mut looked = 0;
    for block in blocks() {
        let look = block.look();
        for policy in block.policies() {
            for (_, command) in &block.cases {
                let first = judged(&policy, command, "/w/proj", &look);
                looked += first.looked.len();
                let again = judged(&policy, command, "/w/proj", &Recorded(&first.looked));
                assert_eq!(first, again, "{command:?}");
            }
        }
    }
    assert!(looked > 1_000, "{looked}");
}

proptest! {
    /// A command beside another never makes the whole milder, and the record gives both again.
    #[test]
    fn a_command_more_is_never_milder(
        one in 0..10_000_usize,
        other in 0..10_000_usize,
        joined in prop::sample::select(vec!["; ", " && ", " || ", " | ", " & ", "\n"]),
    ) {
        let blocks = blocks();
        let block = &blocks[one % blocks.len()];
        let look = block.look();
        let a = &block.cases[one % block.cases.len()].1;
        let b = &block.cases[other % block.cases.len()].1;
        // What stands after a comment or in a here-document is not joined.
        prop_assume!(!a.contains(['#', '\n']) && !b.contains('\n'));
        for policy in block.policies() {
            // What is not understood as a whole only asks.
            let whole = judged(&policy, &format!("{a}{joined}{b}"), "/w/proj", &look);
            let first = judged(&policy, a, "/w/proj", &look);
            let is_understood = matches!(
                whole.judged[0].action,
                Action::Run { understood: true, .. }
            );
            prop_assume!(is_understood);
            prop_assert!(whole.verdict >= first.verdict, "{a:?}{joined:?}{b:?}");
            let again = Recorded(&whole.looked);
            let again = judged(&policy, &format!("{a}{joined}{b}"), "/w/proj", &again);
            prop_assert_eq!(whole, again);
        }
    }
}
