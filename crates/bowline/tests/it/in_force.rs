//! A session that goes on where every configuration file and every environment value but its key
//! are gone: what was recorded is in force, to the byte of the next request.
//!
//! Two runs of one scenario share their first turn (ids are random, and the handle of a command in
//! the background is one): the state folder is copied after it. One copy goes on as if nothing
//! were; the other is killed in a model call, in a command and while it waits, and goes on with
//! nothing but the key. One thing is put aside when their requests are compared: how long the one
//! command took whose harness was killed.

mod front;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::{SessionId, Verdict};
use bowline_journal::{Store, mailbox};
use bowline_model::scenario::Scenario;
use bowline_testkit::{AskedAgain, Options, Recorded, ScriptedServer};
use serde_json::{Value, json};

use self::front::Front;
use crate::support::{Ran, Scratch, of_kind, ran};

const KEY: &str = "key-of-the-endpoint-0123456789";
const SERVE: &str = "echo serving; exec sleep 1000";

/// The steps of all turns: the first ends after three requests, the second after seven.
fn steps() -> Value {
    let call = |tool: &str, input: Value| json!({ "tool": tool, "input": input });
    let write = |path: &str| call("write", json!({ "path": path, "content": "one\n" }));
    json!({ "version": 1, "steps": [
        { "reasoning": "First look.", "calls": [
            call("todo", json!({ "items": [{ "text": "mend it", "status": "in_progress" }] })),
            call("read", json!({ "path": "a.txt" })),
            call("shell", json!({ "command": SERVE, "background": true })),
        ] },
        { "reasoning": "Then ask.", "calls": [write("plain.txt")] },
        { "text": "prepared" },
        { "reasoning": "All that was set is needed.", "calls": [
            write("plain.txt"), write("notes.txt"), write("docs/x.md"),
            call("shell", json!({ "command": "sleep 1000" })),
        ] },
        { "reasoning": "Now a command.", "calls": [
            call("shell", json!({ "command": "cat go", "timeout_ms": 60_000 })),
        ], "expect": { "last_result_contains": [
            "refused by the rule `write(notes.txt)`", "config.toml:5", "timed out after 0.3 s"
        ] } },
        { "reasoning": "And a question.", "calls": [write("other.txt")],
          "expect": { "last_result_contains": ["went on", "exit 0"] } },
        { "text": "done", "expect": { "last_result_lacks": ["Not run"] } },
        { "text": "bye" },
    ] })
}

const FIRST_TURN: usize = 3;

fn server() -> ScriptedServer {
    let options = Options {
        require_reasoning_back: true,
        api_key: Some(KEY.to_owned()),
        asked_again: AskedAgain::Answered,
        ..Options::default()
    };
    ScriptedServer::start(Scenario::from_value(steps()).expect("valid"), options)
}

fn config(scratch: &Scratch, api: &str, base_url: &str) {
    scratch.config(&format!(
        "system_append = \"Mind the gap.\"\nreasoning = \"low\"\nmax_tokens = 900000\n\
         permissions.allow = [\"tool(shell)\", \"read(go)\", \"write(docs/**)\"]\n\
         permissions.deny = [\"write(notes.txt)\"]\npermissions.ask = [\"write(docs/secret/**)\"]\n\
         max_output_tokens = 32000\nshell.timeout_ms = 300\n\
         [[providers]]\nname = \"work\"\napi = \"{api}\"\nbase_url = \"{base_url}\"\n\
         key_env = \"WORK_KEY\"\nheaders = {{ \"X-Team\" = \"blue\" }}\n",
    ));
}

/// Where a session is and what it is run with.
struct Place<'a> {
    scratch: &'a Scratch,
    home: &'a str,
    is_clean: bool,
}

