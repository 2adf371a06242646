//! What the model reads of a command: its output and how it ended.

use std::path::{Path, PathBuf};

use bowline_core::{Confinement, Effect, OutcomeStatus};

use super::super::{TEXT_BYTES_MAX, grouped};
use super::denial;
use super::plain::plain;
use crate::keeper::spool::{self, Spooled};
use crate::keeper::{Ended, Exit, Process};
use crate::tool::Finish;

/// Room kept for the lines that say how it ended, in bytes.
const CLOSING_BYTES: usize = 2 << 10;

/// File of the attempt folder that holds the output as shown, when it is too long to be shown.
const WHOLE: &str = "out.full";

/// An ended command.
pub(super) struct Report<'a> {
    pub(super) exit: &'a Exit,
    /// The folder of its keeper's records.
    pub(super) dir: &'a Path,
    /// The time it had, in ms.
    pub(super) timeout_ms: u64,
    /// What it does, as the model put it.
    pub(super) description: Option<&'a str>,
    /// The folder it ran in.
    pub(super) cwd: &'a Path,
    /// How it was confined, if it was.
    pub(super) confinement: Option<&'a Confinement>,
}

impl Report<'_> {
    /// What the call comes to.
    pub(super) fn finish(&self) -> Finish {
        let output = Output::of(self.dir);
        let ended = self.ended();
        let mut text = output.text;
        let connections = &self.exit.connections;
        let denial = self
            .confinement
            .filter(|_| super::status(self.exit) == OutcomeStatus::Error)
            .and_then(|confinement| denial::of(confinement, &text, self.cwd, connections));
        let sandbox_denied = denial.is_some();
        let (denied, denial) = denial.map_or_else(
            || (Vec::new(), None),
            |found| (found.denied, Some(found.sentence)),
        );
        for line in std::iter::once(ended.clone())
            .chain(self.remarks())
            .chain(denial)
        {
            text.push_str(&format!("[{line}]\n"));
        }
        let summary = match self.description {
            Some(description) => format!("{description}: {ended}"),
            None => ended,
        };
        Finish {
            status: super::status(self.exit),
            full_output: output.whole,
            exit_code: self.exit.code,
            duration_ms: Some(self.exit.duration_ms),
            sandbox_denied,
            denied,
            effect: Effect {
                connections: connections.clone(),
                ..Effect::default()
            },
            ..Finish::ok(text, summary)
        }
    }

    fn ended(&self) -> String {
        let Exit {
            ended_by,
            code,
            signal,
            duration_ms,
            ..
        } = self.exit;
        let time = seconds(*duration_ms);
        match (ended_by, code, signal) {
            (Ended::TimedOut, ..) => {
                format!(
                    "timed out after {}; processes ended",
                    seconds(self.timeout_ms)
                )
            }
            (Ended::Cancelled, ..) => format!("cancelled after {time}; processes ended"),
            (_, Some(code), _) => format!("exit {code} in {time}"),
            (_, None, Some(signal)) => format!("ended by signal {signal} after {time}"),
            (_, None, None) => format!("ended after {time}"),
        }
    }

    fn remarks(&self) -> impl Iterator<Item = String> {
        let Exit {
            ended_descendants,
            survivors,
            output_lost,
            set_aside,
            ..
        } = self.exit;
        let ended = (!ended_descendants.is_empty() && self.exit.ended_by == Ended::ItsOwn)
            .then(|| format!("left running and ended: {}", names(ended_descendants)));
        let survivors = (!survivors.is_empty())
            .then(|| format!("could not be ended, may run still: {}", names(survivors)));
        let lost = output_lost
            .as_ref()
            .map(|why| format!("part of the output was lost: {why}"));
        let aside = (!set_aside.is_empty()).then(|| {
            let paths: Vec<String> = set_aside.iter().map(|path| path.display().to_string()).collect();
            format!(
                "made under a protected name, which no command in the sandbox may, and set aside: {}; \
                 if it is wanted there, `write` asks a person",
                paths.join(", ")
            )
        });
        let connections = (self.exit.connections_left_out > 0).then(|| {
            let count = self.exit.connections_left_out;
            format!("{count} more connections are not listed one by one")
        });
        [ended, survivors, lost, aside, connections]
            .into_iter()
            .flatten()
    }
}

