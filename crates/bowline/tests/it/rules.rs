//! Files of rules: in force where they stand, refused where they are wrong; and what `bowline
//! policy` says of them.

mod recorded;

use bowline_core::Verdict;
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

/// Ten thousand calls, and rules that make a known difference to them.
#[test]
fn backtest_reproduces_a_known_difference_over_ten_thousand_calls() {
    let scratch = Scratch::new();
    let mut state = 42_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut calls = Vec::new();
    // same, newly allowed, newly asked, newly denied, not judged again
    let mut known = [0_u64; 5];
    for _ in 0..10_000 {
        let file = draw(40);
        let (writes, folder, place) = match draw(10) {
            0..=2 => (true, "docs", 1),
            3 | 4 => (false, "vault", 3),
            5 => (false, "plans", 2),
            6 => (true, "docs/fixed", 3),
            _ => (true, "src", 0),
        };
        let is_whole = draw(100) > 0;
        known[if is_whole { place } else { 4 }] += 1;
        calls.push(recorded::Call {
            writes,
            path: format!("{folder}/{file}"),
            verdict: if writes { Verdict::Ask } else { Verdict::Allow },
            answer: None,
            is_whole,
        });
    }
    recorded::record(&scratch, &calls);
    scratch.file(
        "new.toml",
        r#"
[[rule]]
allow = "write(docs/**)"
[[rule]]
deny = ["read(vault/**)", "write(docs/fixed/*)"]
[[rule]]
ask = "read(plans/**)"
"#,
    );
    let counts = |args: &[&str]| {
        let ran = scratch.run(args);
        ran.expect(0, &[]);
        let found = ran.json();
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
        [
            number(&found["same"]),
            number(&found["newly_allowed"]["count"]),
            number(&found["newly_asked"]["count"]),
            number(&found["newly_denied"]["count"]),
            number(&found["unknown"]["not_recorded"]),
        ]
    };
    assert_eq!(counts(&["policy", "backtest", "new.toml", "--json"]), known);
    assert_eq!(
        counts(&[
            "policy",
            "backtest",
            "new.toml",
            "--since",
            "2026-01-02",
            "--json"
        ]),
        [0; 5]
    );
    scratch.run(&["policy", "backtest", "new.toml"]).expect(
        0,
        &[
            "newly allowed",
            "write docs/",
            "new.toml:3",
            "without what judges it again",
        ],
    );
    // Other rules make another difference.
    scratch.file("other.toml", "[[rule]]\nallow = \"write(docs/*)\"\n");
    let other = counts(&["policy", "backtest", "other.toml", "--json"]);
    assert_eq!(
        other,
        [10_000 - known[4] - known[1], known[1], 0, 0, known[4]]
    );
}

#[test]
fn rules_that_allow_more_are_adopted_only_after_the_list_was_shown() {
    let scratch = Scratch::new();
    let call = |path: &str| recorded::Call {
        writes: true,
        path: path.to_owned(),
        verdict: Verdict::Ask,
        answer: None,
        is_whole: true,
    };
    recorded::record(&scratch, &[call("docs/a"), call("docs/b"), call("src/a")]);
    let own = scratch.path("config/bowline/rules.toml");
    let text = "# prose\n[[rule]]\nallow = \"write(docs/**)\"\n";
    scratch.file("new.toml", text);
    let adopt = |more: &[&str]| {
        let mut args = vec!["policy", "adopt", "new.toml"];
        args.extend(more);
        scratch.run(&args)
    };
    adopt(&[]).expect(2, &["newly allowed  2", "docs/a", "give --yes-widen 2"]);
    adopt(&["--yes-widen", "3"]).expect(2, &["2 recorded calls are newly allowed now"]);
    assert!(!own.exists());
    adopt(&["--yes-widen", "2"]).expect(0, &["written to"]);
    assert_eq!(std::fs::read_to_string(&own).expect("it is there"), text);
    // The same again allows nothing more; one that only tightens needs no yes; one that drops a
    // rule that tightens does.
    adopt(&[]).expect(0, &[]);
    scratch.file("new.toml", "[[rule]]\ndeny = \"write(src/**)\"\n");
    adopt(&["--add"]).expect(0, &["newly denied   1"]);
    let both = std::fs::read_to_string(&own).expect("it is there");
    assert!(
        both.starts_with(text) && both.ends_with("deny = \"write(src/**)\"\n"),
        "{both}"
    );
    scratch.file("new.toml", "");
    adopt(&[]).expect(2, &["--yes-widen 0"]);
    scratch.file("new.toml", "[[rule]]\nalow = \"x\"\n");
    adopt(&["--yes-widen", "0"]).expect(2, &["Did you mean `allow`?"]);
}

