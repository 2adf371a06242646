//! Masks the output of a command as it comes.

use std::collections::BTreeMap;

use crate::Kind;
use crate::block::{self, Block, Step};
use crate::bytes::{Alphabet, find, is_blank};
use crate::formats::Hit;
use crate::known_hits;
use crate::mask::Masker;
use crate::scanner::Scanner;
use crate::token::{self, Hash, Key};

/// Most bytes of an unfinished line that are held back.
const LIMIT: usize = 16 * 1024;

/// How much of an overlong line stays held back when the rest is let go: no secret within a line
/// is longer.
const CARRY: usize = 8 * 1024;

/// How far in front of a secret the name that gives it away may stand, in bytes.
const CONTEXT: usize = 256;

/// Masks secrets in a stream of bytes.
///
/// Lines are held back until they are complete, up to 16 KiB; a private key is followed to its
/// end and becomes one token. Bytes that are no UTF-8 pass unchanged. However the stream is cut
/// into pieces, what comes out is the same, unless [`StreamMasker::idle`] is called.
#[derive(Clone)]
pub struct StreamMasker {
    masker: Masker,
    scanner: Scanner,
    /// The unfinished line.
    pending: Vec<u8>,
    /// How much of it was let go while idle. It stays, since it tells what follows.
    emitted: usize,
    block: Option<Held>,
    found: BTreeMap<Kind, u64>,
}

/// A private key that has begun.
#[derive(Clone)]
struct Held {
    block: Block,
    /// Its text, until it is known to be a key; nothing after.
    text: Vec<u8>,
    /// How its last line ended.
    line_end: &'static [u8],
    /// What its token's id comes from, if it has one: the text up to the last line end.
    hash: Option<Hash>,
}

impl StreamMasker {
    /// Creates a masker for one stream.
    pub fn new(masker: Masker) -> Self {
        Self {
            masker,
            scanner: Scanner::default(),
            pending: Vec::new(),
            emitted: 0,
            block: None,
            found: BTreeMap::new(),
        }
    }

    /// Returns how many secrets of each kind were masked so far.
    pub fn found(&self) -> impl Iterator<Item = (Kind, u64)> {
        self.found.iter().map(|(kind, count)| (*kind, *count))
    }