impl Place<'_> {
    /// The binary: as a person has it, or with nothing but the key, from elsewhere.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scratch.command(args);
        if self.is_clean {
            command.env_clear().current_dir("/");
            let path = std::env::var_os("PATH").expect("a path");
            command
                .env("PATH", path)
                .env("HOME", self.scratch.path("user"));
        }
        command
            .env("BOWLINE_HOME", self.scratch.path(self.home))
            .env("WORK_KEY", KEY);
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(&self.command(args).output().expect("it starts"))
    }

    fn session(&self) -> SessionId {
        let all = Store::at(self.scratch.path(self.home))
            .list()
            .expect("a list");
        all[0]
    }

    fn shown(&self) -> Value {
        let id = self.session().to_string();
        self.run(&["sessions", "show", &id, "--json"]).json()
    }

    /// Goes on, and gives what is streamed.
    fn going_on(&self, args: &[&str]) -> (Child, impl Iterator<Item = Value> + use<>) {
        let id = self.session().to_string();
        let mut all = vec!["exec", "--output", "stream-json", "--resume", &id];
        all.extend(args);
        let mut child = self
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let read = |line: std::io::Result<String>| {
            serde_json::from_str(&line.expect("a line")).expect("JSON")
        };
        (child, out.lines().map(read))
    }

    fn goes_on(&self, code: i32, args: &[&str]) -> Ran {
        let id = self.session().to_string();
        let mut all = vec!["exec", "--resume", &id];
        all.extend(args);
        let ran = self.run(&all);
        ran.expect(code, &[]);
        ran
    }

    /// Allows the one open question, from another process than the session's.
    fn approve(&self, scope: Scope) {
        let shown = self.shown();
        let decision = shown["waiting"][0]["decision_id"].clone();
        let command = bowline_core::Command {
            key: format!("answer-{decision}"),
            at_ms: None,
            ask: Ask::Answer {
                decision: serde_json::from_value(decision).expect("an open question"),
                verdict: Verdict::Allow,
                scope,
                by: "a test".to_owned(),
                note: None,
            },
        };
        let store = Store::at(self.scratch.path(self.home));
        let letters = store.session_dir(self.session()).mailbox();
        mailbox::put(&letters, 0, &command).expect("it is left");
    }
}

