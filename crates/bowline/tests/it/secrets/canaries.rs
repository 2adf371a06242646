//! Canaries by every door: none of them, nor an encoding of one, is in any file of the state folder,
//! on standard output or error, or in what was sent. That each did come in is told by its token,
//! which the session's key makes.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use bowline_secrets::{Key, Masker, tokens};
use serde_json::{Value, json};

use crate::support::{Ran, Scratch, ran, snapshot};

/// An invented token, put together here so that no scanner takes this file for a leak.
fn canary(number: u64) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letters = (0..36).map(|_| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[usize::try_from(seed >> 33).expect("it fits") % LETTERS.len()])
    });
    format!("gh{}_{}", "p", letters.collect::<String>())
}

/// A value that reads like no secret.
fn words(number: u64) -> String {
    format!("Quartz zebra, kiwi no. {number} & more")
}

/// What is looked for: the values and their encoded forms.
fn forms(value: &str) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = value.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    vec![
        value.to_owned(),
        hex.to_uppercase(),
        hex,
        percent.collect(),
        base64(value.as_bytes()),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let digit = |six: &[u8]| {
        char::from(
            DIGITS[six
                .iter()
                .fold(0_usize, |all, bit| all << 1 | usize::from(*bit))],
        )
    };
    // The digits that are whole; the last one depends on what follows.
    bits.chunks_exact(6).map(digit).collect()
}

/// Everything that was put in, by door, and everything that came out.
struct Cage {
    scratch: Scratch,
    doors: BTreeMap<&'static str, String>,
    seen: Vec<(String, Vec<u8>)>,
}

impl Cage {
    fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            doors: BTreeMap::new(),
            seen: Vec::new(),
        }
    }

    fn by(&mut self, door: &'static str) -> String {
        let value = canary(self.doors.len() as u64 + 1);
        self.doors.insert(door, value.clone());
        value
    }

    fn word_by(&mut self, door: &'static str) -> String {
        let value = words(self.doors.len() as u64 + 1);
        self.doors.insert(door, value.clone());
        value
    }

    fn run(&mut self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = self.scratch.command(args);
        command.envs(env.iter().copied());
        let output = command.output().expect("the binary starts");
        self.seen
            .push((format!("out of {args:?}"), output.stdout.clone()));
        self.seen
            .push((format!("err of {args:?}"), output.stderr.clone()));
        for (place, bytes) in state(&self.scratch) {
            let is_new = !self
                .seen
                .iter()
                .any(|(known, content)| *known == place && *content == bytes);
            if is_new {
                self.seen.push((place, bytes));
            }
        }
        ran(&output)
    }

    /// Where something of what was put in came out, and how.
    fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let texts = self.seen.iter().map(|(place, bytes)| (place, text(bytes)));
        let texts: Vec<(&String, String)> = texts.collect();
        for (door, value) in &self.doors {
            for form in forms(value) {
                let places = texts.iter().filter(|(_, text)| text.contains(&form));
                leaks.extend(places.map(|(place, _)| format!("{door} as {form} in {place}")));
            }
        }
        leaks
    }
}

fn state(scratch: &Scratch) -> Vec<(String, Vec<u8>)> {
    let files = snapshot(&scratch.home()).into_iter();
    files
        .map(|(path, bytes)| (path.display().to_string(), bytes))
        .collect()
}

/// The ids of the tokens that are in what came out.
fn ids(seen: &[(String, Vec<u8>)]) -> Vec<String> {
    let texts = seen.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes));
    texts
        .flat_map(|text| tokens(&text))
        .filter_map(|token| token.id)
        .collect()
}

fn id_of(scratch: &Scratch, session: &str, value: &str) -> String {
    let key = std::fs::read(
        scratch
            .home()
            .join("sessions")
            .join(session)
            .join("mask-key"),
    )
    .expect("a key");
    let masker =
        Masker::new(vec![value.to_owned()]).keyed(Key::new(key.try_into().expect("32 bytes")));
    tokens(&masker.mask(value).text)[0]
        .id
        .clone()
        .expect("an id")
}

