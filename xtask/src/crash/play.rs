//! Runs the binary in a scratch folder of its own, freely or followed, to its end or to a point.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::act::Act;
use super::point::{Edge, Namer, Point};
use super::scenario::{CONFIG, scenario};
use super::trace::{Next, Stop, Whom, follow};

/// A scratch folder with a state folder, a workspace and the scenarios; removed when dropped.
pub(super) struct Arena {
    binary: PathBuf,
    root: PathBuf,
    runs: u32,
    boots: u32,
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was killed.
    Killed,
    /// It ended by itself.
    Exited { code: Option<i32>, said: String },
}

/// One run of the binary.
#[derive(Debug)]
pub(super) struct Run {
    /// How it ended.
    pub(super) ended: Ended,
    /// What it told, line by line.
    pub(super) told: Vec<Value>,
}

impl Run {
    pub(super) fn new(ended: Ended, told: &str) -> Self {
        // A line cut by the kill was not told.
        let lines = told
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let told = lines.filter_map(|line| serde_json::from_str(line).ok());
        Self {
            ended,
            told: told.collect(),
        }
    }

    /// The session it named.
    pub(super) fn session(&self) -> Option<String> {
        let line = self.told.iter().find(|line| line["type"] == "session")?;
        Some(line["session_id"].as_str()?.to_owned())
    }

    /// What others must do before `session` goes on, as it said.
    pub(super) fn awaited(&self, session: &str) -> Vec<Task> {
        let result = self.told.iter().find(|line| line["type"] == "result");
        let each = |list: &str, key: &str| {
            let items = result.and_then(|line| line[list].as_array());
            let texts = items
                .into_iter()
                .flatten()
                .filter_map(|item| item[key].as_str());
            texts.map(str::to_owned).collect::<Vec<_>>()
        };
        let decisions = each("waiting", "decision_id")
            .into_iter()
            .map(Task::Approve);
        let parties = each("parties", "name").into_iter();
        let signals = parties.map(|party| Task::Signal(session.to_owned(), party));
        decisions.chain(signals).collect()
    }

    pub(super) fn code(&self) -> Option<i32> {
        match self.ended {
            Ended::Killed => None,
            Ended::Exited { code, .. } => code,
        }
    }
}

/// The words after the binary's name, by what a process is for.
#[derive(Clone, Debug)]
pub(super) enum Task {
    Begin,
    Resume(String),
    Approve(String),
    Signal(String, String),
}

impl Task {
    /// Its name in a point.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Resume(_) => "resume",
            Self::Approve(_) => "approve",
            Self::Signal(..) => "signal",
        }
    }
}

impl Arena {
    /// An empty arena whose place in the file system is `slot` of this process's.
    pub(super) fn new(binary: &Path, slot: usize, pace_ms: u64) -> Result<Self> {
        let name = format!("bowline-crash-{}-{slot}", std::process::id());
        let root = std::env::temp_dir().canonicalize()?.join(name);
        if root.exists() {
            std::fs::remove_dir_all(&root).context("cannot empty a scratch folder")?;
        }
        std::fs::create_dir_all(root.join("work")).context("cannot make a scratch folder")?;
        std::fs::create_dir_all(root.join("config").join("bowline"))?;
        std::fs::write(
            root.join("config").join("bowline").join("config.toml"),
            CONFIG,
        )?;
        let text = scenario(pace_ms).to_string();
        // The same script under two names: going on with the second one is another model.
        std::fs::write(root.join("first.json"), &text)?;
        std::fs::write(root.join("second.json"), &text)?;
        Ok(Self {
            binary: binary.to_owned(),
            root,
            runs: 0,
            boots: 0,
        })
    }

    /// Its folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The workspace.
    pub(super) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// The state folder.
    pub(super) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// From now on the machine has started anew.
    pub(super) fn boot_again(&mut self) {
        self.boots += 1;
    }

    /// The command for `task`. Each process of an arena draws other ids, the same in every arena.
    pub(super) fn command(&mut self, task: &Task) -> Command {
        self.runs += 1;
        let mut command = self.bowline();
        command.env("BOWLINE_REPRODUCIBLE", format!("crash {}", self.runs));
        command.env("BOWLINE_BOOT", format!("boot {}", self.boots));
        let model = |name: &str| format!("scripted/{}", self.root.join(name).display());
        match task {
            Task::Begin => command
                .args(["exec", "--output", "stream-json", "--mode", "full"])
                .args(["--max-tokens", "1000000", "--model"])
                .args([&model("first.json"), "do it"]),
            Task::Resume(session) => command
                .args(["exec", "--output", "stream-json", "--resume", session])
                .args(["--model", &model("second.json")]),
            Task::Approve(decision) => command.args(["approve", decision]),
            Task::Signal(session, party) => command.args(["signal", session, party]),
        };
        command
    }

