//! Overlays: their places, and how the kernel is told of them.

use super::*;

#[test]
fn commands_at_once_have_overlays_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let caches = ["/home/ann/.npm".to_owned()];
    let first = make(&caches, folder.path()).unwrap();
    let second = make(&caches, folder.path()).unwrap();
    let place = |made: &Made| made.views[0].1.clone();
    assert_ne!(place(&first), place(&second));
    let again = place(&first);
    drop(first);
    // What one command wrote is there for the next.
    assert_eq!(place(&make(&caches, folder.path()).unwrap()), again);
}

#[test]
fn paths_are_told_as_they_are() {
    let check = |path: &str, expect: &str| {
        assert_eq!(escaped(Path::new(path)), expect.as_bytes(), "{path}");
    };
    check("/a/b c", "/a/b c");
    check("/a,b:c\\d", "/a\\,b\\:c\\\\d");
}
