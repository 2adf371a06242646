//! Caps hold exactly, and amounts are shown to people.

use super::*;

fn tokens(input_tokens: u64, output_tokens: u64) -> Amounts {
    Amounts {
        input_tokens,
        output_tokens,
        ..Amounts::ZERO
    }
}

#[test]
fn a_cap_holds_to_the_last_token() {
    let cap = Cap {
        tokens: Some(100),
        ..Cap::default()
    };
    for (taken, need, fits) in [
        (tokens(60, 20), tokens(10, 9), true),
        (tokens(60, 20), tokens(10, 10), true),
        (tokens(60, 20), tokens(10, 11), false),
        (tokens(60, 50), tokens(0, 0), true),
        (tokens(u64::MAX, 5), tokens(1, 0), false),
        (tokens(0, 0), tokens(u64::MAX, u64::MAX), false),
    ] {
        assert_eq!(
            cap.excess(&taken, &need).is_none(),
            fits,
            "{taken:?} {need:?}"
        );
    }
}

#[test]
fn the_lower_limit_of_both_holds() {
    let one = Cap {
        tokens: Some(100),
        steps: Some(3),
        ..Cap::default()
    };
    let other = Cap {
        tokens: Some(50),
        cost_micro_usd: Some(7),
        ..Cap::default()
    };
    let both = one.and(&other);
    assert_eq!(
        (both.tokens, both.steps, both.cost_micro_usd, both.wall_ms),
        (Some(50), Some(3), Some(7), None)
    );
}

#[test]
fn amounts_are_shown_to_people() {
    let shown: Vec<String> = [
        (Measure::Cost, 1_250_000),
        (Measure::Cost, 30_000),
        (Measure::Cost, 1_234_567_000_001),
        (Measure::Cost, 0),
        (Measure::Tokens, 1_234_567),
        (Measure::Wall, 61_005),
        (Measure::Steps, 999),
    ]
    .into_iter()
    .map(|(measure, amount)| measure.show(amount))
    .collect();
    assert_eq!(
        shown,
        [
            "$1.25",
            "$0.03",
            "$1,234,567.000001",
            "$0.00",
            "1,234,567 tokens",
            "61.005 s",
            "999 steps"
        ]
    );
}
