//! A model server that keeps accounts: what a provider would bill for every request.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// A model with its prices in micro-dollars for a million tokens.
#[derive(Clone, Copy)]
pub(crate) struct Prices {
    pub(crate) model: &'static str,
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) cached: u64,
}

pub(crate) const MODELS: [Prices; 4] = [
    Prices {
        model: "small",
        input: 150_000,
        output: 600_000,
        cached: 75_000,
    },
    Prices {
        model: "medium",
        input: 1_250_000,
        output: 10_000_000,
        cached: 125_000,
    },
    Prices {
        model: "large",
        input: 3_000_000,
        output: 15_000_000,
        cached: 300_000,
    },
    Prices {
        model: "dear",
        input: 15_000_000,
        output: 75_000_000,
        cached: 1_500_000,
    },
];

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % len
    }

    /// Text of one of several kinds: prose, code, digits, letters without sense, other scripts.
    pub(crate) fn text(&mut self, bytes: usize) -> String {
        const PIECES: [&[&str]; 5] = [
            &["the ", "harness ", "waits ", "until ", "it is ", "done.\n"],
            &["fn run(", "x: &str)", " -> u32 {\n", "    x.len()", "\n}\n"],
            &["0", "17", "3.1415 ", "2026-11-26", "0xff,", "99\n"],
            &["zQx", "8fA", "==", "Kj0/", "b64+", "\n"],
            &["日本語", "текст ", "😀", "العربية ", "한국 ", "\n"],
        ];
        let kind = PIECES[self.index(PIECES.len())];
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(kind[self.index(kind.len())]);
        }
        text
    }
}

/// What one session owes.
pub(crate) struct Account {
    prices: Prices,
    dice: Dice,
    pub(crate) requests: u64,
    /// In millionths of a micro-dollar, each request rounded up as the provider does.
    owed_micro_usd: u64,
    last_input: u64,
}

impl Account {
    pub(crate) const fn micro_usd(&self) -> u64 {
        self.owed_micro_usd
    }

    fn owe(&mut self, input: u64, cached: u64, output: u64) {
        let Prices {
            input: of_input,
            output: of_output,
            cached: of_cached,
            ..
        } = self.prices;
        let owed = (input - cached) * of_input + cached * of_cached + output * of_output;
        self.owed_micro_usd += owed.div_ceil(1_000_000);
    }
}

#[derive(Default)]
struct Books {
    accounts: BTreeMap<u64, Account>,
    violations: Vec<String>,
}

/// The server. Stops when dropped.
pub(crate) struct Biller {
    port: u16,
    books: Arc<Mutex<Books>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Biller {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("an address").port();
        let books = Arc::new(Mutex::new(Books::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&books), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let books = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &books));
            }
        });
        Self {
            port,
            books,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn open(&self, session: u64, prices: Prices, seed: u64) {
        let account = Account {
            prices,
            dice: Dice::new(seed),
            requests: 0,
            owed_micro_usd: 0,
            last_input: 0,
        };
        self.books().accounts.insert(session, account);
    }

    pub(crate) fn close(&self, session: u64) -> Account {
        let account = self.books().accounts.remove(&session);
        account.expect("an account that was opened")
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        std::mem::take(&mut self.books().violations)
    }

    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().expect("nobody broke while writing")
    }
}

impl Drop for Biller {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends");
        }
    }
}

/// Answers one request and closes the connection.
fn serve(stream: TcpStream, books: &Mutex<Books>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let session = path
        .strip_prefix("/s")
        .and_then(|rest| rest.split('/').next());
    let session = session.and_then(|number| number.parse().ok());
    let answer = {
        let mut books = books.lock().expect("nobody broke while writing");
        answer(&mut books, session.unwrap_or(u64::MAX), &body)
    };
    let mut stream = stream;
    // A client that has gone away is no fault of the server's.
    let _gone = stream.write_all(answer.as_bytes());
}

fn refuse(books: &mut Books, what: &str) -> String {
    books.violations.push(what.to_owned());
    status(400, what)
}

fn status(code: u16, message: &str) -> String {
    let body = json!({ "error": { "message": message } }).to_string();
    format!(
        "HTTP/1.1 {code} X\r\nretry-after: 0\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Bills a request and writes its answer.
fn answer(books: &mut Books, session: u64, body: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(body) else {
        return refuse(books, "not UTF-8");
    };
    let Ok(request) = serde_json::from_str::<Value>(text) else {
        return refuse(books, "not JSON");
    };
    let asked = ["max_completion_tokens", "max_tokens"]
        .into_iter()
        .find_map(|name| request[name].as_u64());
    let Some(most) = asked else {
        return refuse(books, "no limit on the reply: a cap cannot hold");
    };
    let Some(account) = books.accounts.get_mut(&session) else {
        return refuse(books, "an unknown session");
    };
    account.requests += 1;
    // All that the model gets to see, by the very tokenizer.
    let input = bowline_testkit::billing::input_tokens(&request);
    let cached = account.dice.below(account.last_input.min(input) + 1);
    account.last_input = input;
    let luck = account.dice.below(100);
    if luck < 4 {
        // Refused before anything was read: nobody pays.
        return status(503, "overloaded");
    }
    let output = match luck {
        4..14 => most,
        14..20 => 1 + account.dice.below(most),
        _ => 1 + account.dice.below(300.min(most)),
    };
    account.owe(input, cached, output);
    let is_long = output == most;
    let goes_on = account.requests < 60 && account.dice.below(30) > 0;
    let file = account.dice.below(12);
    let delta = if goes_on && !is_long {
        let arguments = json!({ "path": format!("f{file}.txt") }).to_string();
        json!({ "tool_calls": [{ "index": 0, "id": format!("c{}", account.requests),
            "type": "function", "function": { "name": "read", "arguments": arguments } }] })
    } else {
        json!({ "content": "I have looked at it." })
    };
    let finish = match (is_long, goes_on) {
        (true, _) => "length",
        (false, true) => "tool_calls",
        (false, false) => "stop",
    };
    let mut frames = vec![json!({ "choices": [{ "index": 0, "delta": delta }] })];
    let is_cut = (20..25).contains(&luck);
    if !is_cut {
        frames.push(json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": finish }] }));
        // Some never say what they used.
        if !(25..28).contains(&luck) {
            frames.push(json!({ "choices": [], "usage": {
                "prompt_tokens": input, "completion_tokens": output,
                "total_tokens": input + output,
                "prompt_tokens_details": { "cached_tokens": cached } } }));
        }
    }
    let mut sent =
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n"
            .to_owned();
    for frame in frames {
        sent.push_str(&format!("data: {frame}\n\n"));
    }
    if !is_cut {
        sent.push_str("data: [DONE]\n\n");
    }
    sent
}
