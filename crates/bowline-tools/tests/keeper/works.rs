//! What must work inside a sandbox, so that nobody switches it off. Each is first shown to work
//! without one. What Landlock is declared not to let is shown to fail with it.

use std::path::{Path, PathBuf};

use bowline_core::Backend;
use bowline_tools::keeper::Ended;

use crate::confined::Ground;
use crate::support::Case;

pub(crate) const CASES: &[Case] = &[
    ("works_cargo", || check(CARGO)),
    ("works_packages", || check(PACKAGES)),
    ("works_git", || check(GIT)),
    ("works_servers", || check(SERVERS)),
    ("works_shell", || check(SHELL)),
    ("works_processes", || check(PROCESSES)),
];

/// How a row fares with Landlock.
#[derive(Clone, Copy, PartialEq)]
enum Landlock {
    /// As with namespaces.
    Works,
    /// It needs sockets or shared memory, which Landlock cannot hold to the sandbox.
    Fails,
    /// As with namespaces; takes long, so only when `BOWLINE_WORKS=all` is set.
    Long,
}
use Landlock::{Fails, Long, Works};

/// A name, a shell command that exits 0 if it works, how it fares with Landlock, and the programs
/// without which it is left out.
type Row = (
    &'static str,
    &'static str,
    Landlock,
    &'static [&'static str],
);

const CARGO: &[Row] = &[(
    "cargo build, test, run with a dependency by path",
    r#"mkdir -p dep/src app/src
       printf '[package]\nname = "dep"\nversion = "0.1.0"\nedition = "2021"\n' >dep/Cargo.toml
       echo 'pub fn seven() -> u32 { 7 }' >dep/src/lib.rs
       printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ndep = { path = "../dep" }\n' >app/Cargo.toml
       echo 'fn main() { println!("{}", dep::seven()); }
             #[test] fn is_seven() { assert_eq!(dep::seven(), 7); }' >app/src/main.rs
       cd app && cargo build -q --offline && cargo test -q --offline && [ "$(cargo run -q --offline)" = 7 ]"#,
    Long,
    &["cargo"],
)];

const PACKAGES: &[Row] = &[
    (
        "npm install from a local folder",
        r#"mkdir lib app
           echo '{"name":"lib","version":"1.0.0"}' >lib/package.json
           echo 'module.exports = 7' >lib/index.js
           echo '{"name":"app","version":"1.0.0","scripts":{"start":"node index.js"}}' >app/package.json
           echo 'console.log(require("lib"))' >app/index.js
           cd app && npm install --offline --no-audit --no-fund --silent ../lib &&
           [ "$(npm run --silent start)" = 7 ]"#,
        Long,
        &["node", "npm"],
    ),
    (
        "python -m venv, pip install from a local folder",
        r#"mkdir pkg
           printf '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "seven"\nversion = "1"\n' >pkg/pyproject.toml
           cat >pkg/backend.py <<'END'
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = 'seven-1-py3-none-any.whl'
    with zipfile.ZipFile(folder + '/' + name, 'w') as wheel:
        wheel.writestr('seven.py', 'VALUE = 7\n')
        info = 'seven-1.dist-info/'
        wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\nName: seven\nVersion: 1\n')
        wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
        wheel.writestr(info + 'RECORD', '')
    return name
END
           python3 -m venv venv &&
           venv/bin/pip install -q --disable-pip-version-check --no-index ./pkg &&
           venv/bin/python -c 'import seven; assert seven.VALUE == 7'"#,
        Long,
        &["python3"],
    ),
];

