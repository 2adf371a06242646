//! What is read of a project, and what changes its hash.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(PROJECT_FOLDER).join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn content(folder: &Path) -> Option<Digest> {
    ProjectFiles::read(folder).unwrap().content
}

#[test]
fn nothing_there_is_nothing_to_trust() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(content(folder.path()), None);
    std::fs::create_dir_all(folder.path().join(".bowline/empty")).unwrap();
    assert_eq!(content(folder.path()), None);
}

#[test]
fn every_byte_name_file_and_link_counts_and_nothing_else_does() {
    type Change = (&'static str, fn(&Path));
    let changes: [Change; 10] = [
        ("a byte", |f| write(f, "config.toml", "mode = \"edis\"\n")),
        ("a byte more", |f| {
            write(f, "config.toml", "mode = \"edit\"\n\n")
        }),
        ("a file more", |f| write(f, "rules.toml", "")),
        ("a file less", |f| {
            std::fs::remove_file(f.join(".bowline/hooks/start")).unwrap();
        }),
        ("another name", |f| {
            let at = f.join(".bowline/hooks");
            std::fs::rename(at.join("start"), at.join("stop")).unwrap();
        }),
        ("another folder", |f| {
            std::fs::rename(f.join(".bowline/hooks"), f.join(".bowline/hook")).unwrap();
        }),
        ("a folder more", |f| {
            std::fs::create_dir(f.join(".bowline/more")).unwrap();
        }),
        ("a link more", |f| {
            symlink("config.toml", f.join(".bowline/z")).unwrap()
        }),
        ("a link elsewhere", |f| {
            std::fs::remove_file(f.join(".bowline/link")).unwrap();
            symlink("/etc/hosts", f.join(".bowline/link")).unwrap();
        }),
        ("a file for a link", |f| {
            std::fs::remove_file(f.join(".bowline/link")).unwrap();
            write(f, "link", "/etc/passwd");
        }),
    ];
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "config.toml", "mode = \"edit\"\n");
        write(folder.path(), "hooks/start", "#!/bin/sh\n");
        symlink("/etc/passwd", folder.path().join(".bowline/link")).unwrap();
        folder
    };
    let before = content(make().path());
    assert!(before.is_some());
    assert_eq!(content(make().path()), before, "the same in another place");
    for (what, change) in changes {
        let folder = make();
        change(folder.path());
        assert_ne!(content(folder.path()), before, "{what}");
    }
    let folder = make();
    std::fs::write(folder.path().join("AGENTS.md"), "text").unwrap();
    write(&folder.path().join("sub"), "config.toml", "");
    assert_eq!(content(folder.path()), before, "what lies elsewhere");
}

#[test]
fn a_link_is_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "config.toml", "mode = \"full\"\n");
    symlink(
        outside.path().join(".bowline"),
        folder.path().join(".bowline"),
    )
    .unwrap();
    let error = ProjectFiles::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("not followed"), "{error}");
    std::fs::remove_file(folder.path().join(".bowline")).unwrap();
    std::fs::create_dir(folder.path().join(".bowline")).unwrap();
    let target = outside.path().join(".bowline/config.toml");
    symlink(target, folder.path().join(".bowline/config.toml")).unwrap();
    let error = ProjectFiles::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("not followed"), "{error}");
}

#[test]
fn what_is_no_file_or_too_much_cannot_be_trusted() {
    let fifo = |path: &Path| {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    };
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "config.toml", "mode = \"edit\"\n");
    fifo(&folder.path().join(".bowline/pipe"));
    let read = ProjectFiles::read(folder.path()).unwrap();
    assert_eq!(read.content, None);
    assert!(read.untrustable.unwrap().contains("pipe is not a file"));
    assert!(
        read.files
            .iter()
            .any(|file| file.path.ends_with("config.toml"))
    );

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".bowline")).unwrap();
    fifo(&folder.path().join(".bowline/config.toml"));
    let error = ProjectFiles::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("is not a file"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    for number in 0..=ENTRIES_MAX {
        write(folder.path(), &format!("a{number}"), "");
    }
    write(folder.path(), "config.toml", "mode = \"read-only\"\n");
    let read = ProjectFiles::read(folder.path()).unwrap();
    assert_eq!(read.content, None);
    assert!(read.untrustable.is_some());
    assert!(
        read.bytes(PROJECT_CONFIG).is_some(),
        "what tightens is read"
    );

    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "big", &"x".repeat(1 << 20 | 1));
    let read = ProjectFiles::read(folder.path()).unwrap();
    assert!(read.untrustable.unwrap().contains("larger than 1 MiB"));
}