    /// Takes the next bytes and appends to `out` what can be let go.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = rest.len().min(LIMIT - self.pending.len());
            let line = rest[..room].iter().position(|byte| *byte == b'\n');
            let (taken, left) = rest.split_at(line.map_or(room, |at| at + 1));
            rest = left;
            if line.is_some() && self.pending.is_empty() {
                self.line(taken, 0, out);
                continue;
            }
            self.pending.extend_from_slice(taken);
            if line.is_some() || self.block.is_some() && self.pending.len() == LIMIT {
                self.pending_line(out);
            } else if self.pending.len() == LIMIT {
                self.overflow(out);
            }
        }
    }

    /// Ends the stream: appends to `out` everything that was held back, masked.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.pending.is_empty() {
            self.pending_line(out);
        }
        if let Some(held) = self.block.take() {
            self.close(held, &[], out);
        }
    }

    /// Lets an unfinished line go, as far as no secret can begin in it: call this when the program
    /// has been quiet for a moment, so that its prompt is seen.
    pub fn idle(&mut self, out: &mut Vec<u8>) {
        if self.block.is_some() {
            return;
        }
        let hits = self.hits_of_part(&self.pending);
        let mut hold = self.hold();
        for hit in &hits {
            if hit.range.end > hold {
                hold = hold.min(hit.range.start);
            }
        }
        if hold > self.emitted {
            let told = (self.masker.key.as_ref(), &mut self.found);
            emit(&self.pending[..hold], &hits, self.emitted, told, out);
            self.emitted = hold;
        }
    }

    fn pending_line(&mut self, out: &mut Vec<u8>) {
        let mut line = std::mem::take(&mut self.pending);
        let emitted = std::mem::take(&mut self.emitted);
        self.line(&line, emitted, out);
        line.clear();
        self.pending = line;
    }

    /// Takes a complete line of which `emitted` bytes are out already.
    fn line(&mut self, line: &[u8], emitted: usize, out: &mut Vec<u8>) {
        let mut from = 0;
        if let Some(mut held) = self.block.take() {
            match held.block.step(line, &self.masker.known) {
                Step::Inside => {
                    held.add(line);
                    self.block = Some(held);
                    return;
                }
                Step::Ends(end) => from = self.close(held, &line[..end], out),
            }
        }
        let line = &line[from..];
        let scanned = self.scanner.line(line, &self.masker.known);
        let opening = scanned.opening.unwrap_or(line.len());
        let told = (self.masker.key.as_ref(), &mut self.found);
        let emitted = emitted.saturating_sub(from);
        emit(&line[..opening], &scanned.hits, emitted, told, out);
        if scanned.opening.is_some() {
            let mut held = Held {
                block: Block::default(),
                text: Vec::new(),
                line_end: b"",
                hash: self.masker.key.as_ref().map(Key::hash),
            };
            held.add(&line[opening..]);
            self.block = Some(held);
        }
    }

    /// Ends a block; returns how much of the line that ends it belongs to it, of `last` which
    /// would if it is a key.
    fn close(&mut self, held: Held, last: &[u8], out: &mut Vec<u8>) -> usize {
        if held.block.is_key() {
            let id = held.hash.map(|mut hash| {
                if !last.is_empty() {
                    hash.add(held.line_end);
                    hash.add(last);
                }
                hash.id()
            });
            out.extend_from_slice(token::with_id(block::KIND, id).as_bytes());
            *self.found.entry(Kind(block::KIND)).or_default() += 1;
            if last.is_empty() {
                out.extend_from_slice(held.line_end);
            }
            return last.len();
        }
        let hits = known_hits(&held.text, &self.masker.known);
        let told = (self.masker.key.as_ref(), &mut self.found);
        emit(&held.text, &hits, 0, told, out);
        0
    }

    /// Lets the beginning of an overlong line go.
    fn overflow(&mut self, out: &mut Vec<u8>) {
        let hits = self.hits_of_part(&self.pending);
        let wished = LIMIT - CARRY;
        let word = self.pending[wished - CONTEXT..wished]
            .iter()
            .rposition(|byte| is_blank(*byte));
        let mut cut = word.map_or(wished, |at| wished - CONTEXT + at + 1);
        while self.pending[cut] & 0xc0 == 0x80 && cut > wished - 4 {
            cut -= 1;
        }
        for hit in &hits {
            let told = hit.range.start < cut + CONTEXT && hit.range.end > cut;
            if told && hit.range.end < self.pending.len() {
                cut = hit.range.end;
            }
        }
        let told = (self.masker.key.as_ref(), &mut self.found);
        emit(&self.pending[..cut], &hits, self.emitted, told, out);
        self.pending.drain(..cut);
        self.emitted = self.emitted.saturating_sub(cut);
        self.scanner = Scanner::default();
    }

    fn hits_of_part(&self, part: &[u8]) -> Vec<Hit> {
        self.scanner.part(part, &self.masker.known)
    }

    /// Returns the place in the unfinished line from which on a secret could begin.
    fn hold(&self) -> usize {
        // Random characters: whatever would make these a secret holds them back.
        const PROBE: &[u8] = b"q7Xw9Kd2Rt5Mn8Vb3Jf6Hc1Zy4Lp0Gs";
        let length = self.pending.len();
        let mut hold = length;
        while hold > 0 && Alphabet::TOKEN68.holds(self.pending[hold - 1]) {
            hold -= 1;
        }
        for opening in [b"-----BEGIN".as_slice(), b"---- BEGIN"] {
            hold = hold.min(find(&self.pending, opening, 0).unwrap_or(length));
        }
        let probed = [&self.pending, PROBE].concat();
        let begun = self
            .scanner
            .part(&probed, &self.masker.known)
            .into_iter()
            .filter(|hit| hit.range.end > length);
        hold = begun.map(|hit| hit.range.start).fold(hold, usize::min);
        hold.min(length - self.masker.known.begun(&self.pending))
    }
}

impl std::fmt::Debug for StreamMasker {
    /// Says how much is held back, never what.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("StreamMasker")
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

impl Held {
    fn add(&mut self, line: &[u8]) {
        if self.block.is_key() {
            self.text.clear();
        } else {
            self.text.extend_from_slice(line);
        }
        let before = std::mem::replace(&mut self.line_end, block::line_end(line));
        if let Some(hash) = &mut self.hash {
            hash.add(before);
            hash.add(&line[..line.len() - self.line_end.len()]);
        }
    }
}

/// Appends the text from `from` on, with a token for each hit that lies in it, and counts them.
fn emit(
    text: &[u8],
    hits: &[Hit],
    from: usize,
    (key, found): (Option<&Key>, &mut BTreeMap<Kind, u64>),
    out: &mut Vec<u8>,
) {
    let mut at = from;
    for hit in hits {
        if hit.range.end <= at || hit.range.start >= text.len() {
            continue;
        }
        out.extend_from_slice(&text[at..hit.range.start.max(at)]);
        let value = &text[hit.range.start..hit.range.end.min(text.len())];
        out.extend_from_slice(token::token(hit.kind, key, value).as_bytes());
        *found.entry(Kind(hit.kind)).or_default() += 1;
        at = hit.range.end;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
}

#[cfg(test)]
mod tests;