const GIT: &[Row] = &[
    (
        "git init, commit, branch, merge, stash, worktree, gc",
        r#"git init -q -b main . && git config user.name a && git config user.email a@b
           echo 1 >a && git add a && git commit -qm one
           git switch -qc side && echo 2 >b && git add b && git commit -qm two && git switch -q main
           git merge -q --no-ff -m merged side && git branch -qd side && git tag v1
           echo 3 >>a && git stash -q && git stash pop -q && git commit -qam three
           git worktree add -q tree -b other
           git rebase -q HEAD && git gc -q && git fsck --no-progress && git log --oneline && git status --short"#,
        Works,
        &["git"],
    ),
    (
        "git in a repository that was there",
        r#"cd there && echo 2 >b && git add b && git commit -qm two && git switch -qc side &&
           git commit -q --allow-empty -m three && git switch -q main && git merge -q side &&
           echo 3 >>b && git stash -q && git stash pop -q && git worktree add -q tree -b other &&
           git gc -q && git reset -q --hard && git clone -q . ../copy && cd ../copy && git log -1"#,
        Works,
        &["git"],
    ),
    (
        "git add -p, told what to add",
        r#"cd there && printf '1\n2\n' >a && printf 'y\n' | git add -p >/dev/null && git commit -qm two"#,
        Works,
        &["git"],
    ),
    (
        "a repository of its own below, and a submodule",
        r#"git init -q new && cd new && git config user.name a && git config user.email a@b &&
           git -c protocol.file.allow=always submodule --quiet add ../there there &&
           git commit -qm one && git submodule status"#,
        Works,
        &["git"],
    ),
];

const SERVERS: &[Row] = &[
    (
        "a server on loopback and its client, in Python",
        r#"python3 -u -m http.server --bind 127.0.0.1 0 >log 2>&1 & 
           until grep -q port log; do kill -0 $! || exit 1; done
           port=$(grep -o 'port [0-9]*' log | cut -d' ' -f2); echo hello >file
           python3 -c "import urllib.request as r; assert r.urlopen('http://127.0.0.1:$port/file').read() == b'hello\n'"
           kill %1"#,
        Fails,
        &["python3"],
    ),
    (
        "a server on loopback and its client, in node",
        r#"node -e 'const h = require("http"); const s = h.createServer((q, r) => r.end("hi")).listen(0, "localhost", () =>
             h.get({ port: s.address().port, host: "localhost" }, r => r.on("data", d => process.exit(String(d) === "hi" ? 0 : 1))))'"#,
        Fails,
        &["node"],
    ),
    (
        "a server at a socket in the workspace",
        r#"python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("s"); s.listen(); socket.socket(socket.AF_UNIX).connect("s")'"#,
        Fails,
        &["python3"],
    ),
];

const SHELL: &[Row] = &[
    (
        "make -j2",
        r#"printf 'all: a b c\n%%: %%.c\n\tcc -o $@ $<\n' >Makefile
           for name in a b c; do echo 'int main(void) { return 0; }' >$name.c; done
           make -s -j2 && ./a && ./b && ./c"#,
        Works,
        &["make", "cc"],
    ),
    (
        "pipelines, substitutions of processes, here-documents",
        r#"sh -c 'printf "b\na\n" | sort | head -1' && diff <(echo 1) <(echo 1) && echo x | tee >(cat >out) &&
           cat <<END >doc && [ "$(cat doc)" = "a $HOME" ]
a $HOME
END"#,
        Works,
        &[],
    ),
    (
        "temporary files",
        r#"f=$(mktemp) && d=$(mktemp -d) && echo x >$f && mv $f $d/y && seq 100000 | sort -R | sort -n -S 1M -T $d | tail -1 &&
           seq 100000 | sort -rn -S 1M | head -1"#,
        Works,
        &[],
    ),
    (
        "files of all kinds",
        r#"mkdir -p a/b && echo x >a/b/c && chmod 755 a/b/c && touch -d 2020-01-01 a/b/c && ln a/b/c a/d && ln -s b a/l &&
           cp -a a e && tar cf t.tar a && mkdir u && tar xf t.tar -C u && mkfifo f && (echo y >f & cat f) &&
           find a -name d -delete && rm -rf e u && mv a g && printf '#!/bin/sh\nexit 0\n' >run && chmod +x run && ./run && flock g/b/c true"#,
        Works,
        &[],
    ),
    (
        "sqlite",
        "sqlite3 db 'pragma journal_mode = wal; create table t (a); insert into t values (7); select a from t' | tail -1 | grep -qx 7",
        Works,
        &["sqlite3"],
    ),
];

