//! No spelling, redirect or look-up leads inside: private listeners are never reached, and the same
//! client without the judgement reaches them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bowline_core::Host;
use bowline_core::web::{Method, Web as _, WebLimits, WebRequest};
use serde_json::json;
use url::Url;

use super::site::{Answer, Names, Request, Site, answer, bench, page};
use crate::bench::{Bench, runtime};

crate::cases![
    no_spelling_leads_inside,
    no_name_leads_inside,
    no_redirect_leads_inside,
    a_name_that_leads_elsewhere_the_second_time_is_refused,
    what_a_rule_spells_out_is_reached,
];

/// Hosts that are this machine, the network around it, or nothing at all.
const HOSTS: [&str; 78] = [
    "127.0.0.2",
    "127.2",
    "127.0.2",
    "127.0.0.2.",
    "2130706434",
    "0x7f000002",
    "0x7F.0.0.2",
    "0x7f.2",
    "017700000002",
    "0177.0.0.2",
    "0177.0.0.02",
    "127.00.00.02",
    "0x7f.0.2",
    "127.0x2",
    "%31%32%37.0.0.2",
    "127%2e0%2e0%2e2",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.2",
    "\u{2460}\u{2461}\u{2466}.0.0.2",
    "127\u{3002}0\u{3002}0\u{3002}2",
    "127\u{ff0e}0\u{ff0e}0\u{ff0e}2",
    "127\u{ff61}0.0.2",
    "127.0.0.\u{ad}2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[0:0:0:0:0:ffff:7f00:2]",
    "[::FFFF:7F00:0002]",
    "[::127.0.0.2]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::0001]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[64:ff9b::7f00:2]",
    "[64:ff9b::127.0.0.2]",
    "[64:ff9b:1::7f00:2]",
    "[2002:7f00:2::]",
    "[2001:0:7f00:2::80ff:fffd]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "\u{ff2c}\u{ff4f}\u{ff43}\u{ff41}\u{ff4c}host",
    "loc\u{ad}alhost",
    "local%68ost",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "metadata.google.internal",
    "host.docker.internal",
    "instance-data",
    "router.lan",
    "printer.local",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "240.0.0.1",
    "192.0.2.1",
];

/// Private listeners beside a server that may be reached: the same port on other addresses of this
/// machine, another port of the same address.
struct Inside {
    open: Site,
    closed: Vec<Site>,
    other_port: u16,
}

impl Inside {
    fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + Clone + 'static) -> Self {
        // The port of one address may be taken on another.
        let found = (0..100).find_map(|_| {
            let open = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = open.local_addr().unwrap().port();
            let beside = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).ok()?;
            let sixth = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
                Ok(listener) => Some(listener),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return None,
                // A machine without IPv6.
                Err(_) => None,
            };
            Some((open, beside, sixth))
        });
        let (open, beside, sixth) = found.unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let other_port = other.local_addr().unwrap().port();
        let closed = [Some(beside), sixth, Some(other)].into_iter().flatten();
        Self {
            open: Site::on(open, answer.clone()),
            closed: closed
                .map(|listener| Site::on(listener, answer.clone()))
                .collect(),
            other_port,
        }
    }

    fn port(&self) -> u16 {
        self.open.port()
    }

    /// Requests that came to what is private.
    fn reached(&self) -> usize {
        self.closed.iter().map(|site| site.requests().len()).sum()
    }

    /// Makes a call that must not reach anything private.
    fn try_in(&self, bench: &mut Bench, url: &str) {
        let said = match bench.call("fetch", json!({"url": url, "timeout_ms": 5_000})) {
            Ok(finish) => finish.text,
            Err(error) => error,
        };
        assert_eq!(self.reached(), 0, "{url}: {said}");
        assert!(!said.contains("private words"), "{url}: {said}");
    }
}

