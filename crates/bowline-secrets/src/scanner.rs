//! Walks a text line by line and asks each recogniser where its turn comes.
//!
//! The walk goes from one run of identifier characters to the next: a token can only begin where
//! such a run begins, and a name can only end where one ends. What lies between costs one table
//! look-up a byte.

use crate::assign::{Slot, secret_in, slot};
use crate::auth;
use crate::awaited::Awaited;
use crate::block::Opening;
use crate::bytes::{before, byte_at, find};
use crate::calls;
use crate::encoded;
use crate::formats::{Hit, in_base64, token_at};
use crate::known::Known;
use crate::known_hits;
use crate::lanes::{Signs, Words};
use crate::names;
use crate::options;
use crate::plain::Plain;
use crate::shapes::{self, Word};
use crate::telling::may_tell;
use crate::token::{token_end, touches_token};
use crate::unescaped::Unescaped;
use crate::url;

/// Longest run of identifier characters that is taken for one, in bytes.
const LONGEST_WORD: usize = 4096;

/// How far into encoded text the scanner looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Plain text, whose encoded parts are looked into.
    Plain,
    /// The inside of an encoded part.
    Decoded,
}

/// Scans the lines of one text in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    awaited: Option<Awaited>,
}

/// What one line holds.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// Secrets, in order, disjoint.
    pub(crate) hits: Vec<Hit>,
    /// Where a private key begins that goes on in the next lines.
    pub(crate) opening: Option<usize>,
}

impl Scanner {
    /// Scans the next line, with or without its line end.
    ///
    /// What is found is replaced by tokens and the line is scanned again, until nothing is left
    /// to find: so a masked text holds nothing that would be masked.
    pub(crate) fn line(&mut self, line: &[u8], known: &Known) -> Scanned {
        if self.awaited.is_none() {
            let mut pass = Pass::new(line, Depth::Plain);
            let signs = pass.walk();
            let bare = pass.scanned.hits.is_empty()
                && !signs.terminal
                && !(signs.escape && Unescaped::any(line))
                && (known.is_empty() || known.places(line).is_empty());
            if bare {
                self.awaited = pass.awaited;
                return pass.scanned;
            }
        }
        self.line_with_hits(line, known)
    }

    fn line_with_hits(&mut self, line: &[u8], known: &Known) -> Scanned {
        const MOST_PASSES: usize = 8;
        let mut plain = Plain::of(line);
        if !known.is_empty() {
            plain.replace(&known_hits(&plain.text, known));
        }
        let awaited = self.awaited.take();
        let found = awaited.and_then(|awaited| awaited.take(&plain.text));
        let later = match found {
            Some(_) => None,
            None => awaited.and_then(Awaited::later),
        };
        plain.replace(found.as_slice());
        let mut opening = None;
        for _ in 0..MOST_PASSES {
            let mut pass = Pass::new(&plain.text, Depth::Plain);
            pass.walk();
            self.awaited = pass.awaited.or(later);
            let Scanned {
                mut hits,
                opening: open,
            } = pass.scanned;
            opening = open;
            if hits.is_empty() {
                hits = behind_escapes(&plain.text);
            }
            if hits.is_empty() {
                break;
            }
            plain.replace(&hits);
        }
        Scanned {
            hits: plain.hits(),
            opening: opening.map(|at| plain.place(at)),
        }
    }

    /// Scans a part of a line; nothing is carried to what follows.
    pub(crate) fn part(&self, part: &[u8], known: &Known) -> Vec<Hit> {
        self.clone().line(part, known).hits
    }
}

struct Pass<'a> {
    text: &'a [u8],
    depth: Depth,
    scanned: Scanned,
    awaited: Option<Awaited>,
}

impl<'a> Pass<'a> {
    fn new(text: &'a [u8], depth: Depth) -> Self {
        Self {
            text,
            depth,
            scanned: Scanned::default(),
            awaited: None,
        }
    }

