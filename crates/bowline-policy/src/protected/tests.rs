//! Which paths are protected.

use super::*;

#[test]
fn protected_reads() {
    let check = |path: &str, expect: bool| {
        assert_eq!(
            protects_read(path, Some("/u/ann")).is_some(),
            expect,
            "{path}"
        );
    };
    check("/w/.env", true);
    check("/w/deploy/.env.staging", true);
    check("/w/.env.example", false);
    check("/w/.environment", false);
    check("/w/.env/bin/activate", false);
    check("/w/tls/server.pem", true);
    check("/w/tls/server.key", true);
    check("/w/src/key.rs", false);
    check("/w/.npmrc", true);
    check("/w/.netrc", false);
    check("/u/ann/.netrc", true);
    check("/u/ann/.ssh", true);
    check("/u/ann/.ssh/id_ed25519", true);
    check("/u/ann/.sshd/x", false);
    check("/u/ann/.config/gh/hosts.yml", true);
    check("/u/ann/.cargo/credentials.toml", true);
    check("/root/.aws/credentials", true);
    check("/home/bob/.docker/config.json", true);
    check("/w/.bash_history", true);
    check("/u/ann/.local/share/fish/fish_history", true);
    check("/etc/shadow", true);
    check("/etc/passwd", false);
    check("/proc/17/environ", true);
    check("/proc/17/task/17/mem", true);
    check("/proc/meminfo", false);
    check("/run/secrets/db", true);
}

#[test]
fn protected_writes() {
    let check = |path: &str, expect: bool| {
        assert_eq!(protects_write(path).is_some(), expect, "{path}");
    };
    check("/w/.git", true);
    check("/w/.git/info/attributes", true);
    check("/w/sub/.Git/config", true);
    check("/w/.gitignore", false);
    check("/w/build/.keep", false);
    check("/w/.envrc", true);
    check("/w/.mcp.json", true);
    check("/w/.vscode/tasks.json", true);
    check("/w/.github/workflows/ci.yml", true);
    check("/w/.github/dependabot.yml", false);
    check("/w/workflows/ci.yml", false);
    check("/w/.bowline/config.toml", true);
    check("/u/ann/.profile", true);
    check("/w/.bashrc", true);
}

#[test]
fn open_places() {
    let check = |path: &str, expect: bool| assert_eq!(is_open(path), expect, "{path}");
    check("/usr/include/stdio.h", true);
    check("/usr", true);
    check("/usrlocal/x", false);
    check("/etc/os-release", true);
    check("/etc/hosts", false);
}

#[test]
fn what_a_sandbox_hides_is_what_reading_asks_about() {
    let places = secret_places(Some("/u/"));
    assert!(places.contains(&"/u/.ssh".to_owned()) && places.contains(&"/etc/shadow".to_owned()));
    for place in places {
        assert!(protects_read(&place, Some("/u")).is_some(), "{place}");
    }
    for name in protected_names() {
        let is_config = name == ".github/workflows";
        let path = if is_config {
            format!("/w/{name}/x")
        } else {
            format!("/w/{name}")
        };
        assert!(protects_write(&path).is_some(), "{path}");
    }
}

#[test]
fn names_that_are_protected_elsewhere() {
    let check = |path: &str, expect: bool| {
        let found = protects_write(path).or_else(|| protects_read(path, Some("/u/Ann")));
        assert_eq!(found.is_some(), expect, "{path:?}");
    };
    for name in [
        ".GIT",
        ".git.",
        ".git ",
        ".git. .",
        ".g\u{200c}it",
        ".git\u{ad}",
        ".\u{ff47}\u{ff49}\u{ff54}",
        "\u{ff0e}git",
        ".g\u{131}t",
        ".g\u{130}t",
        ".gI\u{307}t",
        ".\u{1d420}\u{1d422}\u{1d42d}",
        "git~1",
        "GIT~1",
        ".git:x",
        "a\\.git",
        "a\u{ff0f}.git",
    ] {
        check(&format!("/w/{name}/config"), true);
    }
    check("/w/.ENV", true);
    check("/w/.ENV.local", true);
    check("/w/.env.example", false);
    // Only the very name is known to hold nothing.
    check("/w/.env.EXAMPLE", true);
    check("/w/.env.example\u{200b}", true);
    check("/w/Host.Key", true);
    check("/u/Ann/.SSH/id", true);
    check("/w/.BashRC", true);
    check("/w/.github/Work\u{fb02}ows/ci.yml", true);
    check("/w/README.md", false);
    check("/w/git/config", false);
    check("/w/a~1", false);
    check("/w/.../x", false);
    check("/w/\u{e9}t\u{e9}.txt", false);
    // Another name on every file system.
    check("/w/.gi\u{442}/config", false);
    check("/w/.github", true);
    check("/w/.github/ISSUE_TEMPLATE/bug.md", false);
}
