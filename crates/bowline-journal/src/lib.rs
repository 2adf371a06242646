//! The only writer of session state.
//!
//! **Purpose.** Keeps each session as a chained, append-only journal whose every record is durable
//! before anyone acts on it; beside it large bodies, a mailbox for commands from others, an index
//! for lists and searches that can be deleted at any time, and one ledger over all sessions.
//!
//! **Deliberately absent:** what events mean beyond indexing them, environment and home folder
//! (the state folder arrives as a value), any clock (times arrive as values), printing.
//!
//! **Start at** [`Store`] for a state folder and at [`Journal`] for one session.
//!
//! ```
//! use bowline_core::{Epoch, Event, Fact, SessionId};
//! use bowline_journal::{Journal as _, Owner, Store};
//!
//! let folder = tempfile::tempdir().expect("a temporary folder can be made");
//! let store = Store::at(folder.path().join("state"));
//! assert!(store.list().expect("no folder is an empty store").is_empty());
//!
//! let owner = Owner {
//!     pid: std::process::id(),
//!     since_ms: 0,
//!     app_version: "0.1.0".to_owned(),
//!     command: "example".to_owned(),
//!     terminal: String::new(),
//! };
//! let session = SessionId::from_uuid(uuid::Uuid::now_v7());
//! let mut owned = store.create(session, &owner).expect("the folder is local and empty");
//! let batch = vec![Event::new(1_000, Fact::notice("hello"))];
//! let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
//! let committed = runtime.block_on(owned.journal.append(Epoch(0), batch)).expect("it is durable");
//! assert_eq!(committed[0].receipt().seq.0, 1);
//! ```
#![forbid(unsafe_code)]

mod anchor;
mod blob;
mod chained;
mod chains;
mod disclose;
mod edge;
mod error;
mod file;
mod index;
mod installation;
mod journal;
mod layout;
mod ledger;
mod lock;
pub mod mailbox;
mod mask_key;
mod memory;
mod portable;
mod read;
pub mod record;
mod repair;
mod retention;
mod scan;
mod stage;
mod store;
mod summary;
mod trust;
mod view;

pub use anchor::{Anchor, AnchorError, AnchorKey, AnchoredHead, Signer};
pub use blob::{LEAST_PREFIX_DIGITS, verify_blob};
pub use chains::{ChainFinding, ChainReport, DamageKind, Held as AnchorHeld, Stream, Witnesses};
pub use disclose::{Disclosed, DisclosedChain, DisclosedError, verify_disclosed};
pub use edge::{Disk, Edges, NoProbe, Probe, RealDisk, Salts};
pub use error::{Error, Next};
pub use file::{FileJournal, Opened};
pub use index::{
    AuditFilter, AuditRow, CallRow, DecisionRow, PastAttempt, PastCall, PastOf, UsageRow, What,
};
pub use installation::{Installation, SystemFollower, SystemLog, SystemRecorded};
pub use journal::Journal;
pub use layout::SessionDir;
pub use ledger::{
    Claim, ClaimKey, Grant, Ledger, LedgerView, NeverFits, OpenClaim, RateSpan, RateWait, Rebuilt,
    Reconciled, Total, WAIT_POLL_MS,
};
pub use lock::{Ended, EndedBy, Held, Holder, Owner};
pub use mask_key::MaskKey;
pub use memory::MemoryJournal;
pub use portable::{Exported, Imported};
pub use read::{Follower, Intact, ReadOnly, Recorded};
pub use repair::{Damage, Dropped, MOST_TOLD, Repaired};
pub use retention::{Part, Pruned, Sizes};
pub use store::{FolderCheck, OwnedSession, Store};
pub use summary::{Status, Summary};
pub use trust::{TrustRecord, TrustedFile};
pub use view::{Hit, View};