    /// Walks the text; returns what it holds beside words, if it holds no secrets.
    fn walk(&mut self) -> Signs {
        let text = self.text;
        let mut words = Words::new(text);
        let (mut from, mut floor) = (0, 0);
        while let Some((start, end)) = words.next(from, LONGEST_WORD) {
            from = end;
            if !may_tell(text, start, end) {
                continue;
            }
            if let Some(token) = mask_token_end(text, start, end) {
                from = token;
                continue;
            }
            let hit = self.word(start, end, floor);
            let Some(hit) = hit.filter(|hit| !touches_token(text, &hit.range)) else {
                continue;
            };
            if hit.range.end > start {
                from = hit.range.end;
            }
            floor = from;
            let key_id = hit.kind == "aws-access-key-id";
            self.scanned.hits.push(hit);
            let secret = key_id.then(|| shapes::aws_secret_after(text, from));
            if let Some(secret) = secret.flatten() {
                from = secret.range.end;
                floor = from;
                self.scanned.hits.push(secret);
            }
        }
        self.add_repeats();
        words.signs
    }

    /// Adds the other places at which a line holds a value that was found in it.
    fn add_repeats(&mut self) {
        const LONGEST_LINE: usize = 4096;
        const SHORTEST_VALUE: usize = 10;
        let (text, hits) = (self.text, &mut self.scanned.hits);
        if text.len() > LONGEST_LINE {
            return;
        }
        for index in 0..hits.len() {
            let Hit { range, kind } = hits[index].clone();
            let mut from = if range.len() < SHORTEST_VALUE {
                text.len()
            } else {
                0
            };
            while let Some(start) = find(text, &text[range.clone()], from) {
                let place = start..start + range.len();
                from = place.end;
                let apart = |hit: &Hit| hit.range.end <= start || hit.range.start >= from;
                if hits.iter().all(apart) && !touches_token(text, &place) {
                    hits.push(Hit { range: place, kind });
                }
            }
        }
        hits.sort_by_key(|hit| hit.range.start);
    }

    /// Returns the secret that this run of identifier characters begins, announces or marks.
    #[inline(never)]
    fn word(&mut self, start: usize, end: usize, floor: usize) -> Option<Hit> {
        let text = self.text;
        let run = &text[start..end];
        if let Some(hit) = self.token(start, end, floor) {
            return Some(hit);
        }
        match run {
            b"BEGIN" => {
                let word = Word {
                    text,
                    start,
                    end,
                    floor,
                };
                if let Some(hit) = shapes::one_line_private_key(&word) {
                    return Some(hit);
                }
                self.open_block(start);
            }
            b"Lines" if text[..start].ends_with(b"Private-") => {
                self.scanned.opening = Some(text.len());
            }
            b"echo" | b"printf" => return options::piped(text, end),
            b"sqlplus" | b"impdp" | b"expdp" => return options::pair(text, end + 1, b'/'),
            b"thin" => return url::password_of_thin(text, end),
            b"user" if text[..start].ends_with(b"--") || text[..start].ends_with(b"-proxy-") => {
                return options::pair(text, end + 1, b':');
            }
            _ if run.len() == 1 || before(text, start) == b'-' => {
                if let Some(hit) = options::short_option(text, start, end) {
                    return Some(hit);
                }
            }
            _ => {}
        }
        if before(text, start) == b'@' {
            return url::password_before_host(text, start, floor);
        }
        if byte_at(text, end) == b':' {
            if url::is_scheme_sign(text, end) {
                return url::password_at(text, end);
            }
            if let Some(hit) = url::password_of_pgpass(text, start, end) {
                return Some(hit);
            }
        }
        if let Some(hit) = calls::secret_of_call(text, start, end) {
            return Some(hit);
        }
        if let Some(hit) = auth::credential_after(text, start, end) {
            return Some(hit);
        }
        self.named(start, end)
    }

