//! What holds for any stack of rules (I9).

use proptest::prelude::*;

use super::*;

prop_compose! {
    fn any_rule()(
        verdict in prop::sample::select(vec![Allow, Ask, Deny]),
        text in prop::sample::select(vec![
            "read(**)", "read(a/*)", "read(/**)", "read(.env)", "write(**)", "write(a)", "write(/o/**)",
            "write(.git/config)", "write(~/x)", "tool(write)", "tool(*)", "git push *", "ls",
        ]),
        layer in prop::sample::select(vec![
            Layer::Managed, Layer::CommandLine, Layer::User, Layer::Project,
        ]),
        tier in prop::sample::select(vec![Tier::BuiltIn, Tier::PlugIn, Tier::UserSkill]),
    ) -> Rule {
        let mut rule = Rule::on_command_line(verdict, text).unwrap();
        rule.source.layer = layer;
        rule.source.tier = tier;
        rule
    }
}

fn any_action() -> impl Strategy<Value = Action> {
    let places = [
        "/w/a",
        "/w/a/b",
        "/w/.env",
        "/w/.git/config",
        "/o/x",
        "/u/x",
        "/u/.config/bowline/c",
    ];
    let place = || prop::sample::select(places.to_vec());
    prop_oneof![
        (place(), place()).prop_map(|(name, real)| read(linked(name, real))),
        (place(), place(), 1..3_u64).prop_map(|(name, real, links)| write(PathFact {
            links,
            ..linked(name, real)
        })),
        Just(run("make")),
        Just(Action::reach("a.example")),
        Just(Action::Note),
        Just(question()),
    ]
}

