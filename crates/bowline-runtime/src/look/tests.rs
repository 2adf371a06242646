//! Tests of looking at a real disk.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.display().to_string()
    }
}

fn scratch() -> Scratch {
    let scratch = Scratch(tempfile::tempdir().unwrap());
    fs::write(scratch.path("run.sh"), "git push\n").unwrap();
    fs::write(scratch.path(".hidden.sh"), "").unwrap();
    fs::create_dir(scratch.path("src")).unwrap();
    symlink("/etc", scratch.path("link")).unwrap();
    scratch
}

#[test]
fn each_kind_is_told_and_links_are_not_followed() {
    let scratch = scratch();
    let check = |name: &str, expect: Seen| {
        assert_eq!(Disk.at(&scratch.path(name)), expect, "{name}");
    };
    check("run.sh", Seen::File);
    check("src", Seen::Folder);
    check("link", Seen::Link("/etc".to_owned()));
    check("nothing", Seen::Missing);
    check("run.sh/below", Seen::Missing);
    assert_eq!(Disk.at("/dev/null"), Seen::Special);
    assert_eq!(Disk.at("/\0"), Seen::Unknown);
}

#[test]
fn globs_come_to_names_by_the_rules_of_bash() {
    let scratch = scratch();
    let names = |pattern: &str| Disk.names(&scratch.path(""), pattern);
    assert_eq!(names("*.sh"), Some(vec!["run.sh".to_owned()]));
    assert_eq!(names(".*.sh"), Some(vec![".hidden.sh".to_owned()]));
    assert_eq!(names("x*"), Some(Vec::new()));
    assert_eq!(Disk.names(&scratch.path("run.sh"), "*"), None);
    for number in 0..=NAMES_MAX {
        fs::write(scratch.path(&format!("many{number}")), "").unwrap();
    }
    assert_eq!(names("many*"), None, "too many");
}

#[test]
fn only_short_regular_text_is_read() {
    let scratch = scratch();
    let read = |name: &str| Disk.content(&scratch.path(name));
    assert_eq!(read("run.sh").as_deref(), Some("git push\n"));
    symlink("run.sh", scratch.path("alias")).unwrap();
    assert_eq!(read("alias"), None, "a link is not followed");
    fs::write(scratch.path("long"), "x".repeat(CONTENT_BYTES_MAX + 1)).unwrap();
    fs::write(scratch.path("bytes"), b"\xff\xfe").unwrap();
    let fifo = scratch.path("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    for name in ["long", "bytes", "fifo", "src", "nothing"] {
        assert_eq!(read(name), None, "{name}");
    }
}
