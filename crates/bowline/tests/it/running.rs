//! A run of the binary that is read line by line while it goes on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::support::Scratch;

/// A run whose lines are read as they come.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    /// The session, once its line was read.
    pub(crate) session: String,
    seen: Vec<Value>,
}

impl Running {
    /// Plays scenario steps in mode `full`, and reads on to the session's line.
    pub(crate) fn start(scratch: &Scratch, steps: &Value) -> Self {
        let model = scratch.scenario(steps);
        let mut running = Self::begin(scratch, &stream(&model, "full", &[]));
        running.until(|line| line["type"] == "session");
        running
    }

    /// Starts the binary, which is to write one JSON object a line.
    pub(crate) fn begin(scratch: &Scratch, args: &[&str]) -> Self {
        let mut child = scratch
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            out,
            session: String::new(),
            seen: Vec::new(),
        }
    }

    /// Reads on to the first line that is the one.
    #[track_caller]
    pub(crate) fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Some(line) = self.next() else {
                panic!("ended early: {:#?}", self.seen);
            };
            if is_it(&line) {
                return line;
            }
        }
    }

    /// Reads on to the first line of this type.
    #[track_caller]
    pub(crate) fn until_type(&mut self, name: &str) -> Value {
        self.until(|line| line["type"] == name)
    }

    /// Reads on to the end.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.next()).collect()
    }

    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        if self.out.read_line(&mut line).expect("a line") == 0 {
            return None;
        }
        let line: Value = serde_json::from_str(&line).expect("JSON");
        if line["type"] == "session" {
            line["session_id"]
                .as_str()
                .expect("an id")
                .clone_into(&mut self.session);
        }
        self.seen.push(line.clone());
        Some(line)
    }

    /// Sends a signal, such as `-TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Reads what is left, waits for the end, and gives the exit code.
    pub(crate) fn end(mut self) -> i32 {
        self.rest();
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

/// The arguments of a run that streams.
pub(crate) fn stream<'a>(model: &'a str, mode: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["exec", "--model", model, "--mode", mode];
    args.extend(["--output", "stream-json"]);
    args.extend(more);
    args.push("go");
    args
}

/// Sends a signal, such as `-TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let told = Command::new("kill").args([name, &id]).status();
    assert!(told.expect("kill starts").success());
}

/// A step with a shell call that ends when something is written to the FIFO `go`.
pub(crate) fn held() -> Value {
    json!({ "calls": [{ "tool": "shell",
        "input": { "command": "mkfifo go && echo ready && cat go" } }] })
}

/// Lets the call of [`held`] end.
pub(crate) fn release(scratch: &Scratch) {
    let mut go = std::fs::OpenOptions::new()
        .write(true)
        .open(scratch.work().join("go"))
        .expect("the FIFO");
    go.write_all(b"released\n").expect("it is read");
}
