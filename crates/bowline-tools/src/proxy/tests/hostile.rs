//! Clients and hosts that send nonsense, stall, or leave a connection half open.

use std::time::Instant;

use super::*;

impl Running {
    /// All that comes back for the bytes of a SOCKS client.
    pub(super) fn ask_socks(&self, bytes: &[u8]) -> Vec<u8> {
        let mut client = self.client();
        client.write_all(bytes).unwrap();
        let mut all = Vec::new();
        // A reset after the answer is an answer too.
        let _ended = client.read_to_end(&mut all);
        all
    }
}

#[test]
fn nonsense_is_answered_and_the_next_client_is_served() {
    let host = HostStandIn::at("127.0.0.1");
    let to = format!("127.0.0.1:{}", host.port);
    let running = start(&[&to], &[], SHORT);
    let huge = [
        b"GET http://a.example/ HTTP/1.1\r\nX: ".as_slice(),
        &[b'a'; 40_000],
    ]
    .concat();
    let many = format!(
        "GET http://a.example/ HTTP/1.1\r\n{}\r\n",
        "A: b\r\n".repeat(4_000)
    );
    let check = |bytes: &[u8], expect: &str| {
        let answer = running.ask_socks(bytes);
        let shown = String::from_utf8_lossy(&answer);
        assert!(
            shown.starts_with(expect),
            "{:?}: {shown}",
            bytes.escape_ascii().to_string()
        );
        drop(running.tunnel(&to));
        drop(host.next());
    };
    check(b"\0", "");
    check(&[0; 4096], "");
    check(b"\n\n\n\n", "");
    check(b"\x16\x03\x01\x02\x00\x01\x00", "");
    check(b"GET http://a.example/\0 HTTP/1.1\r\n\r\n", "HTTP/1.1 400");
    check(b"CONNECT \0:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 400");
    check(b"G\0\0\0\r\n\r\n", "HTTP/1.1 400");
    check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400");
    check(&huge, "HTTP/1.1 431");
    check(many.as_bytes(), "HTTP/1.1 431");
    check(b"GET http://a.example/ HTTP/1.1\r\n", "HTTP/1.1 408");
    check(b"CONNECT", "HTTP/1.1 408");
    check(b"\x04\x01\0\x50\x7f\0\0\x01\0", "");
    check(b"\x05\x01\x02", "\x05\u{fffd}");
    check(b"\x05\0", "\x05\u{fffd}");
    // BIND and UDP ASSOCIATE, a strange kind of address, a second version, a name that is none.
    check(
        b"\x05\x01\0\x05\x02\0\x01\x7f\0\0\x01\0\x50",
        "\x05\0\x05\x07",
    );
    check(
        b"\x05\x01\0\x05\x03\0\x01\x7f\0\0\x01\0\x50",
        "\x05\0\x05\x07",
    );
    check(
        b"\x05\x01\0\x05\x01\0\x09\x7f\0\0\x01\0\x50",
        "\x05\0\x05\x08",
    );
    check(
        b"\x05\x01\0\x04\x01\0\x01\x7f\0\0\x01\0\x50",
        "\x05\0\x05\x01",
    );
    check(b"\x05\x01\0\x05\x01\0\x03\x03a\0b\0\x50", "\x05\0\x05\x02");
    check(b"\x05\x01\0\x05\x01\0\x03\0\0\x50", "\x05\0\x05\x02");
    check(b"\x05\x01\0\x05\x01\0\x03\xff", "\x05\0");
}

#[test]
fn one_that_says_it_has_ended_still_gets_its_answer() {
    let host = HostStandIn::at("127.0.0.1");
    let to = format!("127.0.0.1:{}", host.port);
    let running = start(&[&to], &[], Limits::default());
    let mut client = running.tunnel(&to);
    let mut server = host.next();
    client.write_all(b"all of it").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(all_of(&mut server), "all of it");
    server.write_all(b"answered").unwrap();
    drop(server);
    assert_eq!(all_of(&mut client), "answered");

    // The other way round: the host has ended, the client goes on.
    let mut client = running.tunnel(&to);
    let mut server = host.next();
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(all_of(&mut client), "");
    client.write_all(b"one word more").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(all_of(&mut server), "one word more");
}

