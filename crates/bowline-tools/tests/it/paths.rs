//! Plans of file tools held against a policy: what a path leads to is what is judged.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use bowline_core::{Mode, OnAsk, Verdict};
use bowline_policy::{NoLook, Policy, Rule, Surroundings, ToolFacts, decide, may_search};
use serde_json::{Value, json};

use crate::bench::Bench;

crate::cases![
    every_path_is_judged_by_what_it_leads_to,
    deny_rules_hold_for_links_and_targets,
    private_places_are_closed_in_every_mode,
    the_working_folder_may_be_a_folder_further_in,
    a_policy_says_what_searches_leave_out,
];

use Verdict::{Allow, Ask, Deny};

fn policy(bench: &Bench, mode: Mode) -> Policy {
    let mut policy = Policy::new(mode, vec![bench.root().display().to_string()]);
    policy.home = Some(
        fs::canonicalize(bench.at("home"))
            .unwrap()
            .display()
            .to_string(),
    );
    policy.private = vec![bench.root().join("state").display().to_string()];
    policy
}

/// A workspace beside a home and a folder of somebody else.
fn place() -> Bench {
    let bench = Bench::new();
    fs::create_dir_all(bench.at("home/.ssh")).unwrap();
    fs::write(bench.at("home/.profile"), "profile\n").unwrap();
    fs::write(bench.at("home/.ssh/id"), "key\n").unwrap();
    fs::write(bench.at("out/run.log"), "log\n").unwrap();
    fs::create_dir(bench.at("w-copy")).unwrap();
    fs::hard_link(bench.at("out/run.log"), bench.root().join("copy")).unwrap();
    for (name, target) in [
        ("latest", "../out/run.log"),
        ("out", "../out"),
        ("rc", "../home/.profile"),
        ("keys", "../home/.ssh"),
        ("inner", "src"),
        ("settings", "state/config"),
        ("nowhere", "../out/not-yet"),
    ] {
        symlink(target, bench.root().join(name)).unwrap();
    }
    bench.file("src/a.rs", "old\n");
    bench.file(".git/config", "[core]\n");
    bench.file("deploy/.env.staging", "A=old\n");
    bench.file("state/config", "x\n");
    let fifo = bench.root().join("queue");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    drop(UnixListener::bind(bench.root().join("socket")).unwrap());
    bench
}

/// Decides about a call as a session would.
fn verdict(bench: &Bench, policy: &Policy, tool: &str, input: &Value) -> Verdict {
    let tool = bench.toolbox.get(tool).unwrap();
    let plan = tool.plan(input, &bench.cx()).unwrap();
    decide(
        policy,
        ToolFacts::from(tool.spec()),
        &plan.actions,
        OnAsk::Park,
        &Surroundings::new("/", &NoLook),
    )
    .verdict
}

fn read(path: &str) -> (&'static str, Value) {
    ("read", json!({"path": path}))
}

fn write(path: &str) -> (&'static str, Value) {
    ("write", json!({"path": path, "content": "x"}))
}

fn edit(path: &str) -> (&'static str, Value) {
    (
        "edit",
        json!({"path": path, "edits": [{"old": "old", "new": "new"}]}),
    )
}

fn every_path_is_judged_by_what_it_leads_to() {
    let bench = place();
    let policy = policy(&bench, Mode::Edit);
    let check = |(tool, input): (&str, Value), expect: Verdict| {
        assert_eq!(
            verdict(&bench, &policy, tool, &input),
            expect,
            "{tool} {input}"
        );
    };
    check(read("src/a.rs"), Allow);
    check(edit("src/a.rs"), Allow);
    check(edit("inner/a.rs"), Allow);
    check(write("build/.keep"), Allow);
    check(read("src/../../out/run.log"), Ask);
    check(write("../w-copy/x"), Ask);
    check(read("latest"), Ask);
    check(write("latest"), Ask);
    check(write("out/report"), Ask);
    check(write("nowhere"), Ask);
    check(edit("rc"), Ask);
    check(read("keys/id"), Ask);
    check(("list", json!({"path": "keys"})), Ask);
    check(("grep", json!({"pattern": "x", "path": "out"})), Ask);
    check(("glob", json!({"pattern": "*", "path": ".."})), Ask);
    check(("glob", json!({"pattern": "*"})), Allow);
    check(write("copy"), Ask);
    check(write("queue"), Deny);
    check(read("socket"), Deny);
    check(read("/dev/zero"), Deny);
    check(write(".git/info/attributes"), Ask);
    check(read("deploy/.env.staging"), Ask);
    check(edit("deploy/.env.staging"), Ask);
    check(read("blob:0011223344556677"), Allow);
    check(("todo", json!({"items": []})), Allow);
    check(("shell", json!({"command": "true"})), Allow);
    check(("shell", json!({"command": "touch x"})), Ask);
}

fn deny_rules_hold_for_links_and_targets() {
    let bench = place();
    let mut policy = policy(&bench, Mode::Full);
    let check = |policy: &Policy, (tool, input): (&str, Value), expect: Verdict| {
        assert_eq!(
            verdict(&bench, policy, tool, &input),
            expect,
            "{tool} {input}"
        );
    };
    check(&policy, read("inner/a.rs"), Allow);
    for rule in ["read(inner/**)", "read(src/**)", "read(src)"] {
        policy.rules = vec![Rule::on_command_line(Deny, rule).unwrap()];
        check(&policy, read("inner/a.rs"), Deny);
        check(&policy, edit("inner/a.rs"), Deny);
        check(&policy, write("inner/a.rs"), Allow);
    }
    policy.rules = vec![Rule::on_command_line(Deny, "read(~/.ssh/**)").unwrap()];
    check(&policy, read("keys/id"), Deny);
    check(&policy, ("list", json!({"path": "keys"})), Deny);
}

fn private_places_are_closed_in_every_mode() {
    let bench = place();
    for mode in Mode::ALL {
        let policy = policy(&bench, mode);
        for (tool, input) in [
            read("state/config"),
            write("settings"),
            edit("src/../state/new"),
        ] {
            assert_eq!(
                verdict(&bench, &policy, tool, &input),
                Deny,
                "{mode} {tool} {input}"
            );
        }
    }
}

fn the_working_folder_may_be_a_folder_further_in() {
    let mut bench = place();
    let policy = policy(&bench, Mode::Edit);
    bench.cwd = bench.root().join("src");
    for (tool, input) in [edit("a.rs"), edit("../src/a.rs"), write("../lib/b.rs")] {
        assert_eq!(
            verdict(&bench, &policy, tool, &input),
            Allow,
            "{tool} {input}"
        );
        bench.ok(tool, input);
        bench.file("src/a.rs", "old\n");
        bench.seen.clear();
    }
    assert_eq!(bench.content("lib/b.rs"), "x");
}

fn a_policy_says_what_searches_leave_out() {
    let bench = place();
    let mut policy = policy(&bench, Mode::Edit);
    policy.rules = vec![Rule::on_command_line(Deny, "read(src/**)").unwrap()];
    let mut config = bowline_tools::builtin::BuiltinConfig::new("/nowhere".into());
    config.left_out =
        std::sync::Arc::new(move |path| !may_search(&policy, &path.display().to_string()));
    let mut searching = Bench::with(config);
    searching.cwd = bench.root();
    let text = searching.ok(
        "grep",
        json!({"pattern": ".", "hidden": true, "output": "files"}),
    );
    assert_eq!(
        text,
        "copy\n[3 entries left out that need permission: ask for them by path]\n"
    );
}
