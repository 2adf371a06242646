//! Every chain of a state folder checked: sessions, the system log, the ledger. Writes nothing.
//!
//! A finding names the first record that cannot be trusted, by file, line and place in its chain.
//! What is cut off whole at the end is seen only by what lies elsewhere: the head file, the index,
//! an anchor; a report says which of them there was.

mod files;
mod session;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use bowline_core::{Digest, Seq, SessionId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
use crate::anchor::Anchor;
use crate::record::{Fault, Head};
use crate::store::Store;

/// Which chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// The system log.
    Installation,
    /// The ledger over all sessions.
    Ledger,
    /// The journal of a session.
    Session(SessionId),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installation => f.write_str("installation"),
            Self::Ledger => f.write_str("ledger"),
            Self::Session(session) => write!(f, "session:{session}"),
        }
    }
}

impl std::str::FromStr for Stream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = match text.split_once(':') {
            None if text == "installation" => Some(Self::Installation),
            None if text == "ledger" => Some(Self::Ledger),
            Some(("session", id)) => id.parse().ok().map(Self::Session),
            _ => None,
        };
        // One spelling each, so that what was signed is what is read.
        known
            .filter(|stream| stream.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no name of a chain"))
    }
}

impl Serialize for Stream {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What kind of damage a record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DamageKind {
    /// The line is not a record.
    Format,
    /// A record is missing, doubled or moved.
    Order,
    /// It does not follow the record before it: one of them was changed or replaced.
    Link,
    /// Its body does not match what was committed to.
    Content,
    /// It bears an epoch that was not in force.
    Epoch,
    /// It is not the record that the head file or the index saw in this place.
    Replaced,
    /// Records are missing at the end.
    Cut,
    /// Records are missing at the beginning or between files, or a whole file is.
    Missing,
    /// It holds, but this version does not understand it.
    NotUnderstood,
    /// Its file cannot be read.
    NotReadable,
}

impl DamageKind {
    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Order => "order",
            Self::Link => "link",
            Self::Content => "content",
            Self::Epoch => "epoch",
            Self::Replaced => "replaced",
            Self::Cut => "cut",
            Self::Missing => "missing",
            Self::NotUnderstood => "not_understood",
            Self::NotReadable => "not_readable",
        }
    }

    const fn of(fault: &Fault) -> Self {
        match fault {
            Fault::Format(_) => Self::Format,
            Fault::Seq { .. } => Self::Order,
            Fault::Prev => Self::Link,
            Fault::Commitment => Self::Content,
            Fault::Epoch { .. } => Self::Epoch,
            Fault::Head => Self::Replaced,
            Fault::Cut { .. } => Self::Cut,
        }
    }
}

/// The first record of a chain that cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainFinding {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1; of what is missing the line where it should be.
    pub line: u64,
    /// Its place in the chain.
    pub seq: Seq,
    /// What kind of damage.
    pub kind: DamageKind,
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
}

/// What lies beside a chain and vouches for its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Witnesses {
    /// Its head file.
    pub head: bool,
    /// The index.
    pub index: bool,
}

/// How a chain stands to an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It still holds the anchored record.
    Holds,
    /// It has another record in that place: it was written anew.
    Rewritten,
    /// It ends before that place.
    Cut,
    /// There is no such chain any more.
    Missing,
    /// The place is before the first record that is kept: the system log and the ledger keep only
    /// so much. Nothing is proven then.
    KeptNoLonger,
}

/// What was found out about one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// Which.
    pub stream: Stream,
    /// How many records hold.
    pub records: u64,
    /// The last of them.
    #[serde(skip)]
    pub end: Option<Head>,
    /// Bytes at its end that were never acknowledged, or that are being written right now.
    pub torn_bytes: u64,
    /// What vouches for its end.
    pub witnesses: Witnesses,
    /// The first record that cannot be trusted, of each file that has one.
    pub findings: Vec<ChainFinding>,
    /// How it stands to the anchor, if there is one that names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchored: Option<Held>,
}

impl ChainReport {
    const fn new(stream: Stream) -> Self {
        Self {
            stream,
            records: 0,
            end: None,
            torn_bytes: 0,
            witnesses: Witnesses {
                head: false,
                index: false,
            },
            findings: Vec::new(),
            anchored: None,
        }
    }

    /// Whether nothing speaks against it.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.findings.is_empty()
            && !matches!(
                self.anchored,
                Some(Held::Rewritten | Held::Cut | Held::Missing)
            )
    }

    /// Judges what stands in the place of an anchored record.
    fn hold(&mut self, wanted: Option<Head>, seen: Option<Digest>, first: Seq) {
        let Some(wanted) = wanted else { return };
        let end = self.end.map_or(Seq(0), |end| end.seq);
        self.anchored = Some(match seen {
            Some(hash) if hash == wanted.hash => Held::Holds,
            Some(_) => Held::Rewritten,
            None if wanted.seq < first => Held::KeptNoLonger,
            None if wanted.seq > end => Held::Cut,
            None => Held::Rewritten,
        });
    }
}

impl Store {
    /// Checks every chain, or one, and holds them against an anchor if there is one. Takes no lock,
    /// writes nothing; damage is in the reports. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::StateFolder`] when the folder cannot be read as one, [`Error::NotFound`] when there
    /// is no such session.
    pub fn verify_chains(
        &self,
        only: Option<Stream>,
        anchor: Option<&Anchor>,
    ) -> Result<Vec<ChainReport>, Error> {
        let nothing = BTreeMap::new();
        let heads = anchor.map_or(&nothing, Anchor::heads);
        let streams = match only {
            Some(Stream::Session(session)) => {
                self.existing(session)?;
                vec![Stream::Session(session)]
            }
            Some(stream) => vec![stream],
            None => {
                let sessions = self.list()?.into_iter().map(Stream::Session);
                let mut streams = vec![Stream::Installation, Stream::Ledger];
                streams.extend(sessions);
                let gone = heads.keys().filter(|stream| !streams.contains(stream));
                let gone: Vec<Stream> = gone.copied().collect();
                streams.extend(gone);
                streams
            }
        };
        let checked = streams.into_iter().filter_map(|stream| {
            let wanted = heads.get(&stream).copied();
            self.verify_chain(stream, wanted).or_else(|| {
                let mut gone = ChainReport::new(stream);
                gone.anchored = Some(Held::Missing);
                wanted.is_some().then_some(gone)
            })
        });
        Ok(checked.collect())
    }

    /// Checks one chain; `None` when there is none of that name.
    fn verify_chain(&self, stream: Stream, wanted: Option<Head>) -> Option<ChainReport> {
        match stream {
            Stream::Installation => files::verify(stream, self.installation().chained(), wanted),
            Stream::Ledger => files::verify(stream, self.ledger().chained(), wanted),
            Stream::Session(session) => {
                let dir = self.session_dir(session);
                dir.is_session()
                    .then(|| session::verify(self, session, &dir, wanted))
            }
        }
    }
}
