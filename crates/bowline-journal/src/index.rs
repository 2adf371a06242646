//! `index.db`: what lists and searches ask, derived from journals. Never truth: any doubt about the
//! file and it is deleted and built anew.

mod audit;
mod past;
mod query;
mod usage;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bowline_core::{Digest, Seq, SessionId};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use crate::Error;
use crate::error::At as _;
use crate::error::advice::{self, Advice};
use crate::layout;

pub use audit::{AuditFilter, AuditRow, What};
pub use past::{PastAttempt, PastCall, PastOf};
pub use query::DecisionRow;
pub(crate) use query::{Place, Progress};
pub use usage::{CallRow, UsageRow};
pub(crate) use write::searchable;

/// `BOWL` in ASCII: marks a database file as ours.
const APPLICATION_ID: i64 = 0x424F_574C;
/// The version of the tables below. Any other is deleted and built anew.
const VERSION: i64 = 5;
/// What to do when the file itself may be at fault.
const ANEW: &str = "It is derived: delete it and it is built anew";
/// How long a process waits for another that is writing the index.
const BUSY: Duration = Duration::from_secs(2);

/// Words are kept without the texts they came from: those are in the journals.
const TABLES: &str = "
create table sessions (
    id text primary key, cwd text not null, title text not null, model text not null,
    mode text not null, status text not null, steps integer not null,
    input_tokens integer not null, cached_input_tokens integer not null,
    output_tokens integer not null, reasoning_tokens integer not null,
    cache_write_tokens integer not null,
    waiting integer not null, in_doubt integer not null,
    started_ms integer not null, updated_ms integer not null,
    last_seq integer not null, last_hash text not null, epoch integer not null,
    journal_bytes integer not null, project text not null, priced integer not null
) without rowid;
create table decisions (
    id integer primary key, session text not null, seq integer not null, what text not null,
    call text not null, decision text not null,
    verdict text not null, decided_by text not null, tool text not null, essence text not null,
    reason text not null, at_ms integer not null, mode text not null, scope text not null,
    rule text not null, layer text not null, tier text not null, file text, line integer,
    answer text, answered_by text, answered_ms integer,
    unique (session, seq)
);
create index decisions_by_time on decisions (at_ms);
create index decisions_by_tail on decisions (substr(decision, -8));
create table names (
    id integer primary key, kind integer not null, value text not null, unique (kind, value)
);
create table facets (
    name integer not null, at_ms integer not null, decision integer not null,
    primary key (name, at_ms, decision)
) without rowid;
create index facets_by_decision on facets (decision, name);
create table attempts (
    session text not null, seq integer not null, attempt text not null, step integer not null,
    try_number integer not null, at_ms integer not null, model text not null,
    project text not null, priced integer not null, evidence text not null,
    reserved_tokens integer not null, reserved_input_tokens integer not null,
    reserved_micro_usd integer not null, request_bytes integer, request_bound integer,
    outcome text not null, request_id text, reported integer not null default 0,
    input_tokens integer not null default 0, cached_input_tokens integer not null default 0,
    output_tokens integer not null default 0, reasoning_tokens integer not null default 0,
    cache_write_tokens integer not null default 0,
    charged_input_tokens integer not null default 0,
    charged_output_tokens integer not null default 0,
    charged_micro_usd integer not null default 0,
    turn integer not null, asked integer not null default 0,
    primary key (session, seq)
) without rowid;
create index attempts_by_project on attempts (project, model, at_ms);
create table calls (
    session text not null, call text not null, attempt text not null,
    at_ms integer not null, place integer not null,
    tool text not null, result_bytes integer not null default 0,
    failed integer not null default 0,
    primary key (session, call)
) without rowid;
create index calls_by_time on calls (at_ms);
create table texts (
    id integer primary key, session text not null, seq integer not null, kind text not null,
    at_ms integer not null, offset_bytes integer not null, line_bytes integer not null
);
create index texts_by_session on texts (session);
create virtual table words using fts5 (text, content='', contentless_delete=1);
";

/// An index, on disk or in memory.
#[derive(Debug)]
pub(crate) struct Index {
    db: Connection,
    path: PathBuf,
}

/// Why a database file is not used as it is.
enum Unusable {
    /// It is broken, of another program or of another version.
    Foreign,
    /// SQLite failed for another reason.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        if is_broken(&error) {
            Self::Foreign
        } else {
            Self::Failed(error)
        }
    }
}