    fn bowline(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(self.work())
            .env("BOWLINE_HOME", self.state())
            .env("XDG_CONFIG_HOME", self.root.join("config"))
            .stdin(Stdio::null());
        command
    }

    /// Runs a task freely, to its end.
    pub(super) fn run(&mut self, task: &Task) -> Result<Run> {
        let mut command = self.command(task);
        let output = command
            .output()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let ended = Ended::Exited {
            code: output.status.code(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        Ok(Run::new(ended, &String::from_utf8_lossy(&output.stdout)))
    }

    /// Runs a task and shows `at` every point it passes; it is killed where `at` says so.
    pub(super) fn run_followed(
        &mut self,
        task: &Task,
        mut at: impl FnMut(Point, &Stop) -> Next,
    ) -> Result<Run> {
        let command = self.command(task);
        let mut namer = Namer::default();
        let root = self.root.clone();
        let mut watch = |stop: &Stop| {
            let edge = if stop.result.is_none() {
                Edge::Before
            } else {
                Edge::After
            };
            let point = Act::of(stop).and_then(|act| namer.point(&root, &act, edge));
            Ok(point.map_or(Next::GoOn, |point| at(point, stop)))
        };
        let followed = follow(&command, Whom::Program, &mut watch)?;
        let ended = match followed.code {
            Some(code) => Ended::Exited {
                code: Some(code),
                said: followed.said,
            },
            None => Ended::Killed,
        };
        Ok(Run::new(ended, &followed.told))
    }

    /// Brings the session to its end, whoever has to be asked on the way; the runs it took.
    pub(super) fn finish(&mut self, session: &str) -> Result<Vec<Run>> {
        /// More than any session needs that goes on at all.
        const RUNS_MAX: usize = 8;
        let mut runs = Vec::new();
        while runs.len() < RUNS_MAX {
            let run = self.run(&Task::Resume(session.to_owned()))?;
            let awaited = run.awaited(session);
            runs.push(run);
            if awaited.is_empty() {
                break;
            }
            for task in awaited {
                runs.push(self.run(&task)?);
            }
        }
        Ok(runs)
    }

    /// The output lines of `bowline events ID --json`, which verifies the whole chain.
    pub(super) fn events(&self, session: &str) -> Result<Vec<Value>> {
        let text = self.ask(&["events", session, "--json"])?;
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// The calls that `bowline sessions show ID --json` says are in doubt.
    pub(super) fn in_doubt(&self, session: &str) -> Result<Vec<String>> {
        let text = self.ask(&["sessions", "show", session, "--json"])?;
        let shown: Value = serde_json::from_str(&text)?;
        let calls = shown["in_doubt"].as_array().into_iter().flatten();
        Ok(calls
            .filter_map(|call| call.as_str().or_else(|| call["call"].as_str()))
            .map(str::to_owned)
            .collect())
    }

    /// What the binary prints for a question that changes nothing.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output = self.bowline().args(arguments).output()?;
        if !output.status.success() {
            bail!(
                "`bowline {}` says: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The keepers of this arena that live, each with the call whose command it keeps.
    pub(super) fn keepers(&self) -> Vec<(Pid, String)> {
        let spool_of = |words: &str| {
            let mut words = words.split('\0').skip(1);
            let folder = words
                .next()
                .filter(|word| *word == "keeper")
                .and(words.next())?;
            let folder = Path::new(folder);
            let attempt = folder.file_name()?.to_str()?;
            let call = attempt.split('.').next()?.to_owned();
            folder.starts_with(&self.root).then_some(call)
        };
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let found = processes.filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let words = std::fs::read(process.path().join("cmdline")).ok()?;
            let call = spool_of(&String::from_utf8_lossy(&words))?;
            Some((Pid::from_raw(pid), call))
        });
        found.collect()
    }

    /// Every session of the state folder whose journal holds anything.
    pub(super) fn sessions(&self) -> Vec<String> {
        let Ok(folders) = std::fs::read_dir(self.state().join("sessions")) else {
            return Vec::new();
        };
        let named = folders.flatten().filter_map(|folder| {
            let journal = std::fs::metadata(folder.path().join("journal.jsonl")).ok()?;
            let name = folder.file_name().to_string_lossy().into_owned();
            (journal.len() > 0).then_some(name)
        });
        named.collect()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for (keeper, _) in self.keepers() {
            // One that has just ended needs no end.
            let _gone = kill(keeper, Signal::SIGKILL);
        }
        // A scratch folder left behind harms nobody.
        let _left = std::fs::remove_dir_all(&self.root);
    }
}
