//! What entries become, and that what they become allows nothing that they do not.

use bowline_core::action::PathKind;
use bowline_core::decision::Layer;
use bowline_core::{Action, Mode, OnAsk, PathFact, Risk, Tier};
use bowline_policy::{NoLook, Pattern, Policy, Surroundings, ToolFacts, decide, name_fits};
use proptest::prelude::*;

use super::*;

const FOLDER: &str = "/home/ann/app";

fn one(list: &str, entry: &str, folder: Option<&str>) -> Imported {
    let text = serde_json::json!({ "permissions": { list: [entry] } }).to_string();
    import(&text, folder).unwrap()
}

#[test]
fn entries_become_rules() {
    let check = |list: &str, entry: &str, expect: &[&str]| {
        let imported = one(list, entry, Some(FOLDER));
        let rules: Vec<&str> = imported
            .rules
            .iter()
            .map(|rule| rule.rule.as_str())
            .collect();
        assert_eq!(rules, expect, "{list} {entry}: {:?}", imported.left_out);
        assert!(imported.left_out.is_empty(), "{list} {entry}");
    };
    check("allow", "Bash(npm run build)", &["npm run build"]);
    check("allow", "Bash(npm run test:*)", &["npm run test *"]);
    check("allow", "Bash(git diff *)", &["git diff * *"]);
    check("allow", "Bash(npm run test*)", &["npm run test* *"]);
    check("allow", "Bash(git * main)", &["git * main"]);
    check("deny", "Bash(git push:*)", &["git push* *"]);
    check("deny", "Bash(git push *)", &["git push *"]);
    check("deny", "Bash(rm -rf /)", &["rm -rf /"]);
    check("deny", "Bash", &["tool(shell)"]);
    check("ask", "Bash(*)", &["tool(shell)"]);
    check("allow", "Read(./src/**)", &["read(/home/ann/app/src/**)"]);
    check(
        "allow",
        "Read(/docs/*.md)",
        &["read(/home/ann/app/docs/*.md)"],
    );
    check("allow", "Read(//srv/data/**)", &["read(/srv/data/**)"]);
    check("allow", "Read(~/notes/*)", &["read(~/notes/*)"]);
    check("allow", "Edit(docs/**)", &["write(/home/ann/app/docs/**)"]);
    check("allow", "Edit", &["write(/home/ann/app/**)"]);
    check(
        "deny",
        "Read(./.env)",
        &["read(**/.env)", "read(**/.env/**)"],
    );
    check("deny", "Read(secrets/**)", &["read(secrets/**)"]);
    check("deny", "Read(/build)", &["read(build)", "read(build/**)"]);
    check(
        "deny",
        "Write(*.key)",
        &["write(**/*.key)", "write(**/*.key/**)"],
    );
    check("deny", "Read", &["read(/**)"]);
    check("allow", "WebFetch(domain:docs.rs)", &["host(docs.rs)"]);
    check("deny", "WebFetch", &["host(*)"]);
    check("allow", "mcp__issues__list", &["mcp(issues/list)"]);
    check("allow", "mcp__issues", &["mcp(issues/*)"]);
    check("allow", "mcp__issues__get_*", &["mcp(issues/get_*)"]);
}

#[test]
fn what_cannot_be_carried_over_is_named_with_the_reason() {
    let check = |list: &str, entry: &str, folder: Option<&str>, why: &str| {
        let imported = one(list, entry, folder);
        assert!(imported.rules.is_empty(), "{entry}: {:?}", imported.rules);
        let left_out = &imported.left_out[0];
        assert_eq!(left_out.entry, entry);
        assert!(left_out.why.contains(why), "{entry}: {}", left_out.why);
    };
    let here = Some(FOLDER);
    check("allow", "Bash", here, "every command");
    check("allow", "Bash(*)", here, "every command");
    check("allow", "Bash(* --version)", here, "any program");
    check(
        "allow",
        "Bash(curl * | bash)",
        here,
        "`|` means something to a shell",
    );
    check(
        "allow",
        "Bash(echo \"$HOME\")",
        here,
        "means something to a shell",
    );
    check("allow", "Bash(FOO=1 make)", here, "sets a variable");
    check("allow", "Bash(git  push)", here, "one blank");
    check("allow", "Bash(ls", here, "closing parenthesis");
    check("allow", "Read({a,b})", here, "means something else");
    check("allow", "Read(a**b)", here, "two stars");
    check("allow", "Read(../x)", here, "absolute path");
    check("allow", "Read(src/**)", None, "relative to whatever folder");
    check("allow", "Write(src/**)", here, "allows nothing");
    check("allow", "WebFetch", here, "any host");
    check("allow", "WebFetch(domain:*.docs.rs)", here, "star");
    check("allow", "mcp__*", here, "several servers");
    check(
        "allow",
        "Agent(explorer)",
        here,
        "no tool here that does what `Agent` does",
    );
    check("deny", "Read(!x)", here, "by hand");
    check("allow", "", here, "no tool");
}