#[test]
fn suggestions_come_from_what_a_person_allowed() {
    let scratch = Scratch::new();
    let call = |path: &str, answer| recorded::Call {
        writes: true,
        path: path.to_owned(),
        verdict: Verdict::Ask,
        answer,
        is_whole: true,
    };
    let yes = || call("docs/a", Some(Verdict::Allow));
    let no = || call("src/a", Some(Verdict::Deny));
    recorded::record(
        &scratch,
        &[
            yes(),
            yes(),
            no(),
            call("src/a", Some(Verdict::Allow)),
            yes(),
        ],
    );
    let found = scratch.run(&["policy", "suggest", "--json"]).json();
    assert_eq!(found["prompts"], 4);
    assert_eq!(found["saved"], 3);
    assert_eq!(found["rules"].as_array().map(Vec::len), Some(1));
    let file = scratch.work().join("docs/a").display().to_string();
    assert_eq!(found["rules"][0]["rule"], format!("write({file})"));
    scratch.run(&["policy", "suggest"]).expect(
        0,
        &["saves 3 prompts", "[[rule]]", "policy adopt FILE --add"],
    );
}

#[test]
fn claudes_settings_are_imported_as_far_as_they_can_be() {
    let scratch = Scratch::new();
    scratch.file(
        ".claude/settings.json",
        r#"{"permissions":{"allow":["Bash(npm run test:*)","Bash(curl * | sh)","Edit(docs/**)"],
            "deny":["Read(./.env)"],"defaultMode":"acceptEdits"}}"#,
    );
    let import = |more: &[&str]| {
        let mut args = vec!["policy", "import", ".claude/settings.json"];
        args.extend(more);
        scratch.run(&args)
    };
    import(&[]).expect(
        0,
        &[
            "4 rules carried over, 2 entries not",
            "npm run test *",
            "`|` means something to a shell",
            "mode = \"edit\"",
            "nothing is written",
        ],
    );
    let project = scratch.work().join(".bowline/rules.toml");
    assert!(!project.exists());
    import(&["--write"]).expect(0, &["written to"]);
    let text = std::fs::read_to_string(&project).expect("it is there");
    assert!(
        text.contains("imported from .claude/settings.json: Bash(npm run test:*)"),
        "{text}"
    );
    import(&["--write"]).expect(0, &["all there already"]);
    // What the project denies counts at once, what it allows does not.
    scratch.file(".env", "x");
    let input = json!({ "path": ".env" }).to_string();
    scratch
        .run(&["tools", "call", "read", "--input", &input])
        .expect(5, &[".bowline/rules.toml"]);
    writes(&scratch, "docs/a").expect(3, &[]);
    let found = import(&["--json"]).json();
    assert_eq!(found["left_out"].as_array().map(Vec::len), Some(2));
    scratch.file("settings.json", "{}");
    scratch
        .run(&["policy", "import", "settings.json"])
        .expect(2, &["lies in no folder .claude"]);
}

/// What the guide shows is a file of rules that does what the guide says.
#[test]
fn the_guide_to_rules_is_true() {
    let guide = include_str!("../../../../docs/guide/rules.md");
    let (_, rest) = guide.split_once("```toml\n").expect("an example");
    let (file, _) = rest.split_once("```").expect("its end");
    let scratch = Scratch::new();
    rules(&scratch, file);
    scratch
        .run(&["policy", "lint"])
        .expect(0, &["5 rules, nothing to say"]);
    // What a scripted model costs is not known, so a cap on money cannot be held.
    let (file, _) = file.split_once("[[rule]]\ndeny = \"spend").expect("a cap");
    rules(&scratch, file);
    writes(&scratch, "docs/guide.md").expect(0, &[]);
    writes(&scratch, "src/main.rs").expect(3, &[]);
    scratch.file("vault/key", "x");
    let input = json!({ "path": "vault/key" }).to_string();
    scratch
        .run(&["tools", "call", "read", "--input", &input])
        .expect(5, &["read(vault/**)"]);
    for command in guide
        .split('`')
        .filter(|words| words.starts_with("bowline policy "))
    {
        let words: Vec<&str> = command.split_whitespace().skip(1).take(2).collect();
        let mut help = words.clone();
        help.push("--help");
        scratch.run(&help).expect(0, &["Usage:"]);
    }
}

/// The least of all caps on money counts, whoever set it and by which word.
#[test]
fn a_rule_caps_what_a_session_may_spend() {
    let scratch = Scratch::new();
    let cap = |own: &str, text: &str| {
        scratch.config(own);
        std::fs::write(scratch.path("config/bowline/rules.toml"), text).expect("rules");
        let steps = json!([{ "text": "done" }]);
        scratch.play("ask", &steps, &[])
    };
    // The scripted model has no price, so a cap that somebody set cannot be held.
    cap("", "[[rule]]\ndeny = \"spend(1.50)\"\n").expect(2, &["price"]);
    cap(
        "",
        "[[rule]]\ndeny = \"spend(1.50)\"\nexpires = 2020-01-01\n",
    )
    .expect(0, &[]);
    cap("", "").expect(0, &[]);
}
