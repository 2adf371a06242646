//! What a probe is tried on: folders, a process, servers, all of the user who runs it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// Numbers for names that the whole machine shares.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Folders and a victim of one attempt.
pub(super) struct Ground {
    base: PathBuf,
    program: PathBuf,
    number: u32,
    terminal: String,
    victim: Mutex<Victim>,
    _sockets: (UnixListener, UnixDatagram),
    _open: std::fs::File,
}

/// A process with a secret in its environment, its memory and behind a descriptor. It answers what
/// it is sent.
struct Victim {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Ground {
    pub(super) fn new(base: &Path, program: &Path, name: &str) -> Self {
        let base = base.join(name);
        for repository in ["work/.git", "work/.git/modules/m", "work/vendor/.git"] {
            for folder in ["hooks", "objects"] {
                std::fs::create_dir_all(base.join(repository).join(folder)).unwrap();
            }
        }
        for folder in [
            "out/empty",
            "home/.ssh",
            "home/.config",
            "config",
            "state/spool",
        ] {
            std::fs::create_dir_all(base.join(folder)).unwrap();
        }
        for (name, text) in [
            ("work/seed", "seed\n"),
            ("work/.git/HEAD", "ref: refs/heads/main\n"),
            ("work/.git/config", "[core]\n"),
            ("work/.git/modules/m/HEAD", "ref: refs/heads/main\n"),
            ("work/.git/modules/m/config", "[core]\n"),
            ("work/vendor/.git/HEAD", "ref: refs/heads/main\n"),
            ("work/vendor/.git/config", "[core]\n"),
            ("out/old", "old\n"),
            ("out/held", ""),
            ("home/.bashrc", "# mine\n"),
            ("home/.ssh/id", "planted-word\n"),
            ("config/config.toml", "# planted-word\n"),
            ("state/planted", "planted-word\n"),
        ] {
            std::fs::write(base.join(name), text).unwrap();
        }
        // Below the process id, so that two runs do not meet.
        let number =
            (std::process::id() % 1_000_000) * 1_000 + NEXT.fetch_add(1, Ordering::Relaxed);
        let (victim, terminal) = Victim::new(program, &base, number);
        let (open, out) = short(&base.join("out"));
        let listener = UnixListener::bind(out.join("s")).unwrap();
        let datagram = UnixDatagram::bind(out.join("d")).unwrap();
        // One that has just been made may be gone the next moment, and is not covered.
        let aged = Command::new("touch")
            .args(["-h", "-d", "1 hour ago"])
            .args([base.join("out/s"), base.join("out/d")])
            .status();
        assert!(aged.unwrap().success());
        Self {
            base,
            program: program.to_owned(),
            number,
            terminal,
            victim: Mutex::new(victim),
            _sockets: (listener, datagram),
            _open: open,
        }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// Puts names into a command.
    pub(super) fn fill(&self, text: &str) -> String {
        let at = |name: &str| self.at(name).display().to_string();
        let owned = self.program.with_file_name("owned");
        text.replace("{p}", &self.program.display().to_string())
            .replace("{suid}", &owned.display().to_string())
            .replace("{work}", &at("work"))
            .replace("{out}", &at("out"))
            .replace("{home}", &at("home"))
            .replace("{state}", &at("state"))
            .replace("{config}", &at("config"))
            .replace("{terminal}", &self.terminal)
            .replace("{number}", &self.number.to_string())
            .replace("{id}", &self.number.to_string())
            .replace(
                "{victim}",
                &self.victim.lock().unwrap().child.id().to_string(),
            )
    }

    /// Everything outside the workspace, but for the keeper's records.
    pub(super) fn outside(&self) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
        let mut all = BTreeMap::new();
        for name in ["out", "home", "config", "state"] {
            walk(&self.at(name), &self.at("state/spool"), &mut all);
        }
        all
    }

    /// Whether the victim still does its work: a dead one answers nothing.
    pub(super) fn victim_answers(&self) -> bool {
        let mut victim = self.victim.lock().unwrap();
        let mut byte = [0];
        let asked = victim
            .input
            .as_mut()
            .is_some_and(|input| input.write_all(b"x").is_ok());
        asked && victim.output.read_exact(&mut byte).is_ok()
    }

    /// Whether a process is left that was called with this ground's number; it is ended. One that
    /// `must_come` is waited for.
    pub(super) fn left_alive(&self, must_come: bool) -> bool {
        let left = || {
            let left = self.left();
            left.iter().for_each(|pid| crate::support::kill(*pid));
            (!left.is_empty()).then_some(())
        };
        if must_come {
            crate::support::until("what is left behind", left);
            return true;
        }
        left().is_some()
    }

