//! Placeholders come and go without touching anything else.

use super::*;

#[test]
fn what_was_not_written_goes_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_str().unwrap().to_owned();
    fs::write(at("there"), "").unwrap();
    std::os::unix::fs::symlink(at("target"), at("link")).unwrap();
    let names = [
        "there",
        "link",
        "unused",
        "written",
        "swapped",
        "gone",
        "no/folder",
    ];
    let made = Placeholders::make(&names.map(text));
    let mut paths: Vec<&Path> = made.0.iter().map(|one| one.path.as_path()).collect();
    paths.sort();
    assert_eq!(
        paths,
        [at("gone"), at("swapped"), at("unused"), at("written")]
    );
    assert!(!at("target").exists(), "no link is followed");
    fs::write(at("written"), "x").unwrap();
    fs::remove_file(at("gone")).unwrap();
    fs::write(at("other"), "").unwrap();
    fs::rename(at("other"), at("swapped")).unwrap();
    drop(made);
    let left: Vec<&str> = names.into_iter().filter(|name| at(name).exists()).collect();
    assert_eq!(left, ["there", "written", "swapped"]);
}
