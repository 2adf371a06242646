//! The ledger's file: its lock, what others wrote meanwhile, appending, rotation, damage.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use bowline_core::system::LogDamaged;
use bowline_core::{Epoch, RunId, Seq, SystemEvent, SystemFact};
use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use super::facts::{Entry, LedgerFact, Uncertain};
use super::fold::Fold;
use super::read::Read;
use super::{Claim, Ledger};
use crate::Error;
use crate::chained::name;
use crate::error::At as _;
use crate::installation::Installation;
use crate::layout::sync_folder;
use crate::record::{Chain, Tail, verify_from};

/// How long the lock is tried. It is held for a millisecond, and many may want it at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// What this process knows of the file, and the file itself.
#[derive(Debug)]
pub(super) struct Known {
    file: File,
    /// Where the next record goes.
    end_bytes: u64,
    /// The size of the record that the file begins with, if it carries what was before.
    carried_bytes: u64,
    /// Whether the name of the file is known to be durable.
    named: bool,
    chain: Chain,
    head: Option<File>,
    pub(super) fold: Fold,
}

/// Whether an append is durable before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    Yes,
    No,
}

impl Sync {
    /// A claim under a cap or limit is durable before it is granted.
    pub(super) fn of(claim: &Claim) -> Self {
        if claim.is_limited() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

impl Ledger {
    /// Runs `act` on what the file says now; nobody else reads or writes it meanwhile.
    pub(super) fn with_lock<T>(
        &self,
        at_ms: u64,
        act: impl FnOnce(&mut Known) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut slot = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Whatever fails below, the file is read anew the next time.
        let mut known = match slot.take() {
            Some(known) => self.lock_again(known, at_ms)?,
            None => self.lock_anew(at_ms)?,
        };
        let done = act(&mut known)?;
        flock(&known.file, FlockOperation::Unlock).at("unlock", &self.path())?;
        *slot = Some(known);
        Ok(done)
    }

    fn lock_again(&self, mut known: Known, at_ms: u64) -> Result<Known, Error> {
        let until = Instant::now() + PATIENCE;
        let disk = self.edges.disk.as_ref();
        if !self.file.lock_opened(disk, &known.file, until)? {
            return self.lock_anew(at_ms);
        }
        if self.catch_up(&mut known)? {
            return Ok(known);
        }
        let Known { file, head, .. } = known;
        self.look(file, head, at_ms)
    }

    fn lock_anew(&self, at_ms: u64) -> Result<Known, Error> {
        let file = self.file.lock(self.edges.disk.as_ref(), PATIENCE)?;
        self.look(file, None, at_ms)
    }

    /// Takes in what others appended; `false` when the file must be read from its beginning.
    fn catch_up(&self, known: &mut Known) -> Result<bool, Error> {
        let path = self.path();
        let file_bytes = known.file.metadata().at("look at", &path)?.len();
        if file_bytes == known.end_bytes {
            return Ok(true);
        }
        let Some(more_bytes) = file_bytes.checked_sub(known.end_bytes) else {
            return Ok(false);
        };
        let mut bytes = vec![0; usize::try_from(more_bytes).unwrap_or_default()];
        known
            .file
            .read_exact_at(&mut bytes, known.end_bytes)
            .at("read", &path)?;
        let verified = verify_from(known.chain, &bytes, None);
        if verified.tail != Tail::Clean {
            return Ok(false);
        }
        self.take_in(&mut known.fold, &verified.records)?;
        known.chain = verified.end;
        known.end_bytes = file_bytes;
        Ok(true)
    }

    /// Reads the whole locked file; sets it aside if it cannot be trusted.
    fn look(&self, file: File, head: Option<File>, at_ms: u64) -> Result<Known, Error> {
        let path = self.path();
        let file_bytes = file.metadata().at("look at", &path)?.len();
        let mut bytes = vec![0; usize::try_from(file_bytes).unwrap_or_default()];
        file.read_exact_at(&mut bytes, 0).at("read", &path)?;
        let read = self.read(&bytes, self.file.read_head())?;
        if let Some(damage) = read.damage.clone() {
            return self.set_aside(file, read, damage, at_ms);
        }
        Ok(Known {
            file,
            end_bytes: read.end_bytes,
            carried_bytes: read.carried_bytes,
            named: read.chain.seq > Seq(0),
            chain: read.chain,
            head,
            fold: read.fold,
        })
    }

    /// Keeps a damaged file under another name and begins a new one with what is left of it. Totals
    /// may be too low from here on: no claim is granted under a cap until they are counted again.
    fn set_aside(
        &self,
        file: File,
        read: Read,
        damage: Uncertain,
        at_ms: u64,
    ) -> Result<Known, Error> {
        let mut known = Known {
            file,
            end_bytes: 0,
            carried_bytes: 0,
            named: true,
            chain: read.chain,
            head: None,
            fold: read.fold,
        };
        let what = format!("the ledger, at record {}: {}", damage.at_seq, damage.what);
        known.fold.uncertain.get_or_insert(damage);
        let kept = self.file.damaged();
        self.begin_anew(&mut known, at_ms, &kept)?;
        let fact = SystemFact::LogDamaged(LogDamaged {
            what,
            kept_as: name(&kept),
        });
        let run = RunId::from_uuid(Uuid::nil());
        let event = SystemEvent::new(at_ms, run, None, fact);
        let log = Installation::new(self.file.home().to_owned(), self.edges.clone());
        // The mark in the ledger itself is what counts.
        let _said = log.append(vec![event]);
        Ok(known)
    }

    /// Refuses a claim under a cap or limit that the totals cannot judge.
    pub(super) fn refuse_uncertain(&self, known: &Known, claim: &Claim) -> Result<(), Error> {
        let uncertain = known.fold.uncertain.as_ref();
        if let Some(Uncertain { at_seq, what }) = uncertain.filter(|_| claim.is_limited()) {
            return Err(Error::Damaged {
                path: self.file.damaged(),
                at_seq: *at_seq,
                intact_seq: Seq(at_seq.0.saturating_sub(1)),
                what: what.clone(),
                next: NEXT_UNCERTAIN.to_owned(),
            });
        }
        if !claim.day_cap.is_empty() && known.fold.has_dropped(claim.at_ms) {
            return Err(Error::Invalid {
                what: "the clock stands at a day whose total is kept no longer".to_owned(),
                next: "Set the clock of this machine".to_owned(),
            });
        }
        Ok(())
    }

    /// Appends entries and takes them in. With [`Sync::Yes`] they, and all before them, are durable
    /// on return.
    pub(super) fn append(
        &self,
        known: &mut Known,
        entries: &[Entry],
        sync: Sync,
    ) -> Result<(), Error> {
        let mut staged = self.stage(known.chain, entries)?;
        let limit_bytes = self.most_bytes.max(2 * known.carried_bytes);
        let is_full = known.end_bytes + staged.1.len() as u64 > limit_bytes;
        if is_full && known.end_bytes > known.carried_bytes && !entries.is_empty() {
            let at_ms = entries.first().map_or(0, |entry| entry.at_ms);
            self.begin_anew(known, at_ms, &self.file.old())?;
            staged = self.stage(known.chain, entries)?;
        }
        let (chain, bytes) = staged;
        if let Err(error) = self.write(known, &bytes, sync) {
            // Nothing is granted, so nothing need stay; what does stay is counted.
            let _cut = known.file.set_len(known.end_bytes);
            return Err(error);
        }
        known.chain = chain;
        known.end_bytes += bytes.len() as u64;
        if sync == Sync::Yes {
            self.set_head(known);
        }
        for entry in entries {
            known.fold.apply(entry.clone());
        }
        Ok(())
    }

    fn stage(&self, mut chain: Chain, entries: &[Entry]) -> Result<(Chain, Vec<u8>), Error> {
        let path = self.path();
        let salts = self.edges.salts.take(chain.seq.0 + 1, entries.len());
        let salts = salts.at("take random bytes for", &path)?;
        let mut bytes = Vec::new();
        for (entry, salt) in entries.iter().zip(salts) {
            let body = serde_json::to_vec(entry).map_err(io::Error::from);
            chain.extend_body(&body.at("write", &path)?, Epoch(0), salt, &mut bytes);
        }
        Ok((chain, bytes))
    }

    /// Writes after what is intact; whatever was torn there goes first.
    fn write(&self, known: &mut Known, bytes: &[u8], sync: Sync) -> Result<(), Error> {
        let path = self.path();
        let disk = self.edges.disk.as_ref();
        if known.file.metadata().at("look at", &path)?.len() > known.end_bytes {
            known.file.set_len(known.end_bytes).at("cut", &path)?;
        }
        if !bytes.is_empty() {
            let written = disk.write_at(&known.file, bytes, known.end_bytes);
            written.at("write", &path)?;
        }
        if sync == Sync::Yes {
            disk.sync(&known.file).at("sync", &path)?;
        }
        if !known.named {
            sync_folder(disk, self.file.home())?;
            known.named = true;
        }
        Ok(())
    }

    /// Begins a new file with all that is known; the old one is kept under the name `kept`.
    pub(super) fn begin_anew(
        &self,
        known: &mut Known,
        at_ms: u64,
        kept: &std::path::Path,
    ) -> Result<(), Error> {
        let carried = known.fold.carry(at_ms);
        let fold = Fold::from(carried.clone());
        let entry = Entry::new(at_ms, LedgerFact::Carried(Box::new(carried)));
        let (chain, bytes) = self.stage(known.chain, &[entry])?;
        let locked = known.file.try_clone().at("open", &self.path())?;
        let disk = self.edges.disk.as_ref();
        known.file = self.file.begin_anew(disk, locked, kept, &bytes)?;
        known.fold = fold;
        known.chain = chain;
        known.end_bytes = bytes.len() as u64;
        known.carried_bytes = known.end_bytes;
        self.set_head(known);
        Ok(())
    }

    /// Names the last synced record: a witness, so failing to write it harms nothing.
    fn set_head(&self, known: &mut Known) {
        let disk = self.edges.disk.as_ref();
        if known.head.is_none() {
            known.head = disk.open_or_create(&self.file.head()).ok();
        }
        let bytes = self.file.render_head(&known.chain);
        let written = known
            .head
            .as_ref()
            .map(|file| disk.write_at(file, &bytes, 0));
        if !matches!(written, Some(Ok(()))) {
            known.head = None;
        }
    }
}

/// What helps when totals may be too low.
const NEXT_UNCERTAIN: &str = "No cap over a day, a project or a rate can be held on what is left: \
     count again from the journals with `bowline usage rebuild`, or go on without such caps";
