//! A person at a terminal is asked there and then, and may speak while a turn runs.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// Time after which something that must be shown counts as never shown.
const DEADLINE: Duration = Duration::from_secs(60);

const COLUMNS: u16 = 80;

/// A run in a pseudo-terminal of 80 columns.
pub(crate) struct Typing {
    keys: File,
    seen: Receiver<Vec<u8>>,
    screen: String,
    read: usize,
    child: Child,
}

impl Typing {
    pub(crate) fn start(scratch: &Scratch, args: &[&str]) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&keys).expect("it is ours");
        unlockpt(&keys).expect("it opens");
        let size = Winsize {
            ws_row: 24,
            ws_col: COLUMNS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&keys, size).expect("a size");
        let name = ptsname(&keys, Vec::new()).expect("a name");
        let line = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().expect("UTF-8"))
            .expect("its other end");
        let end = || Stdio::from(line.try_clone().expect("another descriptor"));
        let child = scratch
            .command(args)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .env("TERM", "dumb")
            .env_remove("CI")
            .env_remove("COLUMNS")
            .spawn()
            .expect("it starts");
        let keys = File::from(keys);
        let mut screen = keys.try_clone().expect("another descriptor");
        let (sender, seen) = channel();
        std::thread::spawn(move || {
            let mut bytes = vec![0; 4096];
            // Reading fails once nobody holds the other end.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keys,
            seen,
            screen: String::new(),
            read: 0,
            child,
        }
    }

    /// Waits until `text` is shown after what was waited for before.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        loop {
            if let Some(at) = self.screen[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            let bytes = self.seen.recv_timeout(DEADLINE);
            let bytes = bytes.unwrap_or_else(|_| panic!("no `{text}` in\n{}", self.screen));
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        self.keys
            .write_all(format!("{line}\n").as_bytes())
            .expect("it is typed");
    }

    /// Waits for the end: the exit code and all that was shown.
    pub(crate) fn end(mut self) -> (i32, String) {
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        // The descriptors of the child are closed, so the reader comes to its end.
        while let Ok(bytes) = self.seen.recv_timeout(DEADLINE) {
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert!(
            !self.screen.contains('\u{1b}'),
            "TERM=dumb: {}",
            self.screen
        );
        (code, self.screen)
    }
}

fn writes() -> Value {
    let write = |path: &str| json!({ "tool": "write", "input": { "path": path, "content": "x" } });
    json!([
        { "calls": [write("a.txt"), write("b.txt")] },
        { "calls": [write("c.txt")] },
        { "text": "All done." }
    ])
}

#[test]
fn each_call_is_asked_for_and_each_answer_counts() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&writes());
    let mut run = Typing::start(
        &scratch,
        &["exec", "--model", &model, "--mode", "ask", "go"],
    );
    // Both calls of the reply are asked about together, each with what it would do.
    run.until("1? write a.txt");
    run.until("writes a.txt");
    run.until("+x");
    run.until("2? write b.txt");
    run.until("[q]uit and park");
    run.until("> ");
    // Nothing is allowed by a word that does not say which.
    run.type_line("y");
    run.until("say which");
    run.until("> ");
    run.type_line("1 sure");
    run.until("answer y, s, a, n");
    run.until("> ");
    run.type_line("1 y");
    run.until("? write b.txt");
    run.until("> ");
    run.type_line("n use another name");
    run.until("? write c.txt");
    run.until("always: allow `write(");
    run.until("> ");
    // Before a rule is written it is said what else it would have allowed.
    run.type_line("a");
    run.until("no other recorded call");
    run.until("again writes it");
    run.until("> ");
    run.type_line("s");
    run.until("All done.");
    let (code, screen) = run.end();
    assert_eq!(code, 0, "{screen}");
    let exists = |name: &str| scratch.work().join(name).exists();
    assert!(exists("a.txt") && !exists("b.txt") && exists("c.txt"));
    assert!(scratch.results()[1].contains("use another name"));
    let events = scratch.events();
    let answers = of_kind(&events, "DecisionAnswered");
    let scopes: Vec<&Value> = answers.iter().map(|one| &one["data"]["scope"]).collect();
    assert_eq!(scopes, ["once", "once", "session"]);
    assert_eq!(answers[0]["data"]["by"], "the terminal");
    let own = screen.lines().filter(|line| !line.starts_with("    "));
    for line in own {
        assert!(
            line.trim_end().chars().count() <= usize::from(COLUMNS),
            "{line}"
        );
    }
}

