//! What may go from the state folder: by age and by size, never what anybody waits for.

use std::path::Path;

use bowline_core::state::Workflow;
use bowline_core::{Origin, State};
use bowline_journal::{Error, Part, Sizes, Status, Store, Summary};

use crate::config::Effective;
use crate::{date_and_time, running_jobs};

/// The limits of one part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartLimits {
    /// What was last changed before this moment goes, in milliseconds since 1970.
    pub before_ms: Option<u64>,
    /// All of it together may have so many bytes; the oldest goes first.
    pub most_bytes: Option<u64>,
}

/// The limits of every part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionLimits {
    /// Whole sessions.
    pub sessions: PartLimits,
    /// Their large bodies.
    pub blobs: PartLimits,
    /// The output of their commands.
    pub spool: PartLimits,
}

/// Milliseconds in a day and bytes in a megabyte, as configuration counts them.
const DAY_MS: u64 = 86_400_000;
const MEGABYTE: u64 = 1_000_000;

impl RetentionLimits {
    /// The limits that the configuration sets, at the time `now_ms`.
    #[must_use]
    pub fn of(config: &Effective, now_ms: u64) -> Self {
        let part = |days: &str, megabytes: &str| PartLimits {
            before_ms: config
                .whole(days)
                .map(|days| now_ms.saturating_sub(days.saturating_mul(DAY_MS))),
            most_bytes: config
                .whole(megabytes)
                .map(|count| count.saturating_mul(MEGABYTE)),
        };
        Self {
            sessions: part("retention.sessions_max_days", "retention.sessions_max_mb"),
            blobs: part("retention.blobs_max_days", "retention.blobs_max_mb"),
            spool: part("retention.spool_max_days", "retention.spool_max_mb"),
        }
    }

    /// Whether any limit is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    const fn part(&self, part: Part) -> PartLimits {
        match part {
            Part::Session => self.sessions,
            Part::Blobs => self.blobs,
            Part::Spool => self.spool,
        }
    }
}

/// Something that is over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// The session.
    pub session: Summary,
    /// What of it.
    pub part: Part,
    /// What it takes, in bytes.
    pub bytes: u64,
    /// Which limit it is over, in words.
    pub why: String,
    /// Why it stays nevertheless; `None` for what goes.
    pub stays: Option<String>,
}

/// What is over the limits of a state folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionPlan {
    /// What every session takes together.
    pub sizes: Sizes,
    /// What is over a limit, oldest first: sessions, then blobs, then spools.
    pub over: Vec<Over>,
}

impl RetentionPlan {
    /// What goes.
    pub fn going(&self) -> impl Iterator<Item = &Over> {
        self.over.iter().filter(|over| over.stays.is_none())
    }

    /// What stays although it is over a limit.
    pub fn staying(&self) -> impl Iterator<Item = &Over> {
        self.over.iter().filter(|over| over.stays.is_some())
    }
}

/// Finds what is over `limits`. Writes nothing.
///
/// # Errors
/// As [`Store::summaries`].
pub fn plan(store: &Store, limits: &RetentionLimits) -> Result<RetentionPlan, Error> {
    let mut found = Vec::new();
    for summary in store.summaries()? {
        let sizes = store.sizes(summary.session).unwrap_or_default();
        found.push((summary, sizes));
    }
    found.sort_by_key(|(summary, _)| (summary.updated_ms, summary.session));
    let mut plan = RetentionPlan::default();
    for (_, sizes) in &found {
        plan.sizes.journal += sizes.journal;
        plan.sizes.blobs += sizes.blobs;
        plan.sizes.spool += sizes.spool;
    }
    for part in [Part::Session, Part::Blobs, Part::Spool] {
        let over = over(store, &found, part, limits.part(part));
        let gone = |summary: &Summary| {
            over.iter()
                .any(|one| one.stays.is_none() && one.session.session == summary.session)
        };
        if part == Part::Session {
            found.retain(|(summary, _)| !gone(summary));
        }
        plan.over.extend(over);
    }
    Ok(plan)
}