    /// Returns the token that begins with this run, or just inside it behind an escape.
    fn token(&self, start: usize, end: usize, floor: usize) -> Option<Hit> {
        let text = self.text;
        let starts = [
            Some(start),
            inner_start(text, start).filter(|inner| *inner < end),
        ];
        for start in starts.into_iter().flatten() {
            let word = Word {
                text,
                start,
                end,
                floor,
            };
            let hit = token_at(text, start).or_else(|| shapes::token_at(&word));
            if hit.is_some() {
                return hit;
            }
        }
        joined_token(text, start, end).or_else(|| self.encoded(start, end))
    }

    fn open_block(&mut self, start: usize) {
        let Some(opening) = Opening::find(self.text, start) else {
            return;
        };
        if crate::block::Block::may_follow(&self.text[opening.end..]) {
            self.scanned.opening = Some(opening.start);
        }
    }

    /// Returns the value that the name which ends here announces.
    fn named(&mut self, start: usize, end: usize) -> Option<Hit> {
        let text = self.text;
        if !names::may_end_name(&text[start..end], byte_at(text, end)) {
            return None;
        }
        let name = names::name_at(text, start, end)?;
        match slot(text, &name)? {
            Slot::Here(at, joint) => secret_in(text, &name, at, joint),
            elsewhere => {
                self.awaited = Awaited::from(text, &name, elsewhere);
                None
            }
        }
    }

    /// Returns encoded text that hides a secret.
    fn encoded(&self, start: usize, end: usize) -> Option<Hit> {
        if self.depth == Depth::Decoded || in_base64(self.text, start) {
            return None;
        }
        let (close, decoded) = encoded::decoded(self.text, start, end)?;
        let holds = decoded.split(|byte| *byte == b'\n').any(|line| {
            let mut pass = Pass::new(line, Depth::Decoded);
            pass.walk();
            !pass.scanned.hits.is_empty() || pass.scanned.opening.is_some()
        });
        holds.then_some(Hit {
            range: start..close,
            kind: "encoded-secret",
        })
    }
}

/// Returns the secrets that show once the escapes of a line are resolved.
fn behind_escapes(line: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for view in Unescaped::stretches(line) {
        let mut pass = Pass::new(&view.text, Depth::Plain);
        pass.walk();
        let places = pass.scanned.hits.into_iter().map(|hit| Hit {
            range: view.origin(&hit.range),
            ..hit
        });
        hits.extend(places.filter(|hit| !touches_token(line, &hit.range)));
    }
    hits
}

/// Returns the token that follows an underscore in a long word: `name_TOKEN`.
fn joined_token(text: &[u8], start: usize, end: usize) -> Option<Hit> {
    const SHORTEST: usize = 32;
    let mut at = start;
    while end - at >= SHORTEST {
        at += 1 + text[at..end].iter().position(|byte| *byte == b'_')?;
        if let Some(hit) = token_at(text, at) {
            return Some(hit);
        }
    }
    None
}

/// Returns where a word really begins that is glued to an escape: `\nTOKEN`, `%3DTOKEN`.
fn inner_start(text: &[u8], start: usize) -> Option<usize> {
    match before(text, start) {
        b'\\' if matches!(text[start], b'n' | b't' | b'r') => Some(start + 1),
        b'%' if text
            .get(start..start + 2)?
            .iter()
            .all(u8::is_ascii_hexdigit) =>
        {
            Some(start + 2)
        }
        _ => None,
    }
}

/// Returns the end of the mask token whose first word is `text[start..end]`.
fn mask_token_end(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let opens = &text[start..end] == b"secret" && before(text, start) == b'[';
    opens.then(|| token_end(text, start - 1))?
}

/// Whether a recogniser has something to say about the word `text[start..end]`.
#[cfg(test)]
pub(crate) fn tells(text: &[u8], start: usize, end: usize) -> bool {
    let mut pass = Pass::new(text, Depth::Plain);
    let marks = mask_token_end(text, start, end).is_some();
    let hit = pass.word(start, end, 0).is_some();
    marks || hit || pass.awaited.is_some() || pass.scanned.opening.is_some()
}
