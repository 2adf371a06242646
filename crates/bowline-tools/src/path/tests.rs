//! What paths lead to, and that nothing else is opened.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::CWD;

use super::*;

/// A folder with files, links and a loop; `{}` in expectations stands for it.
fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("w/sub")).unwrap();
    fs::create_dir_all(at("out/deep")).unwrap();
    fs::write(at("w/file"), "x").unwrap();
    fs::write(at("out/secret"), "x").unwrap();
    symlink("../out", at("w/folder-link")).unwrap();
    symlink(at("out/secret"), at("w/file-link")).unwrap();
    symlink("folder-link/deep/../secret", at("w/link-to-link")).unwrap();
    symlink("nowhere/at/all", at("w/dangling")).unwrap();
    symlink("loop-b", at("w/loop-a")).unwrap();
    symlink("loop-a", at("w/loop-b")).unwrap();
    fs::hard_link(at("w/file"), at("w/second-name")).unwrap();
    rustix::fs::mkfifoat(CWD, at("w/fifo"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    dir
}

/// Holds paths against what they lead to; `{}` stands for the folder of the case.
fn check_all(cases: &[(&str, &str, &str, PathKind)]) {
    let dir = place();
    let root = fs::canonicalize(dir.path()).unwrap();
    for (asked, resolved, by_name, kind) in cases {
        let fact = locate(asked, &root.join("w")).unwrap();
        let whole = |text: &str| text.replace("{}", root.to_str().unwrap());
        assert_eq!(fact.resolved, whole(resolved), "{asked}");
        assert_eq!(fact.by_name, whole(by_name), "{asked}");
        assert_eq!(fact.kind, *kind, "{asked}");
        assert_eq!(fact.asked, *asked);
    }
}

#[test]
fn follows_links_component_by_component() {
    use PathKind::{File, Missing};
    check_all(&[
        ("file-link", "{}/out/secret", "{}/w/file-link", File),
        (
            "folder-link/secret",
            "{}/out/secret",
            "{}/w/folder-link/secret",
            File,
        ),
        (
            "folder-link/new/file",
            "{}/out/new/file",
            "{}/w/folder-link/new/file",
            Missing,
        ),
        // The kernel's `..` leaves what a link led to; the name's `..` leaves the link.
        ("folder-link/../w/file", "{}/w/file", "{}/w/w/file", File),
        ("link-to-link", "{}/out/secret", "{}/w/link-to-link", File),
        ("dangling", "{}/w/nowhere/at/all", "{}/w/dangling", Missing),
    ]);
}

#[test]
fn takes_paths_without_links_by_name() {
    use PathKind::{File, Folder, Missing, Special};
    check_all(&[
        ("file", "{}/w/file", "{}/w/file", File),
        ("./sub//../file", "{}/w/file", "{}/w/file", File),
        (".", "{}/w", "{}/w", Folder),
        ("sub/", "{}/w/sub", "{}/w/sub", Folder),
        ("../out/secret", "{}/out/secret", "{}/out/secret", File),
        (
            "new/deep/file",
            "{}/w/new/deep/file",
            "{}/w/new/deep/file",
            Missing,
        ),
        ("new/../file", "{}/w/file", "{}/w/file", File),
        ("file/below", "{}/w/file/below", "{}/w/file/below", Missing),
        ("fifo", "{}/w/fifo", "{}/w/fifo", Special),
        ("/dev/null", "/dev/null", "/dev/null", Special),
        ("/../../dev", "/dev", "/dev", Folder),
        ("~x", "{}/w/~x", "{}/w/~x", Missing),
    ]);
}

#[test]
fn counts_the_names_of_a_file() {
    let dir = place();
    let links = |asked: &str| locate(asked, &dir.path().join("w")).unwrap().links;
    assert_eq!(links("second-name"), 2);
    assert_eq!(links("file-link"), 1);
    assert_eq!(links("sub"), 1);
    assert_eq!(links("none"), 0);
}

#[test]
fn says_why_a_path_is_of_no_use() {
    let dir = place();
    let check = |asked: &str, expect: &str| {
        let error = locate(asked, &dir.path().join("w")).unwrap_err().message;
        assert!(error.contains(expect), "{asked:?}: {error}");
    };
    check("", "\"path\" is empty");
    check("a\0b", "NUL");
    check("~", "`~` is not expanded");
    check("~/x", "write the whole path");
    check("loop-a", "form a loop");
    check("loop-b/x", "form a loop");
}

#[test]
fn opens_only_what_was_judged() {
    use super::open::{OpenError, file, folder, folder_made, step_by_step};
    let dir = place();
    let root = fs::canonicalize(dir.path()).unwrap();
    let check = |name: &str, expect: Result<(), OpenError>| {
        assert_eq!(file(&root.join(name)).map(drop), expect, "{name}");
        let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
        let slow = step_by_step(&root.join(name), flags).map(drop);
        let by_kind = matches!(expect, Err(OpenError::Folder | OpenError::Special(_)));
        assert_eq!(
            slow,
            if by_kind { Ok(()) } else { expect },
            "step by step: {name}"
        );
    };
    check("w/file", Ok(()));
    check("w/none", Err(OpenError::Missing));
    check("w/sub", Err(OpenError::Folder));
    check("w/fifo", Err(OpenError::Special("FIFO")));
    check("w/file/below", Err(OpenError::NotFolder));
    check("w/file-link", Err(OpenError::Changed));
    check("w/folder-link/secret", Err(OpenError::Changed));
    check("w/dangling", Err(OpenError::Changed));
    assert_eq!(
        file(Path::new("/dev/null")).map(drop),
        Err(OpenError::Special("device"))
    );
    assert_eq!(
        folder(&root.join("w/file")).map(drop),
        Err(OpenError::NotFolder)
    );
    assert_eq!(
        folder(&root.join("w/folder-link")).map(drop),
        Err(OpenError::Changed)
    );
    assert_eq!(
        folder_made(&root.join("w/folder-link/new")).map(drop),
        Err(OpenError::Changed)
    );
    assert!(!root.join("out/new").exists());
    folder_made(&root.join("w/a/b/c")).unwrap();
    assert!(root.join("w/a/b/c").is_dir());
}
