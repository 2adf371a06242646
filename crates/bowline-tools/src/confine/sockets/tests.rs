//! Reading the kernel's list of sockets.

use super::*;

#[test]
fn only_what_can_be_reached_by_name_is_taken() {
    let check = |line: &str, expect: Option<&str>| {
        assert_eq!(name(line), expect.map(PathBuf::from), "{line}");
    };
    let head = "0000000079473db4: 00000002 00000000";
    check(
        &format!("{head} 00010000 0001 01  1145 /home/ann/a socket"),
        Some("/home/ann/a socket"),
    );
    check(
        &format!("{head} 00000000 0002 01 24 /dev/log"),
        Some("/dev/log"),
    );
    check(
        &format!("{head} 00000000 0001 03 24 /home/ann/connected"),
        None,
    );
    check(&format!("{head} 00010000 0001 01 24 @abstract"), None);
    check(&format!("{head} 00010000 0001 01 24 relative"), None);
    check(&format!("{head} 00010000 0001 01 24"), None);
    check(
        "Num       RefCount Protocol Flags    Type St Inode Path",
        None,
    );
    check("", None);
}

#[test]
fn a_socket_that_is_listened_on_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("socket");
    assert!(!reachable().contains(&path));
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(reachable().contains(&path));
}
