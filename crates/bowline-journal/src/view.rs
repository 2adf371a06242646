//! Lists and searches over a state folder: from the index as far as it is current, from the
//! journals themselves for the rest. Writes nothing, with or without an index.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bowline_core::{Seq, SessionId, State};

use crate::Error;
use crate::error::At as _;
use crate::index::{
    self, AuditFilter, AuditRow, CallRow, DecisionRow, Index, Place, Progress, UsageRow, searchable,
};
use crate::read::{Intact, ReadOnly, read_event, read_head, read_intact_from};
use crate::record::Chain;
use crate::store::Store;
use crate::summary::{Notes, Summary};

/// A text that matched a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The session.
    pub session: SessionId,
    /// The event.
    pub seq: Seq,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// `prompt`, `reply` or `result`.
    pub kind: String,
    /// The text around the first word found, on one line.
    pub snippet: String,
}

/// What a store holds at one moment, ready for questions.
#[derive(Debug)]
pub struct View {
    store: Store,
    summaries: Vec<Summary>,
    disk: Option<Index>,
    /// Sessions that the index on disk does not know as they are now; they are in `memory`.
    stale: BTreeSet<SessionId>,
    memory: Index,
}

/// How a session was found.
enum Look {
    /// The index knows it as it is.
    Indexed(Summary),
    /// Its journal was read.
    Read(Intact),
}

impl Store {
    /// Every session that has begun, the one last changed first. Writes nothing.
    ///
    /// # Errors
    /// As [`Self::list`], and [`Error::Io`] when a journal cannot be read.
    pub fn summaries(&self) -> Result<Vec<Summary>, Error> {
        let (_disk, known) = self.indexed();
        let mut summaries = Vec::new();
        for session in self.list()? {
            summaries.extend(match self.look(session, &known)? {
                Look::Indexed(summary) => Some(summary),
                Look::Read(intact) => Summary::of_journal(&intact),
            });
        }
        newest_first(&mut summaries);
        Ok(summaries)
    }

    /// Makes everything ready for questions: what the index does not know is read from the
    /// journals into memory. Writes nothing.
    ///
    /// # Errors
    /// As [`Self::summaries`].
    pub fn view(&self) -> Result<View, Error> {
        let (disk, known) = self.indexed();
        let mut memory = Index::in_memory()?;
        let (mut summaries, mut stale) = (Vec::new(), BTreeSet::new());
        for session in self.list()? {
            match self.look(session, &known)? {
                Look::Indexed(summary) => summaries.push(summary),
                Look::Read(intact) => {
                    stale.insert(session);
                    if let Some(summary) = Summary::of_journal(&intact) {
                        memory.update(&summary, &intact.events)?;
                        summaries.push(summary);
                    }
                }
            }
        }
        newest_first(&mut summaries);
        Ok(View {
            store: self.clone(),
            summaries,
            disk,
            stale,
            memory,
        })
    }

    /// Brings the index up to date with one session: call it at the end of a run, with the state
    /// that its journal folds to. Reads only what is new. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Io`]. The index is derived: failing to write it harms nothing.
    pub fn update_index(&self, session: SessionId, state: &State) -> Result<(), Error> {
        let mut index = Index::open(self.home())?;
        match self.bring_up(&mut index, session, state) {
            Err(Error::Index { broken: true, .. }) => {
                drop(index);
                index::remove(self.home())?;
                self.bring_up(&mut Index::open(self.home())?, session, state)
            }
            done => done,
        }
    }

