//! Examples held against rules.

use super::*;

fn rules(verdict: Verdict, texts: &[&str]) -> Vec<Rule> {
    let rule = |text: &&str| Rule::on_command_line(verdict, text).unwrap();
    texts.iter().map(rule).collect()
}

#[test]
fn an_example_is_read_by_the_rules_it_stands_beside() {
    let check = |rule: &str, text: &str, expect: Example| {
        let rules = rules(Verdict::Deny, &[rule]);
        assert_eq!(Example::read(text, &rules), expect, "{rule}: {text}");
    };
    check(
        "read(a)",
        "read src/a b.rs",
        Example::Read("src/a b.rs".into()),
    );
    check("read(a)", "cat a", Example::Shell("cat a".into()));
    check("write(a)", "write  ~/a", Example::Write("~/a".into()));
    check("tool(x)", "tool x", Example::Tool("x".into()));
    check("host(x)", "host docs.rs", Example::Host("docs.rs".into()));
    check("mcp(a/*)", "mcp a/b", Example::Mcp("a".into(), "b".into()));
    check("mcp(a/*)", "mcp a", Example::Shell("mcp a".into()));
    // `host` and `read` are programs, too.
    check(
        "host *",
        "host docs.rs",
        Example::Shell("host docs.rs".into()),
    );
    check("read *", "read line", Example::Shell("read line".into()));
    check("ls", "ls", Example::Shell("ls".into()));
    check("ls", "read ", Example::Shell("read ".into()));
}

#[test]
fn an_example_comes_out_or_says_what_it_came_to() {
    use Expected::{Allowed, Denied};
    use Verdict::{Allow, Ask, Deny};
    let check = |verdict: Verdict, rule: &str, expected: Expected, text: &str, instead: &str| {
        let rules = rules(verdict, &[rule]);
        let found = check_example(&rules, &Example::read(text, &rules), expected);
        match found {
            Ok(()) => assert_eq!(instead, "", "{verdict:?} {rule}: {text}"),
            Err(told) => assert!(
                !instead.is_empty() && told.contains(instead),
                "{verdict:?} {rule}: {text}: {told}"
            ),
        }
    };
    check(Allow, "write(docs/**)", Allowed, "write docs/a/b.md", "");
    check(
        Allow,
        "write(docs/*)",
        Allowed,
        "write docs/a/b.md",
        "`ask`",
    );
    check(Allow, "write(docs/*)", Denied, "write docs/a/b.md", "");
    check(Allow, "write(docs/*)", Denied, "write docs/a.md", "`allow`");
    check(Allow, "write(~/notes/*)", Allowed, "write ~/notes/a", "");
    check(Allow, "write(**)", Allowed, "write .git/config", "`ask`");
    // What is allowed without the rule does not show that the rule allows it.
    check(Allow, "read(a)", Allowed, "read b", "`allow`");
    check(Allow, "read(/srv/**)", Allowed, "read /srv/a", "");
    check(
        Allow,
        "host(*.docs.rs)",
        Allowed,
        "host static.Docs.rs.",
        "",
    );
    check(Allow, "host(*.docs.rs)", Denied, "host docs.rs", "");
    check(
        Allow,
        "mcp(issues/list_*)",
        Allowed,
        "mcp issues/list_open",
        "",
    );
    check(Allow, "mcp(issues/list_*)", Denied, "mcp issues/close", "");
    check(Allow, "tool(lookup)", Allowed, "tool lookup", "");
    check(Allow, "npm run test *", Allowed, "npm run test", "");
    check(
        Allow,
        "npm run test *",
        Allowed,
        "npm run test --watch | head",
        "",
    );
    check(Allow, "npm run test *", Denied, "npm run build", "");
    check(Allow, "npm run test *", Denied, "npm run test > out", "");
    check(
        Allow,
        "npm run test *",
        Denied,
        "npm run test && npm publish",
        "",
    );
    check(Allow, "npm run test", Allowed, "npm run test x", "`ask`");
    check(Allow, "ls *", Allowed, "npm run test", "`ask`");
    check(
        Deny,
        "git push *",
        Denied,
        "sudo git -C . push origin main",
        "",
    );
    check(Deny, "git push *", Allowed, "git pull", "");
    check(Deny, "git push *", Denied, "git pull", "`");
    check(Ask, "make deploy *", Denied, "make deploy now", "");
    check(Deny, "read(secret/**)", Denied, "cat secret/a", "");
    check(Deny, "read(secret/**)", Denied, "read secret/a", "");
    check(Deny, "read(secret/**)", Denied, "read secrets/a", "`allow`");
    check(Deny, "read(secret/**)", Allowed, "read secrets/a", "");
    check(Deny, "read(secret/**)", Allowed, "read secret/a", "`deny`");
    check(Ask, "host(*)", Denied, "host a.example", "");
    check(Ask, "host(a.example)", Allowed, "host b.example", "");
}

#[test]
fn several_rules_of_a_table_answer_for_their_examples_together() {
    let rules = rules(Verdict::Allow, &["write(a)", "write(b)"]);
    for path in ["a", "b"] {
        let example = Example::Write(path.into());
        check_example(&rules, &example, Expected::Allowed).unwrap();
    }
    let example = Example::Write("c".into());
    check_example(&rules, &example, Expected::Allowed).unwrap_err();
}

/// Examples are about what a rule names, wherever it stands: a project's rule loosens nothing, and
/// can still be wrong.
#[test]
fn the_layer_of_a_rule_does_not_matter_to_its_examples() {
    let mut rules = rules(Verdict::Allow, &["write(a)"]);
    rules[0].source.layer = Layer::Project;
    let example = Example::Write("a".into());
    check_example(&rules, &example, Expected::Allowed).unwrap();
}