/// Copies a folder's regular files and folders.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        let meta = std::fs::symlink_metadata(&path).expect("its metadata");
        if meta.is_dir() {
            copy(&path, &target);
        } else if meta.is_file() {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// Puts the workspace as the second turn finds it.
fn workspace(scratch: &Scratch) {
    for name in ["docs", "go", "other.txt"] {
        let path = scratch.work().join(name);
        let _absent = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
    }
    let fifo = scratch.work().join("go");
    let made = Command::new("mkfifo").arg(fifo).status().expect("mkfifo");
    assert!(made.success());
}

/// Opens the FIFO that the command reads: returns once it does.
fn reached(scratch: &Scratch) -> std::fs::File {
    let path = scratch.work().join("go");
    std::fs::File::options()
        .write(true)
        .open(path)
        .expect("it is opened")
}

fn kill(child: &mut Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// The first turn: everything a session can hold.
fn prepare(place: &Place<'_>) {
    let args = ["exec", "--model", "work/m-7", "prepare"];
    place.run(&args).expect(3, &["plain.txt"]);
    place.approve(Scope::Session);
    place.goes_on(0, &[]).expect(0, &["prepared"]);
}

/// The later turns of a run that nothing happens to.
fn uninterrupted(place: &Place<'_>) {
    workspace(place.scratch);
    let (mut child, lines) = place.going_on(&["go on"]);
    writeln!(reached(place.scratch), "went on").expect("it is read");
    assert!(lines.count() > 0);
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    place.approve(Scope::Once);
    place.goes_on(0, &[]).expect(0, &["done"]);
    place.goes_on(0, &["and now?"]).expect(0, &["bye"]);
}

fn steps_of(scenario: &Value) -> usize {
    scenario["steps"].as_array().map_or(0, Vec::len)
}

/// The same, killed three times. Gives what was recorded right after the first kill and right
/// before the end.
fn interrupted(place: &mut Place<'_>, front: &Front, server: &ScriptedServer) -> [Value; 2] {
    let scratch = place.scratch;
    workspace(scratch);
    front.hold();
    let (mut child, _lines) = place.going_on(&["go on"]);
    let asked = server.wait_for_requests(FIRST_TURN + 1, Duration::from_secs(60));
    assert!(asked, "the model was asked");
    kill(&mut child);
    front.release();
    let before = place.shown();

    scratch.config("");
    std::fs::remove_file(scratch.path("config/bowline/config.toml")).expect("it was there");
    place.is_clean = true;
    let clean = place.shown();
    assert_eq!(clean, before, "what is shown depends on no configuration");
    let running = place.run(&["jobs", "list", "--json"]).json();
    assert_eq!(running[0]["command"], SERVE);

    let (mut child, _lines) = place.going_on(&[]);
    let mut go = reached(scratch);
    kill(&mut child);
    writeln!(go, "went on").expect("it is read");
    drop(go);

    let (mut child, mut lines) = place.going_on(&["--wait"]);
    let is_asked = |line: &Value| line["event"]["data"]["decision"]["verdict"] == "ask";
    assert!(lines.any(|line| is_asked(&line)), "it asks");
    kill(&mut child);
    assert_eq!(place.shown()["waiting"].as_array().map(Vec::len), Some(1));
    place.approve(Scope::Once);
    place.goes_on(0, &[]).expect(0, &["done"]);
    place.goes_on(0, &["and now?"]).expect(0, &["bye"]);
    let running = place.run(&["jobs", "list", "--json"]).json();
    assert_eq!(running[0]["command"], SERVE);
    [before, place.shown()]
}

/// What was asked: the bytes, without the time that the one command took, and the headers.
fn asked(request: &Recorded) -> (String, Vec<(String, String)>) {
    let text = String::from_utf8(request.raw.clone()).expect("UTF-8");
    let text = match text.split_once("went on\\n[exit 0 in ") {
        Some((before, rest)) => {
            let after = rest.split_once(" s]").expect("a time").1;
            format!("{before}went on\\n[exit 0 in TIME s]{after}")
        }
        None => text,
    };
    let headers = request.headers.iter();
    let headers = headers
        .filter(|(name, _)| name != "content-length")
        .cloned();
    (text, headers.collect())
}

/// Requests as they came, one that came again right after itself once.
fn distinct(server: &ScriptedServer) -> Vec<(String, Vec<(String, String)>)> {
    let mut all: Vec<_> = server.requests().iter().map(asked).collect();
    all.dedup();
    all
}

/// Holds the requests of the two runs against each other; gives them.
fn same_requests(
    api: &str,
    killed: &ScriptedServer,
    whole: &ScriptedServer,
) -> Vec<(String, Vec<(String, String)>)> {
    assert_eq!(killed.violations(), [], "{api}");
    assert_eq!(whole.violations(), [], "{api}");
    let (killed_asked, whole_asked) = (distinct(killed), distinct(whole));
    let again = killed.requests().len() - killed_asked.len();
    assert_eq!((again, whole_asked.len()), (1, steps_of(&steps())), "{api}");
    assert_eq!(killed_asked.len(), whole_asked.len());
    let pairs = killed_asked.iter().zip(&whole_asked).enumerate();
    for (number, (one, other)) in pairs.skip(FIRST_TURN) {
        assert_eq!(one.1, other.1, "{api}: headers of request {number}");
        let same = one.0.bytes().zip(other.0.bytes());
        let same = same.take_while(|(one, other)| one == other).count();
        let from = |text: &str| String::from_utf8_lossy(&text.as_bytes()[same..]).into_owned();
        let (one, other) = (from(&one.0), from(&other.0));
        assert!(
            one == other,
            "{api}: request {number}, byte {same}: {one:.200}\n{other:.200}"
        );
    }
    killed_asked
}

/// What is in force is what was recorded, to the end.
fn same_record(api: &str, first: &Place<'_>, [before, after, other]: [&Value; 3]) {
    for (what, expect) in [
        ("id", before),
        ("cwd", before),
        ("settings", before),
        ("todo", before),
        ("settings", other),
        ("todo", other),
        ("steps", other),
        ("usage", other),
        ("stop_reason", other),
        ("in_doubt", other),
        ("waiting", other),
    ] {
        assert_eq!(after[what], expect[what], "{api}: {what}");
    }
    let length = before["history"].as_array().map_or(0, Vec::len);
    let begins = |shown: &Value| shown["history"].as_array().expect("a history")[..length].to_vec();
    assert_eq!(begins(after), begins(before));
    let events = first
        .run(&["events", &first.session().to_string(), "--json"])
        .lines();
    assert_eq!(
        of_kind(&events, "SettingsChanged").len(),
        0,
        "nothing was changed"
    );
    let granted = of_kind(&events, "Decided").into_iter();
    let granted = granted.filter(|event| event["data"]["decision"]["by"]["grant"].is_string());
    assert_eq!(granted.count(), 1, "the session-wide answer still counts");
}

fn resumes(api: &str, url: fn(&Front) -> String) {
    let scratch = Scratch::new();
    scratch.file("a.txt", "hello\n");
    scratch.file("notes.txt", "mine\n");
    let (killed, whole) = (server(), server());
    let front = Front::to(killed.address());
    config(&scratch, api, &url(&front));
    let mut first = Place {
        scratch: &scratch,
        home: "home",
        is_clean: false,
    };
    prepare(&first);
    copy(&scratch.path("home"), &scratch.path("twin"));

    let twin = Place {
        scratch: &scratch,
        home: "twin",
        is_clean: false,
    };
    for request in killed.requests() {
        front::repeat(whole.address(), &request);
    }
    front.lead_to(whole.address());
    uninterrupted(&twin);
    front.lead_to(killed.address());
    let [before, after] = interrupted(&mut first, &front, &killed);

    let asked = same_requests(api, &killed, &whole);
    same_record(api, &first, [&before, &after, &twin.shown()]);
    controls(&first, &front, &asked);

    let jobs = first.run(&["jobs", "list", "--json"]).json();
    let job = jobs[0]["id"].as_str().expect("a handle");
    first.run(&["jobs", "stop", job]).expect(0, &["stopping"]);
    while first.run(&["jobs", "list", "--json"]).json() != json!([]) {
        std::thread::yield_now();
    }
}

/// Positive controls: what is not as recorded is seen by the comparison, and what makes the record
/// void does not go unseen.
fn controls(first: &Place<'_>, front: &Front, before: &[(String, Vec<(String, String)>)]) {
    let steps = json!({ "version": 1, "steps": [{ "text": "hm", "repeat": 9 }] });
    let options = Options::default;
    let server = |steps: &Value| {
        ScriptedServer::start(
            Scenario::from_value(steps.clone()).expect("valid"),
            options(),
        )
    };
    let (last, _) = before.last().expect("a request");
    let ask = |place: &Place<'_>, args: &[&str]| {
        let server = server(&steps);
        front.lead_to(server.address());
        place.goes_on(0, args);
        asked(&server.requests()[0]).0
    };
    // The history is longer now; what stands around it is as it was, unless somebody changes it.
    let frame = |body: &str| {
        let mut body: Value = serde_json::from_str(body).expect("JSON");
        for list in ["messages", "input"] {
            body.as_object_mut().expect("an object").remove(list);
        }
        body
    };
    copy(&first.scratch.path("home"), &first.scratch.path("control"));
    let control = Place {
        home: "control",
        ..*first
    };
    let is_same = |args: &[&str]| frame(&ask(&control, args)) == frame(last);
    assert!(is_same(&["again"]));
    assert!(!is_same(&["--reasoning", "high", "again"]), "it is seen");
    // With the record given up for files that are not there, there is nobody to ask.
    let id = control.session().to_string();
    control
        .run(&["exec", "--resume", &id, "--reconfigure", "again"])
        .expect(2, &["unknown provider `work`"]);
}

#[test]
fn nothing_but_the_key_is_needed_to_go_on_with_openai_chat() {
    resumes("openai-chat", |front| format!("{}/v1", front.url()));
}

#[test]
fn nothing_but_the_key_is_needed_to_go_on_with_openai() {
    resumes("openai", |front| format!("{}/v1", front.url()));
}

#[test]
fn nothing_but_the_key_is_needed_to_go_on_with_anthropic() {
    resumes("anthropic", Front::url);
}

/// Plays writes of `a.txt`, one a turn.
fn writes(scratch: &Scratch) -> String {
    let write =
        json!({ "calls": [{ "tool": "write", "input": { "path": "a.txt", "content": "x" } }] });
    let mut steps = Vec::new();
    for _ in 0..6 {
        steps.extend([write.clone(), json!({ "text": "ok" })]);
    }
    scratch.scenario(&json!(steps))
}

/// `config show --session` names the rule, its place and the event that brought it.
fn shows_the_rule(scratch: &Scratch) {
    let id = scratch.sessions().remove(0);
    let shown = scratch.run(&["config", "show", "--session", &id]);
    shown.expect(
        0,
        &[
            "permissions.deny",
            "write(a.txt)",
            "config.toml:2, since event",
        ],
    );
    let shown = scratch
        .run(&["config", "show", "--session", &id, "--json"])
        .json();
    let mode = |row: &&Value| row["name"] == "mode";
    let mode = shown.as_array().and_then(|rows| rows.iter().find(mode));
    assert_eq!(mode.expect("a row")["value"], "edit");
    assert_eq!(mode.expect("a row")["origin"]["layer"], "command_line");
}

#[test]
fn files_that_are_stricter_now_are_obeyed_from_here_on_and_told() {
    let scratch = Scratch::new();
    let model = writes(&scratch);
    let goes_on = |more: &[&str]| {
        let id = scratch.sessions().remove(0);
        let mut args = vec!["exec", "--output", "json", "--resume", &id];
        args.extend(more);
        args.push("again");
        // From elsewhere: the project is the session's, not that of the folder it is typed in.
        let mut command = scratch.command(&args);
        ran(&command.current_dir("/").output().expect("it starts"))
    };
    let is_refused = |ran: &Ran| {
        ran.expect(0, &[]);
        scratch
            .results()
            .last()
            .expect("a result")
            .contains("Not run")
    };
    let changes = || of_kind(&scratch.events(), "SettingsChanged").len();
    scratch
        .run(&["exec", "--model", &model, "--mode", "edit", "go"])
        .expect(0, &[]);
    assert!(!is_refused(&goes_on(&[])));

    scratch
        .config("permissions.allow = [\"tool(shell)\"]\npermissions.deny = [\"write(a.txt)\"]\n");
    let told = goes_on(&[]);
    assert!(is_refused(&told));
    told.expect(
        0,
        &[
            "stricter than when the session began",
            "deny `write(a.txt)`",
            "config.toml:2",
        ],
    );
    assert!(!told.err.contains("tool(shell)"), "{}", told.err);
    let events = scratch.events();
    let change = &of_kind(&events, "SettingsChanged")[0]["data"];
    let configured = &change["settings"]["configured"];
    assert_eq!(change["by"], "the configuration");
    assert_eq!(configured["rules"].as_array().map(Vec::len), Some(1));
    assert_eq!(configured["rules"][0]["source"]["layer"], "user");

    shows_the_rule(&scratch);

    // It stays in force without the file, silently, until a person says otherwise.
    scratch.config("");
    let silent = goes_on(&[]);
    assert!(is_refused(&silent));
    assert!(!silent.err.contains("stricter"), "{}", silent.err);
    assert_eq!(changes(), 1);
    assert!(!is_refused(&goes_on(&["--reconfigure"])));
    assert_eq!(changes(), 2);
    scratch.file(
        ".bowline/config.toml",
        "permissions.deny = [\"write(*.txt)\"]\n",
    );
    assert!(is_refused(&goes_on(&[])), "a project tightens, too");
}

#[test]
fn a_file_that_cannot_be_read_is_never_taken_for_an_empty_one() {
    let scratch = Scratch::new();
    let model = writes(&scratch);
    scratch
        .run(&["exec", "--model", &model, "--mode", "edit", "go"])
        .expect(0, &[]);
    let before = scratch.events();
    let id = scratch.sessions().remove(0);
    let broken = "permissions.deny = [\"write(a.txt)\"\n";
    for place in ["user", "project"] {
        let path = if place == "user" {
            scratch.config(broken);
            scratch.path("config/bowline/config.toml")
        } else {
            scratch.file(".bowline/config.toml", broken)
        };
        let mut command = scratch.command(&["exec", "--resume", &id, "again"]);
        let ran = ran(&command.current_dir("/").output().expect("it starts"));
        ran.expect(2, &[&format!("{}:", path.display()), "not valid TOML"]);
        std::fs::remove_file(path).expect("it was there");
    }
    assert_eq!(scratch.events(), before, "nothing was begun");
    scratch
        .run(&["exec", "--resume", &id, "again"])
        .expect(0, &[]);
}
