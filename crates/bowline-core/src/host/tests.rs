//! Spellings of hosts, what is private, what patterns name.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;

/// Spellings of hosts that are private, each with the one spelling that comes out.
const PRIVATE: [(&str, &str); 84] = [
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("127.1", "127.0.0.1"),
    ("127.0.1", "127.0.0.1"),
    ("127.255.255.254", "127.255.255.254"),
    ("2130706433", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("0x7f000001", "127.0.0.1"),
    ("0X7F000001", "127.0.0.1"),
    ("0x7f.1", "127.0.0.1"),
    ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"),
    ("0177.0.0.01", "127.0.0.1"),
    ("0000177.0.0.0x1", "127.0.0.1"),
    ("127.0x0.0.01", "127.0.0.1"),
    ("%31%32%37.0.0.1", "127.0.0.1"),
    ("127%2e0%2E0%2e1", "127.0.0.1"),
    ("\u{ff11}\u{ff12}\u{ff17}.0.0.1", "127.0.0.1"),
    ("127\u{3002}0\u{ff0e}0\u{ff61}1", "127.0.0.1"),
    ("\u{2460}\u{2461}\u{2466}.0.0.1", "127.0.0.1"),
    ("1\u{ad}27.0.0.1", "127.0.0.1"),
    ("127.0.0\u{200b}.1", "127.0.0.1"),
    ("\u{1d7cf}\u{1d7d0}\u{1d7d5}.0.0.1", "127.0.0.1"),
    ("[::1]", "::1"),
    ("::1", "::1"),
    ("0:0:0:0:0:0:0:1", "::1"),
    ("[0000:0000:0000:0000:0000:0000:0000:0001]", "::1"),
    ("::ffff:127.0.0.1", "127.0.0.1"),
    ("[::ffff:7f00:1]", "127.0.0.1"),
    ("[0:0:0:0:0:FFFF:7F00:0001]", "127.0.0.1"),
    ("[::127.0.0.1]", "::7f00:1"),
    ("[::7f00:1]", "::7f00:1"),
    ("[64:ff9b::127.0.0.1]", "64:ff9b::7f00:1"),
    ("[64:ff9b::a00:1]", "64:ff9b::a00:1"),
    ("[64:ff9b:1::808:808]", "64:ff9b:1::808:808"),
    ("[2002:7f00:1::]", "2002:7f00:1::"),
    ("[2002:a00:1::1]", "2002:a00:1::1"),
    ("[2001:0:7f00:1::80ff:fffe]", "2001:0:7f00:1::80ff:fffe"),
    ("[2001:0:808:808::f7f7:f7f7]", "2001:0:808:808::f7f7:f7f7"),
    ("[2606:4700::5efe:a00:1]", "2606:4700::5efe:a00:1"),
    ("[::ffff:0:127.0.0.1]", "::ffff:0:7f00:1"),
    ("0", "0.0.0.0"),
    ("0x0", "0.0.0.0"),
    ("0.0.0.0", "0.0.0.0"),
    ("0.1.2.3", "0.1.2.3"),
    ("[::]", "::"),
    ("10.0.0.1", "10.0.0.1"),
    ("012.1", "10.0.0.1"),
    ("172.16.0.1", "172.16.0.1"),
    ("172.31.255.255", "172.31.255.255"),
    ("192.168.1.1", "192.168.1.1"),
    ("3232235777", "192.168.1.1"),
    ("0300.0250.1.1", "192.168.1.1"),
    ("100.64.0.1", "100.64.0.1"),
    ("100.127.255.255", "100.127.255.255"),
    ("169.254.169.254", "169.254.169.254"),
    ("2852039166", "169.254.169.254"),
    ("0xa9fea9fe", "169.254.169.254"),
    ("0251.0376.0251.0376", "169.254.169.254"),
    ("169.16689662", "169.254.169.254"),
    ("[::ffff:a9fe:a9fe]", "169.254.169.254"),
    ("[fd00:ec2::254]", "fd00:ec2::254"),
    ("168.63.129.16", "168.63.129.16"),
    ("100.100.100.200", "100.100.100.200"),
    ("192.0.0.192", "192.0.0.192"),
    ("224.0.0.1", "224.0.0.1"),
    ("240.0.0.1", "240.0.0.1"),
    ("255.255.255.255", "255.255.255.255"),
    ("4294967295", "255.255.255.255"),
    ("192.0.2.1", "192.0.2.1"),
    ("198.51.100.1", "198.51.100.1"),
    ("203.0.113.1", "203.0.113.1"),
    ("198.19.0.1", "198.19.0.1"),
    ("[fe80::1]", "fe80::1"),
    ("[fec0::1]", "fec0::1"),
    ("[fc00::1]", "fc00::1"),
    ("[ff02::1]", "ff02::1"),
    ("[100::1]", "100::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("LOCALHOST", "localhost"),
    ("localhost.", "localhost"),
    ("\u{24db}ocalhost", "localhost"),
    ("a.b.localhost", "a.b.localhost"),
    ("METADATA.google.internal.", "metadata.google.internal"),
];

#[test]
fn every_spelling_of_a_private_host_comes_to_one_and_is_private() {
    for (text, expect) in PRIVATE {
        let host = Host::parse(text).unwrap();
        assert_eq!(host.as_str(), expect, "{text:?}");
        assert!(host.is_private(), "{text:?}");
    }
}

#[test]
fn what_is_public_is_not_private() {
    let public = [
        ("docs.rs", "docs.rs"),
        ("Docs.RS.", "docs.rs"),
        ("docs%2Ers", "docs.rs"),
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("B\u{dc}CHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("127.0.0.1.example.com", "127.0.0.1.example.com"),
        ("localhost.example.com", "localhost.example.com"),
        ("notlocal.com", "notlocal.com"),
        ("8.8.8.8", "8.8.8.8"),
        ("0x8080808", "8.8.8.8"),
        ("172.32.0.1", "172.32.0.1"),
        ("100.128.0.1", "100.128.0.1"),
        ("192.0.1.1", "192.0.1.1"),
        ("[2606:4700:4700:0::1111]", "2606:4700:4700::1111"),
        ("[::ffff:8.8.8.8]", "8.8.8.8"),
        ("[64:ff9b::8.8.8.8]", "64:ff9b::808:808"),
        ("[2002:808:808::1]", "2002:808:808::1"),
    ];
    for (text, expect) in public {
        let host = Host::parse(text).unwrap();
        assert_eq!(host.as_str(), expect, "{text:?}");
        assert_eq!(host.private(), None, "{text:?}");
    }
}

#[test]
fn what_others_may_read_otherwise_is_no_host() {
    let long_name = format!("{}.example", "a.".repeat(130).trim_end_matches('.'));
    let long_label = format!("{}.example", "a".repeat(64));
    let huge = "1".repeat(100_000);
    let refused = [
        "",
        ".",
        "..",
        "a..b",
        ".example.com",
        "example.com..",
        "256.0.0.1",
        "1.2.3.4.5",
        "0x100000000",
        "4294967296",
        "127.0.0.1\0",
        "127.0.0.1%00",
        "127.0.0.1\0.example.com",
        "example.com\r\nx",
        "example.com%0d%0ax",
        "exam ple.com",
        " example.com",
        "example.com\t",
        "user@127.0.0.1",
        "a@b@c",
        "example.com\\@127.0.0.1",
        "example.com/x",
        "example.com?x",
        "example.com#x",
        "http://example.com",
        "example.com:80",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "fe80::1%1",
        "[::1",
        "::1]",
        "[127.0.0.1]",
        "[::1].example.com",
        "*.example.com",
        "a,b",
        "{a,b}.example",
        "$HOST",
        "?",
        "-?-",
        "ex\u{202e}ample.com",
        "127.0.0.1\u{0}",
        &long_name,
        &long_label,
        &huge,
    ];
    for text in refused {
        let error = Host::parse(text);
        assert!(error.is_err(), "{text:?}: {error:?}");
    }
    let error = Host::parse(&"\u{1b}[31m".repeat(100)).unwrap_err();
    assert!(error.to_string().len() < 700 && !error.to_string().contains('\u{1b}'));
}

#[test]
fn a_port_stands_after_the_host() {
    let check = |text: &str, expect: Result<(&str, Option<u16>), &str>| {
        let found = Host::with_port(text);
        match (found, expect) {
            (Ok((host, port)), Ok(expect)) => assert_eq!((host.as_str(), port), expect, "{text}"),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    };
    check("docs.rs", Ok(("docs.rs", None)));
    check("docs.rs:8443", Ok(("docs.rs", Some(8443))));
    check("[::1]:80", Ok(("::1", Some(80))));
    check("[::1]", Ok(("::1", None)));
    check("::1", Ok(("::1", None)));
    check("::ffff:10.0.0.1", Ok(("10.0.0.1", None)));
    check("0x7f.1:1", Ok(("127.0.0.1", Some(1))));
    check("docs.rs:0", Err("no port"));
    check("docs.rs:", Err("no port"));
    check("docs.rs:+80", Err("no port"));
    check("docs.rs:65536", Err("no port"));
    check("docs.rs:80:80", Err("no host"));
    check(":80", Err("names no host"));
    let (host, port) = Host::with_port("[::1]:80").unwrap();
    assert_eq!(host.at_port(port.unwrap()), "[::1]:80");
    assert_eq!(Host::parse("a.b").unwrap().at_port(1), "a.b:1");
}

#[test]
fn patterns_name_what_they_say() {
    let check = |pattern: &str, host: &str, names: bool, exactly: bool| {
        let pattern = HostPattern::parse(pattern).unwrap();
        let host = Host::parse(host).unwrap();
        assert_eq!(pattern.names(&host), names, "{pattern} {host}");
        assert_eq!(pattern.names_exactly(&host), exactly, "{pattern} {host}");
    };
    check("docs.rs", "DOCS.rs.", true, true);
    check("Docs.RS.", "docs.rs", true, true);
    check("docs.rs", "www.docs.rs", false, false);
    check("docs.rs", "docs.rs.example", false, false);
    check("*.docs.rs", "static.docs.rs", true, false);
    check("*.docs.rs", "a.b.docs.rs", true, false);
    check("*.docs.rs", "docs.rs", false, false);
    check("*.docs.rs", "evildocs.rs", false, false);
    check("*", "127.0.0.1", true, false);
    check("*-x.*.example", "a-x.b.example", true, false);
    check("*-x.*.example", "a-x.example", false, false);
    check("a*a", "a", false, false);
    check("0x7f.1", "127.0.0.1", true, true);
    check("[::1]", "::1", true, true);
    check("::ffff:10.0.0.5", "10.0.0.5", true, true);
    check("10.0.0.*", "10.0.0.5", true, false);
    check(
        "*.b\u{fc}cher.example",
        "a.xn--bcher-kva.example",
        true,
        false,
    );
    check("localhost", "127.0.0.1", false, false);
}

#[test]
fn patterns_have_one_spelling_and_mean_ports() {
    let check = |text: &str, expect: &str, ports: &[u16], others: &[u16]| {
        let pattern = HostPattern::parse(text).unwrap();
        assert_eq!(pattern.as_str(), expect, "{text}");
        assert_eq!(HostPattern::parse(expect).unwrap(), pattern, "{text}");
        assert!(ports.iter().all(|port| pattern.means_port(*port)), "{text}");
        assert!(
            !others.iter().any(|port| pattern.means_port(*port)),
            "{text}"
        );
    };
    check("Docs.rs", "docs.rs", &[80, 443], &[22, 8443]);
    check("docs.rs:8443", "docs.rs:8443", &[8443], &[80, 443]);
    check("*.Docs.rs:8443", "*.docs.rs:8443", &[8443], &[80, 443]);
    check("::1", "[::1]", &[80], &[8080]);
    check("[0::1]:8080", "[::1]:8080", &[8080], &[80]);
    for text in [
        "",
        "*:x",
        "*:",
        "a b*",
        "*/x",
        "http://*",
        "[*]",
        "*.\u{fc}*",
        "x:0",
        "a@*",
    ] {
        let error = HostPattern::parse(text);
        assert!(error.is_err(), "{text}: {error:?}");
    }
}

/// Asks for a host whose name was found to have these addresses.
fn check_access(patterns: &[&str], host: &str, port: u16, found: &[&str], expect: &str) {
    let access = HostAccess::parse(patterns).unwrap();
    let found: Vec<IpAddr> = found.iter().map(|text| text.parse().unwrap()).collect();
    let came = match access.pick(&Host::parse(host).unwrap(), port, &found) {
        Ok(picked) => format!("{picked:?}"),
        Err(error) => error.to_string(),
    };
    assert!(came.contains(expect), "{patterns:?} {host}:{port}: {came}");
}

#[test]
fn only_what_a_pattern_names_is_reached_and_only_where_it_leads_outside() {
    let check = check_access;
    let docs = &["docs.rs", "*.docs.rs", "10.0.0.5", "db.internal:5432"];
    check(docs, "docs.rs", 443, &["8.8.8.8"], "[8.8.8.8]");
    check(docs, "a.docs.rs", 80, &["8.8.8.8"], "[8.8.8.8]");
    check(docs, "docs.rs", 22, &["8.8.8.8"], "other ports than 22");
    check(
        docs,
        "evil.example",
        443,
        &["8.8.8.8"],
        "no rule names the host evil.example",
    );
    check(docs, "docs.rs", 443, &[], "has no address");
    check(docs, "docs.rs", 443, &["127.0.0.1"], "leads to 127.0.0.1");
    check(docs, "docs.rs", 443, &["10.0.0.5"], "[10.0.0.5]");
    let keys = &["keys.internal", "169.254.169.254"];
    check(
        &keys[..1],
        "keys.internal",
        80,
        &["169.254.169.254"],
        "get their keys",
    );
    check(
        keys,
        "keys.internal",
        80,
        &["169.254.169.254"],
        "[169.254.169.254]",
    );
    check(
        docs,
        "a.docs.rs",
        443,
        &["127.0.0.1", "::1"],
        "leads to 127.0.0.1",
    );
    check(
        docs,
        "a.docs.rs",
        443,
        &["::ffff:10.0.0.1"],
        "leads to 10.0.0.1",
    );
    check(
        docs,
        "a.docs.rs",
        443,
        &["127.0.0.1", "8.8.8.8"],
        "[8.8.8.8]",
    );
    check(docs, "10.0.0.5", 80, &["10.0.0.5"], "[10.0.0.5]");
    check(docs, "db.internal", 5432, &["10.1.1.1"], "[10.1.1.1]");
    check(docs, "db.internal", 80, &["10.1.1.1"], "other ports");
    check(&["*"], "a.example", 443, &["8.8.8.8"], "[8.8.8.8]");
    check(
        &["*"],
        "a.example",
        443,
        &["169.254.169.254"],
        "machines get their keys",
    );
    check(&["*"], "localhost", 80, &["127.0.0.1"], "this machine");
}

#[test]
fn what_is_closed_is_closed_and_what_stands_later_counts() {
    let check = check_access;
    let closed = &[
        "*.example",
        "!evil.example",
        "!*.bad.example",
        "!d.example:8443",
        "?",
    ];
    check(closed, "a.example", 443, &["8.8.8.8"], "[8.8.8.8]");
    check(
        closed,
        "evil.example",
        443,
        &["8.8.8.8"],
        "a rule closes the host evil.example",
    );
    check(closed, "evil.example", 22, &["8.8.8.8"], "a rule closes");
    check(closed, "a.bad.example", 80, &["8.8.8.8"], "a rule closes");
    check(closed, "d.example", 443, &["8.8.8.8"], "[8.8.8.8]");
    // A later word counts: what was granted by name is open, and spelled out.
    let granted = &["*.internal", "!a.internal", "a.internal"];
    check(granted, "a.internal", 443, &["10.0.0.1"], "[10.0.0.1]");
    check(
        &["a.example", "!*.example"],
        "a.example",
        443,
        &["8.8.8.8"],
        "a rule closes",
    );
    assert!(
        HostAccess::parse(&["*", "!a..b"]).is_err(),
        "what is to be closed is not left open"
    );
    check(
        &["*", "10.*"],
        "10.0.0.1",
        80,
        &["10.0.0.1"],
        "spells it out",
    );
}

#[test]
fn every_error_of_a_host_is_provoked() {
    let place = |error: &HostError| match error {
        HostError::Empty => 0,
        HostError::NoHost(_) => 1,
        HostError::NoPort(_) => 2,
    };
    let provoked = ["", "a b", "a:x"].map(|text| place(&Host::with_port(text).unwrap_err()));
    assert_eq!(provoked, [0, 1, 2]);
}

/// An IPv4 address in one of the spellings that clients take.
fn spelled(address: Ipv4Addr, form: u8, bases: [u8; 4]) -> String {
    let number = |value: u32, base: u8| match base % 4 {
        0 => format!("{value}"),
        1 => format!("0x{value:x}"),
        2 => format!("0{value:o}"),
        _ => format!("0X{value:08X}"),
    };
    let whole = u32::from(address);
    let fixed = form % 4;
    let mut parts: Vec<String> = (0..fixed)
        .map(|at| {
            number(
                u32::from(address.octets()[usize::from(at)]),
                bases[usize::from(at)],
            )
        })
        .collect();
    let rest = whole & (u32::MAX.checked_shr(u32::from(fixed) * 8).unwrap_or(0));
    parts.push(number(rest, bases[3]));
    parts.join(".")
}

proptest! {
    #[test]
    fn no_text_stops_the_reader_and_what_is_read_stays(text in "\\PC{0,40}|[0-9a-fx.:%\\[\\]]{0,30}") {
        if let Ok(host) = Host::parse(&text) {
            for again in [host.as_str().to_owned(), host.as_str().to_uppercase()] {
                let again = Host::parse(&again);
                prop_assert_eq!(again.as_ref(), Ok(&host));
            }
            prop_assert_eq!(Host::with_port(&host.at_port(9)), Ok((host, Some(9))));
        }
        if let Ok(pattern) = HostPattern::parse(&text) {
            prop_assert_eq!(HostPattern::parse(pattern.as_str()), Ok(pattern));
        }
    }

    #[test]
    fn an_address_is_the_same_in_every_spelling(bits: u32, form: u8, bases: [u8; 4]) {
        let address = Ipv4Addr::from(bits);
        let host = Host::parse(&spelled(address, form, bases)).unwrap();
        prop_assert_eq!(host.address(), Some(IpAddr::V4(address)));
        prop_assert_eq!(host.private(), Private::of(IpAddr::V4(address)));
        let mapped = address.to_ipv6_mapped();
        prop_assert_eq!(Host::parse(&mapped.to_string()).unwrap(), host);
    }

    #[test]
    fn what_carries_a_private_address_is_private(bits: u32, site: u16) {
        let address = Ipv4Addr::from(bits);
        let is_private = Private::of(IpAddr::V4(address)).is_some();
        let [high, low] = [(bits >> 16) as u16, (bits & 0xffff) as u16];
        let gateway = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
        let relay = Ipv6Addr::new(0x2002, high, low, site, 0, 0, 0, 1);
        for carrier in [gateway, relay] {
            prop_assert_eq!(Private::of(IpAddr::V6(carrier)).is_some(), is_private);
        }
    }
}
