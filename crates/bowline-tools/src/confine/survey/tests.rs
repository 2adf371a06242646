//! What is found to be protected, in folders as they come.

use std::os::unix::fs::symlink;

use super::*;

const NAMES: [&str; 5] = [
    ".git/hooks",
    ".git/config",
    ".git/commondir",
    ".envrc",
    ".github/workflows",
];

/// Surveys a folder that `make` has filled; what is there and what is watched, relative to it.
fn surveyed(make: impl FnOnce(&Path)) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    make(&root);
    let profile = Profile {
        writable: vec![root.to_str().unwrap().to_owned()],
        protected: NAMES.map(str::to_owned).to_vec(),
        granted: vec![format!("{}/granted", root.display())],
        ..Profile::default()
    };
    let Survey { there, watched, .. } = survey(&profile);
    let below = |path: PathBuf| {
        path.strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let there = there
        .into_iter()
        .map(|(folder, name)| below(folder.join(name)));
    let watched = watched.into_iter().map(|one| {
        let mut text = below(one.folder.join(one.name));
        if let Some(link) = one.link {
            text.push_str(&format!(" -> {}", link.display()));
        }
        text
    });
    (there.collect(), watched.collect())
}

fn repository(own: &Path) {
    fs::create_dir_all(own.join("objects")).unwrap();
    fs::write(own.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(own.join("config"), "").unwrap();
}

#[test]
fn names_are_there_or_watched() {
    let check = |make: fn(&Path), there: &[&str], watched: &[&str]| {
        let (found, missing) = surveyed(make);
        assert_eq!(found, there);
        assert_eq!(missing, watched);
    };
    let plain = [".envrc", ".github/workflows"];
    // A repository may be made in a workspace that has none.
    check(|_| {}, &[], &plain);
    check(
        |root| fs::write(root.join(".envrc"), "").unwrap(),
        &[".envrc"],
        &plain[1..],
    );
    check(
        |root| symlink("elsewhere", root.join(".envrc")).unwrap(),
        &[".envrc"],
        &[".envrc -> elsewhere", ".github/workflows"],
    );
    // The hooks' folder is made, since git makes it too.
    check(
        |root| repository(&root.join(".git")),
        &[".git/hooks", ".git/config"],
        &[".git/commondir", ".envrc", ".github/workflows"],
    );
    // What only looks like a repository is left as it is.
    check(
        |root| fs::create_dir(root.join(".git")).unwrap(),
        &[],
        &[
            ".git/hooks",
            ".git/config",
            ".git/commondir",
            ".envrc",
            ".github/workflows",
        ],
    );
    // A work tree whose repository is elsewhere.
    check(
        |root| fs::write(root.join(".git"), "gitdir: /elsewhere").unwrap(),
        &[".git"],
        &plain,
    );
    // Repositories below, and those of submodules.
    check(
        |root| {
            repository(&root.join("a/b/.git"));
            repository(&root.join("a/b/.git/modules/c"));
            repository(&root.join("node_modules/x/.git"));
        },
        &[
            "a/b/.git/hooks",
            "a/b/.git/config",
            "a/b/.git/modules/c/hooks",
            "a/b/.git/modules/c/config",
        ],
        &[
            "a/b/.git/commondir",
            "a/b/.git/modules/c/commondir",
            ".envrc",
            ".github/workflows",
        ],
    );
    // The workspace is a repository's own folder.
    check(
        repository,
        &["hooks", "config"],
        &["commondir", ".envrc", ".github/workflows"],
    );
}

#[test]
fn what_is_granted_is_not_watched() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let check = |granted: &str, expect: usize| {
        let profile = Profile {
            writable: vec![root.to_str().unwrap().to_owned()],
            protected: vec![".github/workflows".to_owned()],
            granted: vec![root.join(granted).to_str().unwrap().to_owned()],
            ..Profile::default()
        };
        assert_eq!(survey(&profile).watched.len(), expect, "{granted}");
    };
    check(".github", 0);
    check(".github/workflows", 0);
    check(".github/workflows/ci.yml", 0);
    check("other", 1);
}

#[test]
fn the_search_for_repositories_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..60 {
        repository(&folder.path().join(format!("{number}/.git")));
    }
    let mut found = Vec::new();
    let mut looks = 0;
    nested(folder.path(), DEPTH_MAX, &mut found, &mut looks);
    assert!(found.len() <= NESTED_MAX + 1 && looks <= LOOKS_MAX);
}
