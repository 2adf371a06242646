//! Help pages, completions and manual pages.

use crate::support::{Ran, Scratch, ran};

/// A page as it looks on 80 columns.
fn at_80(scratch: &Scratch, args: &[&str]) -> Ran {
    let mut command = scratch.command(args);
    command.env("COLUMNS", "80");
    ran(&command.output().expect("it starts"))
}

/// The names of all commands.
fn commands(scratch: &Scratch) -> Vec<String> {
    let all = scratch.run(&["commands", "list", "--json"]).json();
    let all = all.as_array().expect("a list").clone();
    all.iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn key_pages_look_like_this_on_80_columns() {
    let scratch = Scratch::new();
    for page in ["exec", "doctor", "config", "completions"] {
        let shown = at_80(&scratch, &[page, "--help"]);
        insta::assert_snapshot!(format!("help_{page}"), shown.expect(0, &[]).out);
    }
    let alone = at_80(&scratch, &[]);
    assert_eq!(alone.code, 2);
    insta::assert_snapshot!("help_alone", alone.err);
}

#[test]
fn every_page_fits_80_columns_and_teaches_by_example() {
    let scratch = Scratch::new();
    let mut names = commands(&scratch);
    names.push(String::new());
    for name in names {
        let mut args: Vec<&str> = name.split_whitespace().collect();
        args.push("--help");
        let page = at_80(&scratch, &args);
        page.expect(0, &[]);
        for line in page.out.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
    for name in [
        "exec", "demo", "sessions", "events", "log", "why", "tools", "config", "approve", "deny",
        "answer", "send", "jobs", "inbox", "settle", "signal", "pause", "models", "audit",
        "policy",
    ] {
        at_80(&scratch, &[name, "--help"]).expect(0, &["Examples:", &format!("bowline {name}")]);
    }
    at_80(&scratch, &["exec", "--help"]).expect(0, &["Exit codes:", "130"]);
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    let scratch = Scratch::new();
    scratch
        .run(&["sesions", "list"])
        .expect(2, &["similar subcommand", "'sessions'"]);
    scratch
        .run(&["exec", "--continu", "x"])
        .expect(2, &["similar argument", "'--continue'"]);
}

#[test]
fn completions_know_every_command() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = scratch.run(&["completions", shell]);
        script.expect(0, &["doctor", "reindex", "output-schema"]);
    }
    scratch.run(&["completions", "ksh"]).expect(2, &["bash"]);
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let scratch = Scratch::new();
    scratch
        .run(&["man", "sessions", "list"])
        .expect(0, &[".TH bowline-sessions-list", "newest first"]);
    scratch
        .run(&["man", "nothing"])
        .expect(2, &["there is no command `nothing`"]);
    let folder = scratch.path("man");
    let out = folder.display().to_string();
    scratch.run(&["man", "--out", &out]).expect(0, &[]);
    for name in commands(&scratch) {
        let page = folder.join(format!("bowline-{}.1", name.replace(' ', "-")));
        let text = std::fs::read_to_string(&page).expect("a page");
        assert!(text.contains(".SH NAME"), "{}", page.display());
    }
    assert!(folder.join("bowline.1").exists());
    assert!(!scratch.home().exists());
}
