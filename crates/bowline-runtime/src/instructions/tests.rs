//! Instruction files of real folders.

use std::collections::BTreeSet;
use std::path::Path;

use super::{DEPTH_MAX, Instructions, TOTAL_BYTES_MAX, Whose, beneath, gather, imports};

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn names(found: &Instructions) -> Vec<&str> {
    found.files.iter().map(|file| file.name.as_str()).collect()
}

fn left_out(found: &Instructions) -> Vec<&str> {
    found.left_out.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn a_persons_own_come_first_then_from_the_root_inwards() {
    let place = tempfile::tempdir().unwrap();
    let (user, root) = (place.path().join("user"), place.path().join("project"));
    write(&user, "AGENTS.md", "mine");
    write(&root, ".git/HEAD", "");
    write(&root, "AGENTS.md", "the root's");
    write(&root, "CLAUDE.md", "the root's other");
    write(&root, "a/CLAUDE.md", "of a");
    write(&root, "a/b/AGENTS.md", "of b");
    write(&root, "a/b/CLAUDE.md", "of b");
    write(&root, "a/c/AGENTS.md", "of another folder");
    write(place.path(), "AGENTS.md", "above the root");
    let found = gather(Some(&user), &root.join("a/b"));
    let own = user.join("AGENTS.md").display().to_string();
    assert_eq!(
        names(&found),
        [
            own.as_str(),
            "../../AGENTS.md",
            "../../CLAUDE.md",
            "../CLAUDE.md",
            "AGENTS.md"
        ]
    );
    assert_eq!(found.files[0].whose, Whose::User);
    assert_eq!(found.files[1].whose, Whose::Project);
    assert_eq!(found.left_out, []);
    // Without a repository only the folder itself counts.
    let alone = tempfile::tempdir().unwrap();
    write(alone.path(), "AGENTS.md", "above");
    write(alone.path(), "in/AGENTS.md", "inside");
    assert_eq!(
        gather(None, &alone.path().join("in")).files[0].text,
        "inside"
    );
}

#[test]
fn imports_are_read_once_and_never_from_elsewhere() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("project");
    write(&root, ".git/HEAD", "");
    write(place.path(), "outside.md", "not to be read");
    write(&root, ".env.md", "SECRET=1");
    write(&root, "docs/style.md", "see @more.txt and @../AGENTS.md");
    write(&root, "docs/more.txt", "more");
    std::os::unix::fs::symlink("../../outside.md", root.join("docs/link.md")).unwrap();
    let text = "See @docs/style.md, and @docs/style.md again.\n`@docs/code.md`\n```\n@docs/fenced.md\n```\n\
                @../outside.md @/etc/passwd.txt @~/notes.md @.env.md @docs/link.md @docs/gone.md\n\
                Ask @somebody at me@example.md";
    write(&root, "AGENTS.md", text);
    let found = gather(None, &root);
    assert_eq!(
        names(&found),
        ["AGENTS.md", "docs/style.md", "docs/more.txt"]
    );
    assert_eq!(found.files[2].imported_by.as_deref(), Some("docs/style.md"));
    assert_eq!(
        left_out(&found),
        [
            "../outside.md",
            "/etc/passwd.txt",
            "~/notes.md",
            ".env.md",
            "docs/link.md",
            "docs/gone.md"
        ]
    );
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let place = tempfile::tempdir().unwrap();
    let fifo = place.path().join("AGENTS.md");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    std::os::unix::fs::symlink("/etc/hostname", place.path().join("CLAUDE.md")).unwrap();
    let found = gather(None, place.path());
    assert_eq!(found.files, []);
    assert_eq!(left_out(&found), ["AGENTS.md", "CLAUDE.md"]);
}

#[test]
fn depth_and_size_have_caps() {
    let place = tempfile::tempdir().unwrap();
    for n in 0..9 {
        write(
            place.path(),
            &format!("f{n}.md"),
            &format!("@f{}.md of {n}", n + 1),
        );
    }
    write(place.path(), "AGENTS.md", "@f0.md");
    let found = gather(None, place.path());
    assert_eq!(found.files.len(), DEPTH_MAX + 1);
    assert_eq!(left_out(&found), ["f5.md"]);

    let large = "x".repeat(TOTAL_BYTES_MAX / 3 - 9);
    let place = tempfile::tempdir().unwrap();
    write(place.path(), ".git/HEAD", "");
    for (n, folder) in [".", "a", "a/b", "a/b/c"].into_iter().enumerate() {
        write(
            place.path(),
            &format!("{folder}/AGENTS.md"),
            &format!("{n}{large}"),
        );
    }
    let found = gather(None, &place.path().join("a/b/c"));
    assert_eq!(
        names(&found),
        ["../../AGENTS.md", "../AGENTS.md", "AGENTS.md"]
    );
    assert_eq!(left_out(&found), ["../../../AGENTS.md"]);
}

#[test]
fn a_word_that_names_no_text_imports_nothing() {
    for (text, expect) in [
        ("@a.md", &["a.md"][..]),
        ("(@b/c.txt)", &[]),
        ("see @b/c.txt)", &["b/c.txt"]),
        ("@types/node @me @key.pem @.env", &[]),
        ("~~~\n@a.md\n~~~\n@b.md", &["b.md"]),
    ] {
        assert_eq!(imports::of(text), expect, "{text}");
    }
}

#[test]
fn folders_beside_the_way_are_read_and_those_on_it_are_not() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("project");
    write(&root, ".git/HEAD", "");
    for folder in [".", "a", "a/b", "a/b/c", "a/d", "a/.e", "f/g"] {
        write(&root, &format!("{folder}/AGENTS.md"), folder);
    }
    write(place.path(), "AGENTS.md", "above the root");
    for (touched, expect) in [
        ("project/a/b", &[][..]),
        ("project", &[]),
        (".", &[]),
        ("project/a/b/c", &["c/AGENTS.md"]),
        ("project/a/b/c/gone", &["c/AGENTS.md"]),
        ("project/a/d", &["../d/AGENTS.md"]),
        ("project/a/.e", &[]),
        ("project/f/g", &["../../f/g/AGENTS.md"]),
        ("project/f/../../..", &[]),
    ] {
        let folder = place.path().join(touched);
        let found = beneath(&root.join("a/b"), &BTreeSet::from([folder]));
        assert_eq!(names(&found), expect, "{touched}");
        assert_eq!(found.left_out, [], "{touched}");
    }
    let name = "../../f/g/AGENTS.md";
    assert_eq!(
        super::place(&root.join("a/b"), name),
        root.join("f/g/AGENTS.md")
    );
}
