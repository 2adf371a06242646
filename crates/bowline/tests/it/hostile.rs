//! A folder full of things that other programs act on. Each is first shown to fire: by the real tool
//! that honours it, by a named reader that does what another agent's documents say, or by Bowline
//! itself once the folder is trusted. Before trust no command of Bowline starts, reaches or sets
//! anything by it.

mod agents;
mod build;
mod git;
mod own;
mod shells;
mod tracing;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Ran, Scratch, ran, snapshot};

/// Where everything happens, with what the plants leave when they fire.
struct Ground {
    scratch: Scratch,
    listener_port: u16,
    connections: Arc<AtomicUsize>,
    /// What tools said that failed.
    said: Mutex<String>,
}

/// Who showed that a plant fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The program that honours it.
    Tool,
    /// A reader in this test that does what another program documents.
    Reader,
    /// Bowline, once the folder is trusted, or with what a person would have to give.
    Bowline,
}

impl Ground {
    fn new() -> Self {
        // Not below the usual folder for temporary files, which a sandbox replaces.
        let scratch = Scratch::within(Path::new(env!("CARGO_TARGET_TMPDIR")));
        for folder in ["marks", "fire", "user", "tools"] {
            std::fs::create_dir_all(scratch.path(folder)).expect("a folder");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let listener_port = listener.local_addr().expect("its address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            // Whoever connects is counted and hung up on.
            for _connection in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            scratch,
            listener_port,
            connections,
            said: Mutex::default(),
        }
    }

    /// A program that leaves the mark of a plant.
    fn fire(&self, plant: &str) -> String {
        let path = self.scratch.path("fire").join(plant);
        let mark = self.scratch.path("marks").join(plant);
        program(&path, &format!("#!/bin/sh\n: >{}\n", mark.display()));
        path.display().to_string()
    }

    /// The same, which then does what it was put in place of.
    fn fire_through(&self, plant: &str, then: &str) -> String {
        let path = self.scratch.path("fire").join(plant);
        let mark = self.scratch.path("marks").join(plant);
        program(
            &path,
            &format!("#!/bin/sh\n: >{}\n{then}\n", mark.display()),
        );
        path.display().to_string()
    }

    /// The plants that have fired.
    fn marks(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.scratch.path("marks")).expect("the marks");
        entries
            .map(|entry| {
                entry
                    .expect("one")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }

    /// A program in a folder, with a home of its own; a failure of it is nobody's concern.
    fn tool(&self, folder: &Path, argv: &[&str]) -> Option<Output> {
        let mut command = Command::new(argv[0]);
        command
            .args(&argv[1..])
            .current_dir(folder)
            .env("HOME", self.scratch.path("user"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.org")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
            .env_remove("GIT_PAGER")
            .env_remove("GIT_EDITOR")
            .env_remove("EDITOR")
            .env_remove("VISUAL")
            .env_remove("PAGER")
            .stdin(Stdio::null());
        for name in ["CARGO_HOME", "RUSTUP_HOME"] {
            let home = std::env::var_os("HOME").unwrap_or_default();
            let usual = match name {
                "CARGO_HOME" => Path::new(&home).join(".cargo"),
                _ => Path::new(&home).join(".rustup"),
            };
            command.env(name, std::env::var_os(name).unwrap_or(usual.into()));
        }
        command.output().ok()
    }

    /// A line of sh in a folder.
    fn sh(&self, folder: &Path, line: &str) -> bool {
        let Some(output) = self.tool(folder, &["sh", "-c", line]) else {
            return false;
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let mut all = self.said.lock().expect("one thread");
            all.push_str(&format!("{line}: {said}\n"));
        }
        output.status.success()
    }

    /// Bowline in a folder whose programs are first on the search path.
    fn bowline(&self, folder: &Path, args: &[&str]) -> Ran {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = self
            .scratch
            .command(args)
            .current_dir(folder)
            .env("PATH", format!(".:bin::{path}"))
            .output();
        ran(&output.expect("it starts"))
    }

    fn connected(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Puts every plant into a folder.
    fn plant(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        git::plant(self, folder);
        shells::plant(self, folder);
        build::plant(self, folder);
        agents::plant(self, folder);
        own::plant(self, folder);
    }
}

fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
    std::fs::write(path, text).expect("the program");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("it is one");
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
    std::fs::write(&path, text).expect("the file");
    path
}

/// Every plant with who shows that it fires, by the controls that are run in `folder`.
fn controls(ground: &Ground, folder: &Path) -> Vec<(&'static str, By)> {
    let mut plants = git::controls(ground, folder);
    plants.extend(shells::controls(ground, folder));
    plants.extend(build::controls(ground, folder));
    plants.extend(agents::controls(ground, folder));
    plants
}

/// The settings in force, without where they are from.
fn settings(ground: &Ground, folder: &Path) -> Value {
    let shown = ground.bowline(folder, &["config", "show", "--json"]);
    let shown = shown.expect(0, &[]).json();
    let keys = shown.as_array().expect("a list").iter();
    let values = keys.map(|key| json!([key["name"], key["value"]]));
    Value::Array(values.collect())
}

/// A turn that looks around as a model would.
fn looking_around() -> Value {
    json!([
        { "calls": [
            { "tool": "list", "input": { "path": "." } },
            { "tool": "glob", "input": { "pattern": "**/*" } },
            { "tool": "grep", "input": { "pattern": "fire" } },
            { "tool": "read", "input": { "path": "AGENTS.md" } },
            { "tool": "read", "input": { "path": ".bowline/config.toml" } }
        ] },
        { "calls": [{ "tool": "shell", "input": { "command": "cat CLAUDE.md; ls -la; git status" } }] },
        { "text": "seen" }
    ])
}

#[test]
fn nothing_in_a_hostile_folder_fires_before_it_is_trusted() {
    let ground = Ground::new();
    // The controls come first: what does not fire there proves nothing here.
    let open = ground.scratch.path("open");
    ground.plant(&open);
    let mut plants = controls(&ground, &open);
    plants.extend(own::controls(&ground, &open));
    let fired = ground.marks();
    let (shown, silent): (Vec<_>, Vec<_>) =
        plants.iter().partition(|(name, _)| fired.contains(*name));
    let count = |by: By| shown.iter().filter(|(_, one)| *one == by).count();
    assert!(
        shown.len() >= 40,
        "{} fire; silent: {silent:?}",
        shown.len()
    );
    for name in tracing::MUST_FIRE {
        let said = ground.said.lock().expect("one thread");
        assert!(
            fired.contains(*name),
            "{name} does not fire: {silent:?}\n{said}"
        );
    }
    let touched = ground.connected();
    assert!(touched > 0, "the endpoint of a trusted folder is asked");

    // The same folder anew, which nobody trusts.
    std::fs::remove_dir_all(ground.scratch.home()).expect("state of the controls");
    for mark in &fired {
        std::fs::remove_file(ground.scratch.path("marks").join(mark)).expect("a mark");
    }
    let work = ground.scratch.work();
    ground.plant(&work);
    let empty = ground.scratch.path("empty");
    std::fs::create_dir_all(&empty).expect("a folder");
    let (before, plain) = (snapshot(&work), settings(&ground, &empty));
    assert_eq!(ground.marks(), BTreeSet::new(), "planting fires nothing");
    let commands = tracing::every_command(&ground, &work);
    assert_eq!(settings(&ground, &work), plain, "0 changed settings");
    assert_eq!(snapshot(&work), before, "0 changed files");
    assert_eq!(ground.marks(), BTreeSet::new(), "0 plants fired");
    assert_eq!(ground.connected(), touched, "0 connections");
    println!(
        "{} plants: {} fire by their tools, {} by readers, {} by Bowline once trusted; silent here: \
         {silent:?}. Before trust, over {commands} commands: 0 processes, 0 connections, 0 changed \
         settings",
        plants.len(),
        count(By::Tool),
        count(By::Reader),
        count(By::Bowline),
    );
}

#[test]
fn git_that_only_reads_starts_nothing_that_its_repository_names() {
    let ground = Ground::new();
    let work = ground.scratch.work();
    let reads = "git status; git diff; git log -p -1; git show";
    let is_run = |mode: &str| {
        let input = json!({ "command": reads }).to_string();
        let args = ["tools", "call", "shell", "--mode", mode, "--input", &input];
        ground.bowline(&work, &args).code == 0
    };
    assert!(ground.sh(
        &work,
        "git init -q -b main . && echo one >a.txt && git add a.txt"
    ));
    assert!(ground.sh(&work, "git commit -q -m one"));
    write(&work, "a.txt", "two\n");
    let config = std::fs::read_to_string(work.join(".git/config")).expect("git made it");
    // What is neutralised: it runs unasked, and these stay silent.
    let silent = format!(
        "{config}[core]\n\tfsmonitor = {}\n\tpager = {}\n[pager]\n\tlog = {}\n",
        ground.fire("fsmonitor"),
        ground.fire("pager"),
        ground.fire("pager.log"),
    );
    write(&work, ".git/config", &silent);
    let hook = ground.fire("post-index-change");
    program(
        &work.join(".git/hooks/post-index-change"),
        &format!("#!/bin/sh\n{hook}\n"),
    );
    ground.sh(&work, "git status");
    let fired = ground.marks();
    assert!(fired.contains("fsmonitor") && fired.contains("post-index-change"));
    for mark in &fired {
        std::fs::remove_file(ground.scratch.path("marks").join(mark)).expect("a mark");
    }
    write(&work, "a.txt", "three\n");
    for mode in ["ask", "full"] {
        assert!(is_run(mode), "{mode}");
        assert_eq!(ground.marks(), BTreeSet::new(), "{mode}");
    }
    // What cannot be: it asks.
    for keys in [
        "[diff]\n\texternal = {fire}\n",
        "[diff \"x\"]\n\ttextconv = {fire}\n",
        "[filter \"x\"]\n\tclean = {fire}\n",
        "[filter \"x\"]\n\tprocess = {fire}\n",
        "[include]\n\tpath = evil.inc\n",
        "[includeIf \"gitdir:/\"]\n\tpath = evil.inc\n",
        "[gpg]\n\tprogram = {fire}\n",
    ] {
        let keys = keys.replace("{fire}", &ground.fire("other"));
        write(&work, ".git/config", &format!("{config}{keys}"));
        assert!(!is_run("ask"), "{keys}");
        assert_eq!(ground.marks(), BTreeSet::new(), "{keys}");
    }
    let lfs =
        "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n\tprocess = git-lfs filter-process\n";
    write(&work, ".git/config", &format!("{config}{lfs}"));
    assert!(is_run("ask"), "what Git LFS itself writes there");
}
