//! Records what a session does to its disk, step by step, its keepers included.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::disk::{Change, Inode, ROOT, Step};
use crate::crash::act::{Act, Kind};
use crate::crash::play::{Arena, Run, Task};
use crate::crash::trace::{Next, Stop, Whom, follow};

/// The workspace is there and durable before anything is recorded.
pub(super) const WORK: Inode = 1;

/// A session from its beginning to its end.
pub(super) struct Recording {
    pub(super) steps: Vec<Step>,
    /// How many bytes the marks had after each step: shell commands are not followed.
    pub(super) marks_bytes: Vec<usize>,
    /// The marks in the end.
    pub(super) marks: Vec<u8>,
    pub(super) session: String,
}

/// Plays a whole session in `arena` and records it.
pub(super) fn record(arena: &mut Arena) -> Result<Recording> {
    let mut recorder = Recorder::new(arena)?;
    let mut tasks = vec![Task::Begin];
    let mut session = None;
    while let Some(task) = tasks.pop() {
        let command = arena.command(&task);
        recorder.program = None;
        recorder.tells = matches!(task, Task::Begin | Task::Resume(_));
        let followed = follow(&command, Whom::Keepers, &mut |stop| {
            recorder.at(stop)?;
            Ok(Next::GoOn)
        })?;
        let run = Run::new(crate::crash::play::Ended::Killed, &followed.told);
        session = session.or_else(|| run.session());
        if let Some(session) = &session {
            let awaited = run.awaited(session);
            if !awaited.is_empty() {
                tasks.push(Task::Resume(session.clone()));
                tasks.extend(awaited);
            }
        }
    }
    Ok(Recording {
        steps: recorder.steps,
        marks_bytes: recorder.marks_bytes,
        marks: std::fs::read(arena.work().join("marks.txt")).context("no mark was left")?,
        session: session.context("the recorded session did not begin")?,
    })
}

/// An act that was begun, with what can only be seen before it is made.
struct Begun {
    act: Act,
    inode: Option<Inode>,
    bytes: Vec<u8>,
    offset: usize,
}

struct Recorder {
    root: PathBuf,
    steps: Vec<Step>,
    marks_bytes: Vec<usize>,
    /// The process that was started first in this run; what it writes to descriptor 1 is told.
    program: Option<i32>,
    tells: bool,
    begun: BTreeMap<i32, Begun>,
    /// What each name stands for now.
    names: BTreeMap<(Inode, String), Inode>,
    /// Files and folders by the numbers that the system gave them.
    known: BTreeMap<u64, Inode>,
    sizes: BTreeMap<Inode, usize>,
    count: Inode,
}

impl Recorder {
    fn new(arena: &Arena) -> Result<Self> {
        let root = arena.root().to_owned();
        let number = |path: &Path| Ok::<_, anyhow::Error>(std::fs::metadata(path)?.ino());
        let known = BTreeMap::from([(number(&root)?, ROOT), (number(&arena.work())?, WORK)]);
        Ok(Self {
            root,
            steps: Vec::new(),
            marks_bytes: Vec::new(),
            program: None,
            tells: false,
            begun: BTreeMap::new(),
            names: BTreeMap::from([((ROOT, "work".to_owned()), WORK)]),
            known,
            sizes: BTreeMap::new(),
            count: WORK,
        })
    }

    fn at(&mut self, stop: &Stop) -> Result<()> {
        let program = *self.program.get_or_insert(stop.process);
        let Some(result) = stop.result else {
            if let Some(act) = Act::of(stop) {
                let begun = self.begin(stop, act)?;
                self.begun.insert(stop.thread(), begun);
            }
            return Ok(());
        };
        let Some(begun) = self.begun.remove(&stop.thread()) else {
            return Ok(());
        };
        if result < 0 {
            return Ok(());
        }
        let is_told = begun.act.descriptor == Some(1) && stop.process == program && self.tells;
        if is_told && begun.act.kind == Kind::Write {
            let text = String::from_utf8_lossy(&begun.bytes).into_owned();
            self.push(Step::Told(text));
            return Ok(());
        }
        self.done(stop, begun, usize::try_from(result)?)
    }

    fn begin(&self, stop: &Stop, act: Act) -> Result<Begun> {
        let descriptor = act.descriptor;
        let inode = descriptor
            .and_then(|descriptor| stop.inode(descriptor))
            .and_then(|number| self.known.get(&number).copied());
        let is_write = act.kind == Kind::Write;
        let is_seen = is_write && (inode.is_some() || descriptor == Some(1));
        let bytes = if is_seen {
            stop.memory(act.bytes.0, act.bytes.1)
        } else {
            Vec::new()
        };
        let is_here = act.path.starts_with(self.root.join("state"));
        let changes_file = matches!(act.kind, Kind::Write | Kind::Other | Kind::Truncate);
        let is_lost = inode.is_none() || act.kind == Kind::Other;
        let path = act.path.to_string_lossy();
        // A FIFO is no file, and what SQLite shares between processes is no truth.
        let is_left_out = path.ends_with("/control") || path.ends_with("-shm");
        if is_here && changes_file && is_lost && !is_left_out {
            bail!(
                "a recording does not understand a {} to {path}",
                act.kind.name()
            );
        }
        let offset = match (act.offset, inode, descriptor) {
            (Some(offset), ..) => usize::try_from(offset)?,
            (None, Some(inode), Some(descriptor)) if is_write => {
                if stop.appends(descriptor) {
                    self.sizes.get(&inode).copied().unwrap_or(0)
                } else {
                    let at = stop
                        .position(descriptor)
                        .context("a file without a position")?;
                    usize::try_from(at)?
                }
            }
            _ => 0,
        };
        Ok(Begun {
            act,
            inode,
            bytes,
            offset,
        })
    }

