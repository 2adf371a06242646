//! Confined commands that may reach named hosts: ordinary clients do, and nothing else is reached.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_core::contact::Via;
use bowline_core::{Backend, Confinement, Host, Network, Profile};
use bowline_tools::keeper::{Exit, Order, spool};
use bowline_tools::proxy::Resolve;

use crate::support::{Case, Place, block_on, finished, launcher};

pub(crate) const CASES: &[Case] = &[
    ("proxied_clients_reach_a_named_host", clients_reach_it),
    ("proxied_others_are_refused", others_are_refused),
    ("proxied_nothing_leads_around_the_proxy", nothing_around),
    ("proxied_redirects_lead_nowhere_inside", redirects),
    ("proxied_command_is_as_it_would_be_without", as_without),
    ("no_named_host_no_launcher", no_launcher),
];

/// Where the keepers of these tests find names.
const TABLE: [(&str, &str); 3] = [
    ("named.internal", "127.0.0.1"),
    ("second.example", "127.0.0.2"),
    ("inside.example", "127.0.0.1"),
];

/// Looks names up in the table.
pub(crate) fn resolver() -> Arc<Resolve> {
    Arc::new(|host: &Host| {
        let named = TABLE.iter().find(|(name, _)| *name == host.as_str());
        let address = named.and_then(|(_, to)| to.parse::<IpAddr>().ok());
        address
            .map(|address| vec![address])
            .ok_or_else(|| std::io::Error::other("no such name"))
    })
}

/// A web server on the machine's own loopback that gives files of a folder, and redirects.
struct Web {
    port: u16,
    folder: tempfile::TempDir,
    served: Arc<AtomicUsize>,
}