/// What a call comes to whose end nobody saw.
pub(super) fn in_doubt(dir: &Path, why: &str, ended: &[Process]) -> Finish {
    let why = doubt(why, ended);
    let output = Output::of(dir);
    let summary = format!("outcome unknown: {why}");
    Finish {
        status: OutcomeStatus::Error,
        full_output: output.whole,
        in_doubt: Some(why),
        ..Finish::ok(output.text, summary)
    }
}

/// Why an outcome is unknown, and what was ended because of it.
pub(super) fn doubt(why: &str, ended: &[Process]) -> String {
    if ended.is_empty() {
        return why.to_owned();
    }
    format!("{why}; found running and ended: {}", names(ended))
}

/// What a call comes to whose command was never run.
pub(super) fn failed_launch(why: &str) -> Finish {
    Finish::failed(format!("The command was not run: {why}."))
}

/// The output of an attempt so far, as text.
pub(super) fn output_so_far(dir: &Path) -> String {
    Output::of(dir).text
}

/// Output as shown: whole, or head and tail.
pub(super) struct Output {
    pub(super) text: String,
    /// The file with all that was kept, if `text` is not all.
    pub(super) whole: Option<PathBuf>,
}

impl Output {
    fn of(dir: &Path) -> Self {
        let Spooled {
            head,
            tail,
            dropped_bytes,
            ..
        } = spool::read(dir);
        let all = if dropped_bytes == 0 {
            ended_line(plain(&[head, tail].concat()))
        } else {
            let note = format!("[{} bytes were not kept]\n", grouped(dropped_bytes));
            format!(
                "{}{note}{}",
                ended_line(plain(&head)),
                ended_line(plain(&tail))
            )
        };
        Self::shown(all, dropped_bytes, dir)
    }

    /// A text as shown; what is too long is written to a file in `dir`. `dropped_bytes` of it are
    /// gone already.
    pub(super) fn shown(all: String, dropped_bytes: u64, dir: &Path) -> Self {
        let all = ended_line(all);
        let room = TEXT_BYTES_MAX - CLOSING_BYTES;
        if all.len() <= room {
            return Self {
                text: all,
                whole: None,
            };
        }
        let path = dir.join(WHOLE);
        let is_written = std::fs::write(&path, &all).is_ok();
        Self {
            text: cut(&all, room, dropped_bytes),
            whole: is_written.then_some(path),
        }
    }
}

/// Keeps a third of the head and two thirds of the tail, where errors stand, at line borders.
fn cut(all: &str, room: usize, dropped_bytes: u64) -> String {
    let head_end = all.floor_char_boundary(room / 3);
    let head_end = all[..head_end].rfind('\n').map_or(head_end, |at| at + 1);
    let tail_start = all.ceil_char_boundary(all.len() - room / 3 * 2);
    let next_line = all[tail_start..].find('\n').map(|at| tail_start + at + 1);
    let tail_start = next_line
        .filter(|start| *start < all.len())
        .unwrap_or(tail_start);
    let left_out = (tail_start - head_end) as u64 + dropped_bytes;
    let head = ended_line(all[..head_end].to_owned());
    format!(
        "{head}[{} bytes left out here]\n{}",
        grouped(left_out),
        &all[tail_start..]
    )
}

fn ended_line(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn names(processes: &[Process]) -> String {
    let names: Vec<String> = processes
        .iter()
        .map(|one| format!("{} ({})", plain(one.name.as_bytes()), one.pid))
        .collect();
    names.join(", ")
}

/// A time as people read it.
pub(super) fn seconds(ms: u64) -> String {
    if ms.is_multiple_of(1000) {
        format!("{} s", ms / 1000)
    } else {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    }
}