/// The same client without any judgement: looks up what it is given and follows where it is led.
fn naive(url: &str, names: &Names) -> Option<()> {
    let limits = WebLimits {
        header_bytes: 64 << 10,
        body_bytes: 1 << 20,
        connect_ms: 500,
        whole_ms: 1_000,
    };
    let mut url = Url::parse(url).ok()?;
    for _ in 0..25 {
        let host = Host::parse(url.host_str()?).ok()?;
        let answer = runtime().block_on(async {
            let request = WebRequest {
                method: Method::Get,
                url: url.to_string(),
                headers: Vec::new(),
                body: None,
                addresses: names.resolve(&host).await.ok()?,
                limits,
            };
            names.ask(request).await.ok()
        })?;
        url = url.join(answer.header("location")?).ok()?;
    }
    None
}

fn private_page(_: &Request) -> Answer {
    page("private words")
}

fn no_spelling_leads_inside() {
    let inside = Inside::start(private_page);
    let (port, other) = (inside.port(), inside.other_port);
    let names = Names::new(Vec::new());
    let mut bench = bench(port, Arc::clone(&names));
    let mut urls: Vec<String> = HOSTS
        .iter()
        .map(|host| format!("http://{host}:{port}/"))
        .collect();
    urls.extend([
        format!("http://127.0.0.1:{other}/"),
        format!("http:127.0.0.2:{port}/"),
        format!("http:/127.0.0.2:{port}/"),
        format!("http:\\\\127.0.0.2:{port}/"),
        format!("http:////127.0.0.2:{port}/"),
        format!("\u{1}http://127.0.0.2:{port}/"),
        format!("ht\ntp://127.0.0.2:{port}/"),
        format!("http://127.0.\t0.2:{port}/"),
        format!("http://site.test@127.0.0.2:{port}/"),
        format!("http://site.test:80@127.0.0.2:{port}/"),
        format!("http://@127.0.0.2:{port}/"),
        format!("http://127.0.0.2:{port}\\@site.test/"),
        format!("http://127.0.0.2:{port}#@site.test/"),
        format!("http://127.0.0.2:{port}?@site.test/"),
        format!("http://127.0.0.2:0{port}/"),
        format!("http://127.0.0.2%00.site.test:{port}/"),
        format!("http://127.0.0.2\0.site.test:{port}/"),
        format!("http://[::1%25lo]:{port}/"),
        format!("http://[::ffff:127.0.0.2%lo]:{port}/"),
        format!("ftp://127.0.0.2:{port}/"),
        format!("gopher://127.0.0.2:{port}/_GET"),
        format!("ws://127.0.0.2:{port}/"),
        format!("//127.0.0.2:{port}/"),
        format!("127.0.0.2:{port}"),
    ]);
    for url in &urls {
        inside.try_in(&mut bench, url);
    }
    assert!(urls.len() >= 100, "{}", urls.len());
    for url in &urls {
        naive(url, &names);
    }
    let reached = inside.reached();
    assert!(
        reached >= 30,
        "the control reached {reached} of {}",
        urls.len()
    );
    println!(
        "{} spellings: 0 reached inside, {reached} without the judgement",
        urls.len()
    );
}

fn no_name_leads_inside() {
    let inside = Inside::start(private_page);
    let found: [&[&str]; 14] = [
        &["127.0.0.2"],
        &["::1"],
        &["::ffff:127.0.0.2"],
        &["93.184.215.14", "127.0.0.2"],
        &["127.0.0.1", "127.0.0.2"],
        &["127.0.0.2", "127.0.0.1"],
        &["2606:4700::1111", "::1"],
        &["0.0.0.0"],
        &["::"],
        &["169.254.169.254"],
        &["10.0.0.1"],
        &["64:ff9b::7f00:2"],
        &["fd00:ec2::254"],
        &["100.64.0.1"],
    ];
    let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let names = |suffix: &str| {
        let named = found.iter().enumerate();
        let named = named.map(|(at, texts)| (format!("n{at}{suffix}"), vec![addresses(texts)]));
        named.collect::<Vec<_>>()
    };
    // Names of the public network, and of the nearest one.
    let names = Names::new([names(".test"), names(".internal")].concat());
    let mut bench = bench(inside.port(), Arc::clone(&names));
    for suffix in [".test", ".internal"] {
        for at in 0..found.len() {
            inside.try_in(
                &mut bench,
                &format!("http://n{at}{suffix}:{}/", inside.port()),
            );
        }
    }
    naive(&format!("http://n0.test:{}/", inside.port()), &names);
    assert_eq!(inside.reached(), 1, "the control");
}

