//! Alarms through the program: each action does what it says, is recorded, and is shown as the
//! published schema says.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::stream_json::published;
use crate::support::{Ran, Scratch, of_kind};
use crate::terminal::Typing;

/// Twenty steps that write little, then nine that write a lot, then the answer.
fn growing() -> Value {
    // No two of them are the same: nothing is repeated.
    let step = |number: u64| {
        let pattern = format!("*{number}");
        let tokens = if number < 20 { 10 } else { 3_500 };
        json!({ "calls": [{ "tool": "glob", "input": { "pattern": pattern } }],
            "usage": { "input_tokens": 100, "output_tokens": tokens } })
    };
    let mut steps: Vec<Value> = (0..29).map(step).collect();
    steps.push(json!({ "text": "All done." }));
    Value::Array(steps)
}

fn configured(action: &str) -> Scratch {
    let scratch = Scratch::new();
    let file = scratch.path("alarms.jsonl");
    scratch.config(&format!(
        "[alarms]\ntokens_per_step = \"{action}\"\nwarm_up = 10\nwebhook_file = \"{}\"\n",
        file.display()
    ));
    scratch
}

fn alarms(scratch: &Scratch) -> Vec<Value> {
    let log = scratch.run(&["log", "--json", "--kind", "AlarmRaised"]);
    let lines = log.expect(0, &[]).lines();
    lines
        .into_iter()
        .map(|line| line["event"].clone())
        .collect()
}

fn play(scratch: &Scratch) -> Ran {
    scratch.play("full", &growing(), &[])
}

#[test]
fn an_alarm_is_noted_with_figure_baseline_and_cause() {
    let scratch = configured("note");
    play(&scratch).expect(0, &["All done."]);
    let alarms = alarms(&scratch);
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    let [alarm] = alarms.as_slice() else {
        unreachable!()
    };
    assert_eq!(alarm["level"], "warning");
    let data = &alarm["data"];
    assert_eq!(data["metric"], "tokens_per_step");
    assert_eq!(data["figure"], 3_600);
    assert_eq!(data["baseline"], 110);
    assert_eq!(data["action"], "note");
    assert_eq!(data["cause"]["kind"], "model_output");
    let work = scratch.work().canonicalize().unwrap();
    assert_eq!(data["project"], work.display().to_string());
    let line = "3600 tokens per step, usually 110";
    scratch.run(&["log"]).expect(0, &[line]);
    assert!(!scratch.path("alarms.jsonl").exists());
    assert_eq!(of_kind(&scratch.events(), "SessionPaused").len(), 0);
}

#[test]
fn a_session_that_is_paused_for_an_alarm_goes_on_when_somebody_says_so() {
    for (action, words) in [("pause", "an alarm: "), ("ask", "asks whether it goes on")] {
        let scratch = configured(action);
        let ran = play(&scratch);
        ran.expect(3, &["on hold, by an alarm", "3600 tokens per step"]);
        assert_eq!(ran.json()["stop_reason"], "waiting", "{action}");
        let events = scratch.events();
        let paused = of_kind(&events, "SessionPaused");
        assert_eq!(paused.len(), 1);
        let by = paused[0]["data"]["by"].as_str().expect("a text");
        assert!(by.contains(words), "{by}");
        let replies = of_kind(&events, "ModelReplied").len();
        assert!((21..29).contains(&replies), "{action}: {replies} replies");
        assert_eq!(alarms(&scratch)[0]["data"]["action"], action);
        let id = &scratch.sessions()[0];
        scratch.run(&["inbox"]).expect(0, &["on hold"]);
        // It goes on as it would have, and what was said is not said again.
        scratch.run(&["resume", id]).expect(0, &["All done."]);
        assert_eq!(alarms(&scratch).len(), 1, "{action}");
    }
}

#[test]
fn a_person_at_the_terminal_is_asked_whether_it_goes_on() {
    for (answer, code) in [("y", 0), ("q", 3)] {
        let scratch = configured("ask");
        let model = scratch.scenario(&growing());
        let mut run = Typing::start(&scratch, &["exec", "--model", &model, "go"]);
        run.until("alarm: 3600 tokens per step");
        run.until("on hold: 3600 tokens per step");
        run.until("go on?");
        run.until("> ");
        run.type_line("maybe");
        run.until("answer y or q");
        run.until("> ");
        run.type_line(answer);
        let (ended, screen) = run.end();
        assert_eq!(ended, code, "{screen}");
        assert_eq!(screen.contains("All done."), code == 0, "{screen}");
    }
}