proptest! {
    /// I9: what a stricter rule said stays, whatever is added below it, and rules of the project,
    /// of plug-ins and of skills loosen nothing at all.
    #[test]
    fn a_lower_layer_or_tier_never_loosens(
        mode in prop::sample::select(Mode::ALL.to_vec()),
        rules in prop::collection::vec(any_rule(), 0..6),
        added in any_rule(),
        at in 0..6_usize,
        actions in prop::collection::vec(any_action(), 1..4),
    ) {
        let mut before = policy(mode, &[]);
        before.rules = rules;
        let mut after = before.clone();
        after.rules.insert(at.min(after.rules.len()), added.clone());
        let old = decide(&before, WRITE, &actions, OnAsk::Park);
        let new = decide(&after, WRITE, &actions, OnAsk::Park);
        for (old, new) in old.judged.iter().zip(&new.judged) {
            let is_weak = added.source.layer == Layer::Project || added.source.tier != Tier::BuiltIn;
            let by_rule = old.rule.layer != Layer::BuiltIn;
            let tightens = added.verdict != Allow;
            let is_final = old.verdict == Deny && mode != Mode::ReadOnly;
            if is_weak || tightens || by_rule || is_final {
                prop_assert!(new.verdict >= old.verdict, "{old:?} became {new:?} by {added:?}");
            }
        }
    }

    /// A project that is trusted loosens what nobody above it said anything of, and nothing else: no
    /// rule of theirs, nothing that is refused, no protected place, nothing outside the workspace.
    #[test]
    fn a_trusted_project_loosens_only_what_nobody_above_decided(
        mode in prop::sample::select(Mode::ALL.to_vec()),
        rules in prop::collection::vec(any_rule(), 0..6),
        mut added in any_rule(),
        actions in prop::collection::vec(any_action(), 1..4),
    ) {
        added.source.layer = Layer::Project;
        let mut before = policy(mode, &[]);
        before.rules = rules;
        before.trust = trusted();
        let mut after = before.clone();
        after.rules.push(added.clone());
        let old = decide(&before, WRITE, &actions, OnAsk::Park);
        let new = decide(&after, WRITE, &actions, OnAsk::Park);
        for (old, new) in old.judged.iter().zip(&new.judged) {
            if new.verdict >= old.verdict {
                continue;
            }
            prop_assert_eq!(old.rule.layer, Layer::BuiltIn, "{:?} became {:?}", old, new);
            prop_assert!(old.verdict == Ask || mode == Mode::ReadOnly, "{old:?} became {new:?}");
            prop_assert_eq!(&new.rule, &added.source);
            prop_assert_eq!(added.source.tier, Tier::BuiltIn);
            let rule = &old.rule.rule;
            let is_closed = rule.starts_with("protected-")
                || ["private-place", "outside-workspace", "unknown-file", "hard-link", "question"]
                    .contains(&rule.as_str());
            prop_assert!(!is_closed, "{old:?} became {new:?}");
        }
    }

    /// A tool of a lower tier never does unasked what the same built-in one would not.
    #[test]
    fn a_lower_tier_never_does_more_than_a_built_in_tool(
        mode in prop::sample::select(Mode::ALL.to_vec()),
        rules in prop::collection::vec(any_rule(), 0..6),
        actions in prop::collection::vec(any_action(), 0..4),
        tier in prop::sample::select(vec![Tier::PlugIn, Tier::UserSkill]),
        risk in prop::sample::select(vec![Risk::None, Risk::Low, Risk::Medium, Risk::High]),
    ) {
        let mut policy = policy(mode, &[]);
        policy.rules = rules;
        let built_in = ToolFacts { risk, ..WRITE };
        let of_tier = ToolFacts { tier, ..built_in };
        let strict = decide(&policy, built_in, &actions, OnAsk::Park);
        let found = decide(&policy, of_tier, &actions, OnAsk::Park);
        for (strict, found) in strict.judged.iter().zip(&found.judged) {
            prop_assert!(found.verdict >= strict.verdict, "{found:?} is milder than {strict:?}");
        }
    }

    /// The order of rules does not matter.
    #[test]
    fn order_does_not_matter(
        mode in prop::sample::select(Mode::ALL.to_vec()),
        mut rules in prop::collection::vec(any_rule(), 0..6),
        action in any_action(),
    ) {
        let mut policy = policy(mode, &[]);
        policy.rules = rules.clone();
        let forward = decide(&policy, WRITE, std::slice::from_ref(&action), OnAsk::Park).verdict;
        rules.reverse();
        policy.rules = rules;
        prop_assert_eq!(forward, decide(&policy, WRITE, &[action], OnAsk::Park).verdict);
    }
}

/// The properties see something: a judge that takes every rule as a person's own is caught by the
/// same comparison.
#[test]
fn a_judge_that_forgets_layers_and_tiers_is_caught() {
    let forgetful = |policy: &Policy, actions: &[Action]| {
        let mut policy = policy.clone();
        for rule in &mut policy.rules {
            rule.source.layer = Layer::CommandLine;
            rule.source.tier = Tier::BuiltIn;
        }
        decide(&policy, WRITE, actions, OnAsk::Park).verdict
    };
    let mut caught = 0;
    for mode in Mode::ALL {
        for (layer, tier) in [
            (Layer::Project, Tier::BuiltIn),
            (Layer::User, Tier::PlugIn),
            (Layer::Managed, Tier::UserSkill),
        ] {
            for text in [
                "write(**)",
                "tool(write)",
                "write(/o/**)",
                "write(.git/config)",
            ] {
                let before = policy(mode, &[]);
                let mut after = policy(mode, &[(Allow, text)]);
                after.rules[0].source.layer = layer;
                after.rules[0].source.tier = tier;
                for path in ["/w/a", "/o/x", "/w/.git/config"] {
                    let actions = [write(file(path))];
                    let old = decide(&before, WRITE, &actions, OnAsk::Park).verdict;
                    let new = decide(&after, WRITE, &actions, OnAsk::Park).verdict;
                    assert!(new >= old, "{mode} {layer:?} {tier:?} {text} {path}");
                    caught += usize::from(forgetful(&after, &actions) < old);
                }
            }
        }
    }
    assert!(caught > 20, "{caught}");
}
