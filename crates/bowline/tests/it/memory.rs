//! Instruction files: what reaches the model, what `memory` shows of it and adds to it.

use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind, ran, snapshot};

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

/// Runs `memory edit` with a shell command as the editor; `$1` is the file.
fn edited(scratch: &Scratch, editor: &str, args: &[&str]) -> Ran {
    let script = scratch.path("editor");
    std::fs::write(&script, editor).expect("the editor");
    let mut command = scratch.command(&["memory", "edit"]);
    let named = format!("sh {}", script.display());
    command.args(args).env_remove("VISUAL").env("EDITOR", named);
    ran(&command.output().expect("the binary starts"))
}

#[test]
fn an_edit_is_shown_and_replaces_the_file_as_a_whole() {
    let scratch = scratch();
    let path = scratch.work().join("AGENTS.md");
    let now = || std::fs::read_to_string(&path).expect("the file");
    let before = now();
    let changes = "echo 'Test first' >>\"$1\"";
    edited(&scratch, changes, &[]).expect(2, &["+Test first", "give --yes"]);
    edited(&scratch, "true", &["--yes"]).expect(1, &["nothing was changed"]);
    edited(&scratch, "echo x >\"$1\"; exit 3", &["--yes"]).expect(2, &["ended with"]);
    let meanwhile = format!("echo mine >\"$1\"; echo other >>'{}'", path.display());
    assert_eq!(now(), before);
    edited(&scratch, changes, &["--yes"]).expect(0, &["+Test first", "written to"]);
    assert_eq!(now(), format!("{before}Test first\n"));
    let lost = edited(&scratch, &meanwhile, &["--yes"]);
    lost.expect(2, &["changed meanwhile"]);
    assert_eq!(now(), format!("{before}Test first\nother\n"));
    let kept = lost.err.trim().rsplit(' ').next().expect("a place");
    assert_eq!(std::fs::read_to_string(kept).expect("the copy"), "mine\n");
    std::fs::remove_dir_all(std::path::Path::new(kept).parent().expect("its folder"))
        .expect("it goes");
    edited(&scratch, "echo new >\"$1\"", &["--local", "docs", "--yes"]).expect(0, &["+new"]);
    let local = std::fs::read_to_string(scratch.work().join("docs/AGENTS.md"));
    assert_eq!(local.expect("a new file"), "new\n");
    std::fs::remove_file(&path).expect("it goes");
    std::os::unix::fs::symlink("/etc/hostname", &path).expect("a link");
    edited(&scratch, changes, &["--yes"]).expect(2, &["no regular file"]);
    let mut command = scratch.command(&["memory", "edit", "--user"]);
    command.env_remove("VISUAL").env_remove("EDITOR");
    ran(&command.output().expect("the binary starts")).expect(2, &["set VISUAL or EDITOR"]);
}
