//! Ordinary work in the sandbox of mode `auto`: what people build with must go on working.

use std::path::Path;

use serde_json::json;

use crate::support::Scratch;

/// Runs commands one by one in `auto`, as a model would; each must exit 0.
fn work(scratch: &Scratch, env: &[(&str, String)], commands: &[&str]) {
    for command in commands {
        let input = json!({ "command": command, "timeout_ms": 300_000 }).to_string();
        let args = [
            "tools", "call", "shell", "--mode", "auto", "--input", &input,
        ];
        let mut call = scratch.command(&args);
        call.envs(env.iter().map(|(name, value)| (name, value)));
        let ran = crate::support::ran(&call.output().expect("the binary starts"));
        assert_eq!(ran.code, 0, "{command}\n{}{}", ran.out, ran.err);
    }
}

fn scratch() -> Scratch {
    Scratch::within(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// With the real home folders of the toolchain, which are read-only inside.
#[test]
fn cargo_builds_offline() {
    let scratch = scratch();
    scratch.file(
        "Cargo.toml",
        "[package]\nname = \"tiny\"\nedition = \"2024\"\n[workspace]\n",
    );
    scratch.file("src/main.rs", "fn main() { println!(\"built\"); }\n");
    scratch.file("src/lib.rs", "#[test]\nfn holds() { std::fs::write(std::env::temp_dir().join(\"t\"), \"t\").unwrap() }\n");
    let bin = Path::new(env!("CARGO"))
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").expect("a PATH"));
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .expect("a home");
    let env = [("PATH", path), ("CARGO_HOME", home)];
    work(
        &scratch,
        &env,
        &[
            "cargo build --offline",
            "./target/debug/tiny | grep built",
            "cargo test --offline",
        ],
    );
}

#[test]
fn npm_installs_a_local_folder() {
    let scratch = scratch();
    scratch.file(
        "dep/package.json",
        r#"{"name":"dep","version":"1.0.0","main":"main.js"}"#,
    );
    scratch.file("dep/main.js", "module.exports = 'from dep'");
    scratch.file("app/package.json", r#"{"name":"app","version":"1.0.0"}"#);
    // By itself it asks, since it may take packages from the network; a script of the project runs.
    scratch.file(
        "install.sh",
        "cd app && npm install --no-audit --no-fund --install-links ../dep",
    );
    let install = "bash install.sh";
    let run = "cd app && node -e \"console.log(require('dep'))\" | grep 'from dep'";
    work(&scratch, &[], &[install, run]);
}

#[test]
fn git_commits() {
    let scratch = scratch();
    scratch.file("a.txt", "a\n");
    for args in [
        &["init", "-q"][..],
        &["config", "user.name", "Ann"],
        &["config", "user.email", "ann@example.org"],
    ] {
        let set_up = std::process::Command::new("git")
            .args(args)
            .current_dir(scratch.work())
            .status();
        assert!(set_up.expect("git starts").success());
    }
    let commit = "git add -A && git commit -qm one";
    work(
        &scratch,
        &[],
        &[
            commit,
            "git checkout -qb side && echo b >>a.txt && git stash -q && git stash pop -q",
            "git log --oneline | grep one && git status --short | grep a.txt && git gc -q",
        ],
    );
}

#[test]
fn python_makes_an_environment_and_installs_into_it() {
    let scratch = scratch();
    scratch.file("package/tiny/__init__.py", "word = 'from tiny'\n");
    let make = "python3 -m venv env && env/bin/pip --version";
    // Without network there is no build backend to fetch: a folder on the path is what is left.
    let add =
        "for d in env/lib/python*/site-packages; do echo \"$PWD/package\" >\"$d/tiny.pth\"; done";
    let run = "env/bin/python -c 'import tiny; print(tiny.word)' | grep 'from tiny'";
    work(&scratch, &[], &[make, add, run]);
}
