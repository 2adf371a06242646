//! Repairing a damaged journal: what is intact is kept, what is not is told and set aside.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bowline_core::{Event, Seq, SessionId, State};
use serde::Deserialize;

use crate::Error;
use crate::error::At as _;
use crate::file::rewrite;
use crate::index::{self, Index};
use crate::layout::{SessionDir, sync_folder};
use crate::lock::{Lock, Owner};
use crate::read::read_head;
use crate::record::{Chain, Head, Line, Tail};
use crate::scan::{Folded, Scanned, fold};
use crate::stage::stage;
use crate::store::Store;

/// So many dropped records are told one by one; the rest is counted.
pub const MOST_TOLD: usize = 1_000;
/// A longer line is not read as a record.
const MOST_LINE_BYTES: u64 = 64 << 20;

/// What is wrong with a journal, and what a repair keeps and drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The session.
    pub session: SessionId,
    /// What is wrong with the first record that cannot be trusted, in one line.
    pub what: String,
    /// The last record that is kept.
    pub kept_seq: Seq,
    /// Bytes that are kept.
    pub kept_bytes: u64,
    /// Bytes that are dropped; 0 when the journal was cut.
    pub dropped_bytes: u64,
    /// Lines that are dropped, the last one perhaps without its end.
    pub dropped_lines: u64,
    /// The first of them that can be read at all, in the order of the file.
    pub dropped: Vec<Dropped>,
    /// The last record that is known to have been there, by the head file, by the index and by what
    /// is dropped; [`Self::kept_seq`] when nothing tells of a later one.
    pub known_seq: Seq,
}

/// A dropped record, as far as it can be read. Nothing vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The number it bears.
    pub seq: Option<Seq>,
    /// The kind of event that it says it is.
    pub kind: String,
    /// Whether its body is the one that was committed to.
    pub is_whole: bool,
}

/// A journal that was repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What was wrong.
    pub damage: Damage,
    /// Where the damaged file lies now.
    pub kept_as: PathBuf,
    /// The last record of the repaired journal.
    pub last_seq: Seq,
}

impl Damage {
    /// How many records are known to be lost; there may be more.
    #[must_use]
    pub const fn lost_records(&self) -> u64 {
        self.known_seq.0.saturating_sub(self.kept_seq.0)
    }
}

/// A journal as a repair sees it.
struct Examined {
    damage: Damage,
    chain: Chain,
    state: State,
}

impl Store {
    /// What a repair of a session would keep and drop, and the state that the kept events fold to;
    /// `None` when nothing is wrong. Writes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Damaged`] when there is nothing to keep,
    /// [`Error::Unreadable`] when a newer version wrote it, [`Error::Io`].
    pub fn damage_of(&self, session: SessionId) -> Result<Option<(Damage, State)>, Error> {
        let dir = self.existing(session)?;
        let examined = examine(&dir, session, self.witness(session))?;
        Ok(examined.map(|found| (found.damage, found.state)))
    }

    /// Repairs a damaged journal that nobody owns: the damaged file gets another name, and the
    /// intact records, followed by the events of `add`, take its place at once and durably. `None`
    /// when nothing is wrong; nothing is changed then. Blocks on the disk.
    ///
    /// A process that ends half-way leaves the damaged journal or the repaired one; a repair that
    /// was cut short is done again.
    ///
    /// # Errors
    /// As [`Self::damage_of`], and [`Error::Owned`], [`Error::StateFolder`],
    /// [`Error::Invalid`] when `add` gives something that cannot be appended.
    pub fn repair(
        &self,
        session: SessionId,
        owner: &Owner,
        add: &dyn Fn(&Damage, &State) -> Vec<Event>,
    ) -> Result<Option<Repaired>, Error> {
        let dir = self.existing(session)?;
        self.refuse_network()?;
        let disk = self.edges().disk.as_ref();
        let _held = Lock::take(session, &dir, owner, disk)?;
        let Some(found) = examine(&dir, session, self.witness(session))? else {
            return Ok(None);
        };
        let Examined {
            damage,
            chain,
            state,
        } = found;
        let events = add(&damage, &state);
        let staged = stage(chain, chain.epoch, &events, self.edges().salts);
        let staged = staged.map_err(|why| Error::Invalid {
            what: format!("the repaired journal cannot be written: {why}"),
            next: "Nothing was changed; report this".to_owned(),
        })?;
        // The index has seen what is dropped now, and is made anew from what is kept.
        forget(self.home(), session)?;
        let kept_as = set_aside(self, &dir)?;
        drop(rewrite(
            &dir,
            damage.kept_bytes,
            &staged.bytes,
            self.edges(),
        )?);
        let (path, last) = (dir.head(), staged.chain);
        let head = Head {
            seq: last.seq,
            hash: last.hash,
        };
        let file = disk.open_or_create(&path).at("open", &path)?;
        disk.write_at(&file, &head.render(session), 0)
            .and_then(|()| disk.sync(&file))
            .at("write", &path)?;
        Ok(Some(Repaired {
            damage,
            kept_as,
            last_seq: last.seq,
        }))
    }
}

