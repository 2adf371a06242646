//! Tests of reading and laying over configuration.

use bowline_core::decision::Layer;
use bowline_core::{Mode, Verdict};
use proptest::prelude::*;

use super::{Effective, HeaderSource, KeySource, Layers, Value, parse, parse_flag};

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

#[test]
fn endpoints_are_read_with_where_they_stand() {
    let text = "local_ports = [9]\n\n[[providers]]\nname = \"work\"\napi = \"anthropic\"\nmodel = \"m\"\n\
                key_command = [\"pass\", \"show\", \"x\"]\n\n[[providers]]\nname = \"b\"\napi = \"openai\"\n\
                key_env = \"B_KEY\"\n[providers.headers]\nX-A = \"env:A\"\nX-B = \"b\"\n";
    let effective = laid(
        text,
        "[[providers]]\nname = \"evil\"\napi = \"openai\"\n",
        &[],
    );
    let [work, b] = effective.endpoints() else {
        panic!("two endpoints: {:?}", effective.endpoints());
    };
    assert_eq!((work.name.as_str(), work.origin.line), ("work", Some(3)));
    let words = ["pass", "show", "x"].map(str::to_owned).to_vec();
    assert_eq!(work.key, KeySource::Command(words));
    assert_eq!((b.name.as_str(), b.origin.line), ("b", Some(9)));
    assert_eq!(b.key, KeySource::Env("B_KEY".to_owned()));
    let headers = [
        ("X-A".to_owned(), HeaderSource::Env("A".to_owned())),
        ("X-B".to_owned(), HeaderSource::Plain("b".to_owned())),
    ];
    assert_eq!(b.headers, headers);
    assert_eq!(effective.local_ports(), [9]);
    assert_eq!(laid("", "", &[]).local_ports(), [11434, 8080, 1234, 8000]);
}

#[test]
fn endpoints_that_cannot_be_meant_name_line_and_remedy() {
    let table = [
        ("providers = 3", "f:1", "[[providers]]"),
        ("[providers]\nname = \"x\"", "f:1", "[[providers]]"),
        ("[[providers]]\napi = \"openai\"", "f:1", "without `name`"),
        ("[[providers]]\nname = \"x\"", "f:1", "without `api`"),
        (
            "[[providers]]\nname = \"openai\"\napi = \"openai\"",
            "f:2",
            "built in",
        ),
        (
            "[[providers]]\nname = \"A/b\"\napi = \"openai\"",
            "f:2",
            "cannot name",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"chat\"",
            "f:3",
            "no dialect",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nbaseurl = \"\"",
            "f:4",
            "Did you mean `base_url`?",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nbase_url = \"host\"",
            "f:4",
            "http://",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nbase_url = \"http://me:secret@h\"",
            "f:4",
            "user name",
        ),
    ];
    for (text, place, part) in table {
        refused(text, place, part);
    }
}

#[test]
fn sources_of_keys_and_headers_that_cannot_be_meant_do_too() {
    let table = [
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nkey_env = \"sk-secret\"",
            "f:4",
            "no name of an environment",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nkey_env = \"A\"\nkey_file = \"/a\"",
            "f:5",
            "Keep one",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nkey_file = \"a\"",
            "f:4",
            "absolute",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nkey_command = []",
            "f:4",
            "list of texts",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\nheaders = { \"a b\" = \"c\" }",
            "f:4",
            "cannot name a header",
        ),
        (
            "[[providers]]\nname = \"x\"\napi = \"openai\"\n[[providers]]\nname = \"x\"\napi = \"openai\"",
            "f:4",
            "twice (line 1)",
        ),
        ("local_ports = [0]", "f:1", "1 to 65535"),
    ];
    for (text, place, part) in table {
        refused(text, place, part);
    }
}

#[track_caller]
fn refused(text: &str, place: &str, part: &str) {
    let error = parse(Layer::User, "f", text).unwrap_err();
    assert_eq!(error.place, place, "{text}");
    let message = error.to_string();
    assert!(message.contains(part), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn a_span_has_a_unit_and_never_means_for_ever() {
    for (text, span_ms) in [
        ("", Some(30 * 86_400_000)),
        ("1s", Some(1_000)),
        ("90m", Some(5_400_000)),
        ("12h", Some(43_200_000)),
        ("7d", Some(604_800_000)),
        ("never", None),
    ] {
        let flags = [("ask_expires", text)];
        let flags = if text.is_empty() { &[][..] } else { &flags };
        assert_eq!(laid("", "", flags).ask_expires_ms(), span_ms, "{text}");
    }
    for text in [
        "",
        "d",
        "7",
        "0s",
        "-1d",
        "+1d",
        "1.5h",
        "4000d",
        "7 d",
        "7w",
        "99999999999999999999d",
    ] {
        let error = parse_flag("ask_expires", "--ask-expires", text).unwrap_err();
        assert!(error.to_string().contains("such as 12h or 7d"), "{error}");
    }
}
