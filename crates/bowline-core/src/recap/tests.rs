//! Recaps grow, are bounded, and are read from whatever a model wrote.

use super::{Choice, FileNote, NotARecap, Recap};

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_later_recap_adds_and_never_drops_what_is_pinned() {
    let early = Recap {
        goal: "make it fast".to_owned(),
        constraints: texts(&["no new crates"]),
        dead_ends: texts(&["caching the parser"]),
        decisions: vec![Choice {
            what: "use a table".to_owned(),
            why: "it is small".to_owned(),
        }],
        open_questions: texts(&["which size?"]),
        next_step: "measure".to_owned(),
        ..Recap::default()
    };
    let later = Recap {
        constraints: texts(&["NO NEW CRATES ", "keep the API"]),
        files: vec![FileNote {
            path: "a.rs".to_owned(),
            note: "changed".to_owned(),
        }],
        next_step: "commit".to_owned(),
        ..Recap::default()
    };
    let both = early.clone().and_then(later);
    assert_eq!(both.goal, "make it fast");
    assert_eq!(both.constraints, texts(&["no new crates", "keep the API"]));
    assert_eq!(both.next_step, "commit");
    assert!(both.open_questions.is_empty(), "no longer open");
    let text = both.text();
    for fact in early.pinned() {
        assert!(text.contains(fact), "{fact}: {text}");
    }
}

#[test]
fn lines_of_what_was_done_are_bounded_and_the_rest_is_counted() {
    let mut recap = Recap::default();
    for step in 0..300 {
        let later = Recap {
            done: vec![format!("step {step}")],
            ..Recap::default()
        };
        recap = recap.and_then(later);
    }
    assert_eq!(recap.done.len(), 80);
    assert_eq!(recap.done_left_out, 220);
    assert!(recap.text().contains("the first 220 steps are left out"));
}

#[test]
fn a_reply_is_read_with_or_without_words_around_it() {
    let object = r#"{"goal": "g", "dead_ends": ["x  y\nz"], "unknown": 1}"#;
    for reply in [
        object.to_owned(),
        format!("```json\n{object}\n```"),
        format!("Here you are: {object} Good luck."),
    ] {
        let recap = Recap::read(&reply).expect("a recap");
        assert_eq!(
            (recap.goal.as_str(), recap.dead_ends[0].as_str()),
            ("g", "x y z")
        );
    }
}

#[test]
fn a_reply_that_is_something_else_is_refused() {
    for (reply, why) in [
        ("", NotARecap::NoObject),
        ("I would rather not.", NotARecap::NoObject),
        ("} {", NotARecap::NoObject),
        ("{}", NotARecap::Empty),
        (r#"{"goal": " \n "}"#, NotARecap::Empty),
    ] {
        assert_eq!(Recap::read(reply), Err(why), "{reply}");
    }
    let form = Recap::read(r#"{"goal": ["a list"]}"#);
    assert!(matches!(form, Err(NotARecap::Form { .. })), "{form:?}");
}

#[test]
fn what_a_model_writes_is_bounded_and_says_nothing_of_what_was_done_without_it() {
    let long = "w".repeat(5_000);
    let many: Vec<String> = (0..500).map(|n| format!("{n}")).collect();
    let reply = serde_json::json!({ "goal": long, "constraints": many, "done": ["x"],
        "done_left_out": 9 });
    let recap = Recap::read(&reply.to_string()).expect("a recap");
    assert_eq!(recap.goal.len(), 1_000);
    assert_eq!(recap.constraints.len(), 60);
    assert!(recap.done.is_empty());
    assert_eq!(recap.done_left_out, 0);
}