fn forget(home: &Path, session: SessionId) -> Result<(), Error> {
    let forgotten = Index::open_existing(home).map(|mut index| index.forget(session));
    match forgotten {
        Some(Ok(())) => Ok(()),
        _ => index::remove(home),
    }
}

/// Gives the damaged file a second name; the first is taken by the repaired one.
fn set_aside(store: &Store, dir: &SessionDir) -> Result<PathBuf, Error> {
    let disk = store.edges().disk.as_ref();
    let mut number = 1;
    loop {
        let path = dir.damaged(number);
        match disk.link(&dir.journal(), &path) {
            Ok(()) => {
                sync_folder(disk, dir.path())?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error).at("keep", &path),
        }
    }
}

fn examine(
    dir: &SessionDir,
    session: SessionId,
    witness: Option<Head>,
) -> Result<Option<Examined>, Error> {
    let path = dir.journal();
    let head = read_head(dir, session)?;
    let Folded {
        scanned,
        state,
        seen,
    } = fold(&path, session, head, witness)?;
    let known = [head, witness].into_iter().flatten().map(|head| head.seq);
    let known = known.max().unwrap_or(Seq(0));
    let what = match (&scanned.tail, witness) {
        (Tail::Damaged(finding), _) => finding.fault.to_string(),
        (_, Some(witness)) if witness.seq > Seq(0) && seen != Some(witness.hash) => match seen {
            Some(_) => format!(
                "record {} is not the one that the index has seen",
                witness.seq
            ),
            None => format!("the index has seen {} records", witness.seq),
        },
        _ => return Ok(None),
    };
    if state.session().is_none() {
        return Err(Error::Damaged {
            path,
            at_seq: scanned.end.seq.next(),
            intact_seq: scanned.end.seq,
            what,
            next: "Nothing of the session is left to keep: bring the file back from a backup, or \
                   delete the session with `bowline sessions delete`"
                .to_owned(),
        });
    }
    let mut damage = Damage {
        session,
        what,
        kept_seq: scanned.end.seq,
        kept_bytes: scanned.intact_bytes,
        dropped_bytes: scanned.file_bytes - scanned.intact_bytes,
        dropped_lines: 0,
        dropped: Vec::new(),
        known_seq: known.max(scanned.end.seq),
    };
    look_at_dropped(&path, &scanned, &mut damage)?;
    Ok(Some(Examined {
        damage,
        chain: scanned.end,
        state,
    }))
}

/// Reads what is dropped, line by line, as far as it says anything.
fn look_at_dropped(path: &Path, scanned: &Scanned, damage: &mut Damage) -> Result<(), Error> {
    let mut file = File::open(path).at("open", path)?;
    file.seek(SeekFrom::Start(scanned.intact_bytes))
        .at("read", path)?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut reader, MOST_LINE_BYTES).read_until(b'\n', &mut line);
        if read.at("read", path)? == 0 {
            return Ok(());
        }
        damage.dropped_lines += 1;
        let Some(dropped) = dropped(line.strip_suffix(b"\n").unwrap_or(&line)) else {
            continue;
        };
        if let Some(seq) = dropped.seq.filter(|_| dropped.is_whole) {
            damage.known_seq = damage.known_seq.max(seq);
        }
        if damage.dropped.len() < MOST_TOLD {
            damage.dropped.push(dropped);
        }
    }
}

/// What a line says of itself. A flip in one field leaves the others to be read.
fn dropped(line: &[u8]) -> Option<Dropped> {
    #[derive(Deserialize)]
    struct Loose {
        seq: Option<u64>,
        body: Body,
    }
    #[derive(Deserialize)]
    struct Body {
        kind: String,
    }
    let strict = Line::parse(line).ok();
    let loose: Loose = serde_json::from_slice(line).ok()?;
    Some(Dropped {
        seq: loose.seq.map(Seq),
        kind: loose.body.kind,
        is_whole: strict.is_some_and(|line| line.commitment_holds()),
    })
}
