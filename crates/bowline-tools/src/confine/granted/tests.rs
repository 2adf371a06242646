//! Empty files come and go.

use super::*;

#[test]
fn what_a_command_leaves_empty_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old"), "").unwrap();
    fs::create_dir(path("work")).unwrap();
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let profile = Profile {
        writable: vec![text("work")],
        granted: ["old", "new", "empty", "work/new", "absent/new"]
            .map(text)
            .to_vec(),
        ..Profile::default()
    };
    let made = Placeholders::make(&profile);
    assert!(path("new").exists() && path("empty").exists());
    assert!(!path("work/new").exists() && !path("absent").exists());
    fs::write(path("new"), "x").unwrap();
    drop(made);
    assert!(path("old").exists() && path("new").exists() && !path("empty").exists());
}