#[test]
fn a_line_is_added_to_a_file_of_its_owner_alone() {
    let scratch = configured("webhook_file");
    let file = scratch.path("alarms.jsonl");
    play(&scratch).expect(0, &["All done."]);
    let text = std::fs::read_to_string(&file).expect("the file");
    let line: Value = serde_json::from_str(text.trim_end()).expect("one line of JSON");
    assert_eq!(line["alarm"], alarms(&scratch)[0]["data"]);
    assert_eq!(line["session"], scratch.sessions()[0].as_str());
    let mode = std::fs::metadata(&file)
        .expect("its metadata")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    // A place that is no file of its own is said and left alone.
    let link = scratch.path("link");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for (place, said) in [(link, "symbolic links"), (scratch.work(), "directory")] {
        scratch.config(&format!(
            "[alarms]\ntokens_per_step = \"webhook_file\"\nwarm_up = 10\nwebhook_file = \"{}\"\n",
            place.display()
        ));
        let other = scratch.path("other");
        let model = scratch.scenario(&growing());
        let mut command = scratch.command(&["exec", "--model", &model, "--mode", "full", "go"]);
        let out = command
            .env("BOWLINE_HOME", &other)
            .output()
            .expect("it runs");
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(
            err.contains("webhook_file could not be done") && err.contains(said),
            "{err}"
        );
        std::fs::remove_dir_all(&other).expect("another home");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), text);
}

#[test]
fn what_is_usual_is_known_from_sessions_of_before() {
    let scratch = configured("note");
    let steps = growing();
    let steps = steps.as_array().expect("steps");
    let part = |range: std::ops::Range<usize>| {
        let mut part = steps[range].to_vec();
        part.push(json!({ "text": "All done." }));
        Value::Array(part)
    };
    scratch.play("full", &part(0..20), &[]).expect(0, &[]);
    assert_eq!(alarms(&scratch), Vec::<Value>::new());
    scratch.play("full", &part(20..29), &[]).expect(0, &[]);
    let told = alarms(&scratch);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["data"]["window"]["samples"].as_u64() >= Some(13));
}

#[test]
fn alarms_are_switched_off_and_what_does_not_fit_is_said() {
    let scratch = Scratch::new();
    scratch.config("[alarms]\nenabled = false\nwarm_up = 10\n");
    play(&scratch).expect(0, &["All done."]);
    assert_eq!(alarms(&scratch), Vec::<Value>::new());
    for (config, parts) in [
        (
            "enabled = \"no\"",
            ["`alarms.enabled` must be true or false", "config.toml:2"],
        ),
        (
            "errors = \"shout\"",
            ["`shout` is no value of `alarms.errors`", "pause, ask"],
        ),
        (
            "webhook_file = \"here\"",
            ["alarms.webhook_file is here", "absolute"],
        ),
        ("window_steps = 3", ["out of range", "50"]),
    ] {
        scratch.config(&format!("[alarms]\n{config}\n"));
        play(&scratch).expect(2, &parts);
    }
}

#[test]
fn a_project_makes_alarms_stricter_and_never_milder() {
    let scratch = configured("ask");
    let work = |action: &str| {
        let text = format!("[alarms]\nenabled = false\ntokens_per_step = \"{action}\"\n");
        scratch.file(".bowline/config.toml", text);
        play(&scratch).expect(3, &["on hold"]);
        alarms(&scratch).last().expect("an alarm")["data"]["action"].clone()
    };
    assert_eq!(work("note"), "ask");
    assert_eq!(work("pause"), "pause");
}

#[test]
fn an_alarm_is_a_line_as_the_schema_says() {
    let scratch = configured("note");
    let schema = published(&scratch, "stream.schema.json");
    let model = scratch.scenario(&growing());
    let args = [
        "exec",
        "--output",
        "stream-json",
        "--mode",
        "full",
        "--model",
        &model,
        "go",
    ];
    let lines = scratch.run(&args).lines();
    let is_alarm = |line: &&Value| line["type"] == "alarm";
    let told: Vec<_> = lines.iter().filter(is_alarm).collect();
    assert_eq!(told.len(), 1);
    assert!(schema.is_valid(told[0]), "{}", told[0]);
    assert_eq!(told[0]["alarm"], alarms(&scratch)[0]["data"]);
}
