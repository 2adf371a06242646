//! Names that do not change from run to run.

use std::path::PathBuf;

use super::*;

#[test]
fn names_what_differs_by_words() {
    let first = "019b76da-a801-77ed-9150-67450f61d3e4";
    let second = "019b76da-a818-7069-ad03-155f38830c1c";
    let mut namer = Namer::default();
    let mut check = |text: &str, expect: &str| assert_eq!(namer.name(text), expect, "{text}");
    check("state/version", "state/version");
    check(
        &format!("state/sessions/{first}/journal.jsonl"),
        "state/sessions/id1/journal.jsonl",
    );
    check(
        &format!("state/sessions/{first}/spool/{second}.1/claim"),
        "state/sessions/id1/spool/id2.1/claim",
    );
    check(&format!("state/sessions/{second}"), "state/sessions/id2");
    check("work/.bowline-8883c1c0.tmp", "work/.bowline-hash.tmp");
    check("work/.bowline-12345678.tmp", "work/.bowline-number.tmp");
    let hash = "ab".repeat(32);
    check(
        &format!("mailbox/001795639909993-{hash}.json"),
        "mailbox/number-hash.json",
    );
    check(
        &format!("mailbox/.{hash}.31337.0.tmp"),
        "mailbox/.hash.number.0.tmp",
    );
    check("work/mark-12.txt", "work/mark-12.txt");
    check(
        "spool/out.tail.00000000000000065536",
        "spool/out.tail.number",
    );
}

#[test]
fn counts_each_call_on_each_file() {
    let mut namer = Namer::default();
    let mut check = |kind: Kind, path: &str, descriptor: Option<u64>, edge: Edge, expect: &str| {
        let act = Act {
            kind,
            path: PathBuf::from(path),
            to: None,
            descriptor,
            bytes: (0, 0),
            offset: None,
            empties: false,
        };
        let point = namer.point(Path::new("/arena"), &act, edge);
        let told = point.map_or(String::new(), |point| point.to_string());
        assert_eq!(told, expect, "{kind:?} {path} {edge:?}");
    };
    use Edge::{After, Before};
    check(
        Kind::Write,
        "/arena/state/head",
        Some(9),
        Before,
        "write state/head #1",
    );
    check(Kind::Write, "/arena/state/head", Some(9), After, "");
    check(
        Kind::Sync,
        "/arena/state/head",
        Some(9),
        Before,
        "fsync state/head #1",
    );
    check(
        Kind::Write,
        "/arena/state/head",
        Some(9),
        Before,
        "write state/head #2",
    );
    check(
        Kind::Rename,
        "/arena/work/a",
        None,
        Before,
        "rename work/a #1",
    );
    check(
        Kind::Rename,
        "/arena/work/a",
        None,
        After,
        "rename done work/a #1",
    );
    check(Kind::Spawn, "", None, After, "spawn done keeper #1");
    check(Kind::Write, "/elsewhere/file", Some(9), Before, "");
    check(Kind::Write, "pipe:[7]", Some(1), Before, "");
    check(Kind::Write, "pipe:[7]", Some(9), Before, "write order #1");
    check(
        Kind::Write,
        "pipe:[7]",
        Some(9),
        After,
        "write done order #1",
    );
    check(Kind::Sync, "/arena", Some(9), Before, "fsync . #1");
    check(Kind::Write, "anon_inode:[eventfd]", Some(9), Before, "");
    check(Kind::Create, "/arena/work/a", None, Before, "");
}
