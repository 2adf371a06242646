//! What the model is told about a call that was interrupted: exact, and pinned by a snapshot for
//! each way in which it can come out.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// One call, then an answer.
fn call(tool: &str, input: &Value) -> Value {
    json!([{ "calls": [{ "tool": tool, "input": input }] }, { "text": "done" }])
}

fn shell(command: &str) -> Value {
    call("shell", &json!({ "command": command }))
}

/// The same from a script: a command that names the state folder is refused before it runs.
fn script(scratch: &Scratch, command: &str) -> Value {
    scratch.file("script.sh", command);
    shell("bash script.sh")
}

fn background(command: &str) -> Value {
    call("shell", &json!({ "command": command, "background": true }))
}

/// Plays `steps` in a process that is gone at `point`.
#[track_caller]
fn gone_at(point: &str, scratch: &Scratch, steps: &Value) {
    let model = scratch.scenario(steps);
    let mut command = scratch.command(&["exec", "--model", &model, "--mode", "full", "go"]);
    let ended = command.env("BOWLINE_ABORT_AT", point).output();
    let ended = ended.expect("it starts").status;
    assert_eq!(ended.signal(), Some(6), "gone at {point}: {ended}");
}

/// Plays `steps` in a process that is killed once the call runs; with it, if `keeper_too`, the
/// keeper of the call.
fn killed(scratch: &Scratch, steps: &Value, keeper_too: bool) {
    let model = scratch.scenario(steps);
    let mut child: Child = scratch
        .command(&["exec", "--model", &model, "--mode", "full", "go"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let keeper = keeper(scratch);
    wait_for(&scratch.work().join("begun"));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    if keeper_too {
        kill(keeper);
    }
}

/// Where a keeper notes the output of the only kept command, as a shell finds it.
fn noted(scratch: &Scratch) -> String {
    let noted = scratch.home().join("sessions/*/spool/*/out.head");
    noted.display().to_string()
}

/// The folder of the records of the only kept command.
fn attempt(scratch: &Scratch) -> Option<PathBuf> {
    let session = scratch.sessions().pop()?;
    let spool = scratch.home().join("sessions").join(session).join("spool");
    Some(std::fs::read_dir(spool).ok()?.next()?.ok()?.path())
}

/// The process id of the only keeper, once it has claimed its attempt.
fn keeper(scratch: &Scratch) -> u64 {
    loop {
        let claim = attempt(scratch).and_then(|dir| std::fs::read(dir.join("claim")).ok());
        let claim: Option<Value> = claim.and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(keeper) = claim.and_then(|claim| claim["keeper_pid"].as_u64()) {
            return keeper;
        }
        std::thread::yield_now();
    }
}

fn kill(pid: u64) {
    let status = std::process::Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(status.expect("kill starts").success());
    let stat = format!("/proc/{pid}/stat");
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        std::thread::yield_now();
    }
}

fn wait_for(path: &std::path::Path) {
    while !path.exists() {
        std::thread::yield_now();
    }
}

/// Resumes the only session and gives what it did about the call, and what the model is told.
#[track_caller]
fn told(scratch: &Scratch) -> String {
    let session = scratch.sessions().remove(0);
    scratch
        .run(&["exec", "--resume", &session])
        .expect(0, &["done"]);
    page(scratch)
}

/// The facts about calls and attempts, then the text of every result.
fn page(scratch: &Scratch) -> String {
    let events = scratch.events();
    let kinds = events.iter().filter_map(|line| {
        let event = &line["event"];
        let kind = event["kind"].as_str()?;
        let data = &event["data"];
        let more = match kind {
            "CallStarted" | "CallFailed" => String::new(),
            "CallFinished" if data["found"] == true => " (found)".to_owned(),
            "CallFinished" => String::new(),
            "CallInDoubt" => format!(": {}", text(&data["why"])),
            "CallFoundUnstarted" => format!(": {}", text(&data["proof"])),
            "AttemptFailed" => format!(": {}", text(&data["failure"]["message"])),
            _ => return None,
        };
        Some(format!("{kind}{more}\n"))
    });
    let mut page: String = kinds.collect();
    for result in scratch.results() {
        page.push_str("--- told\n");
        page.push_str(&result);
    }
    plain(&page)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Without times, process ids and handles.
fn plain(page: &str) -> String {
    let mut page = page.to_owned();
    for (before, after) in [
        ("exit 0 in ", " s"),
        ("exit 4 in ", " s"),
        ("after ", " s"),
        ("process ", ")"),
        (" (", ")"),
        ("bg:", ""),
    ] {
        let mut rest = std::mem::take(&mut page);
        while let Some(at) = rest.find(before) {
            let (front, back) = rest.split_at(at + before.len());
            let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == '.';
            let number = back.len() - back.trim_start_matches(is_part).len();
            page.push_str(front);
            if number > 0 && back[number..].starts_with(after) {
                page.push('N');
                rest = back[number..].to_owned();
            } else {
                rest = back.to_owned();
            }
        }
        page.push_str(&rest);
    }
    page
}

#[test]
fn a_command_that_finished_meanwhile() {
    let scratch = Scratch::new();
    gone_at("act.end", &scratch, &shell("echo out; exit 4"));
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_command_that_still_runs_and_then_finishes() {
    let scratch = Scratch::new();
    let command = "echo one; : >begun; until [ -e go ]; do sleep 0.01; done; echo two";
    killed(&scratch, &shell(command), false);
    let go = scratch.work().join("go");
    let session = scratch.sessions().remove(0);
    let mut later = scratch
        .command(&["exec", "--resume", &session, "--output", "stream-json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let out = std::io::BufReader::new(later.stdout.take().expect("a pipe"));
    let mut heard = false;
    for line in std::io::BufRead::lines(out) {
        let line: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if line["type"] == "call_output" && !heard {
            assert_eq!(line["total_bytes"], 4, "its output streams on");
            heard = true;
            std::fs::write(&go, "").expect("the file");
        }
    }
    assert!(heard);
    assert_eq!(later.wait().expect("it ends").code(), Some(0));
    insta::assert_snapshot!(page(&scratch));
    let finished = of_kind(&scratch.events(), "CallFinished")[0].clone();
    assert!(
        finished["data"]["outcome"]["duration_ms"].as_u64() > Some(0),
        "{finished}"
    );
}

#[test]
fn a_command_that_never_started() {
    let scratch = Scratch::new();
    gone_at("act.begin", &scratch, &shell("echo out"));
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_command_whose_keeper_died_too() {
    let scratch = Scratch::new();
    // Output that the keeper has not noted goes with it.
    let command = format!(
        "echo half; until grep -qs half {}; do :; done; : >begun; exec sleep 1000",
        noted(&scratch)
    );
    killed(&scratch, &script(&scratch, &command), true);
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_command_whose_keeper_died_too_without_output() {
    let scratch = Scratch::new();
    killed(&scratch, &shell(": >begun; exec sleep 1000"), true);
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_command_whose_keeper_died_alone() {
    let scratch = Scratch::new();
    // The keeper is only killed once it has noted the output.
    let command = format!(
        "echo half; until grep -qs half {}; do :; done; kill -KILL $PPID; exec sleep 1000",
        noted(&scratch)
    );
    scratch
        .play("full", &script(&scratch, &command), &[])
        .expect(0, &["done"]);
    insta::assert_snapshot!(page(&scratch));
}

#[test]
fn a_file_that_was_written() {
    let scratch = Scratch::new();
    let input = json!({ "path": "notes.txt", "content": "new\n" });
    gone_at("act.end", &scratch, &call("write", &input));
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_file_that_was_not_written() {
    let scratch = Scratch::new();
    let input = json!({ "path": "notes.txt", "content": "new\n" });
    gone_at("act.begin", &scratch, &call("write", &input));
    insta::assert_snapshot!(told(&scratch));
    let content = std::fs::read_to_string(scratch.work().join("notes.txt"));
    assert_eq!(content.expect("it is there"), "new\n");
}

#[test]
fn a_file_that_something_else_changed_since() {
    let scratch = Scratch::new();
    scratch.file("notes.txt", "old\n");
    let input = json!({ "path": "notes.txt", "edits": [{ "old": "old", "new": "new" }] });
    gone_at("act.end", &scratch, &call("edit", &input));
    scratch.file("notes.txt", "other\n");
    insta::assert_snapshot!(told(&scratch));
    let content = std::fs::read_to_string(scratch.work().join("notes.txt"));
    assert_eq!(content.expect("it is there"), "other\n");
}

#[test]
fn a_reading_call_that_is_made_again() {
    let scratch = Scratch::new();
    scratch.file("notes.txt", "text\n");
    gone_at(
        "act.begin",
        &scratch,
        &call("read", &json!({ "path": "notes.txt" })),
    );
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_model_call_that_is_made_again() {
    let scratch = Scratch::new();
    gone_at("act.ask", &scratch, &json!([{ "text": "done" }]));
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_background_command_that_runs_on() {
    let scratch = Scratch::new();
    gone_at(
        "act.end",
        &scratch,
        &background("echo ready; until [ -e go ]; do sleep 0.01; done"),
    );
    insta::assert_snapshot!(told(&scratch));
    // Nothing is left behind when its folder goes.
    let jobs = scratch.run(&["jobs", "list", "--json"]).json();
    let job = jobs[0]["id"].as_str().expect("it runs on");
    scratch.run(&["jobs", "stop", job]).expect(0, &[]);
}

#[test]
fn a_background_command_that_ended_meanwhile() {
    let scratch = Scratch::new();
    gone_at(
        "act.end",
        &scratch,
        &background("echo ready; until [ -e go ]; do sleep 0.01; done; echo bye"),
    );
    scratch.file("go", "");
    wait_for(&attempt(&scratch).expect("its records").join("exit.json"));
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_background_command_that_is_gone() {
    let scratch = Scratch::new();
    gone_at(
        "act.end",
        &scratch,
        &background("echo ready; exec sleep 1000"),
    );
    kill(keeper(&scratch));
    insta::assert_snapshot!(told(&scratch));
}

#[test]
fn a_background_command_that_is_gone_when_it_is_polled() {
    let scratch = Scratch::new();
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": {
            "command": "echo ready; exec sleep 1000", "background": true
        } }] },
        { "text": "serving" },
        { "calls": [{ "tool": "shell_job", "input": { "action": "poll" } }] },
        { "text": "done" }
    ]);
    scratch.play("full", &steps, &[]).expect(0, &["serving"]);
    kill(keeper(&scratch));
    let session = scratch.sessions().remove(0);
    scratch
        .run(&["exec", "--resume", &session, "and?"])
        .expect(0, &["done"]);
    insta::assert_snapshot!(page(&scratch));
}

#[test]
fn a_question_that_is_still_open() {
    let scratch = Scratch::new();
    let steps = call("ask_user", &json!({ "question": "Which one?" }));
    let waiting = scratch.play("full", &steps, &[]);
    let waiting = waiting.expect(3, &["Which one?"]).json();
    // Resumed it asks the same question, and the model is told nothing yet.
    let session = scratch.sessions().remove(0);
    scratch
        .run(&["exec", "--resume", &session])
        .expect(3, &["Which one?"]);
    assert_eq!(scratch.results(), Vec::<String>::new());
    let id = waiting["waiting"][0]["decision_id"]
        .as_str()
        .expect("an id");
    scratch
        .run(&["answer", id, "--", "the second"])
        .expect(0, &[]);
    insta::assert_snapshot!(told(&scratch));
}

/// The control of all of the above: a point that is never reached.
#[test]
fn a_call_that_nothing_interrupts() {
    let scratch = Scratch::new();
    scratch
        .play("full", &shell("echo out; exit 4"), &[])
        .expect(0, &["done"]);
    insta::assert_snapshot!(page(&scratch));
}
