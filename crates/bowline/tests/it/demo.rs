//! `bowline demo`: red before, green after, and red still without its edit.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::Scratch;

fn test_is_green(folder: &Path) -> bool {
    let script = folder.join("test.sh");
    Command::new("sh")
        .arg(script)
        .output()
        .expect("sh starts")
        .status
        .success()
}

fn scenario() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo/scenario.json");
    let text = std::fs::read_to_string(path).expect("the embedded scenario");
    serde_json::from_str(&text).expect("valid JSON")
}

#[test]
fn the_demo_turns_the_samples_own_test_from_red_to_green() {
    let scratch = Scratch::new();
    let folder = scratch.path("demo");
    let ran = scratch.run(&["demo", "--dir", folder.to_str().expect("UTF-8")]);
    ran.expect(0, &["1 failed", "0 failed", "sessions list", "-ge"]);
    assert!(test_is_green(&folder));
    let fixed = std::fs::read_to_string(folder.join("lib/discount.sh")).expect("the file");
    // Undo the edit: the same test must be red, so green was the edit's doing.
    std::fs::write(folder.join("lib/discount.sh"), fixed.replace("-ge", "-gt")).expect("written");
    assert!(!test_is_green(&folder));
}

#[test]
fn the_same_scenario_without_its_edit_leaves_the_test_red() {
    let scratch = Scratch::new();
    let folder = scratch.path("demo");
    scratch
        .run(&["demo", "--dir", folder.to_str().expect("UTF-8")])
        .expect(0, &[]);
    let fixed = std::fs::read_to_string(folder.join("lib/discount.sh")).expect("the file");
    std::fs::write(folder.join("lib/discount.sh"), fixed.replace("-ge", "-gt")).expect("written");

    let mut scenario = scenario();
    let steps = scenario["steps"].as_array_mut().expect("steps");
    let before = steps.len();
    steps.retain(|step| step["calls"][0]["tool"] != "edit");
    assert_eq!(steps.len(), before - 1, "there was one edit to leave out");
    let path = scratch.path("without-edit.json");
    std::fs::write(&path, scenario.to_string()).expect("written");
    let model = format!("scripted/{}", path.display());
    let ran = scratch.run(&[
        "exec",
        "--cd",
        folder.to_str().expect("UTF-8"),
        "--mode",
        "full",
        "--model",
        &model,
        "fix",
    ]);
    ran.expect(0, &["1 failed"]);
    assert!(!test_is_green(&folder));
}

#[test]
fn the_demo_refuses_a_folder_that_holds_something() {
    let scratch = Scratch::new();
    scratch.file("mine.txt", "keep");
    let work = scratch.work();
    scratch
        .run(&["demo", "--dir", work.to_str().expect("UTF-8")])
        .expect(2, &["is not empty", "--dir"]);
    assert_eq!(
        std::fs::read(work.join("mine.txt")).expect("still there"),
        b"keep"
    );
    assert!(!scratch.home().exists(), "nothing was recorded");
}

#[test]
fn json_output_is_one_object_with_the_promised_fields() {
    let scratch = Scratch::new();
    let ran = scratch.play("full", &json!([{ "text": "hello" }]), &[]);
    let result = ran.expect(0, &[]).json();
    for field in [
        "session_id",
        "stop_reason",
        "result",
        "usage",
        "cost_micro_usd",
        "exit_code",
        "waiting",
    ] {
        assert!(
            result.get(field).is_some(),
            "{field} is missing in {result}"
        );
    }
    assert_eq!(result["stop_reason"], "done");
    assert_eq!(result["result"], "hello");
}
