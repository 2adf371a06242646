//! The proxy over real sockets on loopback. Names are looked up in a table.

mod hostile;
mod private;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bowline_core::Connection;
use bowline_core::contact::Via;

use super::*;

/// Longest wait for anything that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A proxy that listens on loopback.
struct Running {
    proxy: Proxy,
    address: SocketAddr,
    looked_up: Arc<AtomicUsize>,
}

const SHORT: Limits = Limits {
    connections: 64,
    head: Duration::from_millis(150),
    connect: Duration::from_secs(5),
    idle: Duration::from_millis(400),
    half_idle: Duration::from_millis(200),
};

/// Reaches `hosts`; `table` says where names lead, each look-up taking the next line of its name,
/// the last one over and over.
fn start(hosts: &[&str], table: &[(&str, &str)], limits: Limits) -> Running {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let own = |(name, to): &(&str, &str)| ((*name).to_owned(), to.parse::<IpAddr>().unwrap());
    let table: Vec<(String, IpAddr)> = table.iter().map(own).collect();
    let looked_up = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looked_up);
    let resolve = move |host: &Host| {
        let count = counted.fetch_add(1, Ordering::SeqCst);
        let named = table.iter().filter(|(name, _)| name == host.as_str());
        let all: Vec<IpAddr> = named.map(|(_, to)| *to).collect();
        let at = count.min(all.len().saturating_sub(1));
        let one = all.get(at).copied();
        one.map(|one| vec![one])
            .ok_or_else(|| io::Error::other("no such name"))
    };
    let proxy = Proxy::new(&hosts, Arc::new(resolve), limits).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::clone(&proxy.shared);
    thread::spawn(move || accept_all(&shared, &listener));
    Running {
        proxy,
        address,
        looked_up,
    }
}

impl Running {
    fn client(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
    }

    /// Sends `bytes` and gives all that comes back.
    fn ask(&self, bytes: &[u8]) -> String {
        let mut client = self.client();
        client.write_all(bytes).unwrap();
        all_of(&mut client)
    }

    /// A tunnel by `CONNECT` that was granted.
    fn tunnel(&self, to: &str) -> TcpStream {
        let mut client = self.client();
        write!(client, "CONNECT {to} HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(line(&mut client), "HTTP/1.1 200 Connection Established");
        assert_eq!(line(&mut client), "");
        client
    }

    fn close(self) -> Vec<Connection> {
        self.proxy.close(PATIENCE).connections
    }
}

fn line(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{text:?}");
        text.push(byte[0]);
    }
    String::from_utf8(text[..text.len() - 2].to_vec()).unwrap()
}

/// All until the end, or until the other side resets it.
fn all_of(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}; so far {:?}", String::from_utf8_lossy(&all)),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// A host: what each of its connections brings, given to whoever waits for it.
struct HostStandIn {
    port: u16,
    connections: mpsc::Receiver<TcpStream>,
}

impl HostStandIn {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, connections) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                if sender.send(stream).is_err() {
                    return;
                }
            }
        });
        Self { port, connections }
    }

    fn next(&self) -> TcpStream {
        self.connections.recv_timeout(PATIENCE).unwrap()
    }

    fn was_reached(&self) -> bool {
        self.connections.try_recv().is_ok()
    }
}

/// What of connections matters here.
fn told(connections: &[Connection]) -> Vec<(&str, u16, Option<&str>, bool)> {
    connections
        .iter()
        .map(|one| {
            (
                one.host.as_str(),
                one.port,
                one.address.as_deref(),
                one.refused.is_some(),
            )
        })
        .collect()
}

