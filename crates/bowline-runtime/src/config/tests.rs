//! Tests of reading and laying over configuration.

use bowline_core::decision::Layer;
use bowline_core::{Mode, Verdict};
use proptest::prelude::*;

use super::{Effective, Layers, Value, parse, parse_flag};

fn laid(user: &str, project: &str, flags: &[(&str, &str)]) -> Effective {
    let mut layers = Layers::default();
    layers.add(parse(Layer::User, "user.toml", user).unwrap());
    layers.add(parse(Layer::Project, "project.toml", project).unwrap());
    for (key, value) in flags {
        layers.add([parse_flag(key, "--flag", value).unwrap()]);
    }
    layers.resolve()
}

#[test]
fn flags_win_over_the_users_file_and_that_over_defaults() {
    assert_eq!(laid("", "", &[]).mode(), Mode::Ask);
    assert_eq!(laid("mode = \"edit\"", "", &[]).mode(), Mode::Edit);
    assert_eq!(
        laid("mode = \"edit\"", "", &[("mode", "full")]).mode(),
        Mode::Full
    );
}

#[test]
fn a_project_tightens_and_never_loosens() {
    let table = [
        ("mode = \"full\"", "mode = \"edit\"", Mode::Edit),
        ("mode = \"ask\"", "mode = \"full\"", Mode::Ask),
        ("", "mode = \"read-only\"", Mode::ReadOnly),
    ];
    for (user, project, mode) in table {
        assert_eq!(laid(user, project, &[]).mode(), mode, "{user} {project}");
    }
    let tighter = laid("max_steps = 50", "max_steps = 10\nmax_tokens = 9", &[]).limits();
    assert_eq!((tighter.max_steps, tighter.max_tokens), (10, Some(9)));
    let looser = laid("max_steps = 50", "max_steps = 500", &[]).limits();
    assert_eq!(looser.max_steps, 50);
    let ignored = laid(
        "",
        "model = \"openai-chat/evil\"\nbase_url = \"http://evil\"",
        &[],
    );
    assert_eq!((ignored.model(), ignored.text("base_url")), (None, None));
}

#[test]
fn rules_of_all_layers_are_joined_but_a_projects_allow_is_not() {
    let rules = "[permissions]\nallow = [\"write(a)\"]\ndeny = [\n  \"write(b)\",\n]\n";
    let effective = laid(rules, rules, &[]);
    let seen: Vec<_> = effective
        .rules()
        .iter()
        .map(|rule| (rule.verdict, rule.source.layer, rule.source.line))
        .collect();
    assert_eq!(
        seen,
        [
            (Verdict::Allow, Layer::User, Some(2)),
            (Verdict::Deny, Layer::User, Some(4)),
            (Verdict::Deny, Layer::Project, Some(4)),
        ]
    );
}

#[test]
fn every_value_keeps_where_it_stands() {
    let effective = laid("# a comment\nmax_steps = 5\n", "model = \"a/b\"\n", &[]);
    let shown = |name: &str| {
        effective
            .shown
            .iter()
            .find(|shown| shown.key.name == name)
            .unwrap()
    };
    let steps = shown("max_steps");
    assert_eq!(steps.value, Some(Value::Whole(5)));
    assert_eq!(steps.origin.as_ref().unwrap().line, Some(2));
    assert!(shown("mode").origin.is_none(), "a default has no origin");
    assert_eq!(shown("model").passed_over.len(), 1);
}

#[test]
fn errors_name_the_line_and_the_nearest_key() {
    let table = [
        ("a = 1\n", "f:1", "unknown key `a`"),
        ("\nmodell = \"x/y\"\n", "f:2", "Did you mean `model`?"),
        ("model = 3\n", "f:1", "a text in quotes"),
        ("[shel]\ntimeout_ms = 1\n", "f:1", "unknown key `shel`"),
        ("[shell]\ntimeout_ms = 1\n", "f:2", "out of range"),
        (
            "[permissions]\nask = [\"write(\"]\n",
            "f:2",
            "closing parenthesis",
        ),
    ];
    for (text, place, part) in table {
        let error = parse(Layer::User, "f", text).unwrap_err();
        assert_eq!(error.place, place, "{text}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

proptest! {
    /// Whatever a file holds, reading it gives entries or an error.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}|[a-z_.\\[\\]=\" \n0-9]{0,200}") {
        let _either = parse(Layer::User, "f", &text);
    }

    /// I9 for settings: a project's own file never loosens the mode or a cap.
    #[test]
    fn a_project_never_loosens_the_mode_or_a_cap(
        user in 0_usize..5, project in 0_usize..5, cap in 1_u64..1000, own_cap in 1_u64..1000
    ) {
        let file = |mode: usize, cap: u64| {
            format!("mode = \"{}\"\nmax_steps = {cap}\n", Mode::ALL[mode].name())
        };
        let alone = laid(&file(user, cap), "", &[]);
        let both = laid(&file(user, cap), &file(project, own_cap), &[]);
        prop_assert!(both.mode() <= alone.mode());
        prop_assert!(both.limits().max_steps <= alone.limits().max_steps);
    }
}
