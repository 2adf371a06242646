//! Signs of a denial, and what the model is told.

use bowline_core::{Network, Profile};

use super::*;

#[test]
fn signs() {
    let check = |output: &str, expect: bool| assert_eq!(is_likely(output), expect, "{output}");
    check("bash: /etc/x: Read-only file system", true);
    check("EROFS: read-only file system, open 'x'", true);
    check("cat: /home/ann/.ssh/id: Permission denied", true);
    check("mount: Operation not permitted", true);
    check("curl: (6) Could not resolve host: example.org", true);
    check("connect: Network is unreachable", true);
    check("bwrap: Can't chdir to /x", true);
    check("error[E0308]: mismatched types", false);
    check("", false);
}

#[test]
fn the_sentence_names_the_limits() {
    let check = |backend, network, expect: [&str; 2]| {
        let profile = Profile {
            writable: vec!["/w".to_owned(), "/x".to_owned()],
            network,
            ..Profile::default()
        };
        let sentence = sentence(&Confinement { backend, profile });
        for part in expect {
            assert!(sentence.contains(part), "{part} is not in: {sentence}");
        }
    };
    check(
        Backend::Namespaces,
        Network::None,
        ["/w, /x and /tmp", "no network"],
    );
    check(
        Backend::Landlock,
        Network::Open,
        ["/x and $TMPDIR", "open network"],
    );
}