fn over(
    store: &Store,
    oldest_first: &[(Summary, Sizes)],
    part: Part,
    limits: PartLimits,
) -> Vec<Over> {
    let bytes_of = |sizes: &Sizes| match part {
        Part::Session => sizes.total(),
        Part::Blobs => sizes.blobs,
        Part::Spool => sizes.spool,
    };
    let mut total: u64 = oldest_first.iter().map(|(_, sizes)| bytes_of(sizes)).sum();
    let mut over = Vec::new();
    for (summary, sizes) in oldest_first {
        let bytes = bytes_of(sizes);
        let too_old = limits
            .before_ms
            .is_some_and(|before| summary.updated_ms < before);
        let why = if bytes == 0 {
            continue;
        } else if too_old {
            format!("unchanged since {}", date_and_time(summary.updated_ms))
        } else if let Some(most) = limits.most_bytes.filter(|most| total > *most) {
            let what = match part {
                Part::Session => "all sessions",
                Part::Blobs => "all large bodies",
                Part::Spool => "all output of commands",
            };
            format!("{what} may take {} and take {}", size(most), size(total))
        } else {
            continue;
        };
        let stays = stays(store, summary, part);
        if stays.is_none() {
            total -= bytes;
        }
        over.push(Over {
            session: summary.clone(),
            part,
            bytes,
            why,
            stays,
        });
    }
    over
}

/// Why something of a session stays, whatever its age and size.
fn stays(store: &Store, summary: &Summary, part: Part) -> Option<String> {
    if summary.damage.is_some() {
        return Some("its journal is damaged: repair or delete it".to_owned());
    }
    match store.owner(summary.session) {
        Ok(None) => {}
        Ok(Some(_)) => return Some("a process owns it".to_owned()),
        Err(error) => return Some(error.to_string()),
    }
    let dir = store.session_dir(summary.session);
    if !matches!(bowline_journal::mailbox::is_empty(&dir.mailbox()), Ok(true)) {
        return Some("a command waits in its mailbox".to_owned());
    }
    match summary.status {
        Status::Waiting => return Some("it waits for something".to_owned()),
        Status::Paused => return Some("it is on hold".to_owned()),
        Status::Unfinished => return Some("its turn is not finished".to_owned()),
        _ => {}
    }
    let state = store
        .read_only(summary.session)
        .and_then(|reader| reader.state());
    match state {
        Ok(state) => may_go(&state, &dir.spool(), part).err(),
        Err(error) => Some(error.to_string()),
    }
}

/// Whether `part` of a session in this state may go; `spool` is its spool folder.
///
/// # Errors
/// Why it stays, in a few words.
pub fn may_go(state: &State, spool: &Path, part: Part) -> Result<(), String> {
    let stays = |why: &str| Err(why.to_owned());
    match state.workflow() {
        Workflow::Ended { .. } => {}
        Workflow::Running => return stays("its turn is not finished"),
        Workflow::Paused { .. } => return stays("it is on hold"),
        _ => return stays("it waits for something"),
    }
    if !state.in_doubt().is_empty() {
        return stays("a call in doubt is not settled");
    }
    let is_person = |input: &bowline_core::Input| *input.text.origin() == Origin::Person;
    if state.queued().iter().any(is_person) {
        return stays("words for it were not read yet");
    }
    if !running_jobs(state, spool).is_empty() {
        return stays("a command runs in the background");
    }
    if part == Part::Spool && state.jobs().values().any(|job| job.ended.is_none()) {
        return stays("how a command in the background ended was not told yet");
    }
    Ok(())
}

/// Bytes for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            return format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit);
        }
    }
    format!("{bytes} bytes")
}

/// Reads a number of bytes: `500MB`, `2GB`, `64KB`, `1000`.
///
/// # Errors
/// A sentence that names what can be given.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: give 500MB, 2GB, 64KB or a number of bytes");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => MEGABYTE,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.trim().parse().map_err(|_| wrong())?;
    count.checked_mul(unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