#[test]
fn files_are_read_or_refused_whole() {
    let check = |text: &str, expect: &str| {
        assert!(import(text, None).unwrap_err().contains(expect), "{text}");
    };
    check("{", "no JSON");
    check("[]", "no JSON object");
    check("{\"permissions\":[]}", "are no object");
    check("{\"permissions\":{\"allow\":\"Bash\"}}", "is no list");
    check("{\"permissions\":{\"allow\":[3]}}", "no text");
    check(&" ".repeat(SETTINGS_BYTES_MAX + 1), "1 MiB");
    assert_eq!(import("{\"hooks\":{}}", None).unwrap(), Imported::default());
    let other =
        "{\"permissions\":{\"defaultMode\":\"acceptEdits\",\"additionalDirectories\":[\"../x\"]}}";
    let left_out = import(other, None).unwrap().left_out;
    assert!(left_out[0].why.contains("mode = \"edit\""));
    assert!(left_out[1].why.contains("--add-dir"));
    // The same twice is there once.
    let twice = "{\"permissions\":{\"deny\":[\"Read(a/b)\",\"Read(./a/b)\"]}}";
    assert_eq!(import(twice, None).unwrap().rules.len(), 2);
}

/// What an entry allows by its published documentation, in the narrowest reading of all versions.
fn original_allows(entry: &str, probe: &Probe) -> bool {
    let inside = entry
        .split_once('(')
        .map(|(_, rest)| rest.trim_end_matches(')'));
    match probe {
        Probe::Words(words) => {
            let text = words.join(" ");
            match inside {
                _ if !entry.starts_with("Bash") => false,
                None | Some("*") => true,
                Some(pattern) => match pattern.strip_suffix(":*") {
                    Some(prefix) => {
                        text == prefix
                            || text
                                .strip_prefix(prefix)
                                .is_some_and(|rest| rest.starts_with(' '))
                    }
                    None => name_fits(pattern, &text),
                },
            }
        }
        Probe::Read(path) => entry.starts_with("Read") && path_fits(inside, path),
        Probe::Write(path) => entry.starts_with("Edit") && path_fits(inside, path),
        Probe::Host(host) => match inside {
            _ if !entry.starts_with("WebFetch") => false,
            None => true,
            Some(site) => site.strip_prefix("domain:") == Some(host),
        },
        Probe::Mcp(server, tool) => {
            let Some(rest) = entry.strip_prefix("mcp__") else {
                return false;
            };
            match rest.split_once("__") {
                None => rest == *server,
                Some((of, called)) => of == *server && name_fits(called, tool),
            }
        }
    }
}

/// Whether a pattern by the rules of gitignore names a path; in its narrowest reading it is bound
/// to its folder, and names nothing below what it names.
fn path_fits(pattern: Option<&str>, path: &str) -> bool {
    let Some(pattern) = pattern else {
        return true;
    };
    let whole = if let Some(absolute) = pattern.strip_prefix("//") {
        format!("/{absolute}")
    } else if let Some(rest) = pattern.strip_prefix("~/") {
        format!("/home/ann/{rest}")
    } else {
        let rest = pattern.trim_start_matches("./").trim_start_matches('/');
        format!("{FOLDER}/{rest}")
    };
    let pattern: Vec<&str> = whole.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    segments_fit(&pattern, &path)
}

fn segments_fit(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", [])), _) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| segments_fit(rest, &path[skip..])),
        (Some((one, rest)), Some((segment, more))) => {
            name_fits(one, segment) && segments_fit(rest, more)
        }
        _ => false,
    }
}

