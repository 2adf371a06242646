//! The beginning of a run: what is said about it, and what is found about the runs before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bowline_core::digest::Digester;
use bowline_core::system::{ConfigChanged, ConfigFile, EndFound, EndedHow, Started};
use bowline_core::{Digest, RunId, SessionId, SystemEvent, SystemFact};
use bowline_journal::{Store, SystemRecorded};

use super::RunLog;

/// What a run says about itself when it begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The session that it owns now.
    pub session: SessionId,
    /// The command, such as `exec`.
    pub command: String,
    /// The version of Bowline.
    pub version: String,
    /// The program's file.
    pub program: std::path::PathBuf,
    /// The configuration files that were there.
    pub config_files: Vec<ConfigFile>,
    /// The absolute folder that the session works in.
    pub cwd: String,
}

impl RunLog {
    /// Records that the run began, with what was found about earlier runs: those that ended badly
    /// and were not reported yet. They are given back, to be told to a person once. Blocks on the
    /// disk; reads the program's file only if no recent run was of that very file.
    ///
    /// Earlier runs are looked for in the recent part of the log. Their end is proven by the lock
    /// of their session, never by a process id.
    pub fn begin(&self, store: &Store, beginning: Beginning) -> Vec<EndFound> {
        let session = *self.session.get_or_init(|| beginning.session);
        let now_ms = self.clock.now_ms();
        let event = |fact| SystemEvent::new(now_ms, self.run, Some(session), fact);
        let notes = std::mem::take(&mut self.kept().facts);
        let mut found = Vec::new();
        let appended = self.installation.append_after(|recent| {
            found = ended_badly(recent, |other| other == session || is_free(store, other));
            let started = started(beginning, recent);
            let changed = config_change(recent, &started);
            let mut events: Vec<SystemEvent> = found
                .iter()
                .cloned()
                .map(|end| {
                    let about = end.ended_session;
                    SystemEvent::new(now_ms, self.run, about, SystemFact::EndFound(end))
                })
                .collect();
            events.push(event(SystemFact::Started(Box::new(started))));
            events.extend(changed.map(SystemFact::ConfigChanged).map(event));
            events.extend(notes.into_iter().map(event));
            events
        });
        if let Err(error) = appended {
            self.keep_failure(&error);
            // What was not recorded will be found again.
            found.clear();
        }
        found
    }
}

fn is_free(store: &Store, session: SessionId) -> bool {
    matches!(store.owner(session), Ok(None))
}

fn started(beginning: Beginning, recent: &[SystemRecorded]) -> Started {
    let Beginning {
        command,
        version,
        program,
        config_files,
        cwd,
        ..
    } = beginning;
    let binary_identity = identity(&program).unwrap_or_default();
    let known = starts(recent)
        .rev()
        .find(|(_, started)| {
            !binary_identity.is_empty() && started.binary_identity == binary_identity
        })
        .and_then(|(_, started)| started.binary_sha256);
    let binary_sha256 = known.or_else(|| sha256(&program).ok());
    let parts: Vec<&[u8]> = config_files
        .iter()
        .flat_map(|file| [file.path.as_bytes(), file.sha256.as_bytes().as_slice()])
        .collect();
    Started {
        version,
        binary_sha256,
        binary_identity,
        config_hash: Digest::of_parts(&parts),
        config_files,
        command,
        pid: std::process::id(),
        cwd: Some(cwd),
    }
}

/// SHA-256 of a file, read piece by piece: a program is large and memory is not for it.
fn sha256(program: &Path) -> io::Result<Digest> {
    const PIECE_BYTES: usize = 64 << 10;
    let mut file = File::open(program)?;
    let mut digester = Digester::default();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(digester.finish()),
            count => digester.update(&piece[..count]),
        }
    }
}

/// What tells a file from any other without reading it, and from itself once it was changed:
/// device, inode, size and both times to the nanosecond. `None` when it cannot be looked at.
#[must_use]
pub fn identity(program: &Path) -> Option<String> {
    let found = std::fs::metadata(program).ok()?;
    Some(format!(
        "{}:{}:{}:{}.{:09}:{}.{:09}",
        found.dev(),
        found.ino(),
        found.size(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec()
    ))
}

fn starts(
    recent: &[SystemRecorded],
) -> impl DoubleEndedIterator<Item = (&SystemRecorded, &Started)> {
    recent
        .iter()
        .filter_map(|recorded| match &recorded.event.fact {
            SystemFact::Started(started) => Some((recorded, started.as_ref())),
            _ => None,
        })
}

/// The configuration files that differ from those of the last run in the same folder.
fn config_change(recent: &[SystemRecorded], now: &Started) -> Option<ConfigChanged> {
    let (_, before) = starts(recent).rfind(|(_, started)| started.cwd == now.cwd)?;
    if before.config_hash == now.config_hash {
        return None;
    }
    let files = |started: &Started| -> BTreeSet<(String, Digest)> {
        let pairs = started.config_files.iter();
        pairs.map(|file| (file.path.clone(), file.sha256)).collect()
    };
    let (old, new) = (files(before), files(now));
    let changed: BTreeSet<String> = old
        .symmetric_difference(&new)
        .map(|(path, _)| path.clone())
        .collect();
    Some(ConfigChanged {
        before: before.config_hash,
        after: now.config_hash,
        files: changed.into_iter().collect(),
    })
}

/// Runs that ended badly and were not reported: without a word, their session free; or crashed.
fn ended_badly(recent: &[SystemRecorded], is_free: impl Fn(SessionId) -> bool) -> Vec<EndFound> {
    let mut runs: BTreeMap<RunId, Vec<&SystemFact>> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    for recorded in recent {
        let event = &recorded.event;
        runs.entry(event.run).or_default().push(&event.fact);
        match &event.fact {
            SystemFact::EndFound(found) => {
                reported.insert(found.ended_run);
            }
            // A person who took its session over knows how it ended.
            SystemFact::OwnerEnded(ended) => {
                let mut before =
                    starts(recent).filter(|(start, _)| start.receipt.seq < recorded.receipt.seq);
                let run = before.rfind(|(start, started)| {
                    started.pid == ended.pid && start.event.session == event.session
                });
                reported.extend(run.map(|(start, _)| start.event.run));
            }
            _ => {}
        }
    }
    starts(recent)
        .filter(|(recorded, _)| !reported.contains(&recorded.event.run))
        .filter_map(|(recorded, _)| {
            let event = &recorded.event;
            let said =
                |wanted: fn(&SystemFact) -> bool| runs[&event.run].iter().any(|fact| wanted(fact));
            let crashed = said(|fact| matches!(fact, SystemFact::Crashed(_)));
            let stopped = said(|fact| matches!(fact, SystemFact::Stopped(_)));
            let how = match (crashed, stopped) {
                (true, _) => EndedHow::Crashed,
                (false, true) => return None,
                (false, false) => EndedHow::Silently,
            };
            // A run that is still at work may have survived a crash of one of its tasks.
            if !stopped && !event.session.is_none_or(&is_free) {
                return None;
            }
            Some(EndFound {
                ended_run: event.run,
                ended_session: event.session,
                since_ms: event.at_ms,
                how,
            })
        })
        .collect()
}