#[test]
fn silence_ends_a_connection_on_both_sides() {
    let host = HostStandIn::at("127.0.0.1");
    let to = format!("127.0.0.1:{}", host.port);
    let running = start(&[&to], &[], SHORT);
    // Both silent.
    let mut client = running.tunnel(&to);
    let mut server = host.next();
    assert_eq!(all_of(&mut client), "");
    assert_eq!(all_of(&mut server), "");
    // One has ended, the other never will.
    let mut client = running.tunnel(&to);
    let mut server = host.next();
    client.shutdown(Shutdown::Write).unwrap();
    let began = Instant::now();
    assert_eq!(all_of(&mut server), "");
    assert_eq!(all_of(&mut client), "");
    assert!(began.elapsed() < PATIENCE / 2);
    // One that does not read what it is sent.
    let _deaf = running.tunnel(&to);
    let mut server = host.next();
    let flood = vec![0; 1 << 20];
    let ended = (0..64).find_map(|_| server.write_all(&flood).err());
    assert!(ended.is_some(), "a flood that nobody takes comes to an end");
}

#[test]
fn no_more_than_so_many_at_once_and_the_next_one_waits() {
    let host = HostStandIn::at("127.0.0.1");
    let to = format!("127.0.0.1:{}", host.port);
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let running = start(&[&to], &[], limits);
    let (first, second) = (running.tunnel(&to), running.tunnel(&to));
    let (first_host, _second_host) = (host.next(), host.next());
    let mut third = running.client();
    write!(third, "CONNECT {to} HTTP/1.1\r\n\r\n").unwrap();
    third
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert!(
        third.read(&mut [0]).is_err(),
        "the third is not answered yet"
    );
    drop((first, first_host));
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(line(&mut third), "HTTP/1.1 200 Connection Established");
    drop(second);
}

#[test]
fn a_closed_proxy_lets_nothing_more_pass() {
    let host = HostStandIn::at("127.0.0.1");
    let to = format!("127.0.0.1:{}", host.port);
    let running = start(&[&to], &[], Limits::default());
    let address = running.address;
    let mut client = running.tunnel(&to);
    let mut server = host.next();
    client.write_all(b"before").unwrap();
    server.read_exact(&mut [0; 6]).unwrap();
    let written = running.proxy.close(Duration::ZERO);
    assert_eq!(written.connections[0].sent_bytes, 6);
    client.write_all(b"after").unwrap();
    assert_eq!(all_of(&mut server), "");
    let late = TcpStream::connect(address).and_then(|mut late| {
        write!(late, "CONNECT {to} HTTP/1.1\r\n\r\n")?;
        late.set_read_timeout(Some(PATIENCE))?;
        late.read(&mut [0])
    });
    assert!(!matches!(late, Ok(1)), "{late:?}");
    assert!(!host.was_reached());
}

#[test]
fn the_book_has_room_for_what_was_made() {
    let running = start(&["127.0.0.1:1"], &[], Limits::default());
    let book = &running.proxy.shared.book;
    let entry = |host: String, refused: Option<&str>| Connection {
        refused: refused.map(str::to_owned),
        ..super::super::http::unread(host, "")
    };
    for at in 0..300 {
        book.refuse(entry(format!("r{at}"), Some("no")));
    }
    for at in 0..250 {
        let mut made = entry(format!("m{at}"), None);
        made.refused = None;
        assert!(book.open(made).is_some());
    }
    let written = running.proxy.close(Duration::ZERO);
    assert_eq!(written.connections.len(), 200);
    assert!(written.connections.iter().all(|one| one.refused.is_none()));
    assert_eq!(written.left_out, 350);
}