#[test]
fn a_question_is_answered_by_its_number() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "ask_user", "input": {
            "question": "Which database?", "choices": ["sqlite", "postgres"] } }] },
        { "text": "noted", "expect": { "last_result_contains": ["postgres"] } }
    ]));
    let mut run = Typing::start(&scratch, &["exec", "--model", &model, "go"]);
    run.until("? Which database?");
    run.until("2. postgres");
    run.until("> ");
    run.type_line("7");
    run.until("they are 1 to 2");
    run.until("> ");
    run.type_line("2");
    run.until("noted");
    assert_eq!(run.end().0, 0);
}

#[test]
fn quitting_or_interrupting_parks_and_a_word_by_hand_asks_nobody() {
    let ask = |more: &[&str], act: fn(&mut Typing)| {
        let scratch = Scratch::new();
        let model = scratch.scenario(&writes());
        let mut args = vec!["exec", "--model", &model, "--mode", "ask"];
        args.extend(more);
        args.push("go");
        let mut run = Typing::start(&scratch, &args);
        act(&mut run);
        run.until("bowline approve ID");
        let (code, screen) = run.end();
        assert_eq!(code, 3, "{screen}");
        let events = scratch.events();
        assert_eq!(of_kind(&events, "CancelRequested").len(), 0);
        assert_eq!(of_kind(&events, "TurnEnded").len(), 0, "it can go on");
        screen
    };
    ask(&[], |run| {
        run.until("> ");
        run.type_line("q");
    });
    ask(&[], |run| {
        run.until("> ");
        let id = run.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status();
        assert!(status.expect("kill starts").success());
    });
    let screen = ask(&["--on-ask", "park"], |_| {});
    assert!(!screen.contains("[q]uit"), "{screen}");
}

#[test]
fn an_answer_from_elsewhere_is_taken_while_the_terminal_asks() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "write", "input": { "path": "a.txt", "content": "x" } }] },
        { "text": "All done." }
    ]);
    let model = scratch.scenario(&steps);
    let mut run = Typing::start(
        &scratch,
        &["exec", "--model", &model, "--mode", "ask", "go"],
    );
    run.until("> ");
    let session = scratch.sessions().remove(0);
    let shown = scratch
        .run(&["sessions", "show", &session, "--json"])
        .json();
    let question = shown["waiting"][0]["decision_id"].as_str().expect("an id");
    scratch
        .run(&["approve", question])
        .expect(0, &["has the session"]);
    run.until("All done.");
    assert_eq!(run.end().0, 0);
}

#[test]
fn words_typed_during_a_call_are_read_after_its_result() {
    let scratch = Scratch::new();
    let model = scratch.scenario(&json!([
        { "calls": [{ "tool": "shell", "input": { "command": "mkfifo go && touch up && cat go" } }] },
        { "text": "heard", "expect": { "prompt_contains": ["use tabs"],
            "last_result_contains": ["released"] } }
    ]));
    let mut run = Typing::start(
        &scratch,
        &["exec", "--model", &model, "--mode", "full", "go"],
    );
    run.until("mkfifo go");
    while !scratch.work().join("up").exists() {
        std::thread::yield_now();
    }
    run.type_line("use tabs");
    run.until("queued: read after the running calls");
    // It is in the journal before the call ends.
    while of_kind(&scratch.events(), "PromptAccepted").len() < 2 {}
    std::fs::write(scratch.work().join("go"), "released\n").expect("it is read");
    run.until("heard");
    assert_eq!(run.end().0, 0);
}
