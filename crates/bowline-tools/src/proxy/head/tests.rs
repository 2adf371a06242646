//! Request heads: what is read, what goes on, what is refused.

use super::*;

#[test]
fn reads_what_clients_send() {
    let check = |head: &str, host: &str, port: u16, onwards: Option<&str>| {
        let read = parse(head.as_bytes()).unwrap_or_else(|bad| panic!("{head:?}: {bad:?}"));
        assert_eq!((read.host.as_str(), read.port), (host, port), "{head:?}");
        match (read.what, onwards) {
            (What::Tunnel, None) => {}
            (What::Exchange { head: on, .. }, Some(expect)) => {
                assert_eq!(String::from_utf8(on).unwrap(), expect, "{head:?}");
            }
            (what, _) => panic!("{head:?}: {what:?}"),
        }
    };
    check("CONNECT docs.rs:443 HTTP/1.1\r\n\r\n", "docs.rs", 443, None);
    check(
        "CONNECT Docs.RS.:443 HTTP/1.0\r\nHost: x\r\n\r\n",
        "docs.rs",
        443,
        None,
    );
    check("CONNECT [::1]:8080 HTTP/1.1\r\n\r\n", "::1", 8080, None);
    check("CONNECT 0x7f.1:80 HTTP/1.1\r\n\r\n", "127.0.0.1", 80, None);
    let plain = "GET / HTTP/1.1\r\nHost: docs.rs\r\nConnection: close\r\n\r\n";
    check(
        "GET http://docs.rs HTTP/1.1\r\n\r\n",
        "docs.rs",
        80,
        Some(plain),
    );
    check(
        "GET HTTP://DOCS.rs:80/#x HTTP/1.1\r\n\r\n",
        "docs.rs",
        80,
        Some(plain),
    );
    check(
        "GET http://docs.rs?q=http://a@b HTTP/1.1\r\n\r\n",
        "docs.rs",
        80,
        Some("GET /?q=http://a@b HTTP/1.1\r\nHost: docs.rs\r\nConnection: close\r\n\r\n"),
    );
    check(
        "GET http://[::1]:8080/a HTTP/1.1\r\nHost: other.example\r\nX-A: 1\r\n\
         Proxy-Authorization: Basic eA==\r\nConnection: x-b, Keep-Alive\r\nX-B: 2\r\n\
         Upgrade: websocket\r\n\r\n",
        "::1",
        8080,
        Some("GET /a HTTP/1.1\r\nHost: [::1]:8080\r\nX-A: 1\r\nConnection: close\r\n\r\n"),
    );
    check(
        "POST http://a.example/ HTTP/1.1\r\nConnection: content-length\r\nContent-Length: 3\r\n\r\n",
        "a.example",
        80,
        Some(
            "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
        ),
    );
}

#[test]
fn refuses_what_can_be_read_in_two_ways() {
    let check = |head: &str, expect: &str| {
        let bad = parse(head.as_bytes()).expect_err(head);
        assert!(bad.why.contains(expect), "{head:?}: {bad:?}");
    };
    check("CONNECT docs.rs HTTP/1.1\r\n\r\n", "HOST:PORT");
    check("CONNECT docs.rs:0 HTTP/1.1\r\n\r\n", "no port");
    check("CONNECT docs.rs:443/x HTTP/1.1\r\n\r\n", "no port");
    check("CONNECT user:pass@docs.rs:443 HTTP/1.1\r\n\r\n", "password");
    check(
        "CONNECT docs.rs:443@127.0.0.1:80 HTTP/1.1\r\n\r\n",
        "password",
    );
    check("CONNECT http://docs.rs:443 HTTP/1.1\r\n\r\n", "no host");
    check("CONNECT docs.rs:80:443 HTTP/1.1\r\n\r\n", "no host");
    check("CONNECT docs.rs\\@x:443 HTTP/1.1\r\n\r\n", "target");
    check("CONNECT docs.rs%00:443 HTTP/1.1\r\n\r\n", "no host");
    check("CONNECT docs.rs\0:443 HTTP/1.1\r\n\r\n", "control");
    check("CONNECT  docs.rs:443 HTTP/1.1\r\n\r\n", "first line");
    check("CONNECT\tdocs.rs:443\tHTTP/1.1\r\n\r\n", "first line");
    check("CONNECT docs.rs:443 HTTP/2.0\r\n\r\n", "another HTTP");
    check("CONNECT docs.rs:443\r\n\r\n", "first line");
    check(
        "GET / HTTP/1.1\r\nHost: docs.rs\r\n\r\n",
        "no http:// address",
    );
    check(
        "GET https://docs.rs/ HTTP/1.1\r\n\r\n",
        "no http:// address",
    );
    check("GET ftp://docs.rs/ HTTP/1.1\r\n\r\n", "no http:// address");
    check("GET http:/docs.rs/ HTTP/1.1\r\n\r\n", "no http:// address");
    check("GET http:///docs.rs/ HTTP/1.1\r\n\r\n", "names no host");
    check("GET http://a@docs.rs/ HTTP/1.1\r\n\r\n", "password");
    check("GET http://docs.rs\\@127.0.0.1/ HTTP/1.1\r\n\r\n", "target");
    check("GET http://docs.rs/\u{e9} HTTP/1.1\r\n\r\n", "target");
    check(
        "GET http://docs.rs/ HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        "CR LF",
    );
    check(
        "GET http://docs.rs/ HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
        "CR LF",
    );
    check(
        "GET http://docs.rs/ HTTP/1.1\r\nA : b\r\n\r\n",
        "header line",
    );
    check(
        "GET http://docs.rs/ HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "header line",
    );
    check(
        "GET http://docs.rs/ HTTP/1.1\r\nnothing\r\n\r\n",
        "header line",
    );
    check("G\u{7f}T http://docs.rs/ HTTP/1.1\r\n\r\n", "control");
    check("G(T http://docs.rs/ HTTP/1.1\r\n\r\n", "method");
    assert!(parse(b"GET http://docs.rs/\xff HTTP/1.1\r\n\r\n").is_err());
    assert!(parse(b"").is_err());
}

#[test]
fn a_body_is_as_long_as_one_header_says() {
    let check = |head: &str, expect: &str| {
        let bad = parse(head.as_bytes()).expect_err(head);
        assert!(bad.why.contains(expect), "{head:?}: {bad:?}");
    };
    let lengths = [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
    ];
    for length in lengths {
        check(
            &format!("POST http://docs.rs/ HTTP/1.1\r\n{length}\r\n\r\n"),
            "more than one way",
        );
    }
    for length in ["", "+1", "-1", "1 1", "0x1", "99999999999999999999", "1,1"] {
        check(
            &format!("POST http://docs.rs/ HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"),
            "no number",
        );
    }
}