#[test]
fn a_tunnel_carries_bytes_both_ways_and_counts_them() {
    let host = HostStandIn::at("127.0.0.2");
    let to = format!("docs.internal:{}", host.port);
    let running = start(&[&to], &[("docs.internal", "127.0.0.2")], Limits::default());
    let mut client = running.tunnel(&to);
    let mut server = host.next();
    client.write_all(b"question").unwrap();
    let mut question = [0; 8];
    server.read_exact(&mut question).unwrap();
    assert_eq!(&question, b"question");
    server.write_all(b"a longer answer").unwrap();
    drop(server);
    assert_eq!(all_of(&mut client), "a longer answer");
    drop(client);
    let connections = running.close();
    let expect = Connection {
        host: "docs.internal".to_owned(),
        port: host.port,
        address: Some("127.0.0.2".to_owned()),
        via: Via::Http,
        refused: None,
        sent_bytes: 8,
        received_bytes: 15,
    };
    assert_eq!(connections, [expect]);
}

#[test]
fn what_comes_early_goes_into_the_tunnel() {
    let host = HostStandIn::at("127.0.0.1");
    let to = format!("127.0.0.1:{}", host.port);
    let running = start(&[&to], &[], Limits::default());
    let mut client = running.client();
    write!(client, "CONNECT {to} HTTP/1.1\r\n\r\nearly").unwrap();
    let mut server = host.next();
    let mut early = [0; 5];
    server.read_exact(&mut early).unwrap();
    assert_eq!(&early, b"early");
}

#[test]
fn a_plain_request_goes_to_the_host_in_its_target_and_nothing_follows_it() {
    let host = HostStandIn::at("127.0.0.1");
    let port = host.port;
    let pattern = format!("docs.internal:{port}");
    let running = start(
        &[&pattern],
        &[("docs.internal", "127.0.0.1")],
        Limits::default(),
    );
    let mut client = running.client();
    let request = format!(
        "POST http://docs.internal:{port}/a?b HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 4\r\n\
         Proxy-Connection: keep-alive\r\n\r\nbodyGET http://evil.example/ HTTP/1.1\r\n\r\n"
    );
    client.write_all(request.as_bytes()).unwrap();
    let mut server = host.next();
    let expect = format!(
        "POST /a?b HTTP/1.1\r\nHost: docs.internal:{port}\r\nContent-Length: 4\r\n\
         Connection: close\r\n\r\nbody"
    );
    let mut asked = vec![0; expect.len()];
    server.read_exact(&mut asked).unwrap();
    assert_eq!(String::from_utf8(asked).unwrap(), expect);
    server
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(all_of(&mut client), "HTTP/1.1 204 No Content\r\n\r\n");
    drop(client);
    assert_eq!(all_of(&mut server), "", "what was pipelined is for nobody");
    let connections = running.close();
    assert_eq!(connections[0].sent_bytes, expect.len() as u64);
}

