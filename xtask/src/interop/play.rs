//! Servers that are ended when dropped, and one run of the binary against them.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Bench, Verdict};

/// How long a server may take until it listens; some load a great deal first.
const START: Duration = Duration::from_secs(600);
/// How long one conversation may take.
const TALK: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A process that ends with this value.
pub(super) struct Server {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:4711`.
    pub(super) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A port that was free a moment ago.
///
/// # Errors
/// When loopback has none.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Starts a server and waits until it listens on `port`; what it says goes to the file `log`.
///
/// # Errors
/// When it cannot be started, ends at once, or does not listen in time.
pub(super) fn start(mut command: Command, port: u16, log: &Path) -> Result<Server> {
    let file = std::fs::File::create(log)?;
    let child = command
        .stdin(Stdio::piped())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
    let mut server = Server {
        child,
        address: format!("http://127.0.0.1:{port}"),
    };
    let deadline = Instant::now() + START;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if server.child.try_wait()?.is_some() || Instant::now() > deadline {
            bail!(
                "the server does not listen; it says in {} why",
                log.display()
            );
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(server)
}

/// One conversation to have.
pub(super) struct Talk<'a> {
    /// Who is spoken to, and how.
    pub(super) name: &'a str,
    /// `--model`.
    pub(super) model: &'a str,
    /// `--base-url`.
    pub(super) base_url: String,
    /// The key that is sent.
    pub(super) key: &'a str,
    /// What the final answer holds.
    pub(super) answer: &'a str,
}

/// Has it in a scratch folder, and judges how it came out.
///
/// # Errors
/// When the binary cannot be run.
pub(super) fn talk(bench: &Bench, talk: &Talk<'_>) -> Result<Verdict> {
    let folder = bench
        .folder
        .join("run")
        .join(talk.name.replace([' ', '/'], "-"));
    let _old = std::fs::remove_dir_all(&folder);
    let work = folder.join("work");
    std::fs::create_dir_all(&work)?;
    std::fs::write(work.join("a.txt"), "one\ntwo\n")?;
    let mut command = Command::new(&bench.bowline);
    command
        .args(["exec", "--model", talk.model, "--base-url", &talk.base_url])
        .args(["--mode", "full", "--output", "json", "--max-steps", "12"])
        .arg("count the turns")
        .current_dir(&work)
        .env("BOWLINE_HOME", folder.join("home"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("OPENAI_API_KEY", talk.key)
        .env("ANTHROPIC_API_KEY", talk.key);
    let output = bounded(command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let result: Value = serde_json::from_str(&said).unwrap_or_default();
    let steps = result["steps"].as_u64().unwrap_or(0);
    let calls = kept(
        &bench.bowline,
        &folder,
        &result,
        "\"kind\":\"CallFinished\"",
    )?;
    let reasoned = kept(&bench.bowline, &folder, &result, "I look first.")?;
    let mut faults = Vec::new();
    if !output.status.success() {
        faults.push(format!(
            "{}: {} {}",
            output.status,
            said.trim(),
            complained.trim()
        ));
    }
    let answer = result["result"].as_str().unwrap_or_default();
    if !answer.contains(talk.answer) {
        faults.push(format!("the answer is `{answer}`"));
    }
    if steps < 4 || calls < 4 {
        faults.push(format!(
            "{steps} steps and {calls} calls: fewer than were to be had"
        ));
    }
    Ok(Verdict {
        name: talk.name.to_owned(),
        faults,
        seen: format!("{steps} steps, {calls} calls, reasoning in {reasoned} events"),
    })
}

/// How many events of the session's journal hold these words.
fn kept(bowline: &Path, folder: &Path, result: &Value, words: &str) -> Result<usize> {
    let Some(session) = result["session_id"].as_str() else {
        return Ok(0);
    };
    let output = Command::new(bowline)
        .args(["events", session, "--json"])
        .env("BOWLINE_HOME", folder.join("home"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter(|line| line.contains(words)).count())
}

/// Runs a command to its end, which must come in time.
fn bounded(mut command: Command) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the binary cannot be started")?;
    let deadline = Instant::now() + TALK;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(child.wait_with_output()?)
}
