//! What a person meets who points Bowline at the wrong place: each says what to do next.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::json;

use crate::support::{Ran, Scratch, ran};

/// Provider, its key's variable, what its base URL ends in.
const DIALECTS: [(&str, &str, &str); 3] = [
    ("openai-chat", "OPENAI_API_KEY", "/v1"),
    ("openai", "OPENAI_API_KEY", "/v1"),
    ("anthropic", "ANTHROPIC_API_KEY", ""),
];

/// A server that gives every request one answer; ends with the test's process.
fn canned(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().take(50) {
            let Ok(mut stream) = stream else { return };
            let mut request = vec![0; 1 << 16];
            let _some = stream.read(&mut request);
            let length = body.len();
            let _sent = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

fn ask(scratch: &Scratch, provider: &str, url: &str, key: Option<(&str, &str)>) -> Ran {
    let model = format!("{provider}/no-such-model");
    let mut command = scratch.command(&["exec", "--model", &model, "--base-url", url, "go"]);
    command.envs(key);
    ran(&command.output().expect("it starts"))
}

#[test]
fn a_wrong_key_names_its_variable_in_every_dialect() {
    for (provider, variable, ending) in DIALECTS {
        let scratch = Scratch::new();
        let steps = json!({ "version": 1, "steps": [{ "text": "x" }] });
        let options = Options {
            api_key: Some("the-right-key-123456".to_owned()),
            ..Options::default()
        };
        let server = ScriptedServer::start(Scenario::from_value(steps).expect("valid"), options);
        let url = format!("{}{ending}", server.root_url());
        let wrong = Some((variable, "the-wrong-key-654321"));
        let asked = ask(&scratch, provider, &url, wrong);
        asked.expect(1, &["401", &format!("check {variable}")]);
        assert!(!asked.err.contains("the-wrong-key"), "{}", asked.err);
        ask(&scratch, provider, &url, None).expect(1, &[&format!("set {variable}")]);
    }
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let body = r#"{"error":{"message":"The model `no-such-model` does not exist","code":"model_not_found"}}"#;
    for (provider, _, ending) in DIALECTS {
        let scratch = Scratch::new();
        let url = format!("{}{ending}", canned("404 Not Found", body));
        ask(&scratch, provider, &url, None)
            .expect(1, &["does not know the model `no-such-model`", "--model"]);
    }
}

#[test]
fn a_server_of_another_kind_is_told_from_a_wrong_model() {
    let page = "<!doctype html><html><title>Hello</title></html>";
    for (provider, _, ending) in DIALECTS {
        let scratch = Scratch::new();
        let url = format!("{}{ending}", canned("200 OK", page));
        ask(&scratch, provider, &url, None).expect(
            1,
            &["base URL", "compatible server", "--model names its dialect"],
        );
        let url = format!("{}{ending}", canned("404 Not Found", page));
        ask(&scratch, provider, &url, None).expect(1, &["web page", "check the base URL"]);
        let url = format!(
            "{}{ending}",
            canned("404 Not Found", "{\"detail\":\"Not Found\"}")
        );
        ask(&scratch, provider, &url, None).expect(1, &["another dialect", "asked as"]);
    }
}