    /// Deletes the index and builds it from all journals; returns how many sessions it holds.
    ///
    /// # Errors
    /// As [`Self::summaries`] and [`Self::update_index`].
    pub fn rebuild_index(&self) -> Result<usize, Error> {
        let sessions = self.list()?;
        if sessions.is_empty() && !self.home().is_dir() {
            return Ok(0);
        }
        index::remove(self.home())?;
        let mut index = Index::open(self.home())?;
        let mut count = 0;
        for session in sessions {
            let intact = ReadOnly::new(session, self.session_dir(session)).read_intact()?;
            if let Some(summary) = Summary::of_journal(&intact) {
                index.update(&summary, &intact.events)?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// The index on disk and what it knows. One that cannot be read is none: the journals answer.
    fn indexed(&self) -> (Option<Index>, BTreeMap<SessionId, Summary>) {
        let known = |index: Index| {
            let summaries = index.sessions().ok()?;
            let by_id = summaries
                .into_iter()
                .map(|summary| (summary.session, summary))
                .collect();
            Some((Some(index), by_id))
        };
        Index::open_read_only(self.home())
            .and_then(known)
            .unwrap_or_default()
    }

    fn bring_up(&self, index: &mut Index, session: SessionId, state: &State) -> Result<(), Error> {
        let dir = self.session_dir(session);
        let start = || Progress {
            chain: Chain::start(session),
            journal_bytes: 0,
            notes: Notes::default(),
        };
        let mut from = index.progress(session)?.unwrap_or_else(start);
        let mut intact = read_intact_from(&dir, from.chain, from.journal_bytes)?;
        if intact.finding.is_some() && from.chain.seq > Seq(0) {
            // The index followed another journal than the one that is there now.
            from = start();
            intact = read_intact_from(&dir, from.chain, 0)?;
        }
        for recorded in &intact.events {
            from.notes.note(&recorded.event);
        }
        match Summary::of(state, &from.notes, &intact.end, intact.end_bytes) {
            Some(summary) => index.update(&summary, &intact.events),
            None => Ok(()),
        }
    }

    /// Takes a session from the index if its last record, its head file and its size agree.
    fn look(
        &self,
        session: SessionId,
        known: &BTreeMap<SessionId, Summary>,
    ) -> Result<Look, Error> {
        let dir = self.session_dir(session);
        if let Some(summary) = known.get(&session) {
            let path = dir.journal();
            let size = std::fs::metadata(&path).map(|found| found.len());
            let head = read_head(&dir, session)?;
            if head == Some(summary.last) && size.at("look at", &path)? == summary.journal_bytes {
                return Ok(Look::Indexed(summary.clone()));
            }
        }
        Ok(Look::Read(ReadOnly::new(session, dir).read_intact()?))
    }
}

impl View {
    /// Every session that has begun, or those of one folder; the one last changed first.
    #[must_use]
    pub fn sessions(&self, cwd: Option<&str>) -> Vec<Summary> {
        let wanted = |summary: &&Summary| cwd.is_none_or(|cwd| summary.cwd == cwd);
        self.summaries.iter().filter(wanted).cloned().collect()
    }

    /// The decisions of a session, in order; empty for an unknown one.
    ///
    /// # Errors
    /// [`Error::Index`] when the index breaks while it is read.
    pub fn decisions(&self, session: SessionId) -> Result<Vec<DecisionRow>, Error> {
        self.index_of(session).decisions(session)
    }

    /// What each attempt of a session used, in order; empty for an unknown one.
    ///
    /// # Errors
    /// [`Error::Index`] when the index breaks while it is read.
    pub fn usage(&self, session: SessionId) -> Result<Vec<UsageRow>, Error> {
        self.index_of(session).usage(session)
    }

    /// What each attempt used that was set aside within `when` (milliseconds since 1970), over all
    /// sessions, by session and place.
    ///
    /// # Errors
    /// [`Error::Index`] when the index breaks while it is read.
    pub fn usage_within(&self, when: &Range<u64>) -> Result<Vec<UsageRow>, Error> {
        let mut rows = self.memory.usage_within(when)?;
        if let Some(disk) = &self.disk {
            let current = self.current();
            let known = disk.usage_within(when)?.into_iter();
            rows.extend(known.filter(|row| current.contains(&row.session)));
            rows.sort_by_key(|row| (row.session, row.seq));
        }
        Ok(rows)
    }

    /// The tool calls that replies of those attempts asked for, over all sessions, by
    /// session, attempt and place.
    ///
    /// # Errors
    /// [`Error::Index`] when the index breaks while it is read.
    pub fn calls_within(&self, when: &Range<u64>) -> Result<Vec<CallRow>, Error> {
        let mut rows = self.memory.calls_within(when)?;
        if let Some(disk) = &self.disk {
            let current = self.current();
            let known = disk.calls_within(when)?.into_iter();
            rows.extend(known.filter(|row| current.contains(&row.session)));
            rows.sort_by(|one, other| one.key().cmp(&other.key()));
        }
        Ok(rows)
    }

    /// Decisions and answers over all sessions that fit `filter`, the newest last.
    ///
    /// # Errors
    /// [`Error::Index`] when the index breaks while it is read.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        let mut rows = self.memory.audit(filter, |_| true)?;
        if let Some(disk) = &self.disk {
            let current = self.current();
            rows.extend(disk.audit(filter, |session| current.contains(&session))?);
        }
        rows.sort_by_key(AuditRow::key);
        let most = filter.most.unwrap_or(usize::MAX);
        Ok(rows.split_off(rows.len().saturating_sub(most)))
    }

    /// Decisions whose id begins or ends with `text` (hyphens and case do not matter): the session
    /// and the place of each.
    ///
    /// # Errors
    /// [`Error::Index`] when the index breaks while it is read.
    pub fn decisions_called(&self, text: &str) -> Result<Vec<(SessionId, Seq, String)>, Error> {
        let text = text.replace('-', "").to_lowercase();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let mut found = self.memory.decisions_called(&text)?;
        if let Some(disk) = &self.disk {
            let current = self.current();
            let known = disk.decisions_called(&text)?.into_iter();
            found.extend(known.filter(|(session, ..)| current.contains(session)));
        }
        Ok(found)
    }

    /// The sessions that the index on disk knows as they are.
    fn current(&self) -> BTreeSet<SessionId> {
        let known = self.summaries.iter().map(|summary| summary.session);
        known
            .filter(|session| !self.stale.contains(session))
            .collect()
    }

    /// Prompts, replies and results that hold every word of `text`, newest first, at most `most`.
    /// Of each text the first 16 KiB are searched.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `text` holds no word, [`Error::Index`].
    pub fn search(&self, text: &str, most: usize) -> Result<Vec<Hit>, Error> {
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|word| word.contains(char::is_alphanumeric))
            .collect();
        if words.is_empty() {
            return Err(Error::Invalid {
                what: "there is no word to search for".to_owned(),
                next: "Give at least one word of letters or digits".to_owned(),
            });
        }
        let there = |session| {
            self.summaries
                .iter()
                .any(|summary| summary.session == session)
        };
        let mut places = self.memory.search(&words, most, there)?;
        if let Some(disk) = &self.disk {
            let current = |session| there(session) && !self.stale.contains(&session);
            places.extend(disk.search(&words, most, current)?);
        }
        let key = |place: &Place| (place.at_ms, place.session, place.seq);
        places.sort_by_key(|place| std::cmp::Reverse(key(place)));
        places.truncate(most);
        Ok(places
            .into_iter()
            .map(|place| self.hit(place, &words))
            .collect())
    }

    fn index_of(&self, session: SessionId) -> &Index {
        match &self.disk {
            Some(disk) if !self.stale.contains(&session) => disk,
            _ => &self.memory,
        }
    }

    fn hit(&self, place: Place, words: &[&str]) -> Hit {
        let Place {
            session,
            seq,
            kind,
            at_ms,
            offset_bytes,
            line_bytes,
        } = place;
        let dir = self.store.session_dir(session);
        let event = read_event(&dir, offset_bytes, line_bytes);
        let text = event.as_ref().and_then(searchable);
        let snippet = text.map_or(String::new(), |(_, text)| snippet(&text, words));
        Hit {
            session,
            seq,
            at_ms,
            kind,
            snippet,
        }
    }
}

fn newest_first(summaries: &mut [Summary]) {
    summaries.sort_by_key(|summary| std::cmp::Reverse((summary.updated_ms, summary.session)));
}

/// The text around the first of `words` that is found, on one line.
fn snippet(text: &str, words: &[&str]) -> String {
    /// Characters before and after the place found.
    const AROUND_BYTES: usize = 80;
    let lower = text.to_lowercase();
    // Lower case may be longer than the text itself; then any place near is good enough.
    let at = words
        .iter()
        .find_map(|word| lower.find(&word.to_lowercase()))
        .unwrap_or(0);
    let from = text.floor_char_boundary(at.saturating_sub(AROUND_BYTES));
    let to = text.ceil_char_boundary((at + AROUND_BYTES).min(text.len()));
    let mut line: Vec<&str> = Vec::new();
    line.extend((from > 0).then_some("…"));
    line.extend(text[from..to.max(from)].split_whitespace());
    line.extend((to < text.len()).then_some("…"));
    line.join(" ")
}
