//! Known sequences, and what may be left of them.

use std::collections::BTreeSet;

use super::*;

const WORK: Inode = 1;
const FILE: Inode = 2;
const OTHER: Inode = 3;

fn name(name: &str, inode: Inode) -> Step {
    Step::Change(Change::Name {
        folder: WORK,
        name: name.to_owned(),
        now: Some(inode),
    })
}

fn gone(name: &str) -> Step {
    Step::Change(Change::Name {
        folder: WORK,
        name: name.to_owned(),
        now: None,
    })
}

fn renamed(from: &str, to: &str, inode: Inode) -> Step {
    Step::Change(Change::Renamed {
        folder: WORK,
        from: from.to_owned(),
        to: to.to_owned(),
        inode,
    })
}

fn bytes(file: Inode, offset: usize, text: &str) -> Step {
    Step::Change(Change::Bytes {
        file,
        offset,
        bytes: text.as_bytes().to_vec(),
    })
}

/// Every file with a name, as `name=content`.
fn listing(image: &Image) -> String {
    let mut files = Vec::new();
    image.walk(WORK, &mut |path, content| {
        let text = String::from_utf8_lossy(content.unwrap_or_default()).into_owned();
        files.push(format!("{path}={}", text.replace('\0', "0")));
    });
    files.join(" ")
}

fn left(steps: &[Step], survive: Survive) -> String {
    listing(&Image::after(&[("work", WORK)], steps, survive))
}

/// Everything that any of many subsets leaves.
fn ever_left(steps: &[Step]) -> BTreeSet<String> {
    (0..400)
        .map(|seed| left(steps, Survive::Some(seed)))
        .collect()
}

#[test]
fn leaves_what_was_synced_and_any_part_of_the_rest() {
    let check = |what: &str, steps: &[Step], expect: &[&str]| {
        let expect: BTreeSet<String> = expect.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(ever_left(steps), expect, "{what}");
    };
    let synced = [
        name("a", FILE),
        bytes(FILE, 0, "x"),
        Step::Sync(FILE),
        Step::Sync(WORK),
    ];
    check("all synced", &synced, &["a=x"]);
    check(
        "the file is synced, its name is not",
        &[name("a", FILE), bytes(FILE, 0, "x"), Step::Sync(FILE)],
        &["", "a=x"],
    );
    check(
        "the name is synced, the file is not",
        &[name("a", FILE), bytes(FILE, 0, "x"), Step::Sync(WORK)],
        &["a=", "a=x"],
    );
    check(
        "what comes after a sync is not covered by it",
        &[&synced[..], &[bytes(FILE, 1, "y")]].concat(),
        &["a=x", "a=xy"],
    );
    check(
        "writes survive in any order",
        &[&synced[..], &[bytes(FILE, 1, "y"), bytes(FILE, 2, "z")]].concat(),
        &["a=x", "a=xy", "a=x0z", "a=xyz"],
    );
    check(
        "a name that goes",
        &[&synced[..], &[gone("a")]].concat(),
        &["", "a=x"],
    );
    check(
        "a rename in place of a file",
        &[
            &synced[..],
            &[
                name("b", OTHER),
                bytes(OTHER, 0, "n"),
                Step::Sync(OTHER),
                renamed("b", "a", OTHER),
            ],
        ]
        .concat(),
        &["a=x", "a=x b=n", "a=n"],
    );
    check(
        "a rename before its bytes are synced",
        &[
            &synced[..],
            &[
                name("b", OTHER),
                bytes(OTHER, 0, "n"),
                renamed("b", "a", OTHER),
                Step::Sync(WORK),
            ],
        ]
        .concat(),
        &["a=", "a=n"],
    );
}

#[test]
fn tears_at_sectors_and_nowhere_else() {
    let long = "p".repeat(300);
    let steps = [
        name("a", FILE),
        bytes(FILE, 0, &long),
        Step::Sync(FILE),
        Step::Sync(WORK),
        bytes(FILE, 300, &"q".repeat(500)),
    ];
    // The write lies in two sectors: 212 bytes of the first, 288 of the second.
    let (first, second) = ("q".repeat(212), "q".repeat(288));
    let expect: BTreeSet<String> = [
        format!("a={long}"),
        format!("a={long}{first}"),
        format!("a={long}{}{second}", "0".repeat(212)),
        format!("a={long}{first}{second}"),
    ]
    .into();
    assert_eq!(ever_left(&steps), expect);
}

#[test]
fn a_folder_goes_with_all_that_was_synced_in_it() {
    let made = [
        Step::Folder(OTHER),
        name("f", OTHER),
        Step::Change(Change::Name {
            folder: OTHER,
            name: "a".to_owned(),
            now: Some(FILE),
        }),
        bytes(FILE, 0, "x"),
        Step::Sync(FILE),
        Step::Sync(OTHER),
    ];
    let check = |steps: &[Step], expect: [&str; 2]| {
        let expect: BTreeSet<String> = expect.map(str::to_owned).into();
        assert_eq!(ever_left(steps), expect);
    };
    check(&made, ["", "f= f/a=x"]);
    check(&made[..2], ["", "f="]);
}

#[test]
fn keeps_one_kind_of_change_when_told_so() {
    let steps = [name("a", FILE), bytes(FILE, 0, "x")];
    let check = |survive: Survive, expect: &str| {
        assert_eq!(left(&steps, survive), expect, "{survive:?}");
    };
    check(Survive::All, "a=x");
    check(Survive::Nothing, "");
    check(Survive::Names, "a=");
    check(Survive::Bytes, "");
}

#[test]
fn tells_images_apart() {
    let image = |steps: &[Step]| Image::after(&[("work", WORK)], steps, Survive::All);
    let first = image(&[name("a", FILE), bytes(FILE, 0, "x")]);
    let same = image(&[name("a", OTHER), bytes(OTHER, 0, "x"), bytes(FILE, 0, "y")]);
    let other = image(&[name("a", FILE), bytes(FILE, 0, "z")]);
    assert_eq!(first.fingerprint(), same.fingerprint());
    assert_ne!(first.fingerprint(), other.fingerprint());
}
