//! A scratch home and workspace for one test, and the binary run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A scratch folder with a state folder, a configuration folder and a workspace.
pub(crate) struct Scratch {
    root: tempfile::TempDir,
}

/// What one run printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The whole output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    /// The output as one JSON value a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    }

    /// Fails unless the run ended with `code` and its message holds every one of `parts`.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        for part in parts {
            assert!(
                self.err.contains(part) || self.out.contains(part),
                "`{part}` is missing\nout: {}\nerr: {}",
                self.out,
                self.err
            );
        }
        self
    }
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// A scratch folder in a given one: a sandbox replaces the usual folder for temporary files.
    pub(crate) fn within(folder: &Path) -> Self {
        let root = tempfile::tempdir_in(folder).expect("a scratch folder");
        for folder in ["work", "config/bowline"] {
            std::fs::create_dir_all(root.path().join(folder)).expect("a folder in it");
        }
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The workspace.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// The state folder; it does not exist until something is run.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Writes a file of the workspace.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        std::fs::write(&path, content).expect("the file");
        path
    }

    /// Writes the user's configuration file.
    pub(crate) fn config(&self, text: &str) {
        std::fs::write(self.path("config/bowline/config.toml"), text).expect("the file");
    }

    /// Writes the user's file of rules.
    pub(crate) fn rules(&self, text: &str) {
        std::fs::write(self.path("config/bowline/rules.toml"), text).expect("the file");
    }

    /// Writes a scenario and gives the `--model` that plays it.
    pub(crate) fn scenario(&self, steps: &Value) -> String {
        let path = self.path("scenario.json");
        let scenario = serde_json::json!({ "version": 1, "steps": steps });
        std::fs::write(&path, scenario.to_string()).expect("the scenario");
        format!("scripted/{}", path.display())
    }

    /// The binary, in the workspace, with the scratch folders as its homes.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
        command
            .args(args)
            .current_dir(self.work())
            .env("BOWLINE_HOME", self.home())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("HOME", self.path("user"))
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&self.command(args).output().expect("the binary starts"))
    }

    /// Plays scenario steps as `exec --output json` in `mode`.
    pub(crate) fn play(&self, mode: &str, steps: &Value, more: &[&str]) -> Ran {
        let model = self.scenario(steps);
        let mut args = vec![
            "exec", "--model", &model, "--mode", mode, "--output", "json",
        ];
        args.extend(more);
        args.push("do it");
        self.run(&args)
    }

    /// The sessions there are, by folder name.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.home().join("sessions")) else {
            return Vec::new();
        };
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into()
            })
            .collect()
    }

    /// The verified events of the only session; fails when its journal does not verify.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        let sessions = self.sessions();
        assert_eq!(sessions.len(), 1, "one session, got {sessions:?}");
        let ran = self.run(&["events", &sessions[0], "--json"]);
        ran.expect(0, &[]);
        ran.lines()
    }

    /// The model-facing text of every tool result, in order.
    #[track_caller]
    pub(crate) fn results(&self) -> Vec<String> {
        let sessions = self.sessions();
        let shown = self
            .run(&["sessions", "show", &sessions[0], "--json"])
            .json();
        let history = shown["history"].as_array().expect("a history").clone();
        history
            .iter()
            .filter_map(|item| item["results"].as_array())
            .flatten()
            .map(|result| {
                result["content"]["text"]
                    .as_str()
                    .expect("a text")
                    .to_owned()
            })
            .collect()
    }
}

/// The events of one kind.
pub(crate) fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .map(|line| &line["event"])
        .filter(|event| event["kind"] == kind)
        .collect()
}

pub(crate) fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Every file below a folder with its content, for "nothing changed".
pub(crate) fn snapshot(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let meta = std::fs::symlink_metadata(&path).expect("its metadata");
            if meta.is_dir() {
                files.insert(path.clone(), Vec::new());
                folders.push(path);
            } else if meta.is_file() {
                let content = std::fs::read(&path).expect("its content");
                files.insert(path, content);
            } else {
                files.insert(path, b"(special)".to_vec());
            }
        }
    }
    files
}
