//! One address before several servers: whoever asks there is led on, and answers can be held up.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use bowline_testkit::Recorded;

/// The address, and where it leads.
pub(super) struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where new connections lead, and whether answers are held up.
    now: Mutex<(SocketAddr, bool)>,
    changed: Condvar,
}

impl Front {
    pub(super) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            now: Mutex::new((server, false)),
            changed: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        // Bounded: it ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().take(1_000).flatten() {
                lead(client, &for_thread);
            }
        });
        Self { address, shared }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on new connections lead there.
    pub(super) fn lead_to(&self, server: SocketAddr) {
        self.shared.now.lock().expect("whole").0 = server;
    }

    /// Holds every answer up from now on.
    pub(super) fn hold(&self) {
        self.shared.now.lock().expect("whole").1 = true;
    }

    /// Lets answers through again.
    pub(super) fn release(&self) {
        self.shared.now.lock().expect("whole").1 = false;
        self.shared.changed.notify_all();
    }
}

fn lead(client: TcpStream, shared: &Arc<Shared>) {
    let server = shared.now.lock().expect("whole").0;
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    std::thread::spawn(move || {
        let _gone = std::io::copy(&mut from_client, &mut to_server);
        let _gone = to_server.shutdown(Shutdown::Write);
    });
    let shared = Arc::clone(shared);
    std::thread::spawn(move || answer(client, server, &shared));
}

fn answer(mut client: TcpStream, mut server: TcpStream, shared: &Shared) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(count) = server.read(&mut piece) {
        let held = shared.now.lock().expect("whole");
        drop(shared.changed.wait_while(held, |now| now.1));
        if count == 0 || client.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _gone = client.shutdown(Shutdown::Both);
    let _gone = server.shutdown(Shutdown::Both);
}

/// Asks a server what another one was asked, and reads the answer to its end.
pub(super) fn repeat(server: SocketAddr, request: &Recorded) {
    let mut stream = TcpStream::connect(server).expect("it listens");
    let mut head = format!("POST {} HTTP/1.1\r\nconnection: close\r\n", request.path);
    for (name, value) in &request.headers {
        if name != "connection" {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).expect("it is read");
    stream.write_all(&request.raw).expect("it is read");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "it answers well");
}
