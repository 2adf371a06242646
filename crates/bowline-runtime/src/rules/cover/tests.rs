//! Which rules cover which.

use super::*;

#[test]
fn a_rule_covers_what_it_names_wholly() {
    let check = |wider: &str, narrower: &str, expect: bool| {
        let wide = Rule::on_command_line(Verdict::Deny, wider).unwrap();
        let narrow = Rule::on_command_line(Verdict::Allow, narrower).unwrap();
        let rules = [&narrow, &wide];
        let found = Covers::of(&rules, Verdict::Deny).find(&narrow.pattern, 0);
        assert_eq!(found.is_some(), expect, "{wider} over {narrower}");
    };
    check("git push *", "git push *", true);
    check("git push *", "git push origin", true);
    check("git push *", "git push", true);
    check("git push", "git push *", false);
    check("git *", "git push origin main", true);
    check("git *", "gitk", false);
    check("*", "make", true);
    check("git * main", "git push main", true);
    check("git * main", "git push origin main", false);
    check("git * main", "git *", false);
    check("npm run *", "npm *", false);
    check("np* run x", "npm run x", true);
    check("read(a/**)", "read(a/b/*.rs)", true);
    check("read(a/)", "read(a/b)", true);
    check("read(**)", "read(a/b)", true);
    check("read(**)", "read(/a/b)", false);
    check("read(**)", "read(~/b)", false);
    check("read(~/**)", "read(~/b/c)", true);
    check("read(/**)", "read(/a/b)", true);
    check("read(a/b)", "read(a/**)", false);
    check("read(a/*)", "read(a/b)", false);
    check("read(./a)", "read(a)", true);
    check("write(a/**)", "read(a/b)", false);
    check("read(a*/**)", "read(ab/c)", false);
    check("tool(*)", "git push", true);
    check("tool(mcp_*)", "tool(mcp_files)", true);
    check("tool(mcp_files)", "tool(mcp_*)", false);
    check("host(*.docs.rs)", "host(static.docs.rs)", true);
    check("host(*.docs.rs)", "host(docs.rs)", false);
    check("mcp(issues/*)", "mcp(issues/list)", true);
    check("mcp(issues/list)", "mcp(issues/*)", false);
    check("mcp(*/list)", "mcp(issues/list)", true);
}

#[test]
fn a_rule_does_not_cover_itself() {
    let rule = Rule::on_command_line(Verdict::Deny, "git *").unwrap();
    let alone = Covers::of(&[&rule], Verdict::Deny);
    assert_eq!(alone.find(&rule.pattern, 0), None);
    // Of two equal ones the second is covered by the first.
    let rules = [&rule, &rule];
    assert_eq!(
        Covers::of(&rules, Verdict::Deny).find(&rule.pattern, 1),
        Some(0)
    );
}
