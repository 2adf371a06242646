//! Lines and what they mean.

use bowline_core::action::Choice;

use super::*;

#[test]
fn verdicts() {
    let check = |line: &str, expect: Option<Said>| assert_eq!(verdict(line).ok(), expect, "{line}");
    check("y", Some(Said::Once));
    check(" YES \t", Some(Said::Once));
    check("s", Some(Said::Session));
    check("n", Some(Said::No(None)));
    check(
        "no  use another name ",
        Some(Said::No(Some("use another name".into()))),
    );
    check("q", Some(Said::Park));
    // Nothing but a clear word allows anything.
    for line in ["", "yy", "y es", "yes please", "sure", "session 1", "1"] {
        check(line, None);
    }
}

#[test]
fn several_are_answered_by_their_numbers() {
    let check = |line: &str, count: usize, expect: Option<Vec<(usize, Said)>>| {
        assert_eq!(super::verdicts(line, count).ok(), expect, "{line}");
    };
    check("y", 1, Some(vec![(0, Said::Once)]));
    check("a", 1, Some(vec![(0, Said::Always)]));
    check("q", 2, Some(vec![(0, Said::Park), (1, Said::Park)]));
    check("all y", 2, Some(vec![(0, Said::Once), (1, Said::Once)]));
    check("2 s", 2, Some(vec![(1, Said::Session)]));
    check(
        "1,3 n not these",
        3,
        Some(vec![
            (0, Said::No(Some("not these".into()))),
            (2, Said::No(Some("not these".into()))),
        ]),
    );
    // With several open, a bare yes says nothing about which.
    for line in [
        "y",
        "",
        "1",
        "0 y",
        "3 y",
        "1,x y",
        "1 2 y",
        "all",
        "all maybe",
    ] {
        check(line, 2, None);
    }
}

#[test]
fn replies() {
    let question = |labels: &[&str], multiple| Question {
        text: "which?".into(),
        choices: labels
            .iter()
            .map(|label| Choice {
                label: (*label).into(),
                description: None,
            })
            .collect(),
        multiple,
    };
    let words = |text: &str| Ok(Reply::Words(text.into()));
    let one = question(&["a", "b"], false);
    let many = question(&["a", "b", "c"], true);
    let open = question(&[], false);
    assert_eq!(reply("2", &one), words("b"));
    assert!(reply("1,2", &one).is_err());
    assert!(reply("3", &one).is_err());
    assert!(reply("0", &one).is_err());
    assert_eq!(reply("neither of 2", &one), words("neither of 2"));
    assert_eq!(reply("1, 3", &many), words("a, c"));
    assert_eq!(reply("5432", &open), words("5432"));
    assert_eq!(reply("q", &open), words("q"));
    assert!(reply("  ", &open).is_err());
    assert_eq!(reply("/no", &open), Ok(Reply::Decline));
    assert_eq!(reply("/park", &one), Ok(Reply::Park));
}
