//! Commands that are nested as deep as they are read at all: a decision, and no end of the stack.

use bowline_core::Verdict;

use super::{Described, Rules, judged, policy};

#[test]
fn the_deepest_nesting_is_judged() {
    let kinds = [
        ("( ", ")"),
        ("{ ", "; }"),
        ("$(", ")"),
        ("${x:-", "}"),
        ("if ", "; then a; fi"),
        ("\"$(a ", ")\""),
        ("<( ", ")"),
        ("while ", "; do a; done"),
        ("f() { ", "; }"),
        ("a $(b ${c:-\"$(", ")\"})"),
        ("eval ", ""),
        ("time ", ""),
        ("nice ", ""),
        ("a | ", ""),
        ("x=$(", ")"),
        ("! ", ""),
    ];
    let rules = Rules {
        deny: &["rm *"],
        ..Rules::default()
    };
    let look = Described::new("/w/proj", &[]);
    let policy = policy("auto", rules, "/w/proj", "/home/dev");
    for (open, close) in kinds {
        for levels in [20, 150, 199, 20_000] {
            let text = format!("{}rm x{}", open.repeat(levels), close.repeat(levels));
            let judgement = judged(&policy, &text, "/w/proj", &look);
            let verdict = judgement.verdict;
            let sure = open == "( " && levels < 200;
            assert!(
                verdict >= if sure { Verdict::Deny } else { Verdict::Ask },
                "{open} {levels}: {}",
                judgement.reason
            );
        }
    }
}
