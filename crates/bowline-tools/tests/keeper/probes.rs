//! Attempts to leave a sandbox, each from `probes/table.txt`: shown to succeed unconfined, then made
//! under each backend, as whoever runs the tests and, when that is root, as nobody.
//!
//! `BOWLINE_PROBES=all` makes every one of them (about 25 s on two cores), `BOWLINE_PROBES=NAME` one;
//! without it a quarter is made.

mod ground;

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_core::{Backend, Confinement, Profile};

use self::ground::{Ground, Servers};
use crate::support::{Case, block_on, launcher};

pub(crate) const CASES: &[Case] = &[("no_probe_leaves_a_sandbox", no_probe_leaves)];

const TABLE: &str = include_str!("probes/table.txt");
const PROGRAM: &str = include_str!("probes/probe.c");

/// Somebody who is nobody else.
const NOBODY: u32 = 65534;

/// Attempts at once.
const WORKERS: usize = 4;

/// How the words of a probe begin whose sandbox could not be made: it proves nothing.
const NEVER: &str = "never run: ";

/// One row of the table.
#[derive(Debug, Clone, Copy)]
struct Probe {
    name: &'static str,
    sign: &'static str,
    who: &'static str,
    landlock: &'static str,
    command: &'static str,
}

fn table() -> Vec<Probe> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    let rows = rows.map(|line| {
        let mut cells = line.splitn(5, " | ");
        let mut cell = || cells.next().unwrap_or_else(|| panic!("a cell: {line}"));
        Probe {
            name: cell(),
            sign: cell(),
            who: cell(),
            landlock: cell(),
            command: cell(),
        }
    });
    rows.collect()
}

impl Probe {
    /// Whether it must succeed unconfined for root, or for anybody else.
    fn must_work(&self, is_root: bool) -> bool {
        matches!(
            (self.who, is_root),
            ("all", _) | ("root", true) | ("nobody", false)
        )
    }

    /// Whether a backend claims to stop it.
    fn is_claimed(&self, backend: Backend) -> bool {
        match backend {
            Backend::Namespaces => !self.landlock.starts_with("neither"),
            Backend::Landlock => self.landlock == "yes",
        }
    }
}

/// Which rows are tried.
enum Meant {
    /// One in four, others as root than as anybody else.
    Sample(usize),
    All,
    One(String),
}

impl Meant {
    fn new(is_root: bool) -> Self {
        match std::env::var("BOWLINE_PROBES") {
            Ok(all) if all == "all" => Self::All,
            Ok(name) => Self::One(name),
            Err(_) => Self::Sample(if is_root { 0 } else { 2 }),
        }
    }

    const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    fn has(&self, at: usize, probe: &Probe) -> bool {
        match self {
            Self::Sample(first) => at % 4 == *first,
            Self::All => true,
            Self::One(name) => probe.name == name,
        }
    }
}

/// What came of one probe: unconfined, with namespaces, with Landlock.
struct Tried {
    probe: Probe,
    worked: [bool; 3],
    told: [String; 3],
}

const WAYS: [Option<Backend>; 3] = [None, Some(Backend::Namespaces), Some(Backend::Landlock)];

fn no_probe_leaves() {
    let folder = visible_folder();
    let base = folder.path();
    build(base);
    let held = run(&base.join("own"), &base.join("probe"));
    if rustix::process::geteuid().is_root() {
        as_nobody(base);
    }
    assert!(held, "see above");
}

fn as_nobody(base: &Path) {
    // The same once more as nobody, by a copy of this program that nobody may run.
    let (copy, theirs) = (base.join("keeper"), base.join("theirs"));
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(NOBODY), Some(NOBODY)).unwrap();
    let status = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(copy)
        .arg("probes")
        .args([&theirs.join("own"), &base.join("probe")])
        .env("HOME", &theirs)
        .env("TMPDIR", "/tmp")
        .status();
    assert!(status.unwrap().success(), "as nobody");
}

