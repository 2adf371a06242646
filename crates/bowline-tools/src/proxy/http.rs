//! A client that speaks HTTP: `CONNECT`, or one plain request.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bowline_core::Connection;
use bowline_core::contact::Via;

use super::Shared;
use super::book::Way;
use super::dial::{NoLine, dial};
use super::head::{Bad, Head, What, parse};
use super::relay::Pair;
use super::source::{NoHead, Source};
use super::{body, close};

/// Longest wait for what a refused client still sends.
const LINGER: Duration = Duration::from_millis(100);

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// Serves one client to its end.
pub(super) fn serve(shared: &Shared, mut source: Source) {
    let head = match source.head() {
        Ok(head) => head,
        Err(NoHead::TooLong) => {
            return refuse(
                source.stream(),
                "431 Request Header Fields Too Large",
                "its head is too long",
            );
        }
        Err(NoHead::TooSlow) => {
            return refuse(
                source.stream(),
                "408 Request Timeout",
                "its head took too long",
            );
        }
        Err(NoHead::Gone) => return close(source.stream()),
    };
    let head = match parse(&head) {
        Ok(head) => head,
        Err(Bad { why, host }) => {
            if let Some(host) = host {
                shared.book.refuse(unread(host, &why));
            }
            return refuse(source.stream(), "400 Bad Request", &why);
        }
    };
    // A client that fails is gone, and so is what was for it.
    let _served = exchange(shared, source, head);
}

fn exchange(shared: &Shared, source: Source, head: Head) -> io::Result<()> {
    let dialled = match dial(shared, &head.host, head.port, Via::Http) {
        Ok(dialled) => dialled,
        Err(why) => {
            let status = match why {
                NoLine::Refused(_) => "403 Forbidden",
                NoLine::Unknown(_) | NoLine::Unreachable(_) | NoLine::Over => "502 Bad Gateway",
            };
            refuse(source.stream(), status, &why.words());
            return Ok(());
        }
    };
    let (mut client, early) = source.into_parts();
    if head.what == What::Tunnel {
        client.write_all(ESTABLISHED)?;
    }
    let pair = Pair::new(client, dialled, &shared.limits)?;
    match head.what {
        What::Tunnel => pair.run(|pair| {
            pair.write(Way::Out, &early)?;
            pair.copy(Way::Out)
        }),
        What::Exchange { head, body } => pair.run(|pair| {
            pair.write(Way::Out, &head)?;
            body::pass(pair, body, early)?;
            pair.ignore_client()
        }),
    }
    Ok(())
}

/// A refused request whose host could not be read.
pub(super) fn unread(host: String, why: &str) -> Connection {
    Connection {
        host,
        port: 0,
        address: None,
        via: Via::Http,
        refused: Some(why.to_owned()),
        sent_bytes: 0,
        received_bytes: 0,
    }
}

/// Answers a client that gets no connection.
fn refuse(mut client: &TcpStream, status: &str, why: &str) {
    let text = format!("Not reached: {why}.\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        text.len()
    );
    // A client that does not listen has no use for it.
    if client.write_all(answer.as_bytes()).is_err() || client.shutdown(Shutdown::Write).is_err() {
        return;
    }
    // What it still sends is taken for a moment: closed at once, the answer would be lost to it.
    let mut ignored = [0; 4096];
    if client.set_read_timeout(Some(LINGER)).is_err() {
        return;
    }
    for _ in 0..16 {
        if !matches!(client.read(&mut ignored), Ok(1..)) {
            return;
        }
    }
}
