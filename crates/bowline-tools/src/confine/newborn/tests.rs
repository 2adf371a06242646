//! What new repositories would start.

use super::*;

#[test]
fn a_configuration_is_known_to_start_nothing_or_set_aside() {
    let check = |text: &str, expect: bool| assert_eq!(is_harmless(text), expect, "{text}");
    check("", true);
    check(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n# note\n[user]\n\tname = a\n\
         [remote \"origin\"]\n\turl = ../x\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
         [branch \"main\"]\n\tremote = origin\n",
        true,
    );
    for text in [
        "[core]\n\tfsmonitor = ./x",
        "[CORE]\n\tHooksPath = x",
        "[core] fsmonitor = ./x",
        "[core]\nbare = false \\\n",
        "fsmonitor = x",
        "[filter \"x\"]\n\tclean = ./x",
        "[alias]\n\tst = !x",
        "[include]\n\tpath = x",
        "[remote \"x\"]\n\turl = ext::./x",
        "[remote \"x\"]\n\tuploadpack = ./x",
        "[submodule \"x\"]\n\tupdate = !x",
        "[core]\n\tbare",
        "[core",
    ] {
        check(text, text.ends_with("bare"));
    }
}

fn repository(own: &Path, config: &str) {
    fs::create_dir_all(own.join("hooks")).unwrap();
    fs::create_dir_all(own.join("objects")).unwrap();
    fs::write(own.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(own.join("config"), config).unwrap();
    fs::write(own.join("hooks/pre-commit.sample"), "").unwrap();
}

#[test]
fn only_new_repositories_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let at = |name: &str| root.join(name);
    let evil = "[core]\n\tfsmonitor = ./x\n";
    repository(&at("known/.git"), evil);
    let survey = |has_more| Survey {
        repositories: survey::repositories(&root).0,
        has_more,
        ..Survey::default()
    };
    let nursery = Nursery::new(vec![root.clone()], &survey(false));
    let overrun = Nursery::new(vec![root.clone()], &survey(true));
    repository(&at(".git"), "[core]\n\tbare = false\n");
    repository(&at("a/b/.git"), evil);
    fs::write(at("a/b/.git/hooks/pre-commit"), "").unwrap();
    // A work tree of a known one, and a file that leads to configuration elsewhere in the workspace.
    fs::create_dir_all(at("known/.git/worktrees/tree")).unwrap();
    fs::write(at("known/.git/worktrees/tree/commondir"), "../..").unwrap();
    fs::create_dir(at("tree")).unwrap();
    fs::write(at("tree/.git"), "gitdir: ../known/.git/worktrees/tree\n").unwrap();
    repository(&at("hidden"), evil);
    fs::create_dir(at("led")).unwrap();
    fs::write(at("led/.git"), "gitdir: ../hidden\n").unwrap();
    assert!(overrun.tame().is_empty());
    let mut aside = nursery.tame();
    aside.sort();
    let expect = [
        "a/b/.git/config.set-aside",
        "a/b/.git/hooks/pre-commit.set-aside",
        "hidden/config.set-aside",
    ];
    assert_eq!(aside, expect.map(at));
    assert!(at("known/.git/config").exists() && at(".git/config").exists());
    assert!(nursery.tame().is_empty());
}
