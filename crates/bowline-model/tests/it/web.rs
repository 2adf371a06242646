//! Single requests to web servers: pinned, bounded, nothing brought along.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bowline_core::Host;
use bowline_core::web::{Cut, Method, Web as _, WebAnswer, WebFailure, WebLimits, WebRequest};
use bowline_model::WebClient;
use flate2::Compression;
use flate2::write::GzEncoder;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Starts a server that takes connections one after another; gives its port and what it was asked.
fn serve(act: impl Fn(&mut TcpStream) + Send + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((HERE, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n")
                && stream.read(&mut byte).is_ok_and(|count| count > 0)
            {
                head.push(byte[0]);
            }
            seen.lock().unwrap().push(String::from_utf8(head).unwrap());
            act(&mut stream);
            stream.shutdown(std::net::Shutdown::Write).ok();
            while stream.read(&mut byte).is_ok_and(|count| count > 0) {}
        }
    });
    (port, asked)
}

fn get(url: String) -> WebRequest {
    WebRequest {
        method: Method::Get,
        url,
        headers: Vec::new(),
        body: None,
        addresses: vec![HERE],
        limits: WebLimits {
            header_bytes: 8 << 10,
            body_bytes: 100 << 10,
            connect_ms: 2_000,
            whole_ms: 20_000,
        },
    }
}

fn ask(request: WebRequest) -> Result<WebAnswer, WebFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(WebClient.ask(request))
}

fn body(bytes: &[u8], more: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{more}content-length: {}\r\n\r\n",
        bytes.len()
    );
    [head.as_bytes(), bytes].concat()
}

#[test]
fn only_pinned_addresses_are_dialled() {
    let (port, asked) = serve(|stream| stream.write_all(&body(b"hello", "")).unwrap());
    // The name leads nowhere: it is never looked up.
    let answer = ask(get(format!("http://docs.invalid:{port}/a"))).unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice(), answer.peer),
        (200, &b"hello"[..], HERE)
    );
    let head = asked.lock().unwrap().remove(0);
    assert!(
        head.contains(&format!("host: docs.invalid:{port}\r\n")),
        "{head}"
    );
    let elsewhere = WebRequest {
        addresses: vec!["127.0.0.9".parse().unwrap()],
        ..get(format!("http://127.0.0.1:{port}/"))
    };
    let failure = ask(elsewhere).unwrap_err();
    assert!(
        matches!(&failure, WebFailure::NotSent(why) if why.contains("may be dialled")),
        "{failure:?}"
    );
    for url in [
        "file:///etc/passwd",
        "http://me:pw@127.0.0.1/",
        "http://",
        "ftp://127.0.0.1/",
    ] {
        assert!(
            matches!(ask(get(url.to_owned())), Err(WebFailure::NotSent(_))),
            "{url}"
        );
    }
    let nobody = WebRequest {
        addresses: Vec::new(),
        ..get(format!("http://docs.invalid:{port}/"))
    };
    assert!(matches!(ask(nobody), Err(WebFailure::NotSent(_))));
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn nothing_is_brought_along() {
    let (port, asked) = serve(|stream| {
        let more = "set-cookie: a=b\r\nlocation: /next\r\n";
        let answer = body(b"", more);
        let moved = String::from_utf8(answer)
            .unwrap()
            .replace("200 OK", "302 Found");
        stream.write_all(moved.as_bytes()).unwrap();
    });
    for _ in 0..2 {
        let answer = ask(get(format!("http://docs.invalid:{port}/a"))).unwrap();
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some("/next"))
        );
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 2, "no redirect is followed");
    for head in asked.iter() {
        let names: Vec<&str> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split(':').next())
            .collect();
        let expect = ["accept-encoding", "user-agent", "accept", "host"];
        assert!(
            names
                .iter()
                .all(|name| name.is_empty() || expect.contains(name)),
            "{head}"
        );
    }
}