fn read_doors(cage: &mut Cage) -> Vec<Value> {
    let (read, grep, name, folder) = (
        cage.by("read"),
        cage.by("grep"),
        cage.by("glob"),
        cage.by("list"),
    );
    let (near, beside, over) = (
        cage.by("edit error"),
        cage.by("edit diff"),
        cage.by("write diff"),
    );
    let (json, url, encoded) = (
        cage.by("json in json"),
        cage.by("address"),
        cage.by("base64 in a file"),
    );
    let files = [
        ("read.txt".to_owned(), format!("token = {read}\n")),
        ("grep.txt".to_owned(), format!("marker {grep} marker\n")),
        (format!("names/{name}.txt"), "x\n".to_owned()),
        (format!("listed/{folder}/x"), "x\n".to_owned()),
        (
            "near.txt".to_owned(),
            format!("the token of nothing that anybody would ever want to use at all is {near}\n"),
        ),
        (
            "beside.txt".to_owned(),
            format!("a = 1\nb = {beside}\nc = 2\n"),
        ),
        ("over.txt".to_owned(), format!("a = {over}\n")),
        (
            "mcp.json".to_owned(),
            json!({ "content": [{ "type": "text", "text": json!({ "k": json }).to_string() }] })
                .to_string(),
        ),
        (
            "url.txt".to_owned(),
            format!("https://bot:{url}@git.internal/x.git\n"),
        ),
        (
            "coded.txt".to_owned(),
            format!(
                "data: {}\n",
                base64(format!("token={encoded};;").as_bytes())
            ),
        ),
    ];
    for (name, text) in files {
        cage.scratch.file(&name, text);
    }
    let call = |tool: &str, input: Value| json!({ "tool": tool, "input": input });
    let more = ["yaml", "toml", "source", "env file", "table"].map(|door| {
        let value = cage.by(door);
        let text = match door {
            "yaml" => format!("db:\n  token: \"{value}\"\n"),
            "toml" => format!("[db]\ntoken = '{value}'\n"),
            "source" => format!("const T: &str = \"{value}\";\n"),
            "env file" => format!("export TOKEN={value}\r\n"),
            _ => format!("name,token\nbot,{value}\n"),
        };
        cage.scratch.file(door, text);
        call("read", json!({ "path": door }))
    });
    let others = vec![
        call("read", json!({ "path": "read.txt" })),
        call("grep", json!({ "pattern": "marker" })),
        call("glob", json!({ "pattern": "names/*" })),
        call("list", json!({ "path": "listed" })),
        call(
            "edit",
            json!({ "path": "near.txt", "edits": [{ "old": "the token of nothing that anybody would ever want to use at all is none", "new": "" }] }),
        ),
        call(
            "edit",
            json!({ "path": "beside.txt", "edits": [{ "old": "a = 1", "new": "a = 2" }] }),
        ),
        call("write", json!({ "path": "over.txt", "content": "a = 1\n" })),
        call("read", json!({ "path": "mcp.json" })),
        call("read", json!({ "path": "url.txt" })),
        call("read", json!({ "path": "coded.txt" })),
        call("read", json!({ "path": "no/such" })),
    ];
    others.into_iter().chain(more).collect()
}

fn shell_doors(cage: &mut Cage) -> Vec<Value> {
    let shell = |command: &str| json!({ "tool": "shell", "input": { "command": command } });
    let file = |cage: &mut Cage, door: &'static str| {
        let value = cage.by(door);
        cage.scratch.file(door, format!("{value}\n"));
    };
    for door in [
        "stdout",
        "stderr",
        "split",
        "middle",
        "binary",
        "failed",
        "coloured",
        "background",
    ] {
        file(cage, door);
    }
    let background = json!({ "tool": "shell", "input": { "command": "cat background; sleep 15", "background": true } });
    vec![
        shell("cat stdout"),
        shell("cat stderr >&2"),
        shell("v=$(cat split); printf %s \"${v:0:11}\"; printf '' ; printf '%s\\n' \"${v:11}\""),
        shell("seq 30000; cat middle; seq 30000"),
        shell("printf '\\001\\377 '; cat binary; printf '\\000\\n'"),
        shell("ls \"$(cat failed)\""),
        shell("printf '\\033[31m%s\\033[0m\\n' \"$(cat coloured)\""),
        shell("printf '%s\\n' \"$PASSED_TOKEN\" \"$HIDDEN_TOKEN\" \"$BARE_SECRET\"; env"),
        shell(
            "printf %s \"$BARE_SECRET\" | base64 -w0; echo; printf %s \"$BARE_SECRET\" | od -An -tx1 | tr -d ' \\n'",
        ),
        shell("cat named.txt literal.txt"),
        background,
    ]
}