const PROCESSES: &[Row] = &[
    (
        "ps",
        "ps -ef | grep -q ps && [ -d /proc/$$ ]",
        Works,
        &["ps"],
    ),
    (
        "a terminal of its own",
        "script -qec 'tty && test -t 0' /dev/null </dev/null",
        // With it one could read what is typed into those of others.
        Fails,
        &["script"],
    ),
    (
        "processes of the shell",
        "sleep 1000 & kill $! ; ! wait $! ; timeout 5 true && nohup true && (setsid true) && time true && nice -n 5 true",
        Works,
        &[],
    ),
    (
        "python's multiprocessing",
        r#"cat >m.py <<'END'
import multiprocessing
def square(n): return n * n
if __name__ == '__main__':
    with multiprocessing.Pool(2) as pool:
        assert pool.map(square, [1, 2, 3]) == [1, 4, 9]
    lock, queue = multiprocessing.Lock(), multiprocessing.Queue()
    queue.put(7)
    assert queue.get() == 7
END
           python3 m.py"#,
        Fails,
        &["python3"],
    ),
    (
        "node's child processes and workers",
        r#"node -e 'const w = require("worker_threads"); require("child_process").execSync("true");
             new w.Worker("process.exit(0)", { eval: true }).on("exit", process.exit)'"#,
        Works,
        &["node"],
    ),
];

/// Runs every row unconfined, in namespaces and under Landlock, each in a ground of its own.
fn check(rows: &[Row]) {
    let is_all = std::env::var_os("BOWLINE_WORKS").is_some();
    let mut wrong = Vec::new();
    for (name, command, landlock, programs) in rows {
        if let Some(missing) = programs.iter().find(|program| !is_there(program)) {
            println!("left out, for want of {missing}: {name}");
            continue;
        }
        let mut told = Vec::new();
        for backend in [None, Some(Backend::Namespaces), Some(Backend::Landlock)] {
            let succeeds = match (backend, landlock) {
                (Some(Backend::Landlock), Long) if !is_all => continue,
                (Some(Backend::Landlock), Fails) => false,
                _ => true,
            };
            let (worked, output) = run(backend, command);
            let backend = backend.map_or("no sandbox", Backend::name);
            told.push(format!(
                "{backend}: {}",
                if worked { "works" } else { "does not" }
            ));
            if worked != succeeds {
                wrong.push(format!("{name}, {backend}: {output}"));
            }
        }
        println!("{name}: {}", told.join(", "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs `command` in a workspace with a repository `there`, and homes of its own.
fn run(backend: Option<Backend>, command: &str) -> (bool, String) {
    let ground = Ground::new();
    let work = PathBuf::from(ground.work());
    std::fs::create_dir_all(&work).unwrap();
    repository(&work.join("there"));
    let command = format!("set -e\n{command}");
    let mut order = ground.order_with(backend, &command, |profile| {
        profile.protected = [
            ".git/hooks",
            ".git/config",
            ".git/commondir",
            ".envrc",
            ".vscode",
        ]
        .map(str::to_owned)
        .to_vec();
    });
    let home = ground.outside("home");
    std::fs::create_dir_all(&home).unwrap();
    // Where the toolchain is, whoever runs it.
    let real = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let toolchains = std::env::var("RUSTUP_HOME");
    let toolchains = toolchains.unwrap_or_else(|_| real.join(".rustup").display().to_string());
    let git = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    order.env.extend([
        git("HOME", &home.display().to_string()),
        git("RUSTUP_HOME", &toolchains),
        git("CARGO_HOME", &home.join(".cargo").display().to_string()),
        git("GIT_CONFIG_GLOBAL", "/dev/null"),
        git("GIT_AUTHOR_NAME", "a"),
        git("GIT_AUTHOR_EMAIL", "a@b"),
        git("GIT_COMMITTER_NAME", "a"),
        git("GIT_COMMITTER_EMAIL", "a@b"),
    ]);
    if let Ok(toolchain) = std::env::var("RUSTUP_TOOLCHAIN") {
        order.env.push(("RUSTUP_TOOLCHAIN".to_owned(), toolchain));
    }
    let (exit, output) = ground.run("works", &order);
    assert_eq!(exit.ended_by, Ended::ItsOwn, "{output}");
    assert!(exit.set_aside.is_empty(), "{:?}", exit.set_aside);
    (exit.code == Some(0), output)
}

/// A repository with one commit.
fn repository(folder: &Path) {
    let script = "git init -q -b main . && echo 1 >a && git add a && \
                  git -c user.name=a -c user.email=a@b commit -qm one";
    std::fs::create_dir_all(folder).unwrap();
    let mut made = std::process::Command::new("sh");
    made.args(["-c", script]).current_dir(folder);
    made.env("GIT_CONFIG_GLOBAL", "/dev/null");
    assert!(made.status().unwrap().success());
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