    fn left(&self) -> Vec<i32> {
        let number = self.number.to_string();
        let is_left = |pid: &i32| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
            words.contains(&b"linger".as_slice()) && words.contains(&number.as_bytes())
        };
        let pids = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(is_left).collect()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for place in ["/tmp", "/var/tmp", "/dev/shm"] {
            let _absent = std::fs::remove_file(format!("{place}/{}", self.number));
        }
        let _absent = std::fs::remove_dir_all(&self.base);
    }
}

impl Victim {
    fn new(program: &Path, base: &Path, number: u32) -> (Self, String) {
        let mut child = Command::new(program)
            .arg("victim")
            .arg(number.to_string())
            .args([base.join("state/planted"), base.join("out/held")])
            .env_clear()
            .env("WORD", "planted-word")
            .current_dir(base.join("out"))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let mut output = BufReader::new(output);
        let mut terminal = String::new();
        output.read_line(&mut terminal).unwrap();
        let victim = Self {
            child,
            input,
            output,
        };
        (victim, terminal.trim().to_owned())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have been stopped; when its input ends it tidies up what it shares, and ends.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
        drop(self.input.take());
        let _status = self.child.wait();
    }
}

/// Servers that all attempts of one user share.
pub(super) struct Servers {
    tcp: TcpListener,
    tcp6: Option<TcpListener>,
    udp: u16,
    udp6: u16,
    abstract_name: String,
    tmp: tempfile::TempDir,
    run: PathBuf,
    _sockets: Vec<UnixListener>,
    _inherited: std::fs::File,
}

impl Servers {
    pub(super) fn new(base: &Path) -> Self {
        let tmp = tempfile::tempdir_in("/tmp").unwrap();
        let name = format!("bowline-probe-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let mut sockets = vec![
            UnixListener::bind(tmp.path().join("s")).unwrap(),
            UnixListener::bind_addr(&address).unwrap(),
        ];
        // Only root has a place there.
        let run = Path::new("/run").join(&name);
        sockets.extend(UnixListener::bind(&run));
        // Every process that is started from now on would have this one, but for who closes it.
        let secret = base.join("inherited");
        std::fs::write(&secret, "planted-word\n").unwrap();
        let inherited = std::fs::File::open(secret).unwrap();
        rustix::io::fcntl_setfd(inherited.as_fd(), rustix::io::FdFlags::empty()).unwrap();
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            tcp6: TcpListener::bind("[::1]:0").ok(),
            udp: echo("127.0.0.1:0").unwrap(),
            udp6: echo("[::1]:0").unwrap_or_default(),
            abstract_name: name,
            tmp,
            run,
            _sockets: sockets,
            _inherited: inherited,
        }
    }

    /// Puts names into a command.
    pub(super) fn fill(&self, text: &str) -> String {
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let tcp6 = self.tcp6.as_ref().map(port).unwrap_or_default();
        let run = self.run.file_name().unwrap_or_default().to_string_lossy();
        text.replace("{tcp}", &port(&self.tcp).to_string())
            .replace("{tcp6}", &tcp6.to_string())
            .replace("{udp}", &self.udp.to_string())
            .replace("{udp6}", &self.udp6.to_string())
            .replace("{abstract}", &self.abstract_name)
            .replace("{tmp}", &self.tmp.path().display().to_string())
            .replace("{run}", &run)
            .replace("{harness}", &std::process::id().to_string())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _absent = std::fs::remove_file(&self.run);
    }
}

/// A server that sends back what it is sent, as long as this process lives; its port.
fn echo(address: &str) -> std::io::Result<u16> {
    let socket = UdpSocket::bind(address)?;
    let port = socket.local_addr()?.port();
    std::thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            let _lost = socket.send_to(&packet[..length], from);
        }
    });
    Ok(port)
}

/// A name of a folder that leaves room for that of a socket: its own, if that is short enough; the
/// name behind the open folder is known as long as that is.
fn short(folder: &Path) -> (std::fs::File, PathBuf) {
    let open = std::fs::File::open(folder).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&open);
    if folder.as_os_str().len() < 100 {
        return (open, folder.to_owned());
    }
    (open, format!("/proc/self/fd/{number}").into())
}

pub(super) fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part == word)
}

fn walk(path: &Path, but: &Path, into: &mut BTreeMap<PathBuf, (u32, i64, Vec<u8>)>) {
    let Ok(meta) = std::fs::symlink_metadata(path) else {
        return;
    };
    if path == but {
        return;
    }
    let content = if meta.is_file() {
        std::fs::read(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    let time = if meta.is_dir() { 0 } else { meta.mtime_nsec() };
    into.insert(path.to_owned(), (meta.mode(), time, content));
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        walk(&entry.path(), but, into);
    }
}