/// What a person gives beside the prompt.
fn image(cage: &mut Cage) {
    let value = cage.by("image text");
    let chunk = |kind: &[u8], data: &[u8]| {
        let length = u32::try_from(data.len()).expect("it fits").to_be_bytes();
        [length.as_slice(), kind, data, &[0; 4]].concat()
    };
    let text = [b"Comment\0".as_slice(), value.as_bytes()].concat();
    let parts = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0; 13]),
        chunk(b"tEXt", &text),
        chunk(b"IEND", b""),
    ];
    cage.scratch.file("image.png", parts.concat());
}

#[test]
fn no_canary_comes_out_by_any_door() {
    let mut cage = Cage::new();
    let (prompt, append, agents) = (
        cage.by("prompt"),
        cage.by("system text"),
        cage.by("AGENTS.md"),
    );
    let (passed, hidden) = (cage.by("passed variable"), cage.by("variable"));
    let (bare, named, literal) = (
        cage.word_by("variable by name"),
        cage.word_by("secrets.env"),
        cage.word_by("secrets.file"),
    );
    cage.scratch.file("AGENTS.md", format!("Use {agents}.\n"));
    cage.scratch.file("named.txt", format!("{named}\n"));
    cage.scratch.file("literal.txt", format!("so {literal}.\n"));
    let list = cage.scratch.path("literals");
    std::fs::write(&list, format!("{literal}\n")).expect("a file");
    cage.scratch.config(&format!(
        "[shell]\nenv_pass = [\"PASSED_TOKEN\", \"BARE_SECRET\"]\n[secrets]\nenv = [\"NAMED\"]\nfile = \"{}\"\n",
        list.display()
    ));
    image(&mut cage);
    let first = read_doors(&mut cage);
    let second = shell_doors(&mut cage);
    let third = json!([{ "tool": "shell_job", "input": { "job": "job-1" } }]);
    let steps =
        json!([{ "calls": first }, { "calls": second }, { "calls": third }, { "text": "done" }]);
    let model = cage.scratch.scenario(&steps);
    let env = [
        ("PASSED_TOKEN", &*passed),
        ("HIDDEN_TOKEN", &hidden),
        ("BARE_SECRET", &bare),
        ("NAMED", &named),
    ];
    let said = format!("Mind {prompt} and go.");
    let args = [
        "exec",
        "--model",
        &model,
        "--mode",
        "full",
        "--system-append",
        &append,
        "--image",
        "image.png",
        "--output",
        "stream-json",
        &said,
    ];
    cage.run(&args, &env).expect(0, &[]);
    let session = cage.scratch.sessions().remove(0);
    letters(&mut cage, &session, &env);
    listings(&mut cage, &session, &env);
    assert_eq!(cage.leaks(), Vec::<String>::new());
    all_came_in(&cage, &session);
    println!(
        "{} canaries, {} places, none found",
        cage.doors.len(),
        cage.seen.len()
    );
    assert!(cage.doors.len() >= 34, "{}", cage.doors.len());
    // What looks for them does find them.
    cage.seen.push((
        "here".to_owned(),
        format!("x{}y", base64(prompt.as_bytes())).into_bytes(),
    ));
    assert_eq!(cage.leaks().len(), 1);
}

