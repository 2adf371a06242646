//! Comparing generated documents with committed ones.

use super::{GENERATED, differences};
use crate::tree::Tree;

fn check(committed: &str, expect: &[&str]) {
    let generated = GENERATED
        .iter()
        .map(|name| ((*name).to_owned(), "one\ntwo\n".to_owned()))
        .collect();
    let paths: Vec<String> = GENERATED
        .iter()
        .map(|name| format!("docs/{name}"))
        .collect();
    let mut files: Vec<(&str, &str)> = paths
        .iter()
        .map(|path| (path.as_str(), "one\ntwo\n"))
        .collect();
    for (path, text) in &mut files {
        if *path == "docs/cli.md" {
            *text = committed;
        }
    }
    assert_eq!(differences(&generated, &Tree::of(&files)).lines(), expect);
}

#[test]
fn only_what_differs_is_told() {
    check("one\ntwo\n", &[]);
    check("one\n2\n", &["docs/cli.md:2: is not what the program says"]);
    check("one\n", &["docs/cli.md:2: is not what the program says"]);
}

#[test]
fn a_document_that_is_missing_on_either_side_is_told() {
    let tree = Tree::of(&[]);
    let generated = [("cli.md".to_owned(), String::new())].into();
    let lines = differences(&generated, &tree).lines();
    assert!(
        lines.contains(&"docs/cli.md: is missing".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"docs/config.md: the program does not generate this document".to_owned()),
        "{lines:?}"
    );
}
