//! Faults of rules, each found where it is and nowhere else.

use super::*;
use crate::config::parse_rules;

const NOW_MS: u64 = 1_800_000_000_000;

fn faults(layers: &[(Layer, &str)]) -> Vec<(Fault, String)> {
    let mut rules = Vec::new();
    for (layer, text) in layers {
        let read = parse_rules(*layer, "f", text).unwrap();
        rules.extend(read.into_iter().map(Linted::from));
    }
    let found = lint(
        &rules,
        &["read", "write", "shell", "grep"],
        ProjectTrust::Untrusted,
        NOW_MS,
    );
    found
        .into_iter()
        .map(|one| (one.fault, one.rule.rule))
        .collect()
}

fn table(verdict: &str, rule: &str) -> String {
    format!("[[rule]]\n{verdict} = \"{rule}\"\n")
}

#[test]
fn rules_that_do_nothing_are_found() {
    use Fault::{CannotHide, CannotLoosen, Duplicate, Expired, NoSuchTool, Redundant, Shadowed};
    let check = |layers: &[(Layer, String)], expect: &[(Fault, &str)]| {
        let layers: Vec<(Layer, &str)> = layers
            .iter()
            .map(|(layer, text)| (*layer, text.as_str()))
            .collect();
        let found = faults(&layers);
        let found: Vec<(Fault, &str)> = found
            .iter()
            .map(|(fault, rule)| (*fault, rule.as_str()))
            .collect();
        assert_eq!(found, expect, "{layers:?}");
    };
    let user = |text: &str| (Layer::User, text.to_owned());
    let managed = |text: &str| (Layer::Managed, text.to_owned());
    check(&[user("")], &[]);
    check(
        &[user("[[rule]]\ndeny = \"ls\"\nexpires = 2020-01-01\n")],
        &[(Expired, "ls")],
    );
    check(
        &[user("[[rule]]\ndeny = \"ls\"\nexpires = 2120-01-01\n")],
        &[],
    );
    let (push, pull) = (
        table("deny", "git push *"),
        table("allow", "git push origin"),
    );
    check(
        &[managed(&push), user(&pull)],
        &[(Shadowed, "git push origin")],
    );
    // The strictest wins wherever it stands, so a weaker layer shadows, too.
    check(
        &[managed(&pull), user(&push)],
        &[(Shadowed, "git push origin")],
    );
    check(&[managed(&push), user(&push)], &[(Duplicate, "git push *")]);
    check(
        &[user(&format!("{push}{}", table("deny", "git push -f *")))],
        &[(Redundant, "git push -f *")],
    );
    check(
        &[user(&format!(
            "{}{}",
            table("ask", "git push"),
            table("deny", "git *")
        ))],
        &[(Shadowed, "git push")],
    );
    // What a rule spells out it may allow where a pattern does not.
    check(
        &[user(&format!(
            "{}{}",
            table("allow", "npm test *"),
            table("allow", "npm test --x")
        ))],
        &[],
    );
    check(
        &[user(&format!(
            "{}{}",
            table("allow", "write(a/**)"),
            table("allow", "write(a/.envrc)")
        ))],
        &[],
    );
    check(
        &[user(&format!(
            "{}{}",
            table("allow", "write(a/**)"),
            table("allow", "write(a/*.rs)")
        ))],
        &[(Redundant, "write(a/*.rs)")],
    );
    check(
        &[user(&table("deny", "tool(grop)"))],
        &[(NoSuchTool, "tool(grop)")],
    );
    check(&[user(&table("deny", "tool(gr*)"))], &[]);
    check(
        &[(Layer::Project, table("allow", "write(a)"))],
        &[(CannotLoosen, "write(a)")],
    );
    check(&[(Layer::Project, table("deny", "write(a)"))], &[]);
    check(&[user(&table("deny", "send(vault/**)"))], &[]);
    check(
        &[user(&table("deny", "send(**/*.pem)"))],
        &[(CannotHide, "send(**/*.pem)")],
    );
    check(
        &[user(&format!(
            "{}{}",
            table("deny", "send(a/**)"),
            table("deny", "send(a/b/**)")
        ))],
        &[(Redundant, "send(a/b/**)")],
    );
    // Two caps both count: the lower one decides.
    check(&[user(&format!("{0}{0}", table("deny", "spend(5)")))], &[]);
}

#[test]
fn rules_that_allow_too_much_are_found() {
    let check = |rule: &str, expect: Option<Fault>| {
        let found = faults(&[(Layer::User, &table("allow", rule))]);
        let found = found.first().map(|(fault, _)| *fault);
        assert_eq!(found, expect, "{rule}");
        // To forbid much is nobody's danger.
        let found = faults(&[(Layer::User, &table("deny", rule))]);
        assert!(found.is_empty(), "{rule}: {found:?}");
    };
    let wide = Some(Fault::TooWide);
    for rule in [
        "*",
        "bash *",
        "sudo *",
        "python3 *",
        "env *",
        "xargs *",
        "git *",
        "npm *",
        "tool(*)",
        "tool(shell)",
        "write(**)",
        "write(/**)",
        "read(/**)",
        "read(~/)",
        "host(*)",
        "host(*.com)",
        "mcp(*/*)",
    ] {
        check(rule, wide);
    }
    for rule in [
        "git status *",
        "npm test",
        "python3 tools/gen.py",
        "tool(grep)",
        "write(docs/**)",
        "read(/usr/share/**)",
        "host(*.docs.rs)",
        "mcp(issues/*)",
        "ls *",
        "jest *",
    ] {
        check(rule, None);
    }
}
