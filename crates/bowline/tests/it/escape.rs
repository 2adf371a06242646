//! Ways out of the sandbox of mode `auto`. Each is first taken unconfined, in mode `full`, where it
//! succeeds; in `auto` it must end as the namespace backend declares.

use std::collections::BTreeMap;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::{Ran, Scratch, of_kind, snapshot};

/// A word that lies in every place that must not be read.
const PLANTED: &str = "planted-word";

/// Everything a way out could reach: a home, a state folder, a process, servers.
struct Ground {
    scratch: Scratch,
    victim: Child,
    tcp: std::net::TcpListener,
    udp: std::net::UdpSocket,
    _abstract: UnixListener,
    _in_tmp: (tempfile::TempDir, UnixListener),
}

impl Ground {
    fn new() -> Self {
        let scratch = Scratch::within(Path::new(env!("CARGO_TARGET_TMPDIR")));
        for (name, text) in [
            ("user/.ssh/id_ed25519", PLANTED),
            ("user/.netrc", PLANTED),
            ("user/.bash_history", PLANTED),
            ("user/.bashrc", "# mine\n"),
            ("config/bowline/config.toml", "# planted-word\n"),
            ("home/planted", PLANTED),
            ("outside/old", "old\n"),
            ("work/.git/config", ""),
            ("work/.bowline/config.toml", ""),
            ("work/.git/hooks/post-commit", "#!/bin/sh\n"),
        ] {
            let path = scratch.path(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
            std::fs::write(path, text).expect("a file");
        }
        let victim = Command::new("sleep")
            .arg("1000")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("WORD", PLANTED)
            .stdin(Stdio::null())
            .spawn()
            .expect("a victim");
        let name = format!("bowline-escape-{}", victim.id());
        let address = SocketAddr::from_abstract_name(name).expect("a name");
        let in_tmp = tempfile::tempdir_in("/tmp").expect("a folder");
        let socket = UnixListener::bind(in_tmp.path().join("socket")).expect("a socket");
        Self {
            scratch,
            victim,
            tcp: std::net::TcpListener::bind("127.0.0.1:0").expect("a server"),
            udp: std::net::UdpSocket::bind("127.0.0.1:0").expect("a server"),
            _abstract: UnixListener::bind_addr(&address).expect("a server"),
            _in_tmp: (in_tmp, socket),
        }
    }

    /// Puts names into a command.
    fn fill(&self, command: &str) -> String {
        let path = |name: &str| self.scratch.path(name).display().to_string();
        let port = |address: std::io::Result<std::net::SocketAddr>| {
            address.expect("an address").port().to_string()
        };
        let socket = self._in_tmp.0.path().join("socket");
        command
            .replace("{outside}", &path("outside"))
            .replace("{home}", &path("user"))
            .replace("{state}", &path("home"))
            .replace("{config}", &path("config/bowline"))
            .replace("{victim}", &self.victim.id().to_string())
            .replace("{tcp}", &port(self.tcp.local_addr()))
            .replace("{udp}", &port(self.udp.local_addr()))
            .replace("{socket}", &socket.display().to_string())
            .replace("{bowline}", env!("CARGO_BIN_EXE_bowline"))
    }

    /// All that lies outside the workspace and in its protected places.
    fn outside(&self) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
        let places = ["outside", "user", "config", "work/.git", "work/.bowline"];
        places
            .map(|name| snapshot(&self.scratch.path(name)))
            .to_vec()
    }

    /// Whether a file is there, or a datagram has come if no file is named.
    fn holds(&self, path: &str) -> bool {
        if path.is_empty() {
            self.udp.set_nonblocking(true).expect("a mode");
            return self.udp.recv(&mut [0; 8]).is_ok();
        }
        Path::new(&self.fill(path)).exists()
    }

    fn run(&self, mode: &str, command: &str) -> Ran {
        let input = json!({ "command": self.fill(command), "timeout_ms": 60_000 }).to_string();
        let args = ["tools", "call", "shell", "--mode", mode, "--input", &input];
        self.scratch.run(&args)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // One of the ways ends it.
        let _gone = self.victim.kill();
        let _reaped = self.victim.wait();
    }
}

