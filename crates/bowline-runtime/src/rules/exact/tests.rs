//! The narrowest rule for each action, or none.

use bowline_core::action::PathKind;

use super::*;

#[test]
fn the_narrowest_rule_spells_the_action_out() {
    let path = |resolved: &str| PathFact {
        asked: "a".to_owned(),
        resolved: resolved.to_owned(),
        by_name: "/w/link".to_owned(),
        kind: PathKind::File,
        links: 1,
    };
    let words = |words: &[&str]| Action::RunWords {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    let check =
        |action: Action, expect: Result<&str, &str>| match (exact_rule("x", &action), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
            (found, expect) => unreachable!("{action:?}: {found:?}, not {expect:?}"),
        };
    check(Action::ReadPath { path: path("/w/a") }, Ok("read(/w/a)"));
    check(
        Action::WritePath {
            path: path("/w/a b"),
        },
        Ok("write(/w/a b)"),
    );
    check(
        Action::WritePath {
            path: path("/w/a*"),
        },
        Err("cannot spell out"),
    );
    check(
        Action::WritePath {
            path: path("/w/../a"),
        },
        Err("no rule spells it out"),
    );
    check(words(&["npm", "run", "test:unit"]), Ok("npm run test:unit"));
    check(
        words(&["git", "commit", "-m", "two words"]),
        Err("`two words`"),
    );
    check(words(&["rm", "$x"]), Err("`$x`"));
    check(words(&["rm", "*.o"]), Err("`*.o`"));
    check(words(&["echo", ""]), Err("cannot be spelled out"));
    check(words(&[]), Err("no program"));
    check(Action::reach("docs.rs"), Ok("host(docs.rs)"));
    check(Action::reach("*"), Err("spell out"));
    check(
        Action::CallMcp {
            server: "a".into(),
            tool: "b".into(),
        },
        Ok("mcp(a/b)"),
    );
    check(Action::Note, Ok("tool(x)"));
    check(
        Action::Run {
            command: "a\nb".into(),
            understood: false,
        },
        Err("not understood"),
    );
}
