//! The scripted model server: start, record, stop.

mod anthropic;
mod chat;
mod frames;
mod http;
mod play;
mod responses;
mod send;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bowline_model::scenario::{Answer, Cursor, Scenario};
use serde_json::Value;
use tokio::sync::oneshot;

use self::wire::Wire;
use crate::billing::Billing;
use crate::cache::{CacheUse, PromptCache};
use crate::strict::Violation;
use crate::strict::session::Reasoning;

/// How the server behaves beyond its scenario.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether requests are checked: 400 for what the API refuses and for lost history.
    pub strict: bool,
    /// Where response bodies are split.
    pub chunking: Chunking,
    /// Whether reasoning must come back with its message.
    pub require_reasoning_back: bool,
    /// The key that requests must bear; any or none if `None`.
    pub api_key: Option<String>,
    /// What to do with a request that was answered in full before.
    pub asked_again: AskedAgain,
    /// What replies are said to have cost.
    pub billing: Billing,
    /// Milliseconds that the server's own clock goes on with each request, beside the time that
    /// passes: how long models and tools take that are not scripted.
    pub pace_ms: u64,
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
}

/// Where response bodies are split into HTTP chunks and writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chunking {
    /// One chunk a frame.
    Frames,
    /// One chunk a byte.
    EveryByte,
    /// Chunks of 1 to 64 bytes from this seed; frames get comment lines and CRLF now and then.
    Seeded(u64),
}

/// What to do when the same request comes again though its reply was sent whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AskedAgain {
    /// Refuse it: the client lost a reply.
    Refused,
    /// Give the same answer: the client may have died before it kept the reply.
    Answered,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Path with query, such as `/v1/chat/completions`.
    pub path: String,
    /// Names in lower case and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null if it is none.
    pub body: Value,
    /// The body's bytes.
    pub raw: Vec<u8>,
    /// When the whole request was there, since the server's start.
    pub at: Duration,
    /// The same by the server's own clock, in milliseconds (see [`ScriptedServer::advance`]).
    pub at_ms: u64,
    /// What it came to, where the server counts; `None` for one that was refused.
    pub used: Option<CacheUse>,
}

/// A model server on loopback that plays a scenario. Stops when dropped.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    cursor: Cursor,
    options: Options,
    started: Instant,
    /// Milliseconds that the server's own clock was put on.
    advanced_ms: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Recorded>,
    /// Requests to count the tokens of one, which cost nothing and answer nothing.
    counts: Vec<Recorded>,
    violations: Vec<Violation>,
    /// The conversation in each dialect, by path.
    wires: BTreeMap<&'static str, Box<dyn Wire>>,
    last: Option<Last>,
    answered: usize,
    cache: PromptCache,
    /// What the request that is being answered came to.
    used: Option<CacheUse>,
}

/// The last answer.
#[derive(Debug)]
struct Last {
    /// The number of the request that it went to.
    request: usize,
    path: &'static str,
    answer: Answer,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict: true,
            chunking: Chunking::Frames,
            require_reasoning_back: false,
            api_key: None,
            asked_again: AskedAgain::Refused,
            billing: Billing::Scenario,
            pace_ms: 0,
            port: 0,
        }
    }
}

impl ScriptedServer {
    /// Starts a server on its own thread.
    ///
    /// # Panics
    /// If loopback cannot be bound; use [`ScriptedServer::try_start`] for a port of your choice.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test without a loopback interface cannot go on"
    )]
    pub fn start(scenario: Scenario, options: Options) -> Self {
        Self::try_start(scenario, options).expect("loopback can be bound")
    }

    /// Starts a server on its own thread.
    ///
    /// # Errors
    /// If the port cannot be bound or the thread not started.
    pub fn try_start(scenario: Scenario, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            cursor: Cursor::new(scenario),
            options,
            started: Instant::now(),
            advanced_ms: AtomicU64::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let for_thread = Arc::clone(&shared);
        let serve = move || runtime.block_on(play::serve(listener, for_thread, stopped));
        let thread = std::thread::Builder::new()
            .name("scripted-model".to_owned())
            .spawn(serve)?;
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The base URL with `/v1`, such as `http://127.0.0.1:40123/v1`, as the two OpenAI dialects
    /// want it.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base URL without a path, as Anthropic's dialect wants it.
    #[must_use]
    pub fn root_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address, for clients that speak to the socket themselves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, refused ones too, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().requests.clone()
    }

    /// Every request so far to have the tokens of one counted; [`ScriptedServer::requests`] holds
    /// none of them.
    #[must_use]
    pub fn counts(&self) -> Vec<Recorded> {
        self.shared.state().counts.clone()
    }

    /// Every reason for a 400 so far; empty after a clean run.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.state().violations.clone()
    }

    /// Puts the server's own clock on, by which its cache forgets.
    pub fn advance(&self, by: Duration) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.shared.advanced_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// The requests that were answered, as [`crate::optimum`] reads them: a JSON object a line.
    #[must_use]
    pub fn log(&self) -> String {
        let requests = self.shared.state();
        let lines = requests.requests.iter().filter_map(Recorded::log_line);
        lines.collect()
    }

    /// Waits until `count` requests have arrived whole; says whether they did within `timeout`.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, timeout: Duration) -> bool {
        self.wait(timeout, |state| state.requests.len() >= count)
    }

    /// Waits until `count` requests were answered to the end of their step, fault or not.
    #[must_use]
    pub fn wait_for_answers(&self, count: usize, timeout: Duration) -> bool {
        self.wait(timeout, |state| state.answered >= count)
    }

    fn wait(&self, timeout: Duration, done: impl Fn(&State) -> bool) -> bool {
        let state = self.shared.state();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, timeout, |state| !done(state));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already and fails the request it happened in.
            drop(thread.join());
        }
    }
}

impl Shared {
    /// The time of the `number`th request by the server's own clock.
    fn now_ms(&self, number: usize) -> u64 {
        let passed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let advanced = self.advanced_ms.load(Ordering::Relaxed);
        passed + advanced + self.options.pace_ms * number as u64
    }

    fn reasoning(&self) -> Reasoning {
        if self.options.require_reasoning_back {
            Reasoning::Required
        } else {
            Reasoning::Optional
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    /// The line of a log for a request that was answered, if the server counts.
    fn log_line(&self) -> Option<String> {
        let used = self.used?;
        let line = serde_json::json!({
            "path": self.path,
            "at_ms": self.at_ms,
            "usage": {
                "input_tokens": used.input_tokens,
                "read_tokens": used.read_tokens,
                "written_tokens": used.written_tokens,
                "written_hour_tokens": used.written_hour_tokens,
            },
            "body": self.body,
        });
        Some(format!("{line}\n"))
    }

    /// The first header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}
