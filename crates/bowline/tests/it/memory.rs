//! Instruction files: what reaches the model, what `memory` shows of it and adds to it.

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind, snapshot};

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(
        scratch.path("config/bowline/AGENTS.md"),
        "Answer briefly.\n",
    )
    .expect("mine");
    scratch.file(
        "AGENTS.md",
        "Build with make. See @docs/style.md and @../secret.md.\n",
    );
    scratch.file(
        "CLAUDE.md",
        "Build with make. See @docs/style.md and @../secret.md.\n",
    );
    scratch.file("docs/style.md", "Use tabs.\n");
    std::fs::write(scratch.path("secret.md"), "hidden\n").expect("outside");
    scratch
}

#[test]
fn the_model_is_given_every_file_with_its_origin_and_told_what_is_left_out() {
    let scratch = scratch();
    let own = scratch.path("config/bowline/AGENTS.md");
    let steps = json!([{ "text": "done", "expect": {
        "prompt_contains": ["Answer briefly.", "Build with make.", "Use tabs.", "../secret.md: it leads out"],
        "prompt_lacks": ["hidden"]
    } }]);
    scratch.play("ask", &steps, &[]).expect(0, &["done"]);
    let events = scratch.events();
    let origins: Vec<String> = of_kind(&events, "NoticeAdded")
        .iter()
        .map(|event| event["data"]["text"]["origin"].to_string())
        .collect();
    let file = |name: &str| json!({ "file": name }).to_string();
    let mine = file(&own.display().to_string());
    for origin in [mine, file("AGENTS.md"), file("docs/style.md")] {
        let times = origins.iter().filter(|one| **one == origin).count();
        assert_eq!(times, 1, "{origin} in {origins:?}");
    }
    assert!(
        !origins.contains(&file("CLAUDE.md")),
        "a copy says nothing new"
    );
}

#[test]
fn a_list_shows_whose_each_is_and_writes_nothing() {
    let scratch = scratch();
    let before = snapshot(&scratch.path("."));
    let rows = scratch
        .run(&["memory", "list", "--json"])
        .expect(0, &[])
        .json();
    let names: Vec<&Value> = rows
        .as_array()
        .expect("an array")
        .iter()
        .map(|row| &row["whose"])
        .collect();
    assert_eq!(
        names,
        [
            &json!("user"),
            &json!("project"),
            &json!("project"),
            &Value::Null
        ]
    );
    assert_eq!(rows[2]["imported_by"], "AGENTS.md");
    assert_eq!(rows[3]["left_out"], "it leads out of its project");
    scratch.run(&["memory", "list"]).expect(
        0,
        &[
            "docs/style.md",
            "imported by AGENTS.md",
            "left out ../secret.md",
        ],
    );
    scratch
        .run(&["memory", "show"])
        .expect(0, &["# AGENTS.md (project)", "Use tabs."]);
    assert_eq!(before, snapshot(&scratch.path(".")));
}

#[test]
fn a_line_is_added_where_it_was_asked_for_and_not_without_a_yes() {
    let scratch = scratch();
    let path = scratch.work().join("AGENTS.md");
    let before = std::fs::read_to_string(&path).expect("the file");
    scratch
        .run(&["memory", "add", "Test first"])
        .expect(2, &["+ - Test first", "give --yes"]);
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), before);
    scratch
        .run(&["memory", "add", "--yes", "Test first"])
        .expect(0, &["+ - Test first", "written to"]);
    let after = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(after, format!("{before}- Test first\n"));
    scratch
        .run(&["memory", "add", "--user", "--yes", "Be kind"])
        .expect(0, &[]);
    let own = std::fs::read_to_string(scratch.path("config/bowline/AGENTS.md")).expect("mine");
    assert_eq!(own, "Answer briefly.\n- Be kind\n");
    scratch
        .run(&["memory", "add", "--local", "docs", "--yes", "Short words"])
        .expect(0, &[]);
    let local = std::fs::read_to_string(scratch.work().join("docs/AGENTS.md"));
    assert_eq!(local.expect("a new file"), "- Short words\n");
    std::os::unix::fs::symlink("/etc/hostname", scratch.work().join("docs/CLAUDE.md"))
        .expect("a link");
    std::fs::remove_file(scratch.work().join("docs/AGENTS.md")).expect("it goes");
    scratch
        .run(&["memory", "add", "--local", "docs", "--yes", "x"])
        .expect(2, &["no regular file"]);
}
