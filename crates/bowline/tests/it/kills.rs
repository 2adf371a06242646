//! The harness is killed inside a command, at a moment nobody chose: alone, and with the keeper.
//!
//! A sample runs in CI; `BOWLINE_KILLS=100` makes it a hundred kills of each kind. With
//! `BOWLINE_KILLS_SEED` (any number) the moments are drawn anew.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Scratch, of_kind};

/// Writes a mark when it begins and one when it ends, and says so; 200 ms in between.
const COMMAND: &str = "echo $$ >>shells; echo begun; sleep 0.2; echo end >>marks; echo ended";

/// How long [`COMMAND`] takes, about.
const COMMAND_MS: u64 = 220;

fn kills() -> u64 {
    let asked = std::env::var("BOWLINE_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// The moment of kill `number` in ms after the start of the command: spread, without a clock.
fn moment(number: u64) -> Duration {
    let seed = std::env::var("BOWLINE_KILLS_SEED").ok();
    let seed: u64 = seed.and_then(|text| text.parse().ok()).unwrap_or(4);
    let mixed = (number + 1)
        .wrapping_add(seed.wrapping_mul(1_000_003))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Duration::from_millis((mixed >> 32) % COMMAND_MS)
}

/// A session whose command has begun.
struct Begun {
    scratch: Scratch,
    harness: Child,
    shell: i32,
}

impl Begun {
    fn new(expect: &Value) -> Self {
        let scratch = Scratch::new();
        let model = scratch.scenario(&json!([
            { "calls": [{ "tool": "shell", "input": { "command": COMMAND } }] },
            { "text": "told", "expect": expect }
        ]));
        let harness = scratch
            .command(&["exec", "--model", &model, "--mode", "full", "go"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let shells = scratch.work().join("shells");
        let shell = loop {
            let text = std::fs::read_to_string(&shells).unwrap_or_default();
            if let Some(pid) = text.strip_suffix('\n').and_then(|text| text.parse().ok()) {
                break pid;
            }
            std::thread::yield_now();
        };
        // Output that its keeper has not noted yet dies with the keeper.
        while !is_noted(&scratch.home().join("sessions")) {
            std::thread::yield_now();
        }
        Self {
            scratch,
            harness,
            shell,
        }
    }

    /// Waits for the moment of kill `number`, counted from the command's first word.
    fn at_moment(number: u64) {
        let until = Instant::now() + moment(number);
        while Instant::now() < until {
            std::thread::yield_now();
        }
    }

    fn kill_harness(&mut self) {
        self.harness.kill().expect("it is there");
        self.harness.wait().expect("it ends");
    }

    /// The process that the shell's keeper is, as long as the shell lives.
    fn keeper(&self) -> Option<i32> {
        parent(self.shell)
    }

    fn resume(&self) -> crate::support::Ran {
        let session = self.scratch.sessions().remove(0);
        self.scratch.run(&["exec", "--resume", &session])
    }

    fn marks(&self) -> String {
        std::fs::read_to_string(self.scratch.work().join("marks")).unwrap_or_default()
    }
}

/// Whether the keeper of the only command has noted its first word.
fn is_noted(sessions: &Path) -> bool {
    let folders = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let attempts = folders(sessions)
        .into_iter()
        .flat_map(|session| folders(&session.join("spool")));
    attempts
        .map(|attempt| std::fs::read(attempt.join("out.head")).unwrap_or_default())
        .any(|head| head.starts_with(b"begun\n"))
}

fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

fn parent(pid: i32) -> Option<i32> {
    stat(pid)?.get(1)?.parse().ok()
}

fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| fields[0] != "Z")
}

/// Processes that work in `folder`.
fn at_work_in(folder: &Path) -> Vec<i32> {
    let all = std::fs::read_dir("/proc").expect("processes");
    let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let is_there = |pid: &i32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)
            && is_alive(*pid)
    };
    pids.filter(is_there).collect()
}

#[test]
fn killed_alone_the_command_ends_once_and_the_model_learns_its_true_output() {
    let expect = json!({
        "last_result_contains": ["begun\nended\n[exit 0 in "],
        "last_result_lacks": ["unknown"]
    });
    let (mut within, mut late) = (0, 0);
    for number in 0.. {
        if within == kills() {
            break;
        }
        assert!(late <= kills(), "too few kills came within the command");
        let mut begun = Begun::new(&expect);
        Begun::at_moment(number % kills());
        begun.kill_harness();
        // On a busy machine the run may be over by now: that was no kill inside a command.
        if !of_kind(&begun.scratch.events(), "CallFinished").is_empty() {
            late += 1;
            continue;
        }
        within += 1;
        begun.resume().expect(0, &["told"]);
        assert_eq!(begun.marks(), "end\n", "kill {number}");
        let events = begun.scratch.events();
        assert_eq!(of_kind(&events, "CallStarted").len(), 1, "kill {number}");
        assert_eq!(of_kind(&events, "CallInDoubt").len(), 0, "kill {number}");
        let finished = of_kind(&events, "CallFinished");
        assert_eq!(finished.len(), 1, "kill {number}");
        assert_eq!(finished[0]["data"]["found"], true, "kill {number}");
    }
    println!(
        "{within} kills of the harness alone within the command: the end mark once and the true \
         output told in every one; {late} came after its end"
    );
}

#[test]
fn killed_with_the_keeper_the_model_is_told_that_the_outcome_is_unknown() {
    let expect = json!({ "last_result_contains": [
        "Outcome unknown: this call was started, and Bowline cannot know how it ended: its keeper (process ",
        "It may have happened, in part or wholly.",
        "Output so far:\nbegun"
    ] });
    let (mut doubted, mut known) = (0, 0);
    for number in 0.. {
        if doubted == kills() {
            break;
        }
        assert!(known <= kills(), "too few kills came within the command");
        let mut begun = Begun::new(&expect);
        let Some(keeper) = begun.keeper() else {
            begun.kill_harness();
            known += 1;
            continue;
        };
        Begun::at_moment(number % kills());
        begun.kill_harness();
        let kill = std::process::Command::new("kill")
            .args(["-KILL", &keeper.to_string()])
            .output();
        kill.expect("kill starts");
        let ran = begun.resume();
        let events = begun.scratch.events();
        assert_eq!(of_kind(&events, "CallStarted").len(), 1, "kill {number}");
        // A command that was over before the kill is known, and must not be called in doubt.
        if of_kind(&events, "CallInDoubt").is_empty() {
            assert_eq!(of_kind(&events, "CallFinished").len(), 1, "kill {number}");
            assert_eq!(begun.marks(), "end\n", "kill {number}");
            known += 1;
            continue;
        }
        ran.expect(0, &["told"]);
        doubted += 1;
        assert!(
            begun.marks().len() <= 4,
            "kill {number}: it never ran twice"
        );
        assert!(!is_alive(begun.shell), "kill {number}");
        let work = begun.scratch.work().canonicalize().expect("the workspace");
        assert_eq!(
            at_work_in(&work),
            Vec::<i32>::new(),
            "kill {number}: its processes are gone"
        );
    }
    println!(
        "{doubted} kills of harness and keeper within the command: told in doubt with the output so far in every one; {known} came after its end and were told the outcome"
    );
}
