//! What a trusted project may set, and what it may not, whoever trusts it.

use bowline_core::Mode;
use bowline_core::decision::Layer;
use proptest::prelude::*;

use super::*;
use crate::config::{Effective, parse, parse_flag};

fn laid(managed: &str, user: &str, project: &str, flags: &[(&str, &str)]) -> Effective {
    let mut layers = Layers::default();
    layers.add(parse(Layer::Managed, "managed.toml", managed).unwrap());
    layers.add(parse(Layer::User, "user.toml", user).unwrap());
    layers.add(parse(Layer::Project, "/p/.bowline/config.toml", project).unwrap());
    for (key, value) in flags {
        layers.add([parse_flag(key, "--flag", value).unwrap()]);
    }
    layers.resolve_for(ProjectTrust::Trusted)
}

#[test]
fn a_trusted_project_sets_what_nobody_else_does() {
    let check = |managed: &str, user: &str, flags: &[(&str, &str)], key: &str, own: bool| {
        let project = "model = \"openai-chat/p\"\nmode = \"auto\"\nmax_usd = 500\nbase_url = \
                       \"http://p/v1\"\nmax_steps = 9000\n[budget.day]\nusd = 5000\n[retention]\n\
                       blobs_max_days = 1\n";
        let effective = laid(managed, user, project, flags);
        let shown = effective.shown.iter().find(|shown| shown.key.name == key);
        let origin = shown.unwrap().origin.as_ref();
        let is_own = origin.is_some_and(|origin| origin.layer == Layer::Project);
        assert_eq!(is_own, own, "{key} beside {managed} {user} {flags:?}");
    };
    for key in ["model", "mode", "max_usd", "base_url", "max_steps"] {
        check("", "", &[], key, true);
    }
    check("", "model = \"a/b\"", &[], "model", false);
    check("model = \"a/b\"", "", &[], "model", false);
    check("", "", &[("model", "a/b")], "model", false);
    check("", "mode = \"ask\"", &[], "mode", false);
    check("mode = \"edit\"", "", &[], "mode", false);
    check("", "", &[("mode", "full")], "mode", false);
    check("", "max_usd = 1", &[], "max_usd", false);
    check("", "max_usd = 600", &[], "max_usd", true);
    check("max_usd = 100", "", &[], "max_usd", false);
    check("max_usd = 600", "", &[], "max_usd", true);
    check("", "base_url = \"http://u/v1\"", &[], "base_url", false);
    // Trusted or not: what holds over all folders, and what takes sessions away.
    check("", "", &[], "budget.day.usd", false);
    check("", "", &[], "retention.blobs_max_days", false);
}

#[test]
fn mode_full_prices_and_the_names_of_others_are_no_projects_to_set() {
    let project = "mode = \"full\"\n[[models]]\nid = \"openai/gpt-5\"\ninput_usd_per_mtok = 0\n\
                   output_usd_per_mtok = 0\n[[providers]]\nname = \"work\"\napi = \"openai\"\nbase_url \
                   = \"http://p\"\n[[providers]]\nname = \"mine\"\napi = \"openai\"\n";
    let user = "[[providers]]\nname = \"work\"\napi = \"anthropic\"\n";
    let effective = laid("", user, project, &[]);
    assert_eq!(effective.mode(), Mode::Ask);
    assert!(effective.models().is_empty());
    let endpoints = effective.endpoints();
    let names: Vec<_> = endpoints
        .iter()
        .map(|one| (one.name.as_str(), one.api.as_str()))
        .collect();
    assert_eq!(names, [("work", "anthropic"), ("mine", "openai")]);
    let standings: Vec<_> = effective
        .project
        .items
        .iter()
        .map(|item| (item.origin.line, item.standing == ItemStanding::NeedsTrust))
        .collect();
    assert_eq!(
        standings,
        [
            (Some(1), false),
            (Some(2), false),
            (Some(6), false),
            (Some(10), true)
        ]
    );
}

#[test]
fn every_rule_is_an_item_with_its_line() {
    let project =
        "[permissions]\nallow = [\n  \"write(a)\",\n  \"read(b)\",\n]\ndeny = [\"write(c)\"]\n";
    let effective = laid("", "", project, &[]);
    let items: Vec<_> = effective
        .project
        .items
        .iter()
        .map(|item| (item.key.name, item.origin.line, item.standing))
        .collect();
    assert_eq!(
        items,
        [
            ("permissions.allow", Some(3), ItemStanding::NeedsTrust),
            ("permissions.allow", Some(4), ItemStanding::NeedsTrust),
            ("permissions.deny", Some(6), ItemStanding::InForce),
        ]
    );
    assert_eq!(effective.rules().len(), 3);
    assert_eq!(effective.project.waiting(), 0, "it is trusted");
}

proptest! {
    /// I9 for settings of a trusted project: what any other layer sets is never loosened.
    #[test]
    fn a_trusted_project_never_loosens_what_another_layer_sets(
        managed in prop::option::of((0_usize..5, 1_u64..1000)),
        user in prop::option::of((0_usize..5, 1_u64..1000)),
        flag in prop::option::of((0_usize..5, 1_u64..1000)),
        project in (0_usize..5, 1_u64..1000),
    ) {
        let file = |(mode, cap): (usize, u64)| {
            format!("mode = \"{}\"\nmax_steps = {cap}\n", Mode::ALL[mode].name())
        };
        let text = |set: Option<(usize, u64)>| set.map(file).unwrap_or_default();
        let cap = flag.map(|(_, cap)| cap.to_string()).unwrap_or_default();
        let flags = match flag {
            Some((mode, _)) => vec![("mode", Mode::ALL[mode].name()), ("max_steps", cap.as_str())],
            None => Vec::new(),
        };
        let alone = laid(&text(managed), &text(user), "", &flags);
        let both = laid(&text(managed), &text(user), &file(project), &flags);
        let is_free = managed.is_none() && user.is_none() && flag.is_none();
        prop_assert!(is_free || both.mode() <= alone.mode());
        prop_assert!(both.mode() < Mode::Full || alone.mode() == Mode::Full);
        let (with, without) = (both.limits().max_steps, alone.limits().max_steps);
        let cap = managed.map_or(u32::MAX, |(_, cap)| u32::try_from(cap).unwrap());
        prop_assert!(with <= without || (user.is_none() && flag.is_none() && with <= cap));
    }
}
