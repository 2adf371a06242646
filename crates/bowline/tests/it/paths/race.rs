//! A swapper: applies the steps of a record and undoes them, over and over, while calls are made.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;

use super::actor::{self, Actor, Answer};
use super::ground::{Ground, contents, fifo, text};

/// The steps of a race, with real paths.
struct Steps {
    steps: Vec<Vec<String>>,
    stash: PathBuf,
    workspace: PathBuf,
    /// Files of the workspace with what they hold at first.
    files: Vec<(PathBuf, String)>,
}

/// How one step is taken back.
enum Undo {
    Remove(PathBuf),
    Move(PathBuf, PathBuf),
    Write(PathBuf, Vec<u8>),
}

impl Steps {
    fn new(ground: &Ground, record: &Value) -> Self {
        let steps = record["race"]["steps"].as_array().expect("steps");
        let filled = |step: &Value| {
            let words = step.as_array().expect("words").iter();
            words.map(|word| ground.fill(text(word))).collect()
        };
        Self {
            steps: steps.iter().map(filled).collect(),
            stash: ground.at("state"),
            workspace: ground.workspace(),
            files: {
                let inside = |path: &PathBuf| path.starts_with(ground.workspace());
                let marks = ground.marks.iter().filter(|(path, _)| inside(path));
                marks
                    .map(|(path, mark)| (path.clone(), format!("{mark}\n")))
                    .collect()
            },
        }
    }

    /// Removes what a call left at a place of the workspace.
    fn clear(&self, path: &Path) {
        if path.starts_with(&self.workspace) && fs::remove_file(path).is_err() {
            let _gone = fs::remove_dir_all(path);
        }
    }

    fn step(&self, number: usize, words: &[String]) -> Option<Undo> {
        let at = |word: usize| PathBuf::from(&words[word]);
        let new = |path: PathBuf, made: std::io::Result<()>| made.ok().map(|()| Undo::Remove(path));
        match &*words[0] {
            "rename" => {
                let (from, to) = (at(1), at(2));
                fs::rename(&from, &to).ok().map(|()| Undo::Move(to, from))
            }
            "unlink" => {
                let kept = self.stash.join(format!("stash-{number}"));
                let moved = fs::rename(at(1), &kept);
                moved.ok().map(|()| Undo::Move(kept, at(1)))
            }
            "symlink" => {
                self.clear(&at(2));
                new(at(2), symlink(&words[1], at(2)))
            }
            "link" => {
                self.clear(&at(2));
                new(at(2), fs::hard_link(at(1), at(2)))
            }
            "fifo" => {
                self.clear(&at(1));
                new(at(1), fifo(&at(1)))
            }
            "mkdir" => new(at(1), fs::create_dir(at(1))),
            "write" => {
                let before = fs::read(at(1)).ok()?;
                let written = fs::write(at(1), &words[2]);
                written.ok().map(|()| Undo::Write(at(1), before))
            }
            other => panic!("an unknown step: {other}"),
        }
    }

    /// Applies the steps; what it gives takes them back.
    fn apply(&self) -> Vec<Undo> {
        let steps = self.steps.iter().enumerate();
        steps
            .filter_map(|(number, words)| self.step(number, words))
            .collect()
    }

    fn undo(&self, steps: Vec<Undo>) {
        for step in steps.into_iter().rev() {
            match step {
                Undo::Remove(path) => self.clear(&path),
                // A call may make something there again and again.
                Undo::Move(from, to) => {
                    while fs::rename(&from, &to).is_err() && fs::symlink_metadata(&from).is_ok() {
                        self.clear(&to);
                    }
                }
                Undo::Write(path, content) => {
                    let _written = fs::write(path, content);
                }
            }
        }
    }

    /// Gives every file its first content again, so that the next edit finds what it looks for.
    fn restore(&self) {
        for (path, content) in &self.files {
            let is_changed = fs::read(path).is_ok_and(|now| now != content.as_bytes());
            if is_changed {
                let _written = fs::write(path, content);
            }
        }
    }

    /// Does `act` once after the steps were applied, then takes them back.
    fn once<T>(&self, act: impl FnOnce() -> T) -> T {
        let undo = self.apply();
        let result = act();
        self.undo(undo);
        result
    }

