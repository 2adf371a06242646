//! Instruction files of folders that a session comes to: told with the result that came there.

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// The texts that the model was given of one origin, in order.
fn told(events: &[Value], origin: &Value) -> Vec<String> {
    let notices = of_kind(events, "NoticeAdded").into_iter();
    let texts = notices.map(|event| &event["data"]["text"]);
    let of_it = texts.filter(|text| text["origin"] == *origin);
    of_it
        .map(|text| text["text"].as_str().expect("a text").to_owned())
        .collect()
}

fn of_file(events: &[Value], name: &str) -> Vec<String> {
    told(events, &json!({ "file": name }))
}

fn call(tool: &str, input: Value) -> Value {
    json!({ "tool": tool, "input": input })
}

fn read(path: &str) -> Value {
    call("read", json!({ "path": path }))
}

#[test]
fn a_folder_that_was_come_to_is_told_once_and_again_after_a_change() {
    let scratch = Scratch::new();
    for folder in ["once", "deep/in", "listed", "written", "shell", "other"] {
        scratch.file(
            &format!("{folder}/AGENTS.md"),
            format!("Rules of {folder}."),
        );
        scratch.file(&format!("{folder}/x.txt"), "x\n");
    }
    scratch.file("deep/CLAUDE.md", "Rules around it. See @../notes/more.md.");
    scratch.file("notes/more.md", "Imported.");
    scratch.file("failed/AGENTS.md", "Rules of failed.");
    scratch.file(".hidden/AGENTS.md", "Rules of hidden.");
    scratch.file(".hidden/x.txt", "x\n");
    let change = json!({ "path": "once/AGENTS.md", "content": "Other rules of once.\n" });
    let steps = json!([
        { "calls": [read("once/x.txt"), read("failed/gone.txt"), read(".hidden/x.txt")] },
        { "calls": [read("once/x.txt"), read("deep/in/x.txt")],
          "expect": { "prompt_contains": ["Rules of once."],
                      "prompt_lacks": ["Rules of failed", "Rules of hidden", "Rules around it"] } },
        { "calls": [call("list", json!({ "path": "listed" })),
                    call("write", json!({ "path": "written/new.txt", "content": "new\n" })),
                    call("shell", json!({ "command": "cat shell/x.txt" })),
                    read("once/AGENTS.md")],
          "expect": { "prompt_contains": ["Rules of deep/in.", "Imported."] } },
        { "calls": [call("write", change)] },
        { "calls": [read("once/x.txt")] },
        { "text": "done", "expect": { "prompt_lacks": ["Rules of other"] } },
    ]);
    scratch.play("full", &steps, &[]).expect(0, &["done"]);
    let events = scratch.events();
    for (name, expect) in [
        (
            "once/AGENTS.md",
            &["Rules of once.", "Other rules of once.\n"][..],
        ),
        (
            "deep/CLAUDE.md",
            &["Rules around it. See @../notes/more.md."],
        ),
        ("notes/more.md", &["Imported."]),
        ("deep/in/AGENTS.md", &["Rules of deep/in."]),
        ("listed/AGENTS.md", &["Rules of listed."]),
        ("written/AGENTS.md", &["Rules of written."]),
        ("shell/AGENTS.md", &["Rules of shell."]),
        ("other/AGENTS.md", &[]),
        ("failed/AGENTS.md", &[]),
        (".hidden/AGENTS.md", &[]),
    ] {
        assert_eq!(of_file(&events, name), expect, "{name}");
    }
    // A session that goes on knows what it was told.
    let session = scratch.sessions().remove(0);
    let mut steps = steps.as_array().expect("steps").clone();
    steps.push(json!({ "calls": [read("once/x.txt"), read("other/x.txt")] }));
    steps.push(json!({ "text": "more" }));
    let model = scratch.scenario(&json!(steps));
    let more = ["exec", "--model", &model, "--resume", &session, "go on"];
    scratch.run(&more).expect(0, &["more"]);
    let events = scratch.events();
    assert_eq!(of_file(&events, "once/AGENTS.md").len(), 2);
    assert_eq!(of_file(&events, "other/AGENTS.md"), ["Rules of other."]);
}

#[test]
fn what_is_not_told_is_said_once() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("secret.md"), "hidden words").expect("outside");
    scratch.file("link/x.txt", "x\n");
    std::os::unix::fs::symlink(
        scratch.path("secret.md"),
        scratch.work().join("link/AGENTS.md"),
    )
    .expect("a link");
    scratch.file("closed/AGENTS.md", "hidden words");
    scratch.file("closed/x.txt", "x\n");
    for (number, folder) in ["a", "b", "c"].into_iter().enumerate() {
        let text = format!("{number}{}", "y".repeat(30_000));
        scratch.file(&format!("{folder}/AGENTS.md"), text);
        scratch.file(&format!("{folder}/x.txt"), "x\n");
    }
    scratch.rules("[[rule]]\ndeny = \"read(closed/AGENTS.md)\"\n");
    let all = ["link", "closed", "a", "b", "c"].map(|folder| read(&format!("{folder}/x.txt")));
    let lacks = json!({ "prompt_lacks": ["hidden words"] });
    let steps = json!([
        { "calls": all.clone() },
        { "calls": all, "expect": lacks.clone() },
        { "text": "done", "expect": lacks },
    ]);
    scratch.play("edit", &steps, &[]).expect(0, &["done"]);
    let events = scratch.events();
    for (name, times) in [("a", 1), ("b", 1), ("c", 0), ("closed", 0), ("link", 0)] {
        let name = format!("{name}/AGENTS.md");
        assert_eq!(of_file(&events, &name).len(), times, "{name}");
    }
    let said = told(&events, &json!("harness")).concat();
    for line in [
        "- link/AGENTS.md: it is a link, or lies behind one",
        "- closed/AGENTS.md: it must be asked for by name",
        "- c/AGENTS.md: all instructions of a session together may have 65536 bytes",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{line} in {said}");
    }
}