impl Web {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let (root, served) = (folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&served);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                counted.fetch_add(1, Ordering::SeqCst);
                let root = root.clone();
                std::thread::spawn(move || drop(answer(stream, &root)));
            }
        });
        std::fs::write(folder.path().join("hello"), "hello, sandbox\n").unwrap();
        Self {
            port,
            folder,
            served,
        }
    }

    fn count(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

/// `/to/ADDRESS` redirects there; anything else is a file.
fn answer(mut stream: TcpStream, root: &std::path::Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    if let Some(to) = path.strip_prefix("/to/") {
        return write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: http://{to}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
    }
    let body = std::fs::read(root.join(path.trim_start_matches('/')));
    let status = if body.is_ok() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = body.unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// A place with a workspace, and commands that may reach `hosts`.
struct Ground {
    place: Place,
    hosts: Vec<String>,
}

impl Ground {
    fn new(hosts: &[String]) -> Self {
        Self {
            place: Place::new(),
            hosts: hosts.to_vec(),
        }
    }

    fn work(&self) -> PathBuf {
        self.place.path("work")
    }

    fn order(&self, command: &str) -> Order {
        std::fs::create_dir_all(self.work()).unwrap();
        let network = match self.hosts.is_empty() {
            true => Network::None,
            false => Network::Hosts(self.hosts.clone()),
        };
        let mut order = self.place.order(command);
        order.cwd = self.work();
        let home = order.cwd.to_str().unwrap().to_owned();
        order.env.push(("HOME".into(), home.clone()));
        let toolchains = std::env::var("RUSTUP_HOME")
            .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.rustup")));
        order
            .env
            .extend(toolchains.map(|at| ("RUSTUP_HOME".into(), at)));
        order.confinement = Some(Box::new(Confinement {
            backend: Backend::Namespaces,
            profile: Profile {
                writable: vec![home],
                network,
                ..Profile::default()
            },
        }));
        order
    }

    /// Runs a command to its end.
    fn run(&self, name: &str, command: &str) -> (Exit, String) {
        self.run_order(name, &self.order(command))
    }

    fn run_order(&self, name: &str, order: &Order) -> (Exit, String) {
        let dir = self.place.path("spool").join(name);
        let kept = launcher().launch(&dir, order).unwrap();
        let exit = finished(block_on(kept.wait(|_| {})));
        let head = spool::read(&dir).head;
        (exit, String::from_utf8_lossy(&head).into_owned())
    }
}

fn has(program: &str) -> bool {
    let found = std::process::Command::new("bash")
        .args(["-c", &format!("command -v {program}")])
        .output();
    found.is_ok_and(|found| found.status.success())
}

/// Programs that people work with, each in a form that they use; a part of what comes out.
fn clients(base: &str) -> Vec<(&'static str, String, &'static str)> {
    let python = format!(
        "import urllib.request; print(urllib.request.urlopen('{base}/hello').read().decode())"
    );
    let at = base.trim_start_matches("http://");
    let node = format!(
        "const h=require('http'),u=new URL(process.env.HTTP_PROXY);\
         h.request({{host:u.hostname,port:u.port,method:'CONNECT',path:'{at}'}})\
         .on('connect',(r,s)=>{{s.write('GET /hello HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');\
         s.on('data',d=>process.stdout.write(d))}}).end()"
    );
    let cargo = format!(
        "mkdir -p c/src && cd c && touch src/lib.rs && printf '[package]\\nname=\"c\"\\n\
         [dependencies]\\nfog={{version=\"0.1\",registry=\"near\"}}\\n' >Cargo.toml && \
         CARGO_REGISTRIES_NEAR_INDEX=sparse+{base}/index/ cargo generate-lockfile && cat Cargo.lock"
    );
    vec![
        ("cargo", cargo, "name = \"fog\""),
        ("curl", format!("curl -sS {base}/hello"), "hello, sandbox"),
        ("curl", format!("curl -sSp {base}/hello"), "hello, sandbox"),
        (
            "curl",
            format!("curl -sS --proxy socks5h://${{HTTP_PROXY#http://}} {base}/hello"),
            "hello, sandbox",
        ),
        (
            "git",
            format!("git clone -q {base}/repo.git && cat repo/hi.txt"),
            "hi",
        ),
        (
            "git",
            format!("git ls-remote {base}/repo.git"),
            "refs/heads/main",
        ),
        (
            "python3",
            format!("python3 -c \"{python}\""),
            "hello, sandbox",
        ),
        ("node", format!("node -e \"{node}\""), "hello, sandbox"),
        ("wget", format!("wget -qO- {base}/hello"), "hello, sandbox"),
        ("npm", format!("npm ping --registry {base}/hello?"), "PONG"),
        (
            "pip",
            format!(
                "pip download --no-deps --retries 0 --trusted-host named.internal -i {base}/simple nothing 2>&1; true"
            ),
            "No matching distribution",
        ),
    ]
}

/// A repository as a plain web server gives it.
fn repository(web: &Web) {
    let script = "set -e; git init -q --bare repo.git; git init -q source; cd source; \
                  echo hi > hi.txt; git add .; \
                  git -c user.name=a -c user.email=a@b.example commit -qm one; \
                  git push -q ../repo.git HEAD:refs/heads/main; cd ../repo.git; \
                  git symbolic-ref HEAD refs/heads/main; git update-server-info";
    let made = std::process::Command::new("bash")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", script])
        .current_dir(web.folder.path())
        .status();
    assert!(made.unwrap().success());
}

/// An index of packages as cargo asks for it.
fn index(web: &Web, base: &str) {
    std::fs::create_dir_all(web.folder.path().join("index/3/f")).unwrap();
    let dl = format!("{{\"dl\":\"{base}/dl\"}}");
    std::fs::write(web.folder.path().join("index/config.json"), dl).unwrap();
    let row = format!(
        "{{\"name\":\"fog\",\"vers\":\"0.1.0\",\"deps\":[],\"cksum\":\"{}\",\"features\":{{}},\"yanked\":false}}\n",
        "0".repeat(64)
    );
    std::fs::write(web.folder.path().join("index/3/f/fog"), row).unwrap();
}

fn clients_reach_it() {
    let web = Web::at("127.0.0.1");
    let port = web.port;
    let base = format!("http://named.internal:{port}");
    repository(&web);
    index(&web, &base);
    let ground = Ground::new(&[format!("named.internal:{port}")]);
    let mut worked = 0;
    for (at, (program, command, expect)) in clients(&base).iter().enumerate() {
        if !has(program) {
            continue;
        }
        let before = web.count();
        let (exit, output) = ground.run(&format!("client-{at}"), command);
        assert!(output.contains(expect), "{command}: {exit:?} {output}");
        assert!(web.count() > before, "{command}");
        let reached = &exit.connections;
        let is_it = |one: &bowline_core::Connection| {
            (one.host.as_str(), one.port) == ("named.internal", port)
                && one.address.as_deref() == Some("127.0.0.1")
                && one.refused.is_none()
                && one.sent_bytes > 0
                && one.received_bytes > 0
        };
        assert!(
            !reached.is_empty() && reached.iter().all(is_it),
            "{command}: {reached:?}"
        );
        worked += 1;
    }
    assert!(worked >= 4, "{worked} clients are installed");
    println!("{worked} clients reach a named host through the proxy");
}

fn others_are_refused() {
    let web = Web::at("127.0.0.1");
    let port = web.port;
    let ground = Ground::new(&[
        format!("named.internal:{port}"),
        format!("*.example:{port}"),
    ]);
    let proxy = "${HTTP_PROXY#http://}";
    let cases = [
        (
            format!("http://inside.example:{port}/hello"),
            "leads to 127.0.0.1",
        ),
        (
            format!("http://other.test:{port}/hello"),
            "no rule names the host other.test",
        ),
        (
            "http://named.internal:9/hello".to_owned(),
            "other ports than 9",
        ),
    ];
    for (at, (address, expect)) in cases.iter().enumerate() {
        for (form, option) in [("plain", ""), ("tunnel", "-p")] {
            let command = format!("curl -sS {option} {address}");
            let (exit, output) = ground.run(&format!("{form}-{at}"), &command);
            let [refused] = &exit.connections[..] else {
                panic!("{command}: {:?}", exit.connections);
            };
            let why = refused.refused.as_deref().unwrap_or_default();
            assert!(why.contains(expect), "{command}: {why}");
            assert!(
                output.contains(if form == "plain" { *expect } else { "403" }),
                "{output}"
            );
        }
        let command = format!("curl -sS --proxy socks5h://{proxy} {address}; echo $?");
        let (exit, output) = ground.run(&format!("socks-{at}"), &command);
        assert!(output.ends_with("97\n"), "{command}: {output}");
        assert_eq!(exit.connections[0].via, Via::Socks);
    }
    assert_eq!(web.count(), 0);
}

fn nothing_around() {
    let web = Web::at("127.0.0.1");
    let port = web.port;
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    let ways = [
        format!("curl -sS --noproxy '*' -m 5 http://127.0.0.1:{port}/hello"),
        format!("curl -sS --noproxy '*' -m 5 http://named.internal:{port}/hello"),
        format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET /hello HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
        ),
        format!("echo x > /dev/udp/127.0.0.1/{udp_port} && false"),
        "python3 -c \"import socket; socket.getaddrinfo('named.internal', 80)\"".to_owned(),
        "python3 -c \"import socket; s=socket.socket(2, 2); s.sendto(b'x', ('9.9.9.9', 53))\""
            .to_owned(),
        "python3 -c \"import socket; s=socket.create_connection(('9.9.9.9', 53), 5)\"".to_owned(),
    ];
    let ground = Ground::new(&[format!("named.internal:{port}")]);
    for (at, way) in ways.iter().enumerate() {
        let (exit, output) = ground.run(&format!("way-{at}"), way);
        assert_ne!(exit.code, Some(0), "{way}: {output}");
        assert!(!output.contains("hello"), "{way}: {output}");
        assert!(exit.connections.is_empty(), "{way}: {:?}", exit.connections);
    }
    assert_eq!(web.count(), 0);
    assert!(udp.recv(&mut [0]).is_err(), "no datagram came");
    // Without a sandbox the same ways lead there.
    for way in [&ways[0], &ways[2], &ways[3]] {
        let mut order = ground.order(way);
        order.confinement = None;
        ground.run_order(&format!("open-{}", way.len()), &order);
    }
    assert_eq!(web.count(), 2);
    assert!(udp.recv(&mut [0]).is_ok());
}

fn redirects() {
    let (web, inside) = (Web::at("127.0.0.1"), Web::at("127.0.0.2"));
    let (port, to) = (web.port, inside.port);
    let targets = [
        format!("127.0.0.2:{to}/hello"),
        format!("127.2:{to}/hello"),
        format!("2130706434:{to}/hello"),
        format!("0x7f.0.0.2:{to}/hello"),
        format!("0177.0.0.02:{to}/hello"),
        format!("[::ffff:127.0.0.2]:{to}/hello"),
        format!("[::ffff:7f00:2]:{to}/hello"),
        format!("second.example:{to}/hello"),
        format!("SECOND.example.:{to}/hello"),
        format!("named.internal@127.0.0.2:{to}/hello"),
        format!("named.internal:{port}@127.0.0.2:{to}/hello"),
        // By way of itself, and of others.
        format!("named.internal:{port}/to/127.0.0.2:{to}/hello"),
        format!("named.internal:{port}/to/named.internal:{port}/to/127.2:{to}/hello"),
    ];
    let patterns = [format!("named.internal:{port}"), format!("*:{to}")];
    let ground = Ground::new(&patterns);
    for (at, target) in targets.iter().enumerate() {
        let command =
            format!("curl -gsSL --max-redirs 9 'http://named.internal:{port}/to/{target}'");
        let (exit, output) = ground.run(&format!("redirect-{at}"), &command);
        assert!(!output.contains("hello, sandbox"), "{target}: {output}");
        assert!(
            exit.connections.iter().any(|one| one.refused.is_none()),
            "{target}"
        );
    }
    assert_eq!(inside.count(), 0, "over {} chains", targets.len());
    println!(
        "{} redirect chains: 0 reach a private address",
        targets.len()
    );
    // Without the proxy the same client follows them all the way.
    let direct = format!("curl -sSL http://127.0.0.1:{port}/to/{}", targets[0]);
    let mut order = ground.order(&direct);
    order.confinement = None;
    let (_, output) = ground.run_order("direct", &order);
    assert!(output.contains("hello, sandbox"), "{output}");
    assert_eq!(inside.count(), 1);
}

/// The launcher leaves no trace but variables: not in exit codes, descriptors, signals, processes.
fn as_without() {
    let (with, without) = (Ground::new(&["named.internal".into()]), Ground::new(&[]));
    let both = |name: &str, command: &str| {
        let (a, b) = (with.run(name, command), without.run(name, command));
        assert_eq!(
            (a.0.code, a.0.signal, &a.1),
            (b.0.code, b.0.signal, &b.1),
            "{command}"
        );
        a
    };
    assert_eq!(both("code", "exit 7").0.code, Some(7));
    both("signal", "kill -9 $$");
    both("descriptors", "ls /proc/self/fd");
    both("dispositions", "grep Sig /proc/self/status");
    both("processes", "ps -e -o comm= 2>/dev/null | sort");
    both("arguments", "tr '\\0' ' ' </proc/$$/cmdline");
    both(
        "open",
        "readlink /proc/*/fd/* | grep -c socket:; ls -la /run | grep -vc bowline",
    );
    let (_, words) = with.run("variables", "env | grep -ic proxy");
    assert_eq!(words, "17\n");
    let (exit, output) = with.run("again", "/run/bowline inside 3 true; echo $?");
    assert_eq!(output, "126\n", "{exit:?}");
}

fn no_launcher() {
    let ground = Ground::new(&[]);
    let (exit, output) = ground.run("none", "env | grep -ic proxy; ls /run; exit 0");
    assert_eq!((exit.code, output.trim()), (Some(0), "0"));
    assert!(exit.connections.is_empty());
}