    /// Does `act` while the steps are applied and taken back all the time; gives what it gave and
    /// how many times that was.
    fn during<T>(&self, act: impl FnOnce(&AtomicU64) -> T) -> (T, u64) {
        let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let undo = self.apply();
                    std::thread::yield_now();
                    self.undo(undo);
                    self.restore();
                    swaps.fetch_add(1, Ordering::Relaxed);
                    std::thread::yield_now();
                }
            });
            let _stop = Stop(&stop);
            act(&swaps)
        });
        (result, swaps.into_inner())
    }
}

/// Ends the swapper also when the caller panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Holds what a race did against what its record forbids.
struct Watch {
    kept: BTreeMap<PathBuf, (u32, Vec<u8>)>,
    unchanged: Option<PathBuf>,
    secret: Option<String>,
}

impl Watch {
    fn new(ground: &Ground, record: &Value) -> Self {
        let named = |name: &str| Some(ground.fill(record["race"][name].as_str()?).into());
        let unchanged: Option<PathBuf> = named("must_not_change");
        let secret: Option<PathBuf> = named("must_not_return");
        let secret = secret.map(|path| match text(&record["op"]) {
            "list" => path.file_name().expect("a name").to_string_lossy().into(),
            _ => ground.marks[&path].clone(),
        });
        Self {
            kept: unchanged.as_deref().map(contents).unwrap_or_default(),
            unchanged,
            secret,
        }
    }

    fn told(&self, answer: &Answer) -> Option<String> {
        let secret = self
            .secret
            .as_ref()
            .filter(|it| answer.told.contains(&**it));
        match secret {
            _ if answer.hung => Some(format!("hung: {answer:?}")),
            Some(_) => Some(format!("told what must not be returned: {answer:?}")),
            None => None,
        }
    }

    fn changed(&self) -> Option<String> {
        let now = self.unchanged.as_deref().map(contents).unwrap_or_default();
        (now != self.kept).then(|| format!("{:?} changed: {now:?}", self.unchanged))
    }
}

/// Most calls of one race, should the swapper not come on.
const CALLS_MAX: u64 = 200_000;

/// What came of one race.
pub(super) struct Raced {
    pub(super) calls: u64,
    pub(super) done: u64,
    pub(super) swaps: u64,
    /// What must not have happened.
    pub(super) escapes: Vec<String>,
}

impl Raced {
    const fn new() -> Self {
        Self {
            calls: 0,
            done: 0,
            swaps: 0,
            escapes: Vec::new(),
        }
    }
}

/// Runs a race against the swapper until there were as many calls and as many swaps.
pub(super) fn run_race(
    record: &Value,
    ground: &Ground,
    actor: Actor<'_>,
    calls: u64,
    swaps: u64,
) -> Raced {
    let watch = Watch::new(ground, record);
    let steps = Steps::new(ground, record);
    let input = actor::input(ground, record);
    if record["race"]["after"] == "agent-read" {
        return agent_read(record, actor, ground, &steps);
    }
    let (mut raced, swaps) = steps.during(|swapped| {
        let mut raced = Raced::new();
        while raced.escapes.is_empty()
            && raced.calls < CALLS_MAX
            && (raced.calls < calls || swapped.load(Ordering::Relaxed) < swaps)
        {
            let answer = actor.act_with(ground, record, &input);
            raced.calls += 1;
            raced.done += u64::from(answer.done);
            raced.escapes.extend(watch.told(&answer));
        }
        raced
    });
    raced.swaps = swaps;
    raced.escapes.extend(watch.changed());
    raced
}

/// Read, steps, edit: the edit may not undo what came between.
fn agent_read(record: &Value, actor: Actor<'_>, ground: &Ground, steps: &Steps) -> Raced {
    let watch = Watch::new(ground, record);
    let old = actor::input(ground, record);
    let mut read = record.clone();
    read["op"] = "read".into();
    let mut raced = Raced::new();
    actor.act(ground, &read);
    let (answer, kept) = steps.once(|| {
        let keep = record["race"]["must_keep"].as_str();
        let keep = keep.map(|path| PathBuf::from(ground.fill(path)));
        let content = |path: &PathBuf| std::fs::read(path).expect("a content");
        let before = keep.as_ref().map(content);
        let answer = actor.act_with(ground, record, &old);
        (answer, before == keep.as_ref().map(content))
    });
    if !kept {
        raced
            .escapes
            .push(format!("what came between is lost: {answer:?}"));
    }
    raced.escapes.extend(watch.told(&answer));
    raced.escapes.extend(watch.changed());
    (raced.calls, raced.done, raced.swaps) = (1, u64::from(answer.done), 1);
    raced
}
