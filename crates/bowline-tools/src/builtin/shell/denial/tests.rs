//! Signs of a denial, and what the model is told.

use bowline_core::{Network, Profile, Via};

use super::*;

#[test]
fn signs() {
    let check =
        |output: &str, expect: bool| assert_eq!(signs::is_likely(output), expect, "{output}");
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
        let sentence = sentence(&Confinement { backend, profile }, &[]);
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

fn usual(backend: Backend) -> Confinement {
    let list = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    Confinement {
        backend,
        profile: Profile {
            writable: list(&["/w"]),
            protected: list(&[".git/hooks"]),
            hidden: list(&["/home/ann/.ssh"]),
            ..Profile::default()
        },
    }
}

/// Lines of output, each with what it says was denied.
const LINES: [(&str, &str); 21] = [
    (
        "bash: line 1: /etc/x: Read-only file system",
        "writing /etc/x",
    ),
    (
        "touch: cannot touch '../b c': Read-only file system",
        "writing /b c",
    ),
    (
        "mkdir: cannot create directory ‘/srv/y’: Read-only file system",
        "writing /srv/y",
    ),
    (
        "OSError: [Errno 30] Read-only file system: '/opt/z'",
        "writing /opt/z",
    ),
    (
        "Error: EROFS: read-only file system, open '/home/ann/.npmrc'",
        "writing /home/ann/.npmrc",
    ),
    (
        "error: could not write '.git/hooks/x': Read-only file system",
        "writing /w/.git/hooks/x",
    ),
    (
        "cat: /home/ann/.ssh/id: Permission denied",
        "reading /home/ann/.ssh/id",
    ),
    ("cat: /home/bob/x: Permission denied", ""),
    ("bash: /w/x: Permission denied", ""),
    ("open '/w/x': Read-only file system", ""),
    ("open '/tmp/x': Read-only file system", ""),
    (
        "curl: (6) Could not resolve host: docs.rs",
        "reaching docs.rs",
    ),
    (
        "npm error getaddrinfo EAI_AGAIN registry.example",
        "reaching registry.example",
    ),
    (
        "wget: unable to resolve host address ‘ex.org’",
        "reaching ex.org",
    ),
    (
        "curl: (7) Failed to connect to 192.0.2.1 port 8080 after 0 ms",
        "reaching 192.0.2.1 at port 8080",
    ),
    ("curl: (7) Failed to connect to 127.0.0.1 port 80", ""),
    (
        "fatal: unable to access 'https://g.it/x/': Could not resolve host: g.it",
        "reaching g.it",
    ),
    (
        "ssh: Could not resolve hostname g.it: Name or service not known",
        "reaching g.it",
    ),
    (
        "Failed to resolve 'pypi.example' ([Errno -3] Temporary failure",
        "reaching pypi.example",
    ),
    ("test failed to connect to the mock", ""),
    ("all is well", ""),
];

#[test]
fn what_was_denied_is_told() {
    for (output, expect) in LINES {
        let found = of(&usual(Backend::Namespaces), output, Path::new("/w"), &[]);
        let words = found.map(|found| found.denied.iter().map(Denied::words).collect::<Vec<_>>());
        let words = words.unwrap_or_default();
        assert_eq!(words.join("; "), expect, "{output}");
    }
    let landlock = usual(Backend::Landlock);
    let found = of(
        &landlock,
        "touch: '/srv/x': Permission denied",
        Path::new("/w"),
        &[],
    );
    assert_eq!(
        found.unwrap().denied,
        [Denied::Write {
            path: "/srv/x".into()
        }]
    );
}

#[test]
fn the_way_to_ask_for_more_is_told() {
    let connection = |host: &str, port, refused: Option<&str>| Connection {
        host: host.to_owned(),
        port,
        address: None,
        via: Via::Http,
        refused: refused.map(str::to_owned),
        sent_bytes: 0,
        received_bytes: 0,
    };
    let connections = [
        connection("a.example", 443, Some("it is not named")),
        connection("b.example", 443, None),
        connection("c.example", 8443, Some("it is not named")),
    ];
    let output = "cp: cannot create regular file '/srv/x': Read-only file system";
    let found = of(
        &usual(Backend::Namespaces),
        output,
        Path::new("/w"),
        &connections,
    )
    .unwrap();
    let expect = "it ran in a sandbox, which seems to have denied reaching a.example at port 443, reaching \
                  c.example at port 8443, writing /srv/x: writable are /w and /tmp, no network, \
                  secrets and Bowline's own folders hidden. If it is needed, call again with \
                  \"needs\": {\"write\":[\"/srv/x\"],\"hosts\":[\"a.example\",\"c.example:8443\"]}; a \
                  person is asked";
    assert_eq!(found.sentence, expect);
}

#[test]
fn any_output_is_looked_at_without_a_panic() {
    for output in [
        "‘",
        "'/",
        "could not resolve host: ",
        "İ could not resolve host: a.b",
        "\u{0}/:\n/../../..: erofs",
    ] {
        let _found = of(&usual(Backend::Namespaces), output, Path::new("/w"), &[]);
    }
}
