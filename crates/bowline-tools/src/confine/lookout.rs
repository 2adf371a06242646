//! Protected names that are not there: what comes into being under one is set aside.
//!
//! No mount can hold a name that does not exist, and Landlock knows no names. So the keeper watches
//! the folders that such names would lie in, takes away at once what is made there, and looks a
//! last time when no process of the command is left. It listens only once the command has run for a
//! moment: the kernel takes 10 ms to end that, which most commands would wait for in vain. Nothing is lost: it lies beside, under another
//! name, and the command's result says so.
//!
//! The keeper is not confined, and the command may swap folders and links meanwhile. So everything
//! here goes by descriptor, follows no link, and only ever renames within one folder.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};

use super::newborn::Nursery;
use super::survey::Watched;

/// How a name goes on under which something was set aside.
pub(super) const ASIDE: &str = ".set-aside";

/// Most names that are tried for one thing.
pub(super) const TRIES_MAX: u32 = 100;

/// Most things that are reported.
const REPORTED_MAX: usize = 64;

/// How long a command runs before what it makes is heard of at once.
const LISTEN_AFTER: Duration = Duration::from_millis(200);

/// Bytes of news read at once.
const NEWS_BYTES: usize = 4096;

/// Opens a folder without following a link to it.
const FOLDER: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The names that are watched while one command runs.
#[derive(Debug)]
pub(crate) struct Lookout {
    names: Vec<Name>,
    /// Tells that something was made in one of the folders; none where the kernel has no more.
    news: Option<OwnedFd>,
    began: Instant,
    is_listening: bool,
    nursery: Nursery,
    set_aside: Vec<PathBuf>,
}

/// One of them.
#[derive(Debug)]
struct Name {
    folder: PathBuf,
    opened: OwnedFd,
    name: PathBuf,
    link: Option<PathBuf>,
}

/// A protected name that something was found under.
struct Found<'n> {
    /// The folder that it lies in.
    parent: OwnedFd,
    /// Its path below the name's folder.
    path: PathBuf,
    last: &'n OsStr,
}

impl Lookout {
    /// Watches `names` from now on, and what repositories are new in the end. A folder that cannot be
    /// opened has no names to watch.
    pub(super) fn new(names: Vec<Watched>, nursery: Nursery) -> Option<Self> {
        let open = |watched: Watched| {
            let opened = rustix::fs::openat(CWD, &watched.folder, FOLDER, Mode::empty()).ok()?;
            Some(Name {
                folder: watched.folder,
                opened,
                name: watched.name.into(),
                link: watched.link,
            })
        };
        let names: Vec<Name> = names.into_iter().filter_map(open).collect();
        if names.is_empty() {
            return None;
        }
        let mut lookout = Self {
            names,
            news: None,
            began: Instant::now(),
            is_listening: false,
            nursery,
            set_aside: Vec::new(),
        };
        lookout.look();
        Some(lookout)
    }

    /// When it is to listen from; none if it does.
    pub(crate) fn listens_at(&self) -> Option<Instant> {
        (!self.is_listening).then(|| self.began + LISTEN_AFTER)
    }

    /// Listens from now on.
    pub(crate) fn listen(&mut self) {
        self.is_listening = true;
        self.news = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok();
        self.look();
    }

    /// Becomes readable when it is time to look.
    pub(crate) fn news(&self) -> Option<BorrowedFd<'_>> {
        self.news.as_ref().map(OwnedFd::as_fd)
    }

    /// Sets aside what lies under a protected name by now.
    pub(crate) fn look(&mut self) {
        if let Some(news) = &self.news {
            // What exactly was made matters less than what lies there now.
            let mut bytes = [0; NEWS_BYTES];
            while rustix::io::read(news, &mut bytes[..]).is_ok_and(|count| count > 0) {}
        }
        let news = self.news.as_ref();
        let found = self.names.iter().filter_map(|name| {
            let found = name.found(news)?;
            let aside = set_aside(&found)?;
            name.restore(&found);
            Some(name.folder.join(found.path.with_file_name(aside)))
        });
        let found: Vec<PathBuf> = found.collect();
        let room = REPORTED_MAX.saturating_sub(self.set_aside.len());
        self.set_aside.extend(found.into_iter().take(room));
    }

    /// Looks a last time. Gives where the things lie that were set aside.
    pub(crate) fn end(mut self) -> Vec<PathBuf> {
        self.look();
        self.set_aside.extend(self.nursery.tame());
        self.set_aside.truncate(REPORTED_MAX);
        self.set_aside.sort();
        self.set_aside.dedup();
        self.set_aside
    }
}

impl Name {
    /// What lies under the name and must not. Folders on the way to it are watched from now on.
    fn found(&self, news: Option<&OwnedFd>) -> Option<Found<'_>> {
        let mut parent = rustix::io::fcntl_dupfd_cloexec(&self.opened, 0).ok()?;
        let mut path = PathBuf::new();
        let mut components = self.name.components().peekable();
        while let Some(Component::Normal(part)) = components.next() {
            path.push(part);
            watch(news, &parent);
            let meta = rustix::fs::statat(&parent, part, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            let kind = rustix::fs::FileType::from_raw_mode(meta.st_mode);
            let is_last = components.peek().is_none();
            if !is_last && kind.is_dir() {
                parent = rustix::fs::openat(&parent, part, FOLDER, Mode::empty()).ok()?;
                continue;
            }
            // A link in place of a folder may lead to one that holds the name.
            if !is_last && !kind.is_symlink() {
                return None;
            }
            let is_as_it_was = is_last && self.link.is_some() && {
                let target = rustix::fs::readlinkat(&parent, part, Vec::new());
                target
                    .ok()
                    .map(|target| PathBuf::from(OsStr::from_bytes(target.to_bytes())))
                    == self.link
            };
            let last = part;
            return (!is_as_it_was).then_some(Found { parent, path, last });
        }
        None
    }

    /// Puts a link back that something else stood in place of.
    fn restore(&self, found: &Found<'_>) {
        if let Some(link) = &self.link
            && Path::new(found.last) == self.name.as_path()
        {
            // If it cannot be made, what it led to is still protected itself.
            let _made = rustix::fs::symlinkat(link, &found.parent, found.last);
        }
    }
}

/// Hears of what is made in `folder`.
fn watch(news: Option<&OwnedFd>, folder: &OwnedFd) {
    let Some(news) = news else { return };
    let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
    let made = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
    // Without it the last look still finds what was made.
    let _watched = add_watch(news, path, made);
}

/// Renames what was found within its folder; gives the new name. What cannot be renamed stays:
/// whoever made it has lost access to it, too.
fn set_aside(found: &Found<'_>) -> Option<OsString> {
    for count in 0..TRIES_MAX {
        let mut aside = found.last.to_owned();
        aside.push(ASIDE);
        if count > 0 {
            aside.push(format!("-{count}"));
        }
        let (parent, last) = (&found.parent, found.last);
        let renamed =
            rustix::fs::renameat_with(parent, last, parent, &*aside, RenameFlags::NOREPLACE);
        match renamed {
            Ok(()) => return Some(aside),
            Err(rustix::io::Errno::EXIST) => {}
            Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests;