    fn done(&mut self, stop: &Stop, begun: Begun, result: usize) -> Result<()> {
        let Begun {
            act,
            inode,
            mut bytes,
            offset,
        } = begun;
        match (act.kind, inode) {
            (Kind::Write, Some(file)) => {
                bytes.truncate(result);
                let size = self.sizes.entry(file).or_default();
                *size = (*size).max(offset + bytes.len());
                self.change(Change::Bytes {
                    file,
                    offset,
                    bytes,
                });
            }
            (Kind::Truncate, Some(file)) => self.resize(file, act.bytes.1),
            (Kind::Sync, Some(inode)) => self.push(Step::Sync(inode)),
            (Kind::Create, _) => {
                let number = stop.inode(u64::try_from(result)?);
                self.create(&act, number.context("a new file without a number")?);
            }
            (Kind::Mkdir, _) => {
                let number = std::fs::metadata(&act.path).map(|found| found.ino());
                if let (Some(at), Ok(number)) = (self.place(&act.path), number) {
                    let inode = self.next(number);
                    self.push(Step::Folder(inode));
                    self.set_name(at, Some(inode));
                }
            }
            (Kind::Rename, _) => self.rename(&act),
            (Kind::Link, _) => {
                let from = self
                    .place(&act.path)
                    .and_then(|at| self.names.get(&at).copied());
                let to = act.to.as_deref().and_then(|path| self.place(path));
                if let (Some(inode), Some(to)) = (from, to) {
                    self.set_name(to, Some(inode));
                }
            }
            (Kind::Unlink | Kind::Rmdir, _) => {
                let at = self
                    .place(&act.path)
                    .filter(|at| self.names.contains_key(at));
                if let Some(at) = at {
                    self.set_name(at, None);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn create(&mut self, act: &Act, number: u64) {
        let Some(at) = self.place(&act.path) else {
            return;
        };
        match self.names.get(&at).copied() {
            Some(file) if act.empties => self.resize(file, 0),
            Some(_) => {}
            None => {
                let inode = self.next(number);
                self.set_name(at, Some(inode));
            }
        }
    }

    fn rename(&mut self, act: &Act) {
        let to = act.to.as_deref().and_then(|path| self.place(path));
        let (Some(from), Some(to)) = (self.place(&act.path), to) else {
            return;
        };
        let Some(inode) = self.names.get(&from).copied() else {
            return;
        };
        if from.0 == to.0 {
            self.names.remove(&from);
            self.names.insert(to.clone(), inode);
            self.change(Change::Renamed {
                folder: from.0,
                from: from.1,
                to: to.1,
                inode,
            });
        } else {
            self.set_name(to, Some(inode));
            self.set_name(from, None);
        }
    }

    fn resize(&mut self, file: Inode, bytes: usize) {
        if self.sizes.insert(file, bytes).unwrap_or(0) != bytes {
            self.change(Change::Size { file, bytes });
        }
    }

    fn set_name(&mut self, at: (Inode, String), now: Option<Inode>) {
        match now {
            Some(inode) => self.names.insert(at.clone(), inode),
            None => self.names.remove(&at),
        };
        let (folder, name) = at;
        self.change(Change::Name { folder, name, now });
    }

    /// The folder and the name of a path, if that folder is recorded.
    fn place(&self, path: &Path) -> Option<(Inode, String)> {
        let inside = path.strip_prefix(&self.root).ok()?;
        let name = inside.file_name()?.to_string_lossy().into_owned();
        let mut folder = ROOT;
        for part in inside.parent()?.components() {
            let part = part.as_os_str().to_string_lossy().into_owned();
            folder = *self.names.get(&(folder, part))?;
        }
        Some((folder, name))
    }

    fn next(&mut self, number: u64) -> Inode {
        self.count += 1;
        self.known.insert(number, self.count);
        self.count
    }

    fn change(&mut self, change: Change) {
        self.push(Step::Change(change));
    }

    fn push(&mut self, step: Step) {
        let marks = std::fs::metadata(self.root.join("work").join("marks.txt"));
        let bytes = marks.map_or(0, |found| found.len());
        self.steps.push(step);
        self.marks_bytes.push(usize::try_from(bytes).unwrap_or(0));
    }
}
