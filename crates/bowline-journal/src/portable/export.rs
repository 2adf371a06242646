//! Writing a session out, owned or not. Changes nothing.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline_core::call::BlobRef;
use bowline_core::{Digest, Seq};

use super::{FORMAT, VERSION, note_blobs};
use crate::Error;
use crate::blob::verify_blob;
use crate::error::At as _;
use crate::lock::owner_of;
use crate::read::{ReadOnly, damage, read_head};
use crate::record::{Chain, Finding, Line, hex};

/// What was written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The last record.
    pub last_seq: Seq,
    /// How many stored bodies went with it.
    pub blobs: usize,
    /// Stored bodies that it refers to and that are missing or damaged: they were left out.
    pub left_out: Vec<Digest>,
}

/// Bytes of a stored body that are encoded at once; a multiple of 3, so that pieces join.
const PIECE_BYTES: usize = 48 << 10;

impl ReadOnly {
    /// Writes the session as one JSON object with a line end: every intact record, or of a session
    /// that has an owner every durable one, and the stored bodies they refer to. Nothing is
    /// written before the chain was checked. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Unreadable`] when the chain does not hold, [`Error::Invalid`]
    /// when nothing was recorded yet, [`Error::Io`] when a file cannot be read or `out` not be
    /// written.
    pub fn export(&self, out: &mut dyn Write) -> Result<Exported, Error> {
        let (last, refers) = self.survey()?;
        let folder = self.dir().blobs();
        let (mut blobs, mut left_out) = (Vec::new(), Vec::new());
        for digest in refers {
            let path = folder.join(digest.to_hex());
            let bytes = std::fs::metadata(&path).map_or(0, |found| found.len());
            let blob = BlobRef { digest, bytes };
            match verify_blob(&path, &blob) {
                Ok(()) => blobs.push(blob),
                Err(_) => left_out.push(digest),
            }
        }
        self.write_out(out, last, &blobs)
            .at("write out", self.dir().path())?;
        Ok(Exported {
            last_seq: last.seq,
            blobs: blobs.len(),
            left_out,
        })
    }

    /// Checks everything that is to be written out: where the chain stands at its end, and which
    /// stored bodies it refers to.
    fn survey(&self) -> Result<(Chain, BTreeSet<Digest>), Error> {
        let owned = owner_of(self.dir())?.is_some();
        // Read before the journal, which then holds at least what the head names.
        let head = read_head(self.dir(), self.session())?;
        let durable = head.map_or(Seq(0), |head| head.seq);
        let path = self.dir().journal();
        let mut chain = Chain::start(self.session());
        let mut refers = BTreeSet::new();
        let mut lines = Lines::of(&path).at("read", &path)?;
        while let Some(line) = lines.next().at("read", &path)? {
            if owned && chain.seq >= durable {
                break;
            }
            let Some(line) = line.strip_suffix(b"\n") else {
                break;
            };
            let Ok(record) = chain.follow(line) else {
                break;
            };
            note_blobs(record.body, &mut refers);
            if head.is_some_and(|head| head.seq == chain.seq && head.hash != chain.hash) {
                let at_seq = chain.seq;
                let fault = crate::record::Fault::Head;
                return Err(damage(&path, &Finding { at_seq, fault }));
            }
        }
        if !owned || chain.seq < durable {
            // What could not be followed is a batch that was never acknowledged, or damage.
            if let Some(finding) = self.read_intact()?.finding {
                return Err(finding);
            }
        }
        if chain.seq == Seq(0) {
            return Err(Error::Invalid {
                what: format!("session {} has no record yet", self.session()),
                next: "Export it once it has begun".to_owned(),
            });
        }
        Ok((chain, refers))
    }

    fn write_out(&self, out: &mut dyn Write, last: Chain, blobs: &[BlobRef]) -> io::Result<()> {
        let session = self.session();
        write!(
            out,
            "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"id\":\"{session}\",\"events\":["
        )?;
        let mut chain = Chain::start(session);
        let mut lines = Lines::of(&self.dir().journal())?;
        let changed = || io::Error::other("the journal was changed while it was read");
        while chain.seq < last.seq {
            let line = lines.next()?.ok_or_else(changed)?;
            let line = line.strip_suffix(b"\n").ok_or_else(changed)?;
            let Line {
                salt, commitment, ..
            } = Line::parse(line).map_err(|_| changed())?;
            let record = chain.follow(line).map_err(|_| changed())?;
            let comma = if chain.seq == Seq(1) { "" } else { "," };
            let (seq, epoch, hash) = (chain.seq, chain.epoch, chain.hash);
            let salt = hex(&salt);
            write!(
                out,
                "{comma}{{\"seq\":{seq},\"epoch\":{epoch},\"commitment\":\"{commitment}\",\
                 \"salt\":\"{salt}\",\"hash\":\"{hash}\",\"event\":"
            )?;
            out.write_all(record.body)?;
            out.write_all(b"}")?;
        }
        if chain != last {
            return Err(changed());
        }
        out.write_all(b"],\"blobs\":[")?;
        for (index, blob) in blobs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let BlobRef { digest, bytes } = blob;
            write!(
                out,
                "{comma}{{\"digest\":\"{digest}\",\"bytes\":{bytes},\"base64\":\""
            )?;
            write_body(out, &self.dir().blobs().join(digest.to_hex()))?;
            out.write_all(b"\"}")?;
        }
        out.write_all(b"]}\n")
    }
}

fn write_body(out: &mut dyn Write, path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    loop {
        piece.clear();
        let most = PIECE_BYTES as u64;
        if (&file).take(most).read_to_end(&mut piece)? == 0 {
            return Ok(());
        }
        out.write_all(STANDARD.encode(&piece).as_bytes())?;
    }
}

/// The lines of a file one after the other, line ends included.
struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
}

impl Lines {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::with_capacity(256 << 10, File::open(path)?),
            line: Vec::new(),
        })
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let read = self.file.read_until(b'\n', &mut self.line)?;
        Ok((read > 0).then_some(&self.line[..]))
    }
}
