//! Sessions that are carried elsewhere: unchanged, and without power over the machine they come to.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::running::{Running, held, release};
use crate::stream_json::published;
use crate::support::{Scratch, of_kind, ran};

/// Exports a session to a file of the other scratch folder.
fn carry(from: &Scratch, session: &str, to: &Scratch) -> (String, String) {
    let exported = from.run(&["sessions", "export", session, "--json"]);
    exported.expect(0, &[]);
    let path = to.path("session.json");
    std::fs::write(&path, &exported.out).expect("it is written");
    (path.display().to_string(), exported.out)
}

/// A scenario file of the scratch folder as its configured model.
fn configured(scratch: &Scratch, mode: &str, steps: &Value) {
    let model = scratch.scenario(steps);
    scratch.config(&format!("model = \"{model}\"\nmode = \"{mode}\"\n"));
}

#[test]
fn export_import_export_is_identical_and_as_the_schema_says() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let large = json!([
        { "calls": [{ "tool": "shell", "input": { "command": "seq 1 100000; printf '\\033[31m'" } },
            { "tool": "write", "input": { "path": "a.txt", "content": "x" } }] },
        { "text": "done" }
    ]);
    let ran_there = from.play("full", &large, &[]).expect(0, &[]).json();
    let session = ran_there["session_id"].as_str().expect("an id");
    let (path, exported) = carry(&from, session, &to);
    let value: Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!(
        value["blobs"].as_array().map(Vec::len),
        Some(1),
        "the long output"
    );
    let schema = published(&from, "session.schema.json");
    let wrong: Vec<String> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");

    to.run(&["sessions", "import", &path])
        .expect(0, &["is imported", "1 stored bodies"]);
    let again = to.run(&["sessions", "export", session, "--json"]);
    assert_eq!(again.expect(0, &[]).out, exported);
    to.run(&["sessions", "import", &path])
        .expect(1, &["exists already"]);
    let shown = |scratch: &Scratch| scratch.run(&["sessions", "show", session, "--json"]).json();
    assert_eq!(shown(&from), shown(&to));

    // The same from standard input, into a third place.
    let third = Scratch::new();
    let mut command = third.command(&["sessions", "import", "-"]);
    let file = std::fs::File::open(&path).expect("it is there");
    let output = command.stdin(Stdio::from(file)).output();
    ran(&output.expect("it starts")).expect(0, &["is imported"]);
    let again = third.run(&["sessions", "export", session]);
    assert_eq!(again.out, exported);
}

#[test]
fn what_is_no_export_makes_nothing() {
    let scratch = Scratch::new();
    for (text, expect) in [
        ("", "cannot be read"),
        (
            "{\"format\":\"bowline-session\",\"version\":9}",
            "use a newer one",
        ),
    ] {
        let path = scratch.path("x.json");
        std::fs::write(&path, text).expect("it is written");
        let path = path.display().to_string();
        scratch
            .run(&["sessions", "import", &path])
            .expect(1, &[expect]);
    }
    scratch
        .run(&["sessions", "import", "/"])
        .expect(2, &["not a regular file"]);
    scratch
        .run(&["sessions", "import", "nowhere"])
        .expect(2, &["nowhere cannot be read"]);
    assert!(!scratch.home().exists());
}

/// The session of elsewhere ran in mode `full` and was cut off in the middle of a command. Here the
/// configuration says `ask`: its mode, its folder and its command count for nothing.
#[test]
fn a_session_from_elsewhere_goes_on_under_this_machines_configuration() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let mut running = Running::start(&from, &json!([held(), { "text": "never" }]));
    running.until_type("call_output");
    let session = running.session.clone();
    let (path, _) = carry(&from, &session, &to);
    release(&from);
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
    to.run(&["sessions", "import", &path]).expect(0, &[]);

    // No model is configured yet: nothing is taken on.
    let resume = ["exec", "--resume", &session, "--output", "json"];
    to.config("local_ports = []\n");
    to.run(&resume).expect(2, &["no model is set"]);
    to.run(&["exec", "--continue", "x"]).expect(2, &[]);
    let write =
        json!({ "calls": [{ "tool": "write", "input": { "path": "new.txt", "content": "x" } }] });
    let told = ["what became of it is not known here"];
    let doubt = json!({ "text": "hm", "calls": write["calls"], "expect": {
        "last_result_contains": told, "prompt_contains": ["was brought here from elsewhere"] } });
    // The reply of elsewhere counts as the first of this scenario.
    configured(&to, "ask", &json!([held(), doubt, { "text": "written" }]));
    to.run(&["resume", &session])
        .expect(2, &["came from elsewhere"]);
    let work = to
        .work()
        .canonicalize()
        .expect("a folder")
        .display()
        .to_string();
    let line = format!("came from elsewhere: it goes on in {work}");
    let parked = to.run(&resume);
    let result = parked.expect(3, &[&line, "mode ask"]).json();
    assert_eq!(result["waiting"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["in_doubt"].as_array().map(Vec::len), Some(1));
    assert!(
        !to.work().join("go").exists(),
        "the command did not run here"
    );

    let question = result["waiting"][0]["decision_id"].as_str().expect("an id");
    to.run(&["approve", question]).expect(0, &[]);
    let done = to.run(&resume);
    done.expect(0, &["written"]);
    assert!(
        !done.err.contains("came from elsewhere"),
        "once: {}",
        done.err
    );
    assert!(to.work().join("new.txt").exists());
    let events = to.events();
    let adopted = of_kind(&events, "SessionAdopted");
    assert_eq!(adopted.len(), 1);
    assert_eq!(adopted[0]["data"]["settings"]["mode"], "ask");
    assert_eq!(adopted[0]["data"]["cwd"], work.as_str());
}

/// What waits elsewhere is asked anew here, under another id; an answer to the old one is void.
#[test]
fn what_waited_elsewhere_is_asked_again() {
    let (from, to) = (Scratch::new(), Scratch::new());
    let write = json!([
        { "calls": [{ "tool": "write", "input": { "path": "new.txt", "content": "x" } }] },
        { "text": "written" }
    ]);
    let parked = from.play("ask", &write, &[]).expect(3, &[]).json();
    let session = parked["session_id"].as_str().expect("an id");
    let old = parked["waiting"][0]["decision_id"].as_str().expect("an id");
    let (path, _) = carry(&from, session, &to);
    to.run(&["sessions", "import", &path]).expect(0, &[]);
    configured(&to, "ask", &write);
    to.run(&["approve", old]).expect(0, &[]);
    let asked = to.run(&["exec", "--resume", session, "--output", "json"]);
    let asked = asked.expect(3, &[]).json();
    let new = asked["waiting"][0]["decision_id"].as_str().expect("an id");
    assert_ne!(new, old);
    assert!(!to.work().join("new.txt").exists());
    to.run(&["approve", new]).expect(0, &[]);
    to.run(&["exec", "--resume", session])
        .expect(0, &["written"]);
    assert!(to.work().join("new.txt").exists());
}

#[test]
fn an_agent_plants_no_session() {
    let scratch = Scratch::new();
    let exe = env!("CARGO_BIN_EXE_bowline");
    let input = json!({ "command": format!("{exe} sessions import /dev/null") }).to_string();
    let args = [
        "tools", "call", "shell", "--mode", "full", "--input", &input,
    ];
    scratch
        .run(&args)
        .expect(1, &["inside a shell command of an agent"]);
}
