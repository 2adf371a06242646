//! The real folders of one path record: made as it says, and held against what they were.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Scratch folders with a workspace, a folder beside it and a home, and what lies in them.
pub(super) struct Ground {
    dir: tempfile::TempDir,
    /// Content of each file that was made, by path.
    pub(super) marks: BTreeMap<PathBuf, String>,
}

/// What one name in a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    mode: u32,
    inode: u64,
    changed_ns: i128,
    content: Vec<u8>,
}

impl Ground {
    /// Makes what the steps under `fs` say, each file with a content of its own.
    pub(super) fn new(record: &Value) -> Self {
        Self::within(Path::new(env!("CARGO_TARGET_TMPDIR")), record)
    }

    /// The same in memory, where there is a place for it: swaps there wait for no disk.
    pub(super) fn quick(record: &Value) -> Self {
        let memory = Path::new("/dev/shm");
        let made = memory.is_dir().then(|| Self::within(memory, record));
        made.unwrap_or_else(|| Self::new(record))
    }

    fn within(folder: &Path, record: &Value) -> Self {
        let dir = tempfile::tempdir_in(folder).expect("a scratch folder");
        let mut ground = Self {
            dir,
            marks: BTreeMap::new(),
        };
        for folder in ["wks", "out", "home", "state"] {
            fs::create_dir(ground.at(folder)).expect("a folder");
        }
        for (number, step) in record["fs"].as_array().into_iter().flatten().enumerate() {
            let path = PathBuf::from(ground.fill(text(&step["path"])));
            let to = step["to"].as_str().map(|to| ground.fill(to));
            let parent = path.parent().expect("a parent");
            fs::create_dir_all(parent).expect("its folder");
            match (text(&step["mk"]), to) {
                ("dir", _) => fs::create_dir_all(&path).expect("a folder"),
                ("file", _) => {
                    let mark = format!("mark-{number}-{}", text(&record["id"]));
                    fs::write(&path, format!("{mark}\n")).expect("a file");
                    ground.marks.insert(path, mark);
                }
                ("symlink", Some(to)) => symlink(to, &path).expect("a link"),
                ("hardlink", Some(to)) => fs::hard_link(to, &path).expect("a second name"),
                ("fifo", _) => fifo(&path).expect("a named pipe"),
                ("socket", _) => drop(bind(&path)),
                other => panic!("{other:?}"),
            }
        }
        ground
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn workspace(&self) -> PathBuf {
        self.at("wks")
    }

    /// Puts the folders into a text with tokens.
    pub(super) fn fill(&self, text: &str) -> String {
        let shown = |name: &str| self.at(name).display().to_string();
        text.replace("{WN}", "wks")
            .replace("{ON}", "out")
            .replace("{W}", &shown("wks"))
            .replace("{O}", &shown("out"))
            .replace("{H}", &shown("home"))
    }

    /// Everything outside the workspace and the state folder.
    pub(super) fn outside(&self) -> BTreeMap<PathBuf, Entry> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(self.dir.path()).expect("the scratch folder") {
            let path = entry.expect("an entry").path();
            if path != self.workspace() && path != self.at("state") {
                walk(&path, &mut all);
            }
        }
        all
    }

    /// Everything in the workspace. Folders are told without their times: a call that fails late
    /// may have made a file and removed it again.
    pub(super) fn inside(&self) -> BTreeMap<PathBuf, Entry> {
        let mut all = BTreeMap::new();
        walk(&self.workspace(), &mut all);
        for entry in all
            .values_mut()
            .filter(|it| it.mode & 0o17_0000 == 0o4_0000)
        {
            entry.changed_ns = 0;
        }
        all
    }
}

/// Everything at and below a path, links not followed.
pub(super) fn walk(path: &Path, into: &mut BTreeMap<PathBuf, Entry>) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    let content = if meta.is_symlink() {
        fs::read_link(path)
            .expect("a target")
            .as_os_str()
            .as_bytes()
            .to_vec()
    } else if meta.is_file() {
        fs::read(path).expect("a content")
    } else {
        Vec::new()
    };
    if meta.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            walk(&entry.expect("an entry").path(), into);
        }
    }
    let entry = Entry {
        mode: meta.mode(),
        inode: meta.ino(),
        changed_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        content,
    };
    into.insert(path.to_owned(), entry);
}

/// Names and contents below a path, for places that a swapper moves things in.
pub(super) fn contents(path: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    walk(path, &mut all);
    all.into_iter()
        .map(|(path, entry)| (path, (entry.mode, entry.content)))
        .collect()
}

pub(super) fn fifo(path: &Path) -> std::io::Result<()> {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let kind = rustix::fs::FileType::Fifo;
    Ok(rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0)?)
}

/// A socket at a path of any length.
fn bind(path: &Path) -> UnixListener {
    let folder = fs::File::open(path.parent().expect("a parent")).expect("its folder");
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    let name = Path::new(path.file_name().expect("a name"));
    UnixListener::bind(Path::new(&format!("/proc/self/fd/{number}")).join(name)).expect("a socket")
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}"))
}
