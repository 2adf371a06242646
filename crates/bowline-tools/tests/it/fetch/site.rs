//! A web server on loopback that answers as a case wants, and a web whose names a case gives.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use bowline_core::web::{Web, WebAnswer, WebFailure, WebRequest};
use bowline_core::{BoxFuture, Host};
use bowline_model::WebClient;
use bowline_tools::builtin::{BuiltinConfig, HostRules};

use crate::bench::Bench;

/// A request as it came.
pub(crate) struct Request(String);

impl Request {
    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        self.0.split(' ').nth(1).unwrap_or_default()
    }
}

/// What is sent back; `{port}` stands for the port of the server.
#[derive(Clone)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    ends: bool,
}

impl Answer {
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            bytes: bytes.as_ref().to_vec(),
            ends: true,
        }
    }

    /// Nothing, until the other side has gone.
    pub(crate) fn never() -> Self {
        Self {
            bytes: Vec::new(),
            ends: false,
        }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        let text = String::from_utf8(self.bytes).unwrap();
        Self::raw(text.replacen("200", &status.to_string(), 1))
    }
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut text = format!(
        "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| *name == "content-type") && !body.is_empty() {
        text.push_str("content-type: text/html\r\n");
    }
    Answer::raw(format!("{text}\r\n{body}"))
}

pub(crate) fn page(body: &str) -> Answer {
    answer(200, &[("content-type", "text/html; charset=utf-8")], body)
}

/// A server with a thread for each connection.
pub(crate) struct Site {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    told: Arc<Mutex<Vec<Sender<()>>>>,
    is_over: Arc<AtomicBool>,
}

impl Site {
    pub(crate) fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), answer)
    }

    pub(crate) fn on(
        listener: TcpListener,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let site = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            told: Arc::default(),
            is_over: Arc::default(),
        };
        let (port, answer) = (site.port(), Arc::new(answer));
        let (requests, told) = (Arc::clone(&site.requests), Arc::clone(&site.told));
        let is_over = Arc::clone(&site.is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (requests, told) = (Arc::clone(&requests), Arc::clone(&told));
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let request = read(&mut stream);
                    requests.lock().unwrap().push(request.clone());
                    for sender in told.lock().unwrap().iter() {
                        sender.send(()).ok();
                    }
                    let answer = answer(&Request(request));
                    send(&mut stream, &answer, port);
                });
            }
        });
        site
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://site.test:{}{path}", self.port())
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Told of each request from now on.
    pub(crate) fn reached(&self) -> Receiver<()> {
        let (sender, receiver) = channel();
        self.told.lock().unwrap().push(sender);
        receiver
    }

    /// Tools that know `site.test` and may reach this server and nothing else inside.
    pub(crate) fn bench(&self) -> Bench {
        let inside = self.address.ip();
        let names = ["site.test", "www.site.test", "other.test"];
        let names = names.map(|name| (name.to_owned(), vec![vec![inside]]));
        bench(self.port(), Names::new(names.into()))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
    }
}

/// Tools on a web of these names; a rule opens 127.0.0.1 at this port and nothing else.
pub(crate) fn bench(port: u16, names: Arc<Names>) -> Bench {
    let mut config = BuiltinConfig::new(std::env::current_exe().unwrap());
    config.web = Some(names);
    config.rules_of_hosts = Arc::new(move |host, at| HostRules {
        allows_exactly: host.as_str() == "127.0.0.1" && at == port,
        ..HostRules::default()
    });
    Bench::with(config)
}

/// The real client, with names of its own; a name may lead elsewhere each time it is looked up.
pub(crate) struct Names {
    names: BTreeMap<String, Vec<Vec<IpAddr>>>,
    pub(crate) lookups: AtomicUsize,
}

impl Names {
    pub(crate) fn new(names: Vec<(String, Vec<Vec<IpAddr>>)>) -> Arc<Self> {
        Arc::new(Self {
            names: names.into_iter().collect(),
            lookups: AtomicUsize::new(0),
        })
    }
}

impl Web for Names {
    fn resolve(&self, host: &Host) -> BoxFuture<'static, Result<Vec<IpAddr>, String>> {
        let nth = self.lookups.fetch_add(1, Ordering::SeqCst);
        let found = match (host.address(), self.names.get(host.as_str())) {
            (Some(address), _) => Ok(vec![address]),
            (None, Some(turns)) => Ok(turns[nth.min(turns.len() - 1)].clone()),
            (None, None) => Err(format!("the name `{host}` is not known")),
        };
        Box::pin(async { found })
    }

    fn ask(&self, request: WebRequest) -> BoxFuture<'static, Result<WebAnswer, WebFailure>> {
        WebClient.ask(request)
    }
}

/// Head and body of a request.
fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
            _ => return text,
        }
    }
}

fn send(stream: &mut TcpStream, answer: &Answer, port: u16) {
    let bytes = match std::str::from_utf8(&answer.bytes) {
        Ok(text) => text.replace("{port}", &port.to_string()).into_bytes(),
        Err(_) => answer.bytes.clone(),
    };
    stream.write_all(&bytes).ok();
    if answer.ends {
        stream.shutdown(std::net::Shutdown::Write).ok();
    }
    // Whoever asked goes first.
    let mut rest = [0; 4_096];
    while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
}
