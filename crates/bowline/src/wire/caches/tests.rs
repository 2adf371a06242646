//! Which folders count as caches.

use super::*;

#[test]
fn caches_that_are_there_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().canonicalize().unwrap();
    let text = |name: &str| home.join(name).to_str().unwrap().to_owned();
    for name in [
        ".cargo/registry",
        ".cache/go-build",
        "real/npm",
        "elsewhere/pip",
    ] {
        std::fs::create_dir_all(home.join(name)).unwrap();
    }
    std::fs::write(home.join(".gradle"), "no folder").unwrap();
    std::os::unix::fs::symlink("real/npm", home.join(".npm")).unwrap();
    let named = ["elsewhere/pip", ".cargo/registry", "absent"].map(|name| home.join(name));
    let check = |roots: &[&str], expect: &[&str]| {
        let roots: Vec<String> = roots.iter().map(|root| text(root)).collect();
        let relative = PathBuf::from("relative");
        let named = named.iter().cloned().chain([relative]);
        let expect: Vec<String> = expect.iter().map(|name| text(name)).collect();
        assert_eq!(found(home.to_str(), named, &roots), expect, "{roots:?}");
    };
    check(
        &["work"],
        &[".cache", ".cargo", "elsewhere/pip", "real/npm"],
    );
    check(
        &[".cargo/registry/src"],
        &[".cache", "elsewhere/pip", "real/npm"],
    );
    check(&["real"], &[".cache", ".cargo", "elsewhere/pip"]);
    check(&["."], &[]);
    assert!(found(None, std::iter::empty(), &[]).is_empty());
}
