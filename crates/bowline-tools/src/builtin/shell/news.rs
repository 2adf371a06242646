//! What a command in the background wrote since the model last looked.

use std::path::{Path, PathBuf};

use super::super::grouped;
use super::plain::plain;
use super::report::{Output, seconds};
use crate::keeper::spool::{self, Spooled};
use crate::keeper::{Ended, Exit};

/// Output after an offset.
pub(super) struct News {
    /// As the model reads it, within bounds; ends its last line.
    pub(super) text: String,
    /// Bytes from the start of the output that are read now.
    pub(super) offset: u64,
    /// The file with all of it, if `text` is only part.
    pub(super) whole: Option<PathBuf>,
}

impl News {
    /// Reads the spool in `dir` from `offset` on. While the command runs, a character that is cut
    /// at the end is left for the next time.
    pub(super) fn of(dir: &Path, offset: u64, is_over: bool) -> Self {
        let Since {
            first,
            missing_bytes,
            mut last,
            mut end,
        } = Since::new(spool::read(dir), offset);
        if !is_over {
            let cut = cut_character(&last);
            last.truncate(last.len() - cut);
            end -= cut as u64;
        }
        let mut all = plain(&first);
        if missing_bytes > 0 {
            if !all.is_empty() && !all.ends_with('\n') {
                all.push('\n');
            }
            all.push_str(&format!(
                "[{} bytes were not kept]\n",
                grouped(missing_bytes)
            ));
        }
        all.push_str(&plain(&last));
        let Output { text, whole } = Output::shown(all, missing_bytes, dir);
        Self {
            text,
            offset: end,
            whole,
        }
    }
}

/// The bytes after an offset: what is left of the head, what is gone, what is there of the tail.
struct Since {
    first: Vec<u8>,
    missing_bytes: u64,
    last: Vec<u8>,
    end: u64,
}

impl Since {
    fn new(spooled: Spooled, offset: u64) -> Self {
        let Spooled {
            mut head,
            mut tail,
            total_bytes,
            ..
        } = spooled;
        let tail_start = total_bytes - tail.len() as u64;
        let head_end = head.len() as u64;
        let after = |bytes: &mut Vec<u8>, count: u64| {
            let count = usize::try_from(count)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            bytes.drain(..count);
        };
        after(&mut head, offset);
        after(&mut tail, offset.saturating_sub(tail_start));
        let missing_bytes = tail_start.saturating_sub(offset.max(head_end));
        // Without a gap it is one text: a character may lie across the border.
        if missing_bytes == 0 {
            head.append(&mut tail);
            std::mem::swap(&mut head, &mut tail);
        }
        Self {
            first: head,
            missing_bytes,
            last: tail,
            end: total_bytes.max(offset),
        }
    }
}

/// How many bytes at the end begin a character that is not whole.
fn cut_character(bytes: &[u8]) -> usize {
    (1..=bytes.len().min(3))
        .find(|count| bytes[bytes.len() - count] >= 0xc0)
        .filter(|count| {
            let wanted = match bytes[bytes.len() - count] {
                0xf0.. => 4,
                0xe0.. => 3,
                _ => 2,
            };
            *count < wanted
        })
        .unwrap_or(0)
}

/// How a command in the background ended, in a few words.
pub(super) fn ended_words(exit: &Exit) -> String {
    let time = seconds(exit.duration_ms);
    match (exit.ended_by, exit.code, exit.signal) {
        (Ended::TimedOut, ..) => format!("its time was over after {time}; processes ended"),
        (Ended::Cancelled, ..) => format!("stopped after {time}"),
        (_, Some(code), _) => format!("exit {code} after {time}"),
        (_, None, Some(signal)) => format!("ended by signal {signal} after {time}"),
        (_, None, None) => format!("ended after {time}"),
    }
}

#[cfg(test)]
mod tests;