#[test]
fn bodies_are_cut_where_their_limit_is() {
    let check = |bytes: &[u8], more: &'static str, length: usize, cut: Option<Cut>| {
        let answer = body(bytes, more);
        let (port, _) = serve(move |stream| drop(stream.write_all(&answer)));
        let answer = ask(get(format!("http://docs.invalid:{port}/"))).unwrap();
        assert_eq!((answer.body.len(), answer.cut), (length, cut), "{more}");
        assert!(
            answer.received_bytes <= 110 << 10,
            "{}",
            answer.received_bytes
        );
    };
    let packed = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let limit = 100 << 10;
    check(&vec![b'x'; limit], "", limit, None);
    check(&vec![b'x'; limit + 1], "", limit, Some(Cut::TooLong));
    let gzip = "content-encoding: gzip\r\n";
    check(&packed(b"hello"), gzip, 5, None);
    check(b"", gzip, 0, None);
    // A bomb: 64 MB in 64 kB, and one within another.
    let bomb = packed(&vec![0; 64 << 20]);
    assert!(bomb.len() < limit);
    check(&bomb, gzip, limit, Some(Cut::TooLong));
    check(&packed(&bomb), gzip, bomb.len(), None);
    let whole = packed(b"hello hello hello");
    check(&whole[..whole.len() - 4], gzip, 17, Some(Cut::BrokenOff));
    check(b"no gzip at all", gzip, 0, Some(Cut::BrokenOff));
}

#[test]
fn what_was_not_asked_for_is_not_read() {
    for more in [
        "content-encoding: br\r\n",
        "content-encoding: gzip, gzip\r\n",
        "content-encoding: gzip\r\ncontent-encoding: gzip\r\n",
    ] {
        let answer = body(b"x", more);
        let (port, _) = serve(move |stream| drop(stream.write_all(&answer)));
        let failure = ask(get(format!("http://docs.invalid:{port}/"))).unwrap_err();
        assert!(
            matches!(&failure, WebFailure::NoAnswer(why) if why.contains("not asked for")),
            "{failure:?}"
        );
    }
}

#[test]
fn endless_servers_are_given_up() {
    let check = |act: fn(&mut TcpStream), whole_ms: u64| {
        let (port, _) = serve(act);
        let mut request = get(format!("http://docs.invalid:{port}/"));
        request.limits.whole_ms = whole_ms;
        ask(request)
    };
    let long = 20_000;
    let short = 300;
    let endless = check(
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            while stream.write_all(&[b'x'; 4_096]).is_ok() {}
        },
        long,
    );
    assert_eq!(
        endless.map(|answer| (answer.body.len(), answer.cut)),
        Ok((100 << 10, Some(Cut::TooLong)))
    );
    // One byte, and nothing more until the other side goes.
    let slow = check(
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nx").unwrap();
            drop(stream.read(&mut [0; 1]));
        },
        short,
    );
    assert_eq!(
        slow.map(|answer| (answer.body, answer.cut)),
        Ok((b"x".to_vec(), Some(Cut::TooSlow)))
    );
    let silent = check(|stream| drop(stream.read(&mut [0; 1])), short);
    assert!(matches!(silent, Err(WebFailure::NoAnswer(why)) if why.contains("no answer came")));
    let headers = check(
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
            while stream.write_all(b"a: b\r\n").is_ok() {}
        },
        long,
    );
    assert!(matches!(headers, Err(WebFailure::NoAnswer(_))));
    let one = check(
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\na: ").unwrap();
            while stream.write_all(&[b'x'; 4_096]).is_ok() {}
        },
        long,
    );
    assert!(matches!(one, Err(WebFailure::NoAnswer(_))));
    let many = check(
        |stream| {
            let head = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "x".repeat(9 << 10));
            stream.write_all(head.as_bytes()).unwrap();
        },
        long,
    );
    assert!(matches!(many, Err(WebFailure::NoAnswer(why)) if why.contains("too many to be read")));
    let hints = check(
        |stream| {
            while stream
                .write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                .is_ok()
            {}
        },
        short,
    );
    assert!(matches!(hints, Err(WebFailure::NoAnswer(_))));
}

#[test]
fn addresses_are_found_as_the_system_finds_them() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let find = |host: &str| runtime.block_on(WebClient.resolve(&Host::parse(host).unwrap()));
    assert_eq!(find("0x7f.1"), Ok(vec![HERE]));
    assert!(find("localhost").unwrap().iter().all(IpAddr::is_loopback));
    assert!(find("nobody.invalid").is_err());
}
