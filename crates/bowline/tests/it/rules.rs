//! Files of rules: in force where they stand, refused where they are wrong; and what `bowline
//! policy` says of them.

use serde_json::json;

use crate::support::Scratch;

fn rules(scratch: &Scratch, text: &str) {
    scratch.config("");
    std::fs::write(scratch.path("config/bowline/rules.toml"), text).expect("rules");
}

fn writes(scratch: &Scratch, path: &str) -> crate::support::Ran {
    let input = json!({ "path": path, "content": "x" }).to_string();
    scratch.run(&["tools", "call", "write", "--input", &input, "--mode", "ask"])
}

#[test]
fn a_users_rules_are_in_force_until_they_expire() {
    let scratch = Scratch::new();
    rules(
        &scratch,
        r#"
[[rule]]
allow = "write(docs/**)"
allows = ["write docs/a.md"]
[[rule]]
allow = "write(old.md)"
expires = 2020-01-01
[[rule]]
deny = "write(docs/fixed.md)"
"#,
    );
    writes(&scratch, "docs/a.md").expect(0, &[]);
    writes(&scratch, "old.md").expect(3, &["write(GLOB)"]);
    writes(&scratch, "docs/fixed.md").expect(5, &["rules.toml:9", "write(docs/fixed.md)"]);
}

#[test]
fn a_projects_rules_only_tighten() {
    let scratch = Scratch::new();
    scratch.file(
        ".bowline/rules.toml",
        "[[rule]]\nallow = \"write(a)\"\n[[rule]]\ndeny = \"read(vault/**)\"\n",
    );
    scratch.file("vault/a", "secret");
    writes(&scratch, "a").expect(3, &[]);
    let input = json!({ "path": "vault/a" }).to_string();
    let read = ["tools", "call", "read", "--input", &input];
    scratch
        .run(&read)
        .expect(5, &["read(vault/**)", ".bowline/rules.toml:4"]);
}

#[test]
fn a_file_of_rules_that_is_wrong_stops_everything_that_would_use_it() {
    let check = |text: &[u8], says: &[&str]| {
        let scratch = Scratch::new();
        scratch.config("");
        std::fs::write(scratch.path("config/bowline/rules.toml"), text).expect("rules");
        writes(&scratch, "a").expect(2, says);
        assert!(!scratch.home().exists(), "nothing was begun");
    };
    check(
        b"[[rule]]\nalow = \"ls\"\n",
        &["rules.toml:2", "Did you mean `allow`?"],
    );
    check(
        b"[[rule]]\ndeny = \"\xff\"\n",
        &["rules.toml", "is not UTF-8"],
    );
    check(
        b"[[rule]]\ndeny = \"write(a)\"\ndenies = \"write b\"\n",
        &["rules.toml:3", "`write b`", "came to `allow`"],
    );
}

#[test]
fn lint_says_what_is_wrong_and_what_to_do() {
    let scratch = Scratch::new();
    scratch.config("[permissions]\nallow = [\"tool(*)\"]\n");
    scratch.run(&["policy", "lint"]).expect(
        1,
        &[
            "allow `tool(*)`",
            "config.toml:2",
            "it allows every tool",
            "1 rule, 1 finding",
        ],
    );
    rules(
        &scratch,
        "[[rule]]\ndeny = \"git push *\"\n[[rule]]\nallow = \"git push origin\"\n",
    );
    let found = scratch.run(&["policy", "lint", "--json"]);
    assert_eq!(found.code, 1);
    let found = found.json();
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["fault"], "shadowed");
    assert_eq!(found[0]["rule"]["rule"], "git push origin");
    assert_eq!(found[0]["rule"]["line"], 4);
    rules(&scratch, "");
    scratch
        .run(&["policy", "lint"])
        .expect(0, &["nothing to say"]);
    scratch.file("new.toml", "[[rule]]\nallow = \"bash *\"\n");
    scratch
        .run(&["policy", "lint", "new.toml"])
        .expect(1, &["runs whatever it is told", "new.toml:2"]);
    scratch
        .run(&["policy", "lint", "none.toml"])
        .expect(2, &["there is no such file"]);
}
