//! Confined commands and the hosts that rules name: reached through the proxy, recorded, shown.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{Ran, Scratch};

/// A server on a loopback address of this machine that says hello and counts who comes.
struct Site {
    port: u16,
    came: Arc<AtomicUsize>,
}

impl Site {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("an address to listen at");
        let port = listener.local_addr().expect("its address").port();
        let came = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&came);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(hello(stream));
            }
        });
        Self { port, came }
    }

    fn count(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

fn hello(mut stream: TcpStream) -> std::io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        asked.push(byte[0]);
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nhello there\n",
    )
}

fn scratch() -> Scratch {
    Scratch::within(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// Runs a program of the workspace that asks for a page, in mode `auto`: nothing in the text of
/// the command says whom it reaches.
fn run(scratch: &Scratch, address: &str, rules: &[&str]) -> Ran {
    scratch.file(
        "ask.py",
        format!(
            "import urllib.request as u\n\
             try: print(u.urlopen('http://{address}/', timeout=20).read().decode())\n\
             except Exception as e: print('failed:', e); raise SystemExit(3)\n"
        ),
    );
    let input = json!({ "command": "python3 ask.py" }).to_string();
    let mut args = vec![
        "tools", "call", "shell", "--mode", "auto", "--output", "json", "--input", &input,
    ];
    args.extend(rules);
    scratch.run(&args)
}

/// The connections of the last call of the only session.
fn connections(scratch: &Scratch) -> Vec<Value> {
    let sessions = scratch.run(&["sessions", "list", "--json"]);
    let id = sessions.json()[0]["id"].as_str().expect("an id").to_owned();
    let events = scratch.run(&["events", &id, "--json"]).lines();
    let finished = events
        .iter()
        .rfind(|line| {
            line["event"]["event"] == "CallFinished" || line["event"]["kind"] == "CallFinished"
        })
        .unwrap_or_else(|| panic!("{events:?}"));
    let text = finished.to_string();
    let at = text.find("\"connections\":").map(|at| &text[at + 14..]);
    let list = at.and_then(|text| {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<Value>>();
        values.next()?.ok()
    });
    list.unwrap_or_default()
}

#[test]
fn a_program_reaches_what_a_rule_names_and_the_journal_says_so() {
    let site = Site::at("127.0.0.2");
    let (address, rule) = (
        format!("127.0.0.2:{}", site.port),
        format!("host(127.0.0.2:{})", site.port),
    );
    // Without a rule it runs unasked in a network of its own.
    let alone = scratch();
    run(&alone, &address, &[]).expect(1, &["failed:"]);
    assert_eq!((site.count(), connections(&alone).len()), (0, 0));

    let named = scratch();
    run(&named, &address, &["--allow", &rule]).expect(0, &["hello there"]);
    assert_eq!(site.count(), 1);
    let connections = connections(&named);
    assert_eq!(connections.len(), 1, "{connections:?}");
    let one = &connections[0];
    assert_eq!(one["host"], "127.0.0.2");
    assert_eq!(one["port"], site.port);
    assert_eq!(one["address"], "127.0.0.2");
    assert!(one.get("refused").is_none());
    assert!(one["sent_bytes"].as_u64() > Some(0) && one["received_bytes"].as_u64() > Some(11));
}

#[test]
fn what_another_rule_closes_or_none_names_is_refused_and_told() {
    let site = Site::at("127.0.0.2");
    let address = format!("127.0.0.2:{}", site.port);
    let exact = format!("host(127.0.0.2:{})", site.port);
    let wide = format!("host(*:{})", site.port);
    let other = "host(docs.rs)".to_owned();
    for (rules, why) in [
        (
            vec!["--allow", &exact, "--deny", "host(127.0.0.2)"],
            "a rule closes",
        ),
        (vec!["--allow", &wide], "only a rule that spells it out"),
        (vec!["--allow", &other], "no rule names the host 127.0.0.2"),
    ] {
        let scratch = scratch();
        run(&scratch, &address, &rules).expect(1, &["failed:", "403", "needs"]);
        let connections = connections(&scratch);
        let refused = connections[0]["refused"].as_str().expect("a reason");
        assert!(refused.contains(why), "{rules:?}: {refused}");
    }
    assert_eq!(site.count(), 0);
}
