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
