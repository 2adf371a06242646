//! What the cases share: a folder with an attempt in it, launching, waiting with a deadline.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bowline_tools::keeper::record::{Record, read_claim};
use bowline_tools::keeper::{Claim, Exit, Fate, Kept, Launcher, Order, Started};
use tempfile::TempDir;

/// A name and what it runs; a panic is a failure.
pub(crate) type Case = (&'static str, fn());

/// Time after which something that must happen counts as not happening.
const DEADLINE: Duration = Duration::from_secs(30);

/// A folder of its own for one case; commands run in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The attempt folder; does not exist before a launch.
    pub(crate) fn attempt(&self) -> PathBuf {
        self.path("spool").join("attempt")
    }

    /// An order that runs `command` in this folder.
    pub(crate) fn order(&self, command: &str) -> Order {
        let mut order = Order::new("call-1", command, self.folder.path());
        order.env = vec![("PATH".into(), std::env::var("PATH").unwrap())];
        order
    }

    pub(crate) fn launch(&self, order: &Order) -> Kept {
        launcher().launch(&self.attempt(), order).unwrap()
    }

    /// Runs `order` to its end.
    pub(crate) fn fate(&self, order: &Order) -> Fate {
        let kept = self.launch(order);
        block_on(kept.wait(|_| {}))
    }

    /// Runs `command` to its end, which must be known.
    pub(crate) fn exit(&self, command: &str) -> Exit {
        finished(self.fate(&self.order(command)))
    }

    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        path
    }

    /// Waits until the file `name` has `count` lines and returns them as process ids.
    pub(crate) fn pids(&self, name: &str, count: usize) -> Vec<i32> {
        until(&format!("{count} lines in {name}"), || {
            let text = std::fs::read_to_string(self.path(name)).ok()?;
            let whole = text.ends_with('\n') && text.lines().count() == count;
            whole.then(|| text.lines().map(|line| line.parse().unwrap()).collect())
        })
    }

    /// Waits until a keeper has claimed the attempt.
    pub(crate) fn started(&self) -> Started {
        until("a keeper's claim", || match read_claim(&self.attempt()) {
            Record::Whole(Claim::Started(started)) => Some(started),
            _ => None,
        })
    }
}

/// Launches keepers that are this very binary.
pub(crate) fn launcher() -> Launcher {
    Launcher {
        exe: std::env::current_exe().unwrap(),
    }
}

/// The `launcher` mode: launches `command`, says so in the file `launched`, waits for its end.
pub(crate) fn launch_and_wait(dir: &str, command: &str) -> i32 {
    let dir = Path::new(dir);
    let mut order = Order::new("call-1", command, dir.parent().unwrap());
    order.env = vec![("PATH".into(), std::env::var("PATH").unwrap())];
    let kept = launcher().launch(dir, &order).unwrap();
    matches!(block_on(kept.wait(|_| {})), Fate::Finished(_)).into()
}

/// Runs `future` the way the harness does: on one thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn finished(fate: Fate) -> Exit {
    match fate {
        Fate::Finished(exit) => *exit,
        other => panic!("not finished but {other:?}"),
    }
}

/// Looks again and again until `look` finds something; panics after a deadline.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until process `pid` no longer runs (a zombie does not).
pub(crate) fn until_dead(pid: i32) {
    until(&format!("the end of process {pid}"), || {
        (!is_alive(pid)).then_some(())
    });
}

pub(crate) fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let text = String::from_utf8_lossy(&stat);
    text.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

pub(crate) fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