#[derive(Debug, Clone)]
enum Probe {
    Words(Vec<&'static str>),
    Read(String),
    Write(String),
    Host(&'static str),
    Mcp(&'static str, &'static str),
}

/// Whether an imported rule allows it, by the judging code where no shell text has to be read.
fn ours_allows(rule: &ImportedRule, probe: &Probe) -> bool {
    let rule = Rule::on_command_line(rule.verdict, &rule.rule).unwrap();
    let path = |path: &str| PathFact {
        asked: path.to_owned(),
        resolved: path.to_owned(),
        by_name: path.to_owned(),
        kind: PathKind::File,
        links: 1,
    };
    let action = match probe {
        Probe::Words(words) => {
            let Pattern::Argv(pattern) = &rule.pattern else {
                return false;
            };
            return words_fit(pattern, words);
        }
        Probe::Read(at) => Action::ReadPath { path: path(at) },
        Probe::Write(at) => Action::WritePath { path: path(at) },
        Probe::Host(host) => Action::reach((*host).to_owned()),
        Probe::Mcp(server, tool) => Action::CallMcp {
            server: (*server).to_owned(),
            tool: (*tool).to_owned(),
        },
    };
    let policy = Policy {
        rules: vec![rule],
        home: Some("/home/ann".to_owned()),
        // Another folder of the workspace: a rule for the project must not reach into it.
        ..Policy::new(
            Mode::Ask,
            vec![FOLDER.to_owned(), "/home/ann/lib".to_owned()],
        )
    };
    let tool = ToolFacts {
        name: "any",
        risk: Risk::High,
        tier: Tier::BuiltIn,
    };
    let cx = Surroundings::new(FOLDER, &NoLook);
    let found = decide(&policy, tool, &[action], OnAsk::Park, &cx);
    found.verdict == Verdict::Allow && found.judged[0].rule.layer == Layer::CommandLine
}

/// Whether a rule of words names a command: a star at the end any number, elsewhere one.
fn words_fit(pattern: &[String], words: &[&str]) -> bool {
    match (pattern.split_first(), words.split_first()) {
        (None, None) => true,
        (Some((last, [])), _) if last == "*" => true,
        (Some((one, rest)), Some((word, more))) => name_fits(one, word) && words_fit(rest, more),
        _ => false,
    }
}

const ENTRIES: &[&str] = &[
    "Bash(npm run test:*)",
    "Bash(npm run *)",
    "Bash(npm run build)",
    "Bash(npm*)",
    "Bash(git * main)",
    "Bash(git diff *)",
    "Bash(git:*)",
    "Bash(* --version)",
    "Bash(ls *)",
    "Bash(ls*)",
    "Bash",
    "Bash(npm run test*)",
    "Bash(git push origin main)",
    "Read(src/**)",
    "Read(./src/*)",
    "Read(/src/a.rs)",
    "Read(//srv/**)",
    "Read(~/notes/**)",
    "Read(**)",
    "Read(*.md)",
    "Read(**/*.rs)",
    "Read",
    "Edit(src/**)",
    "Edit(docs/*)",
    "Edit",
    "Edit(~/notes/*)",
    "Write(src/**)",
    "WebFetch(domain:docs.rs)",
    "WebFetch(domain:*.docs.rs)",
    "WebFetch",
    "mcp__issues",
    "mcp__issues__list",
    "mcp__issues__*",
    "mcp__issues__get_*",
    "Read(s*c/**)",
    "Edit(**/a/*)",
    "Bash(npm run test -- *)",
];

fn probes() -> impl Strategy<Value = Probe> {
    let word = prop::sample::select(vec![
        "npm",
        "npx",
        "run",
        "test",
        "tests",
        "build",
        "git",
        "diff",
        "push",
        "origin",
        "main",
        "ls",
        "lsof",
        "-la",
        "--version",
        "--",
        "",
    ]);
    let segment = prop::sample::select(vec![
        "src", "docs", "a", "a.rs", "b.md", "notes", "lib", "x y",
    ]);
    let base = prop::sample::select(vec![
        FOLDER,
        "/home/ann",
        "/home/ann/lib",
        "/srv",
        "/home/ann/notes",
        "",
    ]);
    let path = (base, prop::collection::vec(segment, 1..4))
        .prop_map(|(base, rest)| format!("{base}/{}", rest.join("/")));
    prop_oneof![
        prop::collection::vec(word, 1..5).prop_map(Probe::Words),
        path.clone().prop_map(Probe::Read),
        path.prop_map(Probe::Write),
        prop::sample::select(vec!["docs.rs", "static.docs.rs", "docs.rs.example"])
            .prop_map(Probe::Host),
        (
            prop::sample::select(vec!["issues", "issues2", "files"]),
            prop::sample::select(vec!["list", "get_one", "lists", "close"])
        )
            .prop_map(|(server, tool)| Probe::Mcp(server, tool)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Never wider than the original.
    #[test]
    fn what_is_imported_allows_nothing_more(entry in prop::sample::select(ENTRIES.to_vec()), probe in probes()) {
        for rule in one("allow", entry, Some(FOLDER)).rules {
            if ours_allows(&rule, &probe) {
                prop_assert!(original_allows(entry, &probe), "{entry} -> {}: {probe:?}", rule.rule);
            }
        }
    }

    /// Whatever a file holds, it is read or refused.
    #[test]
    fn any_text_is_imported_or_refused(entry in "(Bash|Read|Edit|Write|WebFetch|mcp__)?\\(?\\PC{0,30}\\)?") {
        for list in ["allow", "ask", "deny"] {
            let imported = one(list, &entry, Some(FOLDER));
            prop_assert!(imported.rules.len() + imported.left_out.len() >= 1);
        }
    }
}

/// The property sees something: rules as somebody might carry them over by their looks are wider.
#[test]
fn rules_carried_over_by_their_looks_are_caught() {
    let check = |entry: &str, rule: &str, probe: Probe| {
        let rule = ImportedRule {
            verdict: Verdict::Allow,
            rule: rule.to_owned(),
            entry: entry.to_owned(),
            note: None,
        };
        assert!(
            ours_allows(&rule, &probe) && !original_allows(entry, &probe),
            "{entry} {probe:?}"
        );
    };
    check(
        "Bash(git diff *)",
        "git diff *",
        Probe::Words(vec!["git", "diff"]),
    );
    check(
        "Edit(src/**)",
        "write(src/**)",
        Probe::Write("/home/ann/lib/src/a".to_owned()),
    );
    check(
        "WebFetch(domain:docs.rs)",
        "host(*docs.rs)",
        Probe::Host("static.docs.rs"),
    );
    check(
        "mcp__issues__list",
        "mcp(issues/*)",
        Probe::Mcp("issues", "close"),
    );
}
