//! What rules keep to local models: over random rules, models and histories no request to another
//! model holds a byte of it. `0.0.0.0` leads to the test's own server and is not local.

mod random;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Ran, Scratch};

const CANARY: &str = "canary-6b1f90";
const RULES: &str = "[[rule]]\ndeny = \"send(src/secret/**)\"\nreason = \"stays here\"\n\
                     denies = [\"read src/secret/key\"]\nallows = [\"read src/main.rs\"]\n";

struct World {
    scratch: Scratch,
    server: ScriptedServer,
}

fn serve(steps: Value) -> ScriptedServer {
    let scenario = json!({ "version": 1, "steps": steps });
    let scenario = Scenario::from_value(scenario).expect("a scenario");
    let options = Options {
        strict: false,
        ..Options::default()
    };
    ScriptedServer::start(scenario, options)
}

impl World {
    fn new(is_ruled: bool, steps: Value) -> Self {
        let scratch = Scratch::new();
        scratch.file("src/secret/key", format!("{CANARY}\n"));
        scratch.file("src/main.rs", "fn main() {}\n");
        if is_ruled {
            scratch.rules(RULES);
        }
        Self {
            scratch,
            server: serve(steps),
        }
    }

    fn url(&self, is_local: bool) -> String {
        let port = self.server.address().port();
        let host = if is_local { "127.0.0.1" } else { "0.0.0.0" };
        format!("http://{host}:{port}/v1")
    }

    fn exec(&self, is_local: bool, more: &[&str]) -> Ran {
        let url = self.url(is_local);
        let mut args = vec!["exec", "--model", "openai-chat/m", "--base-url", &url];
        args.extend(["--mode", "full", "--output", "json"]);
        args.extend(more);
        self.scratch.run(&args)
    }

    fn sent(&self) -> String {
        let all = self
            .server
            .requests()
            .into_iter()
            .chain(self.server.counts());
        all.map(|one| String::from_utf8_lossy(&one.raw).into_owned())
            .collect()
    }
}

fn read_secret() -> Value {
    json!([
        { "calls": [{ "tool": "read", "input": { "path": "src/secret/key" } }] },
        { "text": "read it" }, { "text": "more" }, { "text": "more" },
    ])
}

#[test]
fn a_read_is_refused_with_the_rule_and_its_line() {
    let world = World::new(true, read_secret());
    let ran = world.exec(false, &["go"]);
    ran.expect(0, &[]);
    let sent = world.sent();
    assert!(!sent.contains(CANARY));
    assert!(sent.contains("send(src/secret/**)"), "{sent}");
    assert!(sent.contains("rules.toml:2"), "{sent}");
    // To a local model it goes, and without the rule to any.
    for (is_ruled, is_local) in [(true, true), (false, false)] {
        let world = World::new(is_ruled, read_secret());
        world.exec(is_local, &["go"]);
        assert!(world.sent().contains(CANARY), "{is_ruled} {is_local}");
    }
}

#[test]
fn another_model_is_not_chosen_for_a_session_that_holds_it() {
    let world = World::new(true, read_secret());
    assert_eq!(world.exec(true, &["go"]).code, 0);
    let before = world.server.requests().len();
    let ran = world.exec(false, &["--continue", "go on"]);
    ran.expect(2, &[]);
    for what in [
        "send(src/secret/**)",
        "rules.toml:2",
        "src/secret/key",
        "0.0.0.0",
    ] {
        assert!(ran.err.contains(what), "{what}: {}", ran.err);
    }
    assert_eq!(world.server.requests().len(), before, "nothing was asked");
    // It goes on where it was.
    assert_eq!(world.exec(true, &["--continue", "go on"]).code, 0);
    // One that holds nothing may be switched.
    let world = World::new(true, json!([{ "text": "a" }, { "text": "b" }]));
    assert_eq!(world.exec(true, &["go"]).code, 0);
    assert_eq!(world.exec(false, &["--continue", "go on"]).code, 0);
}

#[test]
fn a_rule_that_came_later_holds_the_next_request() {
    let world = World::new(false, read_secret());
    assert_eq!(world.exec(true, &["go"]).code, 0);
    world.scratch.rules(RULES);
    let ran = world.exec(false, &["--continue", "go on"]);
    ran.expect(2, &[]);
    assert!(ran.err.contains("send(src/secret/**)"), "{}", ran.err);
}

#[test]
fn instructions_and_images_under_such_a_path_stay() {
    let world = World::new(false, json!([{ "text": "a" }, { "text": "b" }]));
    world.scratch.file("AGENTS.md", CANARY);
    world.scratch.file("shot.png", crate::images::PNG);
    let rules = "[[rule]]\ndeny = [\"send(AGENTS.md)\", \"send(*.png)\"]\n";
    world.scratch.rules(rules);
    let ran = world.exec(false, &["go"]);
    ran.expect(0, &[]);
    assert!(ran.err.contains("send(AGENTS.md)"), "{}", ran.err);
    assert!(!world.sent().contains(CANARY));
    let ran = world.exec(false, &["--image", "shot.png", "look"]);
    ran.expect(2, &[]);
    assert!(ran.err.contains("send(*.png)"), "{}", ran.err);
    let ran = world.exec(true, &["--image", "shot.png", "look"]);
    ran.expect(0, &[]);
    assert!(world.sent().contains(CANARY));
    assert_eq!(world.exec(false, &["--continue", "go on"]).code, 2);
}