/// Where answers lead that want to be followed inside.
const LOCATIONS: [&str; 30] = [
    "http://127.0.0.2:{port}/",
    "//127.0.0.2:{port}/",
    "http://127.2:{port}/",
    "http://2130706434:{port}/",
    "http://0x7f000002:{port}/",
    "http://0177.0.0.2:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.2]:{port}/",
    "http://inside.test:{port}/",
    "//inside.test:{port}/",
    "http://me:pw@127.0.0.2:{port}/",
    "http://site.test@127.0.0.2:{port}/",
    "http://127.0.0.2:{port}#@site.test/",
    "http:\\\\127.0.0.2:{port}/",
    "http:/\\127.0.0.2:{port}/",
    "/\\127.0.0.2:{port}/",
    "\\\\127.0.0.2:{port}/",
    "http://127\u{3002}0\u{3002}0\u{3002}2:{port}/",
    "http://%31%32%37.0.0.2:{port}/",
    "http:127.0.0.2:{port}/",
    "http://127.0.0.1:{other}/",
    "http://localhost:{other}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://site.test:{other}/",
    "file:///etc/passwd",
    "data:text/html,private%20words",
    "gopher://127.0.0.2:{port}/_GET",
    "https://127.0.0.2:{port}/",
    "http://www.site.test:{other}/",
    "/20",
];

fn no_redirect_leads_inside() {
    let other = Arc::new(std::sync::OnceLock::new());
    let known = Arc::clone(&other);
    // `/STATUS/NUMBER` leads to the location of that number, `/N` to the next lower N and then in.
    let inside = Inside::start(move |request: &Request| {
        let (port, other) = ("{port}", known.get().copied().unwrap_or_default());
        let fill = |text: &str| text.replace("{other}", &format!("{other}"));
        let mut parts = request.path().split('/').filter(|part| !part.is_empty());
        let numbers: Vec<usize> = parts
            .by_ref()
            .filter_map(|part| part.parse().ok())
            .collect();
        match numbers[..] {
            [status, number] => {
                let status = u16::try_from(status).unwrap();
                answer(status, &[("location", &fill(LOCATIONS[number]))], "moved")
            }
            [0] => answer(
                302,
                &[("location", &format!("http://127.0.0.2:{port}/"))],
                "moved",
            ),
            [left] => answer(302, &[("location", &format!("/{}", left - 1))], "moved"),
            _ => page("private words"),
        }
    });
    other.set(inside.other_port).unwrap();
    let here: IpAddr = Ipv4Addr::LOCALHOST.into();
    let beside: IpAddr = Ipv4Addr::new(127, 0, 0, 2).into();
    let table = [
        ("site.test", here),
        ("www.site.test", here),
        ("localhost", here),
        ("inside.test", beside),
    ];
    let table = table.map(|(name, address)| (name.to_owned(), vec![vec![address]]));
    let names = Names::new(table.into());
    let mut bench = bench(inside.port(), Arc::clone(&names));
    let urls = [301, 302, 303, 307, 308].into_iter().flat_map(|status| {
        let port = inside.port();
        (0..LOCATIONS.len()).map(move |number| format!("http://site.test:{port}/{status}/{number}"))
    });
    let urls: Vec<String> = urls.collect();
    for url in &urls {
        let before = inside.open.requests().len();
        inside.try_in(&mut bench, url);
        assert!(
            inside.open.requests().len() > before,
            "{url} was not asked at all"
        );
    }
    for url in &urls {
        naive(url, &names);
    }
    let reached = inside.reached();
    assert!(
        reached >= 100,
        "the control reached {reached} of {}",
        urls.len()
    );
    println!(
        "{} redirects: 0 reached inside, {reached} without the judgement",
        urls.len()
    );
}

