//! What git honours: hooks, configuration that names programs, attributes, planted repositories.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{By, Ground, program, write};

const HOOKS: [&str; 16] = [
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-rewrite",
    "post-checkout",
    "post-merge",
    "pre-rebase",
    "pre-push",
    "reference-transaction",
    "post-index-change",
    "pre-receive",
    "update",
    "post-receive",
    "post-update",
    "pre-auto-gc",
];

/// Keys of the configuration with the line of sh that makes git honour each.
const KEYS: [(&str, &str, &str); 14] = [
    ("core.fsmonitor", "{fire}", "git status"),
    ("core.sshCommand", "{fire}", "git fetch ssh://localhost/x"),
    ("core.gitProxy", "{fire}", "git fetch git://localhost/x"),
    ("core.editor", "{fire}", "git commit --allow-empty"),
    ("sequence.editor", "{fire}", "git rebase -i HEAD~1"),
    (
        "diff.external",
        "{fire}",
        "echo x >>a.txt; git diff; git checkout -q a.txt",
    ),
    (
        "filter.evil.clean",
        "{fire}",
        "echo x >>a.fil; git add a.fil",
    ),
    (
        "filter.evil.smudge",
        "{fire}",
        "rm -f a.fil; git checkout -q HEAD -- a.fil",
    ),
    ("diff.evil.textconv", "{fire}", "git log -p -- a.tc"),
    (
        "credential.helper",
        "!{fire}",
        "printf 'protocol=https\\nhost=x\\n\\n' | git credential fill",
    ),
    (
        "gpg.program",
        "{fire}",
        "git commit -S --allow-empty -m signed",
    ),
    ("alias.evil", "!{fire}", "git evil"),
    ("remote.evil.uploadpack", "{fire}", "git ls-remote evil"),
    (
        "trailer.evil.cmd",
        "{fire}",
        "echo x | git interpret-trailers --trailer evil=1",
    ),
];

/// The name of the plant that a key is.
fn plant_name(key: &'static str) -> &'static str {
    key
}

pub(super) fn plant(ground: &Ground, folder: &Path) {
    let run = |line: &str| assert!(ground.sh(folder, line), "{line}");
    run("git init -q -b main .");
    for name in ["a.txt", "a.fil", "a.tc"] {
        write(folder, name, "one\n");
    }
    run("git add a.txt a.fil a.tc && git commit -q -m one");
    for name in ["a.txt", "a.tc"] {
        write(folder, name, "two\n");
    }
    run("git add a.txt a.tc && git commit -q -m two");
    write(
        folder,
        ".gitattributes",
        "*.fil filter=evil\n*.tc diff=evil\n",
    );
    for hook in HOOKS {
        let fire = ground.fire(&format!("hook {hook}").replace(' ', "-"));
        program(
            &folder.join(".git/hooks").join(hook),
            &format!("#!/bin/sh\n{fire}\n"),
        );
    }
    let mut config = std::fs::read_to_string(folder.join(".git/config")).expect("git made it");
    for (key, value, _) in KEYS {
        let fire = value.replace("{fire}", &ground.fire(plant_name(key)));
        let (section, name) = key.rsplit_once('.').expect("a section and a name");
        let header = match section.split_once('.') {
            Some((section, own)) => format!("[{section} \"{own}\"]"),
            None => format!("[{section}]"),
        };
        config.push_str(&format!("{header}\n\t{name} = \"{fire}\"\n"));
    }
    config.push_str(&format!(
        "[remote \"evil\"]\n\turl = .\n[pager]\n\tlog = \"{}\"\n[protocol \"ext\"]\n\tallow = \
         always\n[remote \"ext\"]\n\turl = \"ext::{}\"\n",
        ground.fire("core.pager"),
        ground.fire("remote.ext"),
    ));
    write(folder, ".git/config", &config);
    plant_further(ground, folder);
}

/// Two repositories within the folder.
fn plant_further(ground: &Ground, folder: &Path) {
    // A repository of its own whose hooks lie elsewhere and that takes in further configuration.
    let nested = folder.join("nested");
    std::fs::create_dir_all(&nested).expect("a folder");
    assert!(ground.sh(&nested, "git init -q -b main ."), "nested");
    let hooks = ground.scratch.path("fire").join("core.hooksPath");
    let mark = ground.scratch.path("marks").join("core.hooksPath");
    program(
        &hooks.join("pre-commit"),
        &format!("#!/bin/sh\n: >{}\n", mark.display()),
    );
    let mut config = std::fs::read_to_string(nested.join(".git/config")).expect("git made it");
    config.push_str(&format!(
        "[core]\n\thooksPath = {}\n[include]\n\tpath = ../evil.inc\n[filter \"evil\"]\n\tprocess = {}\n",
        hooks.display(),
        ground.fire("filter.process")
    ));
    write(&nested, ".git/config", &config);
    write(&nested, ".gitattributes", "*.prc filter=evil\n");
    write(&nested, "a.prc", "one\n");
    let fire = ground.fire("include.path");
    write(
        &nested,
        "evil.inc",
        &format!("[core]\n\tfsmonitor = {fire}\n"),
    );
    // A repository that lies there as plain files.
    let bare = folder.join("bare");
    for name in ["refs/heads", "objects"] {
        std::fs::create_dir_all(bare.join(name)).expect("a folder");
    }
    write(&bare, "HEAD", "ref: refs/heads/main\n");
    let fire = ground.fire("planted-bare-repository");
    write(
        &bare,
        "config",
        &format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = \"../tree\"\n\t\
             fsmonitor = \"{fire}\"\n"
        ),
    );
    write(folder, "tree/x", "x\n");
}

