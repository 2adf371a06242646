//! Twenty sessions that go round in circles and twenty that only look like it, through the whole
//! program: all of the first are stopped, none of the others is disturbed.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

const SCRIPTS: &str = include_str!("../../../../fixtures/loops/scripts.json");

/// A script of `fixtures/loops`; its README says what the fields mean.
struct Script(Value);

/// What a session came to.
struct Played {
    stop: String,
    noticed: usize,
    replies: usize,
}

impl Script {
    /// The twenty that loop, or the twenty that do not.
    fn all(that_loop: bool) -> Vec<Self> {
        let scripts: Vec<Value> = serde_json::from_str(SCRIPTS).expect("the scripts");
        let scripts = scripts.into_iter().map(Self);
        let chosen: Vec<Self> = scripts
            .filter(|script| script.0["loops"] == that_loop)
            .collect();
        assert_eq!(chosen.len(), 20);
        chosen
    }

    fn name(&self) -> &str {
        self.0["name"].as_str().expect("a name")
    }

    fn part(&self, name: &str) -> &[Value] {
        self.0[name].as_array().map_or(&[], Vec::as_slice)
    }

    fn steps(&self) -> Value {
        let mut steps = self.part("begin").to_vec();
        for round in 1..=self.0["times"].as_u64().expect("a count") {
            steps.extend(self.part("cycle").iter().map(|step| filled(step, round)));
        }
        steps.extend_from_slice(self.part("end"));
        steps.push(json!({ "text": "done" }));
        Value::Array(steps)
    }

    fn lay_out(&self, scratch: &Scratch) {
        for (name, content) in self.0["files"].as_object().into_iter().flatten() {
            scratch.file(name, content.as_str().expect("a text"));
        }
        let setup = self.0["setup"].as_str().unwrap_or_default();
        let made = Command::new("bash")
            .args(["-c", setup])
            .current_dir(scratch.work())
            .status();
        assert!(made.expect("bash").success(), "{}", self.name());
    }

    fn play(&self, config: &str) -> Played {
        let scratch = Scratch::new();
        let own = self.0["config"].as_str().unwrap_or_default();
        scratch.config(&format!("{config}\n{own}"));
        self.lay_out(&scratch);
        let ran = scratch.play("full", &self.steps(), &[]);
        let events = scratch.events();
        let stop = ran.json()["stop_reason"]
            .as_str()
            .expect(&ran.out)
            .to_owned();
        Played {
            stop,
            noticed: of_kind(&events, "LoopNoticed").len(),
            replies: events
                .iter()
                .filter(|line| line["event"]["kind"] == "ModelReplied")
                .count(),
        }
    }
}

/// The step of a round: `{n}` is the round, `{m}` the one before.
fn filled(step: &Value, round: u64) -> Value {
    let text = step.to_string();
    let text = text.replace("\"{n}0\"", &format!("{round}0"));
    let text = text.replace("{n}", &round.to_string());
    let text = text.replace("{m}", &(round - 1).to_string());
    serde_json::from_str(&text).expect("a step")
}

#[test]
fn twenty_loops_are_told_of_and_stopped() {
    for script in Script::all(true) {
        let played = script.play("");
        println!(
            "{:24} stopped after {} replies",
            script.name(),
            played.replies
        );
        let why = &script.0["why"];
        assert_eq!(played.stop, "loop_detected", "{}: {why}", script.name());
        assert_eq!(played.noticed, 1, "{} is told once", script.name());
    }
}

#[test]
fn twenty_honest_sessions_are_not_disturbed() {
    for script in Script::all(false) {
        let played = script.play("");
        let (name, why) = (script.name(), &script.0["why"]);
        println!("{name:24} {} replies", played.replies);
        assert_eq!(played.stop, "done", "{name}: {why}");
        let told = usize::from(script.0["nudged"] == true);
        assert_eq!(
            played.noticed, told,
            "{name} is told only where that is right"
        );
    }
}

/// The control: without the guard a loop goes on to its end; with one that only tells, too.
#[test]
fn without_the_guard_a_loop_goes_on() {
    let loops = Script::all(true);
    for (config, told) in [("loops = \"off\"", 0), ("loops = \"nudge\"", 1)] {
        let played = loops[0].play(config);
        assert_eq!(
            (played.stop.as_str(), played.noticed),
            ("done", told),
            "{config}"
        );
    }
}