/// How a way out is judged.
enum Ends {
    /// It fails.
    Refused,
    /// It goes on inside without effect outside: the named file (empty: a datagram) is not there.
    Without(&'static str),
    /// It is no way out and works.
    Works,
}

/// Python that makes a system call which has no program of its own.
fn python(body: &str) -> String {
    let head = "import ctypes,os,sys,platform\n\
                libc=ctypes.CDLL(None,use_errno=True)\n\
                arm=platform.machine()=='aarch64'\n";
    format!("python3 - <<'END'\n{head}{body}\nEND")
}

/// The ways: a name, a command that exits 0 when it got out, and how it ends in `auto`.
fn ways() -> Vec<(&'static str, String, Ends)> {
    use Ends::{Refused, Without, Works};
    let plain = |name, command: &str, ends| (name, command.to_owned(), ends);
    let mut ways = vec![
        plain("write outside", "echo x >{outside}/new", Refused),
        plain(
            "write a start-up file at home",
            "echo x >>{home}/.bashrc",
            Refused,
        ),
        plain("read a key", "grep planted {home}/.ssh/id_ed25519", Refused),
        plain("read passwords", "grep planted {home}/.netrc", Refused),
        plain(
            "read a history",
            "grep planted {home}/.bash_history",
            Refused,
        ),
        plain(
            "read the state folder",
            "grep planted {state}/planted",
            Refused,
        ),
        plain(
            "read a journal",
            "grep -r session {state}/sessions",
            Refused,
        ),
        plain("write the state folder", "echo x >{state}/new", Refused),
        plain(
            "read the configuration",
            "grep planted {config}/config.toml",
            Refused,
        ),
        plain(
            "write the configuration",
            "echo 'mode = \"full\"' >{config}/config.toml",
            Refused,
        ),
        plain(
            "see by way of another's root",
            "grep planted /proc/{victim}/root{home}/.netrc",
            Refused,
        ),
        plain(
            "connect by TCP",
            "exec 3<>/dev/tcp/127.0.0.1/{tcp}",
            Refused,
        ),
        plain(
            "send by UDP",
            "echo x >/dev/udp/127.0.0.1/{udp}",
            Without(""),
        ),
        plain(
            "read another's environment",
            "grep -az planted /proc/{victim}/environ",
            Refused,
        ),
        plain("signal another process", "kill -0 {victim}", Refused),
        plain("mount", "unshare -Urm mount -t tmpfs x {outside}", Refused),
        plain(
            "remount",
            "unshare -Urm sh -c 'mount --bind {outside} {outside}'",
            Refused,
        ),
        plain("a new user", "unshare -Ur true", Refused),
        plain("another root", "unshare -Ur chroot / true", Refused),
        plain("nest a sandbox", "bwrap --dev-bind / / true", Refused),
        plain(
            "gain by setuid",
            "grep -q 'NoNewPrivs:[[:space:]]*0' /proc/self/status",
            Refused,
        ),
        plain(
            "write shared memory",
            "echo x >/dev/shm/bowline-{victim}",
            Without("/dev/shm/bowline-{victim}"),
        ),
        plain(
            "write /tmp",
            "echo x >/tmp/bowline-{victim}",
            Without("/tmp/bowline-{victim}"),
        ),
        plain(
            "write along a link",
            "ln -s {outside}/new way && echo x >way",
            Refused,
        ),
        plain(
            "write along another name",
            "ln {outside}/old way && echo x >way",
            Refused,
        ),
        plain("plant a hook", "echo x >.git/hooks/post-commit", Refused),
        plain(
            "plant a hook beside",
            "echo x >.git/hooks/pre-commit",
            Refused,
        ),
        plain(
            "swap the repository",
            "mv .git aside && mkdir -p .git/hooks && echo x >.git/hooks/y",
            Refused,
        ),
        plain(
            "change the project's rules",
            "echo x >.bowline/config.toml",
            Refused,
        ),
    ];
    ways.extend([
        ("connect by an abstract name", python("import socket\nsocket.socket(socket.AF_UNIX).connect('\\0bowline-escape-{victim}')"), Refused),
        ("connect by a socket in /tmp", python("import socket\nsocket.socket(socket.AF_UNIX).connect('{socket}')"), Refused),
        ("trace another process", python("r=libc.ptrace(0x4206,{victim},0,0)\nsys.exit(r!=0)"), Refused),
        ("read another's memory", python("maps=open('/proc/{victim}/maps').readline().split('-')[0]\nm=open('/proc/{victim}/mem','rb');m.seek(int(maps,16));m.read(4)"), Refused),
        ("keep a key", python("r=libc.syscall(217 if arm else 248,b'user',b'bowline',b'x',1,-2)\nsys.exit(r<0)"), Refused),
        ("type into a terminal", python("import pty,fcntl,termios\nm,s=pty.openpty()\nos.setsid()\nfcntl.ioctl(s,termios.TIOCSCTTY,0)\nfcntl.ioctl(s,termios.TIOCSTI,b'x')"), Refused),
        ("run from memory", python("f=os.memfd_create('x',0)\nos.write(f,open('/bin/true','rb').read())\nos.execve(f,['true'],{})"), Works),
    ]);
    ways
}

#[test]
fn every_way_out_ends_as_the_backend_declares() {
    let ways = ways();
    let mut wrong = Vec::new();
    for (name, command, ends) in &ways {
        let control = Ground::new().run("full", command);
        if control.code != 0 {
            let Ran { out, err, .. } = control;
            wrong.push(format!(
                "{name}: fails without a sandbox, so it shows nothing: {out}{err}"
            ));
        }
        // Afresh: the control has left its marks.
        let ground = Ground::new();
        let before = ground.outside();
        let ran = ground.run("auto", command);
        let is_kept = match ends {
            Ends::Refused => ran.code == 1,
            Ends::Without(path) => ran.code == 0 && !ground.holds(path),
            Ends::Works => ran.code == 0,
        };
        if !is_kept || ground.outside() != before {
            let Ran { code, out, err } = ran;
            wrong.push(format!("{name}: got out, or broke ({code}): {out}{err}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ways.len(),
        wrong.join("\n")
    );
    println!("{} ways, all succeed unconfined, none gets out", ways.len());
}

#[test]
fn a_command_cannot_answer_a_question() {
    let ground = Ground::new();
    let input = json!({ "command": "true" }).to_string();
    let ask = [
        "tools", "call", "shell", "--mode", "ask", "--output", "json", "--input", &input,
    ];
    let asked = ground.scratch.run(&ask);
    asked.expect(3, &[]);
    let question = asked.json()["waiting"][0]["decision_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let letters = || {
        let files = snapshot(&ground.scratch.home());
        let is_letter = |path: &&PathBuf| path.parent().is_some_and(|it| it.ends_with("mailbox"));
        files.keys().filter(is_letter).count()
    };
    // Without the mark of its keeper, and where no keeper is seen among its ancestors.
    let approve = format!(
        "env -u BOWLINE_KEEPER BOWLINE_HOME={{state}} XDG_CONFIG_HOME=/tmp {{bowline}} approve {question}"
    );
    let session = asked.json()["session_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let forge = format!("echo '{{}}' >{{state}}/sessions/{session}/mailbox/letter.json");
    for way in [&approve, &forge] {
        ground.run("auto", way).expect(1, &[]);
        assert_eq!(letters(), 0, "{way}");
    }
    ground.run("full", &forge).expect(0, &[]);
    assert!(
        letters() > 0,
        "the control: unconfined, a letter can be forged"
    );
    ground
        .scratch
        .run(&["approve", &question])
        .expect(0, &["allowed"]);
}

#[test]
fn a_decision_records_profile_and_backend() {
    let scratch = Scratch::new();
    let run = |mode: &str| {
        let input = json!({ "command": "touch /etc/bowline-test" }).to_string();
        let args = ["tools", "call", "shell", "--mode", mode, "--input", &input];
        scratch.run(&args)
    };
    run("auto").expect(
        1,
        &["Read-only file system", "ran in a sandbox", "no network"],
    );
    let events = scratch.events();
    let decided = &of_kind(&events, "Decided")[0]["data"]["decision"];
    assert_eq!(decided["confinement"]["backend"], "namespaces");
    let profile = &decided["confinement"]["profile"];
    let work = scratch.work().canonicalize().expect("the workspace");
    assert_eq!(profile["writable"], json!([work]));
    assert_eq!(profile["network"], "none");
    for hidden in [
        scratch.home(),
        scratch.path("config/bowline"),
        scratch.path("user/.ssh"),
    ] {
        let hidden = json!(hidden);
        assert!(
            profile["hidden"]
                .as_array()
                .expect("a list")
                .contains(&hidden),
            "{hidden}"
        );
    }
    assert!(
        decided["reason"]
            .as_str()
            .expect("a reason")
            .contains("within a sandbox")
    );
    let finished = &of_kind(&events, "CallFinished")[0]["data"];
    assert_eq!(finished["outcome"]["sandbox_denied"], true);
}

/// Runs Bowline itself where bubblewrap cannot be found.
#[test]
fn auto_asks_where_namespaces_are_missing() {
    let scratch = Scratch::new();
    let input = json!({ "command": "true" }).to_string();
    let inner = scratch.command(&[
        "tools", "call", "shell", "--mode", "auto", "--input", &input,
    ]);
    let mut outer = Command::new("bwrap");
    outer.args(["--dev-bind", "/", "/"]);
    for place in ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"] {
        if let Ok(real) = Path::new(place).canonicalize() {
            outer.args(["--bind", "/dev/null"]).arg(real);
        }
    }
    outer
        .arg("--")
        .arg(inner.get_program())
        .args(inner.get_args());
    outer.current_dir(scratch.work()).stdin(Stdio::null());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    let ran = crate::support::ran(&outer.output().expect("it starts"));
    ran.expect(
        3,
        &[
            "bubblewrap is not installed",
            "apt install bubblewrap",
            "tool(NAME)",
        ],
    );
}
