//! Who makes the call of a record: the binary, or a naive tool that checks a text and then opens.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::ground::{Ground, text};
use super::within::Within;

/// What `write` and `edit` leave.
pub(super) const WRITTEN: &str = "written by the call\n";

/// Longest time for one call.
const LONGEST_SECONDS: &str = "30";

#[derive(Clone, Copy)]
pub(super) enum Actor<'w> {
    /// `bowline tools call` in the mode of the record.
    Bowline,
    /// The same in mode `auto`: what changes a name runs in a sandbox.
    Confined,
    /// The same tools in this process.
    Within(&'w Within),
    /// Looks at the text, then opens.
    Naive,
}

/// How a call ended and everything it told.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) done: bool,
    pub(super) asked: bool,
    pub(super) hung: bool,
    pub(super) told: String,
}

impl Actor<'_> {
    pub(super) fn act(self, ground: &Ground, record: &Value) -> Answer {
        self.act_with(ground, record, &input(ground, record))
    }

    pub(super) fn act_with(self, ground: &Ground, record: &Value, input: &Value) -> Answer {
        match self {
            Self::Bowline => call(ground, record, mode(record), input),
            Self::Confined => call(ground, record, "auto", input),
            Self::Within(within) => within.call(tool(record), input.clone()),
            Self::Naive => naive(ground, record),
        }
    }
}

/// The session mode of a record's mode.
pub(super) fn mode(record: &Value) -> &'static str {
    match text(&record["policy"]["mode"]) {
        "workspace-write" => "edit",
        "auto" => "auto",
        // `rules-only` has no session mode; this one asks for all that the records do.
        _ => "ask",
    }
}

/// The path that the operating system would open.
pub(super) fn target(ground: &Ground, record: &Value) -> PathBuf {
    cwd(ground, record).join(ground.fill(text(&record["path"])))
}

fn cwd(ground: &Ground, record: &Value) -> PathBuf {
    ground.fill(text(&record["cwd"])).into()
}

/// What the record's tool is called with.
pub(super) fn input(ground: &Ground, record: &Value) -> Value {
    let path = ground.fill(text(&record["path"]));
    let pair = || path.split_once(" -> ").expect("two paths");
    match text(&record["op"]) {
        "read" | "list" => json!({ "path": path }),
        "write" => json!({ "path": path, "content": WRITTEN }),
        "edit" => {
            let at = target(ground, record);
            let is_file = std::fs::metadata(&at).is_ok_and(|meta| meta.is_file());
            let old = if is_file {
                std::fs::read_to_string(&at)
            } else {
                Ok("x".into())
            };
            json!({ "path": path, "edits": [{"old": old.expect("a content"), "new": WRITTEN}] })
        }
        "delete" => json!({ "command": format!("rm -rf -- {}", quoted(&path)) }),
        "rename" => {
            let (from, to) = pair();
            json!({ "command": format!("mv -T -- {} {}", quoted(from), quoted(to)) })
        }
        "create-symlink" => {
            let (name, target) = pair();
            json!({ "command": format!("ln -sT -- {} {}", quoted(target), quoted(name)) })
        }
        other => panic!("an unknown operation: {other}"),
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn tool(record: &Value) -> &str {
    match text(&record["op"]) {
        "delete" | "rename" | "create-symlink" => "shell",
        tool => tool,
    }
}

fn call(ground: &Ground, record: &Value, mode: &str, input: &Value) -> Answer {
    let cwd = cwd(ground, record);
    let mut command = Command::new("timeout");
    command
        .args([
            "--signal=KILL",
            LONGEST_SECONDS,
            env!("CARGO_BIN_EXE_bowline"),
        ])
        .args(["tools", "call", tool(record), "--mode", mode])
        .args(["--input", &input.to_string()]);
    if cwd != ground.workspace() {
        command.arg("--add-dir").arg(ground.workspace());
    }
    for rule in record["policy"]["deny"].as_array().into_iter().flatten() {
        command.arg("--deny").arg(ground.fill(text(rule)));
    }
    command
        .current_dir(cwd)
        .env("HOME", ground.at("home"))
        .env("BOWLINE_HOME", ground.at("state"))
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::null());
    let output = command.output().expect("the binary starts");
    let code = output.status.code();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Answer {
        done: code == Some(0),
        asked: code == Some(3),
        hung: matches!(code, None | Some(124 | 137)),
        told: format!("{code:?} {}{}", text(&output.stdout), text(&output.stderr)),
    }
}

/// The tool that everybody writes first.
fn naive(ground: &Ground, record: &Value) -> Answer {
    let path = target(ground, record);
    let told = match text(&record["op"]) {
        "read" => checked(ground, &path).and_then(std::fs::read),
        "list" => checked(ground, &path)
            .and_then(std::fs::read_dir)
            .map(|all| format!("{:?}", all.collect::<Vec<_>>()).into_bytes()),
        _ => checked(ground, &path).and_then(|path| {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(path, WRITTEN).map(|()| Vec::new())
        }),
    };
    Answer {
        done: told.is_ok(),
        told: String::from_utf8_lossy(&told.unwrap_or_default()).into_owned(),
        ..Answer::default()
    }
}

/// Looks at a path as text, without dots, and says that it is fine.
fn checked<'a>(ground: &Ground, path: &'a Path) -> std::io::Result<&'a Path> {
    let inside = path.starts_with(ground.workspace());
    inside
        .then_some(path)
        .ok_or_else(|| std::io::ErrorKind::PermissionDenied.into())
}