/// A folder that anybody can reach and that no sandbox replaces.
fn visible_folder() -> tempfile::TempDir {
    let build = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let is_open = |path: &Path| {
        path.ancestors().all(|folder| {
            let meta = std::fs::metadata(folder);
            meta.is_ok_and(|meta| meta.permissions().mode() & 0o005 == 0o005)
        })
    };
    let replaced = ["/tmp", "/var/tmp", "/run"];
    let is_fit =
        |path: &&PathBuf| is_open(path) && !replaced.iter().any(|place| path.starts_with(place));
    let places = [
        build.clone(),
        "/var/lib".into(),
        "/opt".into(),
        "/srv".into(),
    ];
    let place = places.iter().find(is_fit).unwrap_or(&build);
    let folder = tempfile::tempdir_in(place).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// Compiles the program that the rows call, and a copy of it that runs as its owner.
fn build(base: &Path) {
    let (source, program, owned) = (base.join("probe.c"), base.join("probe"), base.join("owned"));
    std::fs::write(&source, PROGRAM).unwrap();
    let built = Command::new("gcc")
        .args(["-O1", "-w", "-static", "-no-pie", "-o"])
        .args([&program, &source])
        .status();
    assert!(
        built.unwrap().success(),
        "needed: apt install gcc libc6-dev"
    );
    std::fs::copy(&program, &owned).unwrap();
    std::fs::set_permissions(&owned, PermissionsExt::from_mode(0o4755)).unwrap();
}

/// Makes every probe in every way as the user of this process and holds what came against the table.
/// Gives whether all is well.
pub(crate) fn run(base: &Path, program: &Path) -> bool {
    std::fs::create_dir_all(base).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let servers = Servers::new(base);
    let (probes, next) = (table(), AtomicUsize::new(0));
    let meant = Meant::new(is_root);
    let tried = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(probe) = probes.get(at) else { break };
                    if !meant.has(at, probe) {
                        continue;
                    }
                    let one = try_all(*probe, &servers, base, program, is_root);
                    tried.lock().unwrap().push(one);
                }
            });
        }
    });
    judge(&tried.into_inner().unwrap(), is_root)
}

fn try_all(probe: Probe, servers: &Servers, base: &Path, program: &Path, is_root: bool) -> Tried {
    let mut tried = Tried {
        probe,
        worked: [false; 3],
        told: Default::default(),
    };
    // What only another user can do is not tried.
    let other = if is_root { "nobody" } else { "root" };
    if probe.who == other {
        return tried;
    }
    for (at, way) in WAYS.into_iter().enumerate() {
        let ground = Ground::new(base, program, &format!("{}-{at}", probe.name));
        (tried.worked[at], tried.told[at]) = attempt(probe, way, &ground, servers);
    }
    tried
}

/// Makes one probe; whether it worked, and what it said.
fn attempt(
    probe: Probe,
    way: Option<Backend>,
    ground: &Ground,
    servers: &Servers,
) -> (bool, String) {
    let command = servers.fill(&ground.fill(probe.command));
    let before = ground.outside();
    let (is_done, told) = match way {
        None => unconfined(ground, &command),
        Some(backend) => confined(ground, &command, backend),
    };
    let sign = servers.fill(&ground.fill(probe.sign));
    let shows = match sign.split_once(' ').unwrap_or((&sign, "")) {
        ("exit", _) => is_done,
        ("holds", path) => std::fs::read(path).is_ok_and(|it| ground::has(&it, b"probe")),
        ("gone", path) => !Path::new(path).exists(),
        ("ended", _) => !ground.victim_answers(),
        // What a confined call leaves is ended before the call ends.
        ("lives", _) => ground.left_alive(way.is_none()),
        other => panic!("{other:?}"),
    };
    let changed = before != ground.outside();
    (
        shows || (changed && way.is_some()),
        format!("{told}{}", if changed { " (changed)" } else { "" }),
    )
}

