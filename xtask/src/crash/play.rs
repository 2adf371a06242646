//! Runs the binary in a scratch folder of its own, up to a named point or to its end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::scenario::scenario;

/// A scratch folder with a state folder, a workspace and the scenario; removed when dropped.
pub(super) struct Arena {
    binary: PathBuf,
    root: PathBuf,
}

/// How a run of the binary ended.
pub(super) enum Ended {
    /// It reached the point and was killed there.
    Killed { point: String },
    /// It ended by itself.
    Exited { code: Option<i32>, said: String },
}

/// One run of the binary.
pub(super) struct Run {
    /// How it ended.
    pub(super) ended: Ended,
    /// What it told, line by line.
    pub(super) told: Vec<Value>,
}

impl Run {
    /// The session it named.
    pub(super) fn session(&self) -> Option<String> {
        let line = self.told.iter().find(|line| line["type"] == "session")?;
        Some(line["session_id"].as_str()?.to_owned())
    }
}

static ARENAS: AtomicU64 = AtomicU64::new(0);

impl Arena {
    pub(super) fn new(binary: &Path) -> Result<Self> {
        let number = ARENAS.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowline-crash-{}-{number}", std::process::id());
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir_all(root.join("work")).context("cannot make a scratch folder")?;
        std::fs::write(root.join("scenario.json"), scenario().to_string())?;
        Ok(Self {
            binary: binary.to_owned(),
            root,
        })
    }

    /// The workspace.
    pub(super) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Begins the session; killed at point `number`.
    pub(super) fn begin(&self, number: u64) -> Result<Run> {
        let model = format!("scripted/{}", self.root.join("scenario.json").display());
        self.run(&["--model", &model, "--mode", "full", "do it"], number)
    }

    /// Resumes the session; killed at point `number`, if it is not 0 and there is such a point.
    pub(super) fn resume(&self, session: &str, number: u64) -> Result<Run> {
        self.run(&["--resume", session], number)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(self.work())
            .env("BOWLINE_HOME", self.root.join("state"))
            .env("XDG_CONFIG_HOME", self.root.join("config"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str], number: u64) -> Result<Run> {
        let mut child = self
            .command()
            .args(["exec", "--output", "stream-json"])
            .args(arguments)
            .env("BOWLINE_CRASH_AT", number.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let mut stdout = child.stdout.take().context("no standard output")?;
        // Read beside: a full pipe would hold the child up before its point.
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        let ended = wait(&mut child)?;
        let Ok(text) = reader.join() else {
            bail!("the reader of standard output broke")
        };
        let told = text?
            .lines()
            // A line cut by the kill was not told.
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Ok(Run { ended, told })
    }

    /// The output lines of `bowline events ID --json`, which verifies the whole chain.
    pub(super) fn events(&self, session: &str) -> Result<Vec<Value>> {
        let output = self
            .command()
            .args(["events", session, "--json"])
            .output()?;
        if !output.status.success() {
            bail!(
                "the journal does not verify: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// The one session of the state folder, if it has one whose journal holds anything.
    pub(super) fn only_session(&self) -> Option<String> {
        let mut folders = std::fs::read_dir(self.root.join("state").join("sessions")).ok()?;
        let folder = folders.next()?.ok()?;
        let size = std::fs::metadata(folder.path().join("journal.jsonl"))
            .ok()?
            .len();
        (size > 0).then(|| folder.file_name().to_string_lossy().into_owned())
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // A scratch folder left behind harms nobody.
        let _left = std::fs::remove_dir_all(&self.root);
    }
}

/// Waits for the child to reach its point, and kills it there, or to end by itself.
fn wait(child: &mut Child) -> Result<Ended> {
    let stderr = child.stderr.take().context("no standard error")?;
    let mut said = String::new();
    for line in BufReader::new(stderr).lines() {
        let line = line?;
        if let Some(point) = line.strip_prefix("CRASH-POINT ") {
            child.kill().context("cannot kill the child at its point")?;
            child.wait()?;
            return Ok(Ended::Killed {
                point: point.to_owned(),
            });
        }
        said.push_str(&line);
        said.push('\n');
    }
    Ok(Ended::Exited {
        code: child.wait()?.code(),
        said,
    })
}