pub(super) fn controls(ground: &Ground, folder: &Path) -> Vec<(&'static str, By)> {
    for (_, _, line) in KEYS {
        ground.sh(folder, line);
    }
    for line in [
        "git reset -q --hard",
        "git commit -q --allow-empty -m x",
        "git commit -q --allow-empty --amend -m y",
        "git checkout -q -b side HEAD~1",
        "git commit -q --allow-empty -m z",
        "git merge -q -m m main",
        "git rebase -q main",
        "git push -q . HEAD:refs/heads/pushed",
        "git gc --auto -q; git -c gc.auto=1 gc --auto -q",
        "git ls-remote ext",
    ] {
        ground.sh(folder, line);
    }
    at_a_terminal(ground, folder, "git log");
    ground.sh(
        &folder.join("nested"),
        "git status; git commit -q --allow-empty -m x; git add a.prc",
    );
    ground.sh(&folder.join("bare"), "git status");
    let mut plants: Vec<(&'static str, By)> = KEYS
        .iter()
        .map(|(key, _, _)| (plant_name(key), By::Tool))
        .collect();
    plants.extend(
        [
            "hook-pre-commit",
            "hook-prepare-commit-msg",
            "hook-commit-msg",
            "hook-post-commit",
            "hook-post-rewrite",
            "hook-post-checkout",
            "hook-post-merge",
            "hook-pre-rebase",
            "hook-pre-push",
            "hook-reference-transaction",
            "hook-post-index-change",
            "hook-pre-receive",
            "hook-update",
            "hook-post-receive",
            "hook-post-update",
            "hook-pre-auto-gc",
            "core.pager",
            "filter.process",
            "remote.ext",
            "core.hooksPath",
            "include.path",
            "planted-bare-repository",
        ]
        .map(|name| (name, By::Tool)),
    );
    plants
}

/// A line of sh at a terminal: some things are done for people only.
fn at_a_terminal(ground: &Ground, folder: &Path, line: &str) {
    let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&keys).expect("it is ours");
    unlockpt(&keys).expect("it opens");
    let name = ptsname(&keys, Vec::new()).expect("a name");
    let end = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().expect("UTF-8"))
        .expect("its other end");
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("HOME", ground.scratch.path("user"))
        .env("TERM", "xterm")
        .env_remove("GIT_PAGER")
        .env_remove("PAGER")
        .stdin(Stdio::null())
        .stdout(end)
        .stderr(Stdio::null())
        .status();
    let _whatever = status.expect("sh starts");
}