/// What shows a session to people.
fn listings(cage: &mut Cage, session: &str, env: &[(&str, &str)]) {
    for listing in [
        &["sessions", "list"][..],
        &["sessions", "list", "--json"],
        &["log"],
        &["why", session],
        &["jobs"],
        &["sessions", "show", session],
        &["sessions", "export", session],
        &["audit", "query"],
        &["config", "show"],
        &["config", "show", "--json"],
        &["inbox"],
        &["events", session],
    ] {
        cage.run(listing, env);
    }
}

/// That they came in: their tokens are there. An image's words are dropped, and a variable that is
/// not passed reaches no command.
fn all_came_in(cage: &Cage, session: &str) {
    let found = ids(&cage.seen);
    let absent = ["image text", "variable", "base64 in a file"];
    for (door, value) in &cage.doors {
        let is_in = found.contains(&id_of(&cage.scratch, session, value));
        assert!(
            is_in || absent.contains(door),
            "nothing came in by the door {door}"
        );
    }
}

/// Words that people leave for a session.
fn letters(cage: &mut Cage, session: &str, env: &[(&str, &str)]) {
    let (sent, signalled) = (cage.by("send"), cage.by("signal"));
    cage.run(&["send", session, &format!("Also {sent}")], env)
        .expect(0, &[]);
    let payload = json!({ "k": signalled }).to_string();
    cage.run(&["signal", session, "ready", "--payload", &payload], env)
        .expect(0, &[]);
}

#[test]
fn no_canary_comes_out_of_what_goes_wrong() {
    let mut cage = Cage::new();
    let (note, panic) = (cage.by("note"), cage.by("panic"));
    let (config, scenario, provider, mode) = (
        cage.by("configuration"),
        cage.by("scenario"),
        cage.by("provider"),
        cage.by("flag"),
    );
    let steps = json!([{ "calls": [{ "tool": "shell", "input": { "command": "touch made" } }] }, { "text": "done" }]);
    let model = cage.scratch.scenario(&steps);
    let waits = cage.run(
        &[
            "exec", "--model", &model, "--mode", "ask", "--output", "json", "go",
        ],
        &[],
    );
    let decision = waits.json()["waiting"][0]["decision_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    cage.run(
        &["approve", &decision, "--note", &format!("use {note}")],
        &[],
    )
    .expect(0, &[]);
    let session = cage.scratch.sessions().remove(0);
    assert!(ids(&cage.seen).contains(&id_of(&cage.scratch, &session, &note)));
    let says = format!(": {panic}");
    let broken = [
        ("BOWLINE_PANIC_AT", "loop.told"),
        ("BOWLINE_PANIC_SAYS", &*says),
    ];
    cage.run(
        &["exec", "--model", &model, "--mode", "full", "go"],
        &broken,
    )
    .expect(1, &["a part of Bowline broke", "[secret:"]);
    cage.run(&["exec", "--model", &model, "--mode", &mode, "go"], &[])
        .expect(2, &["[secret:"]);
    let path = cage.scratch.path("bad.json");
    std::fs::write(&path, format!("{{ \"version\": 1, \"{scenario}\": 1 }}")).expect("a file");
    let bad = format!("scripted/{}", path.display());
    cage.run(&["exec", "--model", &bad, "go"], &[])
        .expect(2, &["[secret:"]);
    let base_url = refusing(format!(
        "{{\"error\":{{\"message\":\"bad key {provider}\"}}}}"
    ));
    let args = [
        "exec",
        "--model",
        "openai-chat/x",
        "--base-url",
        &base_url,
        "go",
    ];
    cage.run(
        &args,
        &[("OPENAI_API_KEY", "key-of-this-process-0123456789")],
    )
    .expect(1, &["[secret:"]);
    cage.scratch.config(&format!("mode = \"{config}\"\n"));
    cage.run(&["exec", "go"], &[]).expect(2, &["[secret:"]);
    assert_eq!(cage.leaks(), Vec::<String>::new());
}

/// The address of a server that refuses one request with this body.
fn refusing(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let mut stream = stream.expect("a caller");
            let mut request = [0; 65_536];
            let _some = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _sent = stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice());
        }
    });
    format!("http://{address}/v1")
}
