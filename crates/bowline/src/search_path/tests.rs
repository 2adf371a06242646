//! Which entries of a search path count.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

#[test]
fn only_absolute_folders_count() {
    for (path, kept) in [
        ("", ""),
        (".", ""),
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        (".:/usr/bin", "/usr/bin"),
        ("/usr/bin:", "/usr/bin"),
        ("::/bin", "/bin"),
        ("bin:../x:/bin:~/y", "/bin"),
    ] {
        assert_eq!(absolute_only(path), kept, "{path}");
    }
}

#[test]
fn a_program_in_the_folder_is_passed_over() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().canonicalize().unwrap();
    let (work, bin) = (folder.join("work"), folder.join("bin"));
    for (place, name) in [(&work, "sh"), (&bin, "sh"), (&bin, "plain")] {
        std::fs::create_dir_all(place).unwrap();
        std::fs::write(place.join(name), "").unwrap();
        let mode = if name == "sh" { 0o755 } else { 0o644 };
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.join(name), mode).unwrap();
    }
    std::fs::create_dir(folder.join("links")).unwrap();
    symlink(work.join("sh"), folder.join("links/sh")).unwrap();
    let path = format!(
        ".:{}/links:{}:{}",
        folder.display(),
        work.display(),
        bin.display()
    );
    let not_in = [work.clone()];
    assert_eq!(find("sh", &path, &not_in), Some(bin.join("sh")));
    assert_eq!(find("sh", &path, &[]), Some(folder.join("links/sh")));
    assert_eq!(find("plain", &path, &[]), None);
    assert_eq!(find("./sh", &path, &[]), None);
    assert_eq!(find("sh", ".", &[]), None);
}
