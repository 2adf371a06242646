//! Twenty sessions that go round in circles and twenty that only look like it, through the whole
//! program: all of the first are stopped, none of the others is disturbed.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

const SCRIPTS: &str = include_str!("../../../../fixtures/loops/scripts.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    name: String,
    loops: bool,
    why: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    setup: String,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    begin: Vec<Value>,
    cycle: Vec<Value>,
    times: u32,
    #[serde(default)]
    end: Vec<Value>,
    #[serde(default)]
    nudged: bool,
}

/// What a session came to.
struct Played {
    stop: String,
    noticed: usize,
    calls: usize,
}

impl Script {
    fn all() -> Vec<Self> {
        serde_json::from_str(SCRIPTS).expect("the scripts")
    }

    fn steps(&self) -> Value {
        let mut steps = self.begin.clone();
        for round in 1..=self.times {
            steps.extend(self.cycle.iter().map(|step| filled(step, round)));
        }
        steps.extend(self.end.clone());
        steps.push(json!({ "text": "done" }));
        Value::Array(steps)
    }

    fn play(&self, config: &str) -> Played {
        let scratch = Scratch::new();
        scratch.config(config);
        for (name, content) in &self.files {
            scratch.file(name, content);
        }
        let made = Command::new("bash")
            .args(["-c", &self.setup])
            .current_dir(scratch.work())
            .status();
        assert!(made.expect("bash").success(), "{}", self.name);
        let deny = self.deny.iter().flat_map(|rule| ["--deny", rule]);
        let more: Vec<&str> = deny.collect();
        let ran = scratch.play("full", &self.steps(), &more);
        let events = scratch.events();
        let stop = ran.json()["stop_reason"].as_str().expect(&ran.out).to_owned();
        for stop in of_kind(&events, "TurnEnded") {
            println!("{:24} {}", self.name, stop["detail"]);
        }
        Played {
            stop,
            noticed: of_kind(&events, "LoopNoticed").len(),
            calls: events
                .iter()
                .filter(|line| line["event"]["kind"] == "ModelReplied")
                .count(),
        }
    }
}

/// The step of a round: `{n}` is the round, `{m}` the one before.
fn filled(step: &Value, round: u32) -> Value {
    let text = step.to_string();
    let text = text.replace("\"{n}0\"", &format!("{round}0"));
    let text = text.replace("{n}", &round.to_string());
    let text = text.replace("{m}", &(round - 1).to_string());
    serde_json::from_str(&text).expect("a step")
}

#[test]
fn twenty_loops_are_told_of_and_stopped() {
    let scripts: Vec<Script> = Script::all().into_iter().filter(|one| one.loops).collect();
    assert_eq!(scripts.len(), 20);
    for script in scripts {
        let played = script.play("");
        println!("{:24} {} replies", script.name, played.calls);
        assert_eq!(played.stop, "loop_detected", "{}: {}", script.name, script.why);
        assert!((1..=2).contains(&played.noticed), "{}: told {} times", script.name, played.noticed);
    }
}

#[test]
fn twenty_honest_sessions_are_not_disturbed() {
    let scripts: Vec<Script> = Script::all().into_iter().filter(|one| !one.loops).collect();
    assert_eq!(scripts.len(), 20);
    for script in scripts {
        let played = script.play("");
        assert_eq!(played.stop, "done", "{}: {}", script.name, script.why);
        assert_eq!(played.noticed, usize::from(script.nudged), "{}", script.name);
    }
}