#[test]
fn chunks_go_on_as_chunks_and_end_where_they_say() {
    let check = |body: &str, expect: &str| {
        let host = HostStandIn::at("127.0.0.1");
        let to = format!("127.0.0.1:{}", host.port);
        let running = start(&[&to], &[], Limits::default());
        let mut client = running.client();
        let head = format!("PUT http://{to}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.write_all(head.as_bytes()).unwrap();
        client.write_all(body.as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut server = host.next();
        let (mut asked, mut chunk) = (String::new(), [0; 256]);
        while !asked.ends_with(expect) || expect.is_empty() {
            match server.read(&mut chunk) {
                Ok(0) | Err(_) => break,
                Ok(count) => asked.push_str(std::str::from_utf8(&chunk[..count]).unwrap()),
            }
        }
        let (_, sent) = asked.split_once("\r\n\r\n").unwrap_or_default();
        assert_eq!(sent, expect, "{body:?}");
    };
    check("3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n");
    check(
        "A;x=y\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "a\r\n0123456789\r\n0\r\n\r\n",
    );
    // What is none ends the connection before more of it goes on.
    for none in ["x\r\n", "-1\r\n", "+1\r\na", "3\nabc", "\r\n", "0x3\r\nabc"] {
        check(none, "");
    }
    check("3\r\nabcdef\r\n", "3\r\nabc");
}

#[test]
fn socks_reaches_names_and_addresses() {
    let six = TcpListener::bind(("::1", 0)).is_ok();
    for (address, asked, pattern) in [
        ("127.0.0.1", &b"\x03\x0ddocs.internal"[..], "docs.internal"),
        ("127.0.0.1", &b"\x01\x7f\x00\x00\x01"[..], "127.0.0.1"),
        (
            "::1",
            &b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"[..],
            "[::1]",
        ),
    ] {
        if address == "::1" && !six {
            continue;
        }
        let host = HostStandIn::at(address);
        let pattern = format!("{pattern}:{}", host.port);
        let running = start(
            &[&pattern],
            &[("docs.internal", "127.0.0.1")],
            Limits::default(),
        );
        let mut client = running.client();
        client.write_all(b"\x05\x02\x02\x00").unwrap();
        let mut reply = [0; 2];
        client.read_exact(&mut reply).unwrap();
        assert_eq!(reply, [5, 0]);
        let request = [b"\x05\x01\x00", asked, &host.port.to_be_bytes()].concat();
        client.write_all(&request).unwrap();
        let mut reply = [0; 10];
        client.read_exact(&mut reply).unwrap();
        assert_eq!(reply[..2], [5, 0], "{pattern}");
        host.next().write_all(b"hello").unwrap();
        assert_eq!(all_of(&mut client), "hello");
        drop(client);
        let connections = running.close();
        assert_eq!(connections[0].via, Via::Socks);
        assert_eq!(connections[0].received_bytes, 5);
    }
}

#[test]
fn what_is_not_named_is_refused_and_told() {
    let table = [
        ("docs.internal", "127.0.0.1"),
        ("www.docs.example", "10.0.0.1"),
    ];
    let running = start(
        &["docs.internal", "*.docs.example"],
        &table,
        Limits::default(),
    );
    let check = |ask: &str, status: &str, why: &str| {
        let answer = running.ask(ask.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(why), "{answer}");
    };
    check(
        "CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        "403",
        "no rule names the host evil.example",
    );
    check(
        "CONNECT docs.internal:22 HTTP/1.1\r\n\r\n",
        "403",
        "other ports than 22",
    );
    check(
        "GET http://www.docs.example/ HTTP/1.1\r\n\r\n",
        "403",
        "leads to 10.0.0.1",
    );
    check(
        "CONNECT nowhere.docs.example:443 HTTP/1.1\r\n\r\n",
        "502",
        "no such name",
    );
    check(
        "CONNECT a@docs.internal:443 HTTP/1.1\r\n\r\n",
        "400",
        "password",
    );
    assert_eq!(
        running.looked_up.load(Ordering::SeqCst),
        2,
        "refused names are not looked up"
    );
    let connections = running.close();
    assert_eq!(
        told(&connections),
        [
            ("evil.example", 443, None, true),
            ("docs.internal", 22, None, true),
            ("www.docs.example", 80, None, true),
            ("nowhere.docs.example", 443, None, true),
            ("a@docs.internal:443", 0, None, true),
        ]
    );
}

#[test]
fn a_name_is_looked_up_once_and_its_answer_is_dialled() {
    let first = HostStandIn::at("127.0.0.2");
    // The same port where the second answer leads.
    let other = TcpListener::bind(("127.0.0.1", first.port));
    let to = format!("docs.internal:{}", first.port);
    let table = [
        ("docs.internal", "127.0.0.2"),
        ("docs.internal", "127.0.0.1"),
    ];
    let running = start(&[&to], &table, Limits::default());
    let mut client = running.tunnel(&to);
    first.next().write_all(b"the first").unwrap();
    assert_eq!(all_of(&mut client), "the first");
    assert_eq!(running.looked_up.load(Ordering::SeqCst), 1);
    if let Ok(other) = other {
        other.set_nonblocking(true).unwrap();
        assert!(other.accept().is_err(), "nobody came by the second answer");
    }
    // An answer that leads inside is refused, whatever an earlier one was.
    for pattern in ["*.example", "a.example"] {
        let rebound = start(
            &[pattern],
            &[("a.example", "127.0.0.1"), ("a.example", "127.0.0.2")],
            Limits::default(),
        );
        for _ in 0..2 {
            let answer = rebound.ask(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n");
            assert!(answer.contains("leads to 127.0.0."), "{pattern}: {answer}");
        }
    }
}