fn unconfined(ground: &Ground, command: &str) -> (bool, String) {
    let output = Command::new("bash")
        .args(["-c", command])
        .current_dir(ground.at("work"))
        .env("HOME", ground.at("home"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

fn confined(ground: &Ground, command: &str, backend: Backend) -> (bool, String) {
    let shown = |name: &str| ground.at(name).display().to_string();
    let mut protected = bowline_policy::protected_names();
    protected.extend(bowline_policy::settings_names());
    let profile = Profile {
        writable: vec![shown("work")],
        protected,
        hidden: vec![shown("state"), shown("config"), shown("home/.ssh")],
        ..Profile::default()
    };
    let mut order = bowline_tools::keeper::Order::new("call-1", command, ground.at("work"));
    order.env = vec![
        ("PATH".into(), std::env::var("PATH").unwrap()),
        ("HOME".into(), shown("home")),
    ];
    order.grace_ms = 200;
    order.confinement = Some(Box::new(Confinement { backend, profile }));
    let attempt = ground.at("state/spool/attempt");
    let kept = launcher().launch(&attempt, &order).unwrap();
    let fate = block_on(kept.wait(|_| {}));
    let head = bowline_tools::keeper::spool::read(&attempt).head;
    let told = String::from_utf8_lossy(&head).into_owned();
    match fate {
        bowline_tools::keeper::Fate::Finished(exit) => (exit.code == Some(0), told),
        other => (false, format!("{NEVER}{other:?}")),
    }
}

/// Prints what came of all and fails unless it is as the table says.
fn judge(tried: &[Tried], is_root: bool) -> bool {
    let user = if is_root { "root" } else { "an ordinary user" };
    let shown: Vec<&Tried> = tried.iter().filter(|one| one.worked[0]).collect();
    let mut faults: Vec<String> = tried
        .iter()
        .filter(|one| one.probe.must_work(is_root) && !one.worked[0])
        .map(|one| {
            format!(
                "{}: does not work unconfined: {}",
                one.probe.name, one.told[0]
            )
        })
        .collect();
    println!("as {user}: {} probes work unconfined", shown.len());
    for (at, backend) in [(1, Backend::Namespaces), (2, Backend::Landlock)] {
        let (claimed, other): (Vec<&Tried>, Vec<&Tried>) =
            shown.iter().partition(|one| one.probe.is_claimed(backend));
        let escaped = |all: &[&Tried]| {
            let all = all.iter().filter(|one| one.worked[at]);
            all.map(|one| one.probe.name).collect::<Vec<_>>()
        };
        let (bad, open) = (escaped(&claimed), escaped(&other));
        println!(
            "  {:10} claims {:3}, {} escaped; does not claim {:2}, {} work",
            backend.name(),
            claimed.len(),
            bad.len(),
            other.len(),
            open.len()
        );
        let why: BTreeMap<&str, usize> = other.iter().fold(BTreeMap::new(), |mut why, one| {
            *why.entry(one.probe.landlock).or_default() += 1;
            why
        });
        why.iter()
            .for_each(|(why, count)| println!("    {count} not claimed: {why}"));
        faults.extend(
            shown
                .iter()
                .filter(|one| one.told[at].starts_with(NEVER))
                .map(|one| {
                    format!(
                        "{} with {}: {}",
                        one.probe.name,
                        backend.name(),
                        one.told[at]
                    )
                }),
        );
        let told = |one: &&&Tried| bad.contains(&one.probe.name);
        faults.extend(claimed.iter().filter(told).map(|one| {
            format!(
                "{}: works with {}: {}",
                one.probe.name,
                backend.name(),
                one.told[at]
            )
        }));
    }
    faults.iter().for_each(|fault| println!("  {fault}"));
    faults.is_empty() && (!Meant::new(is_root).is_all() || shown.len() >= 100)
}
