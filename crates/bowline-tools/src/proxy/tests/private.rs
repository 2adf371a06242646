//! No spelling and no name leads to a private address by a pattern that does not spell it out.

use super::*;

/// Spellings of this machine, and names that lead to it.
const SPELLINGS: [&str; 68] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.0.0.2",
    "127.2",
    "127.127.127.127",
    "2130706433",
    "2130706434",
    "017700000001",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0x7F.0.0x1",
    "0177.0.0.1",
    "0177.1",
    "00000177.0.0.01",
    "127.0x0.0.01",
    "%31%32%37.0.0.1",
    "127%2e0%2E0%2e1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127\u{3002}0\u{ff0e}0\u{ff61}1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "1\u{ad}27.0.0.1",
    "127.0.0\u{200b}.1",
    "\u{1d7cf}\u{1d7d0}\u{1d7d5}.0.0.1",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "0.0",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0002]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::80ff:fffe]",
    "localhost",
    "LocalHost",
    "localhost.",
    "LOCALHOST.",
    "\u{24db}ocalhost",
    "local\u{ad}host",
    "%6cocalhost",
    "a.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "machine",
    "printer.local",
    "metadata.google.internal",
    "127.0.0.1.inside.example",
    "inside.example",
    "INSIDE.example.",
    "second.example",
    "six.example",
    "mapped.example",
    "169.254.169.254",
    "2852039166",
    "[fd00:ec2::254]",
];

/// Names that lead inside.
const TABLE: [(&str, &str); 9] = [
    ("127.0.0.1.inside.example", "127.0.0.1"),
    ("inside.example", "127.0.0.1"),
    ("second.example", "127.0.0.2"),
    ("six.example", "::1"),
    ("mapped.example", "::ffff:127.0.0.1"),
    ("localhost", "127.0.0.1"),
    ("a.localhost", "127.0.0.1"),
    ("localhost.localdomain", "127.0.0.1"),
    ("machine", "127.0.0.1"),
];

/// Listens at one port of every loopback address there is.
struct Inside {
    port: u16,
    all: Vec<TcpListener>,
}

impl Inside {
    fn new() -> Self {
        let mut all = vec![TcpListener::bind(("127.0.0.1", 0)).unwrap()];
        let port = all[0].local_addr().unwrap().port();
        for other in ["127.0.0.2", "::1"] {
            all.extend(TcpListener::bind((other, port)).ok());
        }
        assert!(all.len() > 1, "a second loopback address takes the port");
        for one in &all {
            one.set_nonblocking(true).unwrap();
        }
        Self { port, all }
    }

    /// How many have come.
    fn reached(&self) -> usize {
        let come = |one: &TcpListener| std::iter::from_fn(|| one.accept().ok()).count();
        self.all.iter().map(come).sum()
    }
}

/// The same with patterns that name everything, at the port that is listened at.
fn open_to_all(port: u16) -> Running {
    let patterns = [format!("*:{port}"), format!("*.example:{port}")];
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    start(&patterns, &TABLE, Limits::default())
}

#[test]
fn no_spelling_reaches_a_private_address() {
    let inside = Inside::new();
    let running = open_to_all(inside.port);
    for spelling in SPELLINGS {
        let authority = format!("{spelling}:{}", inside.port);
        for ask in [
            format!("CONNECT {authority} HTTP/1.1\r\n\r\n"),
            format!("GET http://{authority}/ HTTP/1.1\r\nHost: docs.rs\r\n\r\n"),
        ] {
            let answer = running.ask(ask.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 4"), "{ask:?}: {answer}");
        }
        let name = spelling.trim_matches(['[', ']']).as_bytes();
        let length = u8::try_from(name.len()).unwrap();
        let request = [
            b"\x05\x01\x00\x05\x01\x00\x03",
            &[length][..],
            name,
            &inside.port.to_be_bytes(),
        ];
        let answer = running.ask_socks(&request.concat());
        assert_eq!(answer.get(3), Some(&2), "{spelling}: {answer:?}");
    }
    let counted = running.close();
    assert!(
        counted
            .iter()
            .all(|one| one.refused.is_some() && one.address.is_none())
    );
    assert_eq!(
        inside.reached(),
        0,
        "of {} spellings in 3 forms",
        SPELLINGS.len()
    );
    println!(
        "{} spellings in 3 forms: 0 reach a private address",
        SPELLINGS.len()
    );
}

/// The listener is real, and so are the spellings: a client without judgement is led there.
#[test]
fn a_naive_client_is_led_there() {
    let inside = Inside::new();
    let mut led = 0;
    for spelling in SPELLINGS {
        let name = spelling.trim_matches(['[', ']']);
        let to = TABLE.iter().find(|(named, _)| *named == name);
        let host = to.map_or(name, |(_, to)| to);
        // Not into the data centre's network, nor anywhere by name.
        let is_near = host.parse::<IpAddr>().map_or_else(
            |_| Host::parse(host).is_ok_and(|host| host.address().is_some()),
            |address| address.to_canonical().is_loopback() || address.is_unspecified(),
        );
        if is_near && !host.starts_with("169") && !host.starts_with("2852") {
            led += usize::from(TcpStream::connect((host, inside.port)).is_ok());
        }
    }
    let reached = inside.reached();
    assert!(reached >= 20 && reached == led, "{reached} of {led}");
    println!(
        "a naive client: {reached} of {} spellings reach it",
        SPELLINGS.len()
    );
}

/// What is spelled out is reached: the same listener, the same proxy.
#[test]
fn what_a_pattern_spells_out_is_reached() {
    let inside = Inside::new();
    let pattern = format!("127.0.0.1:{}", inside.port);
    let running = start(&[&pattern], &TABLE, Limits::default());
    for spelling in ["127.0.0.1", "0x7f.1", "2130706433", "[::ffff:7f00:1]"] {
        drop(running.tunnel(&format!("{spelling}:{}", inside.port)));
        let other = running.ask(b"CONNECT 127.0.0.2:80 HTTP/1.1\r\n\r\n");
        assert!(other.starts_with("HTTP/1.1 403"), "{other}");
    }
    assert_eq!(inside.reached(), 4);
}
