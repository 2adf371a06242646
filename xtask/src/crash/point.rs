//! Where a session can be killed: a system call on a file, named so that two runs agree.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::act::{Act, Kind};

#[cfg(test)]
mod tests;

/// Whether a point lies before its system call is made or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    Before,
    After,
}

/// What an order to a keeper is written to, by its stable name.
const ORDER: &str = "order";

/// One point of a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    call: &'static str,
    file: String,
    ordinal: u32,
    edge: Edge,
}

impl Point {
    /// Whether an order to a keeper is about to be written, or was just written.
    pub(super) fn is_order(&self, edge: Edge) -> bool {
        self.file == ORDER && self.edge == edge
    }

    /// Whether a journal is about to be written.
    pub(super) fn is_append(&self) -> bool {
        self.call == Kind::Write.name() && self.file.ends_with("/journal.jsonl")
    }

    /// Whether a process was just started.
    pub(super) fn is_spawned(&self) -> bool {
        self.call == Kind::Spawn.name() && self.edge == Edge::After
    }

    /// The same point on the other side of its system call.
    pub(super) fn on(&self, edge: Edge) -> Self {
        Self {
            edge,
            ..self.clone()
        }
    }

    /// What kind of point it is, wherever it stands in its process.
    pub(super) fn kind(&self) -> String {
        let after = if self.edge == Edge::After {
            " done"
        } else {
            ""
        };
        format!("{}{after} {}", self.call, self.file)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} #{}", self.kind(), self.ordinal)
    }
}

/// Names the points of one process as they come.
#[derive(Default)]
pub(super) struct Namer {
    ids: BTreeMap<String, String>,
    counts: BTreeMap<(&'static str, String, Edge), u32>,
}

impl Namer {
    /// The point at which `act` stands, if it is one: an act on state folder or workspace below
    /// `root`, on the pipe to a keeper, or the start of one.
    pub(super) fn point(&mut self, root: &Path, act: &Act, edge: Edge) -> Option<Point> {
        if matches!(act.kind, Kind::Create | Kind::Other) {
            return None;
        }
        let file = match act.kind {
            Kind::Spawn => "keeper".to_owned(),
            _ => self.file(root, act)?,
        };
        // Between other calls there is nothing that a kill could tell apart.
        let has_two_sides =
            matches!(act.kind, Kind::Rename | Kind::Link | Kind::Spawn) || file == ORDER;
        if edge == Edge::After && !has_two_sides {
            return None;
        }
        let call = act.kind.name();
        let count = self.counts.entry((call, file.clone(), edge)).or_default();
        *count += 1;
        Some(Point {
            call,
            file,
            ordinal: *count,
            edge,
        })
    }

    /// The stable name of the file that an act is about: the new one of a rename or a link.
    fn file(&mut self, root: &Path, act: &Act) -> Option<String> {
        let path = act.to.as_deref().unwrap_or(&act.path);
        if let Ok(inside) = path.strip_prefix(root) {
            let name = self.name(&inside.to_string_lossy());
            return Some(if name.is_empty() {
                ".".to_owned()
            } else {
                name
            });
        }
        // Descriptors 0 to 2 lead to whoever started the program.
        let is_pipe = path.to_string_lossy().starts_with("pipe:");
        let is_order = is_pipe && act.descriptor.is_some_and(|number| number > 2);
        is_order.then(|| ORDER.to_owned())
    }

    /// Replaces what differs from run to run: ids by their number in order of appearance; hashes,
    /// times and process ids by words.
    pub(super) fn name(&mut self, text: &str) -> String {
        let mut named = String::new();
        for piece in text.split_inclusive(['/', '.']) {
            let (word, end) = match piece.char_indices().last() {
                Some((at, '/' | '.')) => piece.split_at(at),
                _ => (piece, ""),
            };
            if is_id(word) {
                let next = format!("id{}", self.ids.len() + 1);
                named.push_str(self.ids.entry(word.to_owned()).or_insert(next));
            } else {
                let words: Vec<&str> = word.split('-').map(plain).collect();
                named.push_str(&words.join("-"));
            }
            named.push_str(end);
        }
        named
    }
}

/// A UUID as it is written.
fn is_id(word: &str) -> bool {
    word.len() == 36
        && word.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}

fn plain(word: &str) -> &str {
    /// The shortest number that is taken for a time or a process id.
    const NUMBER_DIGITS_MIN: usize = 3;
    /// The shortest hash or part of an id.
    const HASH_DIGITS_MIN: usize = 8;
    let all_digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let all_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    match word.len() {
        length if all_digits && length >= NUMBER_DIGITS_MIN => "number",
        length if all_hex && length >= HASH_DIGITS_MIN => "hash",
        _ => word,
    }
}
