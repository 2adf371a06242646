//! Taking an exported session in: checked whole, then built beside, then named.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use bowline_core::call::BlobRef;
use bowline_core::{Digest, Seq, SessionId};
use rustix::fs::{RenameFlags, renameat_with};

use super::read::{Content, Sink, read, refused};
use crate::Error;
use crate::blob::put_blob;
use crate::edge::Edges;
use crate::error::At as _;
use crate::layout::{self, SessionDir, make_folder, make_folders, sync_folder};
use crate::lock::{Lock, Owner};
use crate::record::Head;
use crate::store::{Store, folder};

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The session.
    pub session: SessionId,
    /// Its last record.
    pub last_seq: Seq,
    /// How many stored bodies came with it.
    pub blobs: usize,
    /// Stored bodies that it refers to and that did not come with it.
    pub missing: Vec<Digest>,
}

impl Store {
    /// Takes an exported session in, under its own id. `open` gives the export from its beginning
    /// and is called twice: everything is checked before anything is made. All names are durable
    /// on return. Nobody owns the session then, and it is marked as one from elsewhere: see
    /// [`Self::is_imported`]. Blocks on the disk.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no export, a newer one, or was changed; [`Error::Exists`] when
    /// there is a session of this id; [`Error::StateFolder`], [`Error::Io`]. No session is there
    /// then.
    pub fn import<R: Read>(
        &self,
        mut open: impl FnMut() -> io::Result<R>,
        owner: &Owner,
    ) -> Result<Imported, Error> {
        let export = PathBuf::from("the export");
        let mut check = Check { store: self };
        let content = read(open().at("read", &export)?, &mut check)?;
        let session = content.chain.session;
        let disk = self.edges().disk.as_ref();
        folder::prepare(disk, self.home())?;
        let sessions = layout::sessions(self.home());
        make_folders(disk, &sessions)?;
        folder::sweep(self.home())?;
        let name = format!("{}{session}.{}", folder::IMPORTING, std::process::id());
        let dir = SessionDir::at(sessions.join(name));
        make_folder(disk, dir.path())?;
        let built = self.build(open().at("read", &export)?, &dir, &content, owner);
        if let Err(error) = built {
            // What is left bears no session's name; the next import sweeps it away.
            let _swept = std::fs::remove_dir_all(dir.path());
            return Err(error);
        }
        Ok(Imported {
            session,
            last_seq: content.chain.seq,
            blobs: content.blobs,
            missing: content.missing,
        })
    }

    /// Whether a session came from elsewhere and nobody has taken it on yet: what it says of mode,
    /// rules, folders, addresses and grants was written by a stranger and must not count here.
    #[must_use]
    pub fn is_imported(&self, session: SessionId) -> bool {
        self.session_dir(session).imported().exists()
    }

    /// Removes the mark of a session from elsewhere: call it once the facts that put this machine's
    /// configuration in force in it are durable.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be removed.
    pub fn taken_on(&self, session: SessionId) -> Result<(), Error> {
        let dir = self.session_dir(session);
        let path = dir.imported();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at("remove", &path),
            _ => sync_folder(self.edges().disk.as_ref(), dir.path()),
        }
    }

    /// Builds the session in a folder of another name and gives it its own.
    fn build(
        &self,
        from: impl Read,
        dir: &SessionDir,
        checked: &Content,
        owner: &Owner,
    ) -> Result<(), Error> {
        let session = checked.chain.session;
        let edges = self.edges();
        let disk = edges.disk.as_ref();
        let _lock = Lock::take(session, dir, owner, disk)?;
        for folder in [dir.mailbox(), dir.blobs(), dir.spool()] {
            make_folder(disk, &folder)?;
        }
        let path = dir.imported();
        let mark = disk.create_new(&path).at("create", &path)?;
        disk.sync(&mark).at("sync", &path)?;
        let path = dir.journal();
        let mut build = Build {
            journal: disk.create_new(&path).at("create", &path)?,
            dir,
            edges,
            end: 0,
            waiting: Vec::new(),
        };
        if read(from, &mut build)? != *checked {
            return Err(refused("it was changed while it was read".to_owned()));
        }
        build.write()?;
        disk.sync(&build.journal).at("sync", &path)?;
        let path = dir.head();
        let head = Head {
            seq: checked.chain.seq,
            hash: checked.chain.hash,
        };
        let file = disk.create_new(&path).at("create", &path)?;
        disk.write_at(&file, &head.render(session), 0)
            .and_then(|()| disk.sync(&file))
            .at("write", &path)?;
        sync_folder(disk, dir.path())?;
        let named = self.session_dir(session);
        match name(dir, &named) {
            Err(error) if is_taken(&error) => {
                return Err(Error::Exists {
                    session,
                    path: named.path().to_owned(),
                });
            }
            renamed => renamed.at("rename", dir.path())?,
        }
        sync_folder(disk, &layout::sessions(self.home()))
    }
}

fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty)
}

/// Gives a folder its name, never in place of another.
fn name(from: &SessionDir, to: &SessionDir) -> io::Result<()> {
    let cwd = rustix::fs::CWD;
    match renameat_with(cwd, from.path(), cwd, to.path(), RenameFlags::NOREPLACE) {
        // Not every file system can say "never": one of a folder onto an empty one then replaces
        // nothing that was a session.
        Err(rustix::io::Errno::INVAL) => std::fs::rename(from.path(), to.path()),
        named => Ok(named?),
    }
}

/// Finds out whether an export could be taken in.
struct Check<'s> {
    store: &'s Store,
}

impl Sink for Check<'_> {
    fn session(&mut self, session: SessionId) -> Result<(), Error> {
        folder::inspect(self.store.home())?;
        let path = self.store.session_dir(session).path().to_owned();
        if path.exists() {
            return Err(Error::Exists { session, path });
        }
        Ok(())
    }

    fn record(&mut self, _line: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn blob(&mut self, _blob: BlobRef, _body: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// So many bytes of records are written at once.
const WRITE_BYTES: usize = 1 << 20;

struct Build<'b> {
    journal: File,
    dir: &'b SessionDir,
    edges: &'b Edges,
    end: u64,
    waiting: Vec<u8>,
}

impl Build<'_> {
    fn write(&mut self) -> Result<(), Error> {
        let disk = self.edges.disk.as_ref();
        disk.write_at(&self.journal, &self.waiting, self.end)
            .at("write", &self.dir.journal())?;
        self.end += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

impl Sink for Build<'_> {
    fn session(&mut self, _session: SessionId) -> Result<(), Error> {
        Ok(())
    }

    fn record(&mut self, line: &[u8]) -> Result<(), Error> {
        self.waiting.extend_from_slice(line);
        if self.waiting.len() < WRITE_BYTES {
            return Ok(());
        }
        self.write()
    }

    fn blob(&mut self, _blob: BlobRef, body: &[u8]) -> Result<(), Error> {
        put_blob(self.edges.disk.as_ref(), &self.dir.blobs(), body).map(drop)
    }
}