fn a_name_that_leads_elsewhere_the_second_time_is_refused() {
    let inside = Inside::start(|request: &Request| match request.path() {
        "/" => answer(302, &[("location", "/again")], ""),
        _ => page("private words"),
    });
    let turns = vec![
        vec![Ipv4Addr::LOCALHOST.into()],
        vec![Ipv4Addr::new(127, 0, 0, 2).into()],
    ];
    let names = || Names::new(vec![("rebind.test".to_owned(), turns.clone())]);
    let url = |path: &str| format!("http://rebind.test:{}{path}", inside.port());
    // One look-up a request: what was judged is what is dialled.
    let table = names();
    let mut bench_of = bench(inside.port(), Arc::clone(&table));
    assert!(
        bench_of
            .ok("fetch", json!({"url": url("/end")}))
            .contains("private words")
    );
    assert_eq!(table.lookups.load(Ordering::SeqCst), 1);
    assert_eq!(inside.reached(), 0);
    let table = names();
    let mut bench_of = bench(inside.port(), Arc::clone(&table));
    let finish = bench_of.call("fetch", json!({"url": url("/")})).unwrap();
    assert!(
        finish
            .text
            .contains("it leads to 127.0.0.2, which is this machine"),
        "{}",
        finish.text
    );
    assert_eq!(finish.denied.len(), 1);
    let refused: Vec<bool> = finish
        .effect
        .connections
        .iter()
        .map(|one| one.refused.is_some())
        .collect();
    assert_eq!((refused, inside.reached()), (vec![false, true], 0));
    naive(&url("/"), &names());
    assert_eq!(inside.reached(), 1, "the control");
}

fn what_a_rule_spells_out_is_reached() {
    use bowline_tools::builtin::{BuiltinConfig, HostRules};
    let check = |opened: &'static str, url: &str, address: &str, is_reached: bool| {
        let site = Site::start(private_page);
        let port = site.port();
        let mut config = BuiltinConfig::new("no-keeper".into());
        let host = Host::parse(&url.replace("http://", "")).unwrap();
        let turns = vec![vec![address.parse().unwrap()]];
        config.web = Some(Names::new(vec![(host.to_string(), turns)]));
        config.rules_of_hosts = Arc::new(move |host, at| HostRules {
            allows_exactly: host.as_str() == opened && at == port,
            denies: host.as_str() == "203.0.113.9",
            asks: false,
        });
        let mut bench = Bench::with(config);
        let said = bench.call(
            "fetch",
            json!({"url": format!("{url}:{port}/"), "timeout_ms": 2_000}),
        );
        let said = said.map_or_else(|error| error, |finish| finish.text);
        assert_eq!(
            said.contains("private words"),
            is_reached,
            "{opened} {url}: {said}"
        );
        assert_eq!(site.requests().len(), usize::from(is_reached));
    };
    check("127.0.0.1", "http://127.0.0.1", "127.0.0.1", true);
    check("127.0.0.1", "http://0x7f.1", "127.0.0.1", true);
    check("127.0.0.1", "http://docs.test", "127.0.0.1", true);
    check("localhost", "http://localhost", "127.0.0.1", true);
    check("wiki.internal", "http://wiki.internal", "127.0.0.1", true);
    // A name of the public network means what it leads to there.
    check("docs.test", "http://docs.test", "127.0.0.1", false);
    check("localhost", "http://127.0.0.1", "127.0.0.1", false);
    check("127.0.0.1", "http://localhost", "127.0.0.1", false);
    check(
        "wiki.internal",
        "http://wiki.internal",
        "169.254.169.254",
        false,
    );
    check("", "http://docs.test", "203.0.113.9", false);
}
