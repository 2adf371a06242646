//! Named endpoints, and the model that is asked when nobody names one.

use std::os::unix::fs::PermissionsExt;

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::json;

use crate::support::{Ran, Scratch, ran, snapshot};

const KEY: &str = "key-of-the-endpoint-0123456789";

fn server() -> ScriptedServer {
    let steps = json!({ "version": 1, "steps": [{ "text": "hello from there", "repeat": 9 }] });
    let options = Options {
        api_key: Some(KEY.to_owned()),
        ..Options::default()
    };
    ScriptedServer::start(Scenario::from_value(steps).expect("valid"), options)
}

fn run(scratch: &Scratch, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = scratch.command(args);
    command.envs(env.iter().copied());
    ran(&command.output().expect("it starts"))
}

#[test]
fn a_named_endpoint_is_asked_with_its_key_from_anywhere() {
    let scratch = Scratch::new();
    let file = scratch.path("key");
    std::fs::write(&file, format!("{KEY}\n")).expect("written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("private");
    let file = file.display().to_string();
    let table = [
        "key_env = \"WORK_KEY\"".to_owned(),
        format!("key_file = \"{file}\""),
        format!("key_command = [\"cat\", \"{file}\"]"),
        format!("key_command = \"cat {file} | tr -d x\""),
    ];
    for key in table {
        let server = server();
        let url = server.base_url();
        scratch.config(&format!(
            "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{url}\"\n{key}\n\
             headers = {{ \"X-Team\" = \"env:TEAM\", \"X-Plain\" = \"a plain value\" }}\n"
        ));
        let env = [("WORK_KEY", KEY), ("TEAM", "the-team-token-42")];
        let asked = run(
            &scratch,
            &["exec", "--model", "work/m-7", "say hello"],
            &env,
        );
        asked.expect(0, &["hello from there"]);
        let request = server.requests().remove(0);
        assert_eq!(request.body["model"], "m-7");
        let header = |name: &str| {
            let found = request.headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(header("x-team"), "the-team-token-42");
        assert_eq!(header("x-plain"), "a plain value");

        // It goes on later by the endpoint's name, found again.
        let again = run(&scratch, &["exec", "--continue", "once more"], &env);
        again.expect(0, &["hello from there"]);
        for text in [&asked.err, &asked.out, &again.err] {
            assert!(!text.contains(KEY), "{text}");
        }
    }
    for (path, content) in snapshot(&scratch.home()) {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains(KEY), "{}", path.display());
        assert!(!text.contains("the-team-token-42"), "{}", path.display());
    }
}

#[test]
fn the_key_of_a_command_is_masked_wherever_it_turns_up() {
    let scratch = Scratch::new();
    let steps = json!({ "version": 1, "steps": [
        { "calls": [{ "tool": "read", "input": { "path": "notes.txt" } }] }, { "text": "ok" }
    ] });
    let server = ScriptedServer::start(
        Scenario::from_value(steps).expect("valid"),
        Options::default(),
    );
    scratch.file("notes.txt", format!("remember {KEY} well\n"));
    scratch.config(&format!(
        "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{}\"\n\
         key_command = [\"echo\", \"{KEY}\"]\n",
        server.base_url()
    ));
    run(&scratch, &["exec", "--model", "work/m", "go"], &[]).expect(0, &["ok"]);
    let result = scratch.results().remove(0);
    assert!(result.contains("remember [secret:known:"), "{result}");
    assert!(!result.contains(KEY), "{result}");
}

#[test]
fn variables_of_endpoints_reach_no_shell_command() {
    let scratch = Scratch::new();
    scratch.config(
        "[[providers]]\nname = \"work\"\napi = \"openai\"\nkey_env = \"PLAINLY_NAMED\"\n\
         headers = { \"X-A\" = \"env:TEAM_NAME\" }\n",
    );
    let steps = json!([
        { "calls": [{ "tool": "shell", "input": { "command": "env | grep -c -e PLAINLY -e TEAM_ -e HARMLESS" } }] },
        { "text": "ok" }
    ]);
    let model = scratch.scenario(&steps);
    let env = [
        ("PLAINLY_NAMED", "a"),
        ("TEAM_NAME", "b"),
        ("HARMLESS", "c"),
    ];
    run(
        &scratch,
        &["exec", "--model", &model, "--mode", "full", "go"],
        &env,
    )
    .expect(0, &[]);
    let result = scratch.results().remove(0);
    assert!(result.starts_with('1'), "only the harmless one: {result}");
}

#[test]
fn an_endpoint_that_cannot_be_used_says_where_and_why() {
    let table: [(&str, &[&str]); 6] = [
        (
            "key_env = \"NO_SUCH_KEY\"",
            &["config.toml:1", "NO_SUCH_KEY is not set"],
        ),
        (
            "key_command = \"echo locked >&2; exit 4\"",
            &["key_command", "locked", "4"],
        ),
        (
            "key_command = [\"true\"]",
            &["the key_command of `work`", "is empty"],
        ),
        (
            "key_file = \"/nonexistent/key\"",
            &["/nonexistent/key", "No such file"],
        ),
        (
            "key_file = \"/dev/zero\"",
            &["/dev/zero", "not a regular file"],
        ),
        (
            "headers = { \"X-A\" = \"env:NO_SUCH\" }",
            &["X-A", "NO_SUCH", "not set"],
        ),
    ];
    for (line, parts) in table {
        let scratch = Scratch::new();
        scratch.config(&format!(
            "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\n{line}\n"
        ));
        run(&scratch, &["exec", "--model", "work/m", "go"], &[]).expect(2, parts);
        assert!(!scratch.home().exists(), "{line}: nothing was begun");
    }
    let scratch = Scratch::new();
    scratch.config("[[providers]]\nname = \"work\"\napi = \"openai-chat\"\n");
    scratch
        .run(&["exec", "--model", "wrok/m", "go"])
        .expect(2, &["unknown provider `wrok`", "configured: work"]);
    scratch
        .run(&[
            "exec",
            "--model",
            "work/m",
            "--base-url",
            "http://127.0.0.1:9/v1",
            "go",
        ])
        .expect(2, &["--base-url does not go with `work`", "config.toml:1"]);
}

#[test]
fn a_readable_key_file_is_warned_about() {
    let scratch = Scratch::new();
    let server = server();
    let file = scratch.path("key");
    std::fs::write(&file, KEY).expect("written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("readable");
    scratch.config(&format!(
        "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{}\"\nkey_file = \"{}\"\n",
        server.base_url(),
        file.display()
    ));
    run(&scratch, &["exec", "--model", "work/m", "go"], &[]).expect(0, &["0644", "chmod 600"]);
}

#[test]
fn listings_run_no_key_command_and_show_no_secret() {
    let scratch = Scratch::new();
    scratch.config(
        "[[providers]]\nname = \"work\"\napi = \"anthropic\"\nkey_command = \"touch it-ran; echo hidden-in-argument\"\n\
         headers = { \"X-Key\" = \"hidden-in-header\" }\n",
    );
    for args in [&["config", "show"][..], &["config", "show", "--json"]] {
        let shown = scratch.run(args);
        shown.expect(0, &["work", "anthropic", "`sh ...`", "X-Key"]);
        assert!(!shown.out.contains("hidden-in"), "{}", shown.out);
    }
    assert!(!scratch.work().join("it-ran").exists());
    // Positive control: a session that asks does run it.
    scratch.run(&["exec", "--model", "work/m", "go"]);
    assert!(scratch.work().join("it-ran").exists());
}

#[test]
fn a_projects_own_endpoint_is_shown_and_not_used() {
    let scratch = Scratch::new();
    scratch.file(
        ".bowline/config.toml",
        "[[providers]]\nname = \"evil\"\napi = \"openai-chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n",
    );
    scratch
        .run(&["config", "show"])
        .expect(0, &["not used", "cannot say where a model is asked"]);
    scratch
        .run(&["exec", "--model", "evil/m", "go"])
        .expect(2, &["unknown provider `evil`"]);
}

#[test]
fn a_session_whose_endpoint_is_gone_says_what_to_define() {
    let scratch = Scratch::new();
    let server = server();
    // What reads like a secret is not recorded: the table is looked up again.
    scratch.config(&format!(
        "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{}\"\nkey_env = \"WORK_KEY\"\n\
         headers = {{ \"X-Team-Token\" = \"a-plain-token\" }}\n",
        server.base_url()
    ));
    let env = [("WORK_KEY", KEY)];
    run(&scratch, &["exec", "--model", "work/m", "go"], &env).expect(0, &[]);
    run(&scratch, &["exec", "--continue", "more"], &env).expect(0, &[]);
    for (path, content) in snapshot(&scratch.home()) {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains("a-plain-token"), "{}", path.display());
    }
    scratch.config("");
    let gone = &["unknown provider `work`", "[[providers]]", "config.toml"];
    run(&scratch, &["exec", "--continue", "more"], &env).expect(2, gone);
}

#[test]
fn a_session_goes_on_with_the_endpoint_that_it_began_with() {
    let scratch = Scratch::new();
    let (server, other) = (server(), server());
    let table = |url: &str| {
        scratch.config(&format!(
            "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{url}\"\nkey_env = \"WORK_KEY\"\n\
             headers = {{ \"X-Team\" = \"blue\" }}\n",
        ));
    };
    table(&server.base_url());
    let env = [("WORK_KEY", KEY)];
    run(&scratch, &["exec", "--model", "work/m", "go"], &env).expect(0, &[]);
    scratch.config("");
    run(&scratch, &["exec", "--continue", "more"], &env).expect(0, &[]);
    assert_eq!(server.requests()[1].header("x-team"), Some("blue"));

    // The files say otherwise: it is told, and taken on only when a person says so.
    table(&other.base_url());
    let told = run(&scratch, &["exec", "--continue", "more"], &env);
    told.expect(0, &["asked as recorded", "--reconfigure"]);
    assert_eq!((server.requests().len(), other.requests().len()), (3, 0));
    run(
        &scratch,
        &["exec", "--continue", "--model", "work/m", "more"],
        &env,
    )
    .expect(0, &[]);
    scratch.config("");
    let quiet = run(&scratch, &["exec", "--continue", "more"], &env);
    assert!(!quiet.err.contains("asked as recorded"), "{}", quiet.err);
    assert_eq!((server.requests().len(), other.requests().len()), (3, 2));
}

#[test]
fn without_a_model_the_first_that_is_there_is_asked_and_said() {
    // An endpoint that names a model comes first.
    let scratch = Scratch::new();
    let server = server();
    scratch.config(&format!(
        "[[providers]]\nname = \"other\"\napi = \"openai-chat\"\n\
         [[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{}\"\nkey_env = \"WORK_KEY\"\nmodel = \"m-3\"\n",
        server.base_url()
    ));
    let env = [
        ("WORK_KEY", KEY),
        ("OPENAI_API_KEY", "never-sent-there-123"),
    ];
    run(&scratch, &["exec", "go"], &env).expect(
        0,
        &["asking work/m-3", "first endpoint", "hello from there"],
    );
    // A flag wins over it.
    let another = self::server();
    scratch.config(&format!(
        "[[providers]]\nname = \"work\"\napi = \"openai-chat\"\nbase_url = \"{}\"\nkey_env = \"WORK_KEY\"\nmodel = \"m-3\"\n",
        another.base_url()
    ));
    let asked = run(&scratch, &["exec", "--model", "work/m-4", "go"], &env);
    asked.expect(0, &[]);
    assert!(!asked.err.contains("asking"), "{}", asked.err);
    assert_eq!(another.requests()[0].body["model"], "m-4");
}

#[test]
fn without_model_and_key_a_local_server_is_found_by_its_list_of_models() {
    let scratch = Scratch::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_port = silent.local_addr().expect("its address").port();
    let (page, _page) = canned("<html>hello</html>");
    let (empty, _empty) = canned("{\"object\":\"list\",\"data\":[{\"id\":\"nomic-embed-text\"}]}");
    let (port, served) = canned(
        "{\"object\":\"list\",\"data\":[{\"id\":\"nomic-embed-text\"},{\"id\":\"qwen/3:8b\"}]}",
    );
    let config = |ports: &[u16]| scratch.config(&format!("local_ports = {ports:?}\n"));
    config(&[silent_port, page, empty, port]);
    // The canned server answers everything with its list: it was found, and cannot chat.
    let asked = scratch.run(&["exec", "go"]);
    asked.expect(
        1,
        &[
            "asking openai-chat/qwen/3:8b",
            &format!("http://127.0.0.1:{port}/v1"),
        ],
    );
    assert!(served.load(std::sync::atomic::Ordering::SeqCst) >= 2);
    let scratch = Scratch::new();
    scratch.config(&format!("local_ports = [{silent_port}, {page}]\n"));
    let none = scratch.run(&["exec", "go"]);
    none.expect(
        2,
        &["ANTHROPIC_API_KEY", "Ollama", "--model", "bowline demo"],
    );
    none.expect(2, &[&silent_port.to_string()]);
    assert!(!scratch.home().exists());
    scratch.config(&format!("local_ports = [{empty}]\n"));
    scratch
        .run(&["exec", "go"])
        .expect(2, &["no model to chat with"]);
    scratch.config("local_ports = []\n");
    scratch
        .run(&["exec", "--base-url", "http://127.0.0.1:9/v1", "go"])
        .expect(2, &["not which model"]);
}

/// A server that answers every request with one body, and how many requests it had.
fn canned(body: &'static str) -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let served = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&served);
    // Bounded: it ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().take(50) {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _some = stream.read(&mut request);
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let length = body.len();
            let _sent = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    (port, served)
}