/// Whether the file itself is the reason.
fn is_broken(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

impl Index {
    /// Opens the index of a state folder for writing. A file that is not exactly ours is deleted
    /// and made anew, empty.
    pub(crate) fn open(home: &Path) -> Result<Self, Error> {
        let path = layout::index(home);
        let failed = |error: &rusqlite::Error| index_error(&path, error);
        // SQLite would only say that it cannot.
        drop(layout::open_or_create(&path).at("open", &path)?);
        match Self::open_file(&path) {
            Ok(index) => Ok(index),
            Err(Unusable::Failed(error)) => Err(failed(&error)),
            Err(Unusable::Foreign) => {
                remove(home)?;
                Self::open_file(&path).map_err(|unusable| match unusable {
                    Unusable::Failed(error) => failed(&error),
                    Unusable::Foreign => Error::Index {
                        path: path.clone(),
                        what: "it is broken right after it was made".to_owned(),
                        next: ANEW.to_owned(),
                        broken: false,
                    },
                })
            }
        }
    }

    /// Opens it for writing if it is there and ours.
    pub(crate) fn open_existing(home: &Path) -> Option<Self> {
        layout::index(home)
            .is_file()
            .then(|| Self::open(home).ok())
            .flatten()
    }

    /// Opens it for reading if it is there and ours; touches nothing.
    pub(crate) fn open_read_only(home: &Path) -> Option<Self> {
        let path = layout::index(home);
        if !path.is_file() {
            return None;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).ok()?;
        db.busy_timeout(BUSY).ok()?;
        (marks(&db).ok()? == (APPLICATION_ID, VERSION)).then_some(Self { db, path })
    }

    /// An empty index that lives in memory.
    pub(crate) fn in_memory() -> Result<Self, Error> {
        let path = PathBuf::from(":memory:");
        let made = Connection::open_in_memory().and_then(|mut db| {
            make_tables(&mut db)?;
            Ok(db)
        });
        match made {
            Ok(db) => Ok(Self { db, path }),
            Err(error) => Err(index_error(&path, &error)),
        }
    }

    fn open_file(path: &Path) -> Result<Self, Unusable> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        // Nothing here needs to survive power loss: whatever is lost is derived again.
        db.pragma_update(None, "synchronous", "OFF")?;
        match marks(&db)? {
            (APPLICATION_ID, VERSION) => {}
            (0, 0) if is_blank(&db)? => make_tables(&mut db)?,
            _ => return Err(Unusable::Foreign),
        }
        Ok(Self {
            db,
            path: path.to_owned(),
        })
    }

    /// The last record seen of a session.
    pub(crate) fn last_seen(&self, session: SessionId) -> Option<(Seq, Digest)> {
        let sql = "select last_seq, last_hash from sessions where id = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?));
        let found = self.db.query_row(sql, params![session.to_string()], row);
        let (seq, hash) = found.optional().ok()??;
        Some((Seq(seq), Digest::from_hex(&hash)?))
    }

    /// Forgets a session.
    pub(crate) fn forget(&mut self, session: SessionId) -> Result<(), Error> {
        let forgotten = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                write::forget(&transaction, session)?;
                transaction.commit()
            });
        forgotten.map_err(|error| index_error(&self.path, &error))
    }
}

/// Deletes the index of a state folder, if there is one.
pub(crate) fn remove(home: &Path) -> Result<(), Error> {
    let path = layout::index(home);
    for ending in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        match std::fs::remove_file(Path::new(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).at("remove", Path::new(&name));
            }
            _ => {}
        }
    }
    Ok(())
}

fn marks(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

fn is_blank(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("select count(*) = 0 from sqlite_schema", [], |row| {
        row.get(0)
    })
}

/// Makes the tables, unless another process has just made them.
fn make_tables(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_blank(&transaction)? {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// What is said of a fault that is not the index's own.
fn advice_on(code: rusqlite::ErrorCode) -> Option<Advice> {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure,
    };
    match code {
        DiskFull => Some(advice::FULL),
        ReadOnly => Some(advice::READ_ONLY),
        SystemIoFailure => Some(advice::DISK),
        CannotOpen => Some(advice::OTHER),
        DatabaseBusy | DatabaseLocked => Some(advice::BUSY),
        _ => None,
    }
}

fn index_error(path: &Path, error: &rusqlite::Error) -> Error {
    let advice = error.sqlite_error_code().and_then(advice_on);
    Error::Index {
        path: path.to_owned(),
        what: match advice {
            Some(advice) if !advice.what.is_empty() => format!("{} ({error})", advice.what),
            _ => error.to_string(),
        },
        next: advice.map_or(ANEW, |advice| advice.next).to_owned(),
        broken: is_broken(error),
    }
}
