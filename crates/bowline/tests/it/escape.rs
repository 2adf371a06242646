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

    /// Runs a way out from a script: the sandbox has to hold what the analysis of the command's
    /// text does not see.
    fn run(&self, mode: &str, command: &str) -> Ran {
        let way = self.scratch.path("work/way.sh");
        std::fs::write(way, self.fill(command)).expect("the script");
        let input = json!({ "command": "bash way.sh", "timeout_ms": 60_000 }).to_string();
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

/// How a way out ends in `auto`.
enum Ends {
    /// It fails.
    Refused,
    /// It goes on inside without effect outside: the named file (empty: a datagram) is not there.
    Without(&'static str),
    /// It is no way out and works.
    Works,
}

/// The ways, a line each: a name, how it ends, a command that exits 0 when it got out.
const WAYS: &str = r"
write outside                | refused | echo x >{outside}/new
write a start-up file        | refused | echo x >>{home}/.bashrc
read a key                   | refused | grep planted {home}/.ssh/id_ed25519
read passwords               | refused | grep planted {home}/.netrc
read a history               | refused | grep planted {home}/.bash_history
read the state folder        | refused | grep planted {state}/planted
read a journal               | refused | grep -r session {state}/sessions
write the state folder       | refused | echo x >{state}/new
read the configuration       | refused | grep planted {config}/config.toml
write the configuration      | refused | echo 'mode = 7' >{config}/config.toml
see by another's root        | refused | grep planted /proc/{victim}/root{home}/.netrc
connect by TCP               | refused | exec 3<>/dev/tcp/127.0.0.1/{tcp}
send by UDP                  | without | echo x >/dev/udp/127.0.0.1/{udp}
read another's environment   | refused | grep -az planted /proc/{victim}/environ
signal another process       | refused | kill -0 {victim}
mount                        | refused | unshare -Urm mount -t tmpfs x {outside}
bind anew                    | refused | unshare -Urm mount --bind {outside} {outside}
become a new user            | refused | unshare -Ur true
change the root              | refused | unshare -Ur chroot / true
nest a sandbox               | refused | bwrap --dev-bind / / true
gain by setuid               | refused | grep -q 'NoNewPrivs:[[:space:]]*0' /proc/self/status
write shared memory          | without /dev/shm/bowline-{victim} | echo x >/dev/shm/bowline-{victim}
write to /tmp                | without /tmp/bowline-{victim} | echo x >/tmp/bowline-{victim}
write along a link           | refused | ln -s {outside}/new way && echo x >way
write along another name     | refused | ln {outside}/old way && echo x >way
change a hook                | refused | echo x >.git/hooks/post-commit
plant a hook                 | refused | echo x >.git/hooks/pre-commit
swap the repository          | refused | mv .git aside && mkdir -p .git/hooks && echo x >.git/hooks/y
change the project's rules   | refused | echo x >.bowline/config.toml
";

/// More of them, in Python: what no program does.
const CALLS: &str = r"
connect by an abstract name  | refused | import socket; socket.socket(socket.AF_UNIX).connect('\0bowline-escape-{victim}')
connect by a socket in /tmp  | refused | import socket; socket.socket(socket.AF_UNIX).connect('{socket}')
trace another process        | refused | sys.exit(libc.ptrace(0x4206, {victim}, 0, 0) != 0)
read another's memory        | refused | at = open('/proc/{victim}/maps').readline().split('-')[0]; m = open('/proc/{victim}/mem', 'rb'); m.seek(int(at, 16)); m.read(4)
keep a key                   | refused | sys.exit(libc.syscall(217 if arm else 248, b'user', b'bowline', b'x', 1, -2) < 0)
type into a terminal         | refused | import pty, fcntl, termios; m, s = pty.openpty(); os.setsid(); fcntl.ioctl(s, termios.TIOCSCTTY, 0); fcntl.ioctl(s, termios.TIOCSTI, b'x')
run from memory              | works   | f = os.memfd_create('x', 0); os.write(f, open('/bin/true', 'rb').read()); os.execve(f, ['true'], {})
";

/// What the Python of [`CALLS`] begins with.
const HEAD: &str = "import ctypes, os, sys, platform; libc = ctypes.CDLL(None, use_errno=True); \
                    arm = platform.machine() == 'aarch64'";

fn ways() -> Vec<(&'static str, String, Ends)> {
    let row = |line: &'static str| {
        let mut columns = line.splitn(3, '|').map(str::trim);
        let mut next = || columns.next().expect("three columns");
        let (name, ends, command) = (next(), next(), next());
        let ends = match ends.split_once(' ').unwrap_or((ends, "")) {
            ("refused", _) => Ends::Refused,
            ("without", path) => Ends::Without(path),
            _ => Ends::Works,
        };
        (name, command.to_owned(), ends)
    };
    let in_python = |(name, command, ends)| {
        (
            name,
            format!("python3 - <<'END'\n{HEAD}\n{command}\nEND"),
            ends,
        )
    };
    let rows = |table: &'static str| table.lines().filter(|line| !line.is_empty()).map(row);
    rows(WAYS).chain(rows(CALLS).map(in_python)).collect()
}

#[test]
fn every_way_out_ends_as_the_backend_declares() {
    let ways = ways();
    let mut wrong = Vec::new();
    for (name, command, ends) in &ways {
        let ground = Ground::new();
        let Ran { code, out, err } = ground.run("full", command);
        let is_shown = match ends {
            Ends::Without(path) => ground.holds(path),
            Ends::Refused | Ends::Works => true,
        };
        if code != 0 || !is_shown {
            wrong.push(format!(
                "{name}: fails without a sandbox, so it shows nothing: {out}{err}"
            ));
        }
        if let Ends::Without(path) = ends
            && !path.is_empty()
        {
            std::fs::remove_file(ground.fill(path)).expect("the mark of the control");
        }
        drop(ground);
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
    let input = json!({ "command": "touch asked" }).to_string();
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
        scratch.file("way.sh", "touch /etc/bowline-test");
        let input = json!({ "command": "bash way.sh" }).to_string();
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

/// What only reads is held to reading in every mode but `full`; what a rule allows runs as it is.
#[test]
fn limits_follow_from_the_decision() {
    enum Limits {
        None,
        Reading,
        Workspace,
    }
    let check = |mode: &str, allow: &[&str], command: &str, expect: Limits| {
        let scratch = Scratch::new();
        scratch.file("a", "words\n");
        let input = json!({ "command": command }).to_string();
        let mut args = vec!["tools", "call", "shell", "--mode", mode, "--input", &input];
        for rule in allow {
            args.extend(["--allow", rule]);
        }
        scratch.run(&args).expect(0, &[]);
        let events = scratch.events();
        let decision = &of_kind(&events, "Decided")[0]["data"]["decision"];
        let profile = &decision["confinement"]["profile"];
        let work = json!([scratch.work().canonicalize().expect("the workspace")]);
        let told = format!("{mode} {allow:?} {command}: {profile}");
        match expect {
            Limits::None => assert!(profile.is_null(), "{told}"),
            Limits::Reading => {
                assert_eq!(
                    (&profile["writable"], &profile["readable"]),
                    (&json!([]), &work),
                    "{told}"
                );
                assert_eq!(profile["network"], "none", "{told}");
            }
            Limits::Workspace => assert_eq!(profile["writable"], work, "{told}"),
        }
    };
    for mode in ["read-only", "ask", "edit", "auto"] {
        check(mode, &[], "cat a | wc -l", Limits::Reading);
        check(mode, &["cat *"], "cat a", Limits::Reading);
    }
    check("full", &[], "cat a", Limits::None);
    check("edit", &[], "cat a > b && cat b", Limits::Workspace);
    check("auto", &[], "touch b", Limits::Workspace);
    check("ask", &["touch *"], "touch b", Limits::None);
    check("edit", &["touch *"], "cat a > b; touch c", Limits::None);
    check("ask", &[], "ps", Limits::None);
}

/// Runs Bowline itself where bubblewrap cannot be found.
fn without_bubblewrap(scratch: &Scratch, args: &[&str]) -> Ran {
    let inner = scratch.command(args);
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
    crate::support::ran(&outer.output().expect("it starts"))
}

#[test]
fn auto_asks_where_namespaces_are_missing() {
    let scratch = Scratch::new();
    let input = json!({ "command": "touch inside" }).to_string();
    let args = [
        "tools", "call", "shell", "--mode", "auto", "--input", &input,
    ];
    without_bubblewrap(&scratch, &args).expect(
        3,
        &[
            "bubblewrap is not installed",
            "apt install bubblewrap",
            "an allow rule lets it",
        ],
    );
}

#[test]
fn a_weaker_sandbox_is_said_once() {
    let check = |mode: &str, is_weaker: bool, expect: usize| {
        let scratch = Scratch::new();
        scratch.file("a", "words\n");
        let call = json!({ "calls": [{ "tool": "shell", "input": { "command": "cat a" } }] });
        let model = scratch.scenario(&json!([call, call, { "text": "done" }]));
        let said = |ran: &Ran| {
            let lines = ran.out.lines().chain(ran.err.lines());
            lines.filter(|line| line.contains("weaker sandbox")).count()
        };
        for output in ["text", "stream-json"] {
            let args = [
                "exec", "--model", &model, "--mode", mode, "--output", output, "go",
            ];
            let ran = if is_weaker {
                without_bubblewrap(&scratch, &args)
            } else {
                scratch.run(&args)
            };
            ran.expect(0, &[]);
            assert_eq!(
                said(&ran),
                expect,
                "{mode} {output}: {}{}",
                ran.out,
                ran.err
            );
        }
    };
    check("auto", true, 1);
    check("edit", true, 1);
    // There, Landlock holds all that is held.
    check("ask", true, 0);
    check("full", true, 0);
    check("auto", false, 0);
}

/// What runs in the background outside of a sandbox is not told anything unasked, in `auto` either.
#[test]
fn only_a_confined_job_is_written_to_unasked() {
    for (begun_in, code) in [("full", 3), ("auto", 0)] {
        let scratch = Scratch::new();
        let call = |tool: &str, input| json!({ "calls": [{ "tool": tool, "input": input }] });
        scratch.file("job.sh", "echo ready; read line; eval \"$line\"");
        let command = "bash job.sh";
        let steps = json!([
            call("shell", json!({ "command": command, "background": true })),
            { "text": "begun", "expect": { "last_result_contains": ["ready"] } },
            call("shell_job", json!({ "action": "write", "input": "touch told\n" })),
            { "text": "told" }
        ]);
        let model = scratch.scenario(&steps);
        let first = ["exec", "--model", &model, "--mode", begun_in, "go"];
        scratch.run(&first).expect(0, &["begun"]);
        let second = [
            "exec",
            "--continue",
            "--mode",
            "auto",
            "--output",
            "json",
            "on",
        ];
        let ran = scratch.run(&second);
        ran.expect(code, &[]);
        if code == 3 {
            ran.expect(3, &["outside of them"]);
            assert!(!scratch.work().join("told").exists());
        }
        for job in scratch
            .run(&["jobs", "list", "--json"])
            .json()
            .as_array()
            .expect("a list")
        {
            let handle = job["id"].as_str().expect("a handle");
            scratch.run(&["jobs", "stop", handle]).expect(0, &[]);
        }
    }
}
